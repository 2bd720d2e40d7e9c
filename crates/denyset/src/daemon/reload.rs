//! A new configuration for a running daemon. A bad one changes nothing.

use std::sync::Arc;

use blocklist::Protection;
use reconcile::{Action, Event, Settings};

use super::Daemon;
use super::perform::Finished;
use super::start::settle;
use crate::settings::{protection, settings};
use crate::systemd;
use configuration::Config;

/// A new configuration, with all that takes a while to find out.
#[derive(Debug)]
pub(super) struct Reloaded {
    /// Which of the configurations that were read it is.
    ticket: u64,
    config: Arc<Config>,
    /// What it was read from.
    text: Arc<str>,
    /// Without what is protected on this host, which may change meanwhile.
    settings: Settings,
    /// The last good copies of feeds that were in no list before.
    restored: Vec<Event>,
}

impl Daemon {
    /// Reads configuration and feeds again, as SIGHUP asks for.
    pub(super) fn reload(&mut self) {
        systemd::reloading();
        self.unready = true;
        if let Err(reason) = self.try_reload() {
            tracing::error!(
                reason,
                "the new configuration is bad, the running one stays in force: {reason}"
            );
        }
    }

    /// The same. What a good configuration sets off comes as finished work.
    /// That one was refused is remembered until one is not.
    ///
    /// # Errors
    /// What is wrong with the configuration, a sentence a line.
    pub(super) fn try_reload(&mut self) -> Result<(), String> {
        let begun = self.begin_reload();
        self.reload_refused = begun.as_ref().err().map(|reason| refused(reason));
        begun
    }

    fn begin_reload(&mut self) -> Result<(), String> {
        let (config, text) = Config::read(&self.config_file).map_err(|error| error.to_string())?;
        if let Some(key) = fixed_key(&self.config, &config) {
            return Err(format!("{key} cannot change while the daemon runs, restart it for that"));
        }
        let config = Arc::new(config);
        let mut feeds = self.feeds.clone();
        feeds.reconfigure(config.clone());
        let known = self.reconciler.feeds().states().keys().cloned().collect();
        self.reloading += 1;
        self.reload_ticket += 1;
        let ticket = self.reload_ticket;
        self.aside(move || {
            let restored = feeds.recall(&known);
            let settings = settings(&config, Protection::default());
            let text = text.into();
            Finished::Reloaded(Box::new(Reloaded { ticket, config, text, settings, restored }))
        });
        Ok(())
    }

    /// Takes the new configuration over, unless a newer one is on its way.
    pub(super) fn reloaded(&mut self, reloaded: Reloaded) -> Vec<Action> {
        let Reloaded { ticket, config, text, mut settings, restored } = reloaded;
        self.reloading -= 1;
        if ticket != self.reload_ticket {
            return Vec::new();
        }
        self.feeds.reconfigure(config.clone());
        // What is not looked at yet is looked at by the reload itself.
        self.settle = settle(config.daemon.settle);
        self.config = config;
        self.config_text = text;
        let lists = self.config.lists.len();
        tracing::info!(lists, "the configuration was read again, it has {lists} lists");
        settings.protection = protection(&self.host.facts);
        let now = self.clock.now();
        let mut actions = self.reconciler.handle(Event::Reconfigured(settings), now);
        for event in restored {
            actions.extend(self.reconciler.handle(event, now));
        }
        actions
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
fn fixed_key(running: &Config, new: &Config) -> Option<&'static str> {
    let (old_daemon, new_daemon) = (&running.daemon, &new.daemon);
    let keys = [
        ("kernel.set-prefix", running.kernel.set_prefix == new.kernel.set_prefix),
        ("daemon.feeds-dir", old_daemon.feeds_dir == new_daemon.feeds_dir),
        ("daemon.state-dir", old_daemon.state_dir == new_daemon.state_dir),
        ("daemon.control-socket", old_daemon.control_socket == new_daemon.control_socket),
    ];
    keys.into_iter().find(|(_, same)| !same).map(|(key, _)| key)
}
