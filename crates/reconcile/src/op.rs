//! The ops: all that may ever be done to the kernel, as data. What is not an
//! op cannot happen; there is none that names a foreign set, or no set.

use blocklist::Family;

use crate::{Chunk, SetName};

/// One change to the kernel. An op is applied whole or not, except
/// [`Op::Add`] and [`Op::Delete`], which stop at the first member that fails
/// and leave those before it applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Creates a set; fails with `Exists` if the name is taken, whatever by.
    Create(SetSpec),
    /// Adds members.
    Add {
        /// The set.
        set: SetName,
        /// The members.
        chunk: Chunk,
        /// What is to be thought of a member that is there already.
        presence: Presence,
    },
    /// Deletes members. One that is not there is no error.
    Delete {
        /// The set.
        set: SetName,
        /// The members.
        chunk: Chunk,
    },
    /// Exchanges the contents of two sets, mark and capacity included; names
    /// and references stay.
    Swap {
        /// The set that was filled.
        shadow: SetName,
        /// The set that rules refer to.
        live: SetName,
    },
    /// Gives a set the free name of a shadow; fails with `Busy` while anything
    /// refers to it.
    Retire {
        /// The set.
        set: SetName,
        /// Its new name.
        shadow: SetName,
    },
    /// Deletes all members of one set at once. Only ever of a shadow.
    Flush(SetName),
    /// Removes a set; fails with `Busy` while it is referred to or dumped.
    /// One that is not there is no error.
    Destroy(SetName),
}

impl Op {
    /// The set that the op changes; of a swap, the live one.
    pub fn set(&self) -> &SetName {
        match self {
            Self::Create(spec) => &spec.name,
            Self::Add { set, .. } | Self::Delete { set, .. } | Self::Retire { set, .. } => set,
            Self::Swap { live, .. } => live,
            Self::Flush(set) | Self::Destroy(set) => set,
        }
    }

    /// How many members it adds or deletes one by one.
    pub(crate) fn written(&self) -> usize {
        match self {
            Self::Add { chunk, .. } | Self::Delete { chunk, .. } => chunk.len(),
            _ => 0,
        }
    }
}

/// What an add may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Every member is new: one that is there means that somebody else writes
    /// to this set, and the add fails with `Exists`.
    New,
    /// A member may be there already.
    Any,
}

/// A set to be created. The type is `hash:net`, always. To a packet of somebody
/// who is not among a million members it made no difference in a table of 2^20
/// buckets (`cargo xtask bench tables`, 2026-11-29: 607 ns more than no rule with
/// `hash:ip`, 620 with `hash:net`), nor does it help in one of 2^21, as a
/// million members have it: there it was 399 with `hash:ip` and 281 with
/// `hash:net`; only members get through faster, by some 90 ns. And two types
/// cannot be swapped, so that a list that gets its first network could not be
/// replaced without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetSpec {
    /// Its name, which also says its family.
    pub name: SetName,
    /// How much it must hold.
    pub capacity: Capacity,
    /// The start value of the set's hash, and our mark, see
    /// [`crate::SetPrefix::initval`].
    pub initval: u32,
}

impl SetSpec {
    /// The set's family.
    pub fn family(&self) -> Family {
        self.name.family()
    }
}

/// How much a set holds without a resize, which stalls every user of ipset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// Buckets, a power of two.
    pub hashsize: u32,
    /// The kernel refuses members beyond this number.
    pub maxelem: u32,
}
