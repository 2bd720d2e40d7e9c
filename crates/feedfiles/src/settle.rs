//! When a changing directory has been quiet for long enough to be read.
//!
//! Pure: time is passed in, nothing is waited for here.

use std::time::{Duration, Instant};

/// Waits for a quiet time after the last change, but not for ever: a
/// directory in which something changes all the time is read as well.
#[derive(Clone, Debug)]
pub struct Settle {
    quiet: Duration,
    delay_max: Duration,
    /// The first and the last change that nobody has looked at yet.
    changes: Option<(Instant, Instant)>,
}

impl Settle {
    /// Settled is what did not change for `quiet`, or began to change
    /// `delay_max` ago.
    pub fn new(quiet: Duration, delay_max: Duration) -> Self {
        Self { quiet, delay_max: delay_max.max(quiet), changes: None }
    }

    /// Something changed.
    pub fn disturb(&mut self, now: Instant) {
        let first = self.changes.map_or(now, |(first, _)| first);
        self.changes = Some((first, now));
    }

    /// When to look. `None` if nothing changed since the last look.
    pub fn due(&self) -> Option<Instant> {
        self.changes.map(|(first, last)| (last + self.quiet).min(first + self.delay_max))
    }

    /// Whether it is time to look; if so, the changes count as looked at.
    pub fn take(&mut self, now: Instant) -> bool {
        let settled = self.due().is_some_and(|due| due <= now);
        if settled {
            self.changes = None;
        }
        settled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changes at these milliseconds; when it is due, with 250 ms of quiet
    /// and a second at most.
    fn check(changes_ms: &[u64], due_ms: Option<u64>) {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut settle = Settle::new(Duration::from_millis(250), Duration::from_secs(1));
        for &ms in changes_ms {
            settle.disturb(at(ms));
        }
        assert_eq!(settle.due(), due_ms.map(at), "{changes_ms:?}");
        if let Some(due_ms) = due_ms {
            assert!(!settle.take(at(due_ms - 1)), "{changes_ms:?}: too early");
            assert!(settle.take(at(due_ms)), "{changes_ms:?}: due");
            assert_eq!(settle.due(), None, "{changes_ms:?}: looked at");
        }
    }

    #[test]
    fn quiet_is_counted_from_the_last_change() {
        check(&[], None);
        check(&[0], Some(250));
        check(&[0, 100, 200], Some(450));
    }

    #[test]
    fn changes_without_end_do_not_put_it_off_for_ever() {
        check(&[0, 200, 400, 600, 800, 990], Some(1_000));
    }

    #[test]
    fn the_longest_delay_is_never_shorter_than_the_quiet_time() {
        let start = Instant::now();
        let mut settle = Settle::new(Duration::from_secs(5), Duration::from_secs(1));
        settle.disturb(start);
        assert_eq!(settle.due(), Some(start + Duration::from_secs(5)));
    }
}
