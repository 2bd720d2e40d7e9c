//! The facts that the reconciler knows. The only place where its state becomes
//! a snapshot.

use reconcile::{FeedState, Reconciler, Standing};

use super::{Age, Facts, FeedFacts, ListFacts, SeenSet, SetFacts, Surroundings, VersionFacts};

impl Facts {
    /// What is so now. Costs something for each feed and each set, and nothing
    /// for their members.
    pub fn of(reconciler: &Reconciler, surroundings: Surroundings) -> Self {
        let settings = reconciler.settings();
        let held: Vec<_> = reconciler.held().map(|list| list.name.as_str()).collect();
        let lists = settings.lists.iter().map(|list| ListFacts {
            list: list.clone(),
            is_held: held.contains(&list.name.as_str()),
        });
        let feeds = reconciler.feeds().states().iter();
        Self {
            in_sync: reconciler.in_sync(),
            generation: reconciler.generation(),
            prefix: settings.prefix.clone(),
            lists: lists.collect(),
            protection: settings.protection.clone(),
            feeds: feeds.map(|(name, feed)| (name.clone(), feed_facts(feed))).collect(),
            sets: sets(reconciler),
            scan_failure: reconciler.feeds().scan_failure().map(str::to_owned),
            troubles: reconciler.kernel().troubles().collect(),
            surroundings,
        }
    }
}

fn feed_facts(feed: &FeedState) -> FeedFacts {
    FeedFacts {
        version: feed.in_force.as_ref().map(|content| VersionFacts {
            id: None,
            format: content.format,
            entries: content.tally.entries,
            rejected: content.tally.rejected,
            exceptions: content.tally.exceptions,
            prefixes: content.prefixes.clone(),
        }),
        refusals: feed.refusals.clone(),
        since: feed.since,
        is_gone: feed.gone.is_some(),
        age: match feed.age {
            reconcile::Age::Fresh => Age::Fresh,
            reconcile::Age::Stale => Age::Stale,
            reconcile::Age::Dropped => Age::Dropped,
        },
    }
}

fn sets(reconciler: &Reconciler) -> std::collections::BTreeMap<reconcile::SetName, SetFacts> {
    let observed = reconciler.kernel().observed();
    let sets = reconciler.desired().sets.iter().map(|(name, members)| {
        let seen = observed.and_then(|observed| observed.sets.get(name));
        let times = reconciler.kernel().times(name);
        let facts = SetFacts {
            desired: members.clone(),
            seen: seen.map(|set| SeenSet {
                members: set.header.elements,
                references: set.header.references,
                is_ours: set.standing == Standing::Ours,
            }),
            applied: times.applied,
            verified: times.verified,
        };
        (name.clone(), facts)
    });
    sets.collect()
}
