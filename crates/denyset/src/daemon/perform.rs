//! Hands out what the keeper wants done, and takes in what came of it.
//! Handing out never waits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use blocklist::FeedName;
use feedfiles::Quiet;
use host::News;
use intake::{Answer, Order};
use keeper::{Action, Event, Report};
use reconcile::Bypass;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::MainLoop;
use super::storage::Task;
use super::worker::Job;
use crate::effects::Scanned;
use crate::exit::Exit;
use crate::exports::ExportOutcome;

/// Between two looks for what nobody has wanted for long. Days are counted.
const CLEAR_EVERY: Duration = Duration::from_secs(6 * 3_600);

/// Pieces of work that are taken in together, at the most.
const TOGETHER_MAX: usize = 256;

/// What came of work that was handed out.
#[derive(Debug)]
pub(super) enum Finished {
    /// What the keeper should know.
    Event(Event),
    /// The feeds directory was scanned.
    Scanned(Scanned),
    /// Something is new about this host.
    Facts(Box<News>),
    /// Something else carries packets past rules than before.
    Bypasses(Vec<Bypass>),
    /// What the next boot will know was kept, or why not.
    KeptForNextBoot(Result<(), String>),
    /// How long feeds have blocked nothing.
    Quieted(BTreeMap<FeedName, Quiet>),
    /// A note on what waits to be confirmed was written or removed, or why not.
    Noted(Result<(), String>),
    /// Other programs were given what is so, or why not.
    Given(Result<(), String>),
    /// The kernel was changed, and it took so long.
    Applied(Duration),
    /// Exports were written, or why not.
    Exported(ExportOutcome),
    /// A thread has panicked. What it was to do will never be done.
    Died,
}

/// Tells the loop that a thread has died, unless it is disarmed.
pub(super) struct DeathBell(Option<mpsc::Sender<Finished>>);

impl DeathBell {
    pub(super) fn armed(finish: &mpsc::Sender<Finished>) -> Self {
        Self(Some(finish.clone()))
    }

    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for DeathBell {
    fn drop(&mut self) {
        if let Some(finish) = &self.0 {
            // The loop has ended: then nobody needs to know.
            let _ = finish.blocking_send(Finished::Died);
        }
    }
}

impl MainLoop {
    /// Has an action carried out.
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::Report(report) => self.report(&report),
            Action::Reply(ticket, reply) => self.replied(ticket, reply),
            Action::WakeAt(at) => self.wake = Some(self.clock.moment(at)),
            Action::Observe(ticket, known, cause) => {
                // Before it is handed over: what comes from now on is not missed.
                self.halt.relax();
                self.hand(Job::Observe(ticket, known, cause));
            }
            Action::Converge(mut converge) => {
                let policy = &mut converge.policy;
                let frequent =
                    self.hits.frequent().into_iter().filter_map(|((list, family), hit)| {
                        Some((policy.prefix.live(&list, family).ok()?, hit))
                    });
                policy.frequent = frequent.collect();
                self.hand(Job::Converge(converge));
            }
            Action::Probe(ticket, probes) => self.hand(Job::Probe(ticket, probes)),
            Action::Files(order) => self.touch_files(order),
            Action::WriteDown(ticket, lists) => {
                self.storage.hand(&self.feeds, Task::WriteDown(ticket, lists));
            }
            Action::Compose(compose) => {
                let feeds = self.feeds.clone();
                self.aside(move || Finished::Event(Event::Composed(feeds.compose(*compose))));
            }
            Action::Try(trial) => {
                let feeds = self.feeds.clone();
                self.aside(move || {
                    let peers = feeds.who_is_connected();
                    Finished::Event(Event::Tried(trial.run(peers)))
                });
            }
        }
    }

    /// Reading is done by any thread, what writes by one.
    fn touch_files(&mut self, order: Order) {
        let feeds = self.feeds.clone();
        match order {
            Order::Scan(ticket) => self.aside(move || Finished::Scanned(feeds.scan(ticket))),
            Order::Read(ticket, order) => self.aside(move || {
                let (peers, answer) = feeds.read(ticket, *order);
                Finished::Event(Event::Read(peers, answer))
            }),
            order => self.storage.hand(&feeds, Task::Order(order)),
        }
    }

    /// Takes in what came of work, and of all other work that is done by now, before
    /// it is decided what is next.
    ///
    /// # Errors
    /// With what the process ends, if it cannot go on.
    pub(super) fn finished(&mut self, first: Finished) -> Result<Vec<Action>, Exit> {
        let (mut next, mut is_news) = (Some(first), false);
        let mut left = TOGETHER_MAX;
        while let Some(finished) = next {
            if matches!(finished, Finished::Died) {
                return Err(Self::give_up());
            }
            if self.cannot(&finished) {
                return Err(Exit::Unavailable);
            }
            if let Some(event) = self.take_in(finished) {
                self.keeper.take_in(event, self.clock.now());
                is_news = true;
            }
            left -= 1;
            // Signals and callers must not wait for ever; what is not received stays.
            next = if left > 0 { self.finished.try_recv().ok() } else { None };
        }
        Ok(if is_news { self.keeper.decide(self.clock.now()) } else { Vec::new() })
    }

    /// Takes in what came of one piece of work, and says what the keeper should know.
    fn take_in(&mut self, finished: Finished) -> Option<Event> {
        match finished {
            Finished::KeptForNextBoot(kept) => self.kept_for_next_boot(kept),
            Finished::Bypasses(bypasses) => self.bypasses = bypasses,
            Finished::Exported(outcome) => self.exported(outcome),
            Finished::Applied(time) => self.log.counted.applies.took(time),
            Finished::Given(given) => self.given(given),
            Finished::Noted(result) => return self.noted(result),
            Finished::Facts(news) => return self.learned(*news),
            Finished::Quieted(quiet) => self.note_quiet(quiet),
            Finished::Died => {}
            Finished::Event(event) => return Some(event),
            Finished::Scanned(scanned) => return Some(self.scanned(scanned)),
        }
        None
    }

    /// Watches what the scan found, and tells of what cannot be a feed.
    fn scanned(&mut self, scanned: Scanned) -> Event {
        let now = Instant::now();
        if let Some(tree) = &scanned.tree {
            self.lookout.scanned(tree, now);
        }
        if let Answer::Scanned(_, Ok(scan)) = &scanned.answer {
            self.unreadable.clone_from(&scan.unreadable);
        }
        if now.duration_since(self.cleared) >= CLEAR_EVERY {
            self.cleared = now;
            self.storage.hand(&self.feeds, Task::ClearUnwanted);
        }
        self.feeds.log_ignored(&scanned);
        Event::Files(scanned.answer)
    }

    /// Runs `work` on a thread for blocking work.
    pub(super) fn aside(&self, work: impl FnOnce() -> Finished + Send + 'static) {
        let finish = self.finish.clone();
        spawn_blocking(move || {
            let bell = DeathBell::armed(&finish);
            // The loop has ended: then nobody needs to know.
            let _ = finish.blocking_send(work());
            bell.disarm();
        });
    }

    /// The kernel's thread always has room for what the keeper wants; if
    /// it has died, that is an input of its own.
    fn hand(&self, job: Job) {
        self.worker.hand(job);
    }

    fn report(&mut self, report: &Report) {
        self.log.report(report);
        if let Report::Applied(outcome) | Report::Ended { outcome, .. } = report {
            for waiting in &mut self.waiting {
                waiting.outcomes.push(outcome.clone());
            }
        }
    }
}
