//! CrowdSec's decisions as JSON, in all forms in which they leave it:
//!
//! * the stream for bouncers, `{"new": […], "deleted": […]}`, where either may
//!   be `null`; what is deleted counts as ignored. Source:
//!   <https://docs.crowdsec.net/docs/local_api/bouncers>
//! * `cscli decisions list -o json`, alerts with their `decisions` in them
//! * decisions alone, `[{"scope": "Ip", "value": "192.0.2.1", …}]`, as
//!   `/v1/decisions` answers and `cscli decisions import` takes them
//!
//! Only a `ban` of an `Ip` or `Range` is an entry; both are what a decision has
//! that does not say. Other types and scopes, simulated decisions and those
//! whose `duration` is over count as ignored. A duration is what remained of
//! it when the feed was written; a decision without one is for ever.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::detect::{Head, Likeness};
use super::super::json::{self, DocumentKind, Paths};
use super::super::places::Places;
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, duration, text};
use crate::{RejectReason, parse_entry};

/// The paths by number; [`DELETED`] is one of them.
const PATHS: [&str; 3] = ["new[]", "deleted[]", "[]"];
const DELETED: usize = 1;

/// A decision, or an alert with decisions.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    decisions: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    duration: Option<&'a RawValue>,
    simulated: Option<bool>,
}

/// What is said of one decision, in whatever form.
#[derive(Default)]
pub(super) struct CrowdsecDecision<'a> {
    pub kind: Option<Cow<'a, str>>,
    pub scope: Option<Cow<'a, str>>,
    pub value: Option<Cow<'a, str>>,
    pub duration: Option<Cow<'a, str>>,
    pub simulated: bool,
}

/// Reads all decisions.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let paths = Paths::of(&PATHS);
    let kind = DocumentKind::of(&paths, "CrowdSec's decisions or alerts");
    let decisions = Paths::of(&["[]"]);
    json::read(bytes, &kind, limits, visit, |path, raw, places, visit| {
        if path == DELETED {
            visit.ignore(places.line_of(raw.get()));
            return ControlFlow::Continue(());
        }
        match serde_json::from_str(raw.get()) {
            Ok(Record { decisions: Some(inner), .. }) => {
                json::each(inner, &decisions, |one| decision(&[raw, one], options, places, visit))
            }
            _ => decision(&[raw], options, places, visit),
        }
    })
}

/// Sure if there are decisions, or alerts, or the stream with nothing in it.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let marks: [&[&str]; 6] = [
        &["new", "deleted"],
        &["new[].value", "new[].scope"],
        &["deleted[].value", "deleted[].scope"],
        &["[].decisions[].value"],
        &["[].decisions", "[].scenario"],
        &["[].value", "[].scope"],
    ];
    if head.outline().has_any(&marks) { Likeness::Sure } else { Likeness::None }
}

/// A decision, the last of these, within others, if it is asked for.
fn decision<'de, V: Visit>(
    around: &[&'de RawValue],
    options: &Options,
    places: &Places<'de>,
    visit: &mut V,
) -> ControlFlow<()> {
    let Some(&raw) = around.last() else { return ControlFlow::Continue(()) };
    if !json::fits(&options.conditions, around) {
        visit.left_out(places.line_of(raw.get()));
        return ControlFlow::Continue(());
    }
    one(raw, serde_json::from_str(raw.get()).ok(), places, visit)
}

fn one<'de, V: Visit>(
    raw: &'de RawValue,
    record: Option<Record<'de>>,
    places: &Places<'de>,
    visit: &mut V,
) -> ControlFlow<()> {
    let Some(record) = record else {
        visit.reject(places.line_of(raw.get()), RejectReason::Foreign);
        return ControlFlow::Continue(());
    };
    // What is there and no text is not what is expected there.
    let text = |field: Option<&'de RawValue>| {
        field.map(|raw| json::text(raw).unwrap_or(Cow::Borrowed(raw.get())))
    };
    let line = places.line_of(record.value.unwrap_or(raw).get());
    decide(
        line,
        visit,
        &CrowdsecDecision {
            kind: text(record.kind),
            scope: text(record.scope),
            value: text(record.value),
            duration: text(record.duration),
            simulated: record.simulated.unwrap_or(false),
        },
    )
}

/// Says what a decision means.
pub(super) fn decide(
    line: Line<'_>,
    visit: &mut impl Visit,
    decision: &CrowdsecDecision<'_>,
) -> ControlFlow<()> {
    let is = |field: &Option<Cow<'_, str>>, one_of: &[&str]| {
        field.as_deref().is_none_or(|found| one_of.iter().any(|o| o.eq_ignore_ascii_case(found)))
    };
    let bans = is(&decision.kind, &["ban"]) && is(&decision.scope, &["ip", "range"]);
    if !bans || decision.simulated {
        visit.ignore(line);
        return ControlFlow::Continue(());
    }
    let seconds = decision.duration.as_deref().map(duration::seconds);
    let value = decision.value.as_deref().ok_or(RejectReason::MissingField);
    match (seconds, value.and_then(|value| parse_entry(text::trim(value.as_bytes())))) {
        (_, Err(reason)) | (Some(Err(reason)), _) => visit.read(line, Err(reason)),
        (Some(Ok(0)), Ok(_)) => {
            visit.ended(line);
            ControlFlow::Continue(())
        }
        (Some(Ok(seconds)), Ok(entry)) => visit.lasting(line, entry, seconds),
        (None, Ok(entry)) => visit.entry(line, entry),
    }
}
