//! IPv4 addresses as text: four decimal octets, three dots, and nothing that
//! `inet_aton` would make of fewer of them, of octal or of hexadecimal.

use super::RejectReason;

/// How many bytes are looked at. The longest text of an address has 15; a wrong
/// one is left behind the fourth octet, with four bytes for each and one between.
pub(crate) const WINDOW: usize = 20;

/// The longest text of an address. What is longer is none.
const BYTES_MAX: usize = "255.255.255.255".len();

/// The least value of an octet with so many digits; no value reaches the ones
/// for no digit and for four.
const LEAST: [u32; 5] = [256, 0, 10, 100, 256];

/// Reads an address that is all of `text`.
///
/// # Errors
/// What is wrong with it, as exactly as can be said.
pub(crate) fn parse(text: &[u8]) -> Result<u32, RejectReason> {
    short(text).ok_or_else(|| blame(text))
}

/// As [`parse`], for texts of which most are something else.
#[inline]
pub(crate) fn short(text: &[u8]) -> Option<u32> {
    let mut window = [0; WINDOW];
    window[..BYTES_MAX].get_mut(..text.len())?.copy_from_slice(text);
    let (address, bytes) = leading(&window)?;
    (bytes == text.len()).then_some(address)
}

/// Reads the address at the beginning of a text, and says how many bytes it
/// has. What comes behind it is for the caller to judge: it may be another dot,
/// and then the address was none.
///
/// Whether an octet has one, two or three digits is as good as random, so a
/// jump that depends on it would be mispredicted: digits are counted and
/// weighed without any, and what is wrong is collected until the end.
#[inline]
pub(crate) fn leading(window: &[u8; WINDOW]) -> Option<(u32, usize)> {
    let mut address = 0;
    let mut at = 0;
    let mut wrong = false;
    for octet in 0..4 {
        let (value, digits) =
            leading_number([window[at], window[at + 1], window[at + 2], window[at + 3]]);
        wrong |= value < LEAST[digits] || value > 255;
        wrong |= octet < 3 && window[at + digits] != b'.';
        if octet == 0 && wrong {
            return None;
        }
        address = address << 8 | value & 255;
        at += digits + 1;
    }
    (!wrong).then_some((address, at - 1))
}

/// The number that the leading decimal digits make, and how many there are.
/// With none or four the number means nothing.
#[inline]
fn leading_number(text: [u8; 4]) -> (u32, usize) {
    let digits = u32::from_le_bytes(text) ^ 0x3030_3030;
    // The high bit of each byte that is not 0 to 9.
    let others = (((digits & 0x7f7f_7f7f) + 0x7676_7676) | digits) & 0x8080_8080;
    let count = others.trailing_zeros() / 8;
    // The last digit moves to the third byte, zeros come in before the first.
    let [hundreds, tens, ones, _] = (digits << (24_u32.wrapping_sub(8 * count) & 31)).to_le_bytes();
    let value = u32::from(hundreds) * 100 + u32::from(tens) * 10 + u32::from(ones);
    (value, count as usize)
}

/// As [`parse`], for formats that fill octets with zeros up to three decimal
/// digits: `010.001.002.000`. One with zeros and fewer digits is still wrong.
///
/// # Errors
/// What is wrong with the address.
pub(crate) fn parse_padded(text: &[u8]) -> Result<u32, RejectReason> {
    if let Some(address) = text.try_into().ok().and_then(all_padded) {
        return Ok(address);
    }
    let mut bare = [0; BYTES_MAX];
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

/// An address of which every octet has three digits.
fn all_padded(text: &[u8; BYTES_MAX]) -> Option<u32> {
    let mut address = 0;
    for octet in text.split(|&byte| byte == b'.') {
        let &[hundreds, tens, ones] = octet else { return None };
        let [hundreds, tens, ones] = [hundreds, tens, ones].map(|byte| u32::from(byte ^ b'0'));
        let value = hundreds * 100 + tens * 10 + ones;
        if tens > 9 || ones > 9 || value > 255 {
            return None;
        }
        address = address << 8 | value;
    }
    Some(address)
}

/// What is wrong with a text that is no address.
fn blame(text: &[u8]) -> RejectReason {
    let dotted = text.contains(&b'.') && text.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if !dotted {
        return RejectReason::NotAnAddress;
    }
    let mut octets = text.split(|&byte| byte == b'.').take(5);
    octets.find_map(wrong_octet).unwrap_or(RejectReason::OctetCount)
}

/// What is wrong with some digits, if they are no octet.
fn wrong_octet(digits: &[u8]) -> Option<RejectReason> {
    match *digits {
        [] => Some(RejectReason::OctetCount),
        [b'0', _, ..] => Some(RejectReason::LeadingZero),
        [_] | [_, _] => None,
        [_, _, _] if digits <= b"255" => None,
        _ => Some(RejectReason::OctetValue),
    }
}

/// The prefix length of a dotted netmask, or `None` if its one bits do not
/// all come first.
pub(crate) fn mask_length(mask: u32) -> Option<u8> {
    let ones = mask.leading_ones();
    let contiguous = mask.checked_shl(ones).unwrap_or(0) == 0;
    u8::try_from(ones).ok().filter(|_| contiguous)
}
