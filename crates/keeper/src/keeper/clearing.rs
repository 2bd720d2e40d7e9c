//! Before a list comes into force it is held against who is connected, and what
//! the host needs: at the first start with a rule, and when a feed leaves a list,
//! an entry's lifetime ends or a file is too old. Versions of feeds and
//! configurations have guards of their own, whose word counts here.
//!
//! What was in force before the process began is nothing new: a boot finds an
//! empty kernel and the same configuration, and puts back what was there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use blocklist::{FeedName, Role};
use intake::{Now, Peer, Shuts};
use reconcile::{RuleSet, SetName, Target};

use super::Keeper;
use crate::Slip;
use crate::clearance::ShutOut;
use crate::lists::ListState;
use crate::lockout::{World, newly_shut_out};

/// Time until it is looked again who is still connected. A server of SSH gives
/// two minutes to log in (`LoginGraceTime`, `sshd_config(5)`).
const AGAIN: Duration = Duration::from_secs(20);

impl Keeper {
    /// The lists and rules of the start are those that were last in force: they
    /// shut nobody out who was not.
    pub fn is_as_before(&mut self) {
        self.give_clearance(|_| true);
    }

    /// Lets the next version of lists through, which somebody has judged.
    pub(super) fn give_clearance(&mut self, judged: impl Fn(&ListState) -> bool) {
        for state in self.lists.values_mut().filter(|state| judged(state)) {
            state.clearance.given = true;
        }
    }

    /// The same of the lists that take in a feed.
    pub(super) fn give_clearance_for(&mut self, feed: &FeedName) {
        self.give_clearance(|state| state.rules.list.role(feed) != Role::None);
    }

    /// A person lets through what would shut somebody out. Whether anything would.
    pub(super) fn accept_shut_out(&mut self) -> bool {
        let mut any = false;
        for state in self.lists.values_mut().filter(|state| state.clearance.refused.is_some()) {
            state.clearance.give(state.targets.as_ref());
            self.kernel.want_plan();
            any = true;
        }
        any
    }

    /// Holds lists that were put together against who was connected then. What
    /// the kernel has is known first.
    pub(super) fn clear(&mut self, now: Now) {
        if self.kernel.observed().is_none() {
            return;
        }
        let due = |state: &ListState| state.clearance.pending.is_some();
        let names: Vec<_> = self.lists.iter().filter(|(_, state)| due(state)).collect();
        for name in names.into_iter().map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.clear_list(&name, now);
        }
    }

    fn clear_list(&mut self, name: &str, now: Now) {
        let Some(state) = self.lists.get_mut(name) else { return };
        let Some(mut peers) = state.clearance.pending.take() else { return };
        if let Some(refused) = &state.clearance.refused {
            peers.retain(|peer| refused.counts(peer));
        }
        let given = state.clearance.given;
        let slips = if given { Vec::new() } else { self.shut_out_by(name, &peers) };
        let Some(state) = self.lists.get_mut(name) else { return };
        let was_refused = state.clearance.refused.is_some();
        if slips.is_empty() {
            state.clearance.give(state.targets.as_ref());
        } else {
            let connections: BTreeSet<_> = peers.iter().map(|peer| peer.connection).collect();
            let again = now.monotonic + AGAIN;
            state.clearance.refused = Some(ShutOut { slips, connections, again });
        }
        if was_refused || state.clearance.refused.is_some() {
            self.kernel.want_plan();
        }
    }

    /// Whom a list would shut out by what it was put together to.
    fn shut_out_by(&self, name: &str, peers: &[Peer]) -> Vec<Slip> {
        let Some(state) = self.lists.get(name) else { return Vec::new() };
        let Some(targets) = &state.targets else { return Vec::new() };
        let shuts = match self.settings.rules.shuts.get(name) {
            Some(shuts) => shuts.clone(),
            None => self.shuts_now(state, true),
        };
        let alone = World::of(name, shuts.clone(), targets);
        // Mostly nobody is, and then it does not matter who was before.
        let nobody = World::default();
        if newly_shut_out(&nobody, &alone, peers, &self.protection).is_empty() {
            return Vec::new();
        }
        let (before, mut after) = (self.world(|_| true), self.world(|_| true));
        after.targets.insert(name, targets);
        after.shuts.insert(name, shuts);
        newly_shut_out(&before, &after, peers, &self.protection)
    }

    /// Whom the lists shut out as far as it is known to be so. Of a list that no
    /// rule of ours asks nobody knows: it is `looked` whether any rule does, or
    /// else it is taken for granted.
    pub(super) fn world(&self, looked: impl Fn(&str) -> bool) -> World<'_> {
        let (mut shuts, mut targets) = (BTreeMap::new(), BTreeMap::new());
        for (name, state) in &self.lists {
            shuts.insert(name.as_str(), self.shuts_now(state, looked(name)));
            targets.extend(state.clearance.cleared.as_ref().map(|held| (name.as_str(), held)));
        }
        World { shuts, targets, found: self.found_members() }
    }

    /// What the kernel's sets hold, of lists of which nothing was let through yet.
    fn found_members(&self) -> BTreeMap<&str, [Target; 2]> {
        let fresh = self.lists.iter().filter(|(_, state)| state.clearance.cleared.is_none());
        let found = fresh.filter_map(|(name, _)| Some((name.as_str(), self.left_of(name)?)));
        found.collect()
    }

    /// Whom a list shuts out by the rules that are in force.
    fn shuts_now(&self, state: &ListState, looked: bool) -> Shuts {
        let sets: Vec<_> = self.sets_of(state).collect();
        let clearance = &state.clearance;
        let in_force = if self.settings.rules.shuts.contains_key(state.name()) {
            // What was let through is put again when others take it away.
            let let_through = clearance.cleared.is_some() && clearance.refused.is_none();
            let_through || self.has_rules_of(&sets)
        } else {
            !looked || sets.iter().any(|set| self.is_referred_to(set))
        };
        if in_force {
            self.settings.rules.shuts(state.name()).into_owned()
        } else {
            Shuts::nobody()
        }
    }

    /// Whether the rules that ask these sets are known to be in the kernel.
    fn has_rules_of(&self, sets: &[SetName]) -> bool {
        let Some(observed) = self.kernel.observed() else { return false };
        let rules = self.settings.filter.iter().flat_map(RuleSet::rules);
        let mut asking = rules.filter(|rule| sets.contains(&rule.set));
        asking.all(|rule| observed.has_in_force(rule))
    }

    fn is_referred_to(&self, set: &SetName) -> bool {
        let seen = self.kernel.observed().and_then(|observed| observed.sets.get(set));
        seen.is_some_and(|seen| seen.header.references > 0)
    }

    /// Has the lists put together again of which it is to be looked whether those
    /// are still there who would be shut out.
    pub(super) fn look_again_who_is_there(&mut self, now: Now) {
        for state in self.lists.values_mut().filter(|state| state.at_rest()) {
            if state.clearance.refused.as_ref().is_some_and(|one| one.again <= now.monotonic) {
                state.want_quietly();
            }
        }
    }

    /// When that is next.
    pub(super) fn who_is_there_due(&self) -> Option<Duration> {
        let refused = self.lists.values().filter_map(|state| state.clearance.refused.as_ref());
        refused.map(|refused| refused.again).min()
    }

    /// Whether it is known of every list that it shuts nobody out newly.
    pub fn is_clear(&self) -> bool {
        self.lists
            .values()
            .all(|state| state.clearance.cleared.is_some() && state.clearance.refused.is_none())
    }
}
