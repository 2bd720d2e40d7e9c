//! The state machine: feeds and kernel on one side, the desired state between
//! them. Events set state, [`Reconciler::decide`] alone says what to do next.
//! Time is passed in; nothing here waits, reads or writes.

mod content;
mod event;
mod feed;
mod feeds;
mod kernel;
mod settings;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use blocklist::{Composition, Family, FeedName, List, Prefixes, Role};

pub use content::Content;
pub use event::{
    Action, Candidate, Compose, Event, Fingerprint, Now, Probed, ReadOrder, Reading, Report, Scan,
};
pub use feed::{Age, FeedState, NotAcceptable};
pub use feeds::Feeds;
pub use kernel::{KernelState, SetTimes};
pub use settings::{FeedRules, Settings, WhenStale};

use crate::{Desired, Gate, Policy, SetName};

/// Keeps the kernel as the feeds and the configuration say.
#[derive(Debug)]
pub struct Reconciler {
    settings: Settings,
    feeds: Feeds,
    kernel: KernelState,
    desired: Desired,
    /// Grows with every change of desired.
    generation: u64,
    lists: BTreeMap<String, ListState>,
    /// Lists that are being put together, also those that went meanwhile and
    /// may come back before that ends.
    composing: BTreeSet<String>,
    /// Opens with the first complete picture of the feeds, for good.
    gate: Gate,
    salt: u64,
}

/// A list as it is put together.
#[derive(Debug)]
struct ListState {
    list: Arc<List>,
    stage: Stage,
    /// Everything that it is made of has been looked for since it was
    /// configured. Until then its sets lose nothing.
    whole: bool,
    /// What was taken out because it is protected.
    protected: Prefixes,
}

/// Where a list is on its way into the desired state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It is in the desired state.
    Rest,
    /// It must be put together.
    Wanted,
    /// It is being put together.
    Composing,
    /// It is, and what it is made of has changed since.
    Again,
}

