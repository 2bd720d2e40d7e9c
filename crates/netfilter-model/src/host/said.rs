//! What the state machine says of itself, as `status` tells it. One of three
//! files that know its interface.

use std::collections::{BTreeMap, BTreeSet};

use blocklist::{FeedName, Refusal};
use intake::Age;
use keeper::Keeper;
use reconcile::Hold;

/// What `status` says, as far as promises are made about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StatusSays {
    /// The kernel holds what it should hold.
    pub(super) in_sync: bool,
    /// Nothing is under way.
    pub(super) at_rest: bool,
    /// What is not as it should be.
    pub(super) degraded: Vec<String>,
    /// Feeds of which a version is refused, and why.
    pub(super) refused: BTreeMap<FeedName, RefusedFeed>,
    /// The numbers of the versions in force.
    pub(super) in_force: BTreeMap<FeedName, u64>,
    /// Feeds of whose version in force there is no copy.
    pub(super) unkept: BTreeSet<FeedName>,
    /// Lists whose sets are held.
    pub(super) held: BTreeMap<String, HeldList>,
}

/// What is said of a feed that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RefusedFeed {
    /// Why, a sentence each.
    pub(super) reasons: Vec<String>,
    /// The number of the version, if it could be read.
    pub(super) version: Option<u64>,
    /// It is a deleted file that is refused.
    pub(super) is_gone: bool,
}

/// What is said of a list that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldList {
    /// Nothing is added either.
    pub(super) frozen: bool,
    /// Why, a sentence.
    pub(super) why: String,
}

impl StatusSays {
    /// Whether it says that anything is wrong.
    pub(super) fn complains(&self) -> bool {
        !self.in_sync || !self.degraded.is_empty()
    }
}

/// What is said now.
pub(super) fn said(keeper: &Keeper) -> StatusSays {
    let intake = keeper.intake();
    let feeds = intake.feeds();
    let refused = feeds.iter().filter(|(_, feed)| !feed.refusals().is_empty());
    let refused = refused.map(|(name, feed)| {
        let refused = RefusedFeed {
            reasons: feed.refusals().iter().map(Refusal::to_string).collect(),
            version: feed.refused.as_ref().and_then(|refused| refused.id).map(|id| id.0[0]),
            is_gone: feed.gone.is_some(),
        };
        (name.clone(), refused)
    });
    let in_force = feeds.iter().filter_map(|(name, feed)| {
        feed.version.as_ref().map(|version| (name.clone(), version.id.0[0]))
    });
    let unkept = feeds.iter().filter(|(_, feed)| feed.unkept.is_some());
    StatusSays {
        in_sync: keeper.in_sync(),
        at_rest: keeper.at_rest(),
        degraded: degraded(keeper),
        refused: refused.collect(),
        in_force: in_force.collect(),
        unkept: unkept.map(|(name, _)| name.clone()).collect(),
        held: held(keeper),
    }
}

fn held(keeper: &Keeper) -> BTreeMap<String, HeldList> {
    let held = keeper.lists().iter().filter_map(|(name, state)| {
        let held = state.held.as_ref()?;
        let frozen = held.hold == Hold::Frozen;
        Some((name.clone(), HeldList { frozen, why: held.why.to_string() }))
    });
    held.collect()
}

fn degraded(keeper: &Keeper) -> Vec<String> {
    let intake = keeper.intake();
    let kernel = keeper.kernel();
    let mut degraded: Vec<String> = intake
        .scan_failure()
        .into_iter()
        .chain(intake.recall_failure())
        .map(str::to_owned)
        .collect();
    degraded.extend(keeper.refused_configuration().iter().map(ToString::to_string));
    let worth_telling = keeper.lists().iter().filter_map(|(name, state)| {
        let held = state.held.as_ref().filter(|held| held.why.is_worth_telling())?;
        Some(format!("list {name} is held: {}", held.why))
    });
    degraded.extend(worth_telling);
    degraded.extend(kernel.failures().map(|(error, _)| error.to_string()));
    degraded.extend(kernel.blocked().map(|(object, why)| format!("{object}: {why}")));
    for (name, feed) in intake.feeds() {
        degraded.extend((!feed.refusals().is_empty()).then(|| format!("feed {name} is refused")));
        degraded.extend(feed.unkept.as_ref().map(|_| format!("feed {name} is not kept")));
        degraded.extend((feed.age != Age::Fresh).then(|| format!("feed {name} is too old")));
    }
    degraded
}
