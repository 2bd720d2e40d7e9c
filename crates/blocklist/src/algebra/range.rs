//! Inclusive ranges of addresses, which feeds write as `a-b`, and the prefixes
//! they consist of.

use std::fmt;
use std::net::IpAddr;

use crate::{Address, AnyPrefix, Family, Prefix};

/// The fewest prefixes that hold exactly the addresses from `first` to `last`,
/// both included, in sorted order. At most 62 for IPv4 and 254 for IPv6; none
/// if `first` is above `last`.
pub fn range_prefixes<A: Address>(first: A, last: A) -> impl Iterator<Item = Prefix<A>> {
    let mut rest = Some(first);
    std::iter::from_fn(move || {
        let first = rest.filter(|&first| first <= last)?;
        let prefix = Prefix::containing(first, A::BITS - largest_block(first, last));
        rest = prefix.last().next();
        Some(prefix)
    })
}

/// The free bits of the largest block that begins at `first` and does not go
/// beyond `last`: bounded by how `first` is aligned and by how many there are.
fn largest_block<A: Address>(first: A, last: A) -> u8 {
    let steps = last.to_u128() - first.to_u128();
    let fitting = steps.checked_add(1).map_or(128, u128::ilog2);
    first.trailing_zeros().min(u8::try_from(fitting).unwrap_or(A::BITS))
}

/// The addresses from a first to a last one, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange<A> {
    first: A,
    last: A,
}

impl<A: Address> AddressRange<A> {
    /// The range from `first` to `last`, or `None` if they are reversed.
    pub fn new(first: A, last: A) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first address.
    pub fn first(self) -> A {
        self.first
    }

    /// The last address.
    pub fn last(self) -> A {
        self.last
    }

    /// Whether `address` is inside.
    pub fn contains(self, address: A) -> bool {
        self.first <= address && address <= self.last
    }

    /// The prefix with exactly these addresses, if there is one.
    pub fn as_prefix(self) -> Option<Prefix<A>> {
        self.prefixes().next().filter(|prefix| prefix.last() == self.last)
    }

    /// The fewest prefixes with these addresses, see [`range_prefixes`].
    pub fn prefixes(self) -> impl Iterator<Item = Prefix<A>> {
        range_prefixes(self.first, self.last)
    }
}

impl<A: Address> From<Prefix<A>> for AddressRange<A> {
    fn from(prefix: Prefix<A>) -> Self {
        Self { first: prefix.first(), last: prefix.last() }
    }
}

/// As a prefix where it is one, else as `first-last`.
impl<A: Address> fmt::Display for AddressRange<A> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.as_prefix() {
            Some(prefix) => prefix.fmt(out),
            None => write!(out, "{}-{}", self.first.to_ip(), self.last.to_ip()),
        }
    }
}

/// A range of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AnyRange {
    /// A range of IPv4 addresses.
    V4(AddressRange<u32>),
    /// A range of IPv6 addresses.
    V6(AddressRange<u128>),
}

impl AnyRange {
    /// The range's family.
    pub fn family(self) -> Family {
        match self {
            Self::V4(_) => Family::Ipv4,
            Self::V6(_) => Family::Ipv6,
        }
    }

    /// Whether `address` is inside.
    pub fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4(range), IpAddr::V4(address)) => range.contains(address.into()),
            (Self::V6(range), IpAddr::V6(address)) => range.contains(address.into()),
            _ => false,
        }
    }

    /// The prefix with exactly these addresses, if there is one.
    pub fn as_prefix(self) -> Option<AnyPrefix> {
        match self {
            Self::V4(range) => range.as_prefix().map(AnyPrefix::V4),
            Self::V6(range) => range.as_prefix().map(AnyPrefix::V6),
        }
    }
}

impl From<AnyPrefix> for AnyRange {
    fn from(prefix: AnyPrefix) -> Self {
        match prefix {
            AnyPrefix::V4(prefix) => Self::V4(prefix.into()),
            AnyPrefix::V6(prefix) => Self::V6(prefix.into()),
        }
    }
}

impl fmt::Display for AnyRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(range) => range.fmt(out),
            Self::V6(range) => range.fmt(out),
        }
    }
}
