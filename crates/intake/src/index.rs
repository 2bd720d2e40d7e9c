//! Which feeds are in which state, so that nobody has to look through all of
//! them: a directory may have fifty thousand.

use std::collections::BTreeSet;
use std::time::Duration;

use blocklist::FeedName;

/// What of a feed's state others ask for.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// When something is to be done about it without an answer.
    pub(crate) due: Option<Duration>,
    pub(crate) queued: bool,
    pub(crate) busy: bool,
    pub(crate) unseen: bool,
    pub(crate) restless: bool,
    pub(crate) gone: bool,
    pub(crate) in_force: bool,
    pub(crate) unproven: bool,
    pub(crate) awaited: bool,
}

/// Feeds by what of their state is so.
#[derive(Debug, Default)]
pub(crate) struct Index {
    due: BTreeSet<(Duration, FeedName)>,
    pub(crate) queued: BTreeSet<FeedName>,
    pub(crate) busy: BTreeSet<FeedName>,
    pub(crate) unseen: BTreeSet<FeedName>,
    pub(crate) restless: BTreeSet<FeedName>,
    pub(crate) gone: BTreeSet<FeedName>,
    pub(crate) unproven: BTreeSet<FeedName>,
    pub(crate) awaited: BTreeSet<FeedName>,
    /// How many have a version in force.
    pub(crate) in_force: usize,
}

impl Index {
    /// A feed was in the one state and is in the other. One that is not there
    /// has the default.
    pub(crate) fn note(&mut self, feed: &FeedName, before: Summary, after: Summary) {
        if before == after {
            return;
        }
        if before.due != after.due {
            before.due.map(|at| self.due.remove(&(at, feed.clone())));
            after.due.map(|at| self.due.insert((at, feed.clone())));
        }
        let sets = [
            (&mut self.queued, before.queued, after.queued),
            (&mut self.busy, before.busy, after.busy),
            (&mut self.unseen, before.unseen, after.unseen),
            (&mut self.restless, before.restless, after.restless),
            (&mut self.gone, before.gone, after.gone),
            (&mut self.unproven, before.unproven, after.unproven),
            (&mut self.awaited, before.awaited, after.awaited),
        ];
        for (set, was, is) in sets {
            match (was, is) {
                (false, true) => drop(set.insert(feed.clone())),
                (true, false) => drop(set.remove(feed)),
                _ => {}
            }
        }
        self.in_force += usize::from(after.in_force);
        self.in_force -= usize::from(before.in_force);
    }

    /// The feeds of which something is due by now.
    pub(crate) fn due_by(&self, now: Duration) -> Vec<FeedName> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, feed)| feed.clone()).collect()
    }

    /// When something is due next.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_is_found_by_what_it_is_and_no_longer_by_what_it_was() {
        let feed = FeedName::new("a").expect("a name");
        let at = Duration::from_secs;
        let mut index = Index::default();
        let none = Summary::default();
        let wanted = Summary { due: Some(at(5)), restless: true, in_force: true, ..none };
        index.note(&feed, none, wanted);
        assert_eq!((index.due_by(at(4)), index.next_due()), (vec![], Some(at(5))));
        assert_eq!(index.due_by(at(5)), std::slice::from_ref(&feed));
        let busy = Summary { due: None, busy: true, ..wanted };
        index.note(&feed, wanted, busy);
        assert_eq!((index.next_due(), index.busy.len(), index.in_force), (None, 1, 1));
        index.note(&feed, busy, none);
        assert!(index.busy.is_empty() && index.restless.is_empty() && index.in_force == 0);
    }
}
