//! A list of one family, computed: all of it, or what a few changes of its feeds
//! touch.

use std::collections::{BTreeMap, BTreeSet};

use super::FeedName;
use crate::{Address, Prefix, PrefixSet};

/// What changes is looked for in each feed. With fewer members than so many times
/// the searches, it is no more work to compute all of the list.
const FEW: usize = 4;

/// What a list is computed of.
pub(super) struct OfFamily<'a, A> {
    /// What each feed wants blocked.
    pub(super) deny: BTreeMap<&'a FeedName, &'a PrefixSet<A>>,
    pub(super) allow: &'a PrefixSet<A>,
    pub(super) protect: &'a PrefixSet<A>,
}

/// What comes of it.
pub(super) struct FamilyMembers<A> {
    pub(super) members: PrefixSet<A>,
    pub(super) protected: PrefixSet<A>,
}

impl<A: Address> OfFamily<'_, A> {
    pub(super) fn compose(&self) -> FamilyMembers<A> {
        self.left_of(&PrefixSet::union(self.deny.values().copied()))
    }

    /// What is left of prefixes that feeds want blocked.
    fn left_of(&self, wanted: &PrefixSet<A>) -> FamilyMembers<A> {
        let wanted = wanted.subtract(self.allow);
        let protected = wanted.intersect(self.protect);
        let members = if protected.is_empty() { wanted } else { wanted.subtract(self.protect) };
        FamilyMembers { members, protected }
    }

    /// The same by what is different from `then`, of which `before` came. `None`
    /// if that is no less work, or if all of it is what one feed gives, which is
    /// shared and not copied.
    ///
    /// Addresses outside of all prefixes that came or went are in the same
    /// members as before. So are those inside of a prefix around such a one,
    /// which has neither come nor gone: the narrower one makes no difference.
    pub(super) fn compose_after(
        &self,
        then: &Self,
        before: &FamilyMembers<A>,
    ) -> Option<FamilyMembers<A>> {
        let feeds: Vec<_> = self.deny.values().filter(|set| !set.is_empty()).copied().collect();
        let same = self.allow == then.allow && self.protect == then.protect;
        if feeds.len() < 2 || !same {
            return None;
        }
        let changed = self.changed_since(then);
        let searches = changed.len().saturating_mul(feeds.len());
        if searches.saturating_mul(FEW) > before.members.len() {
            return None;
        }
        let is_inside = wider_ones(&feeds);
        let blocks: PrefixSet<A> = changed.iter().filter(|&block| !is_inside(block)).collect();
        let inside = self.left_of(&inside(&feeds, &blocks));
        Some(FamilyMembers {
            members: before.members.replaced_in(&blocks, &inside.members),
            protected: before.protected.replaced_in(&blocks, &inside.protected),
        })
    }

    /// The prefixes that feeds have now or had then, but not both, without those
    /// inside others.
    fn changed_since(&self, then: &Self) -> PrefixSet<A> {
        let none = PrefixSet::new();
        let feeds: BTreeSet<_> = self.deny.keys().chain(then.deny.keys()).collect();
        let differences = feeds.into_iter().flat_map(|feed| {
            let [now, then] = [self, then].map(|of| of.deny.get(feed).copied().unwrap_or(&none));
            if now == then { Default::default() } else { now.differences(then) }
        });
        PrefixSet::union_of(differences).without_covered()
    }
}

/// Whether any feed has a wider prefix around one.
fn wider_ones<'a, A: Address>(feeds: &[&'a PrefixSet<A>]) -> impl Fn(Prefix<A>) -> bool + 'a {
    // Mostly a feed has nothing but hosts, and need not be asked.
    let shortest = |set: &PrefixSet<A>| set.lengths().iter().copied().min().unwrap_or(A::BITS);
    let feeds: Vec<_> = feeds.iter().map(|&set| (shortest(set), set)).collect();
    move |prefix| {
        let mut wide = feeds.iter().filter(|(shortest, _)| *shortest < prefix.length());
        wide.any(|(_, set)| set.has_around(prefix))
    }
}

/// What feeds have inside of blocks.
fn inside<A: Address>(feeds: &[&PrefixSet<A>], blocks: &PrefixSet<A>) -> PrefixSet<A> {
    let of_feed = |set: &&PrefixSet<A>| set.inside(blocks);
    PrefixSet::union_of(feeds.iter().map(of_feed))
}
