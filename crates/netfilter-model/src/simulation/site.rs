//! A whole host around the reconciler: a feeds directory, a state directory,
//! a clock and a kernel. Every action of the reconciler is performed here, in
//! any order that the program could perform it in too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime};

use blocklist::{Family, FeedName, Format, Guard, Limits, Prefixes, Refusal, compose, parse};
use intake::{
    Answer, Candidate, Fingerprint, Identity, Makeup, Now, Order, ReadOrder, Reading, RecallOrder,
    Recalled, RecalledVersion, Scan, Ticket, Version,
};
use keeper::{Action, Converge, Converged, Event, Keeper, Look, Probed};
use reconcile::{Kernel, Members, Observed, Part, Plan, SetName, Step, Target, Update, apply};

use super::configured::{keeper, list, settings, takes};
use super::world::{ModelWay, live, never, prefix, subject};
use crate::{Invariant, ModelKernel, Random};

/// Actions performed in a row before the reconciler counts as restless.
const ACTIONS_MAX: usize = 2_000;

/// One host and its daemon.
pub(super) struct Site {
    pub(super) kernel: ModelKernel,
    way: ModelWay,
    update: Update,
    subject: Box<dyn Kernel>,
    keeper: Keeper,
    /// The feeds directory: what each file says, and how often it was written.
    files: BTreeMap<FeedName, (u64, String)>,
    /// The state directory: last good copies, and what makes up the lists.
    kept: BTreeMap<FeedName, Version>,
    written: Option<BTreeMap<String, Makeup>>,
    lists: BTreeSet<String>,
    candidates: BTreeMap<u64, Version>,
    pending: VecDeque<Action>,
    now: Duration,
    wake: Option<Duration>,
    /// Another event comes before the reconciler decides.
    more_comes: bool,
    /// It has taken in some on which it has not decided.
    undecided: bool,
    counter: u64,
    /// Whether the disk has no room and the directory cannot be read.
    pub(super) disk_fails: bool,
    /// Feeds that this daemon has yet to read before it may remove anything;
    /// unknown before its first scan.
    unseen: Option<BTreeSet<FeedName>>,
    /// What the last good copies said of each set since all was last well.
    history: BTreeMap<SetName, Vec<Members>>,
    /// How often a plan was carried out.
    pub(super) applied: u64,
}

impl Site {
    /// An empty host on which the daemon has just started.
    pub(super) fn new(way: ModelWay, update: Update) -> Self {
        let kernel = ModelKernel::new(prefix());
        kernel.machine().checker.never = never();
        let subject = subject(&kernel, way);
        let mut site = Self {
            subject,
            kernel,
            way,
            update,
            keeper: keeper(&BTreeSet::new(), update, 0, Duration::ZERO),
            files: BTreeMap::new(),
            kept: BTreeMap::new(),
            written: None,
            lists: BTreeSet::new(),
            candidates: BTreeMap::new(),
            pending: VecDeque::new(),
            now: Duration::ZERO,
            wake: None,
            more_comes: false,
            undecided: false,
            counter: 0,
            disk_fails: false,
            unseen: None,
            history: BTreeMap::new(),
            applied: 0,
        };
        site.start();
        site
    }

    /// A new daemon finds what the last one kept.
    pub(super) fn start(&mut self) {
        self.kernel.machine().start_daemon();
        self.kernel.machine().checker.feeds_complete = false;
        self.subject = subject(&self.kernel, self.way);
        self.pending.clear();
        self.candidates.clear();
        self.wake = None;
        self.more_comes = false;
        self.unseen = None;
        self.counter += 1;
        self.keeper = keeper(&self.lists, self.update, self.counter, self.now);
        self.happened(Event::Tick);
    }

    /// Writes a feed's file. The daemon is told.
    pub(super) fn write(&mut self, feed: &str, text: String) {
        self.counter += 1;
        let feed = FeedName::new(feed).expect("a good name");
        self.files.insert(feed, (self.counter, text));
        self.happened(Event::FilesChanged);
    }

    /// Deletes a feed's file. The daemon is told.
    pub(super) fn delete(&mut self, feed: &str) {
        self.files.remove(&FeedName::new(feed).expect("a good name"));
        self.happened(Event::FilesChanged);
    }

    /// There is such a list from now on, or there is not. The daemon is told.
    pub(super) fn configure(&mut self, list: &str, there: bool) {
        if there {
            self.lists.insert(list.to_owned());
        } else {
            self.lists.remove(list);
            for family in Family::ALL {
                let name = live(list, family);
                self.kernel.machine().checker.release(&(&name).into());
                self.history.remove(&name);
            }
            self.seen(|feed| takes(list, feed));
        }
        self.remember();
        let settings = settings(&self.lists, self.update);
        self.happened(Event::Proposed { ticket: None, settings, accepted: true });
    }

