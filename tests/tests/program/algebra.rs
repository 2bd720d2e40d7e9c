//! `compile` beside `iprange`, the tool it is to replace: the same bytes for
//! union, difference and intersection, the same numbers of addresses. On whole
//! IPv4 entries only, since on others `iprange` is not right; what it gets wrong
//! on these is a test of its own.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::{fs, mem};

use lab::generate::RandomNumbers;
use lab::program;
use lab::witness::iprange;
use serde_json::Value;
use tempfile::TempDir;

/// Feeds in a directory of their own.
struct Feeds(TempDir);

impl Feeds {
    fn new(feeds: &[(&str, &str)]) -> Self {
        let feeds_dir = Self(tempfile::tempdir().expect("a temporary directory"));
        for (name, content) in feeds {
            fs::write(feeds_dir.path(name), content).expect("a feed can be written");
        }
        feeds_dir
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The words of a command line, where what is no option is a feed.
    fn words(&self, line: &str) -> Vec<PathBuf> {
        let word = |word: &str| if word.starts_with('-') { word.into() } else { self.path(word) };
        line.split_whitespace().map(word).collect()
    }

    fn compile(&self, line: &str) -> String {
        let words = self.words(line);
        let words = ["compile".into()].into_iter().chain(words);
        let outcome = program::run(words);
        outcome.exits(0);
        assert_eq!(outcome.stderr, "", "no line is left out");
        outcome.stdout
    }

    /// How many addresses `compile` counts, and how many `iprange` does.
    fn counts(&self, ours: &str, theirs: &str) -> [String; 2] {
        let count = program::run(
            ["compile", "--count", "--format", "json"]
                .map(PathBuf::from)
                .into_iter()
                .chain(self.words(ours)),
        );
        let count = count.exits(0).json()["ipv4"]["addresses"].as_str().map(str::to_owned);
        // `entries,addresses`, where entries are those before they are merged.
        let line = iprange(&[vec!["-C".into()], self.words(theirs)].concat());
        let (_, addresses) = line.trim().split_once(',').expect("two numbers");
        [count.expect("a decimal string"), addresses.to_owned()]
    }

    /// Compares the results of two command lines byte by byte, and returns
    /// how many prefixes there are.
    #[track_caller]
    fn check(&self, ours: &str, theirs: &str) -> usize {
        let (ours, theirs) = (self.compile(ours), iprange(&self.words(theirs)));
        if ours != theirs {
            let first = ours.lines().zip(theirs.lines()).position(|(ours, theirs)| ours != theirs);
            let first = first.unwrap_or(ours.lines().count().min(theirs.lines().count()));
            let at = |text: &str| text.lines().nth(first).unwrap_or("nothing").to_owned();
            panic!("line {}: {} and not {}", first + 1, at(&ours), at(&theirs));
        }
        ours.lines().count()
    }
}

/// How many lines of each kind a generated feed has.
const HOSTS: u64 = 20_000;
const PREFIXES: u64 = 5_000;
const RANGES: u64 = 5_000;

/// Addresses are of so many blocks of 2^16, which makes them meet: hosts are
/// neighbours, prefixes nest, ranges overlap, and feeds have much in common.
const BLOCKS: u32 = 64;

/// A feed of all kinds of entries, duplicates too.
fn feed(random: &mut RandomNumbers) -> String {
    let mut lines = Vec::new();
    lines.extend((0..HOSTS).map(|_| ip(address(random))));
    for _ in 0..PREFIXES {
        // Host bits are set, which both clear.
        lines.push(format!("{}/{}", ip(address(random)), 22 + random.below(11)));
    }
    for _ in 0..RANGES {
        let first = address(random);
        let bits = random.below(10);
        let last = first.saturating_add(below(random, 1 << bits));
        lines.push(format!("{}-{}", ip(first), ip(last)));
    }
    // In the order of their texts the kinds are mixed, and addresses are not in
    // their own order.
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

/// Of one of the blocks, the first and the last block there is among them.
fn address(random: &mut RandomNumbers) -> u32 {
    let block = match below(random, BLOCKS) {
        0 => 0,
        1 => 0xffff,
        other => 0x2d00 + other,
    };
    block << 16 | below(random, 1 << 16)
}

fn below(random: &mut RandomNumbers, limit: u32) -> u32 {
    u32::try_from(random.below(limit.into())).expect("it is below the limit")
}

fn ip(address: u32) -> String {
    Ipv4Addr::from_bits(address).to_string()
}

/// Three generated feeds, `a`, `b` and `c`, and `ends`, with the first and the
/// last address of all.
fn generated(seed: u64) -> Feeds {
    let mut random = RandomNumbers::seeded(seed);
    let [a, b, c] = [(); 3].map(|()| feed(&mut random));
    Feeds::new(&[("a", &a), ("b", &b), ("c", &c), ("ends", "0.0.0.0\n255.255.255.255\n")])
}

#[test]
fn a_union_is_the_same_bytes() {
    for seed in 1..=3 {
        let feeds = generated(seed);
        let one = feeds.check("a", "a");
        let all = feeds.check("a b c ends", "--union a b c ends");
        assert!(one > 10_000 && all > 10_000, "{one} and {all} prefixes are worth comparing");
    }
}

#[test]
fn a_difference_is_the_same_bytes() {
    for seed in 11..=13 {
        let feeds = generated(seed);
        let left = feeds.check("a b --allow c", "a b --except c");
        assert!(left > 10_000, "{left} prefixes are worth comparing");
        feeds.check("a --allow b --allow c", "a --except b c");
        feeds.check("a --allow ends", "a --except ends");
        feeds.check("ends --allow a", "ends --except a");
    }
}

#[test]
fn an_intersection_is_the_same_bytes() {
    for seed in 21..=23 {
        let feeds = generated(seed);
        let two = feeds.check("a --intersect b", "--common a b");
        let three = feeds.check("a --intersect b --intersect c", "--common a b c");
        assert!(two > 5_000 && three > 1_000, "{two} and {three} prefixes are worth comparing");
        feeds.check("ends --intersect a", "--common ends a");
    }
}

#[test]
fn addresses_are_counted_the_same() {
    for seed in 31..=33 {
        let feeds = generated(seed);
        for files in ["a", "a b", "a b c ends", "ends"] {
            let [ours, theirs] = feeds.counts(files, files);
            assert_eq!(ours, theirs, "{files}");
            assert_ne!(ours, "0", "{files}");
        }
    }
}

#[test]
fn feeds_are_compared_the_same() {
    for seed in 41..=43 {
        let feeds = generated(seed);
        let words =
            ["compile", "--compare", "--format", "json", "--family", "ipv4"].map(PathBuf::from);
        let ours = program::run(words.into_iter().chain(feeds.words("-- a b c"))).exits(0).json();
        let pairs = ours["pairs"].as_array().expect("a list of pairs");
        let number = |pair: &Value, key: &str| -> u64 {
            pair["ipv4"][key].as_str().and_then(|number| number.parse().ok()).expect("a number")
        };
        let ours = pairs.iter().map(|pair| {
            let [common, first, second] =
                ["common", "only-first", "only-second"].map(|key| number(pair, key));
            [common + first, common + second, common + first + second, common]
        });
        // `name1,name2,entries1,entries2,ips1,ips2,combined_ips,common_ips`.
        let theirs = iprange(&feeds.words("--compare a b c"));
        let theirs = theirs.lines().map(|line| {
            let numbers: Vec<u64> =
                line.split(',').skip(4).map(|n| n.parse().expect("a number")).collect();
            <[u64; 4]>::try_from(numbers).expect("four numbers")
        });
        let (mut ours, mut theirs): (Vec<_>, Vec<_>) = (ours.collect(), theirs.collect());
        assert_eq!(ours.len(), 3, "each two feeds once");
        // Which of two comes first is not the same.
        for pairs in [&mut ours, &mut theirs] {
            for [first, second, ..] in &mut *pairs {
                if first > second {
                    mem::swap(first, second);
                }
            }
            pairs.sort_unstable();
        }
        assert_eq!(ours, theirs);
    }
}

/// In how many lengths prefixes are, and how many there are.
fn shape(text: &str) -> (usize, usize) {
    let lengths = text.lines().map(|line| line.split_once('/').map_or("32", |(_, length)| length));
    (lengths.collect::<BTreeSet<_>>().len(), text.lines().count())
}

/// The peer joins two lengths at a time, the pair that costs least. Within what it
/// takes there are never more lengths than it needs, nor more prefixes in as many.
#[test]
fn few_lengths_are_never_more_than_the_peer_needs() {
    for seed in 0..4 {
        let mut random = RandomNumbers::seeded(seed);
        let feeds = Feeds::new(&[("a", &feed(&mut random)), ("b", &feed(&mut random))]);
        let whole = feeds.compile("a b");
        let own = whole.lines().count();
        for percent in [1, 10, 25, 60, 300] {
            let options = ["--ipset-reduce".to_owned(), percent.to_string()].map(PathBuf::from);
            let none_too_few = ["--ipset-reduce-entries", "1"].map(PathBuf::from);
            let words = [&options[..], &none_too_few, &feeds.words("a b")].concat();
            let (lengths, prefixes) = shape(&iprange(&words));
            // The same limit, though it has rounded it.
            let limit = ((prefixes - own) * 100).div_ceil(own);
            let ours = feeds.compile(&format!("--reduce={limit} a b"));
            let (our_lengths, our_prefixes) = shape(&ours);
            assert!(our_lengths <= lengths, "{our_lengths} lengths in place of {lengths}");
            assert!(
                our_lengths < lengths || our_prefixes <= prefixes,
                "{our_prefixes} prefixes in place of {prefixes}"
            );
            fs::write(feeds.path("reduced"), &ours).expect("it can be written");
            assert_eq!(feeds.compile("reduced"), whole, "other addresses");
        }
    }
}

#[test]
fn the_ends_and_nothing_are_the_same_bytes() {
    let feeds = Feeds::new(&[
        ("all", "0.0.0.0-255.255.255.255\n"),
        ("zero", "0.0.0.0/0\n"),
        ("halves", "0.0.0.0/1\n128.0.0.0/1\n"),
        ("ends", "0.0.0.0\n255.255.255.255\n"),
        ("inner", "0.0.0.1-255.255.255.254\n"),
        ("middle", "127.255.255.255-128.0.0.0\n"),
        ("host", "192.0.2.1\n"),
    ]);
    for all in ["all", "zero", "halves", "ends inner"] {
        assert_eq!(feeds.check(all, all), 1, "{all}");
        assert_eq!(
            feeds.check(&format!("{all} --allow ends"), &format!("{all} --except ends")),
            62
        );
        feeds.check(&format!("{all} --allow middle"), &format!("{all} --except middle"));
        feeds.check(&format!("{all} --allow host"), &format!("{all} --except host"));
        assert_eq!(feeds.check(&format!("ends --allow {all}"), &format!("ends --except {all}")), 0);
    }
    feeds.check("all --intersect ends", "--common all ends");
    feeds.check("middle --intersect halves", "--common middle halves");
    feeds.check("inner middle host", "inner middle host");
    assert_eq!(feeds.check("host --intersect middle", "--common host middle"), 0);
    assert_eq!(feeds.check("host --allow host", "host --except host"), 0);
    assert_eq!(feeds.check("inner --intersect ends", "--common inner ends"), 0);
}

#[test]
fn where_iprange_overflows_compile_is_right() {
    let feeds = Feeds::new(&[
        ("all", "0.0.0.0-255.255.255.255\n"),
        ("inner", "0.0.0.1-255.255.255.255\n"),
        ("halves", "128.0.0.0/1\n0.0.0.0/1\n"),
        ("ends", "255.255.255.255\n0.0.0.0\n"),
    ]);
    // It counts in 32 bits.
    assert_eq!(feeds.counts("inner", "inner"), ["4294967295", "4294967295"]);
    assert_eq!(feeds.counts("all", "all"), ["4294967296", "0"]);
    // What follows an entry that ends in 255.255.255.255 joins it if it begins
    // with 0.0.0.0: the next number in 32 bits.
    let both = |feed: &str| [feeds.compile(feed), iprange(&feeds.words(feed))];
    assert_eq!(both("ends"), ["0.0.0.0\n255.255.255.255\n", "0.0.0.0/0\n"]);
    assert_eq!(both("halves"), ["0.0.0.0/0\n", "127.255.255.255\n128.0.0.0\n"]);
}
