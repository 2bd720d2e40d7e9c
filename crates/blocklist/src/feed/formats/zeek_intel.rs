//! Files of Zeek's intelligence framework: columns with tabs between them, named
//! in a line `#fields indicator indicator_type …`. Source: the Zeek book,
//! "Intelligence Framework".
//!
//! * `Intel::ADDR` is an entry that is one address, `Intel::SUBNET` one that is a
//!   prefix. Indicators of all other types are ignored.
//! * `where` takes rows by any of the columns, by name: `where = ["meta.source =
//!   example"]`. Other lines with `#` are comments.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines, text};
use crate::{AnyPrefix, Entry, RejectReason, parse_address, parse_entry};

/// What the line with the names begins with.
const FIELDS: &[u8] = b"#fields\t";

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut names: Vec<&[u8]> = Vec::new();
    lines::each(bytes, limits, b"", visit, |line, said, visit| {
        if let Some(fields) = said.strip_prefix(FIELDS) {
            names = fields.split(|&byte| byte == b'\t').map(text::trim).collect();
        }
        let values: Vec<&[u8]> = said.split(|&byte| byte == b'\t').map(text::trim).collect();
        let at = |name: &[u8]| {
            let place = names.iter().position(|known| *known == name)?;
            values.get(place).copied()
        };
        let fits = options.conditions.iter().all(|condition| {
            let value = at(condition.field().as_bytes()).filter(|&value| value != b"-");
            condition.fits(value.map(String::from_utf8_lossy).as_deref())
        });
        let kind = at(b"indicator_type");
        let other = !matches!(kind, None | Some(b"Intel::ADDR" | b"Intel::SUBNET"));
        visit.read_unless(said[0] == b'#' || other || !fits, line, || {
            let indicator = at(b"indicator").zip(kind).ok_or(RejectReason::MissingField)?;
            if indicator.1 == b"Intel::SUBNET" {
                return parse_entry(indicator.0);
            }
            let address = parse_address(indicator.0)?;
            Ok(Entry { range: AnyPrefix::host(address).into(), masked: false })
        })
    })
}

/// Sure if the line with the names has those of this framework.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let named = |line: &[u8]| {
        let names = line.strip_prefix(FIELDS).unwrap_or_default();
        let has = |name: &[u8]| names.split(|&byte| byte == b'\t').any(|known| known == name);
        has(b"indicator") && has(b"indicator_type")
    };
    if head.lines().any(named) { Likeness::Sure } else { Likeness::None }
}
