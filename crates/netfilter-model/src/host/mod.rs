//! A host in memory around the state machine: files, state directory, clocks,
//! facts, configuration, clients and kernel. Whatever the daemon hands out is
//! done later, told later still, and in any order.

mod bounds;
mod chances;
mod clients;
mod clock;
mod configuration;
mod facts;
mod files;
mod oracle;
mod possible;
mod quiet;
mod ruled;
mod run;
mod said;
mod settings;
mod store;
mod text;
mod trace;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use blocklist::{AnyPrefix, FeedName, Prefixes};
use reconcile::{Kernel, SetName, Update};

pub use run::{HostKind, simulate_host};

use crate::simulation::{ModelWay, live, never, prefix, subject};
use crate::{Invariant, ModelKernel, Random};
use chances::Chances;
use clock::HostClock;
use configuration::{HostConfiguration, LISTS};
use facts::HostFacts;
use files::FeedsDirectory;
use oracle::Oracle;
use said::StatusSays;
use settings::Writing;
use store::{Copy, FoundCopy, StateDirectory};
use text::FeedText;
use trace::{action_name, event_name};
use work::{Answered, HostQuestion, SimulatedDaemon, Work};

/// Something that will be done, or told, at any later moment.
enum Job {
    /// What the daemon has handed out.
    Work(Work),
    /// The watch of the feeds directory has noticed something.
    Notice,
    /// The watch of the host's addresses has.
    FactsChanged,
    /// The daemon is to read its configuration again. Somebody may have said
    /// that what it empties is meant.
    Reload {
        /// He has.
        accepted: bool,
    },
}

/// One host and its daemon.
struct Host {
    random: Random,
    chances: Chances,
    kernel: ModelKernel,
    subject: Box<dyn Kernel>,
    way: ModelWay,
    writing: Writing,
    files: FeedsDirectory,
    store: StateDirectory,
    clock: HostClock,
    facts: HostFacts,
    /// What the configuration's file says.
    configuration: Arc<HostConfiguration>,
    /// The last one without slips.
    meant: Arc<HostConfiguration>,
    daemon: SimulatedDaemon,
    jobs: Vec<Job>,
    oracle: Oracle,
    /// Feeds that this daemon has yet to read before it may remove anything;
    /// unknown before its first scan.
    unseen: Option<BTreeSet<FeedName>>,
    counter: u64,
    /// How often others had changed the kernel when a copy was lost the last time.
    hands: u64,
}

/// Jobs done in a row before the daemon counts as restless.
const JOBS_MAX: usize = 3_000;

impl Host {
    fn new(seed: u64, kind: HostKind) -> Self {
        let mut random = Random::new(seed);
        let chances = Chances::random(&mut random);
        // The model knows rules as ops alone.
        let ruled = kind == HostKind::Ruled;
        let way = if random.chance(80) || ruled { ModelWay::Ops } else { ModelWay::Bytes };
        let update = *random.pick(&[Update::Auto, Update::Auto, Update::Swap, Update::InPlace]);
        let writing = Writing { update, layout: kind.layout(seed) };
        let kernel = ModelKernel::new(prefix());
        let configuration = HostConfiguration::first(&mut random, 1, chances.configurations);
        let configuration = if ruled { configuration.with_rules() } else { configuration };
        let facts = HostFacts::default();
        let mut host = Self {
            subject: subject(&kernel, way),
            kernel,
            way,
            writing,
            files: FeedsDirectory::default(),
            store: StateDirectory::default(),
            clock: HostClock::default(),
            oracle: Oracle::new(configuration.clone(), facts.clone()),
            daemon: SimulatedDaemon::start(
                configuration.clone(),
                facts.clone(),
                writing,
                0,
                &HostClock::default(),
            ),
            facts,
            meant: configuration.clone(),
            configuration,
            jobs: Vec::new(),
            unseen: None,
            counter: 1,
            hands: 0,
            random,
            chances,
        };
        host.note(&format!("-- {chances:?}"));
        host.start();
        host
    }

    fn note(&self, line: &str) {
        self.kernel.machine().note(format!("     > {line}"));
    }

    fn report(&self, invariant: Invariant, text: String) {
        let mut machine = self.kernel.machine();
        let step = machine.steps();
        machine.checker.report(step, invariant, text);
    }

    fn broken(&self) -> bool {
        !self.kernel.machine().checker.violations().is_empty()
    }

