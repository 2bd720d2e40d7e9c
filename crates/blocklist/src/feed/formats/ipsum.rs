//! ipsum: addresses with the number of lists that each is on, a tab between
//! them, `203.0.113.5<TAB>7`. `#` begins a line of comment. Source:
//! <https://github.com/stamparm/ipsum>.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{Entry, RejectReason, parse_entry};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    lines::each(bytes, limits, b"#", visit, |line, said, visit| visit.read(line, entry(said)))
}

/// Sure if there is a number behind most entries.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| entry(line).is_ok())
}

fn entry(line: &[u8]) -> Result<Entry, RejectReason> {
    let blank = memchr::memchr2(b'\t', b' ', line).ok_or(RejectReason::MissingField)?;
    let (entry, count) = (&line[..blank], line[blank..].trim_ascii_start());
    let entry = parse_entry(entry)?;
    if count.iter().all(u8::is_ascii_digit) { Ok(entry) } else { Err(RejectReason::Trailing) }
}
