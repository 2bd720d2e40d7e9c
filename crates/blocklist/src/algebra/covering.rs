//! Membership: which prefixes hold an address. Prefixes inside others are
//! allowed, as in a kernel set.

use crate::{Address, Prefix, PrefixSet};

/// Lengths that are compared at once.
const ALIKE: usize = 32;

impl<A: Address> PrefixSet<A> {
    /// Whether any prefix holds `address`.
    pub fn contains(&self, address: A) -> bool {
        self.longest(address, A::BITS).is_some()
    }

    /// Whether any prefix lies around this one and is wider.
    pub(crate) fn has_around(&self, prefix: Prefix<A>) -> bool {
        let most = prefix.length().checked_sub(1);
        most.is_some_and(|most| self.longest(prefix.first(), most).is_some())
    }

    /// All prefixes that hold `address`, shortest first.
    pub fn covering(&self, address: A) -> Vec<Prefix<A>> {
        let mut found = Vec::new();
        let mut longest_allowed = Some(A::BITS);
        while let Some(prefix) = longest_allowed.and_then(|most| self.longest(address, most)) {
            found.push(prefix);
            longest_allowed = prefix.length().checked_sub(1);
        }
        found.reverse();
        found
    }

    /// How many prefixes there are of each length that occurs, shortest first.
    pub fn length_counts(&self) -> Vec<(u8, u64)> {
        let mut counts = [0_u64; 129];
        for run in self.lengths().chunks(ALIKE) {
            // Mostly they are all of one length, which is seen at once.
            if run == &[run[0]; ALIKE][..run.len()] {
                counts[usize::from(run[0])] += run.len() as u64;
                continue;
            }
            for &length in run {
                counts[usize::from(length)] += 1;
            }
        }
        (0_u8..).zip(counts).filter(|&(_, count)| count > 0).collect()
    }

    /// The longest prefix of at most `length` bits that holds `address`.
    ///
    /// A prefix that holds the address sorts at or before the block of
    /// `length` bits around it. The last member there either is the one, or
    /// shares fewer bits with the address, and so does whatever holds both:
    /// each round asks for a shorter block, mostly one or two are enough.
    fn longest(&self, address: A, length: u8) -> Option<Prefix<A>> {
        let mut block = Prefix::containing(address, length);
        loop {
            let Err(after) = self.position(block) else { return Some(block) };
            let before = self.at(after.checked_sub(1)?);
            if before.contains(address) {
                return Some(before);
            }
            let shared = (before.first() ^ address).leading_zeros();
            block = Prefix::containing(address, shared);
        }
    }
}
