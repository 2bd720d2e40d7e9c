//! The short way for the lines that almost all feeds almost only consist of: an
//! IPv4 address or prefix, and the end of the line. It knows these lines only
//! and leaves all others, also the wrong ones, to the long way.

use crate::Prefix;

/// How many bytes are looked at. The longest line of this kind has 20, the
/// loads of a wrong one reach no further than 19.
pub(super) const WINDOW: usize = 24;

/// A line that is an entry.
pub(super) struct Bare {
    pub prefix: Prefix<u32>,
    pub masked: bool,
    /// Bytes of the line with its end.
    pub bytes: usize,
}

/// The least value of an octet with so many digits; no value reaches the ones
/// for no digit and for four.
const LEAST: [u32; 5] = [256, 0, 10, 100, 256];

/// Reads a line if it is of the short kind and is followed by enough bytes.
///
/// Whether an octet has one, two or three digits is as good as random, so a
/// jump that depends on it would be mispredicted: digits are counted and
/// weighed without any, and what is wrong is collected until the end.
#[inline]
pub(super) fn line(rest: &[u8]) -> Option<Bare> {
    let window: &[u8; WINDOW] = rest.first_chunk()?;
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
    if wrong {
        return None;
    }
    let (length, at) = match window[at - 1] {
        b'/' => leading_length(window, at)?,
        _ => (32, at - 1),
    };
    let bytes = match (window[at], window[at + 1]) {
        (b'\r', b'\n') => at + 2,
        (b'\n' | b'\r', _) => at + 1,
        _ => return None,
    };
    let prefix = Prefix::containing(address, length);
    Some(Bare { prefix, masked: prefix.first() != address, bytes })
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

/// The prefix length at `at`, and where it ends.
#[inline]
fn leading_length(window: &[u8; WINDOW], at: usize) -> Option<(u8, usize)> {
    let digit = |at: usize| Some(window[at].wrapping_sub(b'0')).filter(|&digit| digit <= 9);
    let first = digit(at)?;
    match digit(at + 1) {
        None => Some((first, at + 1)),
        Some(second) => {
            let length = first * 10 + second;
            (first > 0 && length <= 32).then_some((length, at + 2))
        }
    }
}
