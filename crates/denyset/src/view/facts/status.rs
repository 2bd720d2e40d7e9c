//! The document of `status` and the line for the service manager.

use std::collections::BTreeMap;

use blocklist::FeedName;
use intake::Age;
use keeper::HoldReason;
use reconcile::{Members, RulesFound, SetName, Verdict, miss_nanoseconds};
use serde_json::Value;

use super::counted;
use super::warnings::warnings;
use crate::snapshot::{FeedFacts, RuleCounts, SnapshotFacts, VersionFacts};
use crate::view::{
    ExportStatus, FeedStatus, FileStanding, RuleStatus, SetStatus, StatusView, accept_command,
    refused,
};

/// Sentences that `degraded` has at the most. The others are counted in one
/// more.
const SENTENCES_MAX: usize = 20;

/// What `status` says, but for what is another at every moment: how long the
/// daemon runs, and what rules have counted.
pub fn lasting_status(facts: &SnapshotFacts) -> Value {
    let document = serde_json::to_value(StatusView::of(facts, 0));
    let mut document = document.expect("a document of texts and numbers");
    if let Some(keys) = document.as_object_mut() {
        keys.remove("uptime-seconds");
        keys.remove("rules");
    }
    document
}

impl StatusView {
    /// What the daemon holds, after so many seconds.
    pub fn of(facts: &SnapshotFacts, uptime_seconds: u64) -> Self {
        Self {
            in_sync: facts.in_sync,
            remarks: remarks(facts),
            warnings: warnings(facts),
            degraded: degraded(facts),
            confirm_until: facts.surroundings.confirm_until.map(Into::into),
            generation: facts.generation,
            uptime_seconds,
            sets: sets(facts),
            rules: rule_statuses(facts, &RuleCounts::default()),
            feeds: facts.feeds.iter().map(|(name, feed)| feed_status(name, feed)).collect(),
            exports: facts.surroundings.exports.iter().map(ExportStatus::of).collect(),
            refusals: counted::refusals(&facts.surroundings.counted),
            applies: counted::applies(&facts.surroundings.counted.applies),
        }
    }
}

/// The rules, with what they have counted.
pub fn rule_statuses(facts: &SnapshotFacts, counts: &RuleCounts) -> Vec<RuleStatus> {
    let all = facts.rules.iter().flat_map(|seen| {
        let in_place = matches!(seen.found, Some(RulesFound::AsWanted(_)));
        seen.wanted.rules().iter().map(move |rule| {
            let count = counts.of(seen.wanted.family(), &rule.name);
            RuleStatus {
                rule: rule.name.clone(),
                set: rule.set.to_string(),
                in_place,
                packets: count.map(|count| count.packets),
                bytes: count.map(|count| count.bytes),
            }
        })
    });
    all.collect()
}

/// The line for the service manager: first what somebody has just done and can
/// mend.
pub fn status_line(facts: &SnapshotFacts) -> String {
    let members: u64 =
        facts.sets.values().filter_map(|set| Some(u64::from(set.seen?.members))).sum();
    let sync = if facts.in_sync { "in sync" } else { "not in sync" };
    let line = format!("{sync}: {members} members in {} sets", facts.sets.len());
    match (&facts.surroundings.reload_refused, degraded(facts).first()) {
        (Some(refused), _) => format!("{refused}; {line}"),
        (None, Some(first)) => format!("{line}; degraded: {first}"),
        (None, None) => line,
    }
}

/// What somebody may want to know, and nothing is wrong with.
fn remarks(facts: &SnapshotFacts) -> Vec<String> {
    let around = &facts.surroundings;
    let mut sentences = Sentences::default();
    if let Some(sentence) = &around.silent {
        sentences.add("directories", || sentence.clone());
    }
    for name in &around.unfinished {
        sentences.add("feeds that are being written to", || {
            format!("feed {name} is still being written to, what it has so far is in force")
        });
    }
    sentences.told()
}

/// Everything that is not as it should be, one sentence each: first what
/// somebody has just done and can mend, last what is so of single feeds.
fn degraded(facts: &SnapshotFacts) -> Vec<String> {
    let around = &facts.surroundings;
    let mut sentences = Sentences::default();
    if let Some(refused) = &around.reload_refused {
        sentences.add("reloads", || {
            format!("{refused}; the configuration of before stays in force until a good reload")
        });
    }
    for problem in problems(facts).into_iter().chain(around.others.iter().cloned()) {
        sentences.add("other troubles", || problem);
    }
    for (name, feed) in &facts.feeds {
        if let Some(refusal) = feed.refusals.first() {
            sentences.add("refused feeds", || refused(name.as_str(), refusal));
        }
    }
    for (name, feed) in &facts.feeds {
        if let Some(refusal) = &feed.unkept {
            sentences.add("feeds without a copy", || {
                format!("feed {name} would not survive a restart: {refusal}")
            });
        }
    }
    for (name, feed) in &facts.feeds {
        match feed.age {
            Age::Fresh => {}
            Age::Future => sentences.add("feeds of the future", || {
                format!("feed {name} was written in the future, its age is not known")
            }),
            Age::Stale => sentences.add("old feeds", || {
                format!("feed {name} is older than its max-age, it stays in force")
            }),
            Age::Dropped => sentences.add("old feeds", || {
                format!("feed {name} is older than its max-age, it is not in force")
            }),
        }
    }
    sentences.told()
}

