//! The algebra against a naive answer. Prefixes are drawn from a universe of
//! 4,096 places, so that a table with one flag a place knows everything: the
//! lowest addresses, the highest ones, or the whole space cut into 4,096 blocks.

use std::collections::BTreeSet;

use blocklist::{Address, AddressCount, Overlap, Prefix, PrefixSet, range_prefixes};
use proptest::collection::vec;
use proptest::prelude::*;

const PLACES: usize = 4_096;
const PLACE_BITS: u8 = 12;

/// Which part of the address space the places are.
#[derive(Clone, Copy, Debug)]
enum Universe {
    /// The lowest 4,096 addresses, one each.
    Lowest,
    /// The highest 4,096 addresses, one each.
    Highest,
    /// The whole space, in blocks with 12 fixed bits.
    Whole,
}

/// A prefix as the place where it begins and the bits fixed within a universe.
type Drawn = (u16, u8);

trait Number: Address + TryFrom<u128> {
    fn of(number: u128) -> Self {
        Self::try_from(number).ok().expect("an address of the family")
    }
}
impl Number for u32 {}
impl Number for u128 {}

impl Universe {
    fn address<A: Number>(self, place: usize) -> A {
        let place = place as u128;
        match self {
            Self::Lowest => A::of(place),
            Self::Highest => A::of(A::MAX.to_u128() - (PLACES as u128 - 1) + place),
            Self::Whole => A::of(place << (A::BITS - PLACE_BITS)),
        }
    }

    fn prefix<A: Number>(self, (place, bits): Drawn) -> Prefix<A> {
        let address = self.address(usize::from(place));
        match self {
            Self::Whole => Prefix::containing(address, bits),
            _ => Prefix::containing(address, A::BITS - PLACE_BITS + bits),
        }
    }

    fn set<A: Number>(self, drawn: &[Drawn]) -> PrefixSet<A> {
        drawn.iter().map(|&drawn| self.prefix(drawn)).collect()
    }

    /// One flag for each place.
    fn flags<A: Number>(self, set: &PrefixSet<A>) -> Vec<bool> {
        let prefixes: Vec<Prefix<A>> = set.iter().collect();
        (0..PLACES)
            .map(|place| {
                let address = self.address(place);
                prefixes.iter().any(|prefix| prefix.contains(address))
            })
            .collect()
    }

    fn count<A: Number>(self, flags: &[bool]) -> AddressCount {
        let places = flags.iter().filter(|&&flag| flag).count() as u128;
        match self {
            Self::Whole if places == PLACES as u128 && A::BITS == 128 => AddressCount::WHOLE_IPV6,
            Self::Whole => (places << (A::BITS - PLACE_BITS)).into(),
            _ => places.into(),
        }
    }
}

fn universe() -> impl Strategy<Value = Universe> {
    prop_oneof![Just(Universe::Lowest), Just(Universe::Highest), Just(Universe::Whole)]
}

/// Prefixes of all lengths, crowded enough that many nest, touch or repeat,
/// with the first and the last place more often than by chance.
fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    let place = prop_oneof![8 => 0..4096_u16, 4 => 0..64_u16, 1 => Just(0), 1 => Just(4095)];
    let bits = prop_oneof![6 => 6..=12_u8, 1 => 0..=6_u8];
    vec((place, bits), 0..40)
}

/// The fewest prefixes for the flagged places, by halving.
fn fewest(flags: &[bool]) -> usize {
    let (low, high) = flags.split_at(flags.len() / 2);
    match flags {
        _ if flags.iter().all(|&flag| flag) => 1,
        _ if !flags.iter().any(|&flag| flag) => 0,
        _ => fewest(low) + fewest(high),
    }
}

fn combine(one: &[bool], other: &[bool], with: fn(bool, bool) -> bool) -> Vec<bool> {
    one.iter().zip(other).map(|(&a, &b)| with(a, b)).collect()
}

fn is_sorted_and_unique<A: Address>(set: &PrefixSet<A>) -> bool {
    set.iter().zip(set.iter().skip(1)).all(|(a, b)| a < b)
}

fn has_nested<A: Address>(set: &PrefixSet<A>) -> bool {
    set.iter().zip(set.iter().skip(1)).any(|(a, b)| a.covers(b))
}

