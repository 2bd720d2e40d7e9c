//! What the daemon of a run is configured to: a list for each name, of the feeds
//! below it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Allow, FeedName, Glob, GuardPolicy, List, Protection};
use intake::{GuardOverrides, ListRules, Now, Rules};
use keeper::{Keeper, Settings};
use reconcile::{MemberLayout, Update};

use super::world::{never, prefix};

/// How long a deleted feed stays in force.
pub(super) const WITHDRAW: Duration = Duration::from_secs(300);

/// Whether a list takes in a feed.
pub(super) fn takes(list: &str, feed: &FeedName) -> bool {
    feed.as_str().starts_with(&format!("{list}/"))
}

/// A list takes in the feeds below its name and never holds what must never
/// be blocked.
pub(super) fn list(name: &str) -> List {
    List {
        name: name.to_owned(),
        feeds: vec![Glob::new(&format!("{name}/*")).expect("a good glob")],
        allow: never().into_iter().map(Allow::Prefix).collect(),
        protect: Vec::new(),
    }
}

pub(super) fn settings(lists: &BTreeSet<String>, update: Update) -> Settings {
    let guard = GuardPolicy {
        shrink_percent_max: 100,
        growth_percent_max: 1_000_000,
        allow_empty: true,
        ..GuardPolicy::default()
    };
    let list = |name: &String| ListRules {
        list: Arc::new(list(name)),
        guard: GuardOverrides::default(),
        optional: false,
    };
    let rules = Rules {
        guard,
        lists: lists.iter().map(list).collect(),
        withdraw: WITHDRAW,
        scan: Duration::from_secs(60),
        patience: Duration::from_secs(10),
        ..Rules::default()
    };
    Settings {
        prefix: prefix(),
        update,
        layout: MemberLayout::Exact,
        rules: Arc::new(rules),
        probe: Duration::from_secs(10),
        audit: Duration::from_secs(3_600),
        filter: Vec::new(),
    }
}

pub(super) fn keeper(lists: &BTreeSet<String>, update: Update, salt: u64, now: Duration) -> Keeper {
    let now = Now { monotonic: now, wall: SystemTime::UNIX_EPOCH + now };
    Keeper::new(settings(lists, update), Protection::default(), salt, now)
}
