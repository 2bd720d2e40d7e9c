//! What the daemon has counted since it began: what guards have declined, and how
//! long it took to change the kernel. Nothing here is about what is so now.

use std::collections::BTreeMap;
use std::time::Duration;

use blocklist::{FeedName, Guard};

/// Pairs of a feed and a guard that are told apart at the most. More feeds than
/// that are not refused in the life of a daemon, unless somebody makes them up.
const REFUSALS_MAX: usize = 4_096;

/// Counts since the daemon began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DaemonCounts {
    /// Versions of feeds that were refused, by feed and by the guard that said so
    /// first.
    pub refusals: BTreeMap<(FeedName, Guard), u64>,
    /// Configurations that were refused for what they would have done to lists.
    pub configurations: u64,
    /// How long changes of the kernel took.
    pub applies: ApplyTimes,
}

impl DaemonCounts {
    /// Takes note of a version that was refused.
    pub fn refused(&mut self, feed: &FeedName, guard: Guard) {
        let key = (feed.clone(), guard);
        if self.refusals.len() < REFUSALS_MAX || self.refusals.contains_key(&key) {
            *self.refusals.entry(key).or_default() += 1;
        }
    }
}

/// How many changes took how long.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplyTimes {
    /// Those within each of [`Self::BOUNDS_MS`] and none before, and the others.
    counts: [u64; Self::BOUNDS_MS.len() + 1],
    /// All of them together.
    total: Duration,
}

impl ApplyTimes {
    /// From a few members in place to a set of millions, in milliseconds.
    pub const BOUNDS_MS: [u64; 11] = [1, 5, 10, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000];

    /// Takes note of a change.
    pub fn took(&mut self, time: Duration) {
        let within = |bound: &u64| time <= Duration::from_millis(*bound);
        let at = Self::BOUNDS_MS.iter().position(within).unwrap_or(Self::BOUNDS_MS.len());
        self.counts[at] += 1;
        self.total += time;
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took together.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// For each bound in milliseconds, how many took no longer.
    pub fn within(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        Self::BOUNDS_MS.into_iter().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(took_ms: &[u64], within: &[(u64, u64)], count: u64) {
        let mut times = ApplyTimes::default();
        for ms in took_ms {
            times.took(Duration::from_millis(*ms));
        }
        let changes: Vec<_> = times.within().collect();
        assert!(within.iter().all(|pair| changes.contains(pair)), "{changes:?}");
        assert_eq!((times.count(), changes.len()), (count, ApplyTimes::BOUNDS_MS.len()));
        assert_eq!(times.total(), Duration::from_millis(took_ms.iter().sum()));
    }

    #[test]
    fn a_change_counts_within_every_longer_time() {
        check(&[], &[(1, 0), (30_000, 0)], 0);
        check(&[1, 2, 250, 40_000], &[(1, 1), (5, 2), (100, 2), (250, 3), (30_000, 3)], 4);
    }

    #[test]
    fn refusals_are_told_apart_up_to_a_number() {
        let mut counted = DaemonCounts::default();
        let feed = |at: usize| FeedName::new(&format!("feed-{at}")).expect("a name");
        for at in 0..5_000 {
            counted.refused(&feed(at), Guard::Empty);
        }
        counted.refused(&feed(1), Guard::Empty);
        counted.refused(&feed(4_999), Guard::Empty);
        assert_eq!(counted.refusals.len(), REFUSALS_MAX);
        assert_eq!(counted.refusals[&(feed(1), Guard::Empty)], 2);
    }
}
