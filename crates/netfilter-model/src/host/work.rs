//! What the state machine wants done, done to the host, and what has happened
//! to the host, told to the state machine. One of three files that know its
//! interface.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use blocklist::{AnyPrefix, FeedName, Guard, Prefixes, Refusal};
use intake::{
    Answer, Candidate, Fingerprint, Identity, Loss, Makeup, NotAcceptable, Now, Order, ReadOrder,
    Reading, RecallOrder, Recalled, RecalledVersion, Scan, Ticket, Version,
};
use keeper::{Action, Converge, Converged, Event, Keeper, Look, Probed, WishOutcome};
use reconcile::{Object, Observed, Part, Plan, Probe, SetName, Step, apply};

use super::configuration::HostConfiguration;
use super::facts::HostFacts;
use super::files::{FeedsDirectory, File};
use super::said::{StatusSays, said};
use super::settings::Writing;
use super::settings::{protection, settings};
use super::store::{Copy, FoundCopy, StoredMakeup};
use super::{Host, HostClock, Job, Kernel, ruled};
use crate::simulation::prefix;

/// Something that the daemon has handed out, and what came of it once it is
/// done. The rest of the simulation does not look inside.
#[derive(Debug)]
pub(super) enum Work {
    /// To be done, by a daemon that knew these addresses to be protected.
    Begin(Box<Action>, Prefixes),
    /// Done; the daemon does not know yet.
    End(Box<Event>),
}

impl Work {
    /// Whether it is done to the state directory, in the order in which it was
    /// wanted.
    pub(super) fn is_of_store(&self) -> bool {
        match self {
            Self::Begin(action, _) => match &**action {
                Action::WriteDown(..) => true,
                Action::Files(order) => !matches!(order, Order::Scan(_) | Order::Read(..)),
                _ => false,
            },
            Self::End(_) => false,
        }
    }
}

/// Something that a person has asked for.
#[derive(Clone, Debug)]
pub(super) enum HostQuestion {
    /// That a feed is let through of which this was seen.
    Accept(FeedName, StatusSays),
    /// That lists lose what nothing accounts for.
    AcceptLosses,
    /// That this configuration comes into force.
    Configure(Arc<HostConfiguration>),
}

/// What somebody was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    /// That it is done.
    Yes,
    /// That it is not, since the file is not what he has seen.
    Outdated,
    /// That it is not.
    No,
}

/// The state machine, and what a daemon around it knows.
pub(super) struct SimulatedDaemon {
    machine: Keeper,
    writing: Writing,
    running: Arc<HostConfiguration>,
    /// Configurations that may come into force.
    proposed: Vec<Arc<HostConfiguration>>,
    told: HostFacts,
    asked: BTreeMap<Ticket, HostQuestion>,
    /// What somebody has been answered, and nobody has looked at yet.
    pub(super) answers: Vec<(HostQuestion, Answered)>,
    /// When it wants to be woken.
    pub(super) wake: Option<Duration>,
}

fn now(clock: &HostClock) -> Now {
    Now { monotonic: clock.monotonic, wall: clock.wall }
}

impl SimulatedDaemon {
    /// One that has just started.
    pub(super) fn start(
        running: Arc<HostConfiguration>,
        told: HostFacts,
        writing: Writing,
        salt: u64,
        clock: &HostClock,
    ) -> Self {
        let settings = settings(&running, writing);
        let machine = Keeper::new(settings, protection(&told), salt, now(clock));
        Self {
            machine,
            writing,
            running,
            proposed: Vec::new(),
            told,
            asked: BTreeMap::new(),
            answers: Vec::new(),
            wake: None,
        }
    }

    /// The configuration in force.
    pub(super) fn running(&self) -> &Arc<HostConfiguration> {
        &self.running
    }

    /// Whether somebody still waits for an answer.
    pub(super) fn unanswered(&self) -> Option<&HostQuestion> {
        self.asked.values().next()
    }

    /// Feeds of which somebody has accepted a version, without an answer yet.
    pub(super) fn unanswered_accepts(&self) -> Vec<(FeedName, Option<u64>)> {
        let accepts = self.asked.values().filter_map(|question| match question {
            HostQuestion::Accept(feed, seen) => {
                let refused = seen.refused.get(feed);
                Some((feed.clone(), refused.and_then(|refused| refused.version)))
            }
            HostQuestion::AcceptLosses | HostQuestion::Configure(_) => None,
        });
        accepts.collect()
    }

