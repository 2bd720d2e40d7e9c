//! Whose a packet is that a rule has shown: the rule by its label, then the
//! feeds that ask for its address to be blocked, from memory alone.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use blocklist::{AnyPrefix, Contributed, Family, FeedName, Role};
use netfilter::ShownPacket;
use reconcile::{End, Members, RuleSet};

use crate::snapshot::Snapshot;

/// All that packets are held against, of one revision of the snapshot. It
/// shares what is large with it.
#[derive(Debug)]
pub struct Lookup {
    revision: u64,
    rules: BTreeMap<(String, Family), Known>,
    /// The families' rules that show packets.
    pub(super) shown: Vec<RuleSet>,
}

/// A rule that shows packets.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) rule: String,
    pub(super) list: String,
    pub(super) one_in: u32,
    group: u16,
    end: End,
    /// The feeds of its list, by name.
    feeds: Arc<[(FeedName, Contributed)]>,
    /// What its set should hold.
    members: Option<Members>,
}

/// What a packet was found to be.
#[derive(Debug)]
pub(super) struct Hit<'a> {
    pub(super) family: Family,
    pub(super) known: &'a Known,
    pub(super) address: IpAddr,
    /// The feeds that have the address, by name.
    pub(super) feeds: Vec<&'a FeedName>,
    /// The member of the set that holds it.
    pub(super) prefix: Option<AnyPrefix>,
}

impl Lookup {
    /// What the snapshot knows at this time of day. It costs something for each
    /// feed, and for entries with a lifetime.
    pub fn new(snapshot: &Snapshot, now: SystemTime) -> Self {
        let facts = &snapshot.facts;
        let samples = |rules: &RuleSet| rules.rules().iter().any(|rule| rule.sample.is_some());
        let wanted = facts.rules.iter().map(|seen| &seen.wanted).filter(|rules| samples(rules));
        let shown: Vec<_> = wanted.cloned().collect();
        let mut lookup = Self { revision: snapshot.revision, rules: BTreeMap::new(), shown };
        if lookup.shown.is_empty() {
            return lookup;
        }
        let in_force = facts.in_force(now);
        for list in facts.lists.iter().map(|list| &list.list) {
            let feeds = in_force.iter().filter(|(feed, _)| list.role(feed) == Role::Deny);
            let feeds = feeds.map(|(name, feed)| (name.clone(), feed.clone()));
            let feeds: Arc<[_]> = feeds.collect();
            for rule in lookup.shown.iter().flat_map(RuleSet::rules) {
                let family = rule.set.family();
                let is_its = facts.prefix.live(&list.name, family).is_ok_and(|set| set == rule.set);
                let (true, Some(sample)) = (is_its, &rule.sample) else { continue };
                let known = Known {
                    rule: rule.name.clone(),
                    list: list.name.clone(),
                    one_in: sample.one_in.get(),
                    group: sample.group,
                    end: rule.end,
                    feeds: feeds.clone(),
                    members: facts.sets.get(&rule.set).map(|set| set.desired.clone()),
                };
                lookup.rules.insert((sample.label.clone(), family), known);
            }
        }
        lookup
    }

    /// Of which revision it is.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The group by which packets are shown, `None` if none are.
    pub fn group(&self) -> Option<u16> {
        self.rules.values().next().map(|known| known.group)
    }

    /// The rules that show packets.
    pub(super) fn known(&self) -> impl Iterator<Item = (Family, &Known)> {
        self.rules.iter().map(|((_, family), known)| (*family, known))
    }

    /// All feeds whose hits are counted.
    pub(super) fn feeds(&self) -> impl Iterator<Item = &FeedName> {
        let feeds = self.rules.values().flat_map(|known| known.feeds.iter());
        feeds.map(|(feed, _)| feed)
    }

    /// What a packet is, `None` if no rule of ours has shown it.
    pub(super) fn find(&self, shown: &ShownPacket) -> Option<Hit<'_>> {
        let family = if shown.source.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        let known = self.rules.get(&(shown.label.clone(), family))?;
        let address = match known.end {
            End::Source => shown.source,
            End::Destination => shown.destination,
        };
        let feeds = known.feeds.iter().filter(|(_, feed)| feed.blocks.contains(address));
        Some(Hit {
            family,
            known,
            address,
            feeds: feeds.map(|(feed, _)| feed).collect(),
            prefix: known.members.as_ref().and_then(|members| members.covering(address)),
        })
    }
}
