//! Answers to those who ask at the control socket. An answer that needs no
//! work is given between two events, so that it shows one generation; one
//! that does is given when the work is done.

use blocklist::FeedName;
use intake::Ticket;
use keeper::{Action, Event};
use serde_json::Value;

use super::{Daemon, Waiting, inquiry};
use crate::control::{Call, Failure, Reply, Request};
use crate::exit::Exit;
use crate::{picture, view};

/// Work that was set off, and the question whose answer tells what came of it.
type Started = (Option<Ticket>, Vec<Action>);

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
                self.wait(call, None);
                return None;
            }
            Request::Reload {} => self.reload_for(false),
            Request::Resync {} => Ok((None, self.keeper.handle(Event::Resync, now))),
            Request::Apply {} => {
                let mut actions = self.keeper.handle(Event::FilesChanged, now);
                actions.extend(self.keeper.handle(Event::Resync, now));
                Ok((None, actions))
            }
            Request::Accept { feed } => self.accept(feed),
            // What the running configuration lets go, or else the refused one.
            Request::AcceptConfig {} if self.reload_refused.is_some() => self.reload_for(true),
            Request::AcceptConfig {} => {
                let ticket = self.keeper.ticket();
                tracing::info!("somebody accepted what lists lose");
                Ok((Some(ticket), self.keeper.handle(Event::AcceptLosses(ticket), now)))
            }
        };
        match started {
            Ok((question, actions)) => {
                self.wait(call, question);
                Some(actions)
            }
            Err(failure) => Some(reply(call, Err(failure))),
        }
    }

    fn reload_for(&mut self, accepted: bool) -> Result<Started, Failure> {
        match self.begin_reload(accepted) {
            Ok((ticket, actions)) => Ok((Some(ticket), actions)),
            Err(why) => Err(Failure::new(Exit::Config, why)),
        }
    }

    fn accept(&mut self, feed: &str) -> Result<Started, Failure> {
        let failed =
            |why: String| Failure::new(Exit::Failure, format!("cannot accept {feed}: {why}"));
        let name = FeedName::new(feed).map_err(|error| failed(error.to_string()))?;
        let ticket = self.keeper.ticket();
        tracing::info!(feed = %name, "somebody accepts what a guard refused of feed {name}");
        let actions = self.keeper.handle(Event::Accept(ticket, name), self.clock.now());
        Ok((Some(ticket), actions))
    }

    fn wait(&mut self, call: Call, question: Option<Ticket>) {
        self.waiting.push(Waiting { call, outcomes: Vec::new(), question, reply: None });
    }

    /// A question that somebody waits for was decided.
    pub(super) fn replied(&mut self, ticket: Ticket, reply: keeper::Reply) {
        if let keeper::Reply::Configured(result) = &reply {
            self.configured(ticket, result);
        }
        let asked = |waiting: &&mut Waiting| waiting.question == Some(ticket);
        if let Some(waiting) = self.waiting.iter_mut().find(asked) {
            waiting.reply = Some(reply);
        }
    }

    /// What the daemon holds.
    pub(super) fn status(&self) -> view::StatusView {
        let mut status = picture::status(&self.keeper, self.clock.now());
        // First what somebody has just done and can mend.
        let refused = self.reload_refused.iter().map(|refused| {
            format!("{refused}; the configuration of before stays in force until a good reload")
        });
        status.degraded.splice(..0, refused);
        status.degraded.extend(self.next_boot_in_doubt());
        status.degraded.extend(self.unknown());
        status.degraded.extend(self.lookout.blind());
        status.remarks.extend(self.lookout.silent());
        status
    }

    /// What came of a call that has set work off.
    pub(super) fn outcome(&self, waiting: &Waiting) -> Reply {
        match &waiting.reply {
            Some(keeper::Reply::Accepted(Err(why))) => {
                let what = match &waiting.call.request {
                    Request::Accept { feed } => feed.as_str(),
                    _ => "the configuration",
                };
                Err(Failure::new(Exit::Failure, format!("cannot accept {what}: {why}")))
            }
            Some(keeper::Reply::Configured(Err(slips))) => {
                let slips: Vec<_> = slips.iter().map(ToString::to_string).collect();
                let way_out = "the configuration of before stays in force; if this is meant: \
                               denyset accept --config";
                Err(Failure::new(Exit::Config, format!("{}\n{way_out}", slips.join("\n"))))
            }
            _ => document(&picture::outcome(&self.keeper, &waiting.outcomes)),
        }
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
