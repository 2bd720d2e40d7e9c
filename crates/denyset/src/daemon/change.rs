//! Changes that clients of the control socket ask for. The answer is given when
//! all that a change sets off is done. Questions never come here.

use blocklist::FeedName;
use reconcile::{Action, Event, SetOutcome};

use super::{Daemon, Waiting};
use crate::exit::Exit;
use crate::serve::{Call, Change, Failure, Reply, document};
use crate::view::OutcomeView;

impl Daemon {
    /// Begins what a call asks for. `None` means that it asks the daemon to
    /// remove everything and to end; the call waits for that then.
    pub(super) fn change(&mut self, call: Call) -> Option<Vec<Action>> {
        let now = self.clock.now();
        let started = match &call.change {
            Change::Teardown => {
                self.wait(call);
                return None;
            }
            Change::Reload => {
                let begun = self.try_reload().map(|()| Vec::new());
                begun.map_err(|why| Failure::new(Exit::Config, why))
            }
            Change::Resync => Ok(self.reconciler.handle(Event::Resync, now)),
            Change::Apply => {
                let mut actions = self.reconciler.handle(Event::FeedsChanged, now);
                actions.extend(self.reconciler.handle(Event::Resync, now));
                Ok(actions)
            }
            Change::Accept(feed) => self.accept(feed),
        };
        match started {
            Ok(actions) => {
                self.wait(call);
                Some(actions)
            }
            Err(failure) => {
                // Whoever asked may have gone.
                let _ = call.reply.send(Err(failure));
                Some(Vec::new())
            }
        }
    }

    fn accept(&mut self, feed: &str) -> Result<Vec<Action>, Failure> {
        let failed =
            |why: String| Failure::new(Exit::Failure, format!("cannot accept {feed}: {why}"));
        let name = FeedName::new(feed).map_err(|error| failed(error.to_string()))?;
        let now = self.clock.now();
        self.reconciler.accept(&name, now).map_err(|error| failed(error.to_string()))?;
        tracing::info!(feed = %name, "somebody accepted what a guard refused of feed {name}");
        Ok(self.reconciler.handle(Event::Tick, now))
    }

    fn wait(&mut self, call: Call) {
        self.waiting.push(Waiting { call, outcomes: Vec::new() });
    }

    /// What came of a call that has set work off.
    pub(super) fn outcome(&self, outcomes: &[SetOutcome]) -> Reply {
        document(&OutcomeView::of(&self.published.latest().facts, outcomes))
    }
}
