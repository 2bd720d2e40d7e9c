//! The state directory: last good copies, notes of feeds that are gone, which
//! feeds make up each list, and copies that are laid down and not yet kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::FeedName;

use super::text::FeedText;
use crate::Random;

/// A copy of one version of a feed.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    /// What it says.
    pub(super) text: Arc<FeedText>,
    /// When the file was written that it is a copy of.
    pub(super) written: SystemTime,
    /// When it was accepted.
    pub(super) accepted: SystemTime,
    /// Whether it is not what was written, as its checksum tells.
    pub(super) damaged: bool,
}

/// What was found of a feed when copies were looked through.
#[derive(Clone, Debug)]
pub(super) enum FoundCopy {
    /// A good copy, and since when its file is gone, if that is noted.
    Good(Copy, Option<SystemTime>),
    /// A copy that is damaged, and what it would say.
    Damaged(Arc<FeedText>),
    /// A copy that cannot be read this time.
    Unreadable(Arc<FeedText>),
}

/// The feeds that make up a list, by what they are to it, and whether there may
/// have been others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct StoredMakeup {
    /// Those whose entries it holds.
    pub(super) deny: BTreeSet<FeedName>,
    /// Those whose entries it never holds.
    pub(super) allow: BTreeSet<FeedName>,
    /// Those of the first that leave it when their files are so old.
    pub(super) drops: BTreeMap<FeedName, Duration>,
    /// There may have been others.
    pub(super) doubt: bool,
}

/// The state directory.
#[derive(Clone, Debug, Default)]
pub(super) struct StateDirectory {
    /// Last good copies.
    pub(super) copies: BTreeMap<FeedName, Copy>,
    /// Feeds whose files are gone, since when.
    pub(super) gone: BTreeMap<FeedName, SystemTime>,
    /// Which feeds make up each list, if that was ever written down.
    pub(super) lists: Option<BTreeMap<String, StoredMakeup>>,
    /// It has no room.
    pub(super) full: bool,
    /// It cannot be looked through.
    pub(super) unreachable: bool,
    /// Of a hundred copies that are looked at, how many cannot be read this
    /// time.
    pub(super) errors_percent: usize,
    candidates: BTreeMap<u64, (FeedName, Copy)>,
    candidate: u64,
}

impl StateDirectory {
    /// Lays a copy down without keeping it. `None` if there is no room.
    pub(super) fn lay_down(&mut self, feed: &FeedName, copy: Copy) -> Option<u64> {
        if self.full {
            return None;
        }
        self.candidate += 1;
        self.candidates.insert(self.candidate, (feed.clone(), copy));
        Some(self.candidate)
    }

    /// Makes a copy that was laid down the last good one. False if it cannot.
    pub(super) fn keep(&mut self, candidate: u64, now: SystemTime) -> bool {
        let Some((feed, copy)) = self.candidates.remove(&candidate) else { return false };
        if !self.full {
            self.gone.remove(&feed);
            self.copies.insert(feed, Copy { accepted: now, ..copy });
        }
        !self.full
    }

    /// Throws a copy away that was laid down.
    pub(super) fn discard(&mut self, candidate: u64) {
        self.candidates.remove(&candidate);
    }

    /// Throws away the last good copy of a feed and what is noted of it.
    pub(super) fn forget(&mut self, feed: &FeedName) {
        self.copies.remove(feed);
        self.gone.remove(feed);
    }

    /// Notes that a feed's file is gone, or is back.
    pub(super) fn note_gone(&mut self, feed: &FeedName, since: Option<SystemTime>) {
        match since {
            Some(since) if !self.full => drop(self.gone.insert(feed.clone(), since)),
            Some(_) => {}
            None => drop(self.gone.remove(feed)),
        }
    }

    /// Notes when the file of the version that is kept was written again.
    pub(super) fn note_rewritten(&mut self, feed: &FeedName, number: u64, written: SystemTime) {
        let copy = self.copies.get_mut(feed).filter(|copy| copy.text.number == number);
        if let Some(copy) = copy.filter(|_| !self.full) {
            copy.written = written;
        }
    }

    /// Notes which feeds make up each list.
    pub(super) fn write_down(&mut self, lists: BTreeMap<String, StoredMakeup>) {
        // What cannot be replaced is removed: it would be believed.
        self.lists = (!self.full).then_some(lists);
    }

    /// Whether what made up the lists was never written down, or is lost.
    pub(super) fn is_blank(&self) -> bool {
        self.lists.is_none()
    }

    /// Whether this feed may make up any list, as far as that was written down.
    pub(super) fn may_name(&self, feed: &FeedName) -> bool {
        let names =
            |made_of: &StoredMakeup| made_of.deny.contains(feed) || made_of.allow.contains(feed);
        self.lists.as_ref().is_none_or(|lists| lists.values().any(names))
    }

    /// What is found of the feeds that are `wanted`. Damaged copies are set
    /// aside.
    pub(super) fn look_through(
        &mut self,
        random: &mut Random,
        wanted: impl Fn(&FeedName) -> bool,
    ) -> Vec<(FeedName, FoundCopy)> {
        let names: Vec<_> = self.copies.keys().filter(|name| wanted(name)).cloned().collect();
        let mut found = Vec::new();
        for name in names {
            let Some(copy) = self.copies.get(&name).cloned() else { continue };
            if copy.damaged {
                self.copies.remove(&name);
                found.push((name, FoundCopy::Damaged(copy.text)));
            } else if random.chance(self.errors_percent) {
                found.push((name, FoundCopy::Unreadable(copy.text)));
            } else {
                let gone = self.gone.get(&name).copied();
                found.push((name, FoundCopy::Good(copy, gone)));
            }
        }
        found
    }

    /// Everything that goes wrong with it is over.
    pub(super) fn calm(&mut self) {
        self.full = false;
        self.unreachable = false;
        self.errors_percent = 0;
    }

    /// Nobody holds what was laid down any more.
    pub(super) fn sweep(&mut self) {
        self.candidates.clear();
    }
}
