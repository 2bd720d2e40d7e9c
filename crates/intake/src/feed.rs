//! One feed: the version in force, why a newer one is not, and where it is on
//! its way. What happens between feeds is not known here.

use std::time::{Duration, SystemTime};

use blocklist::{FeedName, Guard, Refusal};

use crate::clock::TimeOfDay;
use crate::index::Summary;
use crate::{Age, Fingerprint, Identity, Loss, Now, Ticket, Version, WhenStale};

/// Time until a feed is read again that changed while it was read.
const REREAD_UNSTABLE: Duration = Duration::from_millis(250);
/// How many times in a row that may happen, after it was taken as it is, before
/// it counts as a refusal.
const UNSTABLE_MAX: u32 = 8;

/// One feed.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Debug)]
pub struct FeedState {
    /// The version in force, if there is one.
    pub version: Option<Version>,
    /// The newest version, if it is not that.
    pub refused: Option<Refused>,
    /// Since when the feed is in the standing that it is in.
    pub since: SystemTime,
    /// Its file is gone.
    pub gone: Option<Gone>,
    /// A version that was in force is lost, and nothing good has come since.
    pub loss: Option<Loss>,
    /// Why the version in force would not survive a restart.
    pub unkept: Option<Refusal>,
    /// How old its file is, by what it may be.
    pub age: Age,
    /// The last good reading was of a file that had been changing for too long
    /// to be waited for: what it held then may be a part.
    pub hurried: bool,
    /// How the reading that was asked for last is done.
    pub(crate) asked: Asked,
    /// An earlier process knew the file to be gone since then.
    pub(crate) gone_before: Option<SystemTime>,
    /// It was read since the start, or shown to be unreadable.
    pub(crate) seen: bool,
    /// A list in force must never hold what it says.
    pub(crate) excepts: bool,
    /// Somebody knows that it has no good version and lets it go.
    pub(crate) excused: bool,
    /// The version in force was judged while nobody could say what was in
    /// force before.
    pub(crate) blind: bool,
    /// How old it may be, and what becomes of it then.
    pub(crate) max_age: Option<(Duration, WhenStale)>,
    /// When the clock changes something next.
    pub(crate) next_wall: Option<SystemTime>,
    /// How many times in a row it changed while it was read, and since when.
    pub(crate) unstable: Option<(u32, Duration)>,
    /// The file as it was when it was last read.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// The file as a scan saw it while it was being read.
    pub(crate) meanwhile: Option<Fingerprint>,
    pub(crate) waiver: Option<Waiver>,
    pub(crate) stage: FeedStage,
}

/// A version that is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, at least one reason.
    pub refusals: Vec<Refusal>,
    /// Which version it is, if it could be read.
    pub id: Option<Identity>,
    /// The connections that it is refused for: when they have ended it is not
    /// any more.
    pub connections: Vec<u64>,
}

/// A file that is not there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// When the feed is withdrawn.
    pub leaves: Duration,
    /// The name that the file has now, if it is a feed of the same lists.
    pub renamed: Option<FeedName>,
    /// Somebody accepted that it goes.
    pub(crate) accepted: bool,
}

/// Somebody's word that one version is good though guards refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiver {
    /// The version that was seen to be refused.
    pub(crate) id: Identity,
    /// Who waits to hear what came of it, at least one.
    pub(crate) tickets: Vec<Ticket>,
}

/// How a feed is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Once it is quiet.
    Patiently,
    /// As it is: it has been changing for too long.
    Impatiently,
}

/// Where a feed is on its way.
#[derive(Debug)]
pub(crate) enum FeedStage {
    /// Nothing is to be done.
    Rest,
    /// It is to be read, not before this time.
    Wanted(Duration),
    /// It is to be read as soon as somebody has time.
    Queued,
    /// It is being read.
    Reading(Ticket),
    /// It passed its guards and is being kept.
    Keeping(Ticket, Box<Version>),
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
    /// What was refused is not what is there now, and that is good.
    #[error("there is a newer version by now, which is good and in force; nothing was accepted")]
    NewerInForce,
    /// What was refused is not what is there now.
    #[error(
        "there is a newer version by now, which is refused too: look at it with `denyset status` \
         and accept that"
    )]
    NewerRefused,
    /// The file is not there or cannot be read any more.
    #[error("the file cannot be read any more; `denyset status` says what it is")]
    Unreadable,
}

impl FeedState {
    pub(crate) fn new(since: SystemTime) -> Self {
        Self {
            version: None,
            refused: None,
            since,
            gone: None,
            loss: None,
            unkept: None,
            age: Age::Fresh,
            hurried: false,
            asked: Asked::Patiently,
            gone_before: None,
            seen: false,
            excepts: false,
            excused: false,
            blind: false,
            max_age: None,
            next_wall: None,
            unstable: None,
            fingerprint: None,
            meanwhile: None,
            waiver: None,
            stage: FeedStage::Rest,
        }
    }

    /// The refusals of the newest version, empty if it is in force.
    pub fn refusals(&self) -> &[Refusal] {
        self.refused.as_ref().map_or(&[], |refused| &refused.refusals)
    }

    /// Whether it is in force.
    pub fn in_force(&self) -> Option<&Version> {
        self.version.as_ref().filter(|_| self.age != Age::Dropped)
    }

