//! What happens to the reconciler and what it wants done, as data. An event
//! tells that something is so; an action asks for work whose end is an event.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Composition, Feed, FeedName, GuardPolicy, List, Prefixes, Refusal, Tally, judge};

use super::{Age, Content, Settings};
use crate::{Found, KernelError, Observed, Outcome, Plan, Probe, SetName, SetOutcome};

/// The two clocks, read at the same moment.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Time since some start that never changes; never runs backwards.
    pub monotonic: Duration,
    /// The time of day, only ever shown.
    pub wall: SystemTime,
}

/// What a file was like: device, inode, size, modified, changed. Equal means
/// that it need not be read again; what the numbers mean is not known here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(pub [u64; 5]);

/// A copy of a feed that was read but is not yet the last good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate(pub u64);

/// All feeds in the directory at one moment.
#[derive(Clone, Debug, Default)]
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
    /// Byte for byte the last good copy.
    Same,
    /// Something else.
    New {
        /// What it says.
        feed: Box<Feed>,
        /// Where the copy is that can be kept.
        candidate: Candidate,
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
    pub(super) fn candidate(&self) -> Option<Candidate> {
        match self {
            Self::New { candidate, .. } => Some(*candidate),
            _ => None,
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The last good copy of a feed was found at start. Comes before the
    /// first scan.
    Restored {
        /// The feed.
        feed: FeedName,
        /// Its last good version.
        content: Content,
        /// Since when its file was known to be gone, if it was.
        gone: Option<SystemTime>,
    },
    /// The last good copy of a feed was found damaged. Comes before the first
    /// scan.
    Damaged {
        /// The feed.
        feed: FeedName,
    },
    /// Something in the feeds directory has changed.
    FeedsChanged,
    /// The feeds directory was scanned, or why it could not be.
    Scanned(Result<Scan, String>),
    /// A feed was read.
    Read {
        /// The feed.
        feed: FeedName,
        /// What the file was like, if it could be looked at.
        fingerprint: Option<Fingerprint>,
        /// When the file was last modified, likewise.
        written: Option<SystemTime>,
        /// What it gave.
        reading: Reading,
    },
    /// A candidate was made the last good copy, or why it could not be.
    Kept {
        /// The feed.
        feed: FeedName,
        /// Whether it was.
        result: Result<(), Refusal>,
    },
    /// A list was put together.
    Composed {
        /// The list's name.
        list: String,
        /// What it holds.
        composition: Composition,
    },
    /// The kernel was observed.
    Observed(Result<Observed, KernelError>),
    /// A plan was carried out.
    Applied {
        /// What came of it.
        outcome: Outcome,
        /// What is known of the kernel now.
        observed: Observed,
    },
    /// Sets were probed.
    Probed(Vec<Probed>),
    /// There is a new configuration, or this host has new addresses.
    Reconfigured(Settings),
    /// Somebody asks that the kernel be observed again.
    Resync,
    /// Time has passed.
    Tick,
}

/// What probing one set gave.
#[derive(Debug)]
pub struct Probed {
    /// The set.
    pub set: SetName,
    /// What was found.
    pub result: Result<Found, KernelError>,
    /// How long it took, if the members were counted.
    pub counted_in: Option<Duration>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Scan the feeds directory.
    Scan,
    /// Read a feed, compare it with its last good copy and judge it.
    Read(Box<ReadOrder>),
    /// Make a candidate the last good copy.
    Keep(FeedName, Candidate),
    /// Throw a candidate away.
    Discard(Candidate),
    /// Throw the last good copy of a feed away.
    Forget(FeedName),
    /// Remember beyond the end of the process since when the file of a feed
    /// is gone, or that it is back.
    NoteGone(FeedName, Option<SystemTime>),
    /// Put a list together.
    Compose(Compose),
    /// Observe the kernel.
    Observe,
    /// Carry out a plan.
    Apply(Plan, Observed),
    /// Probe sets.
    Probe(Vec<Probe>),
    /// Send a tick at this monotonic time, and forget earlier wishes.
    WakeAt(Duration),
    /// Tell the administrator.
    Report(Report),
}

/// A feed to be read, and what it is judged by. To judge ten million entries
/// takes a while, so it belongs to the reading.
#[derive(Clone, Debug)]
pub struct ReadOrder {
    /// The feed.
    pub feed: FeedName,
    /// The counts of the version in force.
    pub previous: Option<Tally>,
    /// The guards.
    pub guard: GuardPolicy,
    /// What does not count as covered.
    pub protect: Prefixes,
}

impl ReadOrder {
    /// What the guards have against this version.
    pub fn judge(&self, feed: &Feed) -> Vec<Refusal> {
        let verdict = judge(feed, self.previous.as_ref(), &self.guard, &self.protect);
        verdict.err().unwrap_or_default()
    }
}

/// What a list is made of.
#[derive(Clone, Debug)]
pub struct Compose {
    /// The list.
    pub list: Arc<List>,
    /// The feeds in force.
    pub feeds: BTreeMap<FeedName, Arc<Prefixes>>,
    /// What the list must never hold.
    pub protect: Arc<Prefixes>,
}

/// What the administrator should know.
#[derive(Clone, Debug)]
pub enum Report {
    /// A new version of a feed is in force.
    FeedAccepted {
        /// The feed.
        feed: FeedName,
        /// Its counts.
        tally: Tally,
        /// The counts of the version before.
        previous: Option<Tally>,
    },
    /// A new version of a feed was refused, the last good one stays.
    FeedRefused {
        /// The feed.
        feed: FeedName,
        /// Why.
        refusals: Vec<Refusal>,
        /// Whether there is a last good version, which stays in force.
        in_force: bool,
    },
    /// A feed's file is gone; it stays in force for a while.
    FeedGone {
        /// The feed.
        feed: FeedName,
        /// For how long.
        stays: Duration,
    },
    /// A feed is older than it may be, or is not any more.
    FeedAged {
        /// The feed.
        feed: FeedName,
        /// How old it is now.
        age: Age,
    },
    /// A feed is not in force any more.
    FeedWithdrawn {
        /// The feed.
        feed: FeedName,
    },
    /// The feeds directory could not be scanned.
    ScanFailed {
        /// Why.
        reason: String,
    },
    /// It can be scanned again.
    ScanRecovered,
    /// A list holds something else than before.
    ListComposed {
        /// The list.
        list: String,
        /// IPv4 members.
        ipv4: usize,
        /// IPv6 members.
        ipv6: usize,
        /// Prefixes taken out because they are protected.
        protected: usize,
    },
    /// A set was changed, or could not be.
    SetApplied(SetOutcome),
    /// Somebody else changed a set of ours.
    Drifted {
        /// The set.
        set: SetName,
        /// What was noticed.
        drift: String,
    },
    /// Nothing can be done about a set.
    SetBlocked {
        /// The set.
        set: SetName,
        /// Why.
        obstacle: String,
    },
    /// The kernel could not be observed.
    KernelFailed(KernelError),
    /// Desired and observed are the same, after they were not.
    InSync,
}
