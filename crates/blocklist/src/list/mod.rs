//! Lists: which feeds make one up, what it must never hold, and why an address
//! is in it or not. Knows feeds by name and by their prefixes; knows no files
//! and no kernel sets.

mod compose;
mod explain;
mod glob;
mod leftover;
mod name;
mod operands;
mod protect;

pub use compose::{Composition, Contributed, Contribution, Operands, compose};
pub use explain::{AllowedBy, Explanation, Match, explain};
pub use glob::{Glob, GlobError};
pub use leftover::{Circumstance, Leftover};
pub use name::{FEED_NAME_BYTES_MAX, FeedName, FeedNameError};
pub use protect::{Protect, Protection, UnknownProtect};

use crate::AnyPrefix;

/// A named union of feeds, minus what it must never hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name, the middle part of the names of its kernel sets.
    pub name: String,
    /// The feeds whose prefixes it holds.
    pub feeds: Vec<Glob>,
    /// What is never in it. Wins over `feeds`.
    pub allow: Vec<Allow>,
    /// Which addresses of networks and of this host are never in it either.
    pub protect: Vec<Protect>,
}

impl List {
    /// What a feed of this name is to the list. One that both sides name is
    /// an allow feed: allow wins.
    pub fn role(&self, feed: &FeedName) -> Role {
        let allows = |allow: &Allow| matches!(allow, Allow::Feeds(glob) if glob.matches(feed));
        if self.allow.iter().any(allows) {
            Role::Allow
        } else if self.feeds.iter().any(|glob| glob.matches(feed)) {
            Role::Deny
        } else {
            Role::None
        }
    }

    /// The prefixes that stand in `allow` themselves.
    pub fn literals(&self) -> impl Iterator<Item = AnyPrefix> + '_ {
        self.allow.iter().filter_map(|allow| match allow {
            Allow::Prefix(prefix) => Some(*prefix),
            Allow::Feeds(_) => None,
        })
    }
}

/// An entry of a list's `allow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Every address of these feeds.
    Feeds(Glob),
    /// These addresses.
    Prefix(AnyPrefix),
}

/// What a feed is to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its addresses are to be blocked.
    Deny,
    /// Its addresses are never blocked.
    Allow,
    /// Nothing.
    None,
}
