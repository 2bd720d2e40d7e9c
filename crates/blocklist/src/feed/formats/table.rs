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
//! A list in which every line is one quoted entry is a table of one column.
//!
//! Files for `/etc/hosts` look like tables, but their addresses are not meant;
//! so a column that is mostly `0.0.0.0` and loopback is not one of addresses.

mod columns;
mod doubts;
mod layout;
mod rows;
mod undoubted;

use std::ops::ControlFlow;

use super::super::csv::Splitter;
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, text};
use crate::RejectReason;

pub(in super::super) use columns::{is_address_column, is_part_of_address};
use doubts::Doubts;
pub(in super::super) use doubts::row;
pub(in super::super) use layout::named;
use layout::{SEPARATORS, holders, is_header, is_name, layout, names};
use rows::Rows;

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let head = Head::of(bytes);
    let layout = layout(&head, options.column.as_ref(), options.decide_rows());
    let rows = Rows::new(&head, layout.separator, options);
    let mut doubts = options.column.is_none().then(|| {
        let doubts = Doubts::new(layout.column, &names(&head, layout.separator));
        if options.say_which_rows() { doubts.about_columns(rows.asked().collect()) } else { doubts }
    });
    let mut splitter = Splitter::new(layout.separator);
    let mut may_be_header = true;
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let header = std::mem::take(&mut may_be_header)
            && is_header(fields)
            && fields.get(layout.column.unwrap_or_default()).is_some_and(is_name);
        if let Some(doubts) = doubts.as_mut().filter(|_| !header)
            && let Some(why) = doubts.about(fields)
        {
            visit.doubt(line, why);
        }
        if !header && rows.leave_out(fields, line, visit) {
            return ControlFlow::Continue(());
        }
        visit.read_unless(header, line, || {
            rows.entry(fields, layout.column.ok_or(RejectReason::NoColumn)?)
        })
    })
}

/// Whether the first row names columns between semicolons, one of them that of
/// the addresses: then what stands behind an address is no comment.
pub(in super::super) fn is_headed_by_semicolons(head: &Head<'_>) -> bool {
    // To take rows apart is dear, and almost no list has a semicolon.
    if !head.lines().any(|line| line.contains(&b';')) {
        return false;
    }
    let names = names(head, b';');
    names.len() > 1 && names.iter().any(|name| is_address_column(name))
}

/// Perhaps, if one of several columns holds addresses, or more than one: then
/// the rejects say what to configure. All formats that look more closely go
/// before. JSON written over many lines may look like a
/// table, but what it means stands around the lines.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if matches!(text::trim(head.text), [b'{' | b'[' | b'<', ..]) {
        return Likeness::None;
    }
    if layout::is_quoted_list(head) {
        return Likeness::Sure;
    }
    let holding = SEPARATORS.iter().any(|&separator| holders(head, separator).next().is_some());
    if holding { Likeness::Maybe } else { Likeness::None }
}
