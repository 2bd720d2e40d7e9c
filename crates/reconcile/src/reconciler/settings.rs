//! What the configuration and the host tell the reconciler.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use blocklist::{FeedName, GuardPolicy, List, Protect, Protection, Role};

use crate::{SetPrefix, Update};

/// The settings of one configuration on one host.
#[derive(Clone)]
pub struct Settings {
    /// What our sets' names begin with.
    pub prefix: SetPrefix,
    /// The lists, their names distinct.
    pub lists: Vec<Arc<List>>,
    /// How sets are updated.
    pub update: Update,
    /// What each feed is judged by.
    pub rules: Arc<dyn Fn(&FeedName) -> FeedRules + Send + Sync>,
    /// What is protected on this host.
    pub protection: Protection,
    /// How long a feed stays in force after its file is gone.
    pub withdraw: Duration,
    /// Time between two probes.
    pub probe: Duration,
    /// Time between two comparisons of all members with the kernel.
    pub audit: Duration,
}

/// What a feed is judged by.
#[derive(Clone, Debug)]
pub struct FeedRules {
    /// Its guards.
    pub guard: GuardPolicy,
    /// What does not count when its coverage is judged, since no set will
    /// hold it.
    pub protect: Vec<Protect>,
    /// How old its file may be, and what becomes of it when it is older.
    pub max_age: Option<(Duration, WhenStale)>,
}

/// What becomes of a feed that is older than it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// It stays in force, and is said to be stale.
    #[default]
    Keep,
    /// It is not in force until it is written again.
    Drop,
}

impl Settings {
    /// Whether any list takes this feed in, for its entries or for its allow.
    pub fn uses(&self, feed: &FeedName) -> bool {
        self.lists.iter().any(|list| list.role(feed) != Role::None)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
