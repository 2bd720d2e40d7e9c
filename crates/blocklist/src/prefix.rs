//! A prefix: a block of addresses written as a canonical CIDR, its host bits
//! zero. An address alone is the prefix of full length.

use std::fmt;
use std::net::IpAddr;

use crate::{Address, Family};

/// A canonical CIDR of one family: the bits after `length` are zero.
///
/// Ordered by first address, then by length, so that a covering prefix comes
/// before everything it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix<A> {
    address: A,
    length: u8,
}

impl<A: Address> Prefix<A> {
    /// The prefix that begins at `address`. `None` if `length` is above the
    /// family's bits or if `address` has bits set beyond `length`.
    pub fn new(address: A, length: u8) -> Option<Self> {
        (length <= A::BITS && address & !A::mask(length) == A::MIN)
            .then_some(Self { address, length })
    }

    /// The prefix of `length` bits that holds `address`; host bits are
    /// cleared. Lengths above the family's bits count as a single address.
    pub fn containing(address: A, length: u8) -> Self {
        let length = length.min(A::BITS);
        Self { address: address & A::mask(length), length }
    }

    /// The prefix that holds `address` alone.
    pub fn host(address: A) -> Self {
        Self { address, length: A::BITS }
    }

    /// The prefix of an address and a length that are known to fit each other,
    /// as those in the columns of a set are.
    #[inline]
    pub(crate) fn from_columns(address: A, length: u8) -> Self {
        debug_assert_eq!(Self::new(address, length), Some(Self { address, length }));
        Self { address, length }
    }

    /// The first address.
    #[inline]
    pub fn first(self) -> A {
        self.address
    }

    /// The last address.
    #[inline]
    pub fn last(self) -> A {
        self.address | !A::mask(self.length)
    }

    /// The number of fixed bits, 0 to the family's bits.
    #[inline]
    pub fn length(self) -> u8 {
        self.length
    }

    /// Whether `address` is inside.
    #[inline]
    pub fn contains(self, address: A) -> bool {
        address & A::mask(self.length) == self.address
    }

    /// Whether `other` is inside or equal.
    #[inline]
    pub fn covers(self, other: Self) -> bool {
        self.length <= other.length && self.contains(other.address)
    }

    /// The two halves, or `None` for a single address.
    pub fn halves(self) -> Option<[Self; 2]> {
        let length = self.length + 1;
        (length <= A::BITS).then(|| {
            let high = self.address | (A::mask(length) ^ A::mask(self.length));
            [Self { address: self.address, length }, Self { address: high, length }]
        })
    }

    /// The prefix one bit shorter that holds this one, or `None` for `/0`.
    pub fn parent(self) -> Option<Self> {
        let length = self.length.checked_sub(1)?;
        Some(Self::containing(self.address, length))
    }
}

/// An address alone is written bare, as `ipset save` and people write it.
impl<A: Address> fmt::Display for Prefix<A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address.to_ip() {
            IpAddr::V4(ip) => out.write_str(Dotted::of(ip.octets(), self.length).as_str()),
            IpAddr::V6(ip) if self.length == A::BITS => write!(out, "{ip}"),
            IpAddr::V6(ip) => write!(out, "{ip}/{}", self.length),
        }
    }
}

/// The text of an IPv4 prefix. Lists have a million of them, so it is put
/// together at once and not by five calls into the formatter.
struct Dotted {
    text: [u8; Self::BYTES_MAX],
    bytes: usize,
}

impl Dotted {
    const BYTES_MAX: usize = "255.255.255.255/31".len();

    fn of(octets: [u8; 4], length: u8) -> Self {
        let mut dotted = Self { text: [0; Self::BYTES_MAX], bytes: 0 };
        dotted.number(octets[0]);
        for octet in &octets[1..] {
            dotted.push(b'.');
            dotted.number(*octet);
        }
        if length < 32 {
            dotted.push(b'/');
            dotted.number(length);
        }
        dotted
    }

    fn push(&mut self, byte: u8) {
        self.text[self.bytes] = byte;
        self.bytes += 1;
    }

    fn number(&mut self, number: u8) {
        if number >= 100 {
            self.push(b'0' + number / 100);
        }
        if number >= 10 {
            self.push(b'0' + number / 10 % 10);
        }
        self.push(b'0' + number % 10);
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.text[..self.bytes]).unwrap_or_default()
    }
}

/// A prefix of either family, for places that handle one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyPrefix {
    /// An IPv4 prefix.
    V4(Prefix<u32>),
    /// An IPv6 prefix.
    V6(Prefix<u128>),
}

impl AnyPrefix {
    /// The prefix that holds `ip` alone.
    pub fn host(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::V4(Prefix::host(ip.into())),
            IpAddr::V6(ip) => Self::V6(Prefix::host(ip.into())),
        }
    }

    /// The prefix's family.
    pub fn family(self) -> Family {
        match self {
            Self::V4(_) => Family::Ipv4,
            Self::V6(_) => Family::Ipv6,
        }
    }

    /// The first address.
    pub fn network(self) -> IpAddr {
        match self {
            Self::V4(prefix) => prefix.first().to_ip(),
            Self::V6(prefix) => prefix.first().to_ip(),
        }
    }

    /// Whether `ip` is inside.
    #[inline]
    pub fn contains(self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Self::V4(prefix), IpAddr::V4(ip)) => prefix.contains(ip.into()),
            (Self::V6(prefix), IpAddr::V6(ip)) => prefix.contains(ip.into()),
            _ => false,
        }
    }
}

impl From<Prefix<u32>> for AnyPrefix {
    fn from(prefix: Prefix<u32>) -> Self {
        Self::V4(prefix)
    }
}

impl From<Prefix<u128>> for AnyPrefix {
    fn from(prefix: Prefix<u128>) -> Self {
        Self::V6(prefix)
    }
}

impl fmt::Display for AnyPrefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(prefix) => prefix.fmt(out),
            Self::V6(prefix) => prefix.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_ipv4_prefix_is_written_as_the_standard_library_writes_its_address() {
        for octet in 0..=u8::MAX {
            let ip = Ipv4Addr::from([octet, !octet, octet / 2, octet]);
            assert_eq!(Prefix::host(u32::from(ip)).to_string(), ip.to_string());
        }
        for length in 0..32 {
            let prefix = Prefix::containing(u32::MAX, length);
            let want = format!("{}/{length}", Ipv4Addr::from(prefix.first()));
            assert_eq!(prefix.to_string(), want);
        }
    }
}
