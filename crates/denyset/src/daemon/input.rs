//! Where the loop waits, and for what.

use std::future::pending;
use std::time::Instant;

use keeper::Event;
use tokio::time::sleep_until;

use super::MainLoop;
use super::perform::Finished;
use super::signals::Signal;
use crate::serve::Call;

/// Everything that can happen to the daemon.
pub(super) enum Input {
    /// It is told to end.
    Shutdown,
    /// It is told to read everything again.
    Reload,
    /// Somebody asks something.
    Call(Call),
    /// Work that was handed out is done.
    Finished(Finished),
    /// Something that the reconciler should know.
    Event(Event),
    /// Nobody has confirmed the configuration.
    Unconfirmed,
    /// What is so is to be published.
    Quiet,
}

impl MainLoop {
    /// Waits for the next input. The only place of the program that waits for
    /// more than one thing.
    pub(super) async fn next_input(&mut self) -> Input {
        loop {
            let look = self.lookout.due();
            let late = self.storage.due();
            tokio::select! {
                signal = self.signals.next() => return match signal {
                    Signal::Reload => Input::Reload,
                    Signal::Shutdown => Input::Shutdown,
                },
                Some(call) = self.calls.recv() => return Input::Call(call),
                Some(finished) = self.finished.recv() => return Input::Finished(finished),
                told = self.lookout.notice() => self.lookout.noticed(told, Instant::now()),
                () = until(look) => {
                    if self.lookout.take(Instant::now()) {
                        return Input::Event(Event::FilesChanged);
                    }
                }
                () = until(self.wake) => {
                    self.wake = None;
                    return Input::Event(Event::Tick);
                }
                () = until(self.unconfirmed.due) => return Input::Unconfirmed,
                () = until(self.published.due()) => return Input::Quiet,
                () = until(late) => return Input::Quiet,
                () = tick(self.watchdog.as_mut()) => self.manager.alive(),
            }
        }
    }
}

/// Waits until a moment; for ever, if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => pending().await,
    }
}

async fn tick(interval: Option<&mut tokio::time::Interval>) {
    match interval {
        Some(interval) => {
            interval.tick().await;
        }
        None => pending().await,
    }
}
