//! What the library finds in an SDBM: a reader that goes the way of its `getpage`
//! and `getpair` finds every key that there is, and no other.

use std::collections::BTreeSet;
use std::convert::Infallible;

use proptest::prelude::*;

use super::super::octets::OctetText;
use super::*;
use crate::Prefix;

/// Both files, in memory.
#[derive(Default, Debug, PartialEq)]
struct Files {
    directory: Vec<u8>,
    pages: Vec<u8>,
}

impl Files {
    fn of(ipv4: &PrefixSet<u32>) -> Self {
        let mut files = Self::default();
        let none = PrefixSet::from_unsorted(Vec::<Prefix<u128>>::new());
        let exported = export_sdbm(ipv4, &none, |file, at, bytes| {
            let file = match file {
                SdbmFile::Directory => &mut files.directory,
                SdbmFile::Pages => &mut files.pages,
            };
            let at = usize::try_from(at).expect("small");
            file.resize(file.len().max(at + bytes.len()), 0);
            file[at..at + bytes.len()].copy_from_slice(bytes);
            Ok::<_, Infallible>(())
        });
        assert!(exported.is_ok(), "{exported:?}");
        files
    }

    fn node(&self, node: u64) -> bool {
        let byte = usize::try_from(node / 8).ok().and_then(|at| self.directory.get(at));
        byte.is_some_and(|byte| byte >> (node % 8) & 1 == 1)
    }

    fn number(&self, page: usize, at: usize) -> usize {
        let at = page * PAGE_BYTES + 2 * at;
        self.pages.get(at..at + 2).map_or(0, |two| u16::from_ne_bytes([two[0], two[1]]).into())
    }

    /// The pairs of a page.
    fn pairs(&self, page: usize) -> Vec<(&[u8], &[u8])> {
        let bytes = |range: std::ops::Range<usize>| {
            &self.pages[page * PAGE_BYTES + range.start..page * PAGE_BYTES + range.end]
        };
        let mut end = PAGE_BYTES;
        let pair = |at: usize| {
            let [key, value] = [self.number(page, at), self.number(page, at + 1)];
            let pair = (bytes(key..end), bytes(value..key));
            end = value;
            pair
        };
        (1..self.number(page, 0)).step_by(2).map(pair).collect()
    }

    fn find(&self, key: &str) -> Option<&[u8]> {
        let hash = hash(key.as_bytes());
        let (mut node, mut bits) = (0, 0);
        while self.node(node) {
            node = 2 * node + if hash >> bits & 1 == 1 { 2 } else { 1 };
            bits += 1;
        }
        let page = usize::try_from(u64::from(hash) & ((1 << bits) - 1)).expect("a page");
        let found = self.pairs(page).into_iter().find(|(found, _)| *found == key.as_bytes());
        found.map(|(_, value)| value)
    }

    fn all(&self) -> BTreeSet<String> {
        let pages = 0..self.pages.len() / PAGE_BYTES;
        let keys = pages.flat_map(|page| self.pairs(page));
        keys.map(|(key, _)| String::from_utf8_lossy(key).into_owned()).collect()
    }
}

fn check(prefixes: Vec<Prefix<u32>>) {
    let set = PrefixSet::from_unsorted(prefixes);
    let files = Files::of(&set);
    let text = |key: OctetKey| String::from_utf8_lossy(key.text().as_bytes()).into_owned();
    let keys: BTreeSet<String> = octet_keys(&set).map(text).collect();
    assert_eq!(files.all(), keys);
    assert_eq!(keys.len() as u64, count_octet_keys(&set));
    for key in &keys {
        assert_eq!(files.find(key), Some(&b"1"[..]), "{key}");
        let other = format!("{key}0");
        assert_eq!(files.find(&other).is_some(), keys.contains(&other), "{other}");
    }
    assert_eq!(files.directory.len() % BLOCK_BYTES, 0);
    assert_eq!(files.pages.len() % PAGE_BYTES, 0);
}

#[test]
fn a_hash_is_that_of_the_library() {
    // By hand: (97 * 65599 + 98) * 65599 + 99, modulo 2^32.
    assert_eq!(hash(b"abc"), 807_794_786);
    assert_eq!((hash(b""), hash(b"1")), (0, 49));
}

#[test]
fn few_keys_and_many_are_found() {
    check(Vec::new());
    check(["10.0.0.0/9", "192.0.2.7"].map(prefix).to_vec());
    for hosts in [1, 32, 33, 56, 57, 64, 65, 1_000, 40_000] {
        check((0_u32..hosts).map(|host| Prefix::host(host.wrapping_mul(1_000_003))).collect());
    }
}

fn prefix(text: &str) -> Prefix<u32> {
    match text.parse().expect("a prefix") {
        crate::AnyPrefix::V4(prefix) => prefix,
        crate::AnyPrefix::V6(_) => panic!("{text} is of IPv4"),
    }
}

#[test]
fn keys_that_were_chosen_for_their_hash_are_found() {
    // All on one page of the 2^14 that so many others would have.
    let hosts = (0..u32::MAX).step_by(3).map(Prefix::host);
    let same = |host: &Prefix<u32>| hash(OctetText::of(host.first(), 4).as_bytes()) & 0x3fff == 7;
    check(hosts.filter(same).take(200).collect());
}

#[test]
fn two_versions_of_a_list_have_the_same_tree() {
    let hosts = |count: u32| (0..count).map(|host| host * 65_537).collect();
    let [one, other] =
        [50_000, 50_100].map(|count| Files::of(&PrefixSet::from_hosts(hosts(count))));
    let differ = one.directory.iter().zip(&other.directory).filter(|(one, other)| one != other);
    assert!(one != other && differ.count() < 8);
}

#[test]
fn more_keys_than_can_be_are_refused_before_anything_is_written() {
    let all = (0..300_000).map(|at| Prefix::containing(at << 8, 25)).collect();
    let none = PrefixSet::from_unsorted(Vec::<Prefix<u128>>::new());
    let refused = export_sdbm(&PrefixSet::from_unsorted(all), &none, |_, _, _| Err(()));
    assert_eq!(refused, Err(SdbmError::TooMany(300_000 * 128)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_list_holds_is_found(
        prefixes in proptest::collection::vec((any::<u32>(), 8_u8..=32), 0..400),
    ) {
        let prefix = |(address, length)| Prefix::containing(address, length);
        check(prefixes.into_iter().map(prefix).collect());
    }
}
