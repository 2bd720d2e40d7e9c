//! Sets of nftables as `nft -j list set` and `nft -j list ruleset` print them.
//! Source: libnftables-json(5).
//!
//! `{"nftables": [{"set": {"type": "ipv4_addr", "elem": […]}}, …]}`, with sets
//! and elements also behind `add` or `create`. An element is an address, a
//! `prefix` of `addr` and `len`, a `range` of first and last, or an `elem` with
//! one of them as `val`, and with `expires` (what remains) or `timeout` (the
//! whole of it), in seconds, if it is not for ever.
//!
//! With rules, they decide, as they do in the text of the same ruleset. Without,
//! all sets of addresses are read, and all else is ignored: tables, maps, sets of
//! other types. Several sets of which the names do not say that all of them
//! block are in doubt until `select` names some.

mod rules;

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::detect::{Head, Likeness};
use super::super::json::{self, DocumentKind, Paths};
use super::super::places::Places;
use super::super::verdict::is_welcoming;
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, Why};
use crate::{Entry, RejectReason, parse_entry};

/// More sets than that are not told apart.
const SETS_MAX: usize = 1_000;

/// One of the objects under `nftables`.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(borrow)]
    set: Option<Set<'a>>,
    #[serde(borrow)]
    element: Option<Set<'a>>,
    #[serde(borrow)]
    add: Option<Added<'a>>,
    #[serde(borrow)]
    create: Option<Added<'a>>,
}

/// What a command adds.
#[derive(Deserialize)]
struct Added<'a> {
    #[serde(borrow)]
    set: Option<Set<'a>>,
    #[serde(borrow)]
    element: Option<Set<'a>>,
}

#[derive(Deserialize)]
struct Set<'a> {
    name: Option<String>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    elem: Option<&'a RawValue>,
}

/// What an element may be that is no string.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Element<'a> {
    Prefix {
        addr: String,
        len: u32,
    },
    Range(String, String),
    Elem {
        #[serde(borrow)]
        val: &'a RawValue,
        timeout: Option<u64>,
        expires: Option<u64>,
    },
}

/// Reads the elements of all sets of addresses.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    if options.select.is_empty()
        && let Some(shape) = rules::read(bytes, limits, visit)
    {
        return shape;
    }
    let mut counts: HashMap<Vec<u8>, u64> = HashMap::new();
    let paths = Paths::of(&["nftables[]"]);
    let kind = DocumentKind::of(&paths, "what `nft -j list` prints");
    let elements = Paths::of(&["[]"]);
    json::read(bytes, &kind, limits, visit, |_, raw, places, visit| {
        let Ok(object) = serde_json::from_str::<Object<'_>>(raw.get()) else {
            visit.reject(places.line_of(raw.get()), RejectReason::Foreign);
            return ControlFlow::Continue(());
        };
        let Some(set) = object.into_set() else {
            visit.ignore(places.line_of(raw.get()));
            return ControlFlow::Continue(());
        };
        let name = set.name.unwrap_or_default();
        if !options.selects(name.as_bytes()) {
            visit.ignore(places.line_of(raw.get()));
            return ControlFlow::Continue(());
        }
        let welcome = options.select.is_empty() && is_welcoming(name.as_bytes());
        if options.select.is_empty() && set.elem.is_some() {
            *counts.entry(name.into_bytes()).or_default() += 1;
            let named = counts.iter().map(|(name, &count)| (&name[..], count));
            if let Some(why) = Why::sets(named).filter(|_| counts.len() < SETS_MAX) {
                visit.doubt(places.line_of(raw.get()), why);
            }
        }
        set.elem.map_or(ControlFlow::Continue(()), |elem| {
            json::each(elem, &elements, |raw| element(raw, welcome, places, visit))
        })
    })
}

/// Sure from its one key on.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if head.outline().has("nftables") { Likeness::Sure } else { Likeness::None }
}

impl<'a> Object<'a> {
    /// The set or the elements in it, if they are addresses or may be.
    fn into_set(self) -> Option<Set<'a>> {
        let added = |added: Option<Added<'a>>| added.and_then(|a| a.set.or(a.element));
        let set = self.set.or(self.element).or(added(self.add)).or(added(self.create))?;
        let kind = set.kind.map(RawValue::get);
        kind.is_none_or(|kind| ["\"ipv4_addr\"", "\"ipv6_addr\""].contains(&kind)).then_some(set)
    }
}

/// The addresses of an element and what remains of its time.
fn parts(raw: &RawValue) -> (Result<Entry, RejectReason>, Option<u64>) {
    match serde_json::from_str(raw.get()) {
        Ok(Element::Elem { val, timeout, expires }) => (addresses(val), expires.or(timeout)),
        _ => (addresses(raw), None),
    }
}

fn element<'de>(
    raw: &'de RawValue,
    welcome: bool,
    places: &Places<'de>,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    let line = places.line_of(raw.get());
    match parts(raw) {
        (Ok(entry), _) if welcome => {
            visit.rules();
            visit.exception(line, entry)
        }
        (Ok(_), Some(0)) => {
            visit.ended(line);
            ControlFlow::Continue(())
        }
        (Ok(entry), Some(seconds)) => visit.lasting(line, entry, seconds),
        (entry, _) => visit.read(line, entry),
    }
}

/// An address, prefix or range.
fn addresses(value: &RawValue) -> Result<Entry, RejectReason> {
    if let Some(text) = json::text(value) {
        return parse_entry(text.as_bytes());
    }
    match serde_json::from_str(value.get()) {
        Ok(Element::Prefix { addr, len }) => parse_entry(format!("{addr}/{len}").as_bytes()),
        Ok(Element::Range(first, last)) => parse_entry(format!("{first}-{last}").as_bytes()),
        _ => Err(RejectReason::NotAnAddress),
    }
}
