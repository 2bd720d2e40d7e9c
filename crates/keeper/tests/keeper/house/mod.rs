//! A desk at which a test plays everything outside of the machine: it sees every
//! action, and gives the answers well, badly, late, twice or in another order.
//! What must be so after every event whatever the test is about, it checks.

mod host;
mod make;
mod site;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::{Duration, SystemTime};

use blocklist::{AnyPrefix, Family, Protection};
use intake::{Answer, Makeup, NotAcceptable, Now, Order, Peer, Reading, SourceReport, Ticket};
use keeper::{
    Action, Composed, Converge, Converged, Event, Held, HoldReason, Keeper, Look, Probed, Report,
    Settings, Slip, WishOutcome,
};
use reconcile::{KernelError, KernelErrorKind, Observed, Part, SetName, Stage, apply};

pub(crate) use host::{Host, members};
pub(crate) use make::{
    WITHDRAW, at, error, feed, glob, list, net, nets, own, percent, refusal, rules, settings, table,
};
pub(crate) use site::{Site, identity};

/// Actions that one event may lead to, answers included.
const ACTIONS_MAX: usize = 200;

/// What an action is about, for a test to name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Recall,
    Scan,
    Read,
    Keep,
    /// What writes and has no answer.
    Note,
    WriteDown,
    Compose,
    Try,
    Observe,
    Converge,
    Probe,
}

/// The keeper, its clocks, and everything around it.
pub(crate) struct Desk {
    pub(crate) keeper: Keeper,
    pub(crate) now: Now,
    pub(crate) host: Host,
    pub(crate) site: Site,
    /// Actions that nobody has carried out.
    pub(crate) pending: Vec<Action>,
    pub(crate) reports: Vec<Report>,
    pub(crate) replies: BTreeMap<Ticket, WishOutcome>,
    pub(crate) wake: Option<Duration>,
    pub(crate) settings: Settings,
    protection: Protection,
    /// Who is connected.
    pub(crate) peers: Vec<Peer>,
    /// How many actions there were.
    pub(crate) acts: usize,
    starts: u64,
    started: Duration,
}

impl Desk {
    /// A keeper that has just begun on an empty host, with nothing carried out.
    pub(crate) fn new(settings: Settings) -> Self {
        Self::on(settings, Site::default(), Host::default())
    }

