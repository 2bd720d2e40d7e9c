//! The short way for the lines that almost all feeds almost only consist of: an
//! address or prefix, and the end of the line. It knows these lines only and
//! leaves all others, also the wrong ones, to the long way.

use crate::token::{ipv4, ipv6};
use crate::{Address, Prefix};

/// How many bytes are looked at. The longest line of this kind has 49: an IPv6
/// address of 45, a length, and the end of the line.
pub(super) const WINDOW: usize = 52;

/// How many of them for IPv4. The longest line has 20 then.
const IPV4_WINDOW: usize = 24;

/// A line that is an entry.
pub(super) struct Bare<A> {
    pub prefix: Prefix<A>,
    pub masked: bool,
    /// Bytes of the line with its end.
    pub bytes: usize,
}

/// Reads a line of IPv4 if it is of the short kind and is followed by enough
/// bytes.
#[inline]
pub(super) fn ipv4(rest: &[u8]) -> Option<Bare<u32>> {
    let window: &[u8; IPV4_WINDOW] = rest.first_chunk()?;
    let (address, at) = ipv4::leading(window.first_chunk()?)?;
    finish(address, window, at)
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
