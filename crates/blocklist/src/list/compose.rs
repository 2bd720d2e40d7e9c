//! What a list consists of, computed from its feeds. Knows nothing of why an
//! address is in it; that is the explanation's part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{FeedName, List, Role};
use crate::Prefixes;

/// What a list is to hold, and what was kept out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composition {
    /// The members of the list's sets. None lies inside another, but
    /// neighbours are not joined: a further prefix length costs every packet
    /// a look-up, and small changes of a feed are to stay small changes.
    pub members: Prefixes,
    /// The addresses that feeds wanted blocked, that nothing allowed, and that
    /// protection took out: worth a warning.
    pub protected: Prefixes,
    /// What the list must not hold, whatever its feeds say: what is allowed
    /// and what is protected.
    pub never: Prefixes,
}

/// What a feed gives to lists.
pub trait Contribution {
    /// To a list in which it has this role: what is to be blocked, or what never.
    fn of_role(&self, role: Role) -> &Prefixes;
}

impl Contribution for Arc<Prefixes> {
    fn of_role(&self, _: Role) -> &Prefixes {
        self
    }
}

/// What a feed with rules gives: it blocks some and lets others in.
#[derive(Clone, Debug)]
pub struct Contributed {
    /// What it blocks.
    pub blocks: Arc<Prefixes>,
    /// What it lets in; what it blocks, if it has no rules.
    pub lets_in: Option<Arc<Prefixes>>,
}

impl Contribution for Contributed {
    fn of_role(&self, role: Role) -> &Prefixes {
        self.lets_in.as_ref().filter(|_| role == Role::Allow).unwrap_or(&self.blocks)
    }
}

/// Computes a list: the prefixes of its feeds, minus those of its allow feeds
/// and its allow literals, minus `protect`.
///
/// `feeds` may hold feeds that the list does not name. Names in the list for
/// which there is no feed add nothing.
pub fn compose(
    list: &List,
    feeds: &BTreeMap<FeedName, impl Contribution>,
    protect: &Prefixes,
) -> Composition {
    let of_role = |role: Role| {
        let feeds = feeds.iter().filter(move |(name, _)| list.role(name) == role);
        feeds.map(move |(_, feed)| feed.of_role(role))
    };
    let literals: Prefixes = list.literals().collect();
    let allowed = Prefixes::union(of_role(Role::Allow).chain([&literals]));
    let wanted = Prefixes::union(of_role(Role::Deny)).subtract(&allowed);
    let protected = wanted.intersect(protect);
    let members = if protected.is_empty() { wanted } else { wanted.subtract(protect) };
    let never = Prefixes::union([&allowed, protect]);
    Composition { members, protected, never }
}
