//! What an administrator should know of sources, as facts. How it is said is
//! decided where it is shown.

use std::time::Duration;

use blocklist::{FeedName, Refusal, Tally};

use crate::{Age, Loss};

/// Something that happened to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceReport {
    /// A new version of a feed is in force.
    Accepted {
        /// The feed.
        feed: FeedName,
        /// Its counts.
        tally: Tally,
        /// The counts of the version before.
        previous: Option<Tally>,
    },
    /// A new version of a feed was refused, the last good one stays.
    Refused {
        /// The feed.
        feed: FeedName,
        /// Why.
        refusals: Vec<Refusal>,
        /// Whether there is a last good version, which stays in force.
        in_force: bool,
    },
    /// A version is in force that would not survive a restart.
    NotKept {
        /// The feed.
        feed: FeedName,
        /// Why there is no copy.
        refusal: Refusal,
    },
    /// There is a copy of the version in force after all.
    KeptAgain {
        /// The feed.
        feed: FeedName,
    },
    /// The last good version of a feed is lost.
    Lost {
        /// The feed.
        feed: FeedName,
        /// How.
        loss: Loss,
    },
    /// A feed's file is gone; it stays in force for a while.
    Gone {
        /// The feed.
        feed: FeedName,
        /// For how long.
        stays: Duration,
    },
    /// A feed's file has another name now, under which it is in force.
    Renamed {
        /// The feed, by the name that is gone.
        feed: FeedName,
        /// By the new one.
        to: FeedName,
    },
    /// A feed is older than it may be, or is not any more.
    Aged {
        /// The feed.
        feed: FeedName,
        /// How old it is now.
        age: Age,
    },
    /// A feed is not in force any more.
    Withdrawn {
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
    /// The last good copies could not be looked through.
    RecallFailed {
        /// Why.
        reason: String,
    },
    /// The clock of the host was set.
    ClockSet {
        /// By how much, and whether ahead.
        by: Duration,
        /// Or back.
        ahead: bool,
    },
}
