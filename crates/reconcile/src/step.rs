//! A plan as a value: for every object the steps from observed to desired, in
//! which phase each belongs, and why they are these. Nothing is decided here.

use std::fmt;

use crate::{Foreign, LaidOut, Members, Object, RuleSet, SetName, SetSpec, Shortage};

/// Everything that must change, object by object in order of name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// One for every live set that is desired or observed, and one for every
    /// shadow.
    pub objects: Vec<ObjectPlan>,
}

impl Plan {
    /// Whether nothing is to be done, now or after a rest.
    pub fn is_empty(&self) -> bool {
        self.objects.iter().all(ObjectPlan::is_settled)
    }

    /// Whether there is anything to be done now that rules would notice.
    pub fn is_urgent(&self) -> bool {
        self.steps().any(|planned| planned.phase.is_urgent())
    }

    /// Whether there is anything to be done now.
    pub fn has_work(&self) -> bool {
        self.steps().next().is_some()
    }

    /// Whether every set that rules may name is what it should be: what is
    /// left, if anything, is memory to be given back.
    pub fn is_in_sync(&self) -> bool {
        let matters = |object: &ObjectPlan| object.obstacle.is_some() || object.is_urgent();
        !self.objects.iter().any(matters)
    }

    /// Members to be written by all of it, for a progress bar.
    pub fn writes(&self) -> u64 {
        self.objects.iter().map(|object| object.cost.written).sum()
    }

    fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.objects.iter().flat_map(|object| &object.steps)
    }
}

/// What must change in one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPlan {
    /// The object.
    pub object: Object,
    /// Which way it goes.
    pub route: Route,
    /// Why this way.
    pub reason: Reason,
    /// Why nothing can be done, if nothing can.
    pub obstacle: Option<Obstacle>,
    /// What it costs.
    pub cost: Cost,
    /// The steps, in their order.
    pub steps: Vec<PlannedStep>,
    /// What the set holds afterwards, if it is one that is desired.
    pub after: Option<Members>,
    /// What `after` was laid out from.
    pub laid_out: Option<LaidOut>,
    /// How many members a hold keeps in the set that are not desired.
    pub withheld: u64,
    /// A few members that the set loses: whoever restores an older state brings them
    /// back.
    pub gone: Option<Members>,
    /// What keeps the steps from being taken: they fail with it before the first.
    pub shortage: Option<Shortage>,
}

impl ObjectPlan {
    /// A plan to leave the object as it is.
    pub(crate) fn nothing(object: Object, reason: Reason, after: Option<Members>) -> Self {
        let (route, cost) = (Route::None, Cost::default());
        Self {
            object,
            route,
            reason,
            obstacle: None,
            cost,
            steps: Vec::new(),
            after,
            laid_out: None,
            withheld: 0,
            gone: None,
            shortage: None,
        }
    }

    /// A plan that must wait.
    pub(crate) fn blocked(object: Object, obstacle: Obstacle, after: Option<Members>) -> Self {
        let plan = Self::nothing(object, Reason::Blocked, after);
        Self { obstacle: Some(obstacle), ..plan }
    }

    /// How many members the set will have.
    pub fn members(&self) -> usize {
        self.after.as_ref().map_or(0, Members::len)
    }

    /// Whether it is as it should be.
    pub fn is_settled(&self) -> bool {
        self.steps.is_empty() && self.obstacle.is_none()
    }

    fn is_urgent(&self) -> bool {
        self.steps.iter().any(|planned| planned.phase.is_urgent())
    }
}

/// What a plan for one object changes and writes, in members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Members that rules see afterwards and did not before.
    pub added: u64,
    /// Members that rules saw before and do not afterwards.
    pub deleted: u64,
    /// Members written to the kernel on the way. A swap writes all of them,
    /// whatever the difference is.
    pub written: u64,
    /// Bytes of kernel memory that it takes, about, before any are given back.
    pub memory: u64,
}

