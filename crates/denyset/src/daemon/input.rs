//! Where the loop waits, and for what.

use std::time::Instant;

use keeper::Event;

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
            let due = self.due();
            let first = due.iter().flatten().min().copied();
            tokio::select! {
                signal = self.signals.next() => return match signal {
                    Signal::Reload => Input::Reload,
                    Signal::Shutdown => Input::Shutdown,
                },
                Some(call) = self.calls.recv() => return Input::Call(call),
                Some(finished) = self.finished.recv() => return Input::Finished(finished),
                told = self.lookout.notice() => self.lookout.noticed(told, Instant::now()),
                () = self.alarm.ring(first) => {
                    if let Some(input) = self.come(due, Instant::now()) {
                        return input;
                    }
                }
            }
        }
    }

    /// When there is something to be done, in the order in which it is done if more
    /// than one moment has come: what protects goes first.
    fn due(&self) -> [Option<Instant>; 6] {
        [
            self.manager.due(),
            self.unconfirmed.due,
            self.lookout.due(),
            self.wake,
            self.published.due(),
            self.storage.due(),
        ]
    }

    /// What has come of that. `None` if it is no input: a sign of life was given, or
    /// there is nothing to look at.
    fn come(&mut self, due: [Option<Instant>; 6], now: Instant) -> Option<Input> {
        let [alive, unconfirmed, look, wake, quiet, late] =
            due.map(|moment| moment.is_some_and(|moment| moment <= now));
        if alive {
            self.manager.alive(now);
        }
        if unconfirmed {
            return Some(Input::Unconfirmed);
        }
        if look && self.lookout.take(now) {
            return Some(Input::Event(Event::FilesChanged));
        }
        if wake {
            self.wake = None;
            return Some(Input::Event(Event::Tick));
        }
        (quiet || late).then_some(Input::Quiet)
    }
}