    fn number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A new daemon finds what the last one has left. What that one had handed
    /// out and was not done will never be done.
    fn start(&mut self) {
        self.kernel.machine().start_daemon();
        self.kernel.machine().checker.feeds_complete = false;
        self.subject = subject(&self.kernel, self.way);
        self.jobs.clear();
        self.store.sweep();
        self.unseen = None;
        let salt = self.number();
        let (before, new) = (self.daemon.running().clone(), self.configuration.clone());
        self.note(&format!("-- a daemon starts with configuration {}", new.number));
        let held = self.held();
        self.oracle.started(&before, &new, self.store.lists.as_ref(), &held);
        for (feed, seen) in self.daemon.unanswered_accepts() {
            // It may be so that he was only not told any more.
            self.oracle.wanted(&feed, seen);
        }
        self.reverts();
        for feed in self.store.gone.keys().filter(|feed| !self.files.by_name.contains_key(*feed)) {
            // That it was back meanwhile may not have been noted.
            self.oracle.gone(feed);
        }
        let facts = self.facts.clone();
        self.daemon = SimulatedDaemon::start(new, facts, self.writing, salt, &self.clock);
        self.oracle.configured(&self.configuration);
        self.oracle.time(&self.clock, &self.files);
        self.tell(SimulatedDaemon::tick);
    }

    /// The daemon is told something, and what it wants done waits from then on.
    fn tell(&mut self, event: impl FnOnce(&mut SimulatedDaemon, &HostClock) -> Vec<Job>) {
        let before = self.daemon.running().clone();
        let jobs = event(&mut self.daemon, &self.clock);
        self.jobs.extend(jobs);
        if self.daemon.running().number != before.number {
            self.adopted(&before);
        }
        for (question, answered) in std::mem::take(&mut self.daemon.answers) {
            self.answered(&question, answered);
        }
    }

    /// What a configuration does not take in is forgotten, but for its copy.
    fn unused(&mut self, configuration: &HostConfiguration) {
        let feeds = configuration::FEEDS.into_iter().map(configuration::feed);
        for feed in feeds.filter(|feed| !configuration.uses(feed)) {
            let copy = self.store.copies.get(&feed).map(|copy| copy.text.clone());
            self.oracle.unused(&feed, copy);
        }
    }

    /// What is in force without a copy may be forgotten: then the copy counts,
    /// if there is one. That it was in force at all only notes can tell, which
    /// come before anything is in the kernel.
    fn reverts(&mut self) {
        let held = self.held();
        for (feed, copy) in self.copies() {
            match self.store.copies.get(&feed).map(|copy| copy.text.clone()) {
                None if self.store.may_name(&feed) => self.copy_lost(&feed, copy.text, &held),
                None => self.oracle.unknown(&feed),
                Some(text) if text.number != copy.text.number => self.oracle.reverts(&feed, text),
                Some(_) => {}
            }
        }
    }

    /// What others take away of what is lost, nobody knows any more.
    fn notice_hands(&mut self) {
        let hands = self.kernel.machine().hands();
        if std::mem::replace(&mut self.hands, hands) != hands {
            self.oracle.forget_rescued();
        }
    }

    /// The copy of a feed is lost, while the kernel holds this.
    fn copy_lost(
        &mut self,
        feed: &FeedName,
        text: Arc<FeedText>,
        held: &BTreeMap<String, Prefixes>,
    ) {
        self.notice_hands();
        self.oracle.lost(feed, text, held);
    }

    /// Another configuration is in force.
    fn adopted(&mut self, before: &HostConfiguration) {
        let running = self.daemon.running().clone();
        self.oracle.changed(before, &running);
        self.oracle.doubts(before, &running, self.store.lists.as_ref());
        self.note(&format!("configuration {} is in force", running.number));
        // A word may have come since it was read.
        self.unused(&running);
        let (said, held) = (self.said(), self.held());
        // What is held is not emptied by any configuration.
        let is_held = !said.held.is_empty();
        if let Some(list) = self.oracle.emptied(before, &running, &held, is_held) {
            let text = format!("a configuration that empties a list is in force: {list}");
            self.report(Invariant::BadInput, text);
        }
        if let Some(unseen) = &mut self.unseen {
            unseen.retain(|feed| running.uses(feed));
        }
        self.seen(&configuration::feed("none"));
    }