/// Two sets, both of them once more, and the ends of one of them as exceptions.
fn check_overlap<A: Number>(a: &PrefixSet<A>, b: &PrefixSet<A>) {
    let ends = PrefixSet::from_unsorted(a.iter().step_by(3).chain(b.last()).collect());
    for except in [PrefixSet::new(), ends] {
        let counted = |set: &PrefixSet<A>| set.subtract(&except).address_count();
        let overlap = Overlap::of(&[a, b], &except);
        let common = a.intersect(b);
        assert_eq!(overlap.shared(0, 1), Some(counted(&common)), "shared");
        for (part, one, other) in [(overlap.parts[0], a, b), (overlap.parts[1], b, a)] {
            assert_eq!(part.addresses, counted(one), "addresses");
            assert_eq!(part.alone, counted(&one.subtract(other)), "alone");
            let one = one.without_covered();
            assert_eq!(part.prefixes, one.len() as u64, "prefixes");
            let all = PrefixSet::union([other, &except]);
            let met = |prefix: &Prefix<A>| {
                let itself = PrefixSet::from_unsorted(vec![*prefix]);
                !itself.intersect(&all).is_empty()
            };
            let alone = one.iter().filter(|prefix| !met(prefix)).count();
            assert_eq!(part.prefixes_alone, alone as u64, "prefixes alone");
        }
        let twice = Overlap::of(&[a, a, b], &except);
        assert_eq!(twice.parts[0].alone, AddressCount::default());
        assert_eq!(twice.shared(0, 1), Some(overlap.parts[0].addresses));
        assert_eq!(twice.shared(2, 1), overlap.shared(0, 1));
        assert_eq!(twice.parts[2].alone, overlap.parts[1].alone);
    }
    assert_eq!(Overlap::of(&[a], a).parts[0].addresses, AddressCount::default());
}

/// Every operation on one pair of sets.
fn check<A: Number>(universe: Universe, one: &[Drawn], other: &[Drawn]) {
    let (a, b) = (universe.set::<A>(one), universe.set::<A>(other));
    let (in_a, in_b) = (universe.flags(&a), universe.flags(&b));

    let members = |set: &PrefixSet<A>| set.iter().collect::<BTreeSet<_>>();
    let union = PrefixSet::union([&a, &b]);
    assert!(is_sorted_and_unique(&union));
    assert_eq!(members(&union), &members(&a) | &members(&b), "union");

    let difference = a.difference(&b);
    assert!(is_sorted_and_unique(&difference));
    assert_eq!(members(&difference), &members(&a) - &members(&b), "difference");
    assert_eq!(a.differences(&b), [difference, b.difference(&a)], "differences");
    assert_eq!(a.count_in_common(&b), (&members(&a) & &members(&b)).len(), "in common");

    let outer = a.without_covered();
    assert!(is_sorted_and_unique(&outer) && !has_nested(&outer));
    assert!(members(&outer).is_subset(&members(&a)));
    assert_eq!(universe.flags(&outer), in_a, "without_covered");

    let aggregate = a.aggregate();
    assert!(is_sorted_and_unique(&aggregate));
    assert_eq!(universe.flags(&aggregate), in_a, "aggregate");
    assert_eq!(aggregate.len(), fewest(&in_a), "aggregate is not the fewest");

    let both = a.intersect(&b);
    assert!(is_sorted_and_unique(&both) && !has_nested(&both));
    assert_eq!(universe.flags(&both), combine(&in_a, &in_b, |a, b| a && b), "intersect");

    check_subtract(universe, &a, &b);
    check_overlap(&a, &b);
    assert_eq!(a.address_count(), universe.count::<A>(&in_a), "address_count");
    let common = a.intersect(&b).address_count();
    assert_eq!(a.address_count().without(common), a.subtract(&b).address_count(), "without");
    for space in b.iter() {
        let within = a.intersect(&[space].into_iter().collect()).address_count();
        assert_eq!(a.address_count_in(space), within, "{space}");
    }
}

fn check_subtract<A: Number>(universe: Universe, a: &PrefixSet<A>, b: &PrefixSet<A>) {
    let left = a.subtract(b);
    let in_both = combine(&universe.flags(a), &universe.flags(b), |a, b| a && !b);
    assert!(is_sorted_and_unique(&left) && !has_nested(&left));
    assert_eq!(universe.flags(&left), in_both, "subtract");

    let mut expected = 0;
    for prefix in a.without_covered().iter() {
        let whole = PrefixSet::from_unsorted(vec![prefix]);
        let rest = combine(&universe.flags(&whole), &universe.flags(b), |a, b| a && !b);
        if rest == universe.flags(&whole) {
            assert!(left.position(prefix).is_ok(), "{prefix} lost nothing and is gone");
        }
        expected += fewest(&rest);
    }
    assert_eq!(left.len(), expected, "subtract splits more than it must");
}

fn check_membership<A: Number>(universe: Universe, drawn: &[Drawn], place: u16) {
    let set = universe.set::<A>(drawn);
    let address: A = universe.address(usize::from(place));
    let expected: Vec<_> = set.iter().filter(|prefix| prefix.contains(address)).collect();
    assert_eq!(set.covering(address), expected);
    assert_eq!(set.contains(address), !expected.is_empty());
    let counted: u64 = set.length_counts().iter().map(|&(_, count)| count).sum();
    assert_eq!(counted, set.len() as u64);
}

fn check_range<A: Number>(universe: Universe, first: u16, last: u16) {
    let from: A = universe.address(usize::from(first));
    let to: A = match universe {
        Universe::Whole => universe.prefix((last, PLACE_BITS)).last(),
        _ => universe.address(usize::from(last)),
    };
    let set = PrefixSet::from_unsorted(range_prefixes(from, to).collect());
    let flags: Vec<_> = (0..PLACES).map(|p| (first.into()..=last.into()).contains(&p)).collect();
    assert_eq!(universe.flags(&set), flags);
    assert_eq!(set.len(), fewest(&flags));
}

