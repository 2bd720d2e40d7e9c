//! One list through its versions: a million random addresses, then some of
//! them replaced, again and again. Two of them stay for good and two are
//! never in it, so that a packet from either has a known fate.

use std::collections::HashSet;
use std::net::IpAddr;

use crate::generate::{RandomNumbers, feed};
use crate::members::SortedPrefixes;

/// The present version of a list, and what it was and may become.
#[derive(Debug)]
pub struct Versions {
    random: RandomNumbers,
    addresses: Vec<IpAddr>,
    known: HashSet<IpAddr>,
    free: [IpAddr; 2],
}

/// How many addresses, at the beginning, are in every version.
const STAY: usize = 2;

impl Versions {
    /// A first version of `count` addresses, a quarter of them IPv6.
    ///
    /// # Panics
    /// If `count` is below ten.
    pub fn new(mut random: RandomNumbers, count: usize) -> Self {
        assert!(count >= 10, "a list of {count} has no versions");
        // The first is IPv6, the second IPv4.
        let addresses = random.addresses(count, 4);
        let mut known: HashSet<_> = addresses.iter().copied().collect();
        let mut fresh = |address: &mut dyn FnMut() -> IpAddr| {
            std::iter::repeat_with(address).find(|&address| known.insert(address))
        };
        let free = [fresh(&mut || random.ipv4().into()), fresh(&mut || random.ipv6().into())]
            .map(|address| address.expect("there are more addresses than any list has"));
        Self { random, addresses, known, free }
    }

    /// Replaces `percent` of the addresses by ones that no version had, and
    /// adds an IPv4 address: no two versions are of one size.
    pub fn change(&mut self, percent: usize) {
        for _ in 0..self.addresses.len() * percent / 100 {
            let any = self.random.below((self.addresses.len() - STAY) as u64);
            let position = STAY + usize::try_from(any).expect("a position");
            self.addresses[position] = self.fresh(self.addresses[position].is_ipv6());
        }
        let more = self.fresh(false);
        self.addresses.push(more);
    }

    fn fresh(&mut self, ipv6: bool) -> IpAddr {
        loop {
            let random = &mut self.random;
            let address = if ipv6 { random.ipv6().into() } else { random.ipv4().into() };
            if self.known.insert(address) {
                return address;
            }
        }
    }

    /// How many addresses of each family there are, IPv4 first.
    pub fn counts(&self) -> [usize; 2] {
        let ipv4 = self.addresses.iter().filter(|address| address.is_ipv4()).count();
        [ipv4, self.addresses.len() - ipv4]
    }

    /// This version as a feed file.
    pub fn feed(&self) -> String {
        feed(&self.addresses)
    }

    /// This version as members of sets.
    pub fn members(&self) -> SortedPrefixes {
        self.addresses.iter().copied().collect()
    }

    /// Addresses that are in every version, one of each family.
    pub fn listed(&self) -> Vec<IpAddr> {
        self.addresses[..STAY].to_vec()
    }

    /// Addresses that are in none, one of each family.
    pub fn free(&self) -> Vec<IpAddr> {
        self.free.to_vec()
    }

    /// A random number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.random.below(limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_keeps_what_stays_and_brings_none_of_what_is_free() {
        let mut versions = Versions::new(RandomNumbers::seeded(1), 1000);
        let (first, listed) = (versions.members(), versions.listed());
        for _ in 0..5 {
            versions.change(30);
        }
        let last = versions.members();
        assert_eq!(last.len(), 1005);
        let kept = first.common(&last).len();
        assert!((100..500).contains(&kept), "{kept} of the first version are left");
        let [listed, free]: [SortedPrefixes; 2] =
            [listed, versions.free()].map(|addresses| addresses.into_iter().collect());
        assert_eq!(listed.without(&last).len(), 0);
        assert_eq!(free.common(&last).len() + free.common(&first).len(), 0);
        assert_eq!(listed.family(true).len() + free.family(true).len(), 2);
    }
}