    /// What it says of itself.
    pub(super) fn said(&self) -> StatusSays {
        said(&self.machine)
    }

    fn handle(&mut self, event: Event, clock: &HostClock) -> Vec<Job> {
        let mut jobs = Vec::new();
        for action in self.machine.handle(event, now(clock)) {
            match action {
                Action::WakeAt(at) => self.wake = Some(at),
                Action::Report(report) => drop(report),
                Action::Reply(ticket, reply) => self.replied(ticket, &reply),
                action => {
                    jobs.push(Job::Work(Work::Begin(Box::new(action), self.told.protected())));
                }
            }
        }
        let in_force =
            |one: &Arc<HostConfiguration>| settings(one, self.writing) == *self.machine.settings();
        if !in_force(&self.running) {
            let found = self.proposed.iter().rev().find(|one| in_force(one));
            self.running = found.expect("only what was proposed is in force").clone();
        }
        jobs
    }

    fn replied(&mut self, ticket: Ticket, reply: &WishOutcome) {
        let Some(question) = self.asked.remove(&ticket) else { return };
        let answered = match reply {
            WishOutcome::Accepted(Ok(())) | WishOutcome::Configured(Ok(())) => Answered::Yes,
            WishOutcome::Accepted(Err(
                NotAcceptable::NewerInForce | NotAcceptable::NewerRefused,
            )) => Answered::Outdated,
            WishOutcome::Accepted(Err(_)) | WishOutcome::Configured(Err(_)) => Answered::No,
        };
        if let (HostQuestion::Configure(configuration), Answered::Yes) = (&question, answered) {
            // Another one may say the same.
            let same = settings(configuration, self.writing) == *self.machine.settings();
            if same && configuration.number > self.running.number {
                self.running = configuration.clone();
            }
        }
        self.answers.push((question, answered));
    }

    /// Something in the feeds directory has changed.
    pub(super) fn feeds_changed(&mut self, clock: &HostClock) -> Vec<Job> {
        self.handle(Event::FilesChanged, clock)
    }

    /// Somebody asks that the kernel be looked at.
    pub(super) fn resync(&mut self, clock: &HostClock) -> Vec<Job> {
        self.handle(Event::Resync, clock)
    }

    /// Somebody did something to our rules.
    pub(super) fn rules_changed(&mut self, clock: &HostClock) -> Vec<Job> {
        self.handle(Event::RulesChanged, clock)
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, clock: &HostClock) -> Vec<Job> {
        self.handle(Event::Tick, clock)
    }

    /// The host has other facts.
    pub(super) fn facts(&mut self, facts: HostFacts, clock: &HostClock) -> Vec<Job> {
        self.told = facts;
        let protection = protection(&self.told);
        self.handle(Event::HostIs(protection), clock)
    }

    /// A configuration was read.
    pub(super) fn propose(
        &mut self,
        configuration: &Arc<HostConfiguration>,
        accepted: bool,
        clock: &HostClock,
    ) -> Vec<Job> {
        self.proposed.retain(|one| one.number != configuration.number);
        self.proposed.push(configuration.clone());
        let ticket = self.machine.ticket();
        self.asked.insert(ticket, HostQuestion::Configure(configuration.clone()));
        let settings = settings(configuration, self.writing);
        self.handle(Event::Proposed { ticket: Some(ticket), settings, accepted }, clock)
    }

    /// Somebody accepts what he sees refused of a feed.
    pub(super) fn accept(&mut self, feed: &FeedName, clock: &HostClock) -> Vec<Job> {
        let ticket = self.machine.ticket();
        self.asked.insert(ticket, HostQuestion::Accept(feed.clone(), self.said()));
        self.handle(Event::Accept(ticket, feed.clone()), clock)
    }

    /// Somebody accepts that lists lose what nothing accounts for.
    pub(super) fn accept_losses(&mut self, clock: &HostClock) -> Vec<Job> {
        let ticket = self.machine.ticket();
        self.asked.insert(ticket, HostQuestion::AcceptLosses);
        self.handle(Event::AcceptLosses(ticket), clock)
    }

    /// Work has ended.
    pub(super) fn ended(&mut self, event: Event, clock: &HostClock) -> Vec<Job> {
        self.handle(event, clock)
    }
}

