//! Anything that may be sent: names, sets and chunks of every kind.

use blocklist::{Address, Family, Prefix, PrefixSet};
use proptest::prelude::*;
use reconcile::{CHUNK_MAX, Capacity, Chunk, Members, SetName, SetPrefix, SetSpec};

pub(crate) fn families() -> impl Strategy<Value = Family> {
    prop_oneof![Just(Family::Ipv4), Just(Family::Ipv6)]
}

pub(crate) fn names(family: Family) -> impl Strategy<Value = SetName> {
    let live = "[A-Za-z0-9][A-Za-z0-9_.-]{0,18}".prop_map(move |list| {
        let prefix = SetPrefix::new("denyset-").expect("fits");
        prefix.live(&list, family).expect("fits")
    });
    let shadow = (0..1_000_000_u32)
        .prop_map(move |number| SetPrefix::new("a").expect("fits").shadow(number, family));
    prop_oneof![live, shadow]
}

pub(crate) fn specs() -> impl Strategy<Value = SetSpec> {
    let capacities =
        (any::<u32>(), any::<u32>()).prop_map(|(hashsize, maxelem)| Capacity { hashsize, maxelem });
    (families().prop_flat_map(names), capacities, any::<u32>())
        .prop_map(|(name, capacity, initval)| SetSpec { name, capacity, initval })
}

fn members<A>(any: impl Strategy<Value = A> + 'static) -> impl Strategy<Value = Members>
where
    A: Address,
    Members: From<PrefixSet<A>>,
{
    let prefixes = (any, 1..=A::BITS).prop_map(|(a, length)| Prefix::containing(a, length)).boxed();
    let counts = prop_oneof![1..20_usize, CHUNK_MAX - 3..CHUNK_MAX + 20];
    counts
        .prop_flat_map(move |count| prop::collection::vec(prefixes.clone(), count))
        .prop_map(|prefixes| PrefixSet::from_unsorted(prefixes).into())
}

/// A set and one of the chunks of members that fit it.
pub(crate) fn chunks() -> impl Strategy<Value = (SetName, Chunk)> {
    let ipv4 = (names(Family::Ipv4), members(any::<u32>()));
    let ipv6 = (names(Family::Ipv6), members(any::<u128>()));
    prop_oneof![ipv4, ipv6].prop_flat_map(|(set, members)| {
        let chunks: Vec<_> = members.chunks().collect();
        (Just(set), prop::sample::select(chunks))
    })
}
