//! What is packed says what it was made of, and nothing else passes for it.

use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::{Address, AnyPrefix, Prefix, PrefixSet};

fn packed<A: Address>(set: &PrefixSet<A>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(header) = pack(set, 7, 1_700_000_000, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    assert_eq!(header.bytes(), Some(bytes.len() as u64));
    bytes
}

fn set(text: &str) -> PrefixSet<u32> {
    let prefixes = text.split_whitespace().map(|text| match text.parse().expect("a prefix") {
        AnyPrefix::V4(prefix) => prefix,
        AnyPrefix::V6(_) => panic!("not of this family"),
    });
    prefixes.collect()
}

fn check(text: &str, address: &str, want: Option<&str>) {
    let list = PackedList::new(packed(&set(text))).expect("a packed list");
    let found = list.prefix_of(address.parse().expect("an address"));
    assert_eq!(found.map(|prefix| prefix.to_string()).as_deref(), want, "{text}: {address}");
}

#[test]
fn an_address_is_found_by_the_prefix_that_holds_it() {
    let text = "192.0.2.1 192.0.2.128/25 198.51.100.0/24";
    check(text, "192.0.2.1", Some("192.0.2.1"));
    check(text, "192.0.2.0", None);
    check(text, "192.0.2.2", None);
    check(text, "192.0.2.127", None);
    check(text, "192.0.2.128", Some("192.0.2.128/25"));
    check(text, "192.0.2.255", Some("192.0.2.128/25"));
    check(text, "192.0.3.0", None);
    check(text, "0.0.0.0", None);
    check(text, "255.255.255.255", None);
    check("0.0.0.0/0", "255.255.255.255", Some("0.0.0.0/0"));
    check("", "192.0.2.1", None);
    check(text, "2001:db8::1", None);
    check(text, "::ffff:192.0.2.1", None);
}

#[test]
fn what_overlaps_is_packed_without_it() {
    check("10.0.0.0/8 10.1.0.0/16 10.1.2.3", "10.1.2.4", Some("10.0.0.0/8"));
    check("10.0.0.0 10.0.0.1 10.0.0.2/31", "10.0.0.3", Some("10.0.0.2/31"));
}

/// Whether bytes with this changed are no packed list any more.
fn spoiled(change: impl Fn(&mut Vec<u8>), want: PackedError) {
    let mut bytes = packed(&set("192.0.2.1 198.51.100.0/24"));
    change(&mut bytes);
    assert_eq!(PackedList::new(bytes).err(), Some(want));
}

/// The same with a checksum that fits.
fn forged(change: impl Fn(&mut Vec<u8>), want: PackedError) {
    let with_checksum = |bytes: &mut Vec<u8>| {
        change(bytes);
        let checksum = crc32fast::hash(&bytes[16..]);
        bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
    };
    spoiled(with_checksum, want);
}

#[test]
fn what_is_damaged_is_none() {
    spoiled(|bytes| bytes[0] = b'D', PackedError::Magic);
    spoiled(Vec::clear, PackedError::Magic);
    spoiled(|bytes| bytes.truncate(20), PackedError::Length { expected: 64, found: 20 });
    spoiled(|bytes| bytes.truncate(73), PackedError::Length { expected: 74, found: 73 });
    spoiled(|bytes| bytes.push(0), PackedError::Length { expected: 74, found: 75 });
    spoiled(|bytes| bytes[8] = 2, PackedError::Version(2));
    spoiled(|bytes| bytes[10] = 5, PackedError::Family(5));
    spoiled(|bytes| bytes[64] ^= 1, PackedError::Checksum);
    spoiled(|bytes| bytes[12] ^= 1, PackedError::Checksum);
    let wraps = PackedError::Length { expected: u64::MAX, found: 74 };
    spoiled(|bytes| bytes[32..40].fill(0xff), wraps);
}

#[test]
fn what_is_forged_is_none() {
    // The second address before the first, the same again, bits behind a length,
    // a length that no address has.
    forged(|bytes| bytes[71] = 1, PackedError::Order(1));
    forged(|bytes| bytes.copy_within(64..68, 68), PackedError::Order(1));
    forged(|bytes| bytes[68] = 1, PackedError::Order(1));
    forged(|bytes| bytes[72] = 33, PackedError::Order(0));
    forged(|bytes| bytes[72] = 0, PackedError::Order(0));
}

fn prefixes<A: Address>(address: fn(u128) -> A) -> impl Strategy<Value = PrefixSet<A>> {
    let one = (any::<u128>(), 0..=A::BITS).prop_map(move |(number, length)| {
        // Few high bits, so that prefixes meet.
        let address = address(number) & A::mask(length);
        Prefix::from_columns(address, length)
    });
    prop::collection::vec(one, 0..40).prop_map(PrefixSet::from_unsorted)
}

fn same<A: Address>(set: &PrefixSet<A>, others: &[A]) {
    let given = PackedList::new(packed(set)).expect("a packed list");
    let ends = set.iter().flat_map(|prefix| {
        let (first, last) = (prefix.first(), prefix.last());
        [Some(first), Some(last), first.previous(), last.next()]
    });
    for address in others.iter().copied().chain(ends.flatten()) {
        let found = given.prefix_of(address.to_ip());
        assert_eq!(found.is_some(), set.contains(address), "{}", address.to_ip());
    }
}

/// The low bits, and the three highest: few enough that addresses meet.
#[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
fn narrow(number: u128) -> u32 {
    number as u32 & 0xe000_01ff
}

proptest! {
    #[test]
    fn every_address_is_listed_exactly_if_a_member_holds_it(
        ipv4 in prefixes(narrow),
        ipv6 in prefixes(|number| number & (0xe000 << 112 | 0x1ff)),
        addresses in prop::collection::vec(any::<u128>(), 0..20),
    ) {
        same(&ipv4, &addresses.iter().copied().map(narrow).collect::<Vec<_>>());
        same(&ipv6, &addresses);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), family: bool) {
        let mut bytes = [b"denyset\n\x01\0".as_slice(), &bytes].concat();
        if let Some(byte) = bytes.get_mut(10) {
            *byte = if family { 4 } else { 6 };
        }
        if bytes.len() >= PACKED_HEADER_BYTES {
            let each = if family { 5 } else { 17 };
            let prefixes = (bytes.len() - PACKED_HEADER_BYTES) / each;
            bytes.truncate(PACKED_HEADER_BYTES + prefixes * each);
            bytes[32..40].copy_from_slice(&(prefixes as u64).to_le_bytes());
            let checksum = crc32fast::hash(&bytes[16..]);
            bytes[12..16].copy_from_slice(&checksum.to_le_bytes());
        }
        if let Ok(list) = PackedList::new(&bytes) {
            list.prefix_of("192.0.2.1".parse().expect("an address"));
            list.prefix_of("2001:db8::1".parse().expect("an address"));
        }
    }
}
