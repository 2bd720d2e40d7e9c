//! Moments at a fixed pace, whoever waits for them: what comes late is told by how
//! late it is, and what was missed meanwhile is not made up for.

use std::time::Duration;

use rustix::process::setpriority_process;
use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// One moment after the other.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    step: Duration,
    due: Duration,
}

impl Moments {
    /// From now on, as far apart as this.
    pub fn of(step: Duration) -> Self {
        Self { step, due: now() }
    }

    /// Waits for the next moment, and tells when that was due: see [`Moments::since`].
    ///
    /// # Panics
    /// If the clock cannot be waited for.
    pub fn wait(&mut self) -> Duration {
        self.due = (self.due + self.step).max(now());
        let due = Timespec::try_from(self.due).expect("it is not far from now");
        // A signal may end it early.
        while clock_nanosleep_absolute(ClockId::Monotonic, &due).is_err() {}
        self.due
    }

    /// How long ago something was due.
    pub fn since(due: Duration) -> Duration {
        now().saturating_sub(due)
    }
}

/// Lets the calling thread go first wherever it can, so that what it waits for is told
/// and not how many others there are. Whoever may not do so waits like everybody else.
pub fn go_first() {
    let _ = setpriority_process(None, -20);
}

fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).expect("it is not negative")
}
