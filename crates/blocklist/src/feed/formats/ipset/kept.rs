//! What is in the sets of a script while its commands change that. Knows no
//! spelling.
//!
//! A set of networks holds each network by itself, with or without `nomatch`:
//! one is taken out only as it was put in. A set of addresses holds them one by
//! one, however many were put in at once. Source: ipset(8), `hash:ip` and
//! `hash:net`; in the kernel `net/netfilter/ipset/ip_set_hash_net.c`.

use std::collections::{BTreeMap, HashMap};

use super::super::super::disjoint::entries;
use super::super::super::visit::Line;
use super::command::Grain;
use crate::{Address, AddressRange, AnyRange, Entry};

/// An entry of a set, and where it was added.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub line: Line<'a>,
    pub entry: Entry,
    pub seconds: Option<u64>,
    /// Whether it is there to take out what it names of wider ones.
    pub nomatch: bool,
}

/// A command that moves or empties whole sets.
#[derive(Clone, Copy)]
pub(super) enum SetsChange<'a> {
    /// One set, or all.
    Empty(Option<&'a [u8]>),
    Swap(&'a [u8], &'a [u8]),
    Rename(&'a [u8], &'a [u8]),
}

/// One set.
#[derive(Default)]
struct Set<'a> {
    networks: HashMap<AnyRange, Member<'a>>,
    /// Where addresses are no networks: up to where each range goes.
    ipv4: BTreeMap<u32, (u32, Member<'a>)>,
    ipv6: BTreeMap<u128, (u128, Member<'a>)>,
}

impl<'a> Set<'a> {
    /// Takes addresses out of those that are kept one by one.
    fn take_out(&mut self, range: AnyRange) {
        match range {
            AnyRange::V4(range) => take_out(&mut self.ipv4, range),
            AnyRange::V6(range) => take_out(&mut self.ipv6, range),
        }
    }

    fn into_members(self) -> impl Iterator<Item = Member<'a>> {
        let ipv4 = self.ipv4.into_iter().map(|(first, (last, member))| part(member, first, last));
        let ipv6 = self.ipv6.into_iter().map(|(first, (last, member))| part(member, first, last));
        self.networks.into_values().chain(ipv4.flatten()).chain(ipv6.flatten())
    }
}

/// The sets by name.
#[derive(Default)]
pub(super) struct Kept<'a> {
    sets: HashMap<&'a [u8], Set<'a>>,
}

impl<'a> Kept<'a> {
    /// Whether it is clear what comes of it: to add what is there with and without
    /// `nomatch` does something with `-exist` only, and nobody knows whether that
    /// was given. Then it is `nomatch`.
    pub(super) fn add(&mut self, name: &'a [u8], grain: Grain, member: Member<'a>) -> bool {
        let set = self.sets.entry(name).or_default();
        if grain != Grain::Addresses {
            let mut clear = true;
            for entry in networks(member.entry) {
                let before = set.networks.get(&entry.range);
                let differs = before.is_some_and(|before| before.nomatch != member.nomatch);
                let nomatch = member.nomatch || differs;
                clear &= !differs;
                set.networks.insert(entry.range, Member { entry, nomatch, ..member });
            }
            return clear;
        }
        set.take_out(member.entry.range);
        match member.entry.range {
            AnyRange::V4(range) => {
                set.ipv4.insert(range.first(), (range.last(), member));
            }
            AnyRange::V6(range) => {
                set.ipv6.insert(range.first(), (range.last(), member));
            }
        }
        true
    }

    /// Takes an entry out. Of a set that was made elsewhere nobody knows whether
    /// it keeps networks or addresses: then what is taken out is `nomatch`.
    pub(super) fn delete(&mut self, name: &'a [u8], grain: Grain, gone: Member<'a>) {
        let set = self.sets.entry(name).or_default();
        if grain == Grain::Addresses {
            return set.take_out(gone.entry.range);
        }
        for entry in networks(gone.entry) {
            if set.networks.remove(&entry.range).is_none() && grain == Grain::Unknown {
                set.networks.insert(entry.range, Member { entry, ..gone });
            }
        }
    }

    pub(super) fn change(&mut self, change: SetsChange<'a>) {
        match change {
            SetsChange::Empty(None) => self.sets.clear(),
            SetsChange::Empty(Some(name)) => drop(self.sets.remove(name)),
            SetsChange::Swap(one, other) => {
                let [first, second] = [one, other].map(|name| self.sets.remove(name));
                self.sets.extend(first.map(|set| (other, set)));
                self.sets.extend(second.map(|set| (one, set)));
            }
            SetsChange::Rename(from, to) => {
                if let Some(set) = self.sets.remove(from) {
                    self.sets.insert(to, set);
                }
            }
        }
    }

    /// Everything, in the order of the lines.
    pub(super) fn into_members(self) -> Vec<(&'a [u8], Member<'a>)> {
        let sets = self.sets.into_iter();
        let mut all: Vec<_> = sets
            .flat_map(|(name, set)| set.into_members().map(move |member| (name, member)))
            .collect();
        all.sort_by_key(|(_, member)| (member.line.number(), member.entry.range));
        all
    }
}

/// The networks of an entry, each by itself.
fn networks(entry: Entry) -> Vec<Entry> {
    fn all<A: Address>(range: AddressRange<A>) -> Vec<(A, A)> {
        range.prefixes().map(|prefix| (prefix.first(), prefix.last())).collect()
    }
    let mut networks = match entry.range {
        AnyRange::V4(range) => entries(all(range)),
        AnyRange::V6(range) => entries(all(range)),
    };
    for network in &mut networks {
        network.masked = entry.masked && network.range == entry.range;
    }
    networks
}

fn take_out<A: Address, T: Copy>(kept: &mut BTreeMap<A, (A, T)>, gone: AddressRange<A>) {
    let (first, last) = (gone.first(), gone.last());
    while let Some((&begin, &(end, member))) =
        kept.range(..=last).next_back().filter(|(_, (end, _))| *end >= first)
    {
        kept.remove(&begin);
        if let Some(after) = last.next().filter(|&after| after <= end) {
            kept.insert(after, (end, member));
        }
        if let Some(before) = first.previous().filter(|&before| begin <= before) {
            kept.insert(begin, (before, member));
        }
    }
}

/// A member with what is left of its range.
fn part<A: Address>(member: Member<'_>, first: A, last: A) -> Option<Member<'_>> {
    let entry = entries(vec![(first, last)]).pop()?;
    let masked = member.entry.masked && entry.range == member.entry.range;
    Some(Member { entry: Entry { masked, ..entry }, ..member })
}
