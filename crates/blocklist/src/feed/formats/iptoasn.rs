//! Ranges and the networks that announce them, with tabs between first address,
//! last address, network, its country and its description:
//! `1.0.0.0<TAB>1.0.0.255<TAB>13335<TAB>US<TAB>CLOUDFLARENET`. Source:
//! <https://iptoasn.com>, `ip2asn-v4.tsv`, `ip2asn-v6.tsv`, `ip2asn-combined.tsv`.
//!
//! * Ranges that nobody announces have the network 0 and are ignored.
//! * They say who announces addresses, not whom to block: `asns` and `asn-feed`
//!   do.
//! * `#` begins a line of comment.

use std::ops::ControlFlow;

use super::super::asked::{Where, leave_out_networks};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, network};
use crate::token::range_entry;
use crate::{Entry, RejectReason, parse_address};

const FIELDS: [&[&str]; 5] = [
    &["range_start", "start"],
    &["range_end", "end"],
    &["AS_number", "asn"],
    &["country_code", "country"],
    &["AS_description", "description"],
];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let rows = Where::new(options, |name| FIELDS.iter().position(|names| names.contains(&name)));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let (entry, number) = match row(said) {
            Ok(row) => row,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        if number == 0 {
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        let what = "a table of who announces ranges";
        if rows.leave_out(line, |at| fields(said).nth(at), visit)
            || leave_out_networks(options, what, std::iter::once(number), line, visit)
        {
            return ControlFlow::Continue(());
        }
        visit.entry(line, entry)
    })
}

/// Sure if most lines are such ranges.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    match head.most(b"#", |line| row(line).is_ok()) {
        Likeness::Sure => Likeness::Sure,
        _ => Likeness::None,
    }
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| byte == b'\t').map(<[u8]>::trim_ascii)
}

fn row(line: &[u8]) -> Result<(Entry, u32), RejectReason> {
    let mut fields = fields(line);
    let mut field = || fields.next().ok_or(RejectReason::MissingField);
    let (first, last, number) = (field()?, field()?, field()?);
    let entry = range_entry(parse_address(first)?, parse_address(last)?)?;
    let number = network::number(number).ok_or(RejectReason::Number)?;
    // A country and a description: other tables have other things there.
    let (country, description) = (field()?, fields.next());
    let known = matches!(country, [] | [_, _] | b"None" | b"Unknown");
    if known && description.is_some() { Ok((entry, number)) } else { Err(RejectReason::Foreign) }
}
