//! PeerGuardian's text lists, as I-Blocklist publishes them: a label, a colon,
//! and a range of IPv4 addresses, `Example Org:192.0.2.0-192.0.2.255`. Source:
//! <https://www.iblocklist.com/> and the readers of several torrent clients.
//!
//! * The range stands behind the last colon; labels contain colons, dashes and
//!   commas, in UTF-8 or Latin-1.
//! * `#` begins a line of comment.

use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, Why, lines, text, verdict};
use crate::{Entry, RejectReason, parse_entry};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let label = said.split(|&byte| byte == b':').next().unwrap_or_default();
        if verdict::of_word(text::trim(label)).is_some() {
            visit.doubt(line, Why::Structure("a label is a verdict"));
        }
        visit.read(line, entry(said))
    })
}

/// Sure if most lines end with a range behind a colon.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most(b"#", |line| entry(line).is_ok())
}

fn entry(line: &[u8]) -> Result<Entry, RejectReason> {
    let colon = memchr::memrchr(b':', line).ok_or(RejectReason::Foreign)?;
    let range = line[colon + 1..].trim_ascii();
    if range.contains(&b'-') { parse_entry(range) } else { Err(RejectReason::Foreign) }
}
