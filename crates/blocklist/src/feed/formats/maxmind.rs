//! The CSV files of MaxMind's GeoIP2 and GeoLite2 databases: a header that
//! begins with `network`, then a prefix in the first field of every row.
//! Source: <https://dev.maxmind.com/geoip/docs/databases>. What the other
//! fields refer to stands in other files, so that all rows are read.

use super::super::csv::Splitter;
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{RejectReason, parse_entry};

const HEADER: &[u8] = b"network";

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let network = splitter.split(said).get(0);
        visit.read_unless(network == Some(HEADER), line, || {
            parse_entry(network.ok_or(RejectReason::MissingField)?)
        })
    })
}

/// Sure if the header is there and most rows after it begin with a prefix.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut splitter = Splitter::new(b',');
    let mut first = |line: &[u8]| splitter.split(line).get(0) == Some(HEADER);
    if !head.lines().next().is_some_and(|line| first(line) && line.contains(&b',')) {
        return Likeness::None;
    }
    head.most_rows(b',', |fields| {
        let network = fields.get(0).unwrap_or_default();
        network == HEADER || network.contains(&b'/') && parse_entry(network).is_ok()
    })
}
