//! A new configuration for a running daemon. A bad one changes nothing.

use std::sync::Arc;

use configuration::Configuration;
use intake::Ticket;
use keeper::{Action, Event, Slip, SlipKind};

use super::MainLoop;
use crate::settings::settings;

/// A new configuration on its way into force.
pub(super) struct NewConfiguration {
    config: Arc<Configuration>,
    /// What it was read from.
    text: Arc<str>,
    /// The question to the keeper that decides on it.
    pub(super) ticket: Ticket,
    /// Nobody has to confirm it.
    confirmed: bool,
}

impl NewConfiguration {
    /// One that was in force before.
    pub(super) fn returning(config: Configuration, text: String, ticket: Ticket) -> Self {
        // It is not what somebody asks for now.
        Self { config: Arc::new(config), text: text.into(), ticket, confirmed: false }
    }
}

impl MainLoop {
    /// Reads configuration and feeds again, as SIGHUP asks for.
    pub(super) fn reload(&mut self) -> Vec<Action> {
        self.manager.reloading();
        self.unready = true;
        match self.begin_reload(false, None) {
            Ok((_, actions)) => actions,
            Err(reason) => {
                tracing::error!(
                    reason,
                    "the new configuration is bad, the running one stays in force: {reason}"
                );
                Vec::new()
            }
        }
    }

    /// The same. That one was refused is remembered until one is not.
    /// `accepted`: somebody knows what the one that was refused empties, which
    /// says nothing of another that stands in its place by now.
    ///
    /// # Errors
    /// What is wrong with the configuration, a sentence a line.
    /// `confirm`: after so many seconds the configuration of before returns, unless
    /// somebody confirms.
    pub(super) fn begin_reload(
        &mut self,
        accepted: bool,
        confirm: Option<u32>,
    ) -> Result<(Ticket, Vec<Action>), String> {
        let begun = self.read_and_propose(accepted, confirm);
        self.reload_refused = begun.as_ref().err().map(|reason| refused(reason));
        begun
    }

    fn read_and_propose(
        &mut self,
        accepted: bool,
        confirm: Option<u32>,
    ) -> Result<(Ticket, Vec<Action>), String> {
        let (config, text) =
            Configuration::read(&self.config_file).map_err(|error| error.to_string())?;
        if let Some(key) = fixed_key(&self.config, &config) {
            return Err(format!("{key} cannot change while the daemon runs, restart it for that"));
        }
        let config = Arc::new(config);
        let ticket = self.keeper.ticket();
        let accepted =
            accepted && self.refused.as_ref().is_some_and(|refused| *refused.text == text);
        let confirmed = confirm.is_none();
        let candidate = NewConfiguration { config, text: text.into(), ticket, confirmed };
        match confirm {
            Some(seconds) => {
                self.propose_unless_confirmed(candidate, seconds);
                Ok((ticket, Vec::new()))
            }
            None => Ok((ticket, self.propose(candidate, accepted))),
        }
    }

    /// Has the keeper decide on a configuration.
    pub(super) fn propose(&mut self, candidate: NewConfiguration, accepted: bool) -> Vec<Action> {
        let event = self.proposed(candidate, accepted);
        self.keeper.handle(event, self.clock.now())
    }

    /// The same as an event.
    pub(super) fn proposed(&mut self, candidate: NewConfiguration, accepted: bool) -> Event {
        let (ticket, settings) = (Some(candidate.ticket), settings(&candidate.config));
        self.feeds.propose(Some(candidate.config.clone()));
        self.candidate = Some(candidate);
        Event::Proposed { ticket, settings, accepted }
    }

    /// The keeper has decided on a configuration.
    pub(super) fn configured(&mut self, ticket: Ticket, result: &Result<(), Vec<Slip>>) {
        let Some(candidate) = self.candidate.take_if(|candidate| candidate.ticket == ticket) else {
            return;
        };
        self.settle_note(result, candidate.confirmed);
        match result {
            Ok(()) => {
                self.feeds.reconfigure(candidate.config.clone());
                self.refused = None;
                self.config = candidate.config;
                self.config_text = candidate.text;
                self.lookout.reconfigure(&self.config);
                self.ask_for_exports();
            }
            Err(slips) => {
                self.feeds.propose(None);
                self.refused = Some(candidate);
                let reason = self.placed(slips);
                for (Slip { list, .. }, reason) in slips.iter().zip(&reason) {
                    tracing::error!(
                        list,
                        reason,
                        "the new configuration is refused, the running one stays in force: \
                         {reason}; if it is meant: denyset accept --config"
                    );
                }
                self.reload_refused = Some(format!(
                    "{}; if it is meant: denyset accept --config",
                    refused(&reason.join("\n"))
                ));
            }
        }
    }

    /// What the configuration that was refused last would do, a sentence each,
    /// with the place where it says so.
    pub(super) fn placed(&self, slips: &[Slip]) -> Vec<String> {
        let sentence = |slip: &Slip| {
            let refused = self.refused.as_ref();
            let place = refused.and_then(|NewConfiguration { config, .. }| match &slip.kind {
                SlipKind::NoException(glob) => config.place_of(&slip.list, glob.as_str()),
                SlipKind::Loses { .. } => config.origin(&self.config, &slip.list),
                SlipKind::ShutsOut { .. } => config.rule_of(&slip.list),
            });
            let file = self.config_file.display();
            place.map_or_else(|| slip.to_string(), |place| format!("{file}:{place}: {slip}"))
        };
        slips.iter().map(sentence).collect()
    }
}

/// The first mistake, and how many more there are, for a line.
fn refused(reason: &str) -> String {
    let first = reason.lines().next().unwrap_or_default();
    match reason.lines().count() {
        0 | 1 => format!("reload refused: {first}"),
        count => format!("reload refused: {first}, and {} more", count - 1),
    }
}

/// The first key that differs and would need another lock, socket or folder.
fn fixed_key(running: &Configuration, new: &Configuration) -> Option<&'static str> {
    let (old_daemon, new_daemon) = (&running.daemon, &new.daemon);
    let keys = [
        ("kernel.set-prefix", running.kernel.set_prefix == new.kernel.set_prefix),
        ("daemon.feeds-dir", old_daemon.feeds_dir == new_daemon.feeds_dir),
        ("daemon.state-dir", old_daemon.state_dir == new_daemon.state_dir),
        ("daemon.lists-dir", old_daemon.lists_dir == new_daemon.lists_dir),
        ("daemon.control-socket", old_daemon.control_socket == new_daemon.control_socket),
    ];
    keys.into_iter().find(|(_, same)| !same).map(|(key, _)| key)
}
