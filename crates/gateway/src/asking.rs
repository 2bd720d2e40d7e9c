//! Asks the daemon again and again how it is, so that whoever watches is told
//! from memory and no request waits for the daemon.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use figures::{HitsDocument, StatusDocument};
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use super::control::{ControlError, ControlQuestion, ask};
use super::history::History;
use super::limits::ASK_EVERY;
use super::lists::KnownStatus;

/// What the daemon said when it was last asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    /// Its status; `None` if it did not answer.
    pub(crate) status: Option<Arc<KnownStatus>>,
    /// What was hit; `None` if it did not answer.
    pub(crate) hits: Option<Arc<HitsDocument>>,
    /// Why it did not answer, a sentence.
    pub(crate) silence: Option<String>,
    /// What it said in the last 24 hours.
    pub(crate) history: History,
}

/// Asks from now on. Never ends. Has to be called inside a tokio runtime.
pub(crate) async fn keep_asking(socket: PathBuf, said: watch::Sender<Arc<Said>>) {
    let mut history = History::default();
    let mut ticks = tokio::time::interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut now = match once(&socket).await {
            Ok(now) => now,
            Err(error) => Said { silence: Some(error.to_string()), ..Said::default() },
        };
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        history.note(moment.as_secs(), now.status.as_deref().map(|status| &status.document));
        now.history = history.clone();
        let was = said.send_replace(Arc::new(now.clone()));
        match (&was.silence, &now.silence) {
            (None, Some(why)) => tracing::warn!("answers go on without the daemon: {why}"),
            (Some(_), None) => tracing::info!("the daemon answers"),
            _ => {}
        }
    }
}

async fn once(socket: &Path) -> Result<Said, ControlError> {
    let status = ask(socket, ControlQuestion::Status).await?;
    let hits = ask(socket, ControlQuestion::Hits).await?;
    let read = spawn_blocking(move || {
        let document = StatusDocument::read(status.as_bytes())?;
        Ok(Said {
            status: Some(Arc::new(KnownStatus { document, bytes: status.into_bytes() })),
            hits: Some(Arc::new(HitsDocument::read(hits.as_bytes())?)),
            ..Said::default()
        })
    });
    read.await.map_err(io::Error::other)?
}
