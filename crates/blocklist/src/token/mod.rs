//! Single entries as text, the forms that every line format shares: address,
//! prefix, dotted netmask, range. Strict: one way to read each, or a reason why
//! not. Knows no lines and no comments.

pub(crate) mod ipv4;
pub(crate) mod ipv6;
mod literal;
mod reject;

use std::net::{IpAddr, Ipv6Addr};

pub use literal::LiteralError;
pub use reject::RejectReason;

use crate::{Address, AddressRange, AnyPrefix, AnyRange, Prefix};

/// What one token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The addresses.
    pub range: AnyRange,
    /// Whether host bits were set and have been cleared: `192.0.2.7/24` is
    /// read as `192.0.2.0/24`.
    pub masked: bool,
}

/// Reads one address, without anything around it. An IPv4-mapped address is
/// read as the IPv4 address it names, see [`parse_entry`].
///
/// # Errors
/// Why it is not one.
pub fn parse_address(text: &[u8]) -> Result<IpAddr, RejectReason> {
    if memchr::memchr(b':', text).is_none() {
        return ipv4::parse(text).map(Address::to_ip);
    }
    let number = ipv6::parse(text).ok_or_else(|| blame_colons(text))?;
    Ok(Ipv6Addr::from(number).to_canonical())
}

/// Reads one entry, without blanks around it. The forms are
///
/// * an address: `192.0.2.1`, `2001:db8::1`,
/// * a prefix: `192.0.2.0/24`, `2001:db8::/32`; host bits are cleared, but not
///   all bits of an address: `192.0.2.7/0` is none,
/// * an IPv4 prefix with a netmask: `192.0.2.0/255.255.255.0`,
/// * an inclusive range, blanks around the dash allowed: `192.0.2.3-192.0.2.9`.
///
/// Numbers are decimal without leading zeros, IPv4 addresses have exactly four
/// octets, IPv6 addresses the forms of RFC 4291, section 2.2. Addresses in
/// `::ffff:0:0/96` (IPv4-mapped, section 2.5.5.2 there) are read as the IPv4
/// addresses they name, and prefixes inside of it as IPv4 prefixes shorter by
/// 96: what they could apply to are IPv4 packets. `::192.0.2.1` is an ordinary
/// IPv6 address.
///
/// # Errors
/// Why it is none of these.
pub fn parse_entry(text: &[u8]) -> Result<Entry, RejectReason> {
    // Almost all are of this form.
    if let Some(address) = ipv4::short(text) {
        return Ok(Entry { range: AnyPrefix::V4(Prefix::host(address)).into(), masked: false });
    }
    // Neither an address nor a prefix has a dash in it.
    if let Some(dash) = memchr::memchr(b'-', text) {
        let (first, last) = (&text[..dash], &text[dash + 1..]);
        return parse_range(first.trim_ascii_end(), last.trim_ascii_start());
    }
    if let Some(slash) = memchr::memchr(b'/', text) {
        return parse_prefix(&text[..slash], &text[slash + 1..]);
    }
    let range = AnyPrefix::host(parse_address(text)?).into();
    Ok(Entry { range, masked: false })
}

fn parse_range(first: &[u8], last: &[u8]) -> Result<Entry, RejectReason> {
    range_entry(parse_address(first)?, parse_address(last)?)
}

/// The addresses from `first` to `last`, for formats that write ranges in ways
/// of their own.
///
/// # Errors
/// They are reversed, or not of the same family.
pub(crate) fn range_entry(first: IpAddr, last: IpAddr) -> Result<Entry, RejectReason> {
    let range = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            AddressRange::new(first.into(), last.into()).map(AnyRange::V4)
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            AddressRange::new(first.into(), last.into()).map(AnyRange::V6)
        }
        _ => return Err(RejectReason::Families),
    };
    range.map(|range| Entry { range, masked: false }).ok_or(RejectReason::Reversed)
}

fn parse_prefix(address: &[u8], length: &[u8]) -> Result<Entry, RejectReason> {
    let ip = parse_address(address)?;
    let mapped = ip.is_ipv4() && memchr::memchr(b':', address).is_some();
    match ip {
        IpAddr::V6(ip) => masked(u128::from(ip), parse_length(length, 128)?),
        IpAddr::V4(ip) if mapped => {
            let length = parse_length(length, 128)?.checked_sub(96);
            masked(u32::from(ip), length.ok_or(RejectReason::MappedLength)?)
        }
        IpAddr::V4(ip) if length.contains(&b'.') => {
            let mask = ipv4::parse(length).map_err(|_| RejectReason::Netmask)?;
            let length =
                ipv4::mask_length(mask).filter(|&length| length > 0 || ip.is_unspecified());
            masked(u32::from(ip), length.ok_or(RejectReason::Netmask)?)
        }
        IpAddr::V4(ip) => masked(u32::from(ip), parse_length(length, 32)?),
    }
}

/// The prefix around an address. One of length 0 is not around an address but
/// around all, and so a slip of the pen.
fn masked<A: Address>(address: A, length: u8) -> Result<Entry, RejectReason>
where
    AnyPrefix: From<Prefix<A>>,
{
    let prefix = Prefix::containing(address, length);
    let masked = prefix.first() != address;
    if masked && length == 0 {
        return Err(RejectReason::ZeroLength);
    }
    Ok(Entry { range: AnyPrefix::from(prefix).into(), masked })
}

fn parse_length(text: &[u8], max: u8) -> Result<u8, RejectReason> {
    let decimal = match text {
        [] | [b'0', _, ..] => None,
        _ if text.len() > 3 => None,
        _ => text.iter().try_fold(0_u16, |value, byte| {
            byte.is_ascii_digit().then(|| value * 10 + u16::from(byte - b'0'))
        }),
    };
    decimal
        .and_then(|value| u8::try_from(value).ok())
        .filter(|&length| length <= max)
        .ok_or(RejectReason::PrefixLength { max })
}

/// The reason why a text with a colon is not an IPv6 address.
fn blame_colons(text: &[u8]) -> RejectReason {
    let before_last = memchr::memrchr(b':', text).map_or(text, |colon| &text[..colon]);
    if text.contains(&b'%') {
        RejectReason::Zone
    } else if text.starts_with(b"[") || ipv4::parse(before_last).is_ok() {
        RejectReason::Port
    } else if text.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte)) {
        RejectReason::Ipv6Form
    } else {
        RejectReason::NotAnAddress
    }
}
