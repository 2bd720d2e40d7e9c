//! Geofeeds, RFC 8805: a prefix or address, and where it is, as comma-separated
//! values: `192.0.2.0/24,ZZ,ZZ-01,City,`. `#` begins a line of comment. Only
//! the first field is read.

use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{Entry, RejectReason, parse_entry};

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        visit.read(line, entry(splitter.split(said)))
    })
}

/// Sure if there is a country, or nothing, in most second fields, and a region
/// of it, or nothing, in the third (RFC 8805, section 2.1.1).
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most_rows(b',', |fields| {
        let country = fields.get(1).unwrap_or_default();
        let region = fields.get(2).unwrap_or_default();
        let known = matches!(country, [] | [_, _]) && country.iter().all(u8::is_ascii_alphabetic);
        let inside = region.is_empty()
            || region.get(..2).is_some_and(|begin| begin.eq_ignore_ascii_case(country))
                && region.get(2) == Some(&b'-');
        (3..=6).contains(&fields.len()) && known && inside && entry(fields).is_ok()
    })
}

fn entry(fields: Fields<'_>) -> Result<Entry, RejectReason> {
    let prefix = fields.get(0).filter(|field| !field.is_empty());
    let entry = parse_entry(prefix.ok_or(RejectReason::MissingField)?)?;
    // A range has no place here.
    entry.range.as_prefix().map(|_| entry).ok_or(RejectReason::Foreign)
}
