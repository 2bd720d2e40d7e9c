//! Sets of addresses that grow by a range at a time and are asked for the parts
//! of a range that they do or do not hold. Knows no rules.

use std::collections::BTreeMap;

use crate::token::range_entry;
use crate::{Address, AnyRange, Entry, Family};

/// Ranges that neither overlap nor touch, from first to last address.
#[derive(Clone, Default)]
pub(super) struct Disjoint<A>(BTreeMap<A, A>);

impl<A: Address> Disjoint<A> {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn insert(&mut self, mut first: A, mut last: A) {
        // Whatever begins no further than just behind the new one and reaches
        // it becomes part of it.
        let reach = last.next().unwrap_or(last);
        while let Some((&other_first, &other_last)) = self.0.range(..=reach).next_back() {
            if other_last.next().is_some_and(|next| next < first) {
                break;
            }
            self.0.remove(&other_first);
            first = first.min(other_first);
            last = last.max(other_last);
        }
        self.0.insert(first, last);
    }

    /// The parts of a range that are in none of these.
    pub(super) fn gaps(&self, first: A, last: A) -> Vec<(A, A)> {
        let mut gaps = Vec::new();
        let begin = self.0.range(..=first).next_back().map_or(first, |(&begin, _)| begin);
        let mut rest = Some(first);
        for (&taken_first, &taken_last) in self.0.range(begin..=last) {
            let Some(free) = rest else { break };
            if let Some(before) = taken_first.previous().filter(|&before| free <= before) {
                gaps.push((free, before));
            }
            rest = taken_last.next().map(|next| next.max(free));
        }
        gaps.extend(rest.filter(|&free| free <= last).map(|free| (free, last)));
        gaps
    }

    fn all(&self) -> Vec<Entry> {
        entries(self.0.iter().map(|(&first, &last)| (first, last)).collect())
    }
}

/// Ranges of both families.
#[derive(Clone, Default)]
pub(super) struct Both {
    pub ipv4: Disjoint<u32>,
    pub ipv6: Disjoint<u128>,
}

impl Both {
    pub(super) const fn new() -> Self {
        Self { ipv4: Disjoint::new(), ipv6: Disjoint::new() }
    }

    pub(super) fn insert(&mut self, range: AnyRange) {
        match range {
            AnyRange::V4(range) => self.ipv4.insert(range.first(), range.last()),
            AnyRange::V6(range) => self.ipv6.insert(range.first(), range.last()),
        }
    }

    /// The parts of a range that are in none of these, as entries.
    pub(super) fn outside(&self, range: AnyRange) -> Vec<Entry> {
        match range {
            AnyRange::V4(range) => entries(self.ipv4.gaps(range.first(), range.last())),
            AnyRange::V6(range) => entries(self.ipv6.gaps(range.first(), range.last())),
        }
    }

    /// The parts of a range that are in these.
    pub(super) fn inside(&self, range: AnyRange) -> Vec<AnyRange> {
        let outside = self.outside(range);
        let mut gone = Self::default();
        for entry in outside {
            gone.insert(entry.range);
        }
        gone.outside(range).into_iter().map(|entry| entry.range).collect()
    }

    /// All of it.
    pub(super) fn ranges(&self) -> Vec<AnyRange> {
        let all = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.range);
        all(self.ipv4.all()).chain(all(self.ipv6.all())).collect()
    }

    /// All that is not in it.
    pub(super) fn complement(&self) -> Vec<AnyRange> {
        let ipv4 = entries(self.ipv4.gaps(u32::MIN, u32::MAX));
        let ipv6 = entries(self.ipv6.gaps(u128::MIN, u128::MAX));
        ipv4.into_iter().chain(ipv6).map(|entry| entry.range).collect()
    }

    /// Takes in all of a family.
    pub(super) fn insert_all(&mut self, family: Family) {
        match family {
            Family::Ipv4 => self.ipv4.insert(u32::MIN, u32::MAX),
            Family::Ipv6 => self.ipv6.insert(u128::MIN, u128::MAX),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ipv4.0.is_empty() && self.ipv6.0.is_empty()
    }
}

pub(super) fn entries<A: Address>(ranges: Vec<(A, A)>) -> Vec<Entry> {
    ranges
        .into_iter()
        .filter_map(|(first, last)| range_entry(first.to_ip(), last.to_ip()).ok())
        .collect()
}
