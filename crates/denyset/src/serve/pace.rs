//! How fast clients are taken up: as fast as they come up to some number a
//! second, and no faster, so that knocking without end costs the daemon little.

use std::time::{Duration, Instant};

use super::limits::{KNOCKS_AT_ONCE, KNOCKS_PER_SECOND};

/// How long to wait when there have been too many: so many of the next ones
/// are taken up together then.
const SLICE: Duration = Duration::from_millis(10);

/// A bucket that fills with time; each client takes a drop.
#[derive(Debug)]
pub(super) struct Pace {
    drops: u32,
    /// The time that has become drops.
    filled: Instant,
}

impl Pace {
    /// A full bucket.
    pub(super) fn new(now: Instant) -> Self {
        Self { drops: KNOCKS_AT_ONCE, filled: now }
    }

    /// Counts a client, and says how long to wait before the next one.
    pub(super) fn next(&mut self, now: Instant) -> Option<Duration> {
        let drop = Duration::from_secs(1) / KNOCKS_PER_SECOND;
        let passed = now.saturating_duration_since(self.filled);
        let fresh = u32::try_from(passed.as_nanos() / drop.as_nanos()).unwrap_or(u32::MAX);
        if fresh >= KNOCKS_AT_ONCE {
            *self = Self::new(now);
        } else {
            self.drops = KNOCKS_AT_ONCE.min(self.drops + fresh);
            self.filled += drop * fresh;
        }
        self.drops = self.drops.saturating_sub(1);
        (self.drops == 0).then_some(SLICE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many get in within `span` of those who knock without a pause.
    fn check(span: Duration, want: std::ops::RangeInclusive<u32>) {
        let start = Instant::now();
        let (mut pace, mut now, mut count) = (Pace::new(start), start, 0);
        while now < start + span {
            count += 1;
            now += pace.next(now).unwrap_or(Duration::from_micros(1));
        }
        assert!(want.contains(&count), "{count} in {span:?}");
    }

    #[test]
    fn many_may_come_at_once_but_not_for_ever() {
        check(Duration::from_micros(50), 50..=50);
        check(Duration::from_secs(1), 1_900..=2_100);
        check(Duration::from_secs(10), 19_000..=20_100);
    }

    #[test]
    fn those_who_come_now_and_then_never_wait() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..10_000 {
            now += Duration::from_millis(2);
            assert_eq!(pace.next(now), None);
        }
    }
}
