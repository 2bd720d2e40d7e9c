//! Geofeeds, RFC 8805: a prefix or address, and where it is, as comma-separated
//! values: `192.0.2.0/24,ZZ,ZZ-01,City,`. `#` begins a line of comment. Where
//! the addresses are says nothing of whom to block: `countries` does, by the
//! second field. An address is where the longest prefix that holds it is.

use std::ops::ControlFlow;

use super::super::asked::{CountryTable, Where};
use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::longest::LongestMatch;
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{Entry, RejectReason, parse_entry};

/// A host of servers publishes all that is its own so.
const TABLE: CountryTable = CountryTable { what: "a geofeed", whole: true };

/// The fields by the names that the RFC has for them, section 2.1.1.
const FIELDS: [&[&str]; 5] = [
    &["prefix", "ip_prefix"],
    &["country", "alpha2code", "cc"],
    &["region"],
    &["city"],
    &["postal_code"],
];

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let rows = Where::new(options, |name| FIELDS.iter().position(|names| names.contains(&name)));
    let mut longest = LongestMatch::default();
    let mut shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let entry = match entry(fields) {
            Ok(entry) => entry,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        if rows.leave_out(line, |at| fields.get(at), visit) {
            return ControlFlow::Continue(());
        }
        if TABLE.leave_out(options, fields.get(1).unwrap_or_default(), line, visit) {
            longest.leave_out(entry.range, line);
            return ControlFlow::Continue(());
        }
        longest.take(entry.range);
        visit.entry(line, entry)
    });
    shape.over_entries_max |= longest.finish(visit).is_break();
    shape
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
