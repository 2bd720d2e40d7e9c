//! Documents with arrays of addresses under keys of their own: which of them
//! block, if their keys say so. Knows only the top of a document.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::super::super::json::Paths;
use super::super::super::verdict::{is_blocking, is_welcoming};
use super::super::super::{Why, lines};
use super::families::{WRAPPERS, is_note, welcoming};
use crate::parse_entry;

/// More keys are not shown.
const SHOWN_MAX: usize = 8;

/// Where the only array of addresses stands, if its key says no more than that
/// or that it blocks, and nothing else but notes stands beside it; else a doubt
/// which one is meant. None if there is no such array.
pub(super) fn only(bytes: &[u8]) -> Option<(Paths, Option<Why>)> {
    let top: BTreeMap<String, &RawValue> =
        serde_json::from_slice(lines::without_mark(bytes)).ok()?;
    let keys: Vec<&str> =
        top.iter().filter(|(_, value)| holds_addresses(value)).map(|(key, _)| &**key).collect();
    let first = *keys.first()?;
    let mut beside = top.iter().filter(|(key, _)| !keys.contains(&&***key));
    let noted = beside.clone().all(|(key, value)| is_note(key, value));
    if keys.len() == 1 && noted && (is_wrapper(first) || blocks(first)) {
        let doubt = beside.find_map(|(key, value)| welcoming(key, value));
        return Some((Paths::of(&[&format!("{first}[]")]), doubt));
    }
    let say = |key: &&str| {
        let says = match (blocks(key), is_welcoming(key.as_bytes())) {
            (true, _) => ", which blocks",
            (_, true) => ", which welcomes",
            _ => "",
        };
        format!("`{key}`{says}")
    };
    let names: Vec<String> = keys.iter().take(SHOWN_MAX).map(say).collect();
    let example = keys.iter().copied().find(|key| blocks(key)).unwrap_or(first);
    let why = Why::Arrays { names: names.join("; "), example: format!("{example}[]") };
    Some((Paths::of(&[]), Some(why)))
}

fn blocks(key: &str) -> bool {
    is_blocking(key.as_bytes()) && !is_welcoming(key.as_bytes())
}

fn is_wrapper(key: &str) -> bool {
    WRAPPERS.iter().any(|wrapper| key.eq_ignore_ascii_case(wrapper))
}

/// Whether a value is an array that begins with an address.
fn holds_addresses(value: &RawValue) -> bool {
    let Some(inner) = value.get().strip_prefix('[') else { return false };
    let first = inner.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
    first.is_some_and(|first| parse_entry(first.as_bytes()).is_ok())
}
