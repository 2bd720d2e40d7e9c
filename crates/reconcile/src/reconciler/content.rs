//! A version of a feed that is in force: what it contributes for ever, what
//! only for a time, and when it was written.

use std::sync::Arc;
use std::time::SystemTime;

use blocklist::{Feed, Format, Prefixes, Tally};

/// A version of a feed that passed its guards.
#[derive(Clone, Debug)]
pub struct Content {
    /// What it contributes now.
    pub prefixes: Arc<Prefixes>,
    /// Its counts.
    pub tally: Tally,
    /// The format it was read as.
    pub format: Format,
    /// When it was accepted.
    pub since: SystemTime,
    /// When its file was last modified. The times of its entries count from
    /// then.
    pub written: SystemTime,
    /// What it contributes for ever.
    lasting: Arc<Prefixes>,
    /// What it contributes until some time, the first to end first.
    ending: Arc<[(SystemTime, Prefixes)]>,
}

impl Content {
    /// The content of a feed that was written and accepted at these times, as
    /// it is `now`.
    pub fn new(feed: Feed, written: SystemTime, since: SystemTime, now: SystemTime) -> Self {
        let ending = feed.expiring.into_iter().filter_map(|(seconds, prefixes)| {
            let end = written.checked_add(std::time::Duration::from_secs(seconds))?;
            Some((end, prefixes))
        });
        let lasting = Arc::new(feed.prefixes);
        let mut content = Self {
            prefixes: lasting.clone(),
            tally: feed.tally,
            format: feed.format,
            since,
            written,
            lasting,
            ending: ending.collect(),
        };
        content.advance(now);
        content
    }

    /// Lets go what has ended by now.
    pub(super) fn advance(&mut self, now: SystemTime) {
        let left: Vec<_> = self
            .ending
            .iter()
            .filter(|(end, _)| *end > now)
            .map(|(_, prefixes)| prefixes)
            .collect();
        self.prefixes = if left.is_empty() {
            self.lasting.clone()
        } else {
            Arc::new(Prefixes::union(left.into_iter().chain([&*self.lasting])))
        };
    }

    /// When the next part of it ends after `now`.
    pub(super) fn next_end(&self, now: SystemTime) -> Option<SystemTime> {
        self.ending.iter().map(|(end, _)| *end).find(|end| *end > now)
    }

    /// The file is the same and was written again: its times begin anew. Says
    /// whether that may change what is in force.
    pub(super) fn rewritten(&mut self, written: SystemTime, now: SystemTime) -> bool {
        let Ok(later) = written.duration_since(self.written) else { return false };
        let ending = self.ending.iter();
        self.ending = ending.map(|(end, prefixes)| (*end + later, prefixes.clone())).collect();
        self.written = written;
        self.advance(now);
        !self.ending.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use blocklist::{Limits, parse};

    use super::*;

    fn content(now: SystemTime) -> Content {
        let read = |text: &str| parse(text.as_bytes(), Format::Plain, &Limits::default()).prefixes;
        let mut feed = parse(b"192.0.2.1\n", Format::Plain, &Limits::default());
        feed.expiring = BTreeMap::from([(10, read("192.0.2.2")), (60, read("192.0.2.3"))]);
        Content::new(feed, SystemTime::UNIX_EPOCH, now, now)
    }

    /// How many prefixes there are so many seconds after the feed was written,
    /// and when the next ones end.
    fn check(content: &mut Content, seconds: u64, count: usize, next: Option<u64>) {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        content.advance(at(seconds));
        assert_eq!(content.prefixes.len(), count, "after {seconds} s");
        assert_eq!(content.next_end(at(seconds)), next.map(at), "after {seconds} s");
    }

    #[test]
    fn entries_end_at_the_right_second() {
        let mut content = content(SystemTime::UNIX_EPOCH);
        check(&mut content, 0, 3, Some(10));
        check(&mut content, 9, 3, Some(10));
        check(&mut content, 10, 2, Some(60));
        check(&mut content, 60, 1, None);
    }

    #[test]
    fn a_file_that_is_written_again_begins_its_times_anew() {
        let mut content = content(SystemTime::UNIX_EPOCH);
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(30);
        content.rewritten(later, later);
        check(&mut content, 39, 3, Some(40));
        check(&mut content, 40, 2, Some(90));
        content.rewritten(SystemTime::UNIX_EPOCH, later);
        check(&mut content, 40, 2, Some(90));
    }

    #[test]
    fn what_had_ended_before_it_was_read_is_never_in_force() {
        let mut content = content(SystemTime::UNIX_EPOCH + Duration::from_secs(3600));
        check(&mut content, 3600, 1, None);
    }
}
