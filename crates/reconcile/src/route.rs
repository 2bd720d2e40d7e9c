//! A plan as a value: for every set the route from observed to desired, and
//! why it is that one. Nothing is decided here.

use std::fmt;

use crate::{Foreign, Members, SetName, SetSpec};

/// Everything that must change, set by set in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One for every live set that is desired or observed, and one for every
    /// orphan shadow.
    pub sets: Vec<SetPlan>,
}

impl Plan {
    /// Whether nothing is to be done, now or after a rest.
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(|set| matches!(set.route, Route::None))
    }

    /// Whether there is anything that [`crate::apply()`] would do now.
    pub fn has_work(&self) -> bool {
        self.sets.iter().any(|set| !matches!(set.route, Route::None | Route::Blocked(_)))
    }

    /// Members to be written by all of it, for a progress bar.
    pub fn writes(&self) -> u64 {
        self.sets.iter().map(|set| set.route.writes()).sum()
    }
}

/// What must change in one set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetPlan {
    /// The set.
    pub set: SetName,
    /// How.
    pub route: Route,
    /// Why this way.
    pub reason: Reason,
    /// How many members the set will have.
    pub members: usize,
}

/// The way from observed to desired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nothing to do.
    None,
    /// Nothing can be done: somebody else's set has the name, the set rests,
    /// or a rule holds what should go.
    Blocked(Obstacle),
    /// Create the set empty, fill a shadow, swap: even a new set is never
    /// seen half filled.
    Create {
        /// The empty set under its own name.
        live: SetSpec,
        /// The shadow, if there are members.
        shadow: Option<SetSpec>,
        /// What goes in.
        target: Members,
    },
    /// Add what is missing, then delete what is too much.
    InPlace {
        /// Members to add.
        add: Members,
        /// Members to delete.
        delete: Members,
        /// What the set holds afterwards.
        target: Members,
    },
    /// Fill a shadow, verify it, swap, release the old members.
    Swap {
        /// The shadow.
        shadow: SetSpec,
        /// What the set holds afterwards.
        target: Members,
        /// What it holds now, if that is known.
        before: Option<Members>,
    },
    /// Remove the set.
    Destroy {
        /// How many members go with it, as last counted.
        elements: u32,
    },
}

/// The kind of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// [`Route::None`] or [`Route::Blocked`].
    None,
    /// [`Route::Create`].
    Create,
    /// [`Route::InPlace`].
    InPlace,
    /// [`Route::Swap`].
    Swap,
    /// [`Route::Destroy`].
    Destroy,
}

impl fmt::Display for RouteKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::None => "none",
            Self::Create => "create",
            Self::InPlace => "in-place",
            Self::Swap => "swap",
            Self::Destroy => "destroy",
        })
    }
}

impl Route {
    /// Which kind it is.
    pub fn kind(&self) -> RouteKind {
        match self {
            Self::None | Self::Blocked(_) => RouteKind::None,
            Self::Create { .. } => RouteKind::Create,
            Self::InPlace { .. } => RouteKind::InPlace,
            Self::Swap { .. } => RouteKind::Swap,
            Self::Destroy { .. } => RouteKind::Destroy,
        }
    }

    /// How many members are written to the kernel on the way. A swap writes
    /// all of them, whatever the difference is.
    pub fn writes(&self) -> u64 {
        match self {
            Self::Create { target, .. } | Self::Swap { target, .. } => target.len() as u64,
            Self::InPlace { add, delete, .. } => (add.len() + delete.len()) as u64,
            Self::None | Self::Blocked(_) | Self::Destroy { .. } => 0,
        }
    }

    /// How many members are added to what rules see.
    pub fn added(&self) -> u64 {
        match self {
            Self::Create { target, .. } => target.len() as u64,
            Self::InPlace { add, .. } => add.len() as u64,
            Self::Swap { target, before, .. } => {
                before.as_ref().map_or(target.len(), |before| target.difference(before).len())
                    as u64
            }
            Self::None | Self::Blocked(_) | Self::Destroy { .. } => 0,
        }
    }

    /// How many members are deleted from what rules see.
    pub fn deleted(&self) -> u64 {
        match self {
            Self::InPlace { delete, .. } => delete.len() as u64,
            Self::Swap { target, before, .. } => {
                before.as_ref().map_or(0, |before| before.difference(target).len()) as u64
            }
            Self::Destroy { elements } => u64::from(*elements),
            Self::None | Self::Blocked(_) | Self::Create { .. } => 0,
        }
    }
}

/// Why nothing can be done about a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Somebody else's set has this name.
    Foreign(Foreign),
    /// It failed a moment ago and is tried again later.
    Resting,
    /// It should go, but rules refer to it: taking its members out would open
    /// what those rules close.
    Referenced(u32),
    /// It should go, but the picture of the feeds is not complete.
    Gate,
}

/// Why a set is changed in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Observed is what is desired.
    InSync,
    /// The set is not there.
    Missing,
    /// Few members differ.
    SmallChange,
    /// Too many members differ to change them one by one.
    LargeChange,
    /// The table or its limit is too small for what comes.
    Capacity,
    /// The configuration says so.
    Configured,
    /// The members could not be read.
    Unread,
    /// No list has this name any more.
    Unlisted,
    /// A shadow that a crash left behind.
    Orphan,
    /// See the obstacle.
    Blocked,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::InSync => "in sync",
            Self::Missing => "the set does not exist",
            Self::SmallChange => "few members change",
            Self::LargeChange => "many members change",
            Self::Capacity => "the table is too small for the new members",
            Self::Configured => "kernel.update says so",
            Self::Unread => "its members could not be read",
            Self::Unlisted => "no list has this name",
            Self::Orphan => "a shadow left behind",
            Self::Blocked => "blocked",
        })
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(foreign) => write!(
                out,
                "a set of this name belongs to somebody else: {foreign}; \
                 rename or destroy it, or choose another kernel.set-prefix"
            ),
            Self::Resting => out.write_str("it failed a moment ago and is tried again soon"),
            Self::Referenced(count) => write!(
                out,
                "no list has this name, but {count} rules or sets refer to it: \
                 it stays in force until they are removed"
            ),
            Self::Gate => out.write_str("nothing is removed before all feeds have been read once"),
        }
    }
}
