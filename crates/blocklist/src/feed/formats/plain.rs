//! The plain format: one entry a line, with comments.
//!
//! * `#` and `;` begin a comment wherever they stand, `//` at the beginning of
//!   a line or after a blank: no entry contains them.
//! * Everything else on a line is one entry in a form of
//!   [`parse_entry`], or the line is rejected.

use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, Why, bare, lines, structure, text};
use crate::{RejectReason, parse_entry};

/// Sure from the first half of all lines on: what is mostly a plain list is
/// never taken for something else.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let entries = |line: &&[u8]| parse_entry(text::trim(without_comment(line))).is_ok();
    let says_something = |line: &&[u8]| !text::trim(without_comment(line)).is_empty();
    let all = head.lines().filter(says_something).count();
    if head.lines().filter(entries).count() * 2 >= all.max(1) {
        Likeness::Sure
    } else {
        Likeness::None
    }
}

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let (mut rest, mut shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let short_way = limits.line_bytes_max >= bare::WINDOW;
    while !rest.is_empty() {
        shape.lines += 1;
        let number = shape.lines;
        let line = |bytes: usize| Line::At { number, text: &rest[..bytes] };
        let (flow, taken) = if let Some(bare) = bare::ipv4(rest).filter(|_| short_way) {
            (visit.prefix(line(bare.bytes), bare.prefix.into(), bare.masked), bare.bytes)
        } else if let Some(bare) = bare::ipv6(rest).filter(|_| short_way) {
            (visit.prefix(line(bare.bytes), bare.prefix.into(), bare.masked), bare.bytes)
        } else {
            let (text, taken) = lines::first(rest);
            (long_way(Line::At { number, text }, limits, visit, &mut shape), taken)
        };
        if flow.is_break() {
            shape.over_entries_max = true;
            break;
        }
        rest = &rest[taken..];
    }
    shape
}

/// Reads one line of any kind.
fn long_way(
    line: Line<'_>,
    limits: &Limits,
    visit: &mut impl Visit,
    shape: &mut Shape,
) -> ControlFlow<()> {
    let Some(said) = lines::said(line, limits, visit, shape) else {
        return ControlFlow::Continue(());
    };
    let entry = text::trim(without_comment(said));
    if entry.is_empty() {
        shape.blank += 1;
        return ControlFlow::Continue(());
    }
    match parse_entry(entry) {
        Ok(read) => {
            if let Some(why) = fields(&said[entry.len()..]) {
                visit.doubt(line, why);
            }
            visit.entry(line, read)
        }
        Err(reason) => {
            if let Some(what) = structure::of(entry) {
                visit.doubt(line, Why::Structure(what));
            }
            visit.read(line, Err(blame(entry, reason)))
        }
    }
}

/// Why what stands behind an entry may be something else than a comment: fields
/// between semicolons, unless a blank before the first of them tells a comment.
fn fields(behind: &[u8]) -> Option<Why> {
    let behind = behind.strip_prefix(b";")?;
    (!text::trim(behind).is_empty()).then_some(Why::Structure("fields stand between semicolons"))
}

/// The line up to its comment.
fn without_comment(line: &[u8]) -> &[u8] {
    let end = memchr::memchr2(b'#', b';', line).unwrap_or(line.len());
    let slashes = memchr::memchr_iter(b'/', &line[..end]).find(|&at| {
        let begins = at == 0 || line[at - 1].is_ascii_whitespace();
        begins && line[at + 1..].starts_with(b"/")
    });
    &line[..slashes.unwrap_or(end)]
}

/// If the first word alone would have been an entry, it is the rest that is
/// wrong; unless that is the end of a range, which may have blanks before it.
fn blame(text: &[u8], reason: RejectReason) -> RejectReason {
    match text.iter().position(u8::is_ascii_whitespace) {
        _ if matches!(reason, RejectReason::Reversed | RejectReason::Families) => reason,
        Some(end) if parse_entry(&text[..end]).is_ok() => RejectReason::Trailing,
        _ => reason,
    }
}
