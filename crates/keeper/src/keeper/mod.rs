//! Events in, actions out. Which event does what is here in one place; when
//! anything is done, one function decides.

mod clearing;
mod composing;
mod ending;
mod holding;
mod proposing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use blocklist::{Family, FeedName, Protection, Role};
use intake::{FeedState, Intake, ListRules, Makeup, Now, Order, Ticket, Tickets};
use reconcile::{Desired, Gate, Policy, SetName};

use crate::lists::ListState;
use crate::proposal::Proposal;
use crate::{Action, Event, KernelState, Report, Settings, Slip, WishOutcome};

/// Keeps the kernel as sources, configuration and host say.
#[derive(Debug)]
pub struct Keeper {
    settings: Settings,
    protection: Arc<Protection>,
    intake: Intake,
    kernel: KernelState,
    desired: Arc<Desired>,
    /// Grows with every change of desired.
    generation: u64,
    lists: BTreeMap<String, ListState>,
    proposal: Option<Proposal>,
    /// Why the newest configuration is not in force.
    refused: Vec<Slip>,
    /// Words on feeds, until it is known what comes of them, and whether nothing
    /// good is known of the feed.
    words: BTreeMap<Ticket, (FeedName, bool)>,
    /// Opens with the first complete picture of the feeds, for good.
    gate: Gate,
    salt: u64,
    /// What the configuration of the start takes out of lists is meant.
    meant: bool,
    tickets: Tickets,
    /// When the keeper began.
    start: Duration,
    /// Since when lists wait for feeds that are being read.
    waiting: Option<Duration>,
    /// What was last written down of the lists.
    written: BTreeMap<String, Makeup>,
    /// What is being written down, in order.
    writing: VecDeque<(Ticket, BTreeMap<String, Makeup>)>,
    /// What stands there by the last word of those who write.
    stands_there: BTreeMap<String, Makeup>,
    /// Feeds that have left for good, and whose copies are thrown away once
    /// nothing that is written down needs them any more.
    withdrawn: BTreeSet<FeedName>,
    /// How often these have changed.
    withdrawals: u64,
    /// Since the kernel last was as desired, only lifetimes have ended.
    only_ends: bool,
    actions: Vec<Action>,
    reports: Vec<Report>,
}

impl Keeper {
    /// The keeper at start. `salt` makes the hashes of new sets unpredictable.
    pub fn new(settings: Settings, protection: Protection, salt: u64, now: Now) -> Self {
        let protection = Arc::new(protection);
        let intake = Intake::new(settings.rules.clone(), protection.clone(), now);
        let mut keeper = Self {
            settings,
            protection,
            intake,
            kernel: KernelState::new(),
            desired: Arc::default(),
            generation: 0,
            lists: BTreeMap::new(),
            proposal: None,
            refused: Vec::new(),
            words: BTreeMap::new(),
            gate: Gate::AddOnly,
            salt,
            meant: false,
            tickets: Tickets::default(),
            start: now.monotonic,
            waiting: None,
            written: BTreeMap::new(),
            writing: VecDeque::new(),
            stands_there: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            withdrawals: 0,
            only_ends: false,
            actions: Vec::new(),
            reports: Vec::new(),
        };
        keeper.take_lists();
        keeper
    }

    /// The configuration has been in force before and returns: what it takes out
    /// of lists is no slip, and whom it shuts out was meant.
    pub fn was_in_force(&mut self) {
        self.meant = true;
        self.is_as_before();
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is protected on this host.
    pub fn protection(&self) -> &Arc<Protection> {
        &self.protection
    }

    /// The sources and their standing.
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// The kernel as far as it is known.
    pub fn kernel(&self) -> &KernelState {
        &self.kernel
    }

    /// The lists by name.
    pub fn lists(&self) -> &BTreeMap<String, ListState> {
        &self.lists
    }

    /// What should be in the kernel.
    pub fn desired(&self) -> &Arc<Desired> {
        &self.desired
    }

    /// A number that grows with every change of desired.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Why the newest configuration is not in force, if it is not.
    pub fn refused_configuration(&self) -> &[Slip] {
        &self.refused
    }

    /// A ticket for somebody who will ask for something.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets.draw()
    }

    /// Whether everything that could be done is done: what is left waits for
    /// time, for a person or for somebody else's change.
    pub fn at_rest(&self) -> bool {
        let waiting = self.proposal.is_some() || !self.writing.is_empty();
        self.intake.at_rest() && self.lists_at_rest() && self.kernel.at_rest() && !waiting
    }

