//! The ends of the daemon that leave nothing behind in the kernel.

use std::time::Duration;

use reconcile::Policy;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::worker::Job;
use super::{FAREWELL, MainLoop, report};
use crate::exit::Exit;
use crate::serve::{Failure, VerbReply, document};
use crate::view::OutcomeView;

/// How long the end of the daemon waits for a client to take its answer.
const DELIVERY_MAX: Duration = Duration::from_secs(5);

impl MainLoop {
    /// Removes everything of ours, tells those who asked for it, and ends.
    pub(super) async fn stop_for_good(mut self) -> Exit {
        self.manager.stopping();
        self.halt.ask();
        let removed = self.remove_all().await;
        for waiting in std::mem::take(&mut self.waiting) {
            // Whoever asked may have gone.
            let _ = waiting.call.reply.send(removed.clone());
            let _ = timeout(DELIVERY_MAX, waiting.call.delivered).await;
        }
        self.note_quiet(self.hits.quiet());
        self.worker.end();
        self.storage.end();
        self.manager.hear_out(FAREWELL);
        if removed.is_ok() { Exit::Success } else { Exit::Failure }
    }

    /// Has the kernel's thread remove all sets of ours as its last job. What
    /// rules refer to stays, and is named.
    pub(super) async fn remove_all(&mut self) -> VerbReply {
        let failed = |why: &str| Err(Failure::new(Exit::Failure, why));
        let policy = Policy::new(self.config.kernel.set_prefix.clone(), 0);
        let (reply, answer) = oneshot::channel();
        if !self.worker.hand(Job::RemoveAll(policy, reply)) {
            return failed("the kernel's thread takes no more work");
        }
        match answer.await {
            Ok(Ok((outcome, observed))) => {
                for object in &outcome.objects {
                    report::log_outcome(object);
                }
                let removal = OutcomeView::of_removal(&outcome, &observed);
                for problem in &removal.problems {
                    tracing::warn!(reason = problem, "not everything could be removed: {problem}");
                }
                document(&removal)
            }
            Ok(Err(error)) => failed(&error.to_string()),
            Err(_) => failed("the kernel's thread has ended"),
        }
    }
}
