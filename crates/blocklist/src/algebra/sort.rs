//! The sorting of prefixes that come in any order, as feeds and dumps bring
//! them. Knows only that an IPv4 prefix fits into 40 bits.

use crate::{Address, Prefix};

/// Below this many prefixes the comparison sort wins over the counting passes.
const COUNTING_MIN: usize = 1_024;

/// The digits of an IPv4 prefix's key, lowest first: where each begins, and
/// how many values it has. Six bits hold the length, 0 to 32; three digits of
/// at most 11 bits hold the address, so that a table of counters fits into the
/// first level cache.
const DIGITS: [(u32, usize); 4] = [(0, 1 << 8), (8, 1 << 11), (19, 1 << 11), (30, 1 << 10)];

/// Sorts by first address, then by length.
///
/// What is sorted already, as many feeds are, is only looked at. IPv4 takes
/// one counting pass per digit that differs at all, and as much memory again.
pub(crate) fn sort<A: Address>(prefixes: &mut Vec<Prefix<A>>) {
    if prefixes.is_sorted() {
        return;
    }
    let countable = A::BITS == 32 && u32::try_from(prefixes.len()).is_ok();
    if countable && prefixes.len() >= COUNTING_MIN {
        sort_by_counting(prefixes);
    } else {
        prefixes.sort_unstable();
    }
}

/// The prefix as a number that sorts as it does. For 32-bit addresses only.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a 32-bit address")]
fn key<A: Address>(prefix: Prefix<A>) -> u64 {
    (prefix.first().to_u128() as u64) << 8 | u64::from(prefix.length())
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "masked to 11 bits")]
fn digit<A: Address>(prefix: Prefix<A>, (shift, values): (u32, usize)) -> usize {
    (key(prefix) >> shift) as usize & (values - 1)
}

/// A radix sort from the lowest digit up.
fn sort_by_counting<A: Address>(prefixes: &mut Vec<Prefix<A>>) {
    let mut counters = vec![[0_u32; 1 << 11]; DIGITS.len()];
    for &prefix in prefixes.iter() {
        for (counts, place) in counters.iter_mut().zip(DIGITS) {
            counts[digit(prefix, place)] += 1;
        }
    }
    let mut sorted = prefixes.clone();
    for (counts, place) in counters.iter_mut().zip(DIGITS) {
        let all_alike = counts[digit(prefixes[0], place)] as usize == prefixes.len();
        if all_alike {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &prefix in prefixes.iter() {
            let next = &mut counts[digit(prefix, place)];
            sorted[*next as usize] = prefix;
            *next += 1;
        }
        std::mem::swap(prefixes, &mut sorted);
    }
}
