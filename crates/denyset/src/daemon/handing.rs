//! Hands out to other programs what the snapshots say, one after the other: of
//! many that come while one is written, the last.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::MainLoop;
use super::perform::Finished;
use crate::outlets::Outlets;
use crate::snapshot::Snapshot;
use configuration::Configuration;

/// What could not be written is tried again after this time at the latest.
const AGAIN: Duration = Duration::from_secs(10);

/// Hands out from now on. Has to be called inside a tokio runtime.
pub(super) fn follow(
    config: &Configuration,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    finish: mpsc::Sender<Finished>,
) {
    let mut outlets = Outlets::new(config.daemon.lists_dir.clone());
    tokio::spawn(async move {
        let mut failed = false;
        loop {
            let news = if failed {
                timeout(AGAIN, snapshots.changed()).await.unwrap_or(Ok(()))
            } else {
                snapshots.changed().await
            };
            if news.is_err() {
                return;
            }
            let snapshot = snapshots.borrow_and_update().clone();
            let given = spawn_blocking(move || {
                let given = outlets.give(&snapshot);
                (outlets, given)
            });
            let Ok((back, given)) = given.await else {
                // The log says why. Nobody would hand out any more.
                let _ = finish.send(Finished::Died).await;
                return;
            };
            outlets = back;
            failed = given.is_err();
            // The loop has ended: then nobody needs to know.
            let _ = finish.send(Finished::Given(given)).await;
        }
    });
}

impl MainLoop {
    /// Takes in what came of it.
    pub(super) fn given(&mut self, given: Result<(), String>) {
        let failure = given.err();
        if let Some(error) = failure.as_ref().filter(|_| self.not_given != failure) {
            tracing::warn!(error, "other programs go on with older lists: {error}");
        }
        self.not_given = failure;
    }

    /// What other programs do not get, a sentence.
    pub(super) fn withheld(&self) -> Option<String> {
        let why = self.not_given.as_ref()?;
        Some(format!("other programs go on with older lists: {why}"))
    }
}
