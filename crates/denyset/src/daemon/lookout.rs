//! The watch over the feeds directory: what tells that it changed, when it is
//! quiet enough to look, and when to look because nothing may tell. Knows the
//! directory as a place; feeds are not known here.

use std::future::pending;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use configuration::Configuration;
use feedfiles::{
    Notice, Rounds, Settle, Shown, Sight, Silent, Tree, Unfinished, WatchError, Watcher,
};
use tokio::time::sleep_until;

/// A directory in which something changes all the time is read at the latest
/// after this many settling times.
const SETTLE_MAX: u32 = 4;
/// After something was told, more is not listened to for this part of the
/// settling time: a file that is written to without a pause must not keep the
/// loop awake.
const LISTEN_PART: u32 = 8;
/// Directories that are named one by one.
const NAMED_MAX: usize = 3;

/// Watches the feeds directory.
#[derive(Debug)]
pub(super) struct Lookout {
    feeds_dir: PathBuf,
    quiet: Duration,
    regular: Duration,
    /// `None` while this system lets us watch nothing.
    watcher: Option<Watcher>,
    unfinished: Unfinished,
    settle: Settle,
    rounds: Rounds,
    listen_from: Option<Instant>,
    /// Why we are not told of all that changes.
    blind: Option<String>,
    silent: Vec<Silent>,
}

impl Lookout {
    /// Begins to watch. What cannot be watched is looked at.
    pub(super) fn new(config: &Configuration, unfinished: Unfinished) -> Self {
        let (quiet, regular) = (config.daemon.settle, config.daemon.scan);
        let mut lookout = Self {
            feeds_dir: config.daemon.feeds_dir.clone(),
            quiet,
            regular,
            watcher: None,
            unfinished,
            settle: settle(config),
            rounds: Rounds::new(regular),
            listen_from: None,
            blind: None,
            silent: Vec::new(),
        };
        lookout.open();
        lookout
    }

    /// Uses another configuration from now on. What is not looked at yet is
    /// looked at by the reload itself.
    pub(super) fn reconfigure(&mut self, config: &Configuration) {
        (self.quiet, self.regular) = (config.daemon.settle, config.daemon.scan);
        self.settle = settle(config);
        self.rounds = Rounds::new(self.regular);
    }

    /// The next thing that is told of the directory. May be dropped while it
    /// waits and called again.
    pub(super) async fn notice(&mut self) -> Result<Notice, WatchError> {
        let Some(watcher) = self.watcher.as_mut() else { return pending().await };
        if let Some(from) = self.listen_from {
            sleep_until(from.into()).await;
        }
        watcher.next().await
    }

    /// Takes in what was told.
    pub(super) fn noticed(&mut self, told: Result<Notice, WatchError>, now: Instant) {
        self.listen_from = Some(now + self.quiet / LISTEN_PART);
        match told {
            Ok(notice) => tracing::debug!(kind = ?notice, "the feeds directory has changed"),
            Err(error) => {
                self.watcher = None;
                self.unfinished.forget_all();
                self.tell_blind(Some(error.to_string()));
            }
        }
        self.settle.disturb(now);
    }

    /// When to look.
    pub(super) fn due(&self) -> Option<Instant> {
        [self.settle.due(), self.rounds.due()].into_iter().flatten().min()
    }

    /// Whether it is time to look; if so, that counts as done.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let (settled, due) = (self.settle.take(now), self.rounds.take(now));
        settled || due
    }

    /// Watches what a scan has found. A watch that was lost is tried again.
    pub(super) fn scanned(&mut self, tree: &Tree, now: Instant) {
        if self.watcher.is_none() {
            self.open();
        }
        if let Some(watcher) = &mut self.watcher {
            let blind = watcher.rewatch(tree).err().map(|error| error.to_string());
            self.tell_blind(blind);
        }
        self.tell_silent(&tree.silent);
        let sight = match (&self.blind, self.silent.is_empty()) {
            (Some(_), _) => Sight::Blind,
            (None, false) => Sight::Silent,
            (None, true) => Sight::Whole,
        };
        self.rounds.looked(sight, now);
    }

    /// Why changes are noticed late, a sentence, if that can be mended.
    pub(super) fn blind(&self) -> Option<String> {
        let seconds = self.regular.as_secs();
        let late =
            |reason| format!("changes in feeds-dir may be seen only every {seconds} s: {reason}");
        self.blind.as_ref().map(late)
    }

    /// Where changes are noticed late because the file system does not tell.
    pub(super) fn silent(&self) -> Option<String> {
        sentence(&self.silent, &self.feeds_dir, self.regular)
    }

    fn open(&mut self) {
        match Watcher::new(&self.feeds_dir, self.unfinished.clone()) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => self.tell_blind(Some(error.to_string())),
        }
    }

    /// Says what is new about what we are not told.
    fn tell_blind(&mut self, blind: Option<String>) {
        if self.blind == blind {
            return;
        }
        if let Some(reason) = &blind {
            tracing::error!(reason, "changes may be noticed late: {reason}");
        } else {
            tracing::info!("all changes in the feeds directory are told again");
        }
        self.blind = blind;
    }

    fn tell_silent(&mut self, silent: &[Silent]) {
        if self.silent == silent {
            return;
        }
        self.silent = silent.to_vec();
        if let Some(reason) = self.silent() {
            tracing::warn!(reason, "{reason}");
        }
    }
}

/// The settling of the feeds directory.
fn settle(config: &Configuration) -> Settle {
    let quiet = config.daemon.settle;
    Settle::new(quiet, (quiet * SETTLE_MAX).min(config.daemon.settle_max))
}

/// What is to be said of directories that do not tell.
fn sentence(silent: &[Silent], feeds_dir: &std::path::Path, regular: Duration) -> Option<String> {
    let seconds = regular.min(feedfiles::SILENT_SCAN).as_secs();
    let places = silent.iter().take(NAMED_MAX).map(|Silent { directory, file_system }| {
        let place = feeds_dir.join(directory);
        format!("{} ({file_system})", Shown(&place))
    });
    let places = places.collect::<Vec<_>>().join(", ");
    let more = silent.len().saturating_sub(NAMED_MAX);
    match (silent.len(), more) {
        (0, _) => None,
        (_, 0) => Some(format!(
            "changes in {places} may be seen only every {seconds} s, the file system does not tell"
        )),
        _ => Some(format!(
            "changes in {places} and {more} more directories may be seen only every {seconds} s, \
             the file system does not tell"
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn silent_places_are_named_with_the_time_that_it_takes() {
        let check = |count: usize, seconds, want: Option<&str>| {
            let silent = |number: usize| Silent {
                directory: format!("d{number}").into(),
                file_system: "NFS",
            };
            let silent: Vec<_> = (0..count).map(silent).collect();
            let found = sentence(&silent, Path::new("/f"), Duration::from_secs(seconds));
            assert_eq!(found.as_deref(), want);
        };
        let tail = "the file system does not tell";
        check(0, 60, None);
        check(1, 5, Some(&format!("changes in /f/d0 (NFS) may be seen only every 5 s, {tail}")));
        check(
            5,
            60,
            Some(&format!(
                "changes in /f/d0 (NFS), /f/d1 (NFS), /f/d2 (NFS) and 2 more directories may be seen \
             only every 10 s, {tail}"
            )),
        );
    }
}
