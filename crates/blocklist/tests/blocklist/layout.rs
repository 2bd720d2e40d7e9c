//! Layouts against all that there are: prefixes of a block of 256 addresses are
//! of nine lengths, so each of the 512 sets of lengths can be tried.

use blocklist::{Address, Lengths, Prefix, PrefixSet};
use proptest::collection::vec;
use proptest::prelude::*;

const BLOCK_BITS: u8 = 8;

/// Prefixes of a block as an address and the bits fixed in it; more single
/// addresses than others, as in lists.
fn drawn() -> impl Strategy<Value = Vec<(u8, u8)>> {
    vec((any::<u8>(), prop_oneof![3 => Just(8), 2 => 5..8_u8, 1 => 1..5_u8]), 0..60)
}

fn set<A: Address + From<u8>>(drawn: &[(u8, u8)]) -> PrefixSet<A> {
    let prefix =
        |&(address, bits)| Prefix::containing(A::from(address), A::BITS - BLOCK_BITS + bits);
    drawn.iter().map(prefix).collect::<PrefixSet<A>>().without_covered()
}

/// The fewest members in each number of lengths, by trying all sets of lengths
/// that end with single addresses or with the longest prefix there is.
fn by_trying<A: Address>(set: &PrefixSet<A>) -> [u64; 10] {
    let joined = set.aggregate();
    let mut least = [u64::MAX; 10];
    for chosen in 0_u32..512 {
        let bits = |from: u8| (from..=8).find(|bits| chosen & 1 << bits != 0);
        let parts = joined.iter().map(|prefix| {
            let own = prefix.length() - (A::BITS - BLOCK_BITS);
            bits(own).map(|written| 1_u64 << (written - own))
        });
        if let Some(members) = parts.sum::<Option<u64>>() {
            let least = &mut least[chosen.count_ones() as usize];
            *least = members.min(*least);
        }
    }
    least
}

fn check<A: Address + From<u8>>(drawn: &[(u8, u8)], percent: u32) {
    let set = set::<A>(drawn);
    let written = Lengths::of(&set).len();
    let laid_out = set.in_few_lengths(percent, &Lengths::default());
    let members_max = set.len() as u64 * u64::from(100 + percent) / 100;
    let least = by_trying(&set);
    let fewest = (0..10).find(|&lengths| least[lengths] <= members_max);
    let fewest = fewest.expect("as it is written it is within the limit");
    let Some(laid_out) = laid_out else {
        assert!(fewest >= written, "{fewest} lengths would do");
        return;
    };
    let lengths = Lengths::of(&laid_out);
    assert_eq!(laid_out.aggregate(), set.aggregate(), "other addresses");
    assert!(laid_out.holds_the_same(&set) && set.holds_the_same(&laid_out));
    let less: PrefixSet<A> = laid_out.iter().skip(1).collect();
    assert!(!less.holds_the_same(&set) && !set.holds_the_same(&less));
    assert_eq!(laid_out.without_covered(), laid_out, "nested");
    assert_eq!(lengths.len(), fewest);
    assert_eq!(laid_out.len() as u64, least[fewest], "of as many lengths the fewest members");
}

/// From one day to the next in the same lengths while these will do.
fn check_kept<A: Address + From<u8>>(one: &[(u8, u8)], more: &[(u8, u8)], percent: u32) {
    let before = set::<A>(one);
    let before = before.in_few_lengths(percent, &Lengths::default()).unwrap_or(before);
    let kept = Lengths::of(&before);
    let after = set::<A>(&[one, more].concat());
    let Some(laid_out) = after.in_few_lengths(percent, &kept) else { return };
    assert_eq!(laid_out.aggregate(), after.aggregate(), "other addresses");
    assert!(laid_out.len() <= after.len() * (100 + percent as usize) / 100);
    let anew = after.in_few_lengths(percent, &Lengths::default());
    let anew = Lengths::of(anew.as_ref().unwrap_or(&after));
    let lengths = Lengths::of(&laid_out);
    let of_kept = lengths.iter().all(|length| kept.iter().any(|own| own == length));
    assert!(of_kept || lengths == anew, "{lengths:?} is neither {kept:?} nor {anew:?}");
    assert!(lengths.len() <= anew.len() + 1, "{lengths:?} where {anew:?} would do");
}

proptest! {
    #[test]
    fn a_layout_holds_the_same_addresses_in_the_fewest_lengths(
        drawn in drawn(), percent in prop_oneof![Just(0_u32), 0..40_u32, 0..400_u32],
    ) {
        check::<u32>(&drawn, percent);
        check::<u128>(&drawn, percent);
    }

    #[test]
    fn lengths_are_kept_while_they_are_nearly_as_good(
        one in drawn(), more in vec((any::<u8>(), 1..=8_u8), 0..4), percent in 0..100_u32,
    ) {
        check_kept::<u32>(&one, &more, percent);
        check_kept::<u128>(&one, &more, percent);
    }
}

#[test]
fn what_can_only_get_worse_stays_as_it_is() {
    let few = Lengths::default();
    let hosts: PrefixSet<u32> = (0..256).map(Prefix::host).collect();
    assert_eq!(hosts.in_few_lengths(25, &few), None, "one length");
    let halves = [0, 1 << 31].map(|half| Prefix::containing(half, 1));
    let all: PrefixSet<u32> = halves.into_iter().chain([Prefix::host(7)]).collect();
    assert_eq!(all.in_few_lengths(25, &few), None, "no kernel set holds 0.0.0.0/0 as a member");
    let wide: PrefixSet<u128> =
        [Prefix::containing(1 << 100, 8), Prefix::host(u128::MAX)].into_iter().collect();
    assert_eq!(wide.in_few_lengths(u32::MAX, &few), None, "2^120 members");
    assert_eq!(PrefixSet::<u32>::new().in_few_lengths(25, &few), None);
}

/// A day's change of a large list is as small in the kernel.
#[test]
fn an_entry_more_is_a_member_more() {
    let hosts = (0..4_000_u32).map(|host| Prefix::host(host << 9));
    let nets =
        (0..300_u32).map(|net| Prefix::containing(1 << 30 | net << 12, 26 + (net % 6) as u8));
    let before: PrefixSet<u32> = hosts.chain(nets).collect();
    let laid_out = before.in_few_lengths(25, &Lengths::default()).expect("seven lengths");
    let kept = Lengths::of(&laid_out);
    assert!(kept.len() < 4, "{kept:?}");
    let more = [Prefix::host(3 << 30), Prefix::containing(3 << 29, 27)];
    let after = PrefixSet::union([&before, &more.into_iter().collect()]);
    let after = after.in_few_lengths(25, &kept).expect("as many lengths");
    assert!(laid_out.difference(&after).is_empty());
    assert!(after.difference(&laid_out).len() <= 1 + 32);
}
