//! Writes exports whenever a snapshot or the configuration says anything new, and
//! when it is time: on a thread of its own, so that a slow disk delays nobody.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::sleep_until;

use super::MainLoop;
use super::perform::Finished;
use crate::exports::{ExportNews, ExportOutcome, Exports};
use crate::snapshot::{ExportFacts, Snapshot};
use configuration::{Configuration, ExportConfig};

/// What the loop knows of exports.
pub(super) struct Exporting {
    /// What is asked to be exported.
    asked: watch::Sender<Vec<ExportConfig>>,
    /// Why exports are not as they should be.
    failures: Vec<String>,
    /// How all of them are.
    pub(super) files: Vec<ExportFacts>,
}

/// Writes from now on. Has to be called inside a tokio runtime.
pub(super) fn follow(
    config: &Configuration,
    mut snapshots: watch::Receiver<Arc<Snapshot>>,
    finish: mpsc::Sender<Finished>,
) -> Exporting {
    let (sender, mut asked) = watch::channel(config.exports.clone());
    tokio::spawn(async move {
        let (mut exports, mut again) = (Exports::default(), None);
        while wait(&mut snapshots, &mut asked, again).await {
            let snapshot = snapshots.borrow_and_update().clone();
            let configured = asked.borrow_and_update().clone();
            let given = spawn_blocking(move || {
                exports.configure(&configured);
                let outcome = exports.give(&snapshot, Instant::now());
                (exports, outcome)
            });
            let Ok((back, outcome)) = given.await else {
                // The log says why. Nobody would write any more.
                let _ = finish.send(Finished::Died).await;
                return;
            };
            (exports, again) = (back, outcome.again);
            // The loop has ended: then nobody needs to know.
            let _ = finish.send(Finished::Exported(outcome)).await;
        }
    });
    Exporting { asked: sender, failures: Vec::new(), files: Vec::new() }
}

/// Waits for a reason to write. `false` if there will be none.
async fn wait(
    snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    asked: &mut watch::Receiver<Vec<ExportConfig>>,
    again: Option<Instant>,
) -> bool {
    let time = async {
        match again {
            Some(time) => sleep_until(time.into()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        news = snapshots.changed() => news.is_ok(),
        news = asked.changed() => news.is_ok(),
        () = time => true,
    }
}

impl MainLoop {
    /// Takes in what came of it.
    pub(super) fn exported(&mut self, outcome: ExportOutcome) {
        for news in &outcome.news {
            tell(news);
        }
        let before = &self.exporting.failures;
        for error in outcome.failures.iter().filter(|error| !before.contains(error)) {
            tracing::warn!(error, "an export stays as it was: {error}");
        }
        self.exporting.failures = outcome.failures;
        self.exporting.files = outcome.files;
    }

    /// Exports what the configuration asks for now.
    pub(super) fn ask_for_exports(&self) {
        self.exporting.asked.send_replace(self.config.exports.clone());
    }

    /// What is not as it should be about exports, a sentence each.
    pub(super) fn unexported(&self) -> impl Iterator<Item = String> + '_ {
        self.exporting.failures.iter().map(|error| format!("an export stays as it was: {error}"))
    }
}

fn tell(news: &ExportNews) {
    let ExportNews { list, path, format, exported } = news;
    let (path, prefixes, left_out) = (path.display(), exported.prefixes, exported.left_out);
    if left_out == 0 {
        tracing::info!(
            list, %path, count = prefixes,
            "wrote {prefixes} prefixes of list {list} to {path}"
        );
    } else {
        tracing::warn!(
            list, %path, count = left_out,
            "wrote {prefixes} prefixes of list {list} to {path} without {left_out} of IPv6, which \
             {format} cannot carry: whoever reads it lets them in"
        );
    }
}
