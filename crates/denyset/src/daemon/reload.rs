//! A new configuration for a running daemon. A bad one changes nothing.

use std::sync::Arc;

use reconcile::{Action, Event};

use super::Daemon;
use super::start::settle;
use crate::config::Config;
use crate::settings::{protection, settings};
use crate::systemd;

impl Daemon {
    /// Reads configuration and feeds again, as SIGHUP asks for.
    pub(super) fn reload(&mut self) -> Vec<Action> {
        systemd::reloading();
        self.unready = true;
        self.try_reload().unwrap_or_else(|reason| {
            tracing::error!(reason, "the new configuration is bad, the running one stays in force");
            Vec::new()
        })
    }

    /// The same; a bad configuration is an error in one sentence a line.
    pub(super) fn try_reload(&mut self) -> Result<Vec<Action>, String> {
        let config = Config::load(&self.config_file).map_err(|error| error.to_string())?;
        if let Some(key) = fixed_key(&self.config, &config) {
            return Err(format!("{key} cannot change while the daemon runs, restart it for that"));
        }
        self.config = Arc::new(config);
        self.feeds.reconfigure(self.config.clone());
        // What is not looked at yet is looked at by the reload itself.
        self.settle = settle(self.config.daemon.settle);
        tracing::info!(lists = self.config.lists.len(), "the configuration was read again");
        let event = Event::Reconfigured(settings(&self.config, protection()));
        Ok(self.reconciler.handle(event, self.clock.now()))
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
