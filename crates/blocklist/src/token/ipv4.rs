//! IPv4 addresses as text: four decimal octets, three dots, and nothing that
//! `inet_aton` would make of fewer of them, of octal or of hexadecimal.

use super::RejectReason;

/// Reads an address that is all of `text`.
///
/// # Errors
/// What is wrong with it, as exactly as can be said.
pub(crate) fn parse(text: &[u8]) -> Result<u32, RejectReason> {
    let mut address = 0_u32;
    let mut octets = 0;
    for octet in text.split(|&byte| byte == b'.') {
        address =
            address << 8 | u32::from(parse_octet(octet).map_err(|reason| blame(text, reason))?);
        octets += 1;
        if octets > 4 {
            break;
        }
    }
    if octets == 4 { Ok(address) } else { Err(blame(text, RejectReason::OctetCount)) }
}

fn parse_octet(text: &[u8]) -> Result<u8, RejectReason> {
    match *text {
        [] => Err(RejectReason::OctetCount),
        [b'0', _, ..] => Err(RejectReason::LeadingZero),
        _ if text.len() > 3 => Err(RejectReason::OctetValue),
        _ => text
            .iter()
            .try_fold(0_u16, |value, byte| {
                byte.is_ascii_digit().then(|| value * 10 + u16::from(byte - b'0'))
            })
            .ok_or(RejectReason::NotAnAddress)
            .and_then(|value| u8::try_from(value).map_err(|_| RejectReason::OctetValue)),
    }
}

/// As [`parse`], for formats that fill octets with zeros up to three decimal
/// digits: `010.001.002.000`. One with zeros and fewer digits is still wrong.
///
/// # Errors
/// What is wrong with the address.
pub(crate) fn parse_padded(text: &[u8]) -> Result<u32, RejectReason> {
    let mut bare = [0; PADDED_BYTES];
    let mut kept = 0;
    for octet in text.split_inclusive(|&byte| byte == b'.') {
        let digits = octet.strip_suffix(b".").unwrap_or(octet);
        let zeros = match digits {
            [b'0', b'0', _] => 2,
            [b'0', _, _] => 1,
            _ => 0,
        };
        let octet = &octet[zeros..];
        let Some(room) = bare.get_mut(kept..kept + octet.len()) else { return parse(text) };
        room.copy_from_slice(octet);
        kept += octet.len();
    }
    parse(&bare[..kept])
}

/// The longest text of an address. What is longer is none.
const PADDED_BYTES: usize = "255.255.255.255".len();

/// The reason, if the text looks like an IPv4 address at all.
fn blame(text: &[u8], reason: RejectReason) -> RejectReason {
    let dotted = text.contains(&b'.') && text.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if dotted { reason } else { RejectReason::NotAnAddress }
}

/// The prefix length of a dotted netmask, or `None` if its one bits do not
/// all come first.
pub(crate) fn mask_length(mask: u32) -> Option<u8> {
    let ones = mask.leading_ones();
    let contiguous = mask.checked_shl(ones).unwrap_or(0) == 0;
    u8::try_from(ones).ok().filter(|_| contiguous)
}
