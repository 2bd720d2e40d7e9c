//! Addresses as rules of firewalls and servers name them: no ranges, but all
//! addresses at once, and beginnings of addresses. What a rule does with them
//! it does not know.

use crate::{AnyPrefix, AnyRange, Entry, Prefix, RejectReason, parse_entry, token::ipv4};

/// An address, a prefix or a prefix with a netmask.
pub(super) fn network(text: &[u8]) -> Result<Entry, RejectReason> {
    if text.contains(&b'-') { Err(RejectReason::NotAnAddress) } else { parse_entry(text) }
}

/// Whether all addresses of a family are meant. A rule that says so is about
/// the rest, and no entry.
pub(super) fn is_everything(entry: Entry) -> bool {
    match entry.range {
        AnyRange::V4(range) => range.first() == u32::MIN && range.last() == u32::MAX,
        AnyRange::V6(range) => range.first() == u128::MIN && range.last() == u128::MAX,
    }
}

/// The first one to three octets of an IPv4 address, each with a dot behind it:
/// `192.0.` for 192.0.0.0/16.
pub(super) fn beginning(text: &[u8]) -> Option<Entry> {
    let octets = memchr::memchr_iter(b'.', text).count();
    let whole = [text, [&b"0.0.0.0"[..], b"0.0.0", b"0.0", b"0"].get(octets)?].concat();
    let length = u8::try_from(octets * 8).ok().filter(|&length| length > 0)?;
    let address = ipv4::parse(&whole).ok().filter(|_| text.ends_with(b"."))?;
    let prefix = Prefix::containing(address, length);
    Some(Entry { range: AnyPrefix::from(prefix).into(), masked: false })
}

/// Whether a word can be a host name, and cannot be meant as an address: it has
/// only letters, digits, dots, dashes and underscores, and in its last label a
/// letter.
pub(super) fn is_host_name(word: &[u8]) -> bool {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    let last = word.rsplit(|&byte| byte == b'.').find(|label| !label.is_empty());
    let named = last.is_some_and(|label| label.iter().any(u8::is_ascii_alphabetic));
    named && word.iter().all(known) && !word.starts_with(b"0x") && !word.starts_with(b"0X")
}
