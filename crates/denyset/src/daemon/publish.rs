//! Publishes what is so, for all who ask: when anything has changed, and so
//! often that it takes little of the loop's time.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use super::MainLoop;
use crate::snapshot::{Snapshot, SnapshotFacts, Surroundings};
use crate::view::Moment;

/// Taking snapshots may take one part in so many of the time.
const SHARE: u32 = 20;

/// The snapshot that everybody sees.
pub(super) struct Published {
    sender: watch::Sender<Arc<Snapshot>>,
    /// Before this none is taken, unless somebody waits for it.
    rest: Instant,
    /// When the next one is due, if something may have changed since the last.
    due: Option<Instant>,
}

impl Published {
    /// The first one.
    pub(super) fn new(facts: SnapshotFacts) -> Self {
        let snapshot = Arc::new(Snapshot { revision: 1, facts });
        Self { sender: watch::Sender::new(snapshot), rest: Instant::now(), due: None }
    }

    /// Where it can be seen.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.sender.subscribe()
    }

    /// The last one.
    pub(super) fn latest(&self) -> Arc<Snapshot> {
        self.sender.borrow().clone()
    }

    /// When the loop should come back to it.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    fn publish(&mut self, facts: SnapshotFacts) {
        self.due = None;
        self.sender.send_if_modified(|latest| {
            if latest.facts == facts {
                return false;
            }
            let revision = latest.revision + 1;
            *latest = Arc::new(Snapshot { revision, facts });
            true
        });
    }
}

impl MainLoop {
    /// Publishes what is so now: at once if somebody is about to be told of it,
    /// else when it is time.
    pub(super) fn publish(&mut self, at_once: bool) {
        let begun = Instant::now();
        if !at_once && begun < self.published.rest {
            self.published.due = Some(self.published.rest);
            return;
        }
        let facts = SnapshotFacts::of(&self.keeper, self.surroundings());
        self.published.publish(facts);
        self.published.rest = begun + begun.elapsed() * SHARE;
    }

    fn surroundings(&self) -> Surroundings {
        let feeds = self.keeper.intake().feeds().iter();
        let unfinished = feeds.filter(|(name, feed)| {
            feed.hurried && feed.in_force().is_some() && self.feeds.unfinished().has(name)
        });
        Surroundings {
            unfinished: unfinished.map(|(name, _)| name.clone()).collect(),
            reload_refused: self.reload_refused.clone(),
            unreadable: self.unreadable.clone(),
            unwatched: self.lookout.blind(),
            silent: self.lookout.silent(),
            others: self
                .next_boot_in_doubt()
                .into_iter()
                .chain(self.late())
                .chain(self.unknown())
                .chain(self.feeds.blind_to_peers())
                .chain(self.awaited())
                .chain(self.withheld())
                .chain(self.unexported())
                .collect(),
            bypasses: self.bypasses.clone(),
            confirm_until: self.confirm_until(),
            exports: self.exporting.files.clone(),
            counted: self.log.counted.clone(),
        }
    }

    /// Nothing comes into force that does not stand in the state directory: if
    /// that hangs everything waits.
    fn late(&self) -> Option<String> {
        let since = Moment::from(self.storage.late_since()?);
        let path = self.config.daemon.state_dir.display();
        Some(format!(
            "state-dir {path} has not answered since {since}: what is to be kept there waits, and \
             what the feeds say anew is not in force before"
        ))
    }
}