    /// Something happened.
    pub(super) fn happened(&mut self, event: Event) {
        self.kernel.machine().note(format!("     > {}", name(&event)));
        self.keeper.take_in(event, self.clock());
        self.undecided = true;
        if !self.more_comes {
            self.decide();
        }
    }

    /// Lets the reconciler decide on what it has taken in.
    fn decide(&mut self) {
        self.undecided = false;
        for action in self.keeper.decide(self.clock()) {
            match action {
                Action::WakeAt(at) => self.wake = Some(at),
                Action::Report(_) | Action::Reply(..) => {}
                action => self.pending.push_back(action),
            }
        }
    }

    fn clock(&self) -> Now {
        Now { monotonic: self.now, wall: SystemTime::UNIX_EPOCH + self.now }
    }

    /// Performs one pending action, any that could be next. False if there is
    /// none.
    pub(super) fn perform_one(&mut self, random: &mut Random) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let choice = random.below(self.pending.len());
        // What is done to the state directory is done in order.
        let stores = self.pending.get(choice).is_some_and(is_store);
        let choice =
            if stores { self.pending.iter().position(is_store).unwrap_or(choice) } else { choice };
        let Some(action) = self.pending.remove(choice) else { return false };
        // The daemon decides on all that has come by then.
        self.more_comes = !self.pending.is_empty() && random.chance(25);
        self.perform(action);
        self.more_comes = false;
        if self.undecided && self.pending.is_empty() {
            self.decide();
        }
        if self.kernel.machine().crashed() {
            self.start();
        }
        true
    }

    /// Performs whatever is pending. False if that never ends.
    pub(super) fn settle(&mut self, random: &mut Random) -> bool {
        (0..ACTIONS_MAX).any(|_| !self.perform_one(random))
    }

    /// Lets time pass until the reconciler wants to be woken, at most `most`.
    pub(super) fn pass_time(&mut self, most: Duration) {
        let until = self.now + most;
        self.now = self.wake.map_or(until, |wake| wake.clamp(self.now, until));
        self.wake = None;
        self.happened(Event::Tick);
    }

    /// Whether the reconciler says that all is done and nothing is awaited.
    pub(super) fn in_sync(&self) -> bool {
        // A feed that was refused is tried again later, which counts as rest.
        let refused = self.keeper.intake().feeds().values().any(|feed| !feed.refusals().is_empty());
        let rests = self.keeper.at_rest() && self.pending.is_empty();
        rests && !refused && self.keeper.in_sync()
    }

    /// What the last good copies say should be in the kernel, by an
    /// independent way.
    pub(super) fn wanted(&self) -> BTreeMap<SetName, Members> {
        let feeds: BTreeMap<_, _> = self
            .kept
            .iter()
            .map(|(name, version)| (name.clone(), version.prefixes_at(self.clock().wall)))
            .collect();
        let mut wanted = reconcile::Desired::default();
        for name in &self.lists {
            let composition = compose(&list(name), &feeds, &Prefixes::default());
            let targets = Target::pair(composition.members, composition.never);
            wanted.insert(&prefix(), name, targets).expect("a good name");
        }
        wanted.sets.into_iter().map(|(set, target)| (set, target.members)).collect()
    }

    /// All is well: only the present counts from here on.
    pub(super) fn forget_history(&mut self) {
        self.history.clear();
        self.remember();
    }

    fn remember(&mut self) {
        for (name, members) in self.wanted() {
            let past = self.history.entry(name).or_default();
            if past.last() != Some(&members) {
                past.push(members);
            }
        }
    }

    /// These feeds need not be read any more before anything is removed.
    fn seen(&mut self, which: impl Fn(&FeedName) -> bool) {
        let Some(unseen) = &mut self.unseen else { return };
        unseen.retain(|feed| !which(feed));
        self.kernel.machine().checker.feeds_complete |= unseen.is_empty();
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Files(order) => self.touch_files(order),
            Action::WriteDown(ticket, lists) => {
                self.written = Some(lists);
                self.happened(Event::WrittenDown(ticket));
            }
            Action::Report(_) | Action::Reply(..) | Action::WakeAt(_) => {}
            Action::Compose(work) => self.happened(Event::Composed(work.run())),
            Action::Try(trial) => self.happened(Event::Tried(trial.run(Vec::new()))),
            Action::Observe(ticket, known, _) => {
                let observed = Observed::look(&prefix(), &mut &mut *self.subject, known.as_ref());
                let look = observed.map(|observed| Look::new(observed, known.as_ref()));
                self.happened(Event::Observed(ticket, look));
            }
            Action::Converge(converge) => self.converge(*converge),
            Action::Probe(ticket, probes) => {
                let look = |probe: &reconcile::Probe| Probed {
                    set: probe.set().clone(),
                    result: probe.look(&mut &mut *self.subject),
                    counted_in: probe.count.then_some(Duration::from_micros(5)),
                };
                let found = probes.iter().map(look).collect();
                self.happened(Event::Probed(ticket, found));
            }
        }
    }

    fn touch_files(&mut self, order: Order) {
        match order {
            Order::Recall(ticket, order) => self.recall(ticket, &order),
            Order::Scan(ticket) => self.scan(ticket),
            Order::Read(ticket, order) => self.read(ticket, &order),
            Order::Keep(ticket, feed, candidate) => self.keep(ticket, feed, candidate),
            Order::Discard(candidate) => drop(self.candidates.remove(&candidate.0)),
            Order::Forget(feed) => {
                self.kept.remove(&feed);
                self.remember();
            }
            Order::NoteGone(..) | Order::NoteRewritten(..) => {}
        }
    }

    fn recall(&mut self, ticket: Ticket, order: &RecallOrder) {
        let wanted = self.kept.iter().filter(|(feed, _)| order.wants(feed));
        let versions = wanted.map(|(feed, version)| {
            (feed.clone(), RecalledVersion { version: version.clone(), gone: None })
        });
        let recalled = Recalled {
            versions: versions.collect(),
            lost: BTreeMap::new(),
            blank: self.written.is_none(),
            lists: self.written.clone().unwrap_or_default(),
        };
        self.happened(Event::Files(Answer::Recalled(ticket, Ok(recalled))));
    }

    fn scan(&mut self, ticket: Ticket) {
        let feeds = self.files.iter().map(|(name, file)| (name.clone(), fingerprint(file.0)));
        let scan = Scan { feeds: feeds.collect(), unreadable: Vec::new() };
        let result = if self.disk_fails { Err("no such directory".to_owned()) } else { Ok(scan) };
        if result.is_ok() && self.unseen.is_none() {
            let used = |feed: &&FeedName| self.lists.iter().any(|name| takes(name, feed));
            self.unseen = Some(self.files.keys().filter(used).cloned().collect());
            self.seen(|_| false);
        }
        if result.is_ok() {
            // What is not there any more cannot be read.
            let files = self.files.clone();
            self.seen(|feed| !files.contains_key(feed));
        }
        self.happened(Event::Files(Answer::Scanned(ticket, result)));
    }

    fn read(&mut self, ticket: Ticket, order: &ReadOrder) {
        let feed = order.feed.clone();
        self.seen(|one| *one == feed);
        let Some((version, text)) = self.files.get(&feed) else {
            let (fingerprint, written, reading) = (None, None, Reading::Vanished);
            let answer = Answer::Read { ticket, feed, fingerprint, written, reading };
            return self.happened(Event::Files(answer));
        };
        self.counter += 1;
        let parsed = parse(text.as_bytes(), Format::Plain, &Limits::default());
        let refusals = order.judge(&parsed);
        let (id, now) = (Identity([*version, 0, 0]), self.clock().wall);
        let candidate = Candidate(self.counter);
        self.candidates.insert(self.counter, Version::new(id, parsed.clone(), now, now));
        let reading =
            Reading::New { feed: Box::new(parsed), id, candidate: Ok(candidate), refusals };
        let fingerprint = Some(fingerprint(*version));
        let answer = Answer::Read { ticket, feed, fingerprint, written: None, reading };
        self.happened(Event::Files(answer));
    }

    fn keep(&mut self, ticket: Ticket, feed: FeedName, candidate: Candidate) {
        let result = match self.candidates.remove(&candidate.0) {
            Some(version) if !self.disk_fails => {
                self.kept.insert(feed.clone(), version);
                self.remember();
                Ok(())
            }
            Some(version) => {
                // It is in force all the same.
                self.kept.insert(feed.clone(), version);
                self.remember();
                Err(Refusal {
                    guard: Guard::Kept,
                    expected: "room on the disk".to_owned(),
                    found: "none".to_owned(),
                })
            }
            None => Ok(()),
        };
        self.happened(Event::Files(Answer::Kept { ticket, feed, result }));
    }

    fn converge(&mut self, converge: Converge) {
        let plan = converge.plan();
        let Converge { ticket, mut observed, .. } = converge;
        let part = if plan.is_urgent() { Part::Urgent } else { Part::Later };
        if plan.has_work() {
            self.applied += u64::from(part == Part::Urgent);
            let routes = plan.objects.iter().filter(|object| !object.steps.is_empty());
            let routes = routes.map(|object| format!("{} {}", object.object, object.route));
            let routes = routes.collect::<Vec<_>>().join(", ");
            self.kernel.machine().note(format!("-- carries out: {routes}"));
            self.expect(&plan);
        }
        let go_on = &mut |_| std::ops::ControlFlow::Continue(());
        let outcome = apply(&plan, part, &mut &mut *self.subject, &mut observed, go_on);
        self.happened(Event::Converged(Box::new(Converged { ticket, plan, outcome, observed })));
    }

    /// Tells the checker what the sets are on their way to, and holds that
    /// against what the last good copies have said lately.
    fn expect(&mut self, plan: &Plan) {
        let mut machine = self.kernel.machine();
        let step = machine.steps();
        for planned in &plan.objects {
            let Some(set) = planned.object.set() else { continue };
            for step in &planned.steps {
                if let Step::Retire { set, .. } = &step.step {
                    machine.checker.release(&set.into());
                }
            }
            let Some(target) = planned.after.as_ref().filter(|_| !planned.steps.is_empty()) else {
                continue;
            };
            let past = self.history.get(set).map_or(&[][..], Vec::as_slice);
            let held = machine.sets.get(&set.into()).map(|slot| &slot.set.members);
            // A packet knows addresses, not members.
            let opens = |past: &Members| {
                let stays: Prefixes = addresses(target);
                let blocked: Prefixes = held.into_iter().flatten().copied().collect();
                !addresses(past).intersect(&blocked).subtract(&stays).is_empty()
            };
            if !past.is_empty() && past.iter().all(opens) {
                let text =
                    format!("{set} is to lose what every last good copy has said, for {target:?}");
                machine.checker.report(step, Invariant::BadInput, text);
            }
            let members = (0..target.len()).map(|at| target.at(at)).collect();
            machine.expect(&set.into(), members);
        }
    }
}