/// A step and when it is its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// The phase of the whole plan in which it is carried out.
    pub phase: Phase,
    /// What is done.
    pub step: Step,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a set, empty.
    Create(SetSpec),
    /// Fill a set that was just made.
    Fill {
        /// The set.
        set: SetName,
        /// With these.
        members: Members,
    },
    /// Read back what was filled in.
    Verify {
        /// The set as it was created.
        spec: SetSpec,
        /// What it must hold.
        members: Members,
    },
    /// Let rules see the shadow's members in place of the live set's.
    Swap {
        /// The shadow.
        shadow: SetName,
        /// The set that rules name.
        live: SetName,
    },
    /// Add members to a set that rules may see.
    Add {
        /// The set.
        set: SetName,
        /// What is missing.
        members: Members,
    },
    /// Delete members from a set that rules may see.
    Delete {
        /// The set.
        set: SetName,
        /// What is too much.
        members: Members,
    },
    /// Make the rules of a family these and no others.
    Put(RuleSet),
    /// Give a set that no list asks for the name of a shadow: from then on no
    /// rule can come to name it.
    Retire {
        /// The set.
        set: SetName,
        /// Its new name.
        shadow: SetName,
    },
    /// Empty a shadow, piece by piece. To destroy a full one would free a
    /// million members in one go with a CPU's packets waiting, and to flush it
    /// keeps the CPU and every other user of ipset as long.
    Release {
        /// The shadow.
        shadow: SetName,
        /// What it holds; `None` if that has to be read first.
        members: Option<Members>,
    },
    /// Remove an empty shadow.
    Destroy(SetName),
}

/// The order of a plan across all objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Remove what a crash has left behind, which also frees its memory.
    Sweep,
    /// Create what is not there, empty, so that rules may name it.
    Establish,
    /// Bring in everything new: fill, verify and swap, or add.
    Bring,
    /// Put rules in place, whose sets are there and filled by now, and take
    /// those away that are not wanted, whose sets may go then.
    Rule,
    /// Take out what is not wanted any more.
    Delete,
    /// Take away the names of sets that no list asks for.
    Retire,
    /// Give the memory of old members back. Whatever else there is to do goes
    /// first.
    Release,
}

impl Phase {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [
        Self::Sweep,
        Self::Establish,
        Self::Bring,
        Self::Rule,
        Self::Delete,
        Self::Retire,
        Self::Release,
    ];

    /// Whether rules could notice that it is not done.
    pub fn is_urgent(self) -> bool {
        self != Self::Release
    }
}

/// The way from observed to desired, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Nothing is to be done, or nothing can be.
    None,
    /// Create the set and fill it: no rule can name it yet.
    Create,
    /// Add what is missing, then delete what is too much.
    InPlace,
    /// Fill a shadow, verify it, swap.
    Swap,
    /// Remove the set.
    Destroy,
    /// Put rules in place, in one transaction.
    Put,
}

impl fmt::Display for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::None => "none",
            Self::Create => "create",
            Self::InPlace => "in-place",
            Self::Swap => "swap",
            Self::Destroy => "destroy",
            Self::Put => "put",
        })
    }
}

/// Why nothing can be done about an object.
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
    /// Rules let only members of this set through, and it would have none, nor
    /// has its list any of the other family.
    Nobody(SetName),
    /// Rules that ask this set would shut somebody out who must not be.
    ShutsOut(SetName),
}

/// Why an object is changed in this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Observed is what is desired.
    InSync,
    /// The set is not there.
    Missing,
    /// So few members differ that a new table would take longer.
    SmallChange,
    /// Many members are missing and none is too much, as after a flush by
    /// others.
    OnlyAdded,
    /// Too many members differ to change them one by one.
    LargeChange,
    /// The table or its limit is too small for what comes.
    Capacity,
    /// There is no memory for a second table.
    Memory,
    /// The configuration says so.
    Configured,
    /// The members could not be read.
    Unread,
    /// No list has this name any more.
    Unlisted,
    /// A shadow that a crash left behind.
    Orphan,
    /// A shadow that holds the members of before a swap.
    Replaced,
    /// The rules are not, or are not known to be, what they should be.
    Rules,
    /// See the obstacle.
    Blocked,
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::InSync => "in sync",
            Self::Missing => "the set does not exist",
            Self::SmallChange => "changing them one by one is cheaper",
            Self::OnlyAdded => "many members are missing and none is too much",
            Self::LargeChange => "many members change",
            Self::Capacity => "the table is too small for the new members",
            Self::Memory => "there is no memory for a second table",
            Self::Configured => "kernel.update says so",
            Self::Unread => "its members could not be read",
            Self::Unlisted => "no list has this name",
            Self::Orphan => "a shadow left behind",
            Self::Replaced => "the members of before the swap",
            Self::Rules => "the rules are not what they should be",
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
            Self::ShutsOut(set) => write!(
                out,
                "rules that ask set {set} would shut somebody out who must not be; its list says \
                 whom"
            ),
            Self::Nobody(set) => write!(
                out,
                "nobody is in {set}, and rules that let only its members through \
                 would shut everybody out"
            ),
            Self::Gate => out.write_str("nothing is removed before all feeds have been read once"),
        }
    }
}
