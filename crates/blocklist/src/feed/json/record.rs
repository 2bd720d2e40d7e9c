//! Records: objects that hold an address and say something of it in fields
//! beside. Whether one counts, and whether it says so itself. Knows no paths to
//! where records stand.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::walk::Field;
use super::{Records, text};
use crate::feed::Why;
use crate::feed::verdict::{self, Verdict};

/// Values longer than this are notes and no verdicts.
const VALUE_BYTES_MAX: usize = 32;

impl Records<'_> {
    /// Whether anything is asked of records.
    pub(super) fn ask(self) -> bool {
        self.watched || !self.conditions.is_empty()
    }

    /// Whether a record fits all conditions.
    pub(super) fn count(self, fields: &[Field<'_>]) -> bool {
        self.conditions.iter().all(|condition| {
            let value = at(fields, condition.field());
            condition.fits(value.as_deref())
        })
    }

    /// What a record says that puts in doubt that it is there to be blocked.
    pub(super) fn doubt(self, fields: &[Field<'_>]) -> Option<Why> {
        let watched = fields.iter().filter(|_| self.watched);
        let mut short = watched.filter(|(_, raw)| raw.get().len() <= VALUE_BYTES_MAX);
        short.find_map(|(key, raw)| {
            let value = shown(raw);
            let exempts = if verdict::is_deciding(key.as_bytes()) {
                // What is not said decides nothing.
                raw.get() != "null" && !blocks(key, &value)
            } else {
                verdict::plainly(value.as_bytes()) == Some(Verdict::Exempts)
            };
            exempts.then(|| Why::Verdict {
                field: format!("the field `{key}`"),
                example: format!("{key} != {value}"),
                value: value.into_owned(),
            })
        })
    }
}

/// Whether the value of a field that decides says to block. Some flags say so by
/// being false.
fn blocks(key: &str, value: &str) -> bool {
    const AGAINST: [&str; 16] = [
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
    ];
    let name = verdict::plain_name(key.as_bytes());
    let name = name.strip_prefix(b"is").unwrap_or(&name);
    let against = AGAINST.iter().any(|known| name == known.as_bytes()) && name != b"toids";
    if against {
        return matches!(value, "false" | "0" | "" | "no");
    }
    verdict::blocks(value.as_bytes())
}

/// A plain value as text.
fn shown(raw: &RawValue) -> Cow<'_, str> {
    text(raw).unwrap_or(Cow::Borrowed(raw.get()))
}

/// The value at a path of keys below a record, if it is a plain one.
fn at<'a>(fields: &[Field<'a>], path: &str) -> Option<Cow<'a, str>> {
    let find = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw);
    if let Some(raw) = find(path) {
        return plain(raw);
    }
    let (key, rest) = path.split_once('.')?;
    let inner: serde_json::Value = serde_json::from_str(find(key)?.get()).ok()?;
    let pointer = format!("/{}", rest.replace('.', "/"));
    match inner.pointer(&pointer)? {
        serde_json::Value::String(text) => Some(Cow::Owned(text.clone())),
        other if other.is_number() || other.is_boolean() => Some(Cow::Owned(other.to_string())),
        _ => None,
    }
}

/// A string, number or truth value as text.
fn plain(raw: &RawValue) -> Option<Cow<'_, str>> {
    let nothing = matches!(raw.get().as_bytes().first(), None | Some(b'{' | b'[' | b'n'));
    (!nothing).then(|| shown(raw))
}
