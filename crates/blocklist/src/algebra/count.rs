//! How many addresses a set has, which for IPv6 may be one more than fits into
//! 128 bits.

use std::fmt;

use crate::{Address, Prefix, PrefixSet};

/// A number of addresses, 0 to 2^128. Displayed in decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressCount {
    /// Whether it is 2^128; the rest is zero then.
    whole: bool,
    rest: u128,
}

impl AddressCount {
    /// All IPv6 addresses, 2^128.
    pub const WHOLE_IPV6: Self = Self { whole: true, rest: 0 };

    /// The number, or `None` for 2^128.
    pub fn to_u128(self) -> Option<u128> {
        (!self.whole).then_some(self.rest)
    }

    /// Adds the addresses of a disjoint block. The sum of disjoint blocks
    /// passes 128 bits only by being 2^128 exactly.
    pub(super) fn plus(self, more: Self) -> Self {
        let (rest, whole) = self.rest.overflowing_add(more.rest);
        Self { whole: whole || self.whole || more.whole, rest }
    }

    /// What is left without a part of them.
    #[must_use]
    pub fn without(self, part: Self) -> Self {
        let whole = self.whole && part == Self::default();
        Self { whole, rest: self.rest.wrapping_sub(part.rest) }
    }

    /// The addresses from a first to a last one, both included.
    pub(super) fn from_to<A: Address>(first: A, last: A) -> Self {
        let steps = last.to_u128() - first.to_u128();
        steps.checked_add(1).map_or(Self::WHOLE_IPV6, Self::from)
    }

    /// The addresses of a block with this many free bits.
    fn of_host_bits(bits: u8) -> Self {
        1_u128.checked_shl(bits.into()).map_or(Self::WHOLE_IPV6, Self::from)
    }
}

impl From<u128> for AddressCount {
    fn from(count: u128) -> Self {
        Self { whole: false, rest: count }
    }
}

impl fmt::Display for AddressCount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole {
            out.pad_integral(true, "", "340282366920938463463374607431768211456")
        } else {
            self.rest.fmt(out)
        }
    }
}

impl<A: Address> PrefixSet<A> {
    /// How many addresses there are, each counted once.
    pub fn address_count(&self) -> AddressCount {
        self.address_count_in(Prefix::containing(A::MIN, 0))
    }

    /// How many of the addresses are in `space`, each counted once.
    pub fn address_count_in(&self, space: Prefix<A>) -> AddressCount {
        if self.has_hosts_only() {
            let addresses = self.addresses();
            let start = addresses.partition_point(|&address| address < space.first());
            let end = addresses.partition_point(|&address| address <= space.last());
            return AddressCount::from((end - start) as u128);
        }
        let common = self.uncovered().filter_map(|prefix| {
            let smaller = if space.covers(prefix) { prefix } else { space };
            prefix.covers(smaller).then_some(smaller)
        });
        common.fold(AddressCount::default(), |sum, prefix| {
            sum.plus(AddressCount::of_host_bits(A::BITS - prefix.length()))
        })
    }
}
