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
use crate::{Entry, RejectReason, parse_address, parse_entry};

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
        let header = std::mem::take(&mut may_be_header) && is_header(fields);
        visit.read_unless(header, line, || {
            let column = layout.column.ok_or(RejectReason::NoColumn)?;
            let field = fields.get(column).filter(|field| !field.is_empty());
            parse_entry(field.ok_or(RejectReason::MissingField)?)
        })
    })
}

/// Perhaps, if exactly one of several columns holds addresses. All formats that
/// look more closely go before. JSON written over many lines may look like a
/// table, but what it means stands around the lines.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if matches!(text::trim(head.text), [b'{' | b'[' | b'<', ..]) {
        return Likeness::None;
    }
    layout(head, None).column.map_or(Likeness::None, |_| Likeness::Maybe)
}

/// A row of names: nothing in it is an address, everything begins with a letter
/// or is empty.
fn is_header(fields: Fields<'_>) -> bool {
    let name = |field: &[u8]| {
        field.first().is_none_or(|first| first.is_ascii_alphabetic() || *first == b'_')
    };
    fields.iter().all(name) && !fields.iter().any(|field| entry(field).is_some())
}

fn entry(field: &[u8]) -> Option<Entry> {
    parse_entry(field).ok()
}

/// The layout with the configured column, or the first layout in which exactly
/// one column holds addresses.
fn layout(head: &Head<'_>, wanted: Option<&Column>) -> Layout {
    let clear = SEPARATORS.iter().find_map(|&separator| {
        let column = Some(only_column(head, separator)?);
        Some(Layout { separator, column })
    });
    match wanted {
        None => clear.unwrap_or(Layout { separator: most_frequent(head), column: None }),
        Some(wanted) => {
            let separator = clear.map_or_else(|| most_frequent(head), |clear| clear.separator);
            let column = match wanted {
                Column::Number(number) => usize::from(*number).checked_sub(1),
                Column::Name(name) => named(head, separator, name),
            };
            Layout { separator, column }
        }
    }
}

/// The only column, of two or more, in which most rows have an entry.
fn only_column(head: &Head<'_>, separator: u8) -> Option<usize> {
    let mut splitter = Splitter::new(separator);
    let mut counts = [0_usize; COLUMNS_MAX];
    let mut rows = 0;
    for line in rows_of(head) {
        let fields = splitter.split(line);
        if fields.len() < 2 || rows == 0 && is_header(fields) {
            continue;
        }
        rows += 1;
        for (count, field) in counts.iter_mut().zip(fields.iter()) {
            *count += usize::from(entry(field).is_some());
        }
    }
    let mut holding = counts.iter().enumerate().filter(|&(_, &count)| count > 0);
    let (column, &count) = holding.next()?;
    let nobody = |line: &&[u8]| {
        let field = splitter.split(line).get(column).and_then(|field| parse_address(field).ok());
        field.is_some_and(|address| address.is_loopback() || address.is_unspecified())
    };
    if rows_of(head).filter(nobody).count() * 2 > rows {
        return None;
    }
    (holding.next().is_none() && count * 10 >= rows * 9).then_some(column)
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

/// The separator that stands in most lines.
fn most_frequent(head: &Head<'_>) -> u8 {
    let lines_with = |separator: &u8| rows_of(head).filter(|line| line.contains(separator)).count();
    // Of equally frequent ones, the first of the table.
    SEPARATORS.into_iter().rev().max_by_key(lines_with).unwrap_or(b',')
}

fn rows_of<'a>(head: &Head<'a>) -> impl Iterator<Item = &'a [u8]> {
    head.lines().filter(|line| !line.starts_with(b"#"))
}
