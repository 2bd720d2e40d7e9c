//! Why the sets of a list are kept from what its feeds say: less is known than
//! when their members were put in.

use std::fmt;

use blocklist::{FeedName, Glob};
use reconcile::Hold;

use crate::{Slip, SlipKind};

/// How a list is held, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// How.
    pub hold: Hold,
    /// Why.
    pub why: HoldReason,
}

impl Held {
    /// What shuts out its members gains none, what shuts out others loses none.
    pub(crate) fn of_shut_out(slips: &[Slip]) -> Self {
        let as_member = |slip: &Slip| match slip.kind {
            SlipKind::ShutsOut { is_member, .. } => is_member,
            _ => false,
        };
        let hold = if slips.iter().any(as_member) { Hold::Frozen } else { Hold::AddOnly };
        Self { hold, why: HoldReason::ShutsOut(slips.to_vec()) }
    }
}

/// Why a list is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldReason {
    /// Not all of its feeds have been read since the start.
    Unread,
    /// No good version is known of this feed, though it may have been in force.
    Unproven(FeedName),
    /// The same of a feed that says what the list must never hold.
    UnprovenException(FeedName),
    /// A feed that says what the list must never hold has not been read yet.
    UnreadException(FeedName),
    /// The state directory does not say what was in force, and the kernel holds
    /// more than the feeds that are there account for.
    Forgotten {
        /// Members in the kernel.
        had: u64,
        /// Members of these that would go.
        lost: u64,
    },
    /// Feeds that made up the list are not in it any more by the configuration,
    /// which does not take them in or drops them for their age, and too much
    /// would go with them.
    TakenOut {
        /// Members in the kernel.
        had: u64,
        /// Members of these that would go.
        lost: u64,
    },
    /// A glob of what the list must never hold matches nothing any more.
    NoException(Glob),
    /// Somebody would newly be shut out who must not be.
    ShutsOut(Vec<Slip>),
}

impl HoldReason {
    /// Whether it is more than a stage that passes by itself.
    pub fn is_worth_telling(&self) -> bool {
        !matches!(
            self,
            Self::Unread
                | Self::UnreadException(_)
                | Self::Forgotten { lost: 0, .. }
                | Self::TakenOut { lost: 0, .. }
        )
    }

    /// The feed whose acceptance ends it; else it is the configuration's.
    pub fn feed(&self) -> Option<&FeedName> {
        match self {
            Self::Unproven(feed) | Self::UnprovenException(feed) => Some(feed),
            _ => None,
        }
    }
}

impl fmt::Display for HoldReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread => out.write_str("not all of its feeds have been read since the start"),
            Self::Unproven(feed) => write!(
                out,
                "feed {feed} has no good version, and what the kernel holds of it is all there is"
            ),
            Self::UnprovenException(feed) => {
                write!(out, "feed {feed}, which says what must not be in it, has no good version")
            }
            Self::UnreadException(feed) => {
                write!(out, "feed {feed}, which says what must not be in it, is not read yet")
            }
            Self::Forgotten { had, lost } => write!(
                out,
                "state-dir does not know what was in force, and {lost} of the {had} members in \
                 the kernel are in no feed"
            ),
            Self::TakenOut { had, lost } => write!(
                out,
                "the configuration does not take in feeds that made it up, or drops them for \
                 their age, and {lost} of its {had} members would go with them"
            ),
            Self::NoException(glob) => {
                write!(out, "`{glob}` in its `allow` matches no feed any more")
            }
            Self::ShutsOut(slips) => {
                let told: Vec<_> = slips.iter().map(ToString::to_string).collect();
                out.write_str(&told.join("; "))
            }
        }
    }
}
