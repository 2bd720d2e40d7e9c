//! Ranges as separated values: the first address, the last one, and whatever
//! the publisher knows about them.
//!
//! * `192.0.2.0,192.0.2.255,Example,https://example/`: ipcat
//!   (<https://github.com/client9/ipcat>), DB-IP, IPinfo. Fields may be quoted.
//! * `"3221225984","3221226239","ZZ","Example"`: IP2Location
//!   (<https://lite.ip2location.com>), where addresses are decimal numbers. A
//!   range that ends below 2^32 is one of IPv4 addresses, others are of IPv6;
//!   inside of `::ffff:0:0/96` they mean the IPv4 addresses.
//! * `#` begins a line of comment. A first row that begins with a letter is the
//!   header.

use std::net::{IpAddr, Ipv6Addr};

use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, lines};
use crate::token::{ipv4, range_entry};
use crate::{Entry, RejectReason, parse_address};

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let mut may_be_header = true;
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let header = std::mem::take(&mut may_be_header) && is_header(fields);
        visit.read_unless(header, line, || entry(fields))
    })
}

/// Sure if most rows begin with two addresses that are a range, and the second
/// are no netmasks.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    head.most_rows(b',', |fields| {
        let mask = |text| {
            ipv4::parse(text).is_ok_and(|mask| {
                mask != u32::MAX && mask >= 0xff00_0000 && ipv4::mask_length(mask).is_some()
            })
        };
        let number_reaches = |text| number(text).is_none_or(|number| number >= (1 << 24) - 1);
        let last = fields.get(1).unwrap_or_default();
        entry(fields).is_ok() && number_reaches(last) && !mask(last)
    })
}

fn is_header(fields: Fields<'_>) -> bool {
    let letter =
        |index| fields.get(index).and_then(<[u8]>::first).is_some_and(u8::is_ascii_alphabetic);
    letter(0) && letter(1) && entry(fields).is_err()
}

fn entry(fields: Fields<'_>) -> Result<Entry, RejectReason> {
    let (first, last) = fields.get(0).zip(fields.get(1)).ok_or(RejectReason::MissingField)?;
    match (number(first), number(last)) {
        (Some(first), Some(last)) => {
            let ip = |number| match u32::try_from(last) {
                // The first is not above the last, or the range is rejected.
                Ok(_) => u32::try_from(number).map_or(Ipv6Addr::from(number).into(), |number| {
                    IpAddr::from(number.to_be_bytes())
                }),
                Err(_) => Ipv6Addr::from(number).to_canonical(),
            };
            range_entry(ip(first), ip(last))
        }
        (None, None) => range_entry(parse_address(first)?, parse_address(last)?),
        _ => Err(RejectReason::NotAnAddress),
    }
}

/// A decimal number without leading zeros.
fn number(text: &[u8]) -> Option<u128> {
    let plain = matches!(text, [b'0'] | [b'1'..=b'9', ..]);
    let digits = text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| plain && digits)?.parse().ok()
}
