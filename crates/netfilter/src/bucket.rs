//! Which bucket of a `hash:net` the kernel puts a member into. We choose the
//! start value of the hash, so it can be told beforehand; and members that come
//! bucket by bucket find the table's memory in the processor's caches, which is
//! half of the time that the kernel takes for a million of them.
//!
//! From `HKEY` in `net/netfilter/ipset/ip_set_hash_gen.h`, the elements in
//! `ip_set_hash_net.c`, and `include/linux/jhash.h` (Bob Jenkins' lookup3).
//! Should a kernel do it otherwise, it only takes longer.

use blocklist::{Prefix, PrefixSet};
use reconcile::{Members, SetHeader, WriteOrder};

use crate::limits::{GROUP_BUCKETS, GROUPS_MAX, ORDERED_MIN};

/// `JHASH_INITVAL`.
const START: u32 = 0xdead_beef;

/// The order in which this set takes these members, or lets go of them, with
/// the fewest misses: by the upper bits of the bucket.
pub(crate) fn order(set: &SetHeader, members: &Members) -> WriteOrder {
    let buckets = set.capacity.hashsize;
    let Some(initval) = set.initval.filter(|_| buckets.is_power_of_two()) else {
        return WriteOrder::SORTED;
    };
    let groups = (buckets / GROUP_BUCKETS).clamp(1, GROUPS_MAX);
    if members.len() < ORDERED_MIN || groups == 1 {
        return WriteOrder::SORTED;
    }
    let bits_in_group = (buckets / groups).trailing_zeros();
    let group = |hash: u32| {
        let group = (hash & (buckets - 1)) >> bits_in_group;
        u16::try_from(group).expect("at most GROUPS_MAX groups")
    };
    WriteOrder::grouped(&match members {
        Members::V4(members) => groups_of(members, |prefix| group(hash_v4(prefix, initval))),
        Members::V6(members) => groups_of(members, |prefix| group(hash_v6(prefix, initval))),
    })
}

fn groups_of<A: blocklist::Address>(
    members: &PrefixSet<A>,
    group: impl Fn(Prefix<A>) -> u16,
) -> Vec<u16> {
    members.iter().map(group).collect()
}

/// Of `struct hash_net4_elem`: the address in network order, two bytes of
/// padding, `nomatch`, the length.
fn hash_v4(prefix: Prefix<u32>, initval: u32) -> u32 {
    let address = u32::from_ne_bytes(prefix.first().to_be_bytes());
    let [a, b, c] = [START.wrapping_add(8).wrapping_add(initval); 3];
    let b = b.wrapping_add(length_word(prefix.length()));
    finish(a.wrapping_add(address), b, c)
}

/// Of `struct hash_net6_elem`: the same with sixteen bytes of address.
fn hash_v6(prefix: Prefix<u128>, initval: u32) -> u32 {
    let bytes = prefix.first().to_be_bytes();
    let word =
        |at: usize| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let start = START.wrapping_add(20).wrapping_add(initval);
    let [a, b, c] = [word(0), word(4), word(8)].map(|word| start.wrapping_add(word));
    let (a, b, c) = mix(a, b, c);
    finish(a.wrapping_add(word(12)), b.wrapping_add(length_word(prefix.length())), c)
}

fn length_word(length: u8) -> u32 {
    u32::from_ne_bytes([0, 0, 0, length])
}

/// `__jhash_mix`.
fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    (a, b, c)
}

/// `__jhash_final`.
fn finish(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}
