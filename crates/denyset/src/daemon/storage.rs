//! The store's thread. Everything that writes to the state directory is done
//! here, one after the other in the order in which it was wanted: no note of an
//! earlier moment survives a later one, and a recall sees what came before it.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use blocklist::FeedName;
use feedfiles::Quiet;
use intake::{Makeup, Order, Ticket};
use keeper::Event;
use tokio::sync::mpsc;

use super::perform::{DeathBell, Finished};
use crate::confirm::Note;
use crate::effects::FeedEffects;

/// Something to be done with the state directory.
pub(super) enum Task {
    /// An order of the intake that writes, or that must see what was written.
    Order(Order),
    /// Write down which feeds make up each list.
    WriteDown(Ticket, BTreeMap<String, Makeup>),
    /// Write down what returns unless somebody confirms, or forget it.
    Unconfirmed(Option<Note>),
    /// Write down how long feeds have blocked nothing.
    NoteQuiet(BTreeMap<FeedName, Quiet>),
    /// Remove what nobody has wanted for long.
    ClearUnwanted,
}

/// A task that takes longer is told of: the disk may hang, and whatever comes
/// into force waits for it.
const LATE: Duration = Duration::from_secs(5);

/// How far the thread is.
#[derive(Debug, Default)]
struct StoreProgress {
    /// Tasks that were handed over and are not done.
    open: u64,
    /// Since when the first of these is, by both clocks.
    since: Option<(Instant, SystemTime)>,
}

impl StoreProgress {
    fn begins(&mut self) {
        self.open += 1;
        self.since.get_or_insert_with(|| (Instant::now(), SystemTime::now()));
    }

    fn ends(&mut self) {
        self.open = self.open.saturating_sub(1);
        self.since = (self.open > 0).then(|| (Instant::now(), SystemTime::now()));
    }
}

/// The thread and the way to it. What waits for it is bounded by what the intake
/// may have under way: a few orders for every feed.
pub(super) struct Storage {
    tasks: Sender<(FeedEffects, Task)>,
    thread: JoinHandle<()>,
    progress: Arc<Mutex<StoreProgress>>,
}

impl Storage {
    /// Starts the thread. Answers go to `finish`.
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub(super) fn start(finish: mpsc::Sender<Finished>) -> io::Result<Self> {
        let (tasks, inbox) = channel::<(FeedEffects, Task)>();
        let progress = Arc::<Mutex<StoreProgress>>::default();
        let own = progress.clone();
        let thread = Builder::new().name("store".to_owned()).spawn(move || {
            let bell = DeathBell::armed(&finish);
            for (feeds, task) in inbox {
                let answer = match task {
                    Task::Order(order) => {
                        feeds.carry_out(order).map(Event::Files).map(Finished::Event)
                    }
                    Task::WriteDown(ticket, lists) => {
                        feeds.write_down(&lists);
                        Some(Finished::Event(Event::WrittenDown(ticket)))
                    }
                    Task::Unconfirmed(note) => {
                        let state_dir = feeds.state_dir();
                        let kept = note
                            .map_or_else(|| Note::remove(state_dir), |note| note.keep(state_dir));
                        Some(Finished::Noted(kept.map_err(|error| error.to_string())))
                    }
                    Task::NoteQuiet(quiet) => {
                        feeds.note_quiet(&quiet);
                        None
                    }
                    Task::ClearUnwanted => {
                        feeds.clear_unwanted();
                        None
                    }
                };
                lock(&own).ends();
                if let Some(answer) = answer {
                    // The loop may have ended; what is to be written is written.
                    let _ = finish.blocking_send(answer);
                }
            }
            bell.disarm();
        })?;
        Ok(Self { tasks, thread, progress })
    }

    /// Since when the state directory has not done what it was to do, if that
    /// is too long ago.
    pub(super) fn late_since(&self) -> Option<SystemTime> {
        let (begun, since) = lock(&self.progress).since?;
        (begun.elapsed() >= LATE).then_some(since)
    }

    /// When that will be told of, if nothing gets done until then.
    pub(super) fn due(&self) -> Option<Instant> {
        let (begun, _) = lock(&self.progress).since?;
        Some(begun + LATE).filter(|due| *due > Instant::now())
    }

    /// Hands a task over. If the thread has died, that is an input of its own.
    pub(super) fn hand(&self, feeds: &FeedEffects, task: Task) {
        lock(&self.progress).begins();
        let _ = self.tasks.send((feeds.clone(), task));
    }

    /// Waits until all is written.
    pub(super) fn end(self) {
        drop(self.tasks);
        if self.thread.join().is_err() {
            tracing::error!("the store's thread has panicked");
        }
    }
}

fn lock(progress: &Mutex<StoreProgress>) -> MutexGuard<'_, StoreProgress> {
    progress.lock().unwrap_or_else(PoisonError::into_inner)
}
