//! MISP's events: one, several under `response`, or attributes alone as a search
//! gives them. Source: the MISP core format,
//! <https://www.misp-standard.org/rfc/misp-standard-core.html>.
//!
//! * An attribute of the type `ip-src` or `ip-dst` is an entry if it is `to_ids`:
//!   then whoever shares it means it to be acted upon. Those that are not, and
//!   those that are `deleted`, are ignored.
//! * `ip-src|port` and `ip-dst|port` are about a port, `domain|ip` about a name;
//!   they are ignored, as all other types are.
//! * `where` takes attributes by their fields: `where = ["type = ip-src"]`.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::detect::{Head, Likeness};
use super::super::json::{self, DocumentKind, Paths};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape};
use crate::RejectReason;

/// Where attributes stand.
const PATHS: [&str; 8] = [
    "Event.Attribute[]",
    "Event.Object[].Attribute[]",
    "response[].Event.Attribute[]",
    "response[].Event.Object[].Attribute[]",
    "[].Event.Attribute[]",
    "[].Event.Object[].Attribute[]",
    "response.Attribute[]",
    "Attribute[]",
];

/// The fields that matter.
#[derive(Deserialize)]
struct Attribute<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(default)]
    to_ids: bool,
    #[serde(default)]
    deleted: bool,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Reads all attributes.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    // An event without objects lacks nothing.
    let paths = Paths::of(&PATHS).sparse();
    let kind = DocumentKind::of(&paths, "an event of MISP with attributes");
    json::read(bytes, &kind, limits, visit, |_, raw, places, visit| {
        let line = places.line_of(raw.get());
        let Ok(attribute) = serde_json::from_str::<Attribute<'_>>(raw.get()) else {
            visit.reject(line, RejectReason::Foreign);
            return ControlFlow::Continue(());
        };
        let address = matches!(&*attribute.kind, "ip-src" | "ip-dst");
        let acted = attribute.to_ids && !attribute.deleted;
        let counts = address && acted && json::fits(&options.conditions, &[raw]);
        let line = places.line_of(attribute.value.get());
        visit.read_unless(!counts, line, || json::address(attribute.value))
    })
}

/// Sure if there is an event, or attributes that say whether to act on them.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let marks: [&[&str]; 6] = [
        &["Event.Attribute"],
        &["Event.info"],
        &["response[].Event"],
        &["[].Event.info"],
        &["response.Attribute[].to_ids"],
        &["Attribute[].to_ids"],
    ];
    if head.outline().has_any(&marks) { Likeness::Sure } else { Likeness::None }
}
