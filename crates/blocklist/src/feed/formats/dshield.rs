//! DShield's recommended block list: first address, last address and mask with
//! tabs between them, and what is known of the network behind. Source:
//! <https://feeds.dshield.org/block.txt>.
//!
//! * `192.0.2.0<TAB>192.0.2.255<TAB>24<TAB>579<TAB>EXAMPLE-NET`. The mask is a
//!   length or dotted, and may be missing with all that follows; if it is
//!   there, it must say the same as the addresses.
//! * Octets may be filled with zeros up to three digits; they are decimal.
//! * `#` begins a line of comment. A line that begins with `Start` is the
//!   header.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::super::asked::Where;
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::token::{ipv4, range_entry};
use crate::{Address, AnyRange, Entry, RejectReason};

/// Reads all lines, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let head = Head::of(bytes);
    let rows = Where::new(options, |name| super::table::named(&head, b'\t', name));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let field = |at| said.split(|&byte| byte == b'\t').nth(at).map(<[u8]>::trim_ascii);
        if !is_header(said) && rows.leave_out(line, field, visit) {
            return ControlFlow::Continue(());
        }
        visit.read_unless(is_header(said), line, || entry(said))
    })
}

/// Sure if most lines are two addresses and the mask that they have: without
/// it, two addresses could be anything.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let with_mask = |line: &[u8]| {
        let mask = line.split(|&byte| byte == b'\t').nth(2);
        mask.and_then(|mask| length(mask.trim_ascii())).is_some() && entry(line).is_ok()
    };
    head.most(b"#", |line| is_header(line) || with_mask(line))
}

fn is_header(line: &[u8]) -> bool {
    line.get(..6).is_some_and(|begin| begin.eq_ignore_ascii_case(b"start\t"))
}

fn entry(line: &[u8]) -> Result<Entry, RejectReason> {
    let mut fields = line.split(|&byte| byte == b'\t').map(<[u8]>::trim_ascii);
    let (first, last) = fields.next().zip(fields.next()).ok_or(RejectReason::MissingField)?;
    let (first, last) = (ipv4::parse_padded(first)?, ipv4::parse_padded(last)?);
    let entry = range_entry(IpAddr::V4(first.into()), IpAddr::V4(last.into()))?;
    match fields.next() {
        None | Some(b"" | b"-") => Ok(entry),
        Some(mask) => {
            let said = length(mask).filter(|&length| range_length(entry.range) == Some(length));
            said.map(|_| entry).ok_or(RejectReason::Netmask)
        }
    }
}

fn length(mask: &[u8]) -> Option<u8> {
    match ipv4::parse(mask) {
        Ok(mask) => ipv4::mask_length(mask),
        Err(_) => str::from_utf8(mask)
            .ok()?
            .parse()
            .ok()
            .filter(|&length| length <= <u32 as Address>::BITS),
    }
}

fn range_length(range: AnyRange) -> Option<u8> {
    match range {
        AnyRange::V4(range) => range.as_prefix().map(crate::Prefix::length),
        AnyRange::V6(_) => None,
    }
}
