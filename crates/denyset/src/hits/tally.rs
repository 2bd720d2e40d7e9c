//! What was hit so far: by rule, and of each by feed, address and prefix. All
//! tables have an end, so that no flood from made-up addresses lets them grow.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::SystemTime;

use blocklist::{AnyPrefix, Family, FeedName};
use feedfiles::Quiet;
use reconcile::Count;

use super::frequent::Frequent;
use super::lookup::{Hit, Lookup};

/// Addresses, and prefixes, that are counted for each rule and family.
const PLACES: usize = 512;
/// Rules that are counted, in both families. More than there may be at a time;
/// those that are gone stay while there is room.
const RULES_MAX: usize = 256;
/// Feeds of which it is known how long they blocked nothing, beside those that
/// are in force.
const STRAY_MAX: usize = 65_536;
/// Feeds that are counted for each rule. What is hit of more counts for none.
const FEEDS_MAX: usize = 8_192;

/// What was hit since the daemon was started.
#[derive(Clone, Debug, Default)]
pub struct HitTally {
    /// By family and name of the rule.
    pub rules: BTreeMap<(Family, String), RuleTally>,
    /// How long each feed has blocked nothing, also of those that are not
    /// watched now: they may be back, and before a start none is.
    pub quiet: BTreeMap<FeedName, Quiet>,
    /// The feeds in force whose hits are counted.
    pub(super) watched: BTreeSet<FeedName>,
    /// Packets that were shown and never came.
    pub lost: u64,
    /// How often there was no room for more.
    pub overruns: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// Packets that somebody else's rule has shown to us.
    pub strange: u64,
    /// Whether packets are heard.
    pub listening: bool,
    /// Why no packets are seen, if some should be.
    pub trouble: Option<String>,
}

/// What was hit of one rule.
#[derive(Clone, Debug)]
pub struct RuleTally {
    /// The list it asks.
    pub list: String,
    /// One packet in so many is shown.
    pub one_in: u32,
    /// Since when it is counted.
    pub since: SystemTime,
    /// What its counter said then; `None` if it could not be read.
    pub before: Option<Count>,
    /// Packets that were shown.
    pub samples: u64,
    /// Those of them that no feed has, because of what was in force when they
    /// came, or that an allow-only rule does not let in.
    pub of_none: u64,
    /// By feed.
    pub feeds: BTreeMap<FeedName, FeedTally>,
    /// The most frequent addresses.
    pub addresses: Frequent<IpAddr>,
    /// The most frequent members of the set.
    pub prefixes: Frequent<AnyPrefix>,
}

/// What was hit of a feed by one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedTally {
    /// Packets that it would have stopped.
    pub samples: u64,
    /// Those that no other feed of the list would have stopped.
    pub only: u64,
}

impl HitTally {
    /// The rules that are to be counted and are not yet.
    pub(super) fn lacks(&self, lookup: &Lookup) -> bool {
        lookup.known().any(|(family, known)| {
            self.rules.len() < RULES_MAX && !self.rules.contains_key(&(family, known.rule.clone()))
        })
    }

    /// Counts these rules and feeds from now on.
    pub(super) fn watch(
        &mut self,
        lookup: &Lookup,
        counts: &BTreeMap<(Family, String), Count>,
        now: SystemTime,
    ) {
        for (family, known) in lookup.known() {
            let key = (family, known.rule.clone());
            if let Some(rule) = self.rules.get_mut(&key) {
                (rule.one_in, rule.list) = (known.one_in, known.list.clone());
            } else if self.rules.len() < RULES_MAX {
                let rule = RuleTally {
                    list: known.list.clone(),
                    one_in: known.one_in,
                    since: now,
                    before: counts.get(&key).cloned(),
                    samples: 0,
                    of_none: 0,
                    feeds: BTreeMap::new(),
                    addresses: Frequent::new(PLACES),
                    prefixes: Frequent::new(PLACES),
                };
                self.rules.insert(key, rule);
            }
        }
        self.watched = lookup.feeds().cloned().collect();
        for feed in &self.watched {
            self.quiet.entry(feed.clone()).or_insert_with(|| Quiet::from(now));
        }
        if self.quiet.len() > self.watched.len() + STRAY_MAX {
            self.quiet.retain(|feed, _| self.watched.contains(feed));
        }
    }

    /// Counts a packet.
    pub(super) fn count(&mut self, hit: &Hit<'_>, now: SystemTime) {
        let Some(rule) = self.rules.get_mut(&(hit.family, hit.known.rule.clone())) else { return };
        rule.samples += 1;
        rule.of_none += u64::from(hit.feeds.is_empty());
        for &feed in &hit.feeds {
            if rule.feeds.len() < FEEDS_MAX || rule.feeds.contains_key(feed) {
                let tally = rule.feeds.entry(feed.clone()).or_default();
                tally.samples += 1;
                tally.only += u64::from(hit.feeds.len() == 1);
            }
            if let Some(quiet) = self.quiet.get_mut(feed) {
                quiet.hit(now);
            }
        }
        rule.addresses.add(hit.address);
        if let Some(prefix) = hit.prefix {
            rule.prefixes.add(prefix);
        }
    }

    /// Counts another day for feeds that were not hit. Returns whether one has
    /// passed for any of them.
    pub(super) fn look(&mut self, now: SystemTime) -> bool {
        let mut passed = false;
        for (feed, quiet) in &mut self.quiet {
            passed |= self.watched.contains(feed) && quiet.look(now);
        }
        passed
    }
}
