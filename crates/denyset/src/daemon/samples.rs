//! The thread that takes in the packets that rules show: there is one as long
//! as a rule of the snapshot shows any.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::Builder;

use blocklist::FeedName;
use feedfiles::Quiet;
use tokio::sync::{mpsc, oneshot, watch};

use super::MainLoop;
use super::perform::{DeathBell, Finished};
use super::storage::Task;
use crate::hits::{HitReader, Hits};
use crate::snapshot::Snapshot;

type Snapshots = watch::Receiver<Arc<Snapshot>>;

/// Counts hits from now on. Has to be called inside a tokio runtime.
pub(super) fn follow(hits: Hits, mut snapshots: Snapshots, finish: mpsc::Sender<Finished>) {
    tokio::spawn(async move {
        loop {
            while !shows(&snapshots.borrow_and_update()) {
                if snapshots.changed().await.is_err() {
                    return;
                }
            }
            let (ended, end) = oneshot::channel::<()>();
            let (hits, seen, finish) = (hits.clone(), snapshots.clone(), finish.clone());
            let thread = Builder::new().name("samples".to_owned()).spawn(move || {
                let bell = DeathBell::armed(&finish);
                read(hits, &seen, &finish);
                bell.disarm();
                drop(ended);
            });
            if let Err(error) = thread {
                tracing::warn!(%error, "hits are not counted by feed, there is no thread: {error}");
                return;
            }
            // It is only ever dropped.
            let _ = end.await;
        }
    });
}

/// Whether a rule shows packets.
fn shows(snapshot: &Snapshot) -> bool {
    let mut rules = snapshot.facts.rules.iter().flat_map(|seen| seen.wanted.rules());
    rules.any(|rule| rule.sample.is_some())
}

fn read(hits: Hits, snapshots: &Snapshots, finish: &mpsc::Sender<Finished>) {
    let mut reader = HitReader::new(hits);
    // Once the loop has ended nobody needs to know.
    while !finish.is_closed() {
        match reader.turn(|| snapshots.borrow().clone()) {
            None => return,
            Some(None) => {}
            // If the loop is busy, there is another time.
            Some(Some(quiet)) => drop(finish.try_send(Finished::Quieted(quiet))),
        }
    }
}

impl MainLoop {
    /// Has it written down how long feeds have blocked nothing, after all that
    /// is to be written before.
    pub(super) fn note_quiet(&self, quiet: BTreeMap<FeedName, Quiet>) {
        if !quiet.is_empty() {
            self.storage.hand(&self.feeds, Task::NoteQuiet(quiet));
        }
    }
}
