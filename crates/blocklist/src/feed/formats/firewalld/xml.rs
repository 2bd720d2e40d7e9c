//! A set of firewalld as it stands in `/etc/firewalld/ipsets`: `<ipset
//! type="hash:net">` with an `<entry>` for each entry. Source:
//! firewalld.ipset(5). Knows as much of XML as such a file has: elements,
//! attributes, comments, and no entities.

use std::ops::ControlFlow;

use super::super::super::places::Places;
use super::super::super::text::trim;
use super::super::super::visit::Visit;
use super::super::super::words::number;
use super::super::super::{Limits, Shape, Why, lines};
use crate::{RejectReason, parse_entry};

/// Elements of a set that say nothing of its entries.
const OTHERS: [&[u8]; 3] = [b"short", b"description", b"ipset"];

/// Reads all entries, until the visitor breaks.
///
/// Sets of other types than addresses have no entries that mean a whole host. Any
/// element but those of a set puts the whole in doubt.
pub(super) fn read(bytes: &[u8], limits: &Limits, visit: &mut impl Visit) -> Shape {
    let (text, shape) = match lines::open(bytes, visit) {
        Ok(opened) => opened,
        Err(shape) => return shape,
    };
    let places = Places::of(text, limits);
    let mut shape = Shape { lines: places.lines(), unfinished_line: false, ..shape };
    let Ok(text) = str::from_utf8(text) else {
        visit.reject(places.line_of(""), RejectReason::Foreign);
        return shape;
    };
    let mut set = Set::default();
    let (mut rest, mut last) = (text, "");
    while let Some(at) = rest.find('<') {
        let (before, markup) = rest.split_at(at);
        let end = if markup.starts_with("<!--") { "-->" } else { ">" };
        let Some(ends) = markup.find(end) else {
            set.open = true;
            break;
        };
        let (tag, after) = markup.split_at(ends + end.len());
        (rest, last) = (after, tag);
        if set.tag(&places, before, tag, visit).is_break() {
            shape.over_entries_max = true;
            return shape;
        }
    }
    // What breaks off before the set is closed has lost entries.
    shape.broken_document = set.open || !trim(rest.as_bytes()).is_empty();
    if shape.broken_document {
        // Where nothing is left there is no line either.
        let place = if rest.is_empty() { last } else { rest };
        visit.reject(places.line_of(place), RejectReason::Foreign);
    }
    shape
}

/// Whether a text begins as a set does.
pub(super) fn is_set(text: &[u8]) -> bool {
    let mut rest = trim(text);
    while rest.starts_with(b"<?") || rest.starts_with(b"<!--") {
        let end: &[u8] = if rest.starts_with(b"<?") { b"?>" } else { b"-->" };
        let Some(at) = memchr::memmem::find(rest, end) else { return false };
        rest = trim(&rest[at + end.len()..]);
    }
    rest.strip_prefix(b"<ipset")
        .is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

#[derive(Default)]
struct Set {
    /// Whether it has begun and not ended.
    open: bool,
    /// Whether its entries are addresses.
    addresses: bool,
    timeout: Option<u64>,
}

impl Set {
    /// A tag, with the text before it.
    fn tag<'t>(
        &mut self,
        places: &Places<'t>,
        before: &'t str,
        tag: &'t str,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let name = inner.trim_start_matches('/').trim_end_matches('/');
        let name = name.split_ascii_whitespace().next().unwrap_or_default();
        match name.as_bytes() {
            b"entry" if inner.starts_with('/') => {
                let line = places.line_of(before);
                if !self.addresses {
                    return visit.read(line, Err(RejectReason::MoreThanAddress));
                }
                return match (parse_entry(trim(before.as_bytes())), self.timeout) {
                    (Ok(entry), Some(seconds)) => visit.lasting(line, entry, seconds),
                    (entry, _) => visit.read(line, entry),
                };
            }
            b"entry" => {}
            b"ipset" => {
                self.open = !inner.starts_with('/');
                let kind = attribute(inner, "type");
                self.addresses |= matches!(kind, Some("hash:ip" | "hash:net"));
            }
            b"option" if attribute(inner, "name") == Some("timeout") => {
                let seconds = attribute(inner, "value").and_then(|text| number(text.as_bytes()));
                self.timeout = seconds.filter(|&seconds| seconds > 0);
            }
            b"option" => {}
            other
                if OTHERS.contains(&other) || tag.starts_with("<?") || tag.starts_with("<!--") => {}
            _ => {
                let line = places.line_of(tag);
                visit.doubt(line, Why::Structure("an element is none of a set of firewalld"));
                visit.reject(line, RejectReason::Foreign);
            }
        }
        ControlFlow::Continue(())
    }
}

/// The value of an attribute, in quotes of either kind.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let at = tag.find(&format!(" {name}="))?;
    let rest = &tag[at + name.len() + 2..];
    let quote = rest.chars().next().filter(|quote| "\"'".contains(*quote))?;
    rest[1..].split(quote).next()
}
