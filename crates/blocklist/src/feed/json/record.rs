//! Records: objects that hold an address and say something of it in fields
//! beside. Whether one counts, and whether it says so itself. Knows no paths to
//! where records stand.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::path::{JsonPath, PathStep};
use super::walk::Field;
use super::{Records, address, text};
use crate::feed::Why;
use crate::feed::fields as field_names;
use crate::feed::formats::is_part_of_address;
use crate::feed::text::printable;
use crate::feed::verdict::{self, WordVerdict};
use crate::parse_entry;

/// Objects within a record that are longer than this are not looked into.
const INNER_BYTES_MAX: usize = 2048;
/// Values longer than this are notes and no verdicts.
const VALUE_BYTES_MAX: usize = 32;

impl Records<'_> {
    /// A field with an address in a record that should have it in another.
    pub(super) fn address_elsewhere<'a, 'de>(
        self,
        fields: &'a [Field<'de>],
    ) -> Option<&'a Field<'de>> {
        let mut fields = fields.iter().filter(|_| self.watched);
        fields.find(|(_, raw)| address(raw).is_ok())
    }

    /// Whether a value counts that stands in these records, each within the one
    /// before: what a field says the innermost one says that has it.
    pub(super) fn count(self, around: &[Vec<Field<'_>>]) -> bool {
        self.conditions.iter().all(|condition| {
            let outward = around.iter().rev();
            let mut said = outward.map(|fields| at(fields, condition.field()));
            let values = said.find(|values| !values.is_empty()).unwrap_or_default();
            condition.fits_any(values.iter().map(AsRef::as_ref))
        })
    }

    /// What a record says that puts in doubt that it is there to be blocked.
    pub(super) fn doubt(self, fields: &[Field<'_>]) -> Option<Why> {
        if !self.watched {
            return None;
        }
        if let Some(why) = more_addresses(fields).or_else(|| narrower(fields)) {
            return Some(why);
        }
        if let Some(why) = fields.iter().find_map(|(key, raw)| inner_doubt(key, raw)) {
            return Some(why);
        }
        let mut short = fields.iter().filter(|(_, raw)| raw.get().len() <= VALUE_BYTES_MAX);
        short.find_map(|(key, raw)| {
            let value = shown(raw);
            let exempts = if field_names::ends(key.as_bytes()) {
                !field_names::is_for_ever(value.as_bytes())
            } else if raw.get().starts_with('[') {
                words(&value).any(|word| verdict::plainly(word) == Some(WordVerdict::Exempts))
            } else if verdict::is_deciding(key.as_bytes()) {
                // What is not said decides nothing.
                raw.get() != "null" && !blocks(key, &value)
            } else {
                verdict::plainly(value.as_bytes()) == Some(WordVerdict::Exempts)
            };
            exempts.then(|| Why::Verdict {
                field: format!("the field `{key}`"),
                example: format!("{key} != {value}"),
                value: value.into_owned(),
            })
        })
    }
}

/// What an object within a record says that puts it in doubt. It has more to say
/// of everything than the record: only a word for the welcome decides.
fn inner_doubt(key: &str, raw: &RawValue) -> Option<Why> {
    if !raw.get().starts_with('{') || raw.get().len() > INNER_BYTES_MAX {
        return None;
    }
    let inner: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    inner.iter().find_map(|(name, raw)| {
        let value = text(raw).filter(|value| value.len() <= VALUE_BYTES_MAX)?;
        let decides = verdict::is_deciding(name.as_bytes());
        let said = if decides { verdict::of_word } else { verdict::plainly }(value.as_bytes());
        (said == Some(WordVerdict::Exempts)).then(|| Why::Verdict {
            field: format!("the field `{key}.{name}`"),
            example: format!("{key}.{name} != {value}"),
            value: value.into_owned(),
        })
    })
}

/// The words in an array, or in anything else that is written in full.
fn words(value: &str) -> impl Iterator<Item = &[u8]> {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    value.as_bytes().split(move |byte| !known(byte)).filter(|word| !word.is_empty())
}

/// A doubt about a record with parts of an address, or further ones, beside it.
fn more_addresses(fields: &[Field<'_>]) -> Option<Why> {
    let entry = |raw: &RawValue| parse_entry(text(raw)?.as_bytes()).ok();
    let part =
        fields.iter().any(|(key, raw)| raw.get() != "null" && is_part_of_address(key.as_bytes()));
    let mut entries = fields.iter().filter_map(|(_, raw)| entry(raw));
    let first = entries.next().map(|entry| entry.range);
    let what = if part {
        "a field may be a length, a mask or the end of a range"
    } else if entries.any(|entry| Some(entry.range) != first) {
        "several fields hold addresses"
    } else {
        return None;
    };
    let shown = |(key, raw): &Field<'_>| format!("{key} `{}`", printable(raw.get().as_bytes(), 40));
    let row = fields.iter().take(6).map(shown).collect::<Vec<_>>().join(", ");
    Some(Why::Fields { what, row })
}

/// A doubt about a record that is a rule about a part of the host only.
fn narrower(fields: &[Field<'_>]) -> Option<Why> {
    let acts = fields.iter().any(|(key, raw)| {
        field_names::is_action(key.as_bytes()) && verdict::of_word(shown(raw).as_bytes()).is_some()
    });
    let part = fields.iter().find(|(key, raw)| {
        field_names::is_scope(key.as_bytes()) && !field_names::is_whole(shown(raw).as_bytes())
    });
    part.filter(|_| acts).map(|(key, raw)| Why::Verdict {
        field: format!("the field `{key}`"),
        value: shown(raw).into_owned(),
        example: format!("{key} = any"),
    })
}

/// Whether the value of a field that decides says to block. Some flags say so by
/// being false.
fn blocks(key: &str, value: &str) -> bool {
    const AGAINST: [&str; 17] = [
        "revoked",
        "expired",
        "disabled",
        "deleted",
        "removed",
        "whitelisted",
        "whitelist",
        "allow",
        "allowed",
        "allowlisted",
        "trusted",
        "trust",
        "benign",
        "unblocked",
        "exempt",
        "toids",
        "riot",
    ];
    let name = verdict::plain_name(key.as_bytes());
    let name = name.strip_prefix(b"is").unwrap_or(&name);
    let against = AGAINST.iter().any(|known| name == known.as_bytes()) && name != b"toids";
    if against {
        return matches!(value, "false" | "0" | "" | "no");
    }
    field_names::blocks_in(key.as_bytes(), value.as_bytes())
}

/// A plain value as text.
fn shown(raw: &RawValue) -> Cow<'_, str> {
    text(raw).unwrap_or(Cow::Borrowed(raw.get()))
}

/// The plain values at a path below a record: of a key with exactly this name,
/// or else along the steps. An array of plain values is several of them.
fn at<'a>(fields: &[Field<'a>], path: &str) -> Vec<Cow<'a, str>> {
    let find = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw);
    if let Some(raw) = find(path) {
        return plain(raw);
    }
    let Ok(JsonPath { steps }) = path.parse() else { return Vec::new() };
    let Some((PathStep::Key(key), rest)) = steps.split_first() else { return Vec::new() };
    let Some(inner) = find(key).filter(|_| !rest.is_empty()) else { return Vec::new() };
    let Ok(inner) = serde_json::from_str::<Value>(inner.get()) else { return Vec::new() };
    let mut found = vec![&inner];
    for step in rest {
        found = found.into_iter().flat_map(|value| after(step, value)).collect();
    }
    found.into_iter().flat_map(plain_values).map(Cow::Owned).collect()
}

/// Where a step leads from a value.
fn after<'v>(step: &PathStep, value: &'v Value) -> Vec<&'v Value> {
    match (step, value) {
        (PathStep::Key(key), Value::Object(fields)) => fields.get(key).into_iter().collect(),
        (PathStep::AnyKey, Value::Object(fields)) => fields.values().collect(),
        (PathStep::Each, Value::Array(values)) => values.iter().collect(),
        _ => Vec::new(),
    }
}

/// A string, number or truth value as text, or those of an array.
fn plain(raw: &RawValue) -> Vec<Cow<'_, str>> {
    match raw.get().as_bytes().first() {
        None | Some(b'{' | b'n') => Vec::new(),
        Some(b'[') => {
            let values = serde_json::from_str::<Value>(raw.get()).unwrap_or_default();
            plain_values(&values).into_iter().map(Cow::Owned).collect()
        }
        Some(_) => vec![shown(raw)],
    }
}

fn plain_values(value: &Value) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match value {
        Value::Array(values) => values.iter().filter_map(one).collect(),
        value => one(value).into_iter().collect(),
    }
}
