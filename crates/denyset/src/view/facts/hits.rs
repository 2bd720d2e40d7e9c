//! The document of `hits`, from what was counted and from the snapshot. Which
//! lines an address is owed to, somebody else finds out.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use blocklist::{Address as _, AnyPrefix, Family, FeedName};
use reconcile::Rule;

use crate::hits::{Frequency, HitTally, RuleTally};
use crate::snapshot::{RuleCounts, SnapshotFacts};
use crate::view::{AddressHits, FeedHits, HitsView, IdleFeed, PrefixHits, RuleHits};

/// So long a feed must have blocked nothing to be told.
const IDLE_DAYS: u32 = 30;

/// What is to be told.
#[derive(Clone, Copy, Debug)]
pub struct HitsWish<'a> {
    /// Of this rule only.
    pub rule: Option<&'a str>,
    /// Of this feed only.
    pub feed: Option<&'a FeedName>,
    /// So many addresses and prefixes.
    pub top: usize,
}

impl HitsView {
    /// What was hit up to now; the addresses without their lines.
    pub fn of(
        facts: &SnapshotFacts,
        tally: &HitTally,
        counts: &RuleCounts,
        wish: HitsWish<'_>,
    ) -> Self {
        let rules = rules(facts, wish);
        let is_meant = |name: &str| wish.rule.is_none_or(|rule| rule == name);
        let tallies = tally.rules.iter().filter(|((_, name), _)| is_meant(name));
        let tallies: BTreeMap<_, _> = tallies.map(|(key, tally)| (key.clone(), tally)).collect();
        let samples = rules.iter().any(|(_, rule)| rule.sample.is_some());
        Self {
            listening: samples && tally.listening,
            since: tallies.values().map(|tally| tally.since.into()).min(),
            rules: rules
                .iter()
                .map(|(family, rule)| of_rule(*family, rule, tally, counts))
                .collect(),
            feeds: feeds(&tallies, tally, counts, wish.feed),
            addresses: addresses(facts, &tallies, wish),
            prefixes: prefixes(facts, &tallies, wish),
            idle: idle(facts, tally, wish.feed),
            lost: tally.lost,
            overruns: tally.overruns,
            notes: notes(facts, tally, wish)
                .into_iter()
                .chain(fewer(&rules, tally, counts))
                .collect(),
        }
    }
}

fn rules<'a>(facts: &'a SnapshotFacts, wish: HitsWish<'_>) -> Vec<(Family, &'a Rule)> {
    let wanted = facts.rules.iter().map(|seen| &seen.wanted);
    let rules = wanted.flat_map(|set| set.rules().iter().map(|rule| (set.family(), rule)));
    rules.filter(|(_, rule)| wish.rule.is_none_or(|name| name == rule.name)).collect()
}

fn of_rule(family: Family, rule: &Rule, tally: &HitTally, counts: &RuleCounts) -> RuleHits {
    let count = counts.of(family, &rule.name);
    let known = tally.rules.get(&(family, rule.name.clone()));
    RuleHits {
        rule: rule.name.clone(),
        family: family.to_string(),
        packets: count.map(|count| count.packets),
        bytes: count.map(|count| count.bytes),
        sample: rule.sample.as_ref().map(|sample| sample.one_in.get()),
        packets_since: known.and_then(|known| since(known, family, &rule.name, counts)),
        samples: known.map_or(0, |known| known.samples),
        samples_of_none: known.map_or(0, |known| known.of_none),
    }
}

/// What a rule has stopped since it is looked at.
fn since(known: &RuleTally, family: Family, name: &str, counts: &RuleCounts) -> Option<u64> {
    let now = counts.of(family, name)?.packets;
    Some(now.saturating_sub(known.before.as_ref()?.packets))
}

/// A sum over families.
#[derive(Default)]
struct Sum {
    samples: u64,
    only: u64,
    packets: Option<u64>,
    packets_only: Option<u64>,
}

type Tallies<'a> = BTreeMap<(Family, String), &'a RuleTally>;

fn feeds(
    tallies: &Tallies<'_>,
    tally: &HitTally,
    counts: &RuleCounts,
    only: Option<&FeedName>,
) -> Vec<FeedHits> {
    let mut sums = BTreeMap::<(&FeedName, &str), Sum>::new();
    let mut all = BTreeMap::<&str, u64>::new();
    for ((family, name), rule) in tallies {
        *all.entry(name).or_default() += rule.samples;
        let packets = since(rule, *family, name, counts);
        let about = |part: u64| Some(scaled(packets?, part, rule.samples));
        for (feed, hit) in rule.feeds.iter().filter(|(feed, _)| only.is_none_or(|f| f == *feed)) {
            let sum = sums.entry((feed, name)).or_default();
            sum.samples += hit.samples;
            sum.only += hit.only;
            sum.packets = plus(sum.packets, about(hit.samples));
            sum.packets_only = plus(sum.packets_only, about(hit.only));
        }
    }
    let feeds = sums.into_iter().map(|((feed, rule), sum)| {
        let all = all.get(rule).copied().unwrap_or_default();
        FeedHits {
            feed: feed.to_string(),
            rule: rule.to_owned(),
            samples: sum.samples,
            samples_only: sum.only,
            share: percent(sum.samples, all),
            share_only: percent(sum.only, all),
            packets: sum.packets,
            packets_only: sum.packets_only,
            last_hit: tally.quiet.get(feed).and_then(|quiet| quiet.hit).map(Into::into),
        }
    });
    let mut feeds: Vec<_> = feeds.collect();
    feeds.sort_by_key(|feed| Reverse(feed.samples));
    feeds
}

fn plus(sum: Option<u64>, more: Option<u64>) -> Option<u64> {
    Some(sum.unwrap_or_default().saturating_add(more?))
}

