//! What the state machine is told of configuration and host, in its own types.
//! One of three files that know its interface.

use std::sync::Arc;
use std::time::Duration;

use blocklist::{FeedName, Glob, GuardPolicy, Protection};
use intake::{FeedTable, GuardOverrides, ListRules, Rules, Shuts, WhenStale};
use keeper::Settings;
use reconcile::{MemberLayout, Update};

use super::configuration::HostConfiguration;
use super::facts::{CATEGORIES, HostFacts};
use crate::simulation::prefix;

/// How long a deleted feed stays in force.
pub(super) const WITHDRAW: Duration = Duration::from_secs(300);
/// Time between two probes.
const PROBE: Duration = Duration::from_secs(60);
/// Time between two audits.
const AUDIT: Duration = Duration::from_secs(3_600);
/// Time between two looks at the feeds directory that nobody asked for.
const SCAN: Duration = Duration::from_secs(60);
/// How long a file may change without a pause.
const PATIENCE: Duration = Duration::from_secs(10);

/// The guards of every feed.
pub(super) fn guard() -> GuardPolicy {
    GuardPolicy::default()
}

/// What is protected on a host of which these are the facts.
pub(super) fn protection(facts: &HostFacts) -> Protection {
    let mut protection = Protection::default();
    for (category, addresses) in CATEGORIES.into_iter().zip(&facts.addresses) {
        protection.set(category, addresses.iter().copied());
    }
    protection
}

/// How sets are brought up to date on a host, as long as it lives.
#[derive(Clone, Copy)]
pub(super) struct Writing {
    pub(super) update: Update,
    pub(super) layout: MemberLayout,
}

/// The settings of a configuration.
pub(super) fn settings(configuration: &HostConfiguration, writing: Writing) -> Settings {
    let lists = configuration.lists.iter().map(|(name, table)| ListRules {
        list: Arc::new(table.list(name)),
        guard: GuardOverrides::default(),
        optional: false,
    });
    let table = |(feed, &(age, drops)): (&FeedName, &(Duration, bool))| FeedTable {
        matches: Glob::new(feed.as_str()).expect("a good glob"),
        guard: GuardOverrides::default(),
        max_age: Some(age),
        when_stale: Some(if drops { WhenStale::Drop } else { WhenStale::Keep }),
    };
    // A list that means not to protect the host asks for it by a rule that is for
    // others: the guard against locking out has nothing to say of it.
    let unprotected = configuration.lists.iter().filter(|(_, table)| !table.protects);
    let shuts = unprotected.map(|(list, _)| ((*list).clone(), Shuts::nobody()));
    let rules = Rules {
        shuts: shuts.chain(configuration.shuts()).collect(),
        guard: guard(),
        lists: lists.collect(),
        tables: configuration.max_age.iter().map(table).collect(),
        withdraw: WITHDRAW,
        scan: SCAN,
        patience: PATIENCE,
        ..Rules::default()
    };
    Settings {
        prefix: prefix(),
        update: writing.update,
        layout: writing.layout,
        rules: Arc::new(rules),
        filter: configuration.filter(),
        probe: PROBE,
        audit: AUDIT,
    }
}