impl Reconciler {
    /// The reconciler at start. `salt` makes the hashes of new sets
    /// unpredictable.
    pub fn new(settings: Settings, salt: u64) -> Self {
        let mut reconciler = Self {
            settings,
            feeds: Feeds::default(),
            kernel: KernelState::new(),
            desired: Desired::default(),
            generation: 0,
            lists: BTreeMap::new(),
            composing: BTreeSet::new(),
            gate: Gate::AddOnly,
            salt,
        };
        reconciler.take_lists();
        reconciler.feeds.want_scan(Duration::ZERO);
        reconciler
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The feeds and their standing.
    pub fn feeds(&self) -> &Feeds {
        &self.feeds
    }

    /// The kernel as far as it is known.
    pub fn kernel(&self) -> &KernelState {
        &self.kernel
    }

    /// What should be in the kernel.
    pub fn desired(&self) -> &Desired {
        &self.desired
    }

    /// A number that grows with every change of desired.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// What was taken out of a list because it is protected.
    pub fn protected(&self, list: &str) -> Option<&Prefixes> {
        Some(&self.lists.get(list)?.protected)
    }

    /// Whether everything that could be done is done: what is left waits for
    /// time, for a person or for somebody else's change.
    pub fn at_rest(&self) -> bool {
        self.feeds.at_rest() && self.lists_at_rest() && self.kernel.at_rest()
    }

    /// Whether the kernel holds what the feeds in force say, no more and no
    /// less.
    pub fn in_sync(&self) -> bool {
        let held = self.held().next().is_some() || self.gate == Gate::AddOnly;
        self.lists_at_rest() && self.kernel.in_sync() && !held
    }

    /// The lists that lose nothing for now: not all that they are made of has
    /// been looked for yet, or the last good version of a feed is lost.
    pub fn held(&self) -> impl Iterator<Item = &List> {
        let lost = |list: &List| self.feeds.lost().any(|feed| list.role(feed) != Role::None);
        let lists = self.lists.values().filter(move |state| !state.whole || lost(&state.list));
        lists.map(|state| &*state.list)
    }

    /// Lets through, once, what a guard refused; [`Self::handle`] a tick then.
    ///
    /// # Errors
    /// [`NotAcceptable`].
    pub fn accept(&mut self, feed: &FeedName, now: Now) -> Result<(), NotAcceptable> {
        self.feeds.accept(feed, now)
    }

    /// Takes an event in and says what is to be done now.
    pub fn handle(&mut self, event: Event, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut reports = Vec::new();
        match event {
            Event::Restored { feed, content, gone } => {
                self.feeds.restored(feed, content, gone, &self.settings);
            }
            Event::Damaged { feed } => self.feeds.damaged(feed, &self.settings, now),
            Event::FeedsChanged => self.feeds.want_scan(now.monotonic),
            Event::Scanned(scan) => {
                self.feeds.scanned(scan, &self.settings, now, &mut actions);
            }
            Event::Read { feed, fingerprint, written, reading } => {
                let then =
                    self.feeds.read(&feed, (fingerprint, written), reading, now, &mut reports);
                actions.extend(then);
            }
            Event::Kept { feed, result } => self.feeds.kept(&feed, result, now, &mut reports),
            Event::Composed { list, composition } => {
                reports.extend(self.composed(&list, composition));
            }
            Event::Observed(result) => {
                self.kernel.observed_now(result, &self.settings, now, &mut reports);
            }
            Event::Applied { outcome, observed } => {
                self.kernel.applied(outcome, observed, now, &mut reports);
            }
            Event::Probed(probed) => self.kernel.probed(probed, now, &mut reports),
            Event::Reconfigured(settings) => self.reconfigured(settings, now),
            Event::Resync => self.kernel.want_look(),
            Event::Tick => {}
        }
        actions.extend(reports.into_iter().map(Action::Report));
        self.decide(now, &mut actions);
        actions
    }

    fn reconfigured(&mut self, settings: Settings, now: Now) {
        self.settings = settings;
        self.take_lists();
        self.feeds.doubt_all();
        self.feeds.want_scan(now.monotonic);
        self.kernel.want_plan();
    }

    /// Makes the lists those of the settings. Every one is put together anew.
    fn take_lists(&mut self) {
        let mut lists = BTreeMap::new();
        for list in &self.settings.lists {
            let earlier = self.lists.remove(&list.name);
            let under_way = self.composing.contains(&list.name);
            let stage = if under_way { Stage::Again } else { Stage::Wanted };
            let whole =
                earlier.as_ref().is_some_and(|earlier| earlier.whole && earlier.list == *list);
            let protected = earlier.map_or_else(Prefixes::default, |list| list.protected);
            let fresh = ListState { list: list.clone(), stage, whole, protected };
            lists.insert(list.name.clone(), fresh);
        }
        self.lists = lists;
        let names = self.set_names(|_| true);
        self.desired.sets.retain(|set, _| names.contains(set));
    }

    /// The names of the sets of the lists that are `chosen`.
    fn set_names(&self, chosen: impl Fn(&List) -> bool) -> BTreeSet<SetName> {
        let lists = self.lists.values().filter(|state| chosen(&state.list));
        let names = lists.flat_map(|state| {
            Family::ALL
                .into_iter()
                .filter_map(|family| self.settings.prefix.live(&state.list.name, family).ok())
        });
        names.collect()
    }

    fn composed(&mut self, name: &str, composition: Composition) -> Option<Report> {
        self.composing.remove(name);
        let state = self.lists.get_mut(name)?;
        if state.stage == Stage::Again {
            state.stage = Stage::Wanted;
            return None;
        }
        state.stage = Stage::Rest;
        let (ipv4, ipv6) = (composition.members.ipv4.len(), composition.members.ipv6.len());
        let protected = composition.protected.len();
        state.protected = composition.protected;
        let changed = self.desired.insert(&self.settings.prefix, name, composition.members);
        self.kernel.want_plan();
        // The configuration check has let this name through.
        if !changed.unwrap_or(false) {
            return None;
        }
        self.generation += 1;
        Some(Report::ListComposed { list: name.to_owned(), ipv4, ipv6, protected })
    }

    fn lists_at_rest(&self) -> bool {
        self.lists.values().all(|state| state.stage == Stage::Rest)
    }

    /// Says what is to be done now.
    fn decide(&mut self, now: Now, actions: &mut Vec<Action>) {
        self.feeds.decide(&self.settings, now, actions);
        if self.gate == Gate::AddOnly && self.feeds.complete() {
            self.gate = Gate::Open;
            self.kernel.want_plan();
        }
        self.compose_changed(now, actions);
        let policy = self.policy();
        self.kernel.decide(&self.desired, &self.settings, policy, now, actions);
        let wake = [self.feeds.wake_at(now), self.kernel.wake_at()];
        if let Some(at) = wake.into_iter().flatten().min() {
            actions.push(Action::WakeAt(at));
        }
    }

    /// Has the lists put together whose feeds have changed: at start when all
    /// feeds have been seen, later when none is being read, so that many
    /// changes at once become one.
    fn compose_changed(&mut self, now: Now, actions: &mut Vec<Action>) {
        for feed in self.feeds.take_changed() {
            for state in
                self.lists.values_mut().filter(|state| state.list.role(&feed) != Role::None)
            {
                state.stage = match state.stage {
                    Stage::Rest | Stage::Wanted => Stage::Wanted,
                    Stage::Composing | Stage::Again => Stage::Again,
                };
            }
        }
        let blind = self.gate == Gate::AddOnly && self.feeds.scan_failure().is_none();
        if blind || self.feeds.reading(now) {
            return;
        }
        for state in self.lists.values_mut() {
            let list = state.list.clone();
            let found = !state.whole && self.feeds.known(|feed| list.role(feed) != Role::None);
            if state.stage != Stage::Wanted && !(found && state.stage == Stage::Rest) {
                continue;
            }
            state.stage = Stage::Composing;
            state.whole |= found;
            self.composing.insert(list.name.clone());
            let feeds = self.feeds.in_force().filter(|(feed, _)| list.role(feed) != Role::None);
            actions.push(Action::Compose(Compose {
                feeds: feeds.map(|(feed, prefixes)| (feed.clone(), prefixes.clone())).collect(),
                protect: Arc::new(self.settings.protection.of(&list.protect)),
                list,
            }));
        }
    }

    /// What a plan may do now, `None` if there must be no plan yet.
    fn policy(&self) -> Option<Policy> {
        if !self.lists_at_rest() {
            return None;
        }
        let held: BTreeSet<_> = self.held().map(|list| list.name.as_str()).collect();
        let mut policy = Policy::new(self.settings.prefix.clone(), self.salt);
        policy.update = self.settings.update;
        policy.gate = self.gate;
        policy.held = self.set_names(|list| held.contains(list.name.as_str()));
        // Each generation gets hashes of its own.
        policy.salt = self.salt ^ self.generation.rotate_right(16);
        Some(policy)
    }
}
