//! Answers to those who ask at the control socket. An answer that needs no
//! work is given between two events, so that it shows one generation; one
//! that does is given when the work is done.

use blocklist::FeedName;
use reconcile::{Action, Event, SetOutcome};
use serde_json::Value;

use super::{Daemon, Waiting, inquiry};
use crate::control::{Call, Failure, Reply, Request};
use crate::exit::Exit;
use crate::{picture, view};

impl Daemon {
    /// Answers a call, now or later. `None` means that it asks the daemon to
    /// remove everything and to end; the call waits for that then.
    pub(super) fn answer(&mut self, call: Call) -> Option<Vec<Action>> {
        tracing::debug!(
            verb = call.request.verb(),
            uid = call.peer.uid,
            pid = call.peer.pid,
            "answering"
        );
        let now = self.clock.now();
        let started = match &call.request {
            Request::Status {} => return Some(reply(call, document(&self.status()))),
            Request::Why { address } => {
                inquiry::start(self, *address, call.reply);
                return Some(Vec::new());
            }
            Request::Teardown {} => {
                self.wait(call);
                return None;
            }
            Request::Reload {} => {
                let begun = self.try_reload().map(|()| Vec::new());
                begun.map_err(|why| Failure::new(Exit::Config, why))
            }
            Request::Resync {} => Ok(self.reconciler.handle(Event::Resync, now)),
            Request::Apply {} => {
                let mut actions = self.reconciler.handle(Event::FeedsChanged, now);
                actions.extend(self.reconciler.handle(Event::Resync, now));
                Ok(actions)
            }
            Request::Accept { feed } => self.accept(feed),
        };
        match started {
            Ok(actions) => {
                self.wait(call);
                Some(actions)
            }
            Err(failure) => Some(reply(call, Err(failure))),
        }
    }

    fn accept(&mut self, feed: &str) -> Result<Vec<Action>, Failure> {
        let failed =
            |why: String| Failure::new(Exit::Failure, format!("cannot accept {feed}: {why}"));
        let name = FeedName::new(feed).map_err(|error| failed(error.to_string()))?;
        let now = self.clock.now();
        self.reconciler.accept(&name, now).map_err(|error| failed(error.to_string()))?;
        tracing::info!(feed = %name, "somebody accepted what a guard refused");
        Ok(self.reconciler.handle(Event::Tick, now))
    }

    fn wait(&mut self, call: Call) {
        self.waiting.push(Waiting { call, outcomes: Vec::new() });
    }

    /// What the daemon holds.
    pub(super) fn status(&self) -> view::StatusView {
        let mut status = picture::status(&self.reconciler, self.clock.now());
        // First what somebody has just done and can mend.
        let refused = self.reload_refused.iter().map(|refused| {
            format!("{refused}; the configuration of before stays in force until a good reload")
        });
        status.degraded.splice(..0, refused);
        status.degraded.extend(self.next_boot_in_doubt());
        status.degraded.extend(self.unknown());
        status
    }

    /// What came of a call that has set work off.
    pub(super) fn outcome(&self, outcomes: &[SetOutcome]) -> Reply {
        document(&picture::outcome(&self.reconciler, outcomes))
    }

    /// The line for the service manager.
    pub(super) fn status_line(&self) -> String {
        let status = self.status();
        let members: u64 = status.sets.iter().map(|set| set.members).sum();
        let sync = if status.in_sync { "in sync" } else { "not in sync" };
        let line = format!("{sync}: {members} members in {} sets", status.sets.len());
        match (&self.reload_refused, status.degraded.first()) {
            (Some(refused), _) => format!("{refused}; {line}"),
            (None, Some(first)) => format!("{line}; degraded: {first}"),
            (None, None) => line,
        }
    }
}

/// Answers now, which sets nothing off. Whoever asked may have gone.
fn reply(call: Call, reply: Reply) -> Vec<Action> {
    let _ = call.reply.send(reply);
    Vec::new()
}

/// A view as a reply.
pub(super) fn document(view: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(view)
        .map_err(|error| Failure::new(Exit::Failure, format!("cannot write the answer: {error}")))
}
