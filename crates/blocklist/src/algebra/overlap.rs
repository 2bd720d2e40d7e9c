//! How much several sets have in common: one pass over all of them at once, in
//! which nothing is kept but numbers. It sees sets of addresses.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::count::AddressCount;
use crate::{Address, Prefix, PrefixSet};

/// Up to so many sets it is counted what each two have in common: the work for
/// one address that all of them hold grows with the square of their number.
const PAIRS_MAX: usize = 128;

/// What several sets have in common, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Of each set, what it has.
    pub parts: Vec<OverlapPart>,
    /// Of each two sets `i < j`, at `j * (j - 1) / 2 + i`, what both have. Empty
    /// if there are more than 128 sets.
    shared: Vec<AddressCount>,
}

/// What one of several sets has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OverlapPart {
    /// Its prefixes, without those inside others.
    pub prefixes: u64,
    /// Those of them of which no other set has any address, nor the exceptions.
    pub prefixes_alone: u64,
    /// Its addresses, without the exceptions.
    pub addresses: AddressCount,
    /// Those of them that no other set has.
    pub alone: AddressCount,
}

impl Overlap {
    /// How many addresses two different sets both have; `None` if there are too
    /// many sets for that.
    pub fn shared(&self, one: usize, other: usize) -> Option<AddressCount> {
        self.shared.get(pair(one, other)).copied()
    }

    /// Counts what the sets have in common. The addresses of `except` count
    /// for nothing.
    pub fn of<A: Address>(sets: &[&PrefixSet<A>], except: &PrefixSet<A>) -> Self {
        let count = sets.len();
        let pairs = if count <= PAIRS_MAX { count * count.saturating_sub(1) / 2 } else { 0 };
        let overlap = Self {
            parts: vec![OverlapPart::default(); count],
            shared: vec![AddressCount::default(); pairs],
        };
        let mut sweep = Sweep { overlap, open: Vec::new(), last: Vec::new(), run: 0_u128.into() };
        // The exceptions are one more set, behind all others.
        let all = sets.iter().copied().chain([except]);
        let mut rest: Vec<_> = all.map(PrefixSet::uncovered).collect();
        let next =
            |rest: &mut Vec<_>, set: usize| Some((Reverse(next_of(rest, set)?), Reverse(set)));
        let mut heads: BinaryHeap<_> = (0..=count).filter_map(|set| next(&mut rest, set)).collect();
        while let Some((Reverse(prefix), Reverse(set))) = heads.pop() {
            sweep.begin(prefix, set);
            heads.extend(next(&mut rest, set));
        }
        sweep.end()
    }
}

fn next_of<A: Address>(
    rest: &mut [impl Iterator<Item = Prefix<A>>],
    set: usize,
) -> Option<Prefix<A>> {
    rest[set].next()
}

/// Where the number of two sets stands.
fn pair(one: usize, other: usize) -> usize {
    let (low, high) = (one.min(other), one.max(other));
    high * high.saturating_sub(1) / 2 + low
}

/// The pass: from the lowest address to the highest. Prefixes nest or have
/// nothing in common, so those that hold an address are a stack.
struct Sweep<A> {
    overlap: Overlap,
    open: Vec<Open<A>>,
    /// The sets that hold the addresses of the run.
    last: Vec<usize>,
    /// Addresses that the same sets hold and that are not counted yet.
    run: AddressCount,
}

/// A prefix that holds the address at hand.
struct Open<A> {
    set: usize,
    prefix: Prefix<A>,
    /// Whether no other set was met inside of it.
    alone: bool,
    /// The first address of it that is not counted yet, kept on the top only.
    at: Option<A>,
}

impl<A: Address> Sweep<A> {
    /// A prefix begins: all before it is done.
    fn begin(&mut self, prefix: Prefix<A>, set: usize) {
        while self.open.last().is_some_and(|top| top.prefix.last() < prefix.first()) {
            self.close();
        }
        if let Some(before) = prefix.first().previous() {
            self.count_to(before);
        }
        let alone = self.open.is_empty();
        for open in &mut self.open {
            open.alone = false;
        }
        self.open.push(Open { set, prefix, alone, at: Some(prefix.first()) });
    }

    /// The prefix on top ends.
    fn close(&mut self) {
        let Some(top) = self.open.last() else { return };
        self.count_to(top.prefix.last());
        let Some(Open { set, prefix, alone, .. }) = self.open.pop() else { return };
        if let Some(part) = self.overlap.parts.get_mut(set) {
            part.prefixes += 1;
            part.prefixes_alone += u64::from(alone);
        }
        if let Some(below) = self.open.last_mut() {
            below.at = prefix.last().next();
        }
    }

    /// Counts the addresses that the open prefixes hold up to `last`.
    fn count_to(&mut self, last: A) {
        let Some(Open { at: Some(at), .. }) = self.open.last() else { return };
        if *at > last {
            return;
        }
        let block = AddressCount::from_to(*at, last);
        let same = self.last.len() == self.open.len()
            && self.last.iter().zip(&self.open).all(|(set, open)| *set == open.set);
        if !same {
            self.flush();
            self.last.extend(self.open.iter().map(|open| open.set));
        }
        self.run = self.run.plus(block);
    }

    /// Counts the run.
    fn flush(&mut self) {
        let run = std::mem::take(&mut self.run);
        let sets = std::mem::take(&mut self.last);
        let Overlap { parts, shared } = &mut self.overlap;
        if sets.contains(&parts.len()) {
            return;
        }
        for (place, &set) in sets.iter().enumerate() {
            parts[set].addresses = parts[set].addresses.plus(run);
            for &other in &sets[..place] {
                if let Some(shared) = shared.get_mut(pair(set, other)) {
                    *shared = shared.plus(run);
                }
            }
        }
        if let [set] = sets[..] {
            parts[set].alone = parts[set].alone.plus(run);
        }
    }

    fn end(mut self) -> Overlap {
        while !self.open.is_empty() {
            self.close();
        }
        self.flush();
        self.overlap
    }
}