    /// Somebody was answered: what he was told must be so.
    fn answered(&mut self, question: &HostQuestion, answered: Answered) {
        self.note(&format!("answered {answered:?}"));
        let said = self.said();
        if answered != Answered::Yes {
            if let HostQuestion::Accept(feed, seen) = question {
                // It may have been kept before no list took it in any more.
                let seen = seen.refused.get(feed).and_then(|refused| refused.version);
                let unused = !self.daemon.running().uses(feed);
                self.oracle.wanted(feed, seen.filter(|_| unused));
            }
            return;
        }
        let complaint = match question {
            HostQuestion::Accept(feed, seen) => {
                let in_force = said.in_force.get(feed).copied();
                let file = self.files.by_name.get(feed);
                let refused = seen.refused.get(feed);
                let accepted = self.oracle.accepted(feed, refused, in_force, file);
                (!accepted).then_some("what was accepted is not in force, and is said to be")
            }
            HostQuestion::AcceptLosses => {
                self.oracle.losses_accepted();
                None
            }
            HostQuestion::Configure(configuration) => {
                let later = self.daemon.running().number >= configuration.number;
                (!later).then_some("a configuration is said to be in force, and is not")
            }
        };
        self.oracle.time(&self.clock, &self.files);
        if let Some(text) = complaint {
            self.report(Invariant::BadInput, text.to_owned());
        }
    }

    /// The versions in force: the copies, and what has not been kept where
    /// there was no room for it.
    fn copies(&self) -> BTreeMap<FeedName, Copy> {
        let said = self.said();
        let mut copies = self.store.copies.clone();
        for feed in &said.unkept {
            let number = said.in_force.get(feed);
            let Some(text) = number.and_then(|number| self.oracle.texts.get(number)) else {
                continue;
            };
            let now = self.clock.wall;
            let copy = Copy { text: text.clone(), written: now, accepted: now, damaged: false };
            copies.insert(feed.clone(), copy);
        }
        copies
    }

    /// These copies cannot be read: what the kernel holds is all there is.
    fn note_lost(&mut self, found: &[(FeedName, FoundCopy)]) {
        let kernel = self.held();
        for (feed, found) in found {
            if let FoundCopy::Damaged(text) | FoundCopy::Unreadable(text) = found {
                self.note(&format!("the copy of {feed} cannot be read"));
                self.copy_lost(feed, text.clone(), &kernel);
            }
        }
        self.oracle.time(&self.clock, &self.files);
    }

    /// Does or tells one thing, any that is waiting. False if there is none.
    fn perform_one(&mut self) -> bool {
        if self.jobs.is_empty() {
            return false;
        }
        let choice = self.random.below(self.jobs.len());
        // What is done to the state directory is done in order.
        let is_of_store = |job: &Job| matches!(job, Job::Work(work) if work.is_of_store());
        let of_store = self.jobs.get(choice).is_some_and(is_of_store);
        let first = self.jobs.iter().position(is_of_store).filter(|_| of_store);
        match self.jobs.remove(first.unwrap_or(choice)) {
            Job::Notice => self.tell(SimulatedDaemon::feeds_changed),
            Job::FactsChanged => {
                self.note("the facts are told");
                let facts = self.facts.clone();
                self.tell(|daemon, clock| daemon.facts(facts, clock));
            }
            Job::Reload { accepted } => self.propose(accepted),
            Job::Work(Work::Begin(action, known)) => {
                self.note(&action_name(&action));
                let done = self.perform(*action, &known);
                let done = done.map(|event| Job::Work(Work::End(Box::new(event))));
                self.jobs.extend(done);
            }
            Job::Work(Work::End(event)) => {
                self.note(&event_name(&event));
                self.tell(|daemon, clock| daemon.ended(*event, clock));
            }
        }
        if self.kernel.machine().crashed() {
            self.start();
        }
        true
    }

    /// The daemon reads its configuration.
    fn propose(&mut self, accepted: bool) {
        let configuration = self.configuration.clone();
        self.note(&format!("configuration {} is read", configuration.number));
        self.oracle.configured(&configuration);
        if accepted {
            self.oracle.meant(&configuration);
        }
        self.oracle.time(&self.clock, &self.files);
        let held = self.held();
        self.oracle.returns(&configuration, &held);
        let running = self.daemon.running().clone();
        for feed in configuration::FEEDS.iter().map(|name| configuration::feed(name)) {
            if !running.uses(&feed) {
                // Nobody has looked at it meanwhile, and a word on what an earlier
                // configuration was to take in went with that.
                self.oracle.unknown(&feed);
            }
        }
        self.oracle.time(&self.clock, &self.files);
        if LISTS.iter().any(|list| !configuration.lists.contains_key(*list)) {
            self.reverts();
        }
        self.unused(&configuration);
        self.unlisted(&configuration);
        self.tell(|daemon, clock| daemon.propose(&configuration, accepted, clock));
    }

