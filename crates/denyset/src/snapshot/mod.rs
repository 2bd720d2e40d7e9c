//! What the daemon holds at one moment, as facts: desired, observed and in
//! force at one revision. Whoever asks reads it, and nobody waits for the loop.
//! What is large is shared; how any of it is said is decided in `view`.

mod counted;
mod counts;
mod export_facts;
mod of_keeper;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::SystemTime;

use blocklist::{Contributed, Family, FeedName, List, Protection, Refusal};
use intake::{Age, Loss, Version};
use keeper::Held;
use reconcile::{Bypass, Members, RulesSeen, SetName, SetPrefix};

pub use counted::{ApplyTimes, DaemonCounts};
pub use counts::RuleCounts;
pub use export_facts::{ExportFacts, WrittenFacts};

/// The facts, and which ones they are.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Grows by one whenever a fact has changed.
    pub revision: u64,
    /// What is so.
    pub facts: SnapshotFacts,
}

/// Everything that can be asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotFacts {
    /// Whether the kernel holds what it should hold.
    pub in_sync: bool,
    /// The number of the desired state.
    pub generation: u64,
    /// What the names of sets begin with.
    pub prefix: SetPrefix,
    /// The lists, by name.
    pub lists: Vec<ListFacts>,
    /// The addresses that are protected on this host.
    pub protection: Arc<Protection>,
    /// Every feed that a list takes in.
    pub feeds: BTreeMap<FeedName, FeedFacts>,
    /// The live sets of all lists.
    pub sets: BTreeMap<SetName, SetFacts>,
    /// The rules, and what was seen of them.
    pub rules: Vec<RulesSeen>,
    /// Why the feeds directory could not be read the last time.
    pub scan_failure: Option<String>,
    /// Why the last good copies could not be looked through.
    pub recall_failure: Option<String>,
    /// What keeps the kernel from being as desired, a sentence each.
    pub troubles: Vec<String>,
    /// What is so around the daemon.
    pub surroundings: Surroundings,
}

/// One list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListFacts {
    /// What it is made of.
    pub list: Arc<List>,
    /// How its sets are kept from what its feeds say, if they are.
    pub held: Option<Held>,
}

/// One feed.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedFacts {
    /// The last good version. Not in force if the feed is too old for that.
    pub version: Option<VersionFacts>,
    /// Why the newest version is not it. Empty if it is.
    pub refusals: Vec<Refusal>,
    /// A person's word can let it through, or let the feed go.
    pub can_be_accepted: bool,
    /// Since when the feed is in the standing that it is in.
    pub since: SystemTime,
    /// Its file is gone.
    pub is_gone: bool,
    /// How its last good version was lost, if nothing good has come since.
    pub loss: Option<Loss>,
    /// Why the version in force would not survive a restart.
    pub unkept: Option<Refusal>,
    /// How old it is, by what it may be.
    pub age: Age,
}

/// A version of a feed. Two are equal that are known by the same, from the same
/// time on.
#[derive(Clone, Debug)]
pub struct VersionFacts(pub Version);

impl PartialEq for VersionFacts {
    fn eq(&self, other: &Self) -> bool {
        let known_by = |Self(version): &Self| (version.id, version.since, version.written);
        known_by(self) == known_by(other)
    }
}

/// One live set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetFacts {
    /// The members that it should have.
    pub desired: Members,
    /// Those that it has, as far as they are known.
    pub members: Option<Members>,
    /// What was seen of it; `None` if it was not there.
    pub seen: Option<SeenSet>,
    /// The last change that was carried out.
    pub applied: Option<SystemTime>,
    /// The last time that all members were compared, or just written.
    pub verified: Option<SystemTime>,
}

impl SetFacts {
    /// What it holds, as its list writes it if that is the same, and whether it
    /// is what it should hold. `None` if it is not known.
    pub fn held(&self) -> Option<(&Members, bool)> {
        let members = self.members.as_ref()?;
        let same = members.holds_the_same(&self.desired);
        Some((if same { &self.desired } else { members }, same))
    }
}

/// A set as it was last seen in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenSet {
    /// How many members it has.
    pub members: u32,
    /// How many rules and sets refer to it.
    pub references: u32,
    /// Whether it carries our mark.
    pub is_ours: bool,
}

/// What is so around the daemon, and none of the machine's business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Why the last reload was refused, a sentence.
    pub reload_refused: Option<String>,
    /// Folders below the feeds directory that could not be read.
    pub unreadable: Vec<String>,
    /// Why changes below the feeds directory are not told to the daemon, a
    /// sentence.
    pub unwatched: Option<String>,
    /// Where changes are seen late because the file system does not tell, a
    /// sentence.
    pub silent: Option<String>,
    /// Feeds that were taken though somebody still writes to their files.
    pub unfinished: Vec<FeedName>,
    /// Everything else that is not as it should be, a sentence each.
    pub others: Vec<String>,
    /// What carries packets past rules.
    pub bypasses: Vec<Bypass>,
    /// Until when somebody has to confirm the configuration, if he has.
    pub confirm_until: Option<SystemTime>,
    /// What is written for other programs.
    pub exports: Vec<ExportFacts>,
    /// What was counted since the daemon began.
    pub counted: DaemonCounts,
}

impl FeedFacts {
    /// The version in force, if there is one.
    pub fn in_force(&self) -> Option<&Version> {
        let VersionFacts(version) = self.version.as_ref()?;
        Some(version).filter(|_| self.age != Age::Dropped)
    }
}

impl SnapshotFacts {
    /// Those of a daemon without lists, for tests.
    #[cfg(test)]
    pub(crate) fn nothing() -> Self {
        Self {
            in_sync: true,
            generation: 7,
            prefix: SetPrefix::new("denyset-").expect("a prefix"),
            lists: Vec::new(),
            protection: Arc::default(),
            feeds: BTreeMap::new(),
            sets: BTreeMap::new(),
            scan_failure: None,
            recall_failure: None,
            rules: Vec::new(),
            troubles: Vec::new(),
            surroundings: Surroundings::default(),
        }
    }

    /// What the feeds in force contribute at this time of day.
    pub fn in_force(&self, now: SystemTime) -> BTreeMap<FeedName, Contributed> {
        let feeds = self.feeds.iter();
        let feeds = feeds.filter_map(|(name, feed)| Some((name, feed.in_force()?)));
        feeds.map(|(name, version)| (name.clone(), version.contributed_at(now))).collect()
    }

    /// The feeds in force that take out some of what their own entries name.
    pub fn with_exceptions(&self) -> impl Iterator<Item = &FeedName> {
        let takes_out = |feed: &FeedFacts| feed.in_force().is_some_and(|v| v.tally.exceptions > 0);
        self.feeds.iter().filter(move |(_, feed)| takes_out(feed)).map(|(name, _)| name)
    }

    /// The live set of a list that an address would be in.
    pub fn set_of(&self, list: &List, address: IpAddr) -> Option<(&SetName, &SetFacts)> {
        let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        self.sets.get_key_value(&self.prefix.live(&list.name, family).ok()?)
    }
}
