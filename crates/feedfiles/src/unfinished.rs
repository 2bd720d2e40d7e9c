//! Which feeds' files are being written by somebody who has not closed them
//! yet. A download that stalls is quiet, and half a feed all the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use blocklist::FeedName;

/// A writer that has written nothing for so long counts as gone: the end of
/// its work may have been missed, or is never told (`truncate(2)` of a path).
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Files that are remembered; of others it is not known.
const FILES_MAX: usize = 4_096;

/// The feeds whose files are being written, and when something was last
/// written. All clones are one.
#[derive(Clone, Debug, Default)]
pub struct Unfinished(Arc<Mutex<HashMap<FeedName, Instant>>>);

impl Unfinished {
    /// Whether the feed's file is being written.
    pub fn has(&self, feed: &FeedName) -> bool {
        self.has_at(feed, Instant::now())
    }

    fn has_at(&self, feed: &FeedName, now: Instant) -> bool {
        self.files().get(feed).is_some_and(|last| now.duration_since(*last) < SILENCE_MAX)
    }

    /// Something was written to a file.
    pub(super) fn written(&self, feed: FeedName, now: Instant) {
        let mut files = self.files();
        if files.len() >= FILES_MAX && !files.contains_key(&feed) {
            files.retain(|_, last| now.duration_since(*last) < SILENCE_MAX);
        }
        if files.len() < FILES_MAX || files.contains_key(&feed) {
            files.insert(feed, now);
        }
    }

    /// Whoever wrote to a file has closed it, or it has gone or come whole.
    pub(super) fn done(&self, feed: &FeedName) {
        self.files().remove(feed);
    }

    /// Nothing is known any more: writes are not told.
    pub fn forget_all(&self) {
        self.files().clear();
    }

    fn files(&self) -> MutexGuard<'_, HashMap<FeedName, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_unfinished_until_it_is_closed_or_nobody_writes_any_more() {
        let feed = |name: &str| FeedName::new(name).expect("a name");
        let (unfinished, start) = (Unfinished::default(), Instant::now());
        unfinished.written(feed("a"), start);
        unfinished.written(feed("b"), start);
        unfinished.done(&feed("b"));
        let check = |name, seconds, want| {
            assert_eq!(unfinished.has_at(&feed(name), start + Duration::from_secs(seconds)), want);
        };
        check("a", 59, true);
        check("a", 60, false);
        check("b", 0, false);
    }

    #[test]
    fn no_more_files_are_remembered_than_there_is_room_for() {
        let (unfinished, start) = (Unfinished::default(), Instant::now());
        for number in 0..2 * FILES_MAX {
            unfinished.written(FeedName::new(&number.to_string()).expect("a name"), start);
        }
        assert_eq!(unfinished.files().len(), FILES_MAX);
        unfinished.written(FeedName::new("late").expect("a name"), start + SILENCE_MAX);
        assert_eq!(unfinished.files().len(), 1);
    }
}