proptest! {
    #[test]
    fn every_operation_gives_the_naive_answer(
        universe in universe(), one in drawn(), other in drawn(),
    ) {
        check::<u32>(universe, &one, &other);
        check::<u128>(universe, &one, &other);
    }

    #[test]
    fn membership_gives_the_naive_answer(
        universe in universe(), drawn in drawn(), places in vec(0..4096_u16, 20),
    ) {
        for place in places {
            check_membership::<u32>(universe, &drawn, place);
            check_membership::<u128>(universe, &drawn, place);
        }
    }

    #[test]
    fn a_range_is_its_fewest_prefixes(
        universe in universe(), first in 0..4096_u16, last in 0..4096_u16,
    ) {
        check_range::<u32>(universe, first, last);
        check_range::<u128>(universe, first, last);
    }

    #[test]
    fn many_sets_unite_as_one(sets in vec(drawn(), 0..9)) {
        let each: Vec<PrefixSet<u32>> = sets.iter().map(|d| Universe::Whole.set(d)).collect();
        let all: Vec<Drawn> = sets.concat();
        prop_assert_eq!(PrefixSet::union(&each), Universe::Whole.set(&all));
    }

    #[test]
    fn a_long_list_is_sorted_as_a_short_one(
        numbers in vec((any::<u32>(), 0..=32_u8), 1_000..1_200), shared in any::<u32>(),
    ) {
        for mask in [u32::MAX, 0xffff, 0xff00_0000, 0] {
            let address = |number| (number & mask) | (shared & !mask);
            let prefixes: Vec<Prefix<u32>> =
                numbers.iter().map(|&(n, bits)| Prefix::containing(address(n), bits)).collect();
            let sorted: Vec<_> = prefixes.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
            let set = PrefixSet::from_unsorted(prefixes);
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), sorted);
        }
    }
}

fn whole<A: Address>() -> PrefixSet<A> {
    PrefixSet::from_unsorted(vec![Prefix::containing(A::MIN, 0)])
}

fn hosts<A: Address>(addresses: &[A]) -> PrefixSet<A> {
    addresses.iter().map(|&address| Prefix::host(address)).collect()
}

fn check_edges<A: Number>(count_of_all_but_two: &str) {
    let edges = hosts(&[A::MIN, A::MAX]);
    let middle = whole::<A>().subtract(&edges);
    assert_eq!(middle.len(), 2 * usize::from(A::BITS) - 2);
    assert_eq!(middle.address_count().to_string(), count_of_all_but_two);
    assert!(!middle.contains(A::MIN) && !middle.contains(A::MAX));
    assert_eq!(PrefixSet::union([&middle, &edges]).aggregate(), whole());
    assert_eq!(edges.subtract(&whole()), PrefixSet::new());
    assert_eq!(whole().intersect(&edges), edges);
    assert_eq!(range_prefixes(A::MIN, A::MAX).collect::<PrefixSet<A>>(), whole());
    assert_eq!(range_prefixes(A::MAX, A::MIN).count(), 0);
    assert_eq!(range_prefixes(A::MAX, A::MAX).count(), 1);
}

#[test]
fn the_first_and_the_last_address_are_like_any_other() {
    check_edges::<u32>("4294967294");
    check_edges::<u128>("340282366920938463463374607431768211454");
}

#[test]
fn the_whole_space_is_counted() {
    assert_eq!(whole::<u32>().address_count().to_string(), "4294967296");
    let all = "340282366920938463463374607431768211456";
    assert_eq!(whole::<u128>().address_count().to_string(), all);
    assert_eq!(whole::<u128>().address_count(), AddressCount::WHOLE_IPV6);
    assert_eq!(whole::<u128>().address_count().to_u128(), None);
    let halves: PrefixSet<u128> =
        Prefix::containing(0, 0).halves().expect("not a host").into_iter().collect();
    assert_eq!(halves.address_count(), AddressCount::WHOLE_IPV6);
    assert!(AddressCount::WHOLE_IPV6 > AddressCount::from(u128::MAX));
}

proptest! {
    #[test]
    fn sets_with_much_in_common_differ_in_what_only_one_has(
        gone in vec(0..2_000_u32, 0..6),
        come in vec(0..2_000_u32, 0..6),
    ) {
        let host = |number: u32| Prefix::host(number * 2);
        let all: BTreeSet<_> = (0..2_000).map(host).collect();
        let gone: BTreeSet<_> = gone.into_iter().map(host).collect();
        let come: BTreeSet<_> = come.into_iter().map(|number| Prefix::host(number * 2 + 1)).collect();
        let before: PrefixSet<u32> = all.iter().copied().collect();
        let after: PrefixSet<u32> = (&all - &gone).union(&come).copied().collect();
        let want = [gone, come].map(PrefixSet::from_iter);
        prop_assert_eq!(before.differences(&after), want);
    }
}
