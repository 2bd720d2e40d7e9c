//! The daemon: one loop that takes one input at a time, lets the keeper
//! think, and hands out what it wants done. Nothing in the loop waits for the
//! kernel or for a disk.

mod alarm;
mod change;
mod clock;
mod confirming;
mod exporting;
mod facts;
mod handing;
mod input;
mod lookout;
mod next_boot;
mod others;
mod perform;
mod publish;
mod reload;
mod removal;
mod report;
mod samples;
mod signals;
mod start;
mod storage;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use host::News;
use intake::Ticket;
use keeper::{Event, Keeper, WishOutcome};
use reconcile::{Bypass, ObjectOutcome};
use tokio::sync::mpsc;

pub use clock::Clock;
pub use signals::survive_hangups;
pub use start::{StartError, kernel_exit, lacking, start, was_in_force};

use crate::effects::{FeedEffects, Halt};
use crate::exit::Exit;
use crate::hits::Hits;
use crate::lock::Lock;
use crate::remedy;
use crate::serve::Call;
use crate::systemd::Manager;
use crate::view::status_line;
use configuration::{Configuration, OnStop};

use alarm::Alarm;
use confirming::Unconfirmed;
use exporting::Exporting;
use input::Input;
use lookout::Lookout;
use next_boot::NextBoot;
use perform::Finished;
use publish::Published;
use reload::NewConfiguration;
use report::Log;
use signals::Signals;
use storage::{Storage, Task};
use worker::Worker;

/// How long the service manager has to hear that we end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The daemon at work.
pub struct MainLoop {
    config_file: PathBuf,
    config: Arc<Configuration>,
    /// What it was read from.
    config_text: Arc<str>,
    next_boot: NextBoot,
    keeper: Keeper,
    /// What is known of this host.
    host: News,
    clock: Clock,
    feeds: FeedEffects,
    /// What was hit.
    hits: Hits,
    worker: Worker,
    storage: Storage,
    halt: Halt,
    /// What the work that was handed out has come to.
    finished: mpsc::Receiver<Finished>,
    finish: mpsc::Sender<Finished>,
    calls: mpsc::Receiver<Call>,
    published: Published,
    log: Log,
    signals: Signals,
    lookout: Lookout,
    /// When what nobody wants was last looked for.
    cleared: Instant,
    /// The folders below the feeds directory that could not be read.
    unreadable: Vec<String>,
    /// What carries packets past rules.
    bypasses: Vec<Bypass>,
    /// Why other programs have not got what is so.
    not_given: Option<String>,
    exporting: Exporting,
    /// When the keeper wants a tick.
    wake: Option<Instant>,
    /// Rings when the first is due of all that is to be done at some moment.
    alarm: Alarm,
    /// Who waits until there is nothing left to do.
    waiting: Vec<Waiting>,
    /// A configuration on which the keeper has not decided yet.
    candidate: Option<NewConfiguration>,
    /// Why the last reload was refused, a sentence; `None` if it was not.
    reload_refused: Option<String>,
    /// The configuration that was refused for what it would take out of lists.
    refused: Option<NewConfiguration>,
    manager: Manager,
    /// What somebody has yet to confirm.
    unconfirmed: Unconfirmed,
    /// Whether the service manager waits to hear that we are ready.
    unready: bool,
    /// The line that the service manager shows, and of which revision it is.
    status: (u64, String),
    _lock: Lock,
}

/// A call that is answered when all that it set off is done.
struct Waiting {
    call: Call,
    /// What has been done since it came.
    outcomes: Vec<ObjectOutcome>,
    /// What it waits for an answer to, and the answer.
    question: Option<Ticket>,
    reply: Option<WishOutcome>,
}

impl MainLoop {
    /// Runs until it is told to end.
    pub async fn run(mut self) -> Exit {
        let mut actions = self.keeper.handle(Event::Tick, self.clock.now());
        self.storage.hand(&self.feeds, Task::ClearUnwanted);
        loop {
            for action in actions {
                self.perform(action);
            }
            self.settle_accounts();
            let input = self.next_input().await;
            if !matches!(input, Input::Quiet | Input::Event(Event::Tick)) {
                self.halt.hurry();
            }
            actions = match input {
                Input::Shutdown => return self.stop().await,
                Input::Reload => self.reload(),
                Input::Call(call) => match self.change(call) {
                    Some(actions) => actions,
                    None => return self.stop_for_good().await,
                },
                Input::Finished(finished) => match self.finished(finished) {
                    Ok(actions) => actions,
                    Err(exit) => return exit,
                },
                Input::Event(event) => self.keeper.handle(event, self.clock.now()),
                Input::Unconfirmed => self.put_back(),
                Input::Quiet => Vec::new(),
            };
        }
    }

    /// Whether the kernel lacks what the configuration of the start wants: then no
    /// waiting mends it. A daemon that runs goes on with what it can, whatever a
    /// reload wants.
    fn cannot(&self, finished: &Finished) -> bool {
        let Finished::Event(Event::Converged(converged)) = finished else { return false };
        let lacks = lacking(&converged.outcome.objects).filter(|_| self.unready);
        if let Some(error) = lacks {
            let remedy = remedy::of_kernel(error);
            tracing::error!(%error, "this kernel cannot: {error}{remedy}");
        }
        lacks.is_some()
    }

    /// Publishes what is so, answers those who waited for all to be done, and
    /// tells the service manager how things are.
    fn settle_accounts(&mut self) {
        self.log.tell_ends(Instant::now());
        if !self.keeper.at_rest() || self.unconfirmed.is_busy() {
            self.log.pass_on(Instant::now());
            self.publish(false);
            return;
        }
        self.log.sum_up();
        self.keep_for_next_boot();
        self.publish(self.unready || !self.waiting.is_empty());
        for waiting in std::mem::take(&mut self.waiting) {
            let answer = self.outcome(&waiting);
            let Waiting { call, .. } = waiting;
            // Whoever asked may have gone.
            let _ = call.reply.send(answer);
        }
        self.tell_status();
    }

    /// Tells the service manager how things are, if that has changed.
    fn tell_status(&mut self) {
        let snapshot = self.published.latest();
        let (revision, before) = &self.status;
        if *revision == snapshot.revision && !self.unready {
            return;
        }
        let status = status_line(&snapshot.facts);
        if std::mem::take(&mut self.unready) {
            tracing::info!(status, "ready: {status}");
            self.manager.ready(&status);
        } else if status != *before {
            self.manager.status(&status);
        }
        self.status = (snapshot.revision, status);
    }

    /// Ends because a thread has panicked: a daemon that is started anew knows
    /// better what is so than one that has lost a part of itself. What is in
    /// the kernel stays in force.
    fn give_up() -> Exit {
        tracing::error!("a thread of the daemon has died, ending");
        Exit::Failure
    }

    /// Ends. Sets and rules stay in force unless the configuration wants them
    /// removed.
    async fn stop(mut self) -> Exit {
        self.manager.stopping();
        self.halt.ask();
        let remove = self.config.daemon.on_stop == OnStop::Remove;
        let removed = if remove { self.remove_all().await.is_ok() } else { true };
        self.note_quiet(self.hits.quiet());
        self.worker.end();
        self.storage.end();
        self.manager.hear_out(FAREWELL);
        tracing::info!("stopped");
        if removed { Exit::Success } else { Exit::Failure }
    }
}