/// The part of `packets` that `part` is of `all`.
fn scaled(packets: u64, part: u64, all: u64) -> u64 {
    let wide = u128::from(packets) * u128::from(part) / u128::from(all.max(1));
    u64::try_from(wide).unwrap_or(u64::MAX)
}

/// To a hundredth.
fn percent(part: u64, all: u64) -> f64 {
    f64::from(u32::try_from(scaled(10_000, part, all)).unwrap_or(u32::MAX)) / 100.0
}

fn addresses(facts: &SnapshotFacts, tallies: &Tallies<'_>, wish: HitsWish<'_>) -> Vec<AddressHits> {
    let feed = wish.feed.map(|feed| in_feed(facts, feed));
    let mut found = Vec::new();
    for ((_, rule), tally) in tallies {
        let hits = tally.addresses.iter();
        let hits = hits.filter(|(address, _)| feed.as_ref().is_none_or(|has| has(**address)));
        for (address, Frequency { count, error }) in hits.take(wish.top) {
            let list = facts.lists.iter().find(|list| list.list.name == tally.list);
            let set = list.and_then(|list| facts.set_of(&list.list, *address));
            let member = set.and_then(|(_, set)| set.desired.covering(*address));
            found.push(AddressHits {
                address: address.to_string(),
                rule: rule.clone(),
                samples: count,
                samples_error: error,
                prefix: member.map(|prefix| prefix.to_string()),
                sources: Vec::new(),
            });
        }
    }
    found.sort_by_key(|hit| Reverse(hit.samples));
    found.truncate(wish.top);
    found
}

/// Whether a feed has an address.
fn in_feed(facts: &SnapshotFacts, feed: &FeedName) -> impl Fn(std::net::IpAddr) -> bool {
    let version = facts.feeds.get(feed).and_then(|feed| feed.in_force());
    let prefixes = version.map(|version| version.prefixes_at(std::time::SystemTime::now()));
    move |address| prefixes.as_ref().is_some_and(|prefixes| prefixes.contains(address))
}

fn first(prefix: AnyPrefix) -> std::net::IpAddr {
    match prefix {
        AnyPrefix::V4(prefix) => prefix.first().to_ip(),
        AnyPrefix::V6(prefix) => prefix.first().to_ip(),
    }
}

fn prefixes(facts: &SnapshotFacts, tallies: &Tallies<'_>, wish: HitsWish<'_>) -> Vec<PrefixHits> {
    let feed = wish.feed.map(|feed| in_feed(facts, feed));
    let mut found = Vec::new();
    for ((_, rule), tally) in tallies {
        let hits = tally.prefixes.iter();
        let hits = hits.filter(|(prefix, _)| feed.as_ref().is_none_or(|has| has(first(**prefix))));
        for (prefix, Frequency { count, error }) in hits.take(wish.top) {
            found.push(PrefixHits {
                prefix: prefix.to_string(),
                rule: rule.clone(),
                samples: count,
                samples_error: error,
            });
        }
    }
    found.sort_by_key(|hit| Reverse(hit.samples));
    found.truncate(wish.top);
    found
}

fn idle(facts: &SnapshotFacts, tally: &HitTally, only: Option<&FeedName>) -> Vec<IdleFeed> {
    let idle = tally.quiet.iter().filter(|(feed, quiet)| {
        let is_meant = only.is_none_or(|only| only == *feed);
        is_meant && quiet.days >= IDLE_DAYS && facts.feeds.contains_key(*feed)
    });
    let idle = idle.map(|(feed, quiet)| IdleFeed {
        feed: feed.to_string(),
        days: quiet.days,
        last_hit: quiet.hit.map(Into::into),
    });
    idle.collect()
}

/// The rules of which fewer packets were looked at than one in so many: more
/// came than the rate lets through, or they were lost.
fn fewer<'a>(
    rules: &'a [(Family, &Rule)],
    tally: &'a HitTally,
    counts: &'a RuleCounts,
) -> impl Iterator<Item = String> + 'a {
    rules.iter().filter_map(|(family, rule)| {
        let known = tally.rules.get(&(*family, rule.name.clone()))?;
        let packets = since(known, *family, &rule.name, counts)?;
        let due = packets / u64::from(rule.sample.as_ref()?.one_in.get());
        // By chance it is never half of so many.
        (due > 100 && known.samples < due / 2).then(|| {
            format!(
                "of rule {} ({family}) only {} packets were looked at, not {due}: the rate of \
                 `log` allows no more, and shares are of those",
                rule.name, known.samples
            )
        })
    })
}

fn notes(facts: &SnapshotFacts, tally: &HitTally, wish: HitsWish<'_>) -> Vec<String> {
    let mut notes: Vec<_> = tally.trouble.iter().cloned().collect();
    let rules = || facts.rules.iter().flat_map(|seen| seen.wanted.rules());
    if let Some(name) = wish.rule.filter(|name| rules().all(|rule| rule.name != *name)) {
        notes.push(format!("there is no rule {name}"));
    }
    if let Some(feed) = wish.feed.filter(|feed| !facts.feeds.contains_key(*feed)) {
        notes.push(format!("there is no feed {feed}"));
    }
    if rules().all(|rule| rule.sample.is_none()) {
        let way = "set `sample` in a [[rule]], to 1000 for instance, to see what feeds block";
        notes.push(way.to_owned());
    }
    if tally.unreadable > 0 {
        notes.push(format!("{} messages of NFLOG could not be read", tally.unreadable));
    }
    if tally.strange > 0 {
        let count = tally.strange;
        notes.push(format!(
            "{count} packets were shown by a rule that is not ours, or not any more"
        ));
    }
    notes
}
