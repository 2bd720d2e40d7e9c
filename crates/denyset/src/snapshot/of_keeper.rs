//! The facts that the keeper knows. The only place where its state becomes a
//! snapshot.

use std::collections::BTreeMap;

use intake::FeedState;
use keeper::Keeper;
use reconcile::{RuleSet, RulesSeen, SetName, Standing};

use super::{FeedFacts, ListFacts, SeenSet, SetFacts, SnapshotFacts, Surroundings, VersionFacts};

impl SnapshotFacts {
    /// What is so now. Costs something for each feed and each set, and nothing
    /// for their members.
    pub fn of(keeper: &Keeper, surroundings: Surroundings) -> Self {
        let intake = keeper.intake();
        let lists = keeper
            .lists()
            .values()
            .map(|state| ListFacts { list: state.rules.list.clone(), held: state.held.clone() });
        let feeds = intake.feeds().iter();
        Self {
            in_sync: keeper.in_sync(),
            generation: keeper.generation(),
            prefix: keeper.settings().prefix.clone(),
            lists: lists.collect(),
            protection: keeper.protection().clone(),
            feeds: feeds.map(|(name, feed)| (name.clone(), feed_facts(feed))).collect(),
            sets: sets(keeper),
            rules: rules(keeper),
            scan_failure: intake.scan_failure().map(str::to_owned),
            recall_failure: intake.recall_failure().map(str::to_owned),
            troubles: troubles(keeper),
            surroundings,
        }
    }
}

fn feed_facts(feed: &FeedState) -> FeedFacts {
    FeedFacts {
        version: feed.version.clone().map(VersionFacts),
        refusals: feed.refusals().to_vec(),
        can_be_accepted: feed.can_be_accepted(),
        since: feed.since,
        is_gone: feed.gone.is_some(),
        loss: feed.loss.clone().filter(|_| feed.is_unproven()),
        unkept: feed.unkept.clone(),
        age: feed.age,
    }
}

/// Every family's rules, whether they were looked for or not. Those of which
/// only some could be put are told apart.
fn rules(keeper: &Keeper) -> Vec<RulesSeen> {
    let observed = keeper.kernel().observed();
    let mut all = Vec::new();
    for wanted in keeper.desired().rules.iter().filter(|wanted| !wanted.rules().is_empty()) {
        let found = observed.and_then(|observed| observed.rules_found(wanted).cloned());
        let part = observed.and_then(|observed| observed.part_in_force(wanted));
        let Some(part) = part.filter(|_| found.is_none()) else {
            all.push(RulesSeen { wanted: wanted.clone(), found });
            continue;
        };
        let waits = wanted.rules().iter().filter(|rule| !part.wanted.rules().contains(rule));
        let waits = RuleSet::new(wanted.prefix(), wanted.family(), waits.cloned());
        all.extend([part.clone(), RulesSeen { wanted: waits, found: None }]);
    }
    all
}

fn sets(keeper: &Keeper) -> BTreeMap<SetName, SetFacts> {
    let observed = keeper.kernel().observed();
    let sets = keeper.desired().sets.iter().map(|(name, target)| {
        let seen = observed.and_then(|observed| observed.sets.get(name));
        let times = keeper.kernel().times(name);
        let facts = SetFacts {
            desired: target.members.clone(),
            members: seen.and_then(|set| set.members.clone()),
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

fn troubles(keeper: &Keeper) -> Vec<String> {
    let kernel = keeper.kernel();
    let failures = kernel
        .failures()
        .map(|(error, times)| format!("{error}; tried {times} times, the next time soon"));
    let blocked = kernel.blocked().map(|(object, why)| format!("{object}: {why}"));
    failures.chain(blocked).collect()
}
