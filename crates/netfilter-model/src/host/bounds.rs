//! What a list may hold, by all that may be so. One feed that the copies tell of
//! has one version, written at one of the times that its files have said.

use std::collections::BTreeMap;
use std::time::Duration;

use blocklist::{FeedName, Prefixes, Role};

use super::clock::HostClock;
use super::configuration::{HostConfiguration, ListTable};
use super::facts::HostFacts;
use super::files::FeedsDirectory;
use super::oracle::Oracle;
use super::possible::PossibleVersion;
use super::store::Copy;

/// So long before a file may have been read that is there in a quiet moment, by
/// a clock that was set.
const UNSURE: Duration = Duration::from_secs(1_000);

/// What a list may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    /// All of this.
    pub(super) least: Prefixes,
    /// Nothing but this.
    pub(super) most: Prefixes,
    /// Certainly nothing of this.
    pub(super) never: Prefixes,
}

impl Oracle {
    /// What a list with this table may hold now. A feed that the copies tell
    /// of has one version; else it may have any that is possible.
    pub(super) fn bounds(
        &self,
        configuration: &HostConfiguration,
        table: &ListTable,
        files: &FeedsDirectory,
        copies: &BTreeMap<FeedName, Copy>,
        clock: &HostClock,
    ) -> Bounds {
        let literals: Prefixes = table.literals.iter().copied().collect();
        let facts = self.facts.last().map_or_else(Prefixes::new, HostFacts::protected);
        let protected = if table.protects { facts } else { Prefixes::new() };
        let never = Prefixes::union([&literals, &protected]);
        let mut parts: BTreeMap<bool, (Vec<Prefixes>, Vec<Prefixes>)> = BTreeMap::new();
        for (name, feed) in &self.feeds {
            let role = table.role(name);
            if role == Role::None {
                continue;
            }
            let drops = configuration.max_age.get(name).filter(|age| age.1).map(|age| age.0);
            let versions: Vec<PossibleVersion> = if configuration.uses(name) {
                vec![copies.get(name).map(|copy| copy.text.clone())]
            } else {
                feed.versions.clone()
            };
            let mut may = Vec::new();
            for version in &versions {
                let Some(text) = version else {
                    may.push(Prefixes::new());
                    continue;
                };
                let mut times = feed.times(text, files.by_name.get(name));
                let file = files.by_name.get(name);
                if file.is_none_or(|file| file.text.number != text.number) {
                    // What nobody could note counts from when it was kept.
                    times.extend(copies.get(name).map(|copy| copy.written));
                }
                for written in times {
                    let old = drops.is_some_and(|age| written + age <= clock.wall);
                    let accepted = copies.get(name).map(|copy| copy.accepted);
                    // The age of a file from the future counts from another
                    // time, which nobody knows exactly.
                    let ahead = written > clock.wall
                        || feed.was_ahead(written)
                        || clock.set && written + UNSURE > clock.wall
                        || accepted.is_none_or(|at| written > at);
                    if drops.is_some() && ahead {
                        may.push(Prefixes::new());
                    }
                    may.push(if old { Prefixes::new() } else { text.at(written, clock.wall) });
                }
            }
            let most = Prefixes::union(&may);
            let least = may.iter().fold(most.clone(), |common, one| common.intersect(one));
            let part = parts.entry(role == Role::Allow).or_default();
            part.0.push(least);
            part.1.push(most);
        }
        let part = |allow: bool, most: bool| {
            let part = parts.get(&allow);
            Prefixes::union(
                part.map(|part| if most { &part.1 } else { &part.0 }).into_iter().flatten(),
            )
        };
        let least = part(false, false).subtract(&part(true, true)).subtract(&never);
        let never = Prefixes::union([&never, &part(true, false)]);
        Bounds { least, most: part(false, true).subtract(&never), never }
    }
}