/// Sentences up to a number, and of which kind how many more there are.
#[derive(Default)]
struct Sentences {
    told: Vec<String>,
    more: BTreeMap<&'static str, usize>,
}

impl Sentences {
    fn add(&mut self, kind: &'static str, sentence: impl FnOnce() -> String) {
        if self.told.len() < SENTENCES_MAX {
            self.told.push(sentence());
        } else {
            *self.more.entry(kind).or_default() += 1;
        }
    }

    fn told(mut self) -> Vec<String> {
        let more: Vec<_> =
            self.more.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        if !more.is_empty() {
            self.told.push(format!("and {} more", more.join(" and ")));
        }
        self.told
    }
}

/// The same without the single feeds.
pub fn problems(facts: &SnapshotFacts) -> Vec<String> {
    let held = facts.lists.iter().filter_map(|list| {
        let (name, why) = (&list.list.name, &list.held.as_ref()?.why);
        Some(format!("list {name} is held: {why}; {}", way_out(why)))
    });
    let lost = facts.feeds.iter().filter_map(|(name, feed)| {
        let loss = feed.loss.as_ref()?;
        Some(format!("feed {name}: {loss}"))
    });
    let recall = facts.recall_failure.iter();
    let recall = recall.map(|reason| format!("state-dir cannot be read: {reason}"));
    let around = &facts.surroundings;
    let unreadable = around.unreadable.iter().map(|folder| {
        format!("the folder {folder} of feeds-dir cannot be read, the feeds in it stay as they are")
    });
    let unwatched = around.unwatched.iter().cloned();
    let scan = facts.scan_failure.iter().cloned();
    let troubles = facts.troubles.iter().cloned();
    let files = scan.chain(recall).chain(held).chain(lost);
    files.chain(troubles).chain(unreadable).chain(unwatched).collect()
}

fn sets(facts: &SnapshotFacts) -> Vec<SetStatus> {
    let sets = facts.sets.iter().map(|(name, set)| {
        let family = name.family();
        let list = name.as_str().strip_prefix(facts.prefix.as_str()).unwrap_or_default();
        let lengths =
            set.members.iter().flat_map(Members::length_counts).collect::<BTreeMap<_, _>>();
        SetStatus {
            set: name.to_string(),
            list: list.strip_suffix(&format!("-{}", family.suffix())).unwrap_or(list).to_owned(),
            family: family.to_string(),
            members: set.seen.map_or(0, |seen| u64::from(seen.members)),
            miss_ns: miss_nanoseconds(lengths.len()),
            lengths,
            references: set.seen.map_or(0, |seen| seen.references),
            admits: admits(facts, name),
            last_applied: set.applied.map(Into::into),
            last_verified: set.verified.map(Into::into),
        }
    });
    sets.collect()
}

/// Whether a rule is for members of this set alone.
fn admits(facts: &SnapshotFacts, set: &SetName) -> bool {
    let rules = facts.rules.iter().flat_map(|seen| seen.wanted.rules());
    rules.into_iter().any(|rule| rule.set == *set && rule.verdict == Verdict::AllowOnly)
}

fn feed_status(name: &FeedName, feed: &FeedFacts) -> FeedStatus {
    let version = feed.version.as_ref().map(|VersionFacts(version)| version);
    FeedStatus {
        feed: name.to_string(),
        format: version.map_or_else(String::new, |version| version.format.to_string()),
        entries: version.map_or(0, |version| version.tally.entries),
        rejected: version.map_or(0, |version| version.tally.rejected),
        state: if feed.is_gone {
            FileStanding::Gone
        } else if !feed.refusals.is_empty() {
            FileStanding::Refused
        } else if matches!(feed.age, Age::Fresh | Age::Future) {
            FileStanding::Current
        } else {
            FileStanding::Stale
        },
        since: feed.since.into(),
        last_good: version.map(|version| version.since.into()),
        refused: feed.refusals.first().map(ToString::to_string),
        accept: feed.can_be_accepted.then(|| accept_command(name.as_str())),
    }
}

/// How a person ends what holds a list.
pub fn way_out(why: &HoldReason) -> String {
    match why.feed() {
        Some(feed) => format!("mend the feed, or let it go: {}", accept_command(feed.as_str())),
        None if matches!(why, HoldReason::Unread | HoldReason::UnreadException(_)) => {
            "it will be free when that is done".to_owned()
        }
        None => "if it is meant: denyset accept --config".to_owned(),
    }
}
