//! What the sets of a boot hold: the last good copies, composed as the daemon
//! composes them. A list of which anything is in doubt that may take addresses
//! out of it stays empty: to block what is allowed is worse than to wait.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Instant, SystemTime};

use blocklist::{Allow, Contributed, FeedName, Limits, Protection, Role, compose};
use configuration::{Configuration, ListConfig};
use feedfiles::{BadCopy, Copies, Restored, RestoredFeed};
use intake::{Identity, Version, WhenStale};
use reconcile::{Desired, SetName, Target};

use super::Made;

/// What filling came to.
#[derive(Debug, Default)]
pub struct Filled {
    /// The sets that hold what they should.
    pub sets: BTreeSet<SetName>,
    /// Why others stay empty or may lack something, one sentence each.
    pub problems: Vec<String>,
}

impl Made {
    /// Fills the sets that were made from the last good copies below
    /// `state_dir`, as far as `until` allows.
    pub fn fill_from(
        &mut self,
        config: &Configuration,
        state_dir: &Path,
        protection: &Protection,
        until: Instant,
    ) -> Filled {
        let mut filled = Filled::default();
        if self.sets().is_empty() {
            return filled;
        }
        let restored = match restore(config, state_dir, until) {
            Ok(restored) => restored,
            Err(problem) => {
                filled.problems.push(problem);
                return filled;
            }
        };
        let damaged = restored.damaged.iter().chain(&restored.unread);
        filled.problems.extend(damaged.map(|damaged| format!("a copy is left out: {damaged}")));
        let desired = desired(config, restored, protection, &mut filled.problems);
        filled.sets = self.fill(&desired, until);
        let empty = |set: &&SetName| {
            !filled.sets.contains(*set)
                && desired.sets.get(*set).is_some_and(|to| !to.members.is_empty())
        };
        let late = self.sets().iter().filter(empty);
        let late = late.map(|set| format!("there was no time to fill set {set}, it is empty"));
        filled.problems.extend(late);
        filled
    }
}

/// Reads the copies that the lists use.
///
/// # Errors
/// Why none can be used.
fn restore(config: &Configuration, state_dir: &Path, until: Instant) -> Result<Restored, String> {
    let copies = Copies::open(state_dir).map_err(|error| error.to_string())?;
    let Some(copies) = copies else { return Ok(Restored::default()) };
    let late = || Instant::now() >= until;
    let wanted = |feed: &FeedName| !late() && config.lists.iter().any(|list| list.uses(feed));
    let restored = copies.restore(&Limits::default(), wanted).map_err(|error| error.to_string())?;
    if late() {
        return Err("there was no time to read the last good copies, the sets are empty".into());
    }
    Ok(restored)
}

/// What the sets should hold, without those of lists that are in doubt.
fn desired(
    config: &Configuration,
    restored: Restored,
    protection: &Protection,
    problems: &mut Vec<String>,
) -> Desired {
    let Restored { feeds, damaged, unread } = restored;
    let damaged: Vec<_> = damaged.into_iter().chain(unread).collect();
    let feeds = in_force(config, feeds);
    let mut desired = Desired::default();
    for list in &config.lists {
        if let Some(damaged) = damaged.iter().find(|damaged| may_allow(list, damaged)) {
            let file = &damaged.file;
            let name = &list.list.name;
            problems.push(format!("list {name} stays empty: {file} may say what it must not hold"));
            continue;
        }
        let composition = compose(&list.list, &feeds, &protection.of(&list.list.protect));
        let targets = Target::pair(composition.members, composition.never);
        // The name was checked with the configuration.
        let _named = desired.insert(&config.kernel.set_prefix, &list.list.name, targets);
    }
    desired
}

/// What the copies hold now, without those that are too old to be in force.
fn in_force(
    config: &Configuration,
    copies: BTreeMap<FeedName, RestoredFeed>,
) -> BTreeMap<FeedName, Contributed> {
    let now = SystemTime::now();
    let rules = config.rules();
    let dropped = |feed: &FeedName, written: SystemTime| match rules.max_age_for(feed) {
        Some((age, WhenStale::Drop)) => written.checked_add(age).is_some_and(|end| end <= now),
        _ => false,
    };
    let copies = copies.into_iter().filter(|(feed, copy)| !dropped(feed, copy.written));
    copies
        .map(|(feed, copy)| {
            let id = Identity(copy.version.numbers());
            let version = Version::new(id, copy.feed, copy.written, copy.accepted);
            (feed, version.contributed_at(now))
        })
        .collect()
}

/// Whether a copy that is damaged may be one that a list allows.
fn may_allow(list: &ListConfig, damaged: &BadCopy) -> bool {
    match &damaged.feed {
        Some(feed) => list.list.role(feed) == Role::Allow,
        None => list.list.allow.iter().any(|allow| matches!(allow, Allow::Feeds(_))),
    }
}