fn addresses(members: &Members) -> Prefixes {
    (0..members.len()).map(|at| members.at(at)).collect()
}

/// The event as it stands in a trace.
fn name(event: &Event) -> String {
    match event {
        Event::Files(Answer::Recalled(_, result)) => format!("recalled: {}", result.is_ok()),
        Event::Files(Answer::Scanned(_, result)) => format!("scanned: {}", result.is_ok()),
        Event::Read(..) => "read".to_owned(),
        Event::Files(Answer::Read { feed, .. }) => format!("read {feed}"),
        Event::Files(Answer::Kept { feed, result, .. }) => {
            format!("kept {feed}: {}", result.is_ok())
        }
        Event::FilesChanged => "files changed".to_owned(),
        Event::Composed(composed) => format!("composed {}", composed.list),
        Event::Tried(_) => "tried".to_owned(),
        Event::Proposed { settings, .. } => {
            let lists: Vec<_> = settings.rules.lists.iter().map(|list| &*list.list.name).collect();
            format!("proposed: {}", lists.join(" "))
        }
        Event::WrittenDown(_) => "written down".to_owned(),
        Event::Observed(_, result) => format!("observed: {}", result.is_ok()),
        Event::Converged(converged) => {
            let objects = &converged.outcome.objects;
            let failed = objects.iter().filter(|object| object.result.is_err()).count();
            format!("converged, {} done, {failed} failed", objects.len())
        }
        Event::Probed(_, probed) => format!("probed {}", probed.len()),
        Event::HostIs(_) => "host".to_owned(),
        Event::Accept(_, feed) => format!("accept {feed}"),
        Event::AcceptLosses(_) => "accept losses".to_owned(),
        Event::RulesChanged => "rules changed".to_owned(),
        Event::Resync => "resync".to_owned(),
        Event::Tick => "tick".to_owned(),
    }
}

/// What is done to the state directory is done in order.
fn is_store(action: &Action) -> bool {
    match action {
        Action::WriteDown(..) => true,
        Action::Files(order) => !matches!(order, Order::Scan(_) | Order::Read(..)),
        _ => false,
    }
}

fn fingerprint(version: u64) -> Fingerprint {
    Fingerprint([version, 0, 0, 0, 0])
}
