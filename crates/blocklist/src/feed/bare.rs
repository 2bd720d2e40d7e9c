//! The short way for the lines that almost all feeds almost only consist of: an
//! address or prefix, and the end of the line. It knows these lines only and
//! leaves all others, also the wrong ones, to the long way.

use crate::token::ipv6;
use crate::{Address, Prefix};

/// How many bytes are looked at. The longest line of this kind has 49: an IPv6
/// address of 45, a length, and the end of the line.
pub(super) const WINDOW: usize = 52;

/// How many of them for IPv4. The longest line has 20 then, the loads of a
/// wrong one reach no further than 19.
const IPV4_WINDOW: usize = 24;

/// A line that is an entry.
pub(super) struct Bare<A> {
    pub prefix: Prefix<A>,
    pub masked: bool,
    /// Bytes of the line with its end.
    pub bytes: usize,
}

/// The least value of an octet with so many digits; no value reaches the ones
/// for no digit and for four.
const LEAST: [u32; 5] = [256, 0, 10, 100, 256];

/// Reads a line of IPv4 if it is of the short kind and is followed by enough
/// bytes.
///
/// Whether an octet has one, two or three digits is as good as random, so a
/// jump that depends on it would be mispredicted: digits are counted and
/// weighed without any, and what is wrong is collected until the end.
#[inline]
pub(super) fn ipv4(rest: &[u8]) -> Option<Bare<u32>> {
    let window: &[u8; IPV4_WINDOW] = rest.first_chunk()?;
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
    finish(address, window, at - 1)
}

/// Reads a line of IPv6 if it is of the short kind and is followed by enough
/// bytes. An address that names one of IPv4 is not.
#[inline]
pub(super) fn ipv6(rest: &[u8]) -> Option<Bare<u128>> {
    let window: &[u8; WINDOW] = rest.first_chunk()?;
    let (address, at) = ipv6::leading(window.first_chunk()?)?;
    let mapped = address >> 32 == 0xffff;
    if mapped { None } else { finish(address, window, at) }
}

/// Reads what may come behind the address, which ends at `at`: a length and the
/// end of the line.
#[inline]
fn finish<A: Address>(address: A, window: &[u8], at: usize) -> Option<Bare<A>> {
    let (length, at) = match window[at] {
        b'/' => leading_length::<A>(window, at + 1)?,
        _ => (A::BITS, at),
    };
    let bytes = match (window[at], window[at + 1]) {
        (b'\r', b'\n') => at + 2,
        (b'\n' | b'\r', _) => at + 1,
        _ => return None,
    };
    let prefix = Prefix::containing(address, length);
    let masked = prefix.first() != address;
    (!masked || length > 0).then_some(Bare { prefix, masked, bytes })
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
fn leading_length<A: Address>(window: &[u8], at: usize) -> Option<(u8, usize)> {
    let digit = |at: usize| Some(window[at].wrapping_sub(b'0')).filter(|&digit| digit <= 9);
    let mut length = digit(at)?;
    let mut end = at + 1;
    while let Some(next) = digit(end) {
        // No length begins with a zero that has more digits behind it.
        length = length.checked_mul(10).filter(|&tens| tens > 0)?.checked_add(next)?;
        end += 1;
    }
    (length <= A::BITS).then_some((length, end))
}
