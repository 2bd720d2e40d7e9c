//! Prefixes and the networks that announce them, as CAIDA makes them of what
//! `RouteViews` sees: `1.0.0.0<TAB>24<TAB>13335`. Source:
//! <https://publicdata.caida.org/datasets/routing/routeviews-prefix2as/README.txt>.
//!
//! * The first field is an address, the second the length of the prefix, the
//!   third the network. `_` stands between several networks that announce the
//!   prefix, and `,` between those of an AS set, with or without braces around.
//! * They say who announces addresses, not whom to block: `asns` and `asn-feed`
//!   do. A prefix of several networks counts if all of these do. A longer prefix
//!   inside of one belongs to whom it says, as routers have it.
//! * `#` begins a line of comment.

use std::ops::ControlFlow;

use super::super::asked::{Where, leave_out_networks};
use super::super::detect::{Head, Likeness};
use super::super::longest::LongestMatch;
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, network};
use crate::{Entry, RejectReason, parse_address, parse_entry};

const FIELDS: [&[&str]; 3] = [&["prefix", "address"], &["length"], &["asn", "as"]];

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let rows = Where::new(options, |name| FIELDS.iter().position(|names| names.contains(&name)));
    let mut longest = LongestMatch::default();
    let mut shape = lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let Row { entry, origins } = match row(said) {
            Ok(row) => row,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        let what = "a table of who announces prefixes";
        if rows.leave_out(line, |at| fields(said).nth(at), visit) {
            return ControlFlow::Continue(());
        }
        if leave_out_networks(options, what, numbers(origins).flatten(), line, visit) {
            longest.leave_out(entry.range, line);
            return ControlFlow::Continue(());
        }
        longest.take(entry.range);
        visit.entry(line, entry)
    });
    shape.over_entries_max |= longest.finish(visit).is_break();
    shape
}

/// Sure if most lines are such prefixes.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    match head.most(b"#", |line| line.contains(&b'\t') && row(line).is_ok()) {
        Likeness::Sure => Likeness::Sure,
        _ => Likeness::None,
    }
}

/// What one line says.
struct Row<'a> {
    entry: Entry,
    origins: &'a [u8],
}

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

fn row(line: &[u8]) -> Result<Row<'_>, RejectReason> {
    let mut fields = fields(line);
    let mut field = || fields.next().ok_or(RejectReason::MissingField);
    let (address, length, origins) = (field()?, field()?, field()?);
    parse_address(address)?;
    if !length.iter().all(u8::is_ascii_digit) {
        return Err(RejectReason::Number);
    }
    let entry = parse_entry(&[address, b"/", length].concat())?;
    let known = numbers(origins).all(|number| number.is_some());
    match (fields.next(), known) {
        (None, true) => Ok(Row { entry, origins }),
        (None, false) => Err(RejectReason::Number),
        (Some(_), _) => Err(RejectReason::Trailing),
    }
}

/// The networks, each with what stands between two of them taken away.
fn numbers(origins: &[u8]) -> impl Iterator<Item = Option<u32>> {
    let marks = |byte: &u8| b"_,".contains(byte);
    origins.split(marks).map(|origin| {
        let origin = origin.strip_prefix(b"{").unwrap_or(origin);
        network::number(origin.strip_suffix(b"}").unwrap_or(origin))
    })
}
