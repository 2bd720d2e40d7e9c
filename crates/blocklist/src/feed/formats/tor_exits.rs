//! Tor's list of exit addresses: four lines a node, of which those that begin
//! with `ExitAddress` have an address and when it was seen. The keywords of the
//! others are `ExitNode`, `Published` and `LastStatus`. Source:
//! <https://metrics.torproject.org/collector.html#type-tordnsel>, version 1.0,
//! whose downloads have lines beginning with `@type` and `Downloaded` before.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{AnyPrefix, Entry, RejectReason, parse_address};

const KEYWORD: &[u8] = b"ExitAddress";
const OTHERS: [&[u8]; 5] = [b"ExitNode", b"Published", b"LastStatus", b"Downloaded", b"@type"];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let mut words = said.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default();
        visit.read_unless(OTHERS.contains(&keyword), line, || {
            if keyword != KEYWORD {
                return Err(RejectReason::Foreign);
            }
            let address = parse_address(words.next().ok_or(RejectReason::MissingField)?)?;
            Ok(Entry { range: AnyPrefix::host(address).into(), masked: false })
        })
    })
}

/// Sure if most lines begin with one of the keywords.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| {
        let keyword = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        keyword == KEYWORD || OTHERS.contains(&keyword)
    })
}
