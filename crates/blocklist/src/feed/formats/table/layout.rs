//! Where in a table the addresses are: the separator, the column, the header.
//! Knows the beginning of a file, and no more of it.

use super::super::super::Column;
use super::super::super::csv::{Fields, Splitter};
use super::super::super::detect::Head;
use crate::{parse_address, parse_entry};

pub(super) const SEPARATORS: [u8; 4] = [b'\t', b',', b';', b'|'];
/// How many columns are looked at to find the one with the addresses.
const COLUMNS_MAX: usize = 64;

/// Where the addresses of a table are.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub separator: u8,
    /// From 0. `None` if it is not clear.
    pub column: Option<usize>,
}

/// Whether this may be a row of names: nothing in it is an address.
pub(super) fn is_header(fields: Fields<'_>) -> bool {
    !fields.iter().any(is_entry)
}

/// Whether a field begins as a name does.
pub(super) fn is_name(field: &[u8]) -> bool {
    field.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_')
}

pub(super) fn is_entry(field: &[u8]) -> bool {
    parse_entry(field).is_ok()
}

/// The layout in which there are addresses, in the configured column or else in
/// only one.
pub(super) fn layout(head: &Head<'_>, wanted: Option<&Column>) -> Layout {
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
pub(super) fn holders(head: &Head<'_>, separator: u8) -> impl Iterator<Item = usize> {
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
pub(super) fn named(head: &Head<'_>, separator: u8, name: &str) -> Option<usize> {
    let mut splitter = Splitter::new(separator);
    let mut find =
        |line: &[u8]| splitter.split(line).iter().position(|field| field == name.as_bytes());
    find(first_row(head)?).or_else(|| find(comment_above(head)?))
}

fn first_row<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    rows_of(head).next()
}

/// The last comment before the first row, without its mark.
fn comment_above<'a>(head: &Head<'a>) -> Option<&'a [u8]> {
    let comment = head.lines().take_while(|line| line.starts_with(b"#")).last()?;
    comment.trim_ascii_start().strip_prefix(b"#")
}

/// The names of all columns, as the first row or the comment above it has them.
pub(super) fn names(head: &Head<'_>, separator: u8) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::new(separator);
    let mut of = |line: &[u8]| -> Vec<Vec<u8>> {
        let fields = splitter.split(line);
        let named =
            is_header(fields) && fields.iter().all(|field| is_name(field) || field.is_empty());
        if named { fields.iter().map(<[u8]>::to_vec).collect() } else { Vec::new() }
    };
    let Some(first) = first_row(head) else { return Vec::new() };
    let names = of(first);
    if !names.is_empty() {
        return names;
    }
    let width = Splitter::new(separator).split(first).len();
    comment_above(head).map(of).filter(|names| names.len() == width).unwrap_or_default()
}

fn rows_of<'a>(head: &Head<'a>) -> impl Iterator<Item = &'a [u8]> {
    head.lines().filter(|line| !line.starts_with(b"#"))
}
