//! Keys of whole octets: how a rule of Apache, which can take an address to pieces
//! at its dots alone, finds the prefix that holds it. It knows no form of file.

use super::octets::OctetText;
use super::write::apart;
use crate::{Prefix, PrefixSet};

/// The first octets of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OctetKey {
    /// The octets, the last one lowest.
    pub(super) number: u32,
    /// How many, 1 to 4.
    pub(super) octets: u8,
}

impl OctetKey {
    pub(super) fn text(self) -> OctetText {
        OctetText::of(self.number, self.octets)
    }

    /// The bytes of its text.
    pub(super) fn text_len(self) -> usize {
        OctetText::len_of(self.number, self.octets)
    }
}

/// Every prefix as all those of 8, 16, 24 or 32 bits that it is made of: 128 at
/// the most, but for the one that holds everything. None is within another.
pub(super) fn octet_keys(set: &PrefixSet<u32>) -> impl Iterator<Item = OctetKey> + '_ {
    apart(set).flat_map(|prefix| {
        let (octets, low_bits) = octets_of(prefix);
        let (first, last) = (prefix.first() >> low_bits, prefix.last() >> low_bits);
        (first..=last).map(move |number| OctetKey { number, octets })
    })
}

/// How many there are.
pub(super) fn count_octet_keys(set: &PrefixSet<u32>) -> u64 {
    let keys = |prefix: Prefix<u32>| {
        let (_, low_bits) = octets_of(prefix);
        u64::from((prefix.last() >> low_bits) - (prefix.first() >> low_bits)) + 1
    };
    apart(set).map(keys).sum()
}

/// Whole octets that the length of a prefix reaches into, and the bits behind.
fn octets_of(prefix: Prefix<u32>) -> (u8, u32) {
    let octets = prefix.length().div_ceil(8).max(1);
    (octets, 32 - 8 * u32::from(octets))
}
