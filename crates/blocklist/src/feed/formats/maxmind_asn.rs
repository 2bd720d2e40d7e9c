//! MaxMind's `GeoLite2-ASN-Blocks-IPv4.csv` and its like: a header, then a
//! prefix, the network that has it, and that one's name. Source:
//! <https://dev.maxmind.com/geoip/docs/databases/asn>.
//!
//! * `192.0.2.0/24,64496,"Example, Inc."`, under
//!   `network,autonomous_system_number,autonomous_system_organization`.
//! * They say to whom addresses belong, not whom to block: `asns` and `asn-feed`
//!   do.
//! * `#` begins a line of comment.

use std::ops::ControlFlow;

use super::super::asked::{Where, leave_out_networks};
use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, network};
use crate::{Entry, RejectReason, parse_entry};

const NETWORK: &[u8] = b"network";
const NUMBER: &[u8] = b"autonomous_system_number";

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let head = Head::of(bytes);
    let rows = Where::new(options, |name| super::table::named(&head, b',', name));
    let mut columns = None;
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        if let Some(found) = header(fields) {
            columns = Some(found);
            visit.ignore(line);
            return ControlFlow::Continue(());
        }
        let (entry, number) = match row(fields, columns) {
            Ok(row) => row,
            Err(reason) => return visit.read(line, Err(reason)),
        };
        let what = "a table of who has prefixes";
        if rows.leave_out(line, |at| fields.get(at), visit)
            || leave_out_networks(options, what, std::iter::once(number), line, visit)
        {
            return ControlFlow::Continue(());
        }
        visit.entry(line, entry)
    })
}

/// Sure if the first row is such a header.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut splitter = Splitter::new(b',');
    let first = head.lines().find(|line| !line.starts_with(b"#"));
    match first {
        Some(line) if header(splitter.split(line)).is_some() => Likeness::Sure,
        _ => Likeness::None,
    }
}

/// Where the prefix and the number of the network stand.
#[derive(Clone, Copy)]
struct Columns {
    network: usize,
    number: usize,
}

fn header(fields: Fields<'_>) -> Option<Columns> {
    let named = |name: &[u8]| fields.iter().position(|field| field == name);
    Some(Columns { network: named(NETWORK)?, number: named(NUMBER)? })
}

fn row(fields: Fields<'_>, columns: Option<Columns>) -> Result<(Entry, u32), RejectReason> {
    let Columns { network, number } = columns.ok_or(RejectReason::Foreign)?;
    let prefix = fields.get(network).ok_or(RejectReason::MissingField)?;
    let entry = parse_entry(prefix)?;
    // A range has no place here.
    entry.range.as_prefix().ok_or(RejectReason::Foreign)?;
    let number = fields.get(number).ok_or(RejectReason::MissingField)?;
    Ok((entry, network::number(number).ok_or(RejectReason::Number)?))
}
