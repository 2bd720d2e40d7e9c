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