impl Host {
    /// Does what was handed out; the answer is told later. `None` if nobody
    /// waits for one.
    pub(super) fn perform(&mut self, action: Action, known: &Prefixes) -> Option<Event> {
        match action {
            Action::Files(order) => self.touch_files(order).map(Event::Files),
            Action::WriteDown(ticket, lists) => {
                let made_of = |makeup: Makeup| StoredMakeup {
                    deny: makeup.deny,
                    allow: makeup.allow,
                    drops: makeup.drops,
                    doubt: makeup.doubt,
                };
                let lists = lists.into_iter().map(|(list, makeup)| (list, made_of(makeup)));
                self.store.write_down(lists.collect());
                Some(Event::WrittenDown(ticket))
            }
            Action::Compose(work) => Some(Event::Composed(work.run())),
            Action::Try(trial) => Some(Event::Tried(trial.run(Vec::new()))),
            Action::Observe(ticket, seen, _) => {
                let observed = Observed::look(&prefix(), &mut &mut *self.subject, seen.as_ref());
                let look = observed.map(|mut observed| {
                    ruled::look(&mut observed, seen.as_ref(), &mut &mut *self.subject);
                    Look::new(observed, seen.as_ref())
                });
                Some(Event::Observed(ticket, look))
            }
            Action::Converge(converge) => Some(self.converge(*converge, known)),
            Action::Probe(ticket, probes) => {
                let subject = &mut *self.subject;
                let found = probes.iter().map(|one| probe(one, subject)).collect();
                Some(Event::Probed(ticket, found))
            }
            Action::Report(_) | Action::WakeAt(_) | Action::Reply(..) => None,
        }
    }

    fn touch_files(&mut self, order: Order) -> Option<Answer> {
        match order {
            Order::Scan(ticket) => {
                self.scanned();
                Some(Answer::Scanned(ticket, scan(&self.files)))
            }
            Order::Recall(ticket, order) => Some(Answer::Recalled(ticket, self.recall(&order))),
            Order::Read(ticket, order) => Some(self.read(ticket, &order)),
            Order::Keep(ticket, feed, candidate) => {
                let kept = self.store.keep(candidate.0, self.clock.wall);
                if kept {
                    self.oracle.not_lost(&feed);
                }
                let result = if kept { Ok(()) } else { Err(no_room()) };
                Some(Answer::Kept { ticket, feed, result })
            }
            Order::Discard(candidate) => {
                self.store.discard(candidate.0);
                None
            }
            Order::Forget(feed) => {
                self.store.forget(&feed);
                None
            }
            Order::NoteGone(feed, since) => {
                self.store.note_gone(&feed, since);
                None
            }
            Order::NoteRewritten(feed, id, written) => {
                self.store.note_rewritten(&feed, id.0[0], written);
                None
            }
        }
    }

    fn recall(&mut self, order: &RecallOrder) -> Result<Recalled, String> {
        if self.store.unreachable {
            return Err("no such directory".to_owned());
        }
        let blank = self.store.is_blank();
        let wanted = |feed: &FeedName| order.wants(feed);
        let found = self.store.look_through(&mut self.random, wanted);
        self.note_lost(&found);
        let mut recalled = Recalled { blank, ..Recalled::default() };
        let lists = self.store.lists.clone().unwrap_or_default();
        let named = lists.values().flat_map(|made_of| made_of.deny.iter().chain(&made_of.allow));
        for feed in named.filter(|feed| wanted(feed)) {
            recalled.lost.insert(feed.clone(), Loss::Missing);
        }
        for (feed, found) in found {
            let reason = || "it cannot be read".to_owned();
            let loss = match found {
                FoundCopy::Damaged(_) => Some(Loss::Damaged(reason())),
                FoundCopy::Unreadable(_) => Some(Loss::Unreadable(reason())),
                FoundCopy::Good(copy, gone) => {
                    self.oracle.not_lost(&feed);
                    let id = Identity([copy.text.number, 0, 0]);
                    let parsed = copy.text.feed.clone();
                    let version = Version::new(id, parsed, copy.written, copy.accepted);
                    recalled.versions.insert(feed.clone(), RecalledVersion { version, gone });
                    None
                }
            };
            match loss {
                Some(loss) => drop(recalled.lost.insert(feed, loss)),
                None => drop(recalled.lost.remove(&feed)),
            }
        }
        recalled.lists = lists
            .into_iter()
            .map(|(list, StoredMakeup { deny, allow, drops, doubt })| {
                (list, Makeup { deny, allow, drops, doubt })
            })
            .collect();
        Ok(recalled)
    }