    /// Whether the version in force was judged without the one before, because
    /// that could not be read.
    pub fn is_blind(&self) -> bool {
        self.blind && self.version.is_some()
    }

    /// How old its file may be before it is not in force any more.
    pub fn dropped_after(&self) -> Option<Duration> {
        self.max_age.filter(|(_, fate)| *fate == WhenStale::Drop).map(|(age, _)| age)
    }

    /// Whether it is too old to be in force, and would not be if it was dropped
    /// only at this age, or at none.
    pub fn is_dropped_unlike(&self, dropped_after: Option<Duration>, now: SystemTime) -> bool {
        let before = dropped_after.map(|age| (age, WhenStale::Drop));
        let stood = |version| Age::of(version, before, now) != Age::Dropped;
        self.age == Age::Dropped && self.version.as_ref().is_some_and(stood)
    }

    /// Whether there is something to it, and nothing good is known of it.
    pub fn is_unproven(&self) -> bool {
        self.version.is_none() && !self.excused && (self.loss.is_some() || self.refused.is_some())
    }

    /// Since when its file is gone, if it is.
    pub(crate) fn gone_since(&self) -> Option<SystemTime> {
        self.gone_before.filter(|_| self.gone.is_some())
    }

    /// Whether the refusal can be let through by a person's word.
    pub fn can_be_accepted(&self) -> bool {
        let acceptable = |refused: &Refused| {
            refused.refusals.iter().all(|refusal| refusal.guard.can_be_accepted())
        };
        self.refused.as_ref().is_some_and(acceptable) || self.is_unproven()
    }

    /// A refused feed that is tried again later rests until then: a full disk
    /// may stay full for days.
    pub(crate) fn at_rest(&self) -> bool {
        match self.stage {
            FeedStage::Rest => true,
            FeedStage::Wanted(_) => self.refused.is_some() || self.unkept.is_some(),
            FeedStage::Queued | FeedStage::Reading(_) | FeedStage::Keeping(..) => false,
        }
    }

    /// What the index knows of it.
    pub(crate) fn summary(&self, clock: TimeOfDay) -> Summary {
        let read = match self.stage {
            FeedStage::Wanted(at) => Some(at),
            _ => None,
        };
        // A refusal to withdraw it waits for a person, or for the others.
        let stuck = self.refusals().iter().any(|refusal| refusal.guard == Guard::Withdrawal);
        let leaves = self.gone.as_ref().filter(|gone| !stuck || gone.accepted);
        let leaves = leaves.map(|gone| gone.leaves);
        let wall = self.next_wall.map(|wall| clock.monotonic(wall));
        Summary {
            due: [read, leaves, wall].into_iter().flatten().min(),
            queued: matches!(self.stage, FeedStage::Queued),
            busy: matches!(self.stage, FeedStage::Reading(_) | FeedStage::Keeping(..)),
            unseen: self.is_unseen(),
            restless: !self.at_rest(),
            gone: self.gone.is_some(),
            in_force: self.version.is_some(),
            unproven: self.is_unproven(),
            awaited: self.excepts && self.version.is_none() && self.is_unseen(),
        }
    }

    /// Whether its file is there and nobody knows yet what it says.
    fn is_unseen(&self) -> bool {
        !self.seen && self.gone.is_none()
    }

    /// Finds out how old it is and when the clock changes something next. Says
    /// whether what it contributes may have changed.
    pub(crate) fn look_at_clock(&mut self, now: Now) -> bool {
        let Some(version) = &self.version else {
            self.next_wall = None;
            self.age = Age::Fresh;
            return false;
        };
        let ended = self.next_wall.is_some_and(|at| at <= now.wall) && version.has_lifetimes();
        let age = Age::of(version, self.max_age, now.wall);
        let next = [version.next_end(now.wall), Age::next_change(version, self.max_age, now.wall)];
        self.next_wall = next.into_iter().flatten().min();
        let before = std::mem::replace(&mut self.age, age);
        ended || (before == Age::Dropped) != (age == Age::Dropped)
    }

    /// The file could not be read whole. What passes by itself is tried again
    /// and told only when it does not pass. The refusal, if it is one.
    pub(crate) fn not_read(&mut self, refusal: Refusal, now: Now) -> Option<Refusal> {
        if refusal.guard != Guard::Stable {
            self.unstable = None;
            return Some(refusal);
        }
        self.fingerprint = None;
        self.stage = FeedStage::Wanted(now.monotonic + REREAD_UNSTABLE);
        let (times, since) = self.unstable.unwrap_or((0, now.monotonic));
        self.unstable = Some((times + 1, since));
        if self.version.is_none() {
            self.seen = false;
        }
        None
    }

    /// Whether it has been changing for so long that it is taken as it is.
    pub(crate) fn is_overdue(&self, patience: Duration, now: Now) -> bool {
        self.unstable.is_some_and(|(_, since)| since + patience <= now.monotonic)
    }

    /// Whether even that did not help for so long that it has to be told.
    pub(crate) fn is_hopeless(&self, patience: Duration, now: Now) -> bool {
        let often = self.unstable.is_some_and(|(times, _)| times > UNSTABLE_MAX);
        often && self.is_overdue(2 * patience, now)
    }
}