    /// Does whatever is waiting. False if that never ends.
    fn settle(&mut self) -> bool {
        (0..JOBS_MAX).any(|_| !self.perform_one())
    }

    /// Lets time pass until the daemon wants to be woken, at most `most`.
    fn pass_time(&mut self, most: Duration) {
        let now = self.clock.monotonic;
        let until = now + most;
        let until = self.daemon.wake.map_or(until, |wake| wake.clamp(now, until));
        self.clock.pass(until.saturating_sub(now));
        self.daemon.wake = None;
        self.oracle.time(&self.clock, &self.files);
        self.tell(SimulatedDaemon::tick);
    }

    /// What the kernel's sets hold, by list.
    fn held(&self) -> BTreeMap<String, Prefixes> {
        let machine = self.kernel.machine();
        let held = LISTS.into_iter().filter_map(|list| {
            let sets = blocklist::Family::ALL.map(|family| {
                machine.sets.get(&(&live(list, family)).into()).map(|slot| &slot.set.members)
            });
            let [Some(ipv4), Some(ipv6)] = sets else { return None };
            Some((list.to_owned(), ipv4.iter().chain(ipv6).copied().collect()))
        });
        held.collect()
    }

    /// Whatever a scan showed of a feed, it is read now.
    fn seen(&mut self, feed: &FeedName) {
        if let Some(unseen) = &mut self.unseen {
            unseen.remove(feed);
            self.kernel.machine().checker.feeds_complete |= unseen.is_empty();
        }
    }

    /// The directory was scanned: what is in it is to be read before anything
    /// may be removed.
    fn scanned(&mut self) {
        if !self.files.unreachable {
            self.oracle.scanned(&self.files);
            if let Some(unseen) = &mut self.unseen {
                // What is not there any more cannot be read.
                unseen.retain(|feed| self.files.by_name.contains_key(feed));
                self.kernel.machine().checker.feeds_complete |= unseen.is_empty();
            }
        }
        if self.unseen.is_none() && !self.files.unreachable {
            let running = self.daemon.running().clone();
            let used = self.files.by_name.keys().filter(|feed| running.uses(feed));
            self.unseen = Some(used.cloned().collect());
            self.seen(&configuration::feed("none"));
        }
    }

    /// Sets of lists that are not in this configuration may go.
    fn unlisted(&mut self, configuration: &HostConfiguration) {
        for list in LISTS.into_iter().filter(|list| !configuration.lists.contains_key(*list)) {
            for family in blocklist::Family::ALL {
                self.kernel.machine().checker.release(&(&live(list, family)).into());
            }
        }
    }

    /// Tells the checker what the sets are on their way to, and holds that
    /// against what must be blocked whatever has been read meanwhile.
    fn expect(&mut self, targets: Vec<(SetName, Option<BTreeSet<AnyPrefix>>)>, known: &Prefixes) {
        // What is held stays, whenever it came.
        let (said, held) = (self.said(), self.held());
        self.oracle.disturbed(said.held.keys(), &held);
        let surely = self.oracle.surely();
        let mut complaints = Vec::new();
        let mut machine = self.kernel.machine();
        machine.checker.never = never();
        machine.checker.excepted = self.oracle.excepted();
        let protects = |list: &str| self.oracle.always_protects(list);
        if LISTS.into_iter().all(protects) {
            machine.checker.never.extend(known.iter());
        }
        for (set, target) in targets {
            let Some(target) = target else {
                machine.checker.release(&(&set).into());
                continue;
            };
            let list = LISTS.into_iter().find(|list| live(list, set.family()) == set);
            let surely = list.and_then(|list| surely.get(list));
            let held = machine.sets.get(&(&set).into()).map(|slot| &slot.set.members);
            let held: Prefixes = held.into_iter().flatten().copied().collect();
            let stays: Prefixes = target.iter().copied().collect();
            let opened = surely.map(|surely| surely.intersect(&held).subtract(&stays));
            if let Some(first) = opened.as_ref().and_then(|opened| opened.iter().next()) {
                complaints.push(format!(
                    "{set} is to lose {first}, which every version that may be in force names"
                ));
            }
            machine.expect(&(&set).into(), target);
        }
        drop(machine);
        for text in complaints {
            self.report(Invariant::BadInput, text);
        }
    }

    fn said(&self) -> StatusSays {
        self.daemon.said()
    }
}