    fn read(&mut self, ticket: Ticket, order: &ReadOrder) -> Answer {
        let feed = order.feed.clone();
        self.seen(&feed);
        let Some(file) = self.files.by_name.get(&feed).cloned() else {
            let reading = Reading::Vanished;
            return Answer::Read { ticket, feed, fingerprint: None, written: None, reading };
        };
        if self.random.chance(self.files.errors_percent) {
            let reading = Reading::Refused(refusal(Guard::Readable, "an error that passes"));
            return Answer::Read { ticket, feed, fingerprint: None, written: None, reading };
        }
        let reading = self.taken(&file, order);
        let (fingerprint, written) = (Some(fingerprint(&file)), Some(file.written));
        Answer::Read { ticket, feed, fingerprint, written, reading }
    }

    fn taken(&mut self, file: &File, order: &ReadOrder) -> Reading {
        if !file.readable {
            return Reading::Refused(refusal(Guard::Readable, "permission denied"));
        }
        if file.unstable && !order.impatient {
            return Reading::Refused(refusal(Guard::Stable, "it changes"));
        }
        let id = Identity([file.text.number, 0, 0]);
        let copy = self.store.copies.get(&order.feed);
        let kept = copy.is_some_and(|copy| !copy.damaged && copy.text.number == file.text.number);
        if kept && order.known == Some(id) {
            return Reading::Same(id);
        }
        let (text, written) = (file.text.clone(), file.written);
        let copy = Copy { text, written, accepted: self.clock.wall, damaged: false };
        let laid_down = self.store.lay_down(&order.feed, copy);
        let feed = Box::new(file.text.feed.clone());
        let refusals = order.judge(&feed);
        Reading::New { feed, id, candidate: laid_down.map(Candidate).ok_or_else(no_room), refusals }
    }

    fn converge(&mut self, converge: Converge, known: &Prefixes) -> Event {
        let plan = converge.plan();
        let Converge { ticket, mut observed, desired, .. } = converge;
        let part = if plan.is_urgent() { Part::Urgent } else { Part::Later };
        self.note(&routes(&plan));
        self.expect(targets(&plan), known);
        let go_on = &mut |_| ControlFlow::Continue(());
        let before = self.tables();
        let outcome = apply(&plan, part, &mut &mut *self.subject, &mut observed, go_on);
        self.judge_change(&before, &desired.rules);
        Event::Converged(Box::new(Converged { ticket, plan, outcome, observed }))
    }
}

/// What the sets are to hold after a plan; `None` if they are to go.
fn targets(plan: &Plan) -> Vec<(SetName, Option<BTreeSet<AnyPrefix>>)> {
    let mut targets = Vec::new();
    for planned in &plan.objects {
        let Object::Set(set) = &planned.object else { continue };
        for step in &planned.steps {
            if let Step::Retire { set, .. } = &step.step {
                targets.push((set.clone(), None));
            }
        }
        let after = planned.after.as_ref().filter(|_| !planned.steps.is_empty());
        if let Some(target) = after {
            let members = (0..target.len()).map(|at| target.at(at)).collect();
            targets.push((set.clone(), Some(members)));
        }
    }
    targets
}

fn routes(plan: &Plan) -> String {
    let routes = plan.objects.iter().filter(|object| !object.steps.is_empty());
    let routes: Vec<_> =
        routes.map(|object| format!("{} {}", object.object, object.route)).collect();
    format!("converge: {}", routes.join(", "))
}

fn scan(files: &FeedsDirectory) -> Result<Scan, String> {
    if files.unreachable {
        return Err("no such directory".to_owned());
    }
    let shown = |name: &FeedName| !files.hidden.iter().any(|one| name.as_str().starts_with(one));
    let feeds = files.by_name.iter().filter(|(name, _)| shown(name));
    let feeds = feeds.map(|(name, file)| (name.clone(), fingerprint(file))).collect();
    Ok(Scan { feeds, unreadable: files.hidden.clone() })
}

fn probe(probe: &Probe, mut subject: &mut dyn Kernel) -> Probed {
    Probed {
        set: probe.set().clone(),
        result: probe.look(&mut subject),
        counted_in: probe.count.then_some(Duration::from_micros(5)),
    }
}

fn fingerprint(file: &File) -> Fingerprint {
    Fingerprint([1, file.inode, file.serial, 0, 0])
}

fn refusal(guard: Guard, found: &str) -> Refusal {
    Refusal { guard, expected: "a file that can be read".to_owned(), found: found.to_owned() }
}

fn no_room() -> Refusal {
    refusal(Guard::Kept, "no room in state-dir")
}
