//! What a list consists of, computed from its feeds. Knows nothing of why an
//! address is in it; that is the explanation's part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::operands::{FamilyMembers, OfFamily};
use super::{FeedName, List, Role};
use crate::{Address, PrefixSet, Prefixes};

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

impl Composition {
    fn of(ipv4: FamilyMembers<u32>, ipv6: FamilyMembers<u128>, never: Prefixes) -> Self {
        Self {
            members: Prefixes { ipv4: ipv4.members, ipv6: ipv6.members },
            protected: Prefixes { ipv4: ipv4.protected, ipv6: ipv6.protected },
            never,
        }
    }
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

/// What a list is computed of: the prefixes that its feeds give it, and what it
/// must not hold. They are shared with whoever gave them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operands {
    deny: BTreeMap<FeedName, Prefixes>,
    allow: Prefixes,
    protect: Prefixes,
}

impl Operands {
    /// `feeds` may hold feeds that the list does not name. Names in the list for
    /// which there is no feed add nothing.
    pub fn of(
        list: &List,
        feeds: &BTreeMap<FeedName, impl Contribution>,
        protect: &Prefixes,
    ) -> Self {
        let of_role = |role: Role| feeds.iter().filter(move |(name, _)| list.role(name) == role);
        let deny = of_role(Role::Deny)
            .map(|(name, feed)| (name.clone(), feed.of_role(Role::Deny).clone()));
        let literals: Prefixes = list.literals().collect();
        let allow = of_role(Role::Allow).map(|(_, feed)| feed.of_role(Role::Allow));
        let allow = Prefixes::union(allow.chain([&literals]));
        Self { deny: deny.collect(), allow, protect: protect.clone() }
    }

    /// What the list must not hold: what is allowed and what is protected.
    pub fn never(&self) -> Prefixes {
        Prefixes::union([&self.allow, &self.protect])
    }

    /// Computes the list: the prefixes of its feeds, minus what it must not hold.
    pub fn compose(&self) -> Composition {
        let ipv4 = self.of_family(|prefixes| &prefixes.ipv4).compose();
        let ipv6 = self.of_family(|prefixes| &prefixes.ipv6).compose();
        Composition::of(ipv4, ipv6, self.never())
    }

    /// The same, if `before` is what came of the operands `then`: where only few
    /// prefixes of feeds are others, only what these touch is computed.
    pub fn compose_after(&self, then: &Self, before: &Composition) -> Composition {
        let composition =
            if self == then { before.clone() } else { self.changed_from(then, before) };
        debug_assert_eq!(composition, self.compose(), "it is computed, one way or the other");
        composition
    }

    fn changed_from(&self, then: &Self, before: &Composition) -> Composition {
        let ipv4 = self.part(then, before, |prefixes| &prefixes.ipv4);
        let ipv6 = self.part(then, before, |prefixes| &prefixes.ipv6);
        let same = self.allow == then.allow && self.protect == then.protect;
        let never = if same { before.never.clone() } else { self.never() };
        Composition::of(ipv4, ipv6, never)
    }

    fn part<A: Address>(
        &self,
        then: &Self,
        before: &Composition,
        of: impl Fn(&Prefixes) -> &PrefixSet<A>,
    ) -> FamilyMembers<A> {
        let (own, then) = (self.of_family(&of), then.of_family(&of));
        let before = FamilyMembers {
            members: of(&before.members).clone(),
            protected: of(&before.protected).clone(),
        };
        own.compose_after(&then, &before).unwrap_or_else(|| own.compose())
    }

    /// Those of one family.
    fn of_family<A: Address>(&self, of: impl Fn(&Prefixes) -> &PrefixSet<A>) -> OfFamily<'_, A> {
        let deny = self.deny.iter().map(|(name, prefixes)| (name, of(prefixes)));
        OfFamily { deny: deny.collect(), allow: of(&self.allow), protect: of(&self.protect) }
    }
}

/// Computes a list, as [`Operands::compose`] does.
pub fn compose(
    list: &List,
    feeds: &BTreeMap<FeedName, impl Contribution>,
    protect: &Prefixes,
) -> Composition {
    Operands::of(list, feeds, protect).compose()
}
