//! A whole host around the reconciler: a feeds directory, a state directory,
//! a clock and a kernel. Every action of the reconciler is performed here, in
//! any order that the program could perform it in too.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{
    Allow, Family, FeedName, Format, Glob, Guard, GuardPolicy, Limits, List, Prefixes, Protection,
    Refusal, compose, parse,
};
use reconcile::{
    Action, Candidate, Content, Event, FeedRules, Fingerprint, Kernel, Members, Now, Observed,
    Plan, Probed, ReadOrder, Reading, Reconciler, Route, Scan, SetName, Settings, Update, apply,
};

use super::world::{Way, live, never, prefix, subject};
use crate::{Invariant, ModelKernel, Random};

/// Actions performed in a row before the reconciler counts as restless.
const ACTIONS_MAX: usize = 2_000;
/// How long a deleted feed stays in force.
pub(super) const WITHDRAW: Duration = Duration::from_secs(300);

/// One host and its daemon.
pub(super) struct Site {
    pub(super) kernel: ModelKernel,
    way: Way,
    update: Update,
    subject: Box<dyn Kernel>,
    reconciler: Reconciler,
    /// The feeds directory: what each file says, and how often it was written.
    files: BTreeMap<FeedName, (u64, String)>,
    /// The state directory: last good copies.
    kept: BTreeMap<FeedName, Content>,
    lists: BTreeSet<String>,
    candidates: BTreeMap<u64, FeedName>,
    pending: VecDeque<Action>,
    now: Duration,
    wake: Option<Duration>,
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
    pub(super) fn new(way: Way, update: Update) -> Self {
        let kernel = ModelKernel::new(prefix());
        kernel.machine().checker.never = never();
        let subject = subject(&kernel, way);
        let mut site = Self {
            subject,
            kernel,
            way,
            update,
            reconciler: Reconciler::new(settings(&BTreeSet::new(), update), 0),
            files: BTreeMap::new(),
            kept: BTreeMap::new(),
            lists: BTreeSet::new(),
            candidates: BTreeMap::new(),
            pending: VecDeque::new(),
            now: Duration::ZERO,
            wake: None,
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
        self.unseen = None;
        self.counter += 1;
        self.reconciler = Reconciler::new(settings(&self.lists, self.update), self.counter);
        self.restore();
        self.happened(Event::Tick);
    }

    /// Hands in the last good copies of feeds that the reconciler does not
    /// know: at start, and when a list comes that takes them in.
    fn restore(&mut self) {
        for (feed, content) in self.kept.clone() {
            if !self.reconciler.feeds().states().contains_key(&feed) {
                self.happened(Event::Restored { feed, content, gone: None });
            }
        }
    }

    /// Writes a feed's file. The daemon is told.
    pub(super) fn write(&mut self, feed: &str, text: String) {
        self.counter += 1;
        let feed = FeedName::new(feed).expect("a good name");
        self.files.insert(feed, (self.counter, text));
        self.happened(Event::FeedsChanged);
    }

    /// Deletes a feed's file. The daemon is told.
    pub(super) fn delete(&mut self, feed: &str) {
        self.files.remove(&FeedName::new(feed).expect("a good name"));
        self.happened(Event::FeedsChanged);
    }

    /// There is such a list from now on, or there is not. The daemon is told.
    pub(super) fn configure(&mut self, list: &str, there: bool) {
        if there {
            // A feed whose file went while no list wanted it went with its list.
            if self.lists.insert(list.to_owned()) {
                self.kept.retain(|feed, _| !takes(list, feed) || self.files.contains_key(feed));
            }
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
        self.happened(Event::Reconfigured(settings(&self.lists, self.update)));
        self.restore();
    }

    /// Something happened.
    pub(super) fn happened(&mut self, event: Event) {
        self.kernel.machine().note(format!("     > {}", name(&event)));
        let now = self.clock();
        for action in self.reconciler.handle(event, now) {
            match action {
                Action::WakeAt(at) => self.wake = Some(at),
                Action::Report(report) => drop(report),
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
        self.perform(action);
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
        let refused =
            self.reconciler.feeds().states().values().any(|feed| !feed.refusals.is_empty());
        let rests = self.reconciler.at_rest() && self.pending.is_empty();
        rests && !refused && self.reconciler.in_sync()
    }

    /// What the last good copies say should be in the kernel, by an
    /// independent way.
    pub(super) fn wanted(&self) -> BTreeMap<SetName, Members> {
        let feeds: BTreeMap<_, _> = self
            .kept
            .iter()
            .map(|(name, content)| (name.clone(), content.prefixes.clone()))
            .collect();
        let mut wanted = reconcile::Desired::default();
        for name in &self.lists {
            let members = compose(&list(name), &feeds, &Prefixes::default()).members;
            wanted.insert(&prefix(), name, members).expect("a good name");
        }
        wanted.sets
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
            Action::Scan => self.scan(),
            Action::Read(order) => self.read(&order),
            Action::Keep(feed, candidate) => self.keep(feed, candidate),
            Action::Discard(candidate) => drop(self.candidates.remove(&candidate.0)),
            Action::Forget(feed) => {
                self.kept.remove(&feed);
                self.remember();
            }
            Action::NoteGone(..) | Action::Report(_) | Action::WakeAt(_) => {}
            Action::Compose(work) => {
                let composition = compose(&work.list, &work.feeds, &work.protect);
                self.happened(Event::Composed { list: work.list.name.clone(), composition });
            }
            Action::Observe => {
                let observed = Observed::look(&prefix(), &mut &mut *self.subject);
                self.happened(Event::Observed(observed));
            }
            Action::Apply(plan, observed) => self.apply(&plan, observed),
            Action::Probe(probes) => {
                let look = |probe: &reconcile::Probe| Probed {
                    set: probe.set().clone(),
                    result: probe.look(&mut &mut *self.subject),
                    counted_in: probe.count.then_some(Duration::from_micros(5)),
                };
                let found = probes.iter().map(look).collect();
                self.happened(Event::Probed(found));
            }
        }
    }

    fn scan(&mut self) {
        let feeds = self.files.iter().map(|(name, file)| (name.clone(), fingerprint(file.0)));
        let scan = Scan { feeds: feeds.collect(), unreadable: Vec::new() };
        let result = if self.disk_fails { Err("no such directory".to_owned()) } else { Ok(scan) };
        if result.is_ok() && self.unseen.is_none() {
            let used = |feed: &&FeedName| self.lists.iter().any(|name| takes(name, feed));
            self.unseen = Some(self.files.keys().filter(used).cloned().collect());
            self.seen(|_| false);
        }
        self.happened(Event::Scanned(result));
    }

    fn read(&mut self, order: &ReadOrder) {
        let feed = order.feed.clone();
        self.seen(|one| *one == feed);
        let Some((version, text)) = self.files.get(&feed) else {
            let reading = Reading::Vanished;
            return self.happened(Event::Read { feed, fingerprint: None, written: None, reading });
        };
        self.counter += 1;
        self.candidates.insert(self.counter, feed.clone());
        let parsed = parse(text.as_bytes(), Format::Plain, &Limits::default());
        let refusals = order.judge(&parsed);
        let candidate = Candidate(self.counter);
        let reading = Reading::New { feed: Box::new(parsed), candidate, refusals };
        let fingerprint = Some(fingerprint(*version));
        self.happened(Event::Read { feed, fingerprint, written: None, reading });
    }

    /// The copy is of the file as it is now, which may be newer than what was
    /// judged only if the reconciler is told of that too.
    fn keep(&mut self, feed: FeedName, candidate: Candidate) {
        let result = match self.candidates.remove(&candidate.0) {
            Some(_) if !self.disk_fails => Ok(()),
            _ => Err(Refusal {
                guard: Guard::Kept,
                expected: "room on the disk".to_owned(),
                found: "none".to_owned(),
            }),
        };
        let keeps = result.is_ok();
        self.happened(Event::Kept { feed: feed.clone(), result });
        let now_in_force = self.reconciler.feeds().states().get(&feed);
        if let Some(content) = now_in_force.and_then(|state| state.in_force.clone())
            && keeps
        {
            self.kept.insert(feed, content);
            self.remember();
        }
    }

    fn apply(&mut self, plan: &Plan, mut observed: Observed) {
        self.applied += 1;
        let routes = plan.sets.iter().filter(|set| set.route != Route::None);
        let routes = routes.map(|set| format!("{} {:?}", set.set, set.route.kind()));
        let routes = routes.collect::<Vec<_>>().join(", ");
        self.kernel.machine().note(format!("-- carries out: {routes}"));
        self.expect(plan);
        let go_on = &mut |_| std::ops::ControlFlow::Continue(());
        let outcome = apply(plan, &mut &mut *self.subject, &mut observed, go_on);
        self.happened(Event::Applied { outcome, observed });
    }

    /// Tells the checker what the sets are on their way to, and holds that
    /// against what the last good copies have said lately.
    fn expect(&mut self, plan: &Plan) {
        let mut machine = self.kernel.machine();
        let step = machine.steps();
        for planned in &plan.sets {
            let target = match &planned.route {
                Route::Create { target, .. }
                | Route::InPlace { target, .. }
                | Route::Swap { target, .. } => target,
                Route::Destroy { .. } => {
                    machine.checker.release(&(&planned.set).into());
                    continue;
                }
                Route::None | Route::Blocked(_) => continue,
            };
            let past = self.history.get(&planned.set).map_or(&[][..], Vec::as_slice);
            let held = machine.sets.get(&(&planned.set).into()).map(|slot| &slot.set.members);
            let opens = |past: &Members| {
                let lost = past.difference(target);
                held.into_iter().flatten().any(|&member| lost.has(member))
            };
            if !past.is_empty() && past.iter().all(opens) {
                let text = format!(
                    "{} is to lose what every last good copy has said, for {target:?}",
                    planned.set
                );
                machine.checker.report(step, Invariant::BadInput, text);
            }
            let members = (0..target.len()).map(|at| target.at(at)).collect();
            machine.expect(&(&planned.set).into(), members);
        }
    }
}

/// Whether a list takes in a feed.
fn takes(list: &str, feed: &FeedName) -> bool {
    feed.as_str().starts_with(&format!("{list}/"))
}

/// The event as it stands in a trace.
fn name(event: &Event) -> String {
    match event {
        Event::Read { feed, .. } => format!("read {}", feed.as_str()),
        Event::Kept { feed, result } => format!("kept {}: {}", feed.as_str(), result.is_ok()),
        Event::Composed { list, composition } => {
            format!("composed {list}: {} members", composition.members.len())
        }
        Event::Restored { feed, .. } => format!("restored {}", feed.as_str()),
        Event::Scanned(result) => format!("scanned: {}", result.is_ok()),
        Event::FeedsChanged => "feeds changed".to_owned(),
        Event::Reconfigured(settings) => {
            let lists: Vec<_> = settings.lists.iter().map(|list| &*list.name).collect();
            format!("reconfigured: {}", lists.join(" "))
        }
        Event::Observed(result) => format!("observed: {}", result.is_ok()),
        Event::Applied { outcome, .. } => {
            let failed = outcome.sets.iter().filter(|set| set.result.is_err()).count();
            format!("applied, {failed} failed")
        }
        Event::Probed(probed) => format!("probed {}", probed.len()),
        Event::Damaged { feed } => format!("damaged {}", feed.as_str()),
        Event::Resync => "resync".to_owned(),
        Event::Tick => "tick".to_owned(),
    }
}

fn is_store(action: &Action) -> bool {
    matches!(action, Action::Keep(..) | Action::Discard(_) | Action::Forget(_))
}

fn fingerprint(version: u64) -> Fingerprint {
    Fingerprint([version, 0, 0, 0, 0])
}

/// A list takes in the feeds below its name and never holds what must never
/// be blocked.
fn list(name: &str) -> List {
    List {
        name: name.to_owned(),
        feeds: vec![Glob::new(&format!("{name}/*")).expect("a good glob")],
        allow: never().into_iter().map(Allow::Prefix).collect(),
        protect: Vec::new(),
    }
}

fn settings(lists: &BTreeSet<String>, update: Update) -> Settings {
    let guard = GuardPolicy {
        shrink_percent_max: 100,
        growth_percent_max: 1_000_000,
        allow_empty: true,
        ..GuardPolicy::default()
    };
    Settings {
        prefix: prefix(),
        lists: lists.iter().map(|name| Arc::new(list(name))).collect(),
        update,
        rules: Arc::new(move |_| FeedRules { guard, protect: Vec::new(), max_age: None }),
        protection: Protection::default(),
        withdraw: WITHDRAW,
        probe: Duration::from_secs(10),
        audit: Duration::from_secs(3_600),
    }
}
