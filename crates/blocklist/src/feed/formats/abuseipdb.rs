//! AbuseIPDB's blacklist as JSON: `{"meta": {…}, "data": [{"ipAddress":
//! "192.0.2.44", "abuseConfidenceScore": 100, …}]}`. Instead of it the server
//! sends `{"errors": [{"detail": …, "status": 429}]}` to whoever asks too often,
//! which is no list. Source: <https://docs.abuseipdb.com/#blacklist-endpoint>.

use super::super::detect::{Head, Likeness};
use super::super::json::{DocumentKind, Paths, read_addresses};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape};

/// Reads the field of all records.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let paths = &Paths::of(&["data[].ipAddress"]);
    let kind = DocumentKind::of(paths, "AbuseIPDB's `data` with `ipAddress` in it").watched();
    read_addresses(bytes, &kind, options, limits, visit)
}

/// Sure if there is the field, or the head of an empty list.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if head.outline().has_any(&[&["data[].ipAddress"], &["data", "meta.generatedAt"]]) {
        Likeness::Sure
    } else {
        Likeness::None
    }
}
