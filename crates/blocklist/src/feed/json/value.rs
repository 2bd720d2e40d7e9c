//! Single values of a document: strings, with their escapes, and addresses in
//! them. Numbers, however they look, are no addresses.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::feed::text::trim;
use crate::{Entry, RejectReason, parse_entry};

pub(crate) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

/// The text of a string.
pub(crate) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    unescaped(raw, inner(raw)?)
}

/// What stands between the quotes of a string.
fn inner(raw: &RawValue) -> Option<&str> {
    raw.get().strip_prefix('"')?.strip_suffix('"')
}

fn unescaped<'a>(raw: &'a RawValue, inner: &'a str) -> Option<Cow<'a, str>> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    // PHP writes slashes as `\/`.
    serde_json::from_str(raw.get()).ok().map(Cow::Owned)
}

/// A string that is an entry, blanks around it allowed.
pub(crate) fn address(raw: &RawValue) -> Result<Entry, RejectReason> {
    let inner = inner(raw).ok_or(RejectReason::NotAnAddress)?;
    // Neither escapes nor blanks around it are in an entry, so that almost all
    // are read without a look for them.
    parse_entry(inner.as_bytes()).or_else(|reason| match unescaped(raw, inner) {
        Some(text) => parse_entry(trim(text.as_bytes())),
        None => Err(reason),
    })
}
