//! The store's thread. Everything that writes to the state directory is done
//! here, one after the other in the order in which it was wanted: no note of an
//! earlier moment survives a later one, and a recall sees what came before it.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread::{Builder, JoinHandle};

use blocklist::FeedName;
use feedfiles::Quiet;
use intake::{Makeup, Order, Ticket};
use keeper::Event;
use tokio::sync::mpsc;

use super::perform::{DeathBell, Finished};
use crate::effects::FeedEffects;

/// Something to be done with the state directory.
pub(super) enum Task {
    /// An order of the intake that writes, or that must see what was written.
    Order(Order),
    /// Write down which feeds make up each list.
    WriteDown(Ticket, BTreeMap<String, Makeup>),
    /// Write down how long feeds have blocked nothing.
    NoteQuiet(BTreeMap<FeedName, Quiet>),
    /// Remove what nobody has wanted for long.
    ClearUnwanted,
}

/// The thread and the way to it. What waits for it is bounded by what the intake
/// may have under way: a few orders for every feed.
pub(super) struct Storage {
    tasks: Sender<(FeedEffects, Task)>,
    thread: JoinHandle<()>,
}

impl Storage {
    /// Starts the thread. Answers go to `finish`.
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub(super) fn start(finish: mpsc::Sender<Finished>) -> io::Result<Self> {
        let (tasks, inbox) = channel::<(FeedEffects, Task)>();
        let thread = Builder::new().name("store".to_owned()).spawn(move || {
            let bell = DeathBell::armed(&finish);
            for (feeds, task) in inbox {
                let answer = match task {
                    Task::Order(order) => feeds.carry_out(order).map(Event::Files),
                    Task::WriteDown(ticket, lists) => {
                        feeds.write_down(&lists);
                        Some(Event::WrittenDown(ticket))
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
                if let Some(answer) = answer {
                    // The loop may have ended; what is to be written is written.
                    let _ = finish.blocking_send(Finished::Event(answer));
                }
            }
            bell.disarm();
        })?;
        Ok(Self { tasks, thread })
    }

    /// Hands a task over. If the thread has died, that is an input of its own.
    pub(super) fn hand(&self, feeds: &FeedEffects, task: Task) {
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
