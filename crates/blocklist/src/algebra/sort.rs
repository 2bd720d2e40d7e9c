//! The sorting of addresses and prefixes that come in any order, as feeds and
//! dumps bring them. Knows only that those of IPv4 fit into 32 and 40 bits.

use crate::{Address, Prefix};

/// Below this many items the comparison sort wins over the counting passes.
const COUNTING_MIN: usize = 1_024;

/// More items than this are parted first, in their own place, and then sorted part
/// by part: the copy that counting needs is not of all of them, and it stays in
/// the processor's caches.
const PART_MAX: usize = 1 << 18;

/// Bits of a digit by which items are parted. Each value has a place of its own
/// that items go to, and as many are within reach of a processor at a time.
const PART_BITS: u32 = 8;

/// Bits of a digit by which is counted, at the most: a table of so many counters
/// fits into the first level cache.
const COUNT_BITS: u32 = 11;

/// Bits of the key of an IPv4 address.
const ADDRESS_BITS: u32 = 32;
/// The same of a prefix: six hold the length, 0 to 32.
const PREFIX_BITS: u32 = ADDRESS_BITS + LENGTH_BITS;
const LENGTH_BITS: u32 = 6;

/// A digit of a key.
#[derive(Clone, Copy)]
struct Digit {
    /// The bit that it begins at.
    shift: u32,
    /// How many values it has, a power of two.
    values: usize,
}

/// Sorts by first address, then by length.
///
/// What is sorted already, as many feeds are, is only looked at. IPv4 takes
/// one counting pass per digit that differs at all, and little memory besides.
pub(crate) fn sort<A: Address>(prefixes: &mut [Prefix<A>]) {
    sort_by_digits::<A, _>(prefixes, PREFIX_BITS, prefix_key);
}

/// The same of single addresses.
pub(crate) fn sort_addresses<A: Address>(addresses: &mut [A]) {
    sort_by_digits::<A, _>(addresses, ADDRESS_BITS, address_key);
}

