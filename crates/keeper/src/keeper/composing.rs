//! Lists are put together when the feeds that they take in have changed: many
//! changes at once become one, but none waits for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use blocklist::{FeedName, List, Role};
use intake::{FeedState, Now, Version};
use reconcile::{Desired, Gate};

use super::Keeper;
use crate::lists::{ListStage, ListState};
use crate::{Action, Compose, Composed, Report};

/// How long a list waits for feeds that are being read.
const WAIT_MAX: Duration = Duration::from_secs(2);

impl Keeper {
    pub(super) fn composed(&mut self, composed: Composed) {
        let Composed { ticket, list, targets, changed, basis, protected, makeup, peers } = composed;
        let Some(state) = self.lists.get_mut(&list) else { return };
        state.busy = state.busy.filter(|&busy| busy != ticket);
        // Of whatever it was computed, the next time begins there.
        state.basis = Some(basis);
        if state.stage != ListStage::Composing(ticket) {
            return;
        }
        state.stage = ListStage::Rest;
        state.makeup = makeup;
        state.times += 1;
        let (ipv4, ipv6) = (targets[0].members.len(), targets[1].members.len());
        let members =
            |targets: &[reconcile::Target; 2]| targets.clone().map(|target| target.members);
        let news = std::mem::take(&mut state.news.coming);
        state.news.only_ends = !news && (state.news.only_ends || self.kernel.in_sync());
        let told =
            changed && news && state.targets.as_ref().map(members) != Some(members(&targets));
        let report =
            Report::ListComposed { list: list.clone(), ipv4, ipv6, protected: protected.len() };
        state.targets = Some(targets.clone());
        state.clearance.pending = Some(peers);
        state.protected = protected;
        // Its sets were left alone meanwhile.
        self.kernel.want_plan();
        if !changed {
            return;
        }
        // The configuration check has let this name through.
        let desired: &mut Desired = Arc::make_mut(&mut self.desired);
        if desired.insert(&self.settings.prefix, &list, targets).is_ok() {
            self.generation += 1;
            self.reports.extend(told.then_some(report));
        }
    }

    /// Has the lists put together that want it, as far as it is their time.
    pub(super) fn compose_changed(&mut self, now: Now) {
        self.look_again_who_is_there(now);
        let current = self.intake.is_current();
        for state in self.lists.values_mut().filter(|state| current && !state.whole) {
            if state.at_rest() {
                state.want(false);
            }
        }
        let wanted = |state: &ListState| matches!(state.stage, ListStage::Wanted { .. });
        if !self.lists.values().any(wanted) {
            self.waiting = None;
            return;
        }
        let since = *self.waiting.get_or_insert(now.monotonic);
        let overdue = since + WAIT_MAX <= now.monotonic;
        // At start what the last good copies say is not all there is to say.
        let blind = self.gate == Gate::AddOnly && self.intake.scan_failure().is_none();
        let remembers = self.intake.is_recalled_once() || self.intake.recall_failure().is_some();
        let ready = remembers && (overdue || !(blind || self.intake.is_reading()));
        let names: Vec<_> = self.lists.iter().filter(|(_, state)| wanted(state)).collect();
        let urgent = |state: &ListState| {
            state.stage == ListStage::Wanted { urgent: true } && state.targets.is_some()
        };
        let free = names.into_iter().filter(|(_, state)| state.busy.is_none());
        let due = free.filter(|(_, state)| ready || urgent(state));
        for name in due.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.order_composing(&name, now);
        }
    }

    /// Has lists computed of versions that come into force once the disk has their
    /// copies. Nothing of it is used but by the question that comes then, which finds
    /// that nothing has changed since.
    pub(super) fn compose_ahead(&mut self, now: Now) {
        let coming = self.intake.coming();
        if coming.is_empty() || self.gate != Gate::Open {
            return;
        }
        for state in self.lists.values_mut() {
            let list = &state.rules.list;
            let concerned = coming.keys().any(|feed| list.role(feed) != Role::None);
            let free = state.at_rest() && state.busy.is_none() && !state.ahead;
            if !concerned || !free || state.targets.is_none() {
                continue;
            }
            let ticket = self.tickets.draw();
            state.busy = Some(ticket);
            state.ahead = true;
            let in_force = self.intake.in_force();
            let feeds = in_force.chain(coming.iter().map(|(&feed, &version)| (feed, version)));
            self.actions.push(Action::Compose(Box::new(Compose {
                ticket,
                drops: BTreeMap::new(),
                blind: BTreeSet::new(),
                feeds: taken_in(list, feeds),
                protection: self.protection.clone(),
                at: now.wall,
                previous: None,
                basis: state.basis.clone(),
                list: list.clone(),
            })));
        }
    }

    fn order_composing(&mut self, name: &str, now: Now) {
        let ticket = self.tickets.draw();
        let Some(state) = self.lists.get_mut(name) else { return };
        state.stage = ListStage::Composing(ticket);
        state.busy = Some(ticket);
        state.ahead = false;
        state.whole |= self.intake.is_current();
        // That a feed which made the list up is an exception of it now may be a
        // slip, and would take out what it has put in.
        let is_doubted = !state.judged || state.doubt.is_some();
        let turned = self.intake.remembered().get(name).filter(|_| is_doubted);
        let list = state.rules.list.clone();
        let feeds = taken_in(&list, self.intake.in_force());
        let drops = feeds.keys().filter_map(|feed| {
            let age = self.intake.feeds().get(feed)?.dropped_after()?;
            Some((feed.clone(), age))
        });
        let allowed = |feed: &&FeedName| list.role(feed) == Role::Allow;
        let turned = |feed: &FeedName| turned.is_some_and(|was| was.deny.contains(feed));
        state.spares = feeds.keys().filter(allowed).any(turned);
        let is_blind = |feed: &&FeedName| {
            turned(feed) || self.intake.feeds().get(*feed).is_some_and(FeedState::is_blind)
        };
        let blind = feeds.keys().filter(allowed).filter(is_blind).cloned().collect();
        self.actions.push(Action::Compose(Box::new(Compose {
            ticket,
            drops: drops.collect(),
            blind,
            feeds,
            protection: self.protection.clone(),
            at: now.wall,
            previous: state.targets.clone(),
            basis: state.basis.clone(),
            list,
        })));
    }

    /// When the lists that wait are put together in any case.
    pub(super) fn composing_due(&self) -> Option<Duration> {
        self.waiting.map(|since| since + WAIT_MAX)
    }
}

/// The versions of feeds that a list takes in. Of two of one feed the last counts.
fn taken_in<'a>(
    list: &List,
    versions: impl Iterator<Item = (&'a FeedName, &'a Version)>,
) -> BTreeMap<FeedName, Version> {
    let taken_in = versions.filter(|(feed, _)| list.role(feed) != Role::None);
    taken_in.map(|(feed, version)| (feed.clone(), version.clone())).collect()
}
