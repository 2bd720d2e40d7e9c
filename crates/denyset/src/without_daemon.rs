//! The keeper driven on the calling thread until nothing is left to do:
//! what `apply` and `plan` do when no daemon runs.

use std::collections::VecDeque;
use std::thread::sleep;
use std::time::Duration;

use blocklist::FeedName;
use intake::{NotAcceptable, Order};
use keeper::{Action, Event, Keeper, Report, WishOutcome};
use reconcile::{ObjectOutcome, Plan, Progress};

use crate::daemon::Clock;
use crate::effects::{FeedEffects, KernelEffects, planned};

/// How long what failed is tried again before giving up. A dump that somebody
/// holds, or a file that changes while it is read, is over sooner.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether the kernel is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Carry plans out.
    Apply,
    /// Stop at the first plan that would do something.
    Plan,
    /// Carry plans out, and when nothing is left to do give a person's word: on
    /// a feed, or on what the configuration lets go or shuts out.
    Accept(Option<FeedName>),
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Done {
    /// What was done to the sets.
    pub outcomes: Vec<ObjectOutcome>,
    /// What would have been done, in [`Mode::Plan`].
    pub plan: Plan,
    /// What came of the word, in [`Mode::Accept`].
    pub word: Option<Result<(), NotAcceptable>>,
}

/// Everything that a run needs.
pub struct Once<'a> {
    /// What decides.
    pub keeper: &'a mut Keeper,
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
    pub fn run(mut self, clock: Clock) -> Done {
        let mut done = Done::default();
        let mut actions = VecDeque::from(self.keeper.handle(Event::Tick, clock.now()));
        let mut wake = None;
        let mut word = match &self.mode {
            Mode::Accept(word) => Some(word.clone()),
            Mode::Apply | Mode::Plan => None,
        };
        loop {
            while let Some(action) = actions.pop_front() {
                let event = match action {
                    Action::WakeAt(at) => {
                        wake = Some(at);
                        continue;
                    }
                    Action::Converge(mut converge) if self.mode == Mode::Plan => {
                        let plan = planned(&mut converge);
                        if plan.has_work() {
                            done.plan = plan;
                            return done;
                        }
                        Some(self.converge(*converge))
                    }
                    action => self.perform(action, &mut done),
                };
                if let Some(event) = event {
                    actions.extend(self.keeper.handle(event, clock.now()));
                }
            }
            let now = clock.now().monotonic;
            match wake.take().filter(|&at| self.has_hope() && at < PATIENCE) {
                Some(at) => sleep(at.saturating_sub(now)),
                None => match word.take() {
                    Some(on) => actions.extend(self.give_word(on, &clock)),
                    None => return done,
                },
            }
            actions.extend(self.keeper.handle(Event::Tick, clock.now()));
        }
    }

    fn give_word(&mut self, on: Option<FeedName>, clock: &Clock) -> Vec<Action> {
        let ticket = self.keeper.ticket();
        let event = match on {
            Some(feed) => Event::Accept(ticket, feed),
            None => Event::AcceptLosses(ticket),
        };
        self.keeper.handle(event, clock.now())
    }

    /// Whether something is left that waiting may mend.
    fn has_hope(&self) -> bool {
        !self.keeper.at_rest() || self.keeper.kernel().is_retrying()
    }

    /// Carries an action out. What it came to is the next event.
    fn perform(&mut self, action: Action, done: &mut Done) -> Option<Event> {
        match action {
            Action::Files(Order::Scan(ticket)) => {
                let scanned = self.feeds.scan(ticket);
                self.feeds.log_ignored(&scanned);
                Some(Event::Files(scanned.answer))
            }
            Action::Files(Order::Read(ticket, order)) => {
                let (peers, answer) = self.feeds.read(ticket, *order);
                Some(Event::Read(peers, answer))
            }
            Action::Files(order) => self.feeds.carry_out(order).map(Event::Files),
            Action::WriteDown(ticket, lists) => {
                self.feeds.write_down(&lists);
                Some(Event::WrittenDown(ticket))
            }
            Action::Compose(compose) => Some(Event::Composed(self.feeds.compose(*compose))),
            Action::Try(trial) => Some(Event::Tried(trial.run(self.feeds.who_is_connected()))),
            Action::Observe(ticket, known, cause) => {
                Some(Event::Observed(ticket, self.kernel.observe(known.as_ref(), cause)))
            }
            Action::Converge(converge) => Some(self.converge(*converge)),
            Action::Probe(ticket, probes) => {
                Some(Event::Probed(ticket, self.kernel.probe(&probes)))
            }
            Action::Report(report) => {
                (self.told)(&report);
                if let Report::Applied(outcome) | Report::Ended { outcome, .. } = report {
                    done.outcomes.push(outcome);
                }
                None
            }
            Action::Reply(_, WishOutcome::Accepted(result)) => {
                done.word = Some(result);
                None
            }
            Action::Reply(..) | Action::WakeAt(_) => None,
        }
    }

    fn converge(&mut self, converge: keeper::Converge) -> Event {
        Event::Converged(Box::new(self.kernel.converge(converge, self.shown)))
    }
}
