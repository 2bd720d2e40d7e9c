//! MISP's warninglists: `{"name": …, "type": "cidr", "list": ["192.0.2.0/24",
//! …]}`. They name what is *not* to be taken for an attacker, so they belong
//! into a list's `allow`: entries are exceptions. Source: `schema.json` of
//! <https://github.com/MISP/misp-warninglists>.
//!
//! * Where the name or the description says that it lists VPNs, proxies or Tor, a
//!   warninglist is one of those that are published to be blocked as well: there,
//!   and where somebody names the format, entries are entries.
//!
//! Of the types, `cidr` and `string` can have addresses; in a `string` list
//! anything else is rejected. A list of type `hostname`, `substring` or `regex`
//! is rejected as a whole, whatever its values look like.

use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::json::{self, DocumentKind, Paths, read_addresses, refuse};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::RejectReason;

const EXPECTED: &str = "a warninglist of type `cidr` or `string`, with `list`";

/// Reads the list.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    // The type stands behind the list.
    if options.path.is_none() && names_no_addresses(bytes) {
        return refuse(bytes, limits, RejectReason::Document { expected: EXPECTED }, visit);
    }
    let paths = Paths::of(&["list[]"]);
    let kind = DocumentKind::of(&paths, EXPECTED);
    let shape = read_addresses(bytes, &kind, options, limits, visit);
    if options.path.is_none() && !lists_anonymity(bytes) {
        visit.all_welcome();
    }
    shape
}

/// Whether the list says that it is one of networks that hide who uses them.
fn lists_anonymity(bytes: &[u8]) -> bool {
    const WORDS: [&str; 6] = ["vpn", "vpns", "tor", "proxy", "proxies", "anonymizers"];
    let Ok(text) = str::from_utf8(lines::without_mark(bytes)) else { return false };
    let Ok(document) = serde_json::from_str(text) else { return false };
    let mut found = false;
    let _ = json::each(document, &Paths::of(&["name", "description"]), |about| {
        let about = json::text(about).unwrap_or_default().to_ascii_lowercase();
        let mut words = about.split(|c: char| !c.is_ascii_alphanumeric());
        found |= words.any(|word| WORDS.contains(&word));
        ControlFlow::Continue(())
    });
    found
}

/// Sure if there is a list with a description.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let outline = head.outline();
    let about = ["name", "description", "version", "matching_attributes"];
    let described = about.iter().filter(|key| outline.has(key)).count();
    let listed = outline.has("list") && (outline.has_values("list") || !outline.has("list[]"));
    if listed && described > 0 { Likeness::Sure } else { Likeness::None }
}

fn names_no_addresses(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(lines::without_mark(bytes)) else { return false };
    let Ok(document) = serde_json::from_str(text) else { return false };
    let mut other = false;
    let _ = json::each(document, &Paths::of(&["type"]), |kind| {
        let kind = json::text(kind);
        other |= !matches!(kind.as_deref(), Some("cidr" | "string"));
        ControlFlow::Continue(())
    });
    other
}
