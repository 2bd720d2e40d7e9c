//! Asked which lines an address comes from, the feed names some for every
//! address that it blocks, and none for the addresses beside them, some of
//! which it says itself that it takes out.

use std::net::IpAddr;

use blocklist::{Address, Exemption, Feed, Limits, PrefixSet, Prefixes, SourceLine, parse_entry};

use crate::{Case, all_prefixes, numbers};

/// How many prefixes at each end of a set are asked for.
const ASKED: usize = 4;

pub(crate) fn check(case: &Case, feed: &Feed, limits: &Limits) {
    let blocked = all_prefixes(feed);
    for address in addresses(&blocked.ipv4).into_iter().chain(addresses(&blocked.ipv6)) {
        check_address(case, feed, limits, &blocked, address);
    }
}

fn check_address(case: &Case, feed: &Feed, limits: &Limits, blocked: &Prefixes, address: IpAddr) {
    let found = case.sources(limits, address);
    assert_eq!(blocked.contains(address), !found.is_empty(), "{address} comes from {found:?}");
    assert!(found.len() <= limits.sources_kept);
    assert!(found.is_sorted_by_key(|source| source.line), "{found:?}");
    found.iter().for_each(|source| check_source(feed, limits, address, source));
    if let Some(Exemption { by, over }) = case.exemption(limits, address) {
        assert!(found.is_empty(), "{address} is taken out by {by:?}, and blocked by {found:?}");
        over.iter().chain([&by]).for_each(|source| check_source(feed, limits, address, source));
    }
}

fn check_source(feed: &Feed, limits: &Limits, address: IpAddr, source: &SourceLine) {
    assert!((1..=feed.shape.lines).contains(&source.line), "{source:?}");
    numbers::check_text(&source.text, limits);
    let entry = parse_entry(source.prefix.as_bytes());
    assert!(entry.is_ok_and(|entry| entry.range.contains(address)), "{address}: {source:?}");
}

/// The first and the last addresses of prefixes, and those beside them. Not
/// those that are asked for as IPv4 addresses.
fn addresses<A: Address>(set: &PrefixSet<A>) -> Vec<IpAddr> {
    let (front, back) = (set.iter().take(ASKED), set.iter().skip(set.len().saturating_sub(ASKED)));
    let ends = front.chain(back).flat_map(|prefix| {
        let (first, last) = (prefix.first(), prefix.last());
        [Some(first), Some(last), first.previous(), last.next()]
    });
    let mut all: Vec<IpAddr> = ends.flatten().map(Address::to_ip).collect();
    all.retain(|address| address.to_canonical() == *address);
    all.sort_unstable();
    all.dedup();
    all
}
