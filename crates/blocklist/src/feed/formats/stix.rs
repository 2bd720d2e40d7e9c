//! Bundles of STIX 2.1, and the objects of a TAXII collection: indicators whose
//! pattern is one comparison of an address. Source: STIX Version 2.1, sections
//! 4.7 (indicator) and 9 (patterns).
//!
//! * `[ipv4-addr:value = '192.0.2.1']`, with `ipv6-addr`, and with `ISSUBSET` for
//!   `=`, is an entry. Patterns of several comparisons or observations, with
//!   qualifiers, and about other things are ignored: they are about more than an
//!   address. So are objects of other types.
//! * Indicators that are `revoked`, or that an `indicator_types` calls `benign`,
//!   are ignored. One with `valid_until` is an entry until then; its time is over if
//!   that is no later than the latest `created`, `modified` or `valid_from` in the
//!   document, or than the moment at which it is read.
//! * `where` takes indicators by their fields: `where = ["confidence >= 80"]`.

use std::borrow::Cow;
use std::ops::ControlFlow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::detect::{Head, Likeness};
use super::super::json::{self, DocumentKind, Paths};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::{AnyRange, Entry, RejectReason, parse_entry};

/// The fields that matter.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    pattern: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pattern_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    valid_until: Option<Cow<'a, str>>,
    #[serde(default)]
    revoked: bool,
    #[serde(borrow, default)]
    indicator_types: Vec<Cow<'a, str>>,
}

/// Reads all indicators.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let written = latest(bytes);
    let paths = Paths::of(&["objects[]"]);
    let kind = DocumentKind::of(&paths, "a bundle of STIX 2.1 with `objects`");
    json::read(bytes, &kind, limits, visit, |_, raw, places, visit| {
        let line = places.line_of(raw.get());
        let Ok(object) = serde_json::from_str::<Object<'_>>(raw.get()) else {
            visit.reject(line, RejectReason::Foreign);
            return ControlFlow::Continue(());
        };
        let holds = object.kind == "indicator"
            && !object.revoked
            && object.pattern_type.as_deref().is_none_or(|kind| kind == "stix")
            && !object.indicator_types.iter().any(|kind| kind == "benign")
            && json::fits(&options.conditions, &[raw]);
        let compared = object.pattern.as_deref().filter(|_| holds).and_then(comparison);
        let Some((ipv6, address)) = compared else {
            visit.ignore(line);
            return ControlFlow::Continue(());
        };
        let entry = of_family(ipv6, address);
        let Some(until) = object.valid_until.as_deref() else { return visit.read(line, entry) };
        let end = until.parse::<Timestamp>().map_err(|_| RejectReason::Duration);
        match (end, entry) {
            (Err(reason), _) | (_, Err(reason)) => visit.read(line, Err(reason)),
            (Ok(end), Ok(_)) if written.is_some_and(|written| end <= written) => {
                visit.ended(line);
                ControlFlow::Continue(())
            }
            (Ok(end), Ok(entry)) => visit.until(line, entry, seconds(end)),
        }
    })
}

/// Sure if there are objects with patterns, or in a bundle.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let marks: [&[&str]; 3] =
        [&["objects[].pattern"], &["objects[].spec_version"], &["objects", "spec_version"]];
    if head.outline().has_any(&marks) { Likeness::Sure } else { Likeness::None }
}

/// The latest time of which the document says that something had been written.
fn latest(bytes: &[u8]) -> Option<Timestamp> {
    let document: &RawValue = serde_json::from_slice(lines::without_mark(bytes)).ok()?;
    let mut latest = None;
    let times = ["objects[].created", "objects[].modified", "objects[].valid_from"];
    let _ = json::each(document, &Paths::of(&times), |raw| {
        let time = json::text(raw).and_then(|time| time.parse().ok());
        latest = latest.max(time);
        ControlFlow::Continue(())
    });
    latest
}

/// Since 1970; what ended before ended then.
fn seconds(end: Timestamp) -> u64 {
    u64::try_from(end.as_second()).unwrap_or_default()
}

/// Whether an address of IPv6 is compared, and with what, if a pattern is that
/// and nothing else.
fn comparison(pattern: &str) -> Option<(bool, &str)> {
    let inner = pattern.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let (ipv6, rest) = match inner.strip_prefix("ipv4-addr:value") {
        Some(rest) => (false, rest),
        None => (true, inner.strip_prefix("ipv6-addr:value")?),
    };
    let rest = rest.trim_start();
    let value = rest.strip_prefix('=').or_else(|| rest.strip_prefix("ISSUBSET "))?;
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!value.contains('\'')).then_some((ipv6, value))
}

fn of_family(ipv6: bool, address: &str) -> Result<Entry, RejectReason> {
    let entry = parse_entry(address.as_bytes())?;
    match entry.range {
        AnyRange::V4(_) if ipv6 => Err(RejectReason::Families),
        AnyRange::V6(_) if !ipv6 => Err(RejectReason::Families),
        _ => Ok(entry),
    }
}
