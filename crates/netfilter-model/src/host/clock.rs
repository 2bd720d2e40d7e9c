//! The two clocks of the host. The monotonic one only runs; the wall clock can
//! be set.

use std::time::{Duration, SystemTime};

/// Both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct HostClock {
    /// Time since the start of the run.
    pub(super) monotonic: Duration,
    /// The time of day.
    pub(super) wall: SystemTime,
    /// Whether the wall clock was set since the last calm moment.
    pub(super) set: bool,
}

impl Default for HostClock {
    fn default() -> Self {
        // Far enough from the epoch to be set back.
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        Self { monotonic: Duration::ZERO, wall, set: false }
    }
}

impl HostClock {
    /// Time passes.
    pub(super) fn pass(&mut self, time: Duration) {
        self.monotonic += time;
        self.wall += time;
    }

    /// Somebody sets the wall clock ahead.
    pub(super) fn ahead(&mut self, time: Duration) {
        self.wall += time;
        self.set = true;
    }

    /// Somebody sets the wall clock back.
    pub(super) fn back(&mut self, time: Duration) {
        self.wall -= time;
        self.set = true;
    }
}
