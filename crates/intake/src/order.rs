//! What is wanted of those who touch files, and what they answer, as data.
//! Each question has a ticket, and its answer brings it back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Feed, FeedName, GuardPolicy, Prefixes, Refusal, Tally, judge};

use crate::{Identity, Rules, Ticket, Version};

/// The two clocks, read at the same moment.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Time since some start that never changes; never runs backwards.
    pub monotonic: Duration,
    /// The time of day. It may jump.
    pub wall: SystemTime,
}

/// What a file was like: device, inode, size, modified, changed. Equal means
/// that it need not be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(pub [u64; 5]);

impl Fingerprint {
    /// Whether both are of one file, whatever is in it.
    pub fn same_file(&self, other: &Self) -> bool {
        self.0[..2] == other.0[..2] && self.0[1] != 0
    }
}

/// A copy of a feed that was read but is not yet the last good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate(pub u64);

/// What is wanted. Everything that writes is done one after the other, in the
/// order in which it was wanted; the rest at any time and in any order.
#[derive(Clone, Debug)]
pub enum Order {
    /// Find last good copies. It sees everything that was written before.
    Recall(Ticket, RecallOrder),
    /// Scan the feeds directory.
    Scan(Ticket),
    /// Read a feed, compare it with its last good copy and judge it.
    Read(Ticket, Box<ReadOrder>),
    /// Write: make a candidate the last good copy.
    Keep(Ticket, FeedName, Candidate),
    /// Throw a candidate away.
    Discard(Candidate),
    /// Write: throw the last good copy of a feed away.
    Forget(FeedName),
    /// Write: remember beyond the end of the process since when the file of a
    /// feed is gone, or that it is back.
    NoteGone(FeedName, Option<SystemTime>),
    /// Write: remember likewise when the file of the version that is kept was
    /// written again, from which its lifetimes count.
    NoteRewritten(FeedName, Identity, SystemTime),
}

/// Of which feeds last good copies are looked for.
#[derive(Clone, Debug, Default)]
pub struct RecallOrder {
    /// Those that any of these rules takes in: the running ones, and those
    /// that may take their place.
    pub rules: Vec<Arc<Rules>>,
    /// But for these, of which a version is in force.
    pub known: BTreeSet<FeedName>,
}

impl RecallOrder {
    /// Whether this feed's copy is looked for.
    pub fn wants(&self, feed: &FeedName) -> bool {
        !self.known.contains(feed) && self.rules.iter().any(|rules| rules.uses(feed))
    }
}

/// A feed to be read, and what it is judged by. To judge ten million entries
/// takes a while, so it belongs to the reading.
#[derive(Clone, Debug)]
pub struct ReadOrder {
    /// The feed.
    pub feed: FeedName,
    /// The version in force. Only if the file is still that is it the same.
    pub known: Option<Identity>,
    /// The counts of the version in force.
    pub previous: Option<Tally>,
    /// The guards.
    pub guard: GuardPolicy,
    /// What does not count as covered.
    pub protect: Prefixes,
    /// The file has been changing for too long: it is taken as it is.
    pub impatient: bool,
}

impl ReadOrder {
    /// What the guards have against this version.
    pub fn judge(&self, feed: &Feed) -> Vec<Refusal> {
        let verdict = judge(feed, self.previous.as_ref(), &self.guard, &self.protect);
        verdict.err().unwrap_or_default()
    }
}

/// What came of an order.
#[derive(Debug)]
pub enum Answer {
    /// To [`Order::Recall`], or why the copies cannot be looked through.
    Recalled(Ticket, Result<Recalled, String>),
    /// To [`Order::Scan`], or why the directory cannot be looked through.
    Scanned(Ticket, Result<Scan, String>),
    /// To [`Order::Read`].
    Read {
        /// The order's.
        ticket: Ticket,
        /// The feed.
        feed: FeedName,
        /// What the file was like, if it could be looked at.
        fingerprint: Option<Fingerprint>,
        /// When the file was last modified, likewise.
        written: Option<SystemTime>,
        /// What it gave.
        reading: Reading,
    },
    /// To [`Order::Keep`]: whether the candidate is the last good copy now.
    Kept {
        /// The order's.
        ticket: Ticket,
        /// The feed.
        feed: FeedName,
        /// Whether it was, and survives a power cut.
        result: Result<(), Refusal>,
    },
}

/// What the state directory remembers.
#[derive(Debug, Default)]
pub struct Recalled {
    /// The good copies.
    pub versions: BTreeMap<FeedName, RecalledVersion>,
    /// Feeds that had a version in force of which there is no good copy.
    pub lost: BTreeMap<FeedName, Loss>,
    /// Which feeds made up the lists was never written down there, or cannot be
    /// read: it is a new directory, another one, or a damaged one.
    pub blank: bool,
    /// Which feeds made up each list when that was last written down.
    pub lists: BTreeMap<String, Makeup>,
}

/// A last good copy.
#[derive(Clone, Debug)]
pub struct RecalledVersion {
    /// What it says.
    pub version: Version,
    /// Since when its file is known to be gone, if it is.
    pub gone: Option<SystemTime>,
}

/// The feeds in force that made up a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Makeup {
    /// Those whose entries it holds.
    pub deny: BTreeSet<FeedName>,
    /// Those whose entries it must never hold.
    pub allow: BTreeSet<FeedName>,
    /// Those of the first that leave it when their files are so old.
    pub drops: BTreeMap<FeedName, Duration>,
    /// It is not known whether these were all: what the kernel holds of the
    /// list counts until a person has said otherwise.
    pub doubt: bool,
}

/// How the last good version of a feed was lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Loss {
    /// There is a copy, and it is not what was written.
    #[error("its last good copy is damaged: {0}")]
    Damaged(String),
    /// There is none any more.
    #[error("its last good copy is gone from state-dir")]
    Missing,
    /// There is one that cannot be read now. It is tried again.
    #[error("its last good copy cannot be read now: {0}")]
    Unreadable(String),
}

/// All feeds in the directory at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The feeds that are there.
    pub feeds: BTreeMap<FeedName, Fingerprint>,
    /// Folders below the feeds directory that could not be read, with a
    /// closing slash: nothing is known of the feeds in them.
    pub unreadable: Vec<String>,
}

/// What reading a feed gave.
#[derive(Clone, Debug)]
pub enum Reading {
    /// The version that the order named, byte for byte, and its copy is good.
    Same(Identity),
    /// Something else, or the copy is not there.
    New {
        /// What it says.
        feed: Box<Feed>,
        /// Which version it is.
        id: Identity,
        /// Where the copy is that can be kept, or why there is none.
        candidate: Result<Candidate, Refusal>,
        /// What [`ReadOrder::judge`] says of it.
        refusals: Vec<Refusal>,
    },
    /// It could not be read, or not whole.
    Refused(Refusal),
    /// It is not there any more.
    Vanished,
}

impl Reading {
    /// The copy that comes with it.
    pub(crate) fn candidate(&self) -> Option<Candidate> {
        match self {
            Self::New { candidate, .. } => candidate.as_ref().ok().copied(),
            _ => None,
        }
    }
}
