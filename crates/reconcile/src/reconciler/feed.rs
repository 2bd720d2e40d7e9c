//! One feed: the version in force, why a newer one is not, and where it is on
//! its way. What happens between feeds is not known here.

use std::time::{Duration, SystemTime};

use blocklist::{FeedName, Guard, Refusal};

use super::content::Content;
use super::event::{Fingerprint, Now, Report};
use super::settings::WhenStale;

/// Time until a feed is read again that changed while it was read.
const REREAD_UNSTABLE: Duration = Duration::from_millis(250);
/// How many times in a row that may happen before it counts as a refusal.
const UNSTABLE_MAX: u32 = 8;
/// Time until a feed is read again of which no copy could be kept.
pub(super) const REREAD_UNKEPT: Duration = Duration::from_secs(10);

/// One feed.
#[derive(Debug)]
pub struct FeedState {
    /// The version in force, if there ever was a good one.
    pub in_force: Option<Content>,
    /// Why the newest version is not it. Empty if it is.
    pub refusals: Vec<Refusal>,
    /// Since when the feed is in the standing that it is in.
    pub since: SystemTime,
    /// The file is gone, and the feed will be withdrawn at this time.
    pub gone: Option<Duration>,
    /// An earlier process knew the file to be gone since then.
    pub(super) gone_before: Option<SystemTime>,
    /// It was read since the start, or shown to be unreadable.
    pub(super) seen: bool,
    /// Its last good copy is damaged, and nothing good has come since.
    pub(super) lost: bool,
    /// How old its file is, by what it may be.
    pub age: Age,
    /// How old it may be, and what becomes of it then.
    pub(super) max_age: Option<(Duration, WhenStale)>,
    /// When the next of its entries end.
    pub(super) next_end: Option<SystemTime>,
    /// How many times in a row it changed while it was read.
    pub(super) unstable: u32,
    /// The file as it was when it was last read.
    pub(super) fingerprint: Option<Fingerprint>,
    /// A version that somebody accepted though guards refuse it.
    pub(super) waived: Option<Fingerprint>,
    pub(super) stage: Stage,
}

/// How old a feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Not older than it may be.
    Fresh,
    /// Older, and in force all the same.
    Stale,
    /// Older, and therefore not in force.
    Dropped,
}

/// Where a feed is on its way.
#[derive(Debug)]
pub(super) enum Stage {
    /// Nothing is to be done.
    Rest,
    /// It is to be read, not before this time.
    Wanted(Duration),
    /// It is being read.
    Reading,
    /// It passed its guards and is being kept.
    Keeping(Content),
}

/// Why an `accept` changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAcceptable {
    /// No such feed.
    #[error("there is no feed of this name in any list; `denyset status` lists them")]
    Unknown,
    /// Nothing was refused.
    #[error("nothing of this feed was refused, there is nothing to accept")]
    Nothing,
    /// The refusal is about the file, not about what it says.
    #[error("this cannot be accepted, it has to be mended; `denyset status` says what it is")]
    Mend,
}

impl FeedState {
    pub(super) fn new(since: SystemTime) -> Self {
        Self {
            in_force: None,
            refusals: Vec::new(),
            since,
            gone: None,
            gone_before: None,
            seen: false,
            lost: false,
            age: Age::Fresh,
            max_age: None,
            next_end: None,
            unstable: 0,
            fingerprint: None,
            waived: None,
            stage: Stage::Rest,
        }
    }

    /// A refused feed that is tried again later rests until then: a full disk
    /// may stay full for days.
    pub(super) fn at_rest(&self) -> bool {
        match self.stage {
            Stage::Rest => true,
            Stage::Wanted(_) => !self.refusals.is_empty(),
            Stage::Reading | Stage::Keeping(_) => false,
        }
    }

    /// When the feed becomes older than it may be.
    pub(super) fn stale_from(&self) -> Option<SystemTime> {
        let (max_age, _) = self.max_age?;
        self.in_force.as_ref()?.written.checked_add(max_age)
    }

    /// How old the feed is now.
    pub(super) fn age_at(&self, now: SystemTime) -> Age {
        match self.max_age {
            Some((_, fate)) if self.stale_from().is_some_and(|from| from <= now) => match fate {
                WhenStale::Keep => Age::Stale,
                WhenStale::Drop => Age::Dropped,
            },
            _ => Age::Fresh,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.stage, Stage::Reading | Stage::Keeping(_))
    }

    pub(super) fn read_due(&self, now: Now) -> bool {
        matches!(self.stage, Stage::Wanted(at) if at <= now.monotonic)
    }

    /// Whether nothing stands against a version, or nothing but what somebody
    /// accepted of this very version.
    pub(super) fn waives(&self, refusals: &[Refusal]) -> bool {
        let accepted = self.waived.is_some() && self.waived == self.fingerprint;
        refusals.is_empty()
            || accepted && refusals.iter().all(|refusal| refusal.guard.can_be_accepted())
    }

    /// The file could not be read whole. What passes by itself is tried again
    /// and told only when it does not pass.
    pub(super) fn not_read(
        &mut self,
        name: &FeedName,
        refusal: Refusal,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        let pause = match refusal.guard {
            Guard::Stable => Some(REREAD_UNSTABLE),
            Guard::Kept => Some(REREAD_UNKEPT),
            _ => None,
        };
        if let Some(pause) = pause {
            self.fingerprint = None;
            self.stage = Stage::Wanted(now.monotonic + pause);
        }
        self.unstable = if refusal.guard == Guard::Stable { self.unstable + 1 } else { 0 };
        if refusal.guard != Guard::Stable || self.unstable > UNSTABLE_MAX {
            self.refuse(name, vec![refusal], now, reports);
        } else if self.in_force.is_none() {
            self.seen = false;
        }
    }

    pub(super) fn refuse(
        &mut self,
        name: &FeedName,
        refusals: Vec<Refusal>,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        if self.refusals == refusals {
            return;
        }
        self.since = now.wall;
        self.refusals.clone_from(&refusals);
        let (feed, in_force) = (name.clone(), self.in_force.is_some());
        reports.push(Report::FeedRefused { feed, refusals, in_force });
    }
}
