//! Changes that clients of the control socket ask for. The answer is given when
//! all that a change sets off is done. Questions never come here.

use blocklist::FeedName;
use intake::Ticket;
use keeper::{Action, Event};

use super::{MainLoop, Waiting};
use crate::exit::Exit;
use crate::serve::{Call, Change, Failure, VerbReply, document};
use crate::view::OutcomeView;

/// Work that was set off, and the question whose answer tells what came of it.
type Started = (Option<Ticket>, Vec<Action>);

impl MainLoop {
    /// Begins what a call asks for. `None` means that it asks the daemon to
    /// remove everything and to end; the call waits for that then.
    pub(super) fn change(&mut self, call: Call) -> Option<Vec<Action>> {
        let now = self.clock.now();
        let started = match &call.change {
            Change::Teardown => {
                self.wait(call, None);
                return None;
            }
            Change::Reload { confirm } => self.reload_for(false, *confirm),
            Change::Confirm => self.confirm().map(|()| (None, Vec::new())),
            Change::Resync => Ok((None, self.keeper.handle(Event::Resync, now))),
            Change::Apply => {
                let mut actions = self.keeper.handle(Event::FilesChanged, now);
                actions.extend(self.keeper.handle(Event::Resync, now));
                Ok((None, actions))
            }
            Change::Accept(feed) => self.accept(feed),
            // What was refused last, or else what the running one lets go.
            Change::AcceptConfig if self.refused.is_some() => self.reload_for(true, None),
            Change::AcceptConfig => {
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
            Err(failure) => {
                // Whoever asked may have gone.
                let _ = call.reply.send(Err(failure));
                Some(Vec::new())
            }
        }
    }

    fn reload_for(&mut self, accepted: bool, confirm: Option<u32>) -> Result<Started, Failure> {
        match self.begin_reload(accepted, confirm) {
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
    pub(super) fn replied(&mut self, ticket: Ticket, reply: keeper::WishOutcome) {
        if let keeper::WishOutcome::Configured(result) = &reply {
            self.configured(ticket, result);
        }
        let asked = |waiting: &&mut Waiting| waiting.question == Some(ticket);
        if let Some(waiting) = self.waiting.iter_mut().find(asked) {
            waiting.reply = Some(reply);
        }
    }

    /// What came of a call that has set work off.
    pub(super) fn outcome(&self, waiting: &Waiting) -> VerbReply {
        match &waiting.reply {
            Some(keeper::WishOutcome::Accepted(Err(why))) => {
                let what = match &waiting.call.change {
                    Change::Accept(feed) => feed.as_str(),
                    _ => "the configuration",
                };
                Err(Failure::new(Exit::Failure, format!("cannot accept {what}: {why}")))
            }
            Some(keeper::WishOutcome::Configured(Err(slips))) => {
                let slips = self.placed(slips);
                let way_out = "the configuration of before stays in force; if this is meant: \
                               denyset accept --config";
                Err(Failure::new(Exit::Config, format!("{}\n{way_out}", slips.join("\n"))))
            }
            _ => document(&OutcomeView::of(&self.published.latest().facts, &waiting.outcomes)),
        }
    }
}
