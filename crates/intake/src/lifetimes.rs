//! Entries that end. They are a column of prefixes with the second at which
//! each ends, counted from when the file was written: which of them live at
//! some moment is one pass over the column, whatever the clock did before.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use blocklist::{Address, Prefix, PrefixSet, Prefixes};

/// Prefixes and their ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    ipv4: Vec<Ending<u32>>,
    ipv6: Vec<Ending<u128>>,
    /// Every end, ascending, each once.
    ends: Vec<u32>,
}

/// A prefix and its end, in seconds.
type Ending<A> = (Prefix<A>, u32);

impl Lifetimes {
    /// From prefixes by their ends in seconds. What ends after 136 years ends
    /// then.
    pub fn new(expiring: BTreeMap<u64, Prefixes>) -> Self {
        let mut lifetimes = Self::default();
        for (end, prefixes) in expiring {
            let end = u32::try_from(end).unwrap_or(u32::MAX);
            lifetimes.ipv4.extend(prefixes.ipv4.iter().map(|prefix| (prefix, end)));
            lifetimes.ipv6.extend(prefixes.ipv6.iter().map(|prefix| (prefix, end)));
            if lifetimes.ends.last() != Some(&end) {
                lifetimes.ends.push(end);
            }
        }
        arrange(&mut lifetimes.ipv4);
        arrange(&mut lifetimes.ipv6);
        lifetimes
    }

    /// Whether nothing ever ends.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What has not ended when so much time has gone by.
    pub fn alive(&self, elapsed: Duration) -> Prefixes {
        Prefixes { ipv4: alive(&self.ipv4, elapsed), ipv6: alive(&self.ipv6, elapsed) }
    }

    /// Whether one that has not ended by then has this address in it.
    pub fn covers(&self, address: IpAddr, elapsed: Duration) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => covers(&self.ipv4, u32::from(address), elapsed),
            IpAddr::V6(address) => covers(&self.ipv6, u128::from(address), elapsed),
        }
    }

    /// When the next one ends after so much time, on the same count.
    pub fn next_end(&self, elapsed: Duration) -> Option<Duration> {
        let next = self.ends.partition_point(|&end| !lives(end, elapsed));
        self.ends.get(next).map(|&end| Duration::from_secs(end.into()))
    }
}

/// An entry is over at its second.
fn lives(end: u32, elapsed: Duration) -> bool {
    Duration::from_secs(end.into()) > elapsed
}

/// One look for each length that a prefix may have.
fn covers<A: Address>(column: &[Ending<A>], address: A, elapsed: Duration) -> bool {
    (0..=A::BITS).any(|length| {
        let prefix = Prefix::containing(address, length);
        let found = column.binary_search_by(|(other, _)| other.cmp(&prefix));
        found.is_ok_and(|place| lives(column[place].1, elapsed))
    })
}

/// By prefix, each with its latest end.
fn arrange<A: Address>(column: &mut Vec<Ending<A>>) {
    column.sort_unstable_by(|one, other| one.0.cmp(&other.0).then(other.1.cmp(&one.1)));
    column.dedup_by(|next, first| next.0 == first.0);
    column.shrink_to_fit();
}

fn alive<A: Address>(column: &[Ending<A>], elapsed: Duration) -> PrefixSet<A> {
    let alive = column.iter().filter(|(_, end)| lives(*end, elapsed));
    alive.map(|(prefix, _)| *prefix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(texts: &[&str]) -> Prefixes {
        texts.iter().map(|text| text.parse::<blocklist::AnyPrefix>().expect("a prefix")).collect()
    }

    fn lifetimes() -> Lifetimes {
        Lifetimes::new(BTreeMap::from([
            (10, prefixes(&["192.0.2.2", "2001:db8::2"])),
            (60, prefixes(&["192.0.2.3", "192.0.2.1"])),
            (90, prefixes(&["192.0.2.2"])),
        ]))
    }

    /// What lives after so many seconds, and when the next one ends.
    fn check(seconds: u64, alive: &[&str], next: Option<u64>) {
        let elapsed = Duration::from_secs(seconds);
        assert_eq!(lifetimes().alive(elapsed), prefixes(alive), "after {seconds} s");
        assert_eq!(lifetimes().next_end(elapsed), next.map(Duration::from_secs), "{seconds} s");
    }

    #[test]
    fn each_entry_ends_at_its_own_second() {
        check(0, &["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::2"], Some(10));
        check(9, &["192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::2"], Some(10));
        check(10, &["192.0.2.1", "192.0.2.2", "192.0.2.3"], Some(60));
        check(60, &["192.0.2.2"], Some(90));
        check(90, &[], None);
    }

    #[test]
    fn what_is_named_twice_lives_as_long_as_the_longer() {
        check(89, &["192.0.2.2"], Some(90));
    }

    #[test]
    fn a_fraction_of_a_second_before_its_end_an_entry_lives() {
        let elapsed = Duration::from_millis(9_999);
        assert_eq!(lifetimes().alive(elapsed).len(), 4);
        assert_eq!(lifetimes().next_end(elapsed), Some(Duration::from_secs(10)));
    }

    #[test]
    fn very_long_lifetimes_are_cut_and_not_wrapped() {
        let long = Lifetimes::new(BTreeMap::from([(u64::MAX, prefixes(&["192.0.2.1"]))]));
        assert_eq!(long.alive(Duration::from_secs(1 << 31)).len(), 1);
    }
}