fn sort_by_digits<A: Address, T: Copy + Ord>(items: &mut [T], bits: u32, key: impl Fn(T) -> u64) {
    if items.is_sorted() {
        return;
    }
    let countable = A::BITS == 32 && u32::try_from(items.len()).is_ok();
    if countable {
        sort_in_parts(items, bits, &key, &mut Vec::new());
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
    address_key(prefix.first()) << LENGTH_BITS | u64::from(prefix.length())
}

/// A radix sort of items whose keys differ in their lowest `bits` only. `scratch` is
/// memory for it, used again and again.
fn sort_in_parts<T: Copy + Ord>(
    items: &mut [T],
    bits: u32,
    key: &impl Fn(T) -> u64,
    scratch: &mut Vec<T>,
) {
    if bits == 0 {
        return;
    }
    if items.len() < COUNTING_MIN {
        items.sort_unstable();
        return;
    }
    if items.len() <= PART_MAX {
        sort_by_counting(items, bits, key, scratch);
        return;
    }
    let lower = bits.saturating_sub(PART_BITS);
    let mut rest = items;
    for count in part(rest, Digit { shift: lower, values: 1 << (bits - lower) }, key) {
        let (these, others) = rest.split_at_mut(count);
        sort_in_parts(these, lower, key, scratch);
        rest = others;
    }
}

/// Brings items with the same value of a digit together, in the order of the
/// values, and says how many have each. Every item is moved once, to its place:
/// the "American flag sort" of Engineering Radix Sort, Computing Systems 6 (1993).
fn part<T: Copy>(items: &mut [T], digit: Digit, key: &impl Fn(T) -> u64) -> Vec<usize> {
    let mut counts = vec![0_usize; digit.values];
    for &item in items.iter() {
        counts[digit.of(key(item))] += 1;
    }
    // Where the next of each value goes, and where its part ends.
    let mut next = Vec::with_capacity(counts.len());
    let mut end = 0;
    for &count in &counts {
        next.push(end);
        end += count;
    }
    let mut end = 0;
    for of in 0..counts.len() {
        end += counts[of];
        while next[of] < end {
            let mut item = items[next[of]];
            loop {
                let to = digit.of(key(item));
                std::mem::swap(&mut items[next[to]], &mut item);
                next[to] += 1;
                if to == of {
                    break;
                }
            }
        }
    }
    counts
}

impl Digit {
    /// The digits of a key of so many bits, lowest first, about as long each.
    fn all(bits: u32) -> impl ExactSizeIterator<Item = Self> + Clone {
        let count = bits.div_ceil(COUNT_BITS);
        let each = bits.div_ceil(count);
        (0..count).map(move |place| {
            let shift = place * each;
            Self { shift, values: 1 << each.min(bits - shift) }
        })
    }

    /// The value of the digit of a key.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "masked to 11 bits")]
    fn of(self, key: u64) -> usize {
        (key >> self.shift) as usize & (self.values - 1)
    }
}

/// A radix sort from the lowest digit up, with as much memory again.
fn sort_by_counting<T: Copy>(
    items: &mut [T],
    bits: u32,
    key: &impl Fn(T) -> u64,
    scratch: &mut Vec<T>,
) {
    let digits = Digit::all(bits);
    let mut counters = vec![[0_u32; 1 << COUNT_BITS]; digits.len()];
    for &item in items.iter() {
        let key = key(item);
        for (counts, digit) in counters.iter_mut().zip(digits.clone()) {
            counts[digit.of(key)] += 1;
        }
    }
    if scratch.len() < items.len() {
        scratch.clear();
        scratch.extend_from_slice(items);
    }
    let (mut from, mut into) = (items, &mut scratch[..]);
    into = &mut into[..from.len()];
    let mut is_swapped = false;
    for (counts, digit) in counters.iter_mut().zip(digits) {
        let all_alike = counts[digit.of(key(from[0]))] as usize == from.len();
        if all_alike {
            continue;
        }
        let mut start = 0;
        for count in &mut counts[..digit.values] {
            start += std::mem::replace(count, start);
        }
        for &item in from.iter() {
            let next = &mut counts[digit.of(key(item))];
            into[*next as usize] = item;
            *next += 1;
        }
        std::mem::swap(&mut from, &mut into);
        is_swapped = !is_swapped;
    }
    if is_swapped {
        into.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without a pattern, some bits of which are the same in all.
    fn check(count: u32, mask: u32) {
        let numbers = (0..count).map(|number| number.wrapping_mul(0x9e37_79b9) & mask);
        let mut sorted: Vec<u32> = numbers.collect();
        let mut want = sorted.clone();
        want.sort_unstable();
        sort_addresses(&mut sorted);
        assert!(sorted == want, "{count} numbers, {mask:x}");
        let prefix = |&number: &u32| {
            let length = u8::try_from(number % 33).expect("below 33");
            Prefix::containing(number.swap_bytes(), length)
        };
        let mut prefixes: Vec<_> = want.iter().map(prefix).collect();
        let mut want = prefixes.clone();
        want.sort_unstable();
        sort(&mut prefixes);
        assert!(prefixes == want, "prefixes of {count} numbers, {mask:x}");
    }

    #[test]
    fn more_of_the_same_than_a_part_has_are_sorted_too() {
        let mut addresses = vec![7_u32; PART_MAX + 1];
        addresses.push(3);
        sort_addresses(&mut addresses);
        assert_eq!((addresses[0], addresses[1]), (3, 7));
        assert_eq!(addresses.len(), PART_MAX + 2);
        assert!(addresses.is_sorted());
    }

    #[test]
    fn many_items_are_sorted_whatever_they_have_in_common() {
        let many = u32::try_from(PART_MAX).expect("fits") + 7;
        for mask in [u32::MAX, 0x0000_ffff, 0xffff_0000, 0x003f_ffff, 0xffc0_0000, 0x0010_0001] {
            check(many, mask);
            check(2_000, mask);
        }
    }
}
