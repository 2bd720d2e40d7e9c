//! Ranges as separated values: the first address, the last one, and whatever
//! the publisher knows about them.
//!
//! * `192.0.2.0,192.0.2.255,Example,https://example/`: ipcat
//!   (<https://github.com/client9/ipcat>), DB-IP, IPinfo. Fields may be quoted.
//! * `"3221225984","3221226239","ZZ","Example"`: IP2Location
//!   (<https://lite.ip2location.com>), where addresses are decimal numbers. A
//!   range that ends below 2^32 is one of IPv4 addresses, others are of IPv6;
//!   inside of `::ffff:0:0/96` they mean the IPv4 addresses. Numbers are known
//!   for addresses only by the country behind them, two letters or `-`: in other
//!   tables such numbers are times, counts or prices.
//! * `#` begins a line of comment. A first row that begins with a letter is the
//!   header.

use std::net::{IpAddr, Ipv6Addr};

use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::verdict::{plain_name, plainly};
use super::super::visit::Visit;
use super::super::{Limits, Options, Shape, Why, lines};
use crate::token::{ipv4, range_entry};
use crate::{Address, Entry, RejectReason, parse_address};

/// Reads all rows, until the visitor breaks.
pub(in super::super) fn read(
    bytes: &[u8],
    _: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let mut may_be_header = true;
    let known = is_known(&Head::of(bytes));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        let header = std::mem::take(&mut may_be_header) && is_header(fields);
        if let Some(why) = doubt(fields, known).filter(|_| !header) {
            visit.doubt(line, why);
        }
        visit.read_unless(header, line, || entry(fields))
    })
}

/// Sure if most rows begin with two addresses that are a range, one range behind
/// the other: so these lists are published, while two addresses that have
/// something else to do with one another come in any order. A column of
/// netmasks is none of last addresses.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut before: Option<u128> = None;
    let mut may_be_header = true;
    let likeness = head.most_rows(b',', |fields| {
        if std::mem::take(&mut may_be_header) && is_header(fields) {
            return true;
        }
        let Ok((first, last)) = ends(fields) else { return false };
        let follows = before.is_none_or(|before| before < in_ipv6(first));
        before = Some(in_ipv6(last));
        follows && range_entry(first, last).is_ok() && has_country(fields) && !is_mask(last)
    });
    // Half of them are not enough.
    if likeness == Likeness::Sure && before.is_some() { likeness } else { Likeness::None }
}

/// Names of the columns of first and last addresses, without what stands between
/// their words.
const ENDS: [[&[u8]; 2]; 9] = [
    [b"start", b"end"],
    [b"startip", b"endip"],
    [b"ipstart", b"ipend"],
    [b"first", b"last"],
    [b"firstip", b"lastip"],
    [b"from", b"to"],
    [b"ipfrom", b"ipto"],
    [b"begin", b"end"],
    [b"rangestart", b"rangeend"],
];

/// Whether a table says that its first columns are the ends of ranges: by their
/// names, or by being one of those that are published so. Those have a country
/// in the third column, or the address of a page in the fourth.
fn is_known(head: &Head<'_>) -> bool {
    let mut splitter = Splitter::new(b',');
    let mut rows = head.lines().filter(|line| !line.starts_with(b"#")).peekable();
    if let Some(first) = rows.peek() {
        let fields = splitter.split(first);
        if is_header(fields) {
            let name = |at| fields.get(at).map(plain_name).unwrap_or_default();
            return ENDS.iter().any(|[start, end]| name(0) == *start && name(1) == *end);
        }
    }
    let mut rows = rows.map(|row| {
        let fields = splitter.split(row);
        let country = matches!(fields.get(2), Some([a, b]) if is_letter(*a) && is_letter(*b));
        let page = fields.get(3).is_some_and(|field| field.starts_with(b"http"));
        country || fields.get(2) == Some(b"-") || page
    });
    rows.next() == Some(true) && rows.filter(|known| !known).count() * 20 <= head.lines().count()
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_uppercase()
}

/// What is in doubt about a row.
fn doubt(fields: Fields<'_>, known: bool) -> Option<Why> {
    let row = || super::table::row(fields.iter());
    let more = || (2..fields.len()).filter_map(|at| Some((at, fields.get(at)?)));
    if let Some((at, word)) = more().find(|(_, word)| plainly(word).is_some()) {
        let (value, at) = (String::from_utf8_lossy(word).into_owned(), at + 1);
        let example = format!("{at} = deny");
        return Some(Why::Verdict { field: format!("column {at}"), value, example });
    }
    if more().any(|(_, field)| parse_address(field).is_ok()) {
        return Some(Why::Columns { what: "three columns hold addresses", row: row() });
    }
    (!known).then(|| Why::Columns {
        what: "whether two columns are the ends of a range is not said",
        row: row(),
    })
}

/// The place among the IPv6 addresses, where IP2Location has the IPv4 ones too.
fn in_ipv6(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// Whether the row has a country behind its last address, if that is a number,
/// and the number is not so small that it counts something else.
fn has_country(fields: Fields<'_>) -> bool {
    let Some(last) = fields.get(1).and_then(number) else { return true };
    let country = match fields.get(2) {
        Some(b"-") => true,
        Some(text) => text.len() == 2 && text.iter().all(u8::is_ascii_alphabetic),
        None => false,
    };
    country && last >= (1 << 24) - 1
}

fn is_mask(address: IpAddr) -> bool {
    let IpAddr::V4(address) = address else { return false };
    let mask = u32::from(address);
    mask != u32::MAX && mask >= 0xff00_0000 && ipv4::mask_length(mask).is_some()
}

fn is_header(fields: Fields<'_>) -> bool {
    let letter =
        |index| fields.get(index).and_then(<[u8]>::first).is_some_and(u8::is_ascii_alphabetic);
    letter(0) && letter(1) && entry(fields).is_err()
}

fn entry(fields: Fields<'_>) -> Result<Entry, RejectReason> {
    let (first, last) = ends(fields)?;
    range_entry(first, last)
}

fn ends(fields: Fields<'_>) -> Result<(IpAddr, IpAddr), RejectReason> {
    let (first, last) = fields.get(0).zip(fields.get(1)).ok_or(RejectReason::MissingField)?;
    match (number(first), number(last)) {
        (Some(first), Some(last)) if last <= u32::MAX.into() => {
            let ipv4 = |number| u32::try_from(number).map_err(|_| RejectReason::Reversed);
            Ok((ipv4(first)?.to_ip(), ipv4(last)?.to_ip()))
        }
        (Some(first), Some(last)) => {
            let ip = |number| Ipv6Addr::from(number).to_canonical();
            Ok((ip(first), ip(last)))
        }
        (None, None) => Ok((parse_address(first)?, parse_address(last)?)),
        _ => Err(RejectReason::NotAnAddress),
    }
}

/// A decimal number without leading zeros.
fn number(text: &[u8]) -> Option<u128> {
    let plain = matches!(text, [b'0'] | [b'1'..=b'9', ..]);
    let digits = text.iter().all(u8::is_ascii_digit);
    str::from_utf8(text).ok().filter(|_| plain && digits)?.parse().ok()
}