    /// One that has just begun on this host.
    pub(crate) fn on(settings: Settings, site: Site, host: Host) -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let now = Now { monotonic: Duration::from_secs(1), wall };
        let protection = Protection::default();
        let keeper = Keeper::new(settings.clone(), protection.clone(), 1, now);
        let mut desk = Self {
            keeper,
            now,
            host,
            site,
            pending: Vec::new(),
            reports: Vec::new(),
            replies: BTreeMap::new(),
            wake: None,
            settings,
            protection,
            peers: Vec::new(),
            acts: 0,
            starts: 1,
            started: now.monotonic,
        };
        desk.handle(Event::Tick);
        desk
    }

    /// One whose lists hold these files and that is at rest.
    pub(crate) fn with(settings: Settings, files: &[(&str, &str)]) -> Self {
        let mut site = Site::default();
        for (name, text) in files {
            site.put(name, text, at(999_000));
        }
        // An earlier process has been here.
        site.lists = Some(BTreeMap::new());
        let mut desk = Self::on(settings, site, Host::default());
        desk.settle();
        assert!(desk.keeper.in_sync(), "it begins in sync");
        desk.reports.clear();
        desk
    }

    /// The process ends, and another begins. What it had not done stays undone.
    pub(crate) fn restart(&mut self) {
        self.starts += 1;
        self.started = self.now.monotonic;
        self.pending.clear();
        // Its tickets begin anew.
        self.replies.clear();
        self.wake = None;
        let (settings, protection) = (self.settings.clone(), self.protection.clone());
        self.keeper = Keeper::new(settings, protection, self.starts, self.now);
        self.handle(Event::Tick);
    }

    /// When the process began.
    pub(crate) fn start(&self) -> Duration {
        self.started
    }

    /// How long that is ago by the clock that never jumps.
    pub(crate) fn since(&self, begun: Duration) -> Duration {
        self.now.monotonic.checked_sub(begun).expect("time never runs back")
    }

    /// Something happens.
    pub(crate) fn handle(&mut self, event: Event) {
        self.handle_together([event]);
    }

    /// All of this happens before the keeper comes to decide on it.
    pub(crate) fn handle_together(&mut self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            self.keeper.take_in(event, self.now);
        }
        let actions = self.keeper.decide(self.now);
        self.acts += actions.len();
        let mut wakes = 0;
        for action in actions {
            match action {
                Action::Report(report) => self.reports.push(report),
                Action::Reply(ticket, reply) => {
                    let earlier = self.replies.insert(ticket, reply);
                    assert!(earlier.is_none(), "one reply to one ticket");
                }
                Action::WakeAt(at) => {
                    assert!(at > self.now.monotonic, "no tick is wished for in the past");
                    wakes += 1;
                    self.wake = Some(at);
                }
                action => self.pending.push(action),
            }
        }
        assert!(wakes <= 1, "one wish for a tick at a time");
        self.check();
    }

    /// What holds after every event.
    fn check(&self) {
        let kernel = [Kind::Observe, Kind::Converge, Kind::Probe];
        let asked = self.pending.iter().filter(|action| kernel.contains(&kind(action))).count();
        assert!(asked <= 1, "one piece of work for the kernel at a time: {:?}", self.pending);
        if self.keeper.in_sync() {
            assert!(self.keeper.lists().values().all(|list| list.held.is_none()));
            if !self.host.meddled {
                self.is_true();
            }
        }
    }

    /// The kernel holds what is desired, and nothing else of ours.
    fn is_true(&self) {
        for (set, target) in &self.keeper.desired().sets {
            let held = self.host.members(set).expect("a set that is in sync is there");
            let held = members(set.family(), held.iter().copied());
            assert_eq!(held, target.members, "{set} is in sync");
        }
        let stray = self
            .host
            .names()
            .find(|set| !set.is_shadow() && !self.keeper.desired().sets.contains_key(*set));
        assert_eq!(stray, None, "in sync with a set that no list has");
    }

    /// Whether such an action waits.
    pub(crate) fn waits(&self, wanted: Kind) -> bool {
        self.pending.iter().any(|action| kind(action) == wanted)
    }

    /// Takes the first such action, for the test to carry out.
    pub(crate) fn take(&mut self, wanted: Kind) -> Action {
        let place = self.pending.iter().position(|action| kind(action) == wanted);
        let place = place.unwrap_or_else(|| panic!("no {wanted:?} among {:?}", self.pending));
        self.pending.remove(place)
    }

    /// Carries out whatever is wanted until nothing is.
    pub(crate) fn settle(&mut self) {
        self.settle_but(&[]);
    }

    /// The same, but such actions stay.
    pub(crate) fn settle_but(&mut self, stay: &[Kind]) {
        for _ in 0..ACTIONS_MAX {
            let place = self.pending.iter().position(|action| !stay.contains(&kind(action)));
            let Some(place) = place else { return };
            let action = self.pending.remove(place);
            self.answer(action);
        }
        panic!("actions without end: {:?}", self.pending);
    }

    /// The same, and all that is wanted at a time is done before any of it is told.
    pub(crate) fn settle_together(&mut self) {
        for _ in 0..ACTIONS_MAX {
            if self.pending.is_empty() {
                return;
            }
            let actions = std::mem::take(&mut self.pending);
            let events: Vec<_> =
                actions.into_iter().filter_map(|action| self.work(action)).collect();
            self.handle_together(events);
        }
        panic!("actions without end: {:?}", self.pending);
    }

    /// Carries an action out and says what came of it.
    pub(crate) fn answer(&mut self, action: Action) {
        if let Some(event) = self.work(action) {
            self.handle(event);
        }
    }

    /// Carries an action out. What came of it is for the test to say.
    pub(crate) fn work(&mut self, action: Action) -> Option<Event> {
        Some(match action {
            Action::Files(order) => Event::Files(self.site.carry_out(order)?),
            Action::WriteDown(ticket, lists) => {
                self.site.lists = Some(lists);
                Event::WrittenDown(ticket)
            }
            Action::Compose(compose) => {
                let peers = self.peers.clone();
                Event::Composed(Composed { peers, ..compose.run() })
            }
            Action::Try(trial) => Event::Tried(trial.run(self.peers.clone())),
            Action::Observe(ticket, known, _) => {
                self.host.meddled = false;
                let observed =
                    Observed::look(&self.settings.prefix, &mut self.host, known.as_ref());
                Event::Observed(ticket, observed.map(|seen| Look::new(seen, known.as_ref())))
            }
            Action::Converge(converge) => self.converge(*converge),
            Action::Probe(ticket, probes) => {
                let found = probes.iter().map(|probe| Probed {
                    set: probe.set().clone(),
                    result: probe.look(&mut self.host),
                    counted_in: probe.count.then(|| Duration::from_micros(10)),
                });
                let found = found.collect();
                Event::Probed(ticket, found)
            }
            Action::WakeAt(_) | Action::Report(_) | Action::Reply(..) => return None,
        })
    }

    fn converge(&mut self, converge: Converge) -> Event {
        let plan = converge.plan();
        let part = if plan.is_urgent() { Part::Urgent } else { Part::Later };
        let Converge { ticket, mut observed, .. } = converge;
        let go_on = &mut |_| ControlFlow::Continue(());
        let outcome = apply(&plan, part, &mut self.host, &mut observed, go_on);
        Event::Converged(Box::new(Converged { ticket, plan, outcome, observed }))
    }

    /// An action could not be carried out.
    pub(crate) fn fail(&mut self, action: Action) {
        let reason = "no such directory".to_owned();
        let event = match action {
            Action::Files(Order::Recall(ticket, ..)) => {
                Event::Files(Answer::Recalled(ticket, Err(reason)))
            }
            Action::Files(Order::Scan(ticket)) => {
                Event::Files(Answer::Scanned(ticket, Err(reason)))
            }
            Action::Files(Order::Read(ticket, order)) => {
                let reading = Reading::Refused(refusal(blocklist::Guard::Readable));
                let (fingerprint, written) = (None, None);
                let feed = order.feed;
                Event::Files(Answer::Read { ticket, feed, fingerprint, written, reading })
            }
            Action::Files(Order::Keep(ticket, feed, _)) => {
                let result = Err(refusal(blocklist::Guard::Kept));
                Event::Files(Answer::Kept { ticket, feed, result })
            }
            Action::Observe(ticket, ..) => {
                Event::Observed(ticket, Err(error(Stage::List, KernelErrorKind::Memory)))
            }
            other => panic!("{other:?} cannot fail as a whole"),
        };
        self.handle(event);
    }

    /// Time goes by on both clocks, and nothing is told of it.
    pub(crate) fn lapse(&mut self, seconds: u64) {
        let seconds = Duration::from_secs(seconds);
        self.now.monotonic += seconds;
        self.now.wall += seconds;
    }

    /// Time goes by: every tick that was wished for comes, and whatever is
    /// wanted is carried out.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.settle();
        let until = self.now.monotonic + Duration::from_secs(seconds);
        while let Some(at) = self.wake.filter(|&at| at <= until) {
            self.advance(at);
            self.settle();
        }
        self.advance(until);
        self.settle();
    }

    /// It is that time by the clock that never jumps, and a tick comes.
    pub(crate) fn advance(&mut self, to: Duration) {
        let by = to.checked_sub(self.now.monotonic).expect("time never runs back");
        self.now.monotonic += by;
        self.now.wall += by;
        self.wake = None;
        self.handle(Event::Tick);
    }

    /// Somebody sets the time of day, and a tick comes.
    pub(crate) fn set_clock(&mut self, to: SystemTime) {
        self.now.wall = to;
        self.handle(Event::Tick);
    }

    /// A file is written, and the keeper is told.
    pub(crate) fn write(&mut self, name: &str, text: &str) {
        self.site.put(name, text, self.now.wall);
        self.handle(Event::FilesChanged);
    }

    /// A file is deleted, and the keeper is told.
    pub(crate) fn delete(&mut self, name: &str) {
        self.site.delete(name);
        self.handle(Event::FilesChanged);
    }

    /// Somebody proposes a configuration and waits.
    pub(crate) fn propose(&mut self, settings: &Settings) -> Ticket {
        self.propose_as(settings, false)
    }

    /// The same with a word that it is meant.
    pub(crate) fn insist(&mut self, settings: &Settings) -> Ticket {
        self.propose_as(settings, true)
    }

    fn propose_as(&mut self, settings: &Settings, accepted: bool) -> Ticket {
        let ticket = self.keeper.ticket();
        // What is written in the file is what the next process begins with.
        self.settings = settings.clone();
        let settings = settings.clone();
        self.handle(Event::Proposed { ticket: Some(ticket), settings, accepted });
        ticket
    }

    /// Somebody accepts what was refused of a feed.
    pub(crate) fn accept(&mut self, name: &str) -> Ticket {
        let ticket = self.keeper.ticket();
        self.handle(Event::Accept(ticket, feed(name)));
        ticket
    }

    /// Somebody accepts that lists lose what nothing accounts for.
    pub(crate) fn accept_losses(&mut self) -> Ticket {
        let ticket = self.keeper.ticket();
        self.handle(Event::AcceptLosses(ticket));
        ticket
    }

    /// This host has these addresses from now on.
    pub(crate) fn host_is(&mut self, protection: Protection) {
        self.protection = protection.clone();
        self.handle(Event::HostIs(protection));
    }

    /// What came of an acceptance, if it is known.
    pub(crate) fn accepted(&self, ticket: Ticket) -> Option<Result<(), NotAcceptable>> {
        match self.replies.get(&ticket)? {
            WishOutcome::Accepted(result) => Some(*result),
            WishOutcome::Configured(_) => panic!("it was no acceptance"),
        }
    }

    /// What came of a proposal, if it is known.
    pub(crate) fn configured(&self, ticket: Ticket) -> Option<Result<(), Vec<Slip>>> {
        match self.replies.get(&ticket)? {
            WishOutcome::Configured(result) => Some(result.clone()),
            WishOutcome::Accepted(_) => panic!("it was no proposal"),
        }
    }

    /// The name of a list's set.
    pub(crate) fn set(&self, list: &str, family: Family) -> SetName {
        self.settings.prefix.live(list, family).expect("a good name")
    }

    /// The IPv4 members of a list in the kernel.
    pub(crate) fn held(&self, list: &str) -> BTreeSet<AnyPrefix> {
        let set = self.set(list, Family::Ipv4);
        self.host.members(&set).cloned().unwrap_or_default()
    }

    /// A list holds just these in the kernel.
    #[track_caller]
    pub(crate) fn expect(&self, list: &str, want: &BTreeSet<AnyPrefix>) {
        let held = self.held(list);
        let (missing, extra) = (want.difference(&held), held.difference(want));
        let text = |one: &AnyPrefix| one.to_string();
        let differences: (Vec<_>, Vec<_>) =
            (missing.map(text).collect(), extra.map(text).collect());
        assert_eq!(differences, (vec![], vec![]), "missing and extra in {list}");
    }

    /// The same, and it is in sync and at rest.
    #[track_caller]
    pub(crate) fn rests_with(&self, list: &str, want: &BTreeSet<AnyPrefix>) {
        self.expect(list, want);
        assert!(self.keeper.in_sync(), "in sync");
        assert!(self.keeper.at_rest(), "at rest");
        assert!(!self.site.has_candidates(), "every candidate is kept or thrown away");
    }

    /// Why a list is held, if it is.
    pub(crate) fn why(&self, list: &str) -> Option<HoldReason> {
        self.how(list).map(|held| held.why)
    }

    /// How a list is held, if it is.
    pub(crate) fn how(&self, list: &str) -> Option<Held> {
        self.keeper.lists().get(list)?.held.clone()
    }

    /// Whether something was told.
    pub(crate) fn told(&self, is: impl Fn(&Report) -> bool) -> bool {
        self.reports.iter().any(is)
    }

    /// How often something was told of a source.
    pub(crate) fn told_of_source(&self, is: impl Fn(&SourceReport) -> bool) -> usize {
        let told = |report: &&Report| matches!(report, Report::Source(report) if is(report));
        self.reports.iter().filter(told).count()
    }

    /// What is written down of a list.
    pub(crate) fn makeup(&self, list: &str) -> Makeup {
        let lists = self.site.lists.as_ref().expect("something was written down");
        lists.get(list).cloned().unwrap_or_default()
    }

    /// The errors that are tried again, by kind.
    pub(crate) fn failures(&self) -> Vec<(KernelErrorKind, u32)> {
        let failures = self.keeper.kernel().failures();
        failures.map(|(KernelError { kind, .. }, times)| (*kind, times)).collect()
    }
}

/// What an action is about.
pub(crate) fn kind(action: &Action) -> Kind {
    match action {
        Action::Files(Order::Recall(..)) => Kind::Recall,
        Action::Files(Order::Scan(_)) => Kind::Scan,
        Action::Files(Order::Read(..)) => Kind::Read,
        Action::Files(Order::Keep(..)) => Kind::Keep,
        Action::Files(_) => Kind::Note,
        Action::WriteDown(..) => Kind::WriteDown,
        Action::Compose(_) => Kind::Compose,
        Action::Try(_) => Kind::Try,
        Action::Observe(..) => Kind::Observe,
        Action::Converge(_) => Kind::Converge,
        Action::Probe(..) => Kind::Probe,
        Action::WakeAt(_) | Action::Report(_) | Action::Reply(..) => {
            unreachable!("the desk takes these at once")
        }
    }
}
