//! The kernel's thread. The kernel does its work inside of our `send`, so a
//! million members keep this thread busy and no other. It does one job at a
//! time and is told the next one when the last is done.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use intake::Ticket;
use keeper::{Converge, Event, LookCause};
use reconcile::{KernelError, Observed, Outcome, Policy, Probe};
use tokio::sync::{mpsc, oneshot};

use super::perform::{DeathBell, Finished};
use crate::effects::KernelEffects;

/// What came of removing everything: what was done, and what is left.
pub(super) type Removed = Result<(Outcome, Observed), KernelError>;

/// A job for the kernel's thread.
#[derive(Debug)]
pub(super) enum Job {
    /// Observe all sets, and compare them with these.
    Observe(Ticket, Option<Observed>, LookCause),
    /// Bring the kernel nearer to what is desired.
    Converge(Box<Converge>),
    /// Probe sets.
    Probe(Ticket, Vec<Probe>),
    /// Remove all that is ours; the last job there is.
    RemoveAll(Policy, oneshot::Sender<Removed>),
}

/// The thread and the way to it.
pub(super) struct Worker {
    jobs: SyncSender<Job>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts the thread. What comes of each job goes to `finish`.
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub(super) fn start(
        mut kernel: KernelEffects,
        finish: mpsc::Sender<Finished>,
    ) -> io::Result<Self> {
        // The reconciler has at most one job under way, a teardown may come
        // on top of it.
        let (jobs, inbox) = sync_channel(2);
        let thread = Builder::new().name("kernel".to_owned()).spawn(move || {
            let bell = DeathBell::armed(&finish);
            for job in inbox {
                let event = match job {
                    Job::Observe(ticket, known, cause) => {
                        Event::Observed(ticket, kernel.observe(known.as_ref(), cause))
                    }
                    Job::Converge(converge) => {
                        let begun = Instant::now();
                        let converged = kernel.converge(*converge, &mut |_| ());
                        let has_changed = !converged.outcome.objects.is_empty();
                        let took = Finished::Applied(begun.elapsed());
                        if has_changed && finish.blocking_send(took).is_err() {
                            break;
                        }
                        Event::Converged(Box::new(converged))
                    }
                    Job::Probe(ticket, probes) => Event::Probed(ticket, kernel.probe(&probes)),
                    Job::RemoveAll(policy, reply) => {
                        // Whoever asked may have gone.
                        let _ = reply.send(kernel.remove_all(&policy));
                        break;
                    }
                };
                if finish.blocking_send(Finished::Event(event)).is_err() {
                    break;
                }
            }
            bell.disarm();
        })?;
        Ok(Self { jobs, thread })
    }

    /// Hands a job over. `false` if the thread has died.
    pub(super) fn hand(&self, job: Job) -> bool {
        self.jobs.try_send(job).is_ok()
    }

    /// Waits until the job under way is done and the thread has ended.
    pub(super) fn end(self) {
        drop(self.jobs);
        if self.thread.join().is_err() {
            tracing::error!("the kernel's thread has panicked");
        }
    }
}
