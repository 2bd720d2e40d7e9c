//! Those who go through a chain because a rule names them: parts of ranges,
//! each with the line that named it and what remains of its time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::super::disjoint::{Both, entries};
use super::super::visit::{Line, Visit};
use crate::{Address, AddressRange, AnyRange, Entry};

/// A part of what a line names.
#[derive(Clone, Copy)]
pub(super) struct NamedPart<'a> {
    pub line: Line<'a>,
    pub range: AnyRange,
    /// Whether its host bits were cleared.
    pub masked: bool,
    /// What remains of its time, `None` if it is for ever.
    pub seconds: Option<u64>,
}

impl NamedPart<'_> {
    /// Tells it as an entry.
    pub(super) fn tell(&self, visit: &mut impl Visit) -> ControlFlow<()> {
        let entry = Entry { range: self.range, masked: self.masked };
        match self.seconds {
            Some(seconds) => visit.lasting(self.line, entry, seconds),
            None => visit.entry(self.line, entry),
        }
    }
}

/// What ends first of two.
pub(super) fn sooner(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).min()
}

/// The place of a part by its first address, and its last address.
type Places<A> = BTreeMap<A, (A, usize)>;

/// Parts none of which overlap.
#[derive(Clone, Default)]
pub(super) struct DisjointParts<'a> {
    ipv4: Places<u32>,
    ipv6: Places<u128>,
    parts: Vec<NamedPart<'a>>,
}

impl<'a> DisjointParts<'a> {
    /// Of those that overlap, the one that lasts longest is kept whole.
    pub(super) fn of(mut parts: Vec<NamedPart<'a>>) -> Self {
        if parts.iter().any(|part| part.seconds.is_some()) {
            parts.sort_by_key(|part| std::cmp::Reverse(part.seconds.unwrap_or(u64::MAX)));
        }
        let mut taken = Both::default();
        let mut members = Self::default();
        for part in parts {
            for entry in taken.outside(part.range) {
                let masked = part.masked && entry.range == part.range;
                let at = members.parts.len();
                members.parts.push(NamedPart { range: entry.range, masked, ..part });
                match entry.range {
                    AnyRange::V4(range) => {
                        members.ipv4.insert(range.first(), (range.last(), at));
                    }
                    AnyRange::V6(range) => {
                        members.ipv6.insert(range.first(), (range.last(), at));
                    }
                }
            }
            taken.insert(part.range);
        }
        members
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// All of them, in the order of their lines.
    pub(super) fn all(&self) -> &[NamedPart<'a>] {
        &self.parts
    }

    /// What of a range is among them, with the part that it belongs to.
    pub(super) fn inside(&self, range: AnyRange) -> Vec<(AnyRange, &NamedPart<'a>)> {
        let found = match range {
            AnyRange::V4(range) => inside(&self.ipv4, range),
            AnyRange::V6(range) => inside(&self.ipv6, range),
        };
        found.into_iter().map(|(range, at)| (range, &self.parts[at])).collect()
    }
}

fn inside<A: Address>(places: &Places<A>, range: AddressRange<A>) -> Vec<(AnyRange, usize)> {
    let (first, last) = (range.first(), range.last());
    let begin = places.range(..=first).next_back().map_or(first, |(&begin, _)| begin);
    let overlapping = places.range(begin..=last).filter(|(_, (end, _))| *end >= first);
    let cut = overlapping.map(|(&begin, &(end, at))| (vec![(begin.max(first), end.min(last))], at));
    cut.flat_map(|(cut, at)| entries(cut).into_iter().map(move |entry| (entry.range, at))).collect()
}
