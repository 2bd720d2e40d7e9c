//! Gathers what the lines of a feed mean, counts, and stops at the limit. Knows
//! no text; whichever format read the lines, this is what becomes of them.

use std::ops::ControlFlow;

use super::plain::{Line, Visit};
use super::{Limits, Reject, Tally, text};
use crate::{
    Address, AddressRange, AnyPrefix, AnyRange, Entry, Prefix, PrefixSet, Prefixes, RejectReason,
};

/// The entries of one family, in the order of the lines.
struct Entries<A> {
    prefixes: Vec<Prefix<A>>,
    /// Only those that are not one prefix.
    ranges: Vec<AddressRange<A>>,
}

impl<A: Address> Entries<A> {
    const fn new() -> Self {
        Self { prefixes: Vec::new(), ranges: Vec::new() }
    }

    fn count(&self) -> u64 {
        (self.prefixes.len() + self.ranges.len()) as u64
    }

    /// All prefixes, and how many entries differ from one another.
    fn finish(mut self) -> (PrefixSet<A>, u64) {
        self.ranges.sort_unstable();
        self.ranges.dedup();
        let single = PrefixSet::from_unsorted(self.prefixes);
        let distinct = (single.len() + self.ranges.len()) as u64;
        let split: PrefixSet<A> =
            self.ranges.into_iter().flat_map(AddressRange::prefixes).collect();
        if split.is_empty() {
            (single, distinct)
        } else {
            (PrefixSet::union([&single, &split]), distinct)
        }
    }
}

/// A visitor that keeps everything.
pub(super) struct Gather<'a> {
    limits: &'a Limits,
    ipv4: Entries<u32>,
    ipv6: Entries<u128>,
    /// How many more prefixes may come.
    room: u64,
    masked: u64,
    rejected: u64,
    rejects: Vec<Reject>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            ipv4: Entries::new(),
            ipv6: Entries::new(),
            room: limits.entries_max,
            masked: 0,
            rejected: 0,
            rejects: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> (Prefixes, Tally, Vec<Reject>) {
        let (ipv4_entries, ipv6_entries) = (self.ipv4.count(), self.ipv6.count());
        let (ipv4, ipv4_distinct) = self.ipv4.finish();
        let (ipv6, ipv6_distinct) = self.ipv6.finish();
        let entries = ipv4_entries + ipv6_entries;
        let tally = Tally {
            entries,
            ipv4: ipv4_entries,
            ipv6: ipv6_entries,
            duplicates: entries - ipv4_distinct - ipv6_distinct,
            rejected: self.rejected,
            masked: self.masked,
        };
        (Prefixes { ipv4, ipv6 }, tally, self.rejects)
    }

    /// Makes sure that so many prefixes still fit.
    fn take_room(&mut self, prefixes: u64) -> ControlFlow<()> {
        match self.room.checked_sub(prefixes) {
            Some(room) => {
                self.room = room;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }
}

impl Visit for Gather<'_> {
    #[inline]
    fn prefix(&mut self, _: Line<'_>, prefix: Prefix<u32>, masked: bool) -> ControlFlow<()> {
        self.take_room(1)?;
        self.masked += u64::from(masked);
        self.ipv4.prefixes.push(prefix);
        ControlFlow::Continue(())
    }

    fn entry(&mut self, _: Line<'_>, entry: Entry) -> ControlFlow<()> {
        match (entry.range.as_prefix(), entry.range) {
            (Some(prefix), _) => {
                self.take_room(1)?;
                match prefix {
                    AnyPrefix::V4(prefix) => self.ipv4.prefixes.push(prefix),
                    AnyPrefix::V6(prefix) => self.ipv6.prefixes.push(prefix),
                }
            }
            (None, AnyRange::V4(range)) => {
                self.take_room(range.prefixes().count() as u64)?;
                self.ipv4.ranges.push(range);
            }
            (None, AnyRange::V6(range)) => {
                self.take_room(range.prefixes().count() as u64)?;
                self.ipv6.ranges.push(range);
            }
        }
        self.masked += u64::from(entry.masked);
        ControlFlow::Continue(())
    }

    fn reject(&mut self, line: Line<'_>, reason: RejectReason) {
        self.rejected += 1;
        if self.rejects.len() < self.limits.rejects_kept {
            let text = text::printable(line.text, self.limits.text_bytes_max);
            self.rejects.push(Reject { line: line.number, text, reason });
        }
    }
}
