//! A version of a feed: what it is known by, what it contributes for ever and
//! what only for a time.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Contributed, Feed, Format, Prefixes, Tally};

use crate::Lifetimes;

/// What one version of a feed is known by: the same numbers mean the same bytes,
/// read the same way. What each of them is, is not known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(pub [u64; 3]);

/// A version of a feed that passed its guards. Copies share what is large.
#[derive(Clone, Debug)]
pub struct Version {
    /// Which one it is.
    pub id: Identity,
    /// Its counts.
    pub tally: Tally,
    /// The format it was read as.
    pub format: Format,
    /// When it was accepted, or last found in a file that was written again.
    pub since: SystemTime,
    /// When its file was last modified. The times of its entries count from
    /// then.
    pub written: SystemTime,
    lasting: Arc<Prefixes>,
    lifetimes: Arc<Lifetimes>,
    /// What ends at moments of its own, counted since 1970 and not from when the
    /// file was written.
    moments: Arc<Lifetimes>,
    /// What it lets in, if it has rules.
    exempted: Option<Arc<Prefixes>>,
}

impl Version {
    /// The version of a feed that was written and accepted at these times.
    pub fn new(id: Identity, feed: Feed, written: SystemTime, since: SystemTime) -> Self {
        Self {
            id,
            tally: feed.tally,
            format: feed.format,
            since,
            written,
            lasting: Arc::new(feed.prefixes),
            lifetimes: Arc::new(Lifetimes::new(feed.expiring)),
            moments: Arc::new(Lifetimes::new(feed.ends)),
            exempted: feed.exempted.map(Arc::new),
        }
    }

    /// What it gives to lists at this time of day, to those that it blocks for and
    /// to those that allow it.
    pub fn contributed_at(&self, now: SystemTime) -> Contributed {
        Contributed { blocks: self.prefixes_at(now), lets_in: self.exempted.clone() }
    }

    /// What it contributes at this time of day. Costs nothing if nothing in it
    /// ends, else one pass over what does.
    pub fn prefixes_at(&self, now: SystemTime) -> Arc<Prefixes> {
        if !self.has_lifetimes() {
            return self.lasting.clone();
        }
        let alive = self.lifetimes.alive(self.elapsed(now));
        let to_come = self.moments.alive(since_1970(now));
        if alive.is_empty() && to_come.is_empty() {
            return self.lasting.clone();
        }
        Arc::new(Prefixes::union([&*self.lasting, &alive, &to_come]))
    }

    /// Whether it contributes a prefix with this address in it at this time of
    /// day. Costs next to nothing.
    pub fn covers(&self, address: IpAddr, now: SystemTime) -> bool {
        let ending = || self.lifetimes.covers(address, self.elapsed(now));
        let to_come = || self.moments.covers(address, since_1970(now));
        self.lasting.contains(address)
            || !self.lifetimes.is_empty() && ending()
            || !self.moments.is_empty() && to_come()
    }

    /// Whether the clock changes what it contributes.
    pub fn has_lifetimes(&self) -> bool {
        !self.lifetimes.is_empty() || !self.moments.is_empty()
    }

    /// When the next part of it ends after `now`.
    pub fn next_end(&self, now: SystemTime) -> Option<SystemTime> {
        let lifetime = self.lifetimes.next_end(self.elapsed(now));
        let moment = self.moments.next_end(since_1970(now));
        let ends = [
            lifetime.and_then(|end| self.written.checked_add(end)),
            moment.and_then(|end| SystemTime::UNIX_EPOCH.checked_add(end)),
        ];
        ends.into_iter().flatten().min()
    }

    /// A clock that was set back to before the file was written lets nothing
    /// end.
    fn elapsed(&self, now: SystemTime) -> Duration {
        now.duration_since(self.written).unwrap_or_default()
    }
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use blocklist::{Contribution as _, Limits, Role, parse};

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn read(text: &str) -> Prefixes {
        parse(text.as_bytes(), Format::Plain, &Limits::default()).prefixes
    }

    fn version(written: u64) -> Version {
        let mut feed = parse(b"192.0.2.1\n", Format::Plain, &Limits::default());
        feed.expiring = BTreeMap::from([(10, read("192.0.2.2")), (60, read("192.0.2.3"))]);
        let id = Identity([10, 1, 1]);
        Version::new(id, feed, at(written), at(written))
    }

    /// How many prefixes there are at a second, and when the next ones end, of
    /// a file that was written at second 1,000.
    fn check(second: u64, count: usize, next: Option<u64>) {
        let version = version(1_000);
        assert_eq!(version.prefixes_at(at(second)).len(), count, "at {second}");
        assert_eq!(version.next_end(at(second)), next.map(at), "at {second}");
    }

    #[test]
    fn entries_end_at_the_right_second() {
        check(1_000, 3, Some(1_010));
        check(1_009, 3, Some(1_010));
        check(1_010, 2, Some(1_060));
        check(1_060, 1, None);
    }

    #[test]
    fn a_moment_comes_whenever_the_file_was_written() {
        let mut feed = parse(b"192.0.2.1\n", Format::Plain, &Limits::default());
        feed.expiring = BTreeMap::from([(10, read("192.0.2.2"))]);
        feed.ends = BTreeMap::from([(5_000, read("192.0.2.3")), (6_000, read("192.0.2.4"))]);
        for written in [1_000, 4_000] {
            let version = Version::new(Identity::default(), feed.clone(), at(written), at(written));
            assert_eq!(version.prefixes_at(at(4_999)).len(), 3);
            assert_eq!(version.prefixes_at(at(5_000)).len(), 2);
            assert_eq!(version.next_end(at(4_999)), Some(at(5_000)));
            assert_eq!(version.next_end(at(5_000)), Some(at(6_000)));
            assert_eq!(version.next_end(at(written)), Some(at(written + 10)));
            let [last, gone] = ["192.0.2.4", "192.0.2.3"].map(|text| text.parse().expect("one"));
            assert!(version.covers(last, at(5_999)) && !version.covers(gone, at(5_999)));
            assert!(version.has_lifetimes() && !version.covers(last, at(6_000)));
        }
    }

    #[test]
    fn rules_contribute_what_they_let_in_to_a_list_that_allows_them() {
        let text = b"allow 192.0.2.1; deny 198.51.100.0/24;\n";
        let feed = parse(text, Format::Nginx, &Limits::default());
        let version = Version::new(Identity::default(), feed, at(1), at(1));
        for (role, want) in [(Role::Allow, "192.0.2.1"), (Role::Deny, "198.51.100.0/24")] {
            let contributed = version.contributed_at(at(1));
            let prefixes = contributed.of_role(role);
            let shown: Vec<String> = prefixes.iter().map(|prefix| prefix.to_string()).collect();
            assert_eq!(shown, [want], "{role:?}");
        }
    }

    #[test]
    fn a_clock_that_runs_ahead_and_is_put_right_ends_nothing_for_good() {
        let version = version(1_000);
        assert_eq!(version.prefixes_at(at(9_000)).len(), 1);
        assert_eq!(version.prefixes_at(at(1_005)).len(), 3);
    }

    #[test]
    fn a_clock_from_before_the_file_was_written_ends_nothing() {
        check(5, 3, Some(1_010));
    }
}
