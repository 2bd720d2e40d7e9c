//! How old a feed is, by when its file was last written. Both clocks are other
//! people's: a file from the future is not fresh for ever.

use std::time::{Duration, SystemTime};

use crate::{Version, WhenStale};

/// A file that was written so much after now has a wrong time, or we have.
const FUTURE_MIN: Duration = Duration::from_secs(300);

/// How old a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Not older than it may be.
    Fresh,
    /// The same as far as anybody can tell: its file is from the future, and
    /// so its age is counted from when it was accepted.
    Future,
    /// Older, and in force all the same.
    Stale,
    /// Older, and therefore not in force.
    Dropped,
}

impl Age {
    /// How old a version is now.
    pub fn of(version: &Version, limit: Option<(Duration, WhenStale)>, now: SystemTime) -> Self {
        match limit {
            Some((max_age, fate)) if stale_from(version, max_age).is_some_and(|at| at <= now) => {
                match fate {
                    WhenStale::Keep => Self::Stale,
                    WhenStale::Drop => Self::Dropped,
                }
            }
            _ if is_future(version.written, now) => Self::Future,
            _ => Self::Fresh,
        }
    }

    /// When that will be another, after `now`.
    pub fn next_change(
        version: &Version,
        limit: Option<(Duration, WhenStale)>,
        now: SystemTime,
    ) -> Option<SystemTime> {
        let stale = limit.and_then(|(max_age, _)| stale_from(version, max_age));
        let past = version.written.checked_sub(FUTURE_MIN);
        [stale, past].into_iter().flatten().filter(|at| *at > now).min()
    }
}

fn is_future(written: SystemTime, now: SystemTime) -> bool {
    written.checked_sub(FUTURE_MIN).is_some_and(|from| from > now)
}

/// When a version becomes older than it may be.
fn stale_from(version: &Version, max_age: Duration) -> Option<SystemTime> {
    let counted_from =
        if is_future(version.written, version.since) { version.since } else { version.written };
    counted_from.checked_add(max_age)
}

#[cfg(test)]
mod tests {
    use blocklist::{Format, Limits, parse};

    use super::*;
    use crate::Identity;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The age at a second of a version that was written and accepted at such
    /// seconds and may be 1,000 seconds old, and when it changes.
    fn check(written: u64, since: u64, now: u64, want: Age, next: Option<u64>) {
        let feed = parse(b"192.0.2.1\n", Format::Plain, &Limits::default());
        let id = Identity::default();
        let version = Version::new(id, feed, at(written), at(since));
        let limit = Some((Duration::from_secs(1_000), WhenStale::Drop));
        assert_eq!(Age::of(&version, limit, at(now)), want, "{written} {since} {now}");
        assert_eq!(Age::next_change(&version, limit, at(now)), next.map(at));
    }

    #[test]
    fn a_feed_is_fresh_until_its_second() {
        check(50_000, 50_010, 50_999, Age::Fresh, Some(51_000));
        check(50_000, 50_010, 51_000, Age::Dropped, None);
    }

    #[test]
    fn a_file_from_the_future_ages_from_when_it_was_accepted() {
        check(99_000, 50_000, 50_500, Age::Future, Some(51_000));
        check(99_000, 50_000, 51_000, Age::Dropped, Some(98_700));
    }

    #[test]
    fn a_few_minutes_ahead_are_no_future() {
        check(50_200, 50_000, 50_000, Age::Fresh, Some(51_200));
    }
}
