//! The time of day against the time that never jumps: when the one is set, all
//! that waits for a time of day waits anew.

use std::time::{Duration, SystemTime};

use crate::Now;

/// Smaller differences are a clock that is being slewed.
const SET_MIN: Duration = Duration::from_secs(1);

/// What the time of day was when the monotonic time was zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeOfDay {
    epoch: SystemTime,
}

/// The clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockStep {
    pub(crate) by: Duration,
    pub(crate) ahead: bool,
}

impl TimeOfDay {
    pub(crate) fn new(now: Now) -> Self {
        Self { epoch: now.wall.checked_sub(now.monotonic).unwrap_or(SystemTime::UNIX_EPOCH) }
    }

    /// Takes note of the present, and says if the clock was set since.
    pub(crate) fn observe(&mut self, now: Now) -> Option<ClockStep> {
        let fresh = Self::new(now);
        let before = std::mem::replace(self, fresh).epoch;
        let (by, ahead) = match fresh.epoch.duration_since(before) {
            Ok(by) => (by, true),
            Err(error) => (error.duration(), false),
        };
        if by < SET_MIN {
            // What adds up slowly is noticed when it has added up.
            self.epoch = before;
            return None;
        }
        Some(ClockStep { by, ahead })
    }

    /// The monotonic time at this time of day.
    pub(crate) fn monotonic(self, wall: SystemTime) -> Duration {
        wall.duration_since(self.epoch).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(monotonic: u64, wall: u64) -> Now {
        Now {
            monotonic: Duration::from_secs(monotonic),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(wall),
        }
    }

    #[test]
    fn a_clock_that_is_set_is_noticed_both_ways() {
        let mut clock = TimeOfDay::new(now(10, 1_000));
        assert_eq!(clock.observe(now(20, 1_010)), None);
        let hour = Duration::from_secs(3_600);
        assert_eq!(clock.observe(now(30, 4_620)), Some(ClockStep { by: hour, ahead: true }));
        assert_eq!(clock.observe(now(40, 1_030)), Some(ClockStep { by: hour, ahead: false }));
        assert_eq!(clock.monotonic(now(0, 1_100).wall), Duration::from_secs(110));
    }

    #[test]
    fn a_slow_drift_is_noticed_when_it_has_added_up() {
        let mut clock = TimeOfDay::new(now(0, 1_000));
        let late = |seconds, by| Now {
            wall: now(0, 1_000 + seconds).wall + Duration::from_millis(by),
            ..now(seconds, 0)
        };
        assert_eq!(clock.observe(late(10, 600)), None);
        assert!(clock.observe(late(20, 1_200)).is_some());
    }
}
