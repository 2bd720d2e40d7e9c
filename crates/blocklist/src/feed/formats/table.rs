//! Tables of any origin: values separated by tabs, commas or semicolons, quoted
//! or not, with addresses in one of the columns.
//!
//! * The column is the configured one, by number or by its name in the header,
//!   or else the only one that holds addresses. If there are several and none
//!   is configured, all rows are rejected: nothing is guessed.
//! * The header is the first row, if it holds no address, or, for names, the
//!   last comment before it: abuse.ch has `# Firstseen,DstIP,DstPort`.
//! * `#` begins a line of comment.
//!
//! Files for `/etc/hosts` look like tables, but their addresses are not meant;
//! so a column that is mostly `0.0.0.0` and loopback is not one of addresses.

use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Column, Limits, Options, Shape, lines, text};
use crate::{RejectReason, parse_address, parse_entry};

const SEPARATORS: [u8; 3] = [b'\t', b',', b';'];
/// How many columns are looked at to find the one with the addresses.
const COLUMNS_MAX: usize = 64;

/// Where the addresses of a table are.
#[derive(Clone, Copy)]
struct Layout {
    separator: u8,
    /// From 0. `None` if it is not clear.
    column: Option<usize>,
}

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let layout = layout(&Head::of(bytes), options.column.as_ref());
    let mut splitter = Splitter::new(layout.separator);
    let mut may_be_header = true;
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let header = std::mem::take(&mut may_be_header)
            && is_header(fields)
            && fields.get(layout.column.unwrap_or_default()).is_some_and(is_name);
        visit.read_unless(header, line, || {
            let column = layout.column.ok_or(RejectReason::NoColumn)?;
            let field = fields.get(column).filter(|field| !field.is_empty());
            parse_entry(field.ok_or(RejectReason::MissingField)?)
        })
    })
}

/// Perhaps, if one of several columns holds addresses, or more than one: then
/// the rejects say what to configure. All formats that look more closely go
/// before. JSON written over many lines may look like a
/// table, but what it means stands around the lines.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if matches!(text::trim(head.text), [b'{' | b'[' | b'<', ..]) {
        return Likeness::None;
    }
    let holding = SEPARATORS.iter().any(|&separator| holders(head, separator).next().is_some());
    if holding { Likeness::Maybe } else { Likeness::None }
}

/// Whether this may be a row of names: nothing in it is an address.
fn is_header(fields: Fields<'_>) -> bool {
    !fields.iter().any(is_entry)
}

/// Whether a field begins as a name does.
fn is_name(field: &[u8]) -> bool {
    field.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
}

fn is_entry(field: &[u8]) -> bool {
    parse_entry(field).is_ok()
}

/// The layout in which there are addresses, in the configured column or else in
/// only one.
fn layout(head: &Head<'_>, wanted: Option<&Column>) -> Layout {
    let layouts = SEPARATORS.map(|separator| {
        let column = match wanted {
            None => only_column(head, separator),
            Some(Column::Number(number)) => usize::from(*number).checked_sub(1),
            Some(Column::Name(name)) => named(head, separator, name),
        };
        Layout { separator, column }
    });
    // Without any address, what counts is which separator there is.
    let fields = |layout: &Layout| {
        let column = layout.column.unwrap_or_default();
        let mut splitter = Splitter::new(layout.separator);
        let mut fits = |line| {
            let fields = splitter.split(line);
            let field = fields.get(column).filter(|_| layout.column.is_some());
            (field.is_some_and(is_entry), fields.len() > 1)
        };
        rows_of(head).map(&mut fits).fold((0, 0), |(entries, rows), (entry, row)| {
            (entries + usize::from(entry), rows + usize::from(row))
        })
    };
    // Of equally good ones, the first.
    let best = layouts.iter().rev().max_by_key(|layout| fields(layout));
    best.copied().unwrap_or(layouts[0])
}

/// The only column with addresses.
fn only_column(head: &Head<'_>, separator: u8) -> Option<usize> {
    let mut holders = holders(head, separator);
    holders.next().filter(|_| holders.next().is_none())
}

/// The columns, where there are two or more, that hold addresses: all in which
/// an entry ever stands, if one stands in most rows of the first of them.
fn holders(head: &Head<'_>, separator: u8) -> impl Iterator<Item = usize> {
    let mut splitter = Splitter::new(separator);
    let mut counts = [Count::default(); COLUMNS_MAX];
    let mut rows = 0;
    for line in rows_of(head) {
        let fields = splitter.split(line);
        if fields.len() < 2 || rows == 0 && is_header(fields) {
            continue;
        }
        rows += 1;
        for (count, field) in counts.iter_mut().zip(fields.iter()) {
            count.add(field);
        }
    }
    let first = counts.iter().find(|count| count.entries > 0).copied().unwrap_or_default();
    let good = first.entries * 10 >= rows * 9 && first.nobody * 2 <= rows;
    let shown = move |&column: &usize| good && counts[column].entries > 0;
    (0..COLUMNS_MAX).filter(shown)
}

/// What stands in a column.
#[derive(Clone, Copy, Default)]
struct Count {
    entries: usize,
    /// Entries that are no host's address, as in files for `/etc/hosts`.
    nobody: usize,
}

impl Count {
    fn add(&mut self, field: &[u8]) {
        self.entries += usize::from(is_entry(field));
        let address = parse_address(field).ok();
        let nobody = address.is_some_and(|ip| ip.is_loopback() || ip.is_unspecified());
        self.nobody += usize::from(nobody);
    }
}

/// The column with this name, in the first row or in the comment before it.
fn named(head: &Head<'_>, separator: u8, name: &str) -> Option<usize> {
    let mut splitter = Splitter::new(separator);
    let mut find =
        |line: &[u8]| splitter.split(line).iter().position(|field| field == name.as_bytes());
    let row = head.lines().position(|line| !line.starts_with(b"#"));
    let header = row.and_then(|row| find(head.lines().nth(row)?));
    header.or_else(|| {
        let before = row.unwrap_or(usize::MAX);
        find(head.lines().take(before).last()?.trim_ascii_start().strip_prefix(b"#")?)
    })
}

fn rows_of<'a>(head: &Head<'a>) -> impl Iterator<Item = &'a [u8]> {
    head.lines().filter(|line| !line.starts_with(b"#"))
}
