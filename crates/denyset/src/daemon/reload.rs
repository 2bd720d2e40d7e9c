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
    config: Arc<Config>,
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
            tracing::error!(reason, "the new configuration is bad, the running one stays in force");
        }
    }

    /// The same. What a good configuration sets off comes as finished work.
    ///
    /// # Errors
    /// What is wrong with the configuration, a sentence a line.
    pub(super) fn try_reload(&mut self) -> Result<(), String> {
        let config = Config::load(&self.config_file).map_err(|error| error.to_string())?;
        if let Some(key) = fixed_key(&self.config, &config) {
            return Err(format!("{key} cannot change while the daemon runs, restart it for that"));
        }
        let config = Arc::new(config);
        let mut feeds = self.feeds.clone();
        feeds.reconfigure(config.clone());
        let known = self.reconciler.feeds().states().keys().cloned().collect();
        self.reloading += 1;
        self.aside(move || {
            let restored = feeds.recall(&known);
            let settings = settings(&config, Protection::default());
            Finished::Reloaded(Box::new(Reloaded { config, settings, restored }))
        });
        Ok(())
    }

    /// Takes the new configuration over.
    pub(super) fn reloaded(&mut self, reloaded: Reloaded) -> Vec<Action> {
        let Reloaded { config, mut settings, restored } = reloaded;
        self.reloading -= 1;
        self.feeds.reconfigure(config.clone());
        // What is not looked at yet is looked at by the reload itself.
        self.settle = settle(config.daemon.settle);
        self.config = config;
        tracing::info!(lists = self.config.lists.len(), "the configuration was read again");
        settings.protection = protection(&self.host.facts);
        let now = self.clock.now();
        let mut actions = self.reconciler.handle(Event::Reconfigured(settings), now);
        for event in restored {
            actions.extend(self.reconciler.handle(event, now));
        }
        actions
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
