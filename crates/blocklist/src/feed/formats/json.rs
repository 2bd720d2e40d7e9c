//! JSON without a format of its own: an array of addresses, an array of records
//! with an address in one field, or such records one a line. With `path` set,
//! any other document too, and any record.
//!
//! * `["192.0.2.1", "2001:db8::/32"]`
//! * `[{"ip_address": "192.0.2.1", "port": 443}]`, as Feodo Tracker's JSON
//! * `{"ip": "192.0.2.1"}`, one record a line
//!
//! * `{"ipv4": ["192.0.2.0/24"], "ipv6": []}`, at the top or under `prefixes`
//! * `{"ips": ["192.0.2.1"]}`, also under a key that says that it blocks, and
//!   with notes beside it; of several arrays `path` has to say which block
//! * several such documents one behind the other
//!
//! The field is known if exactly one of the fields in [`FIELDS`] occurs in the
//! beginning of the document. Where there are two, an address and the network
//! around it, nobody knows which of them is meant. The grammar is RFC 8259's.

mod arrays;
mod families;

use serde::de::IgnoredAny;

use super::super::detect::{Head, Likeness};
use super::super::json::{
    DocumentKind, JsonPath, Outline, Paths, Records, read_addresses, read_record, refuse, unknown,
};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};
use crate::RejectReason;

/// Fields that hold addresses wherever there are any.
const FIELDS: [&str; 12] = [
    "ip",
    "ip_address",
    "ipAddress",
    "ip_addr",
    "address",
    "addr",
    "cidr",
    "prefix",
    "ip_prefix",
    "network",
    "range",
    "subnet",
];

/// A record may say more of an address than fits on other lines.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What one may come with.
const EXPECTED: &str = "an array of addresses, or records with one address field; else name the `path` of the addresses, \
     with `where` if only some records count, or the `format`";

/// Reads the document, or every line as one.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let head = Head::of(bytes);
    if is_lines(&head) {
        return read_lines(bytes, &head, options, limits, visit);
    }
    // Records at the top have been looked at.
    let clear = known(&head).is_some() || !head.text.trim_ascii_start().starts_with(b"{");
    let keyed = match options.path {
        None => families::paths(bytes).or_else(|| arrays::only(bytes).filter(|_| !clear)),
        Some(_) => None,
    };
    if let Some((paths, doubt)) = keyed {
        if let Some(why) = doubt {
            visit.doubt(Line::At { number: 1, text: head.lines().next().unwrap_or_default() }, why);
        }
        return read_addresses(bytes, &DocumentKind::of(&paths, EXPECTED), options, limits, visit);
    }
    let paths = known(&head).unwrap_or_default();
    read_addresses(
        bytes,
        &DocumentKind::of(&paths, EXPECTED).watched().many(),
        options,
        limits,
        visit,
    )
}

/// Whatever is JSON. All formats that are JSON too stand before this one.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    if head.outline().is_json() { Likeness::Sure } else { Likeness::None }
}

/// Where the addresses stand, if that is clear.
fn known(head: &Head<'_>) -> Option<Paths> {
    let outline = head.outline();
    if !outline.is_json() || outline.is_empty() {
        return head.whole.then(|| Paths::of(&["[]"]));
    }
    if outline.has_values("") {
        return Some(Paths::of(&["[]"]));
    }
    field(outline, "[].").map(|field| Paths::of(&[&format!("[].{field}")]))
}

/// The one known field that the records have.
fn field(outline: &Outline, above: &str) -> Option<&'static str> {
    let mut found = FIELDS.into_iter().filter(|field| outline.has(&format!("{above}{field}")));
    found.next().filter(|_| found.next().is_none())
}

/// Whether the text consists of more than one document.
fn is_lines(head: &Head<'_>) -> bool {
    let text = head.text.trim_ascii_start();
    let (line, taken) = lines::first(text);
    let record = line.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(line).is_ok();
    record && text[taken..].trim_ascii_start().starts_with(b"{")
}

fn read_lines(
    bytes: &[u8],
    head: &Head<'_>,
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let paths = match options.path.as_deref().map(JsonPath::list) {
        Some(Ok(paths)) => Paths::from(&paths[..]),
        Some(Err(_)) => return refuse(bytes, limits, RejectReason::Path, visit),
        None => match field(head.outline(), "") {
            Some(field) => Paths::of(&[field]),
            None => return refuse(bytes, limits, unknown(head.text, EXPECTED), visit),
        },
    };
    let limits = Limits { line_bytes_max: limits.line_bytes_max.max(LINE_BYTES_MAX), ..*limits };
    let records = Records { conditions: &options.conditions, watched: !options.decide_rows() };
    let kind = DocumentKind { records, ..DocumentKind::of(&paths, EXPECTED) };
    lines::each(bytes, &limits, b"", visit, |line, said, visit| {
        read_record(said, line, &kind, visit)
    })
}
