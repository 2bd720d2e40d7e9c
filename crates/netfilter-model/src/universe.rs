//! The small world that cases are made of: sixteen neighbouring addresses of
//! each family and every prefix among them, so that nesting, splitting and
//! covering happen all the time.

use blocklist::{Address, AnyPrefix, Family, Prefix};

use crate::Random;

/// `198.51.100.0`, of TEST-NET-2 (RFC 5737).
const IPV4: u32 = 0xc633_6400;
/// `2001:db8::`, for documentation (RFC 3849).
const IPV6: u128 = 0x2001_0db8 << 96;
/// Bits that differ among the addresses.
const HOST_BITS: u8 = 4;

/// All 31 prefixes of one family's world, from the whole to the single
/// addresses.
pub fn universe(family: Family) -> Vec<AnyPrefix> {
    fn below<A: Address>(whole: Prefix<A>) -> Vec<Prefix<A>> {
        let deeper = whole.halves().into_iter().flatten().flat_map(below);
        std::iter::once(whole).chain(deeper).collect()
    }
    let bits = family.bits() - HOST_BITS;
    match family {
        Family::Ipv4 => below(Prefix::containing(IPV4, bits)).into_iter().map(Into::into).collect(),
        Family::Ipv6 => below(Prefix::containing(IPV6, bits)).into_iter().map(Into::into).collect(),
    }
}

/// Up to `most` prefixes of one family's world, at random.
pub fn prefixes(random: &mut Random, family: Family, most: usize) -> Vec<AnyPrefix> {
    let world = universe(family);
    let count = random.below(most + 1);
    (0..count).map(|_| *random.pick(&world)).collect()
}
