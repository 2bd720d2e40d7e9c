//! Documents with an array of addresses for each family, as many services and
//! the lists of a network's prefixes have them: `{"ipv4": […], "ipv6": […]}`, at
//! the top or under one key. Knows where they stand and what may stand beside.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::super::super::Why;
use super::super::super::json::{Paths, text};
use super::super::super::lines;
use super::super::super::verdict::{self, WordVerdict};

/// Names of the families, in small letters.
const FAMILIES: [&str; 6] = ["ipv4", "ipv6", "v4", "v6", "inet", "inet6"];
/// Keys under which they may stand together.
pub(super) const WRAPPERS: [&str; 7] =
    ["prefixes", "subnets", "addresses", "networks", "ranges", "cidrs", "ips"];
/// What a document may say of itself beside.
const NOTES: [&str; 32] = [
    "asn",
    "as",
    "handle",
    "name",
    "description",
    "title",
    "comment",
    "version",
    "updated",
    "updatedat",
    "lastupdated",
    "lastupdate",
    "modified",
    "created",
    "createdat",
    "creationtime",
    "createdate",
    "date",
    "time",
    "timestamp",
    "generated",
    "generatedat",
    "source",
    "url",
    "license",
    "count",
    "total",
    "serial",
    "synctoken",
    "ttl",
    "country",
    "id",
];

type Object<'a> = HashMap<String, &'a RawValue>;

/// Where the addresses of the families stand, and a doubt if what stands beside
/// tells that they are welcome. None if this is another kind of document.
pub(super) fn paths(bytes: &[u8]) -> Option<(Paths, Option<Why>)> {
    let top = object(lines::without_mark(bytes))?;
    let (above, inner) = if holds_families(&top) {
        (String::new(), None)
    } else {
        let mut wrapped = top.iter().filter(|(key, _)| WRAPPERS.contains(&&*key.to_lowercase()));
        let (key, value) = wrapped.next().filter(|_| wrapped.next().is_none())?;
        (format!("{key}."), Some((key, object(value.get().as_bytes())?)))
    };
    let families = inner.as_ref().map_or(&top, |(_, inner)| inner);
    if !holds_families(families) {
        return None;
    }
    let wrapper = inner.as_ref().map(|(key, _)| key.as_str());
    let mut beside: Vec<(&String, &&RawValue)> =
        top.iter().filter(|(key, _)| Some(key.as_str()) != wrapper && !is_family(key)).collect();
    if let Some((_, inner)) = &inner {
        beside.extend(inner.iter().filter(|(key, _)| !is_family(key)));
    }
    if !beside.iter().all(|(key, value)| is_note(key, value)) {
        return None;
    }
    let doubt = beside.iter().find_map(|(key, value)| welcoming(key, value));
    let all: Vec<String> =
        families.keys().filter(|key| is_family(key)).map(|key| format!("{above}{key}[]")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Some((Paths::of(&all), doubt))
}

/// Whether a field says something of the document and nothing of its addresses.
pub(super) fn is_note(key: &str, value: &RawValue) -> bool {
    let name = verdict::plain_name(key.as_bytes());
    let known = NOTES.iter().any(|note| note.as_bytes() == name);
    known && !value.get().starts_with(['[', '{'])
}

fn object(text: &[u8]) -> Option<Object<'_>> {
    serde_json::from_slice(text).ok()
}

fn is_family(key: &str) -> bool {
    FAMILIES.iter().any(|family| key.eq_ignore_ascii_case(family))
}

/// Whether there is a family, and each has an array.
fn holds_families(object: &Object<'_>) -> bool {
    let mut families = object.iter().filter(|(key, _)| is_family(key)).peekable();
    families.peek().is_some()
        && families.all(|(_, value)| value.get().starts_with('[') || value.get() == "null")
}

/// A doubt about what a document says of itself.
pub(super) fn welcoming(key: &str, value: &RawValue) -> Option<Why> {
    let value = text(value)?;
    let mut words = value.split(|c: char| !c.is_alphanumeric());
    let told =
        words.find(|word| verdict::plainly(word.as_bytes()) == Some(WordVerdict::Exempts))?;
    Some(Why::Verdict {
        field: format!("the field `{key}`"),
        value: told.to_owned(),
        example: format!("{key} != {told}"),
    })
}
