//! The sorting of addresses and prefixes that come in any order, as feeds and
//! dumps bring them. Knows only that those of IPv4 fit into 32 and 40 bits.

use crate::{Address, Prefix};

/// Below this many items the comparison sort wins over the counting passes.
const COUNTING_MIN: usize = 1_024;

/// Values of a digit at the most: a table of that many counters fits into the
/// first level cache.
const VALUES_MAX: usize = 1 << 11;

/// A digit of a key: the bit it begins at, and how many values it has.
type Digit = (u32, usize);

/// The digits of an IPv4 address, lowest first.
const ADDRESS_DIGITS: [Digit; 3] = [(0, 1 << 11), (11, 1 << 11), (22, 1 << 10)];

/// The digits of an IPv4 prefix's key, lowest first. Eight bits hold the length,
/// 0 to 32, the others the address.
const PREFIX_DIGITS: [Digit; 4] = [(0, 1 << 8), (8, 1 << 11), (19, 1 << 11), (30, 1 << 10)];

/// Sorts by first address, then by length.
///
/// What is sorted already, as many feeds are, is only looked at. IPv4 takes
/// one counting pass per digit that differs at all, and as much memory again.
pub(crate) fn sort<A: Address>(prefixes: &mut Vec<Prefix<A>>) {
    sort_by_digits::<A, _>(prefixes, PREFIX_DIGITS, prefix_key);
}

/// The same of single addresses.
pub(crate) fn sort_addresses<A: Address>(addresses: &mut Vec<A>) {
    sort_by_digits::<A, _>(addresses, ADDRESS_DIGITS, address_key);
}

fn sort_by_digits<A: Address, T: Copy + Ord>(
    items: &mut Vec<T>,
    digits: impl AsRef<[Digit]>,
    key: impl Fn(T) -> u64,
) {
    if items.is_sorted() {
        return;
    }
    let countable = A::BITS == 32 && u32::try_from(items.len()).is_ok();
    if countable && items.len() >= COUNTING_MIN {
        sort_by_counting(items, digits.as_ref(), key);
    } else {
        items.sort_unstable();
    }
}

/// An address as a number that sorts as it does. For 32-bit addresses only.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a 32-bit address")]
fn address_key<A: Address>(address: A) -> u64 {
    address.to_u128() as u64
}

/// The same of a prefix.
#[inline]
fn prefix_key<A: Address>(prefix: Prefix<A>) -> u64 {
    address_key(prefix.first()) << 8 | u64::from(prefix.length())
}

/// A radix sort from the lowest digit up.
fn sort_by_counting<T: Copy>(items: &mut Vec<T>, digits: &[Digit], key: impl Fn(T) -> u64) {
    #[expect(clippy::cast_possible_truncation, reason = "masked to 11 bits")]
    let value = |item: T, (shift, values): Digit| (key(item) >> shift) as usize & (values - 1);
    let mut counters = vec![[0_u32; VALUES_MAX]; digits.len()];
    for &item in items.iter() {
        for (counts, &digit) in counters.iter_mut().zip(digits) {
            counts[value(item, digit)] += 1;
        }
    }
    let mut sorted = items.clone();
    for (counts, &digit) in counters.iter_mut().zip(digits) {
        let all_alike = counts[value(items[0], digit)] as usize == items.len();
        if all_alike {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &item in items.iter() {
            let next = &mut counts[value(item, digit)];
            sorted[*next as usize] = item;
            *next += 1;
        }
        std::mem::swap(items, &mut sorted);
    }
}
