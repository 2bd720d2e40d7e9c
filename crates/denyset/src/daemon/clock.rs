//! The two clocks of the daemon. Everything that takes time as an argument
//! gets it from here.

use std::time::{Duration, Instant, SystemTime};

use intake::Now;

/// The clocks, from the start of the process on.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// The monotonic clock begins now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Both clocks.
    pub fn now(self) -> Now {
        Now { monotonic: self.start.elapsed(), wall: SystemTime::now() }
    }

    /// The moment that the reconciler names by this time since the start.
    pub fn moment(self, monotonic: Duration) -> Instant {
        self.start + monotonic
    }
}
