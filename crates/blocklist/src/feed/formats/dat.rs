//! eMule's `ipfilter.dat`: a range, an access level, and a label, with commas
//! between them: `192.000.002.000 - 192.000.002.255 , 000 , Example Org`.
//! Source: <https://www.emule-project.net/home/perl/help.cgi?l=1&topic_id=142&rm=show_topic>.
//!
//! * Octets may be filled with zeros up to three digits; they are decimal. Where
//!   no level follows, all must be filled: elsewhere `012` is octal.
//!   Some clients also take ranges of IPv6 addresses.
//! * Level and label may be missing. Levels below 127 block; 127 does not;
//!   above it, addresses are allowed, which makes the line an exception.
//! * `#`, `;` and `/` begin a line of comment.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};
use crate::token::{ipv4, range_entry};
use crate::{Entry, RejectReason, parse_address};

/// The level from which on a line does not block, eMule's default.
const UNBLOCKED_FROM: u8 = 127;

const COMMENTS: &[u8] = b"#;/";

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    visit.rules();
    lines::each(bytes, limits, COMMENTS, visit, meaning)
}

/// Sure if most lines are a range and a level.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let padded = head.lines().any(|line| line.starts_with(b"0"));
    head.most(COMMENTS, |line| (padded || line.contains(&b',')) && entry(line).is_ok())
}

fn meaning(line: Line<'_>, said: &[u8], visit: &mut impl Visit) -> ControlFlow<()> {
    match entry(said) {
        Ok((entry, level)) if level < UNBLOCKED_FROM => visit.entry(line, entry),
        Ok((_, UNBLOCKED_FROM)) => {
            visit.ignore(line);
            ControlFlow::Continue(())
        }
        Ok((entry, _)) => visit.exception(line, entry),
        Err(reason) => visit.read(line, Err(reason)),
    }
}

fn entry(line: &[u8]) -> Result<(Entry, u8), RejectReason> {
    let mut fields = line.splitn(3, |&byte| byte == b',').map(<[u8]>::trim_ascii);
    let range = fields.next().unwrap_or_default();
    let dash = memchr::memchr(b'-', range).ok_or(RejectReason::Foreign)?;
    let (first, last) = (range[..dash].trim_ascii_end(), range[dash + 1..].trim_ascii_start());
    let entry = range_entry(address(first)?, address(last)?)?;
    match fields.next() {
        None | Some(b"") if [first, last].into_iter().any(is_filled_in_part) => {
            Err(RejectReason::LeadingZero)
        }
        None | Some(b"") => Ok((entry, 0)),
        Some(level) => Ok((entry, parse_level(level)?)),
    }
}

/// Whether some octets of an address are filled with zeros, and not all have
/// three digits.
fn is_filled_in_part(text: &[u8]) -> bool {
    let octets = || text.split(|&byte| byte == b'.');
    let filled = octets().any(|octet| octet.len() > 1 && octet.starts_with(b"0"));
    filled && !text.contains(&b':') && octets().any(|octet| octet.len() < 3)
}

fn address(text: &[u8]) -> Result<IpAddr, RejectReason> {
    if text.contains(&b':') {
        return parse_address(text);
    }
    ipv4::parse_padded(text).map(|address| IpAddr::V4(address.into()))
}

fn parse_level(text: &[u8]) -> Result<u8, RejectReason> {
    let digits = str::from_utf8(text).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits.and_then(|digits| digits.parse().ok()).ok_or(RejectReason::Number)
}