    /// Whether the kernel holds what the feeds in force say, no more and no
    /// less.
    pub fn in_sync(&self) -> bool {
        let held = self.lists.values().any(|state| state.held.is_some());
        let open = self.gate == Gate::Open;
        self.lists_at_rest() && self.kernel.in_sync() && !held && open
    }

    /// Takes an event in and says what is to be done now.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Action> {
        self.take_in(event, now);
        self.decide(now)
    }

    /// Takes an event in. What is to be done is decided once for all that have come
    /// by then: to decide goes over every list.
    pub fn take_in(&mut self, event: Event, now: Now) {
        match event {
            Event::Files(answer) => self.intake.answered(answer, now),
            Event::Read(peers, answer) => {
                self.intake.peers_are(peers);
                self.intake.answered(answer, now);
            }
            Event::FilesChanged => self.intake.files_changed(now),
            Event::Composed(composed) => self.composed(composed),
            Event::Tried(tried) => self.tried(&tried, now),
            Event::WrittenDown(ticket) => self.written_down(ticket),
            Event::Observed(ticket, result) => {
                let (settings, reports) = (&self.settings, &mut self.reports);
                self.kernel.observed_now(ticket, result, settings, now, reports);
                self.notice_others();
            }
            Event::Converged(converged) => {
                self.kernel.converged(*converged, now, &mut self.reports);
                self.tell_ends();
            }
            Event::Probed(ticket, probed) => {
                self.kernel.probed(ticket, probed, now, &mut self.reports);
            }
            Event::HostIs(protection) => self.host_is(protection),
            Event::Proposed { ticket, settings, accepted } => {
                self.propose(ticket, settings, accepted, now);
            }
            Event::Accept(ticket, feed) => self.accept(ticket, &feed, now),
            Event::AcceptLosses(ticket) => self.accept_losses(ticket),
            Event::RulesChanged => self.kernel.want_look_at_rules(),
            Event::Resync => self.kernel.want_look(),
            Event::Tick => {}
        }
    }

    /// Says what is to be done now.
    pub fn decide(&mut self, now: Now) -> Vec<Action> {
        self.intake.decide(now);
        let mut forgets = self.take_from_intake();
        if self.gate == Gate::AddOnly && self.intake.is_complete() {
            self.gate = Gate::Open;
            self.kernel.want_plan();
        }
        self.decide_proposal(now);
        // Other rules want other feeds, and let some go.
        self.intake.decide(now);
        forgets.extend(self.take_from_intake());
        self.compose_changed(now);
        self.compose_ahead(now);
        self.clear(now);
        self.hold(now);
        self.write_down();
        // A copy that is not there, of a feed that makes up a list, is a loss.
        self.actions.extend(forgets.into_iter().map(Action::Files));
        let policy = self.policy();
        let kernel = &mut self.kernel;
        let next = kernel.decide(&self.desired, &self.settings, policy, now, &mut self.tickets);
        self.actions.extend(self.reports.drain(..).map(Action::Report));
        self.actions.extend(next);
        if let Some(at) = self.wake_at(now) {
            self.actions.push(Action::WakeAt(at));
        }
        std::mem::take(&mut self.actions)
    }

    /// Hands on what the intake wants, and takes in what has changed there.
    /// What is to be forgotten comes back: that has to wait.
    fn take_from_intake(&mut self) -> Vec<Order> {
        let orders = self.intake.take_orders().into_iter();
        let (forgets, others): (Vec<_>, Vec<_>) =
            orders.partition(|order| matches!(order, Order::Forget(_)));
        self.actions.extend(others.into_iter().map(Action::Files));
        self.withdrawn.extend(forgets.iter().filter_map(|order| match order {
            Order::Forget(feed) => Some(feed.clone()),
            _ => None,
        }));
        let (feeds, before) = (self.intake.feeds(), self.withdrawn.len());
        self.withdrawn.retain(|feed| feeds.get(feed).is_none_or(|feed| feed.version.is_none()));
        self.withdrawals += u64::from(!forgets.is_empty() || self.withdrawn.len() != before);
        self.reports.extend(self.intake.take_reports().into_iter().map(Report::Source));
        for (ticket, result) in self.intake.take_replies() {
            let word = self.words.remove(&ticket).filter(|_| result.is_ok());
            if let Some((feed, unproven)) = word {
                self.give_clearance_for(&feed);
                if unproven {
                    self.let_go_of(&feed);
                }
            }
            self.actions.push(Action::Reply(ticket, WishOutcome::Accepted(result)));
        }
        for feed in self.intake.take_changed() {
            let uses = |state: &&mut ListState| state.rules.list.role(&feed) != Role::None;
            for state in self.lists.values_mut().filter(uses) {
                state.want(false);
            }
        }
        for feed in self.intake.take_ended() {
            let uses = |state: &&mut ListState| state.rules.list.role(&feed) != Role::None;
            self.lists.values_mut().filter(uses).for_each(ListState::want_quietly);
        }
        forgets
    }

    /// This host has other addresses: what is protected leaves the sets at once.
    fn host_is(&mut self, protection: Protection) {
        if *self.protection == protection {
            return;
        }
        self.protection = Arc::new(protection);
        self.intake.protect(self.protection.clone());
        for state in self.lists.values_mut() {
            state.want(true);
        }
        self.reports.push(Report::HostChanged);
    }

    fn accept(&mut self, ticket: Ticket, feed: &FeedName, now: Now) {
        let unproven = self.intake.feeds().get(feed).is_some_and(FeedState::is_unproven);
        self.words.insert(ticket, (feed.clone(), unproven));
        self.intake.accept(feed, ticket, now);
    }

    /// Makes the lists those of the settings. Every one is put together anew.
    fn take_lists(&mut self) {
        let mut lists = BTreeMap::new();
        for rules in &self.settings.rules.lists {
            let name = rules.list.name.clone();
            let known = self.lists.remove(&name);
            let mut state = known.unwrap_or_else(|| self.new_list(rules));
            state.whole &= state.rules.list == rules.list;
            state.rules = rules.clone();
            state.want(true);
            lists.insert(name, state);
        }
        let gone = std::mem::replace(&mut self.lists, lists);
        let names = self.set_names(|_| true);
        let desired = Arc::make_mut(&mut self.desired);
        let before = desired.sets.len();
        desired.sets.retain(|set, _| names.contains(set));
        let ruled = std::mem::replace(&mut desired.rules, self.settings.filter.clone());
        let other_rules = ruled != desired.rules;
        if desired.sets.len() != before || !gone.is_empty() || other_rules {
            self.generation += 1;
        }
        self.kernel.want_plan();
    }

    /// A list that was not configured. What a start finds is held against what
    /// was written down; if that is nothing, what a list finds that comes later.
    fn new_list(&self, rules: &ListRules) -> ListState {
        let mut state = ListState::new(rules.clone());
        let finds = || self.sets_of(&state).any(|set| self.kernel.has_members(&set));
        state.judged = self.gate == Gate::Open && !(self.intake.was_blank() && finds());
        state
    }

    /// The names of the sets of the lists that are `chosen`.
    fn set_names(&self, chosen: impl Fn(&ListState) -> bool) -> Vec<SetName> {
        let lists = self.lists.values().filter(|state| chosen(state));
        lists.flat_map(|state| self.sets_of(state)).collect()
    }

    /// The names of a list's sets. The configuration check has let them pass.
    fn sets_of<'a>(&'a self, state: &'a ListState) -> impl Iterator<Item = SetName> + 'a {
        let live = |family| self.settings.prefix.live(state.name(), family).ok();
        Family::ALL.into_iter().filter_map(live)
    }

    fn lists_at_rest(&self) -> bool {
        self.lists.values().all(ListState::at_rest)
    }

    /// What a plan may do now, `None` if there must be no plan yet.
    fn policy(&self) -> Option<Policy> {
        // While some lists are put together the others need not wait, but a
        // set must not go before its list was put together once.
        let waits = |state: &ListState| state.targets.is_none() || self.is_ahead(state);
        if self.lists.values().any(waits) {
            return None;
        }
        let mut policy = Policy::new(self.settings.prefix.clone(), self.salt);
        policy.update = self.settings.update;
        policy.layout = self.settings.layout;
        policy.gate = self.gate;
        for state in self.lists.values() {
            if !state.at_rest() {
                // What it is to be is being found out.
                policy.resting.extend(self.sets_of(state));
            }
            if let Some(held) = &state.held {
                policy.held.extend(self.sets_of(state).map(|set| (set, held.hold)));
            }
            if state.clearance.refused.is_some() {
                policy.unclear.extend(self.sets_of(state));
            }
        }
        // Each generation gets hashes of its own.
        policy.salt = self.salt ^ self.generation.rotate_left(16);
        Some(policy)
    }

    fn wake_at(&self, now: Now) -> Option<Duration> {
        let waits = [
            self.intake.wake_at(now),
            self.kernel.wake_at(now),
            self.composing_due(),
            self.proposal.as_ref().map(|proposal| proposal.patience),
            self.doubt_ends(),
            self.who_is_there_due(),
        ];
        waits.into_iter().flatten().filter(|&at| at > now.monotonic).min()
    }
}
