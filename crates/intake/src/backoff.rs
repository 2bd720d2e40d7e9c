//! How long to rest after failures: longer each time, up to a limit.

use std::time::Duration;

/// Failures in a row and the rest after the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// How many there were.
    pub failures: u32,
    /// Until when to rest.
    pub until: Duration,
}

impl Backoff {
    /// After one more failure than `earlier` at `now`: `min` after the first,
    /// twice as long after each further one, never longer than `max`.
    pub fn after(earlier: Option<Self>, now: Duration, min: Duration, max: Duration) -> Self {
        let failures = earlier.map_or(0, |earlier| earlier.failures).saturating_add(1);
        let pause = min.saturating_mul(1 << (failures - 1).min(16)).min(max);
        Self { failures, until: now + pause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rest_is_twice_as_long_up_to_the_limit() {
        let second = Duration::from_secs(1);
        let mut rest = None;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let next = Backoff::after(rest, Duration::ZERO, second, 60 * second);
            pauses.push(next.until.as_secs());
            rest = Some(next);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
