//! The CSV files of MaxMind's GeoIP2 and GeoLite2 databases: a header that
//! begins with `network`, then a prefix in the first field of every row.
//! Source: <https://dev.maxmind.com/geoip/docs/databases>. What the other
//! fields refer to stands in other files, so that all rows are read.

use super::super::csv::Splitter;
use super::super::detect::{Head, Likeness};
use super::super::verdict::{blocks, is_deciding};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, Why, lines};
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
    let mut flags: Vec<(usize, String)> = Vec::new();
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let network = fields.get(0);
        if network == Some(HEADER) {
            let named = fields.iter().enumerate().filter(|(_, name)| is_deciding(name));
            flags = named.map(|(at, name)| (at, String::from_utf8_lossy(name).into())).collect();
        } else if let Some((_, name)) =
            flags.iter().find(|(at, _)| fields.get(*at).is_none_or(|flag| !blocks(flag)))
        {
            let (field, example) = (format!("column `{name}`"), format!("{name} = 1"));
            visit.doubt(line, Why::Verdict { field, value: "0".to_owned(), example });
        }
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
