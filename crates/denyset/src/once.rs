//! The reconciler driven on the calling thread until nothing is left to do:
//! what `apply` and `plan` do when no daemon runs.

use std::collections::VecDeque;
use std::thread::sleep;
use std::time::Duration;

use reconcile::{Action, Event, Plan, Progress, Reconciler, Report, SetOutcome};

use crate::daemon::Clock;
use crate::effects::{self, FeedEffects, KernelEffects};

/// How long what failed is tried again before giving up. A dump that somebody
/// holds, or a file that changes while it is read, is over sooner.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the kernel is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Carry plans out.
    Apply,
    /// Stop at the first plan that would do something.
    Plan,
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Done {
    /// What was done to the sets.
    pub outcomes: Vec<SetOutcome>,
    /// What would have been done, in [`Mode::Plan`].
    pub plan: Plan,
}

/// Everything that a run needs.
pub struct Once<'a> {
    /// What decides.
    pub reconciler: &'a mut Reconciler,
    /// What reads and keeps feeds.
    pub feeds: FeedEffects,
    /// What touches the kernel.
    pub kernel: KernelEffects,
    /// Whether it is changed.
    pub mode: Mode,
    /// Hears of every step of a plan.
    pub shown: &'a mut dyn FnMut(Progress),
    /// Hears of everything that an administrator should know.
    pub told: &'a mut dyn FnMut(&Report),
}

impl Once<'_> {
    /// Runs until all is done or nothing more can be.
    pub fn run(mut self, restored: Vec<Event>) -> Done {
        let clock = Clock::start();
        let mut done = Done::default();
        let mut actions = VecDeque::new();
        for event in restored.into_iter().chain([Event::Tick]) {
            actions.extend(self.reconciler.handle(event, clock.now()));
        }
        let mut wake = None;
        loop {
            while let Some(action) = actions.pop_front() {
                let event = match action {
                    Action::WakeAt(at) => {
                        wake = Some(at);
                        continue;
                    }
                    Action::Apply(plan, _) if self.mode == Mode::Plan => {
                        done.plan = plan;
                        return done;
                    }
                    action => self.perform(action, &mut done),
                };
                if let Some(event) = event {
                    actions.extend(self.reconciler.handle(event, clock.now()));
                }
            }
            let now = clock.now().monotonic;
            match wake.take().filter(|&at| self.has_hope() && at < PATIENCE) {
                Some(at) => sleep(at.saturating_sub(now)),
                None => return done,
            }
            actions.extend(self.reconciler.handle(Event::Tick, clock.now()));
        }
    }

    /// Whether something is left that waiting may mend.
    fn has_hope(&self) -> bool {
        !self.reconciler.at_rest() || self.reconciler.kernel().is_retrying()
    }

    /// Carries an action out. What it came to is the next event.
    fn perform(&mut self, action: Action, done: &mut Done) -> Option<Event> {
        match action {
            Action::Scan => {
                let scanned = self.feeds.scan();
                self.feeds.log_ignored(&scanned);
                Some(scanned.event)
            }
            Action::Read(order) => Some(self.feeds.read(*order)),
            Action::Keep(feed, candidate) => Some(self.feeds.keep(feed, candidate)),
            Action::Compose(compose) => Some(effects::compose(&compose)),
            Action::Observe => Some(self.kernel.observe()),
            Action::Apply(plan, observed) => Some(self.kernel.apply(&plan, observed, self.shown)),
            Action::Probe(probes) => Some(self.kernel.probe(&probes)),
            Action::Discard(candidate) => {
                self.feeds.discard(candidate);
                None
            }
            Action::Forget(feed) => {
                self.feeds.forget(&feed);
                None
            }
            Action::NoteGone(feed, since) => {
                self.feeds.note_gone(&feed, since);
                None
            }
            Action::Report(report) => {
                (self.told)(&report);
                if let Report::SetApplied(outcome) = report {
                    done.outcomes.push(outcome);
                }
                None
            }
            Action::WakeAt(_) => None,
        }
    }
}
