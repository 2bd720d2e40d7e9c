//! What can go wrong, as data: which step is hit, and by what. Nothing here
//! acts; the machine does.

use std::collections::BTreeMap;

use blocklist::{AnyPrefix, Family};

use crate::sets::{RawName, RawSet};
use crate::{Code, ModelRequest};

/// Which step is hit by which fault. A step is one request, reading ones
/// included, counted from 1 since the machine was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// By step. Those before the present one never strike.
    pub at: BTreeMap<u64, Fault>,
}

impl Faults {
    /// One fault at one step.
    pub fn once(step: u64, fault: Fault) -> Self {
        Self { at: BTreeMap::from([(step, fault)]) }
    }
}

/// One thing that goes wrong at one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The kernel refuses with this number and does nothing.
    Refuse(Code),
    /// So many members of a batch are done, then the kernel refuses. With
    /// anything but a longer batch this is [`Self::Refuse`].
    Partly {
        /// Members that are done.
        done: usize,
        /// The number.
        code: Code,
    },
    /// It is done, and the answer is lost.
    LoseReply,
    /// It is done, and the answer comes after the asker stopped waiting.
    DelayReply,
    /// It is done, and the answer is lost for want of room to receive it.
    Overrun,
    /// The request is lost, nothing is done.
    LoseRequest,
    /// A dump ends with success before all members were told. With anything
    /// but a dump, nothing happens.
    TearDump,
    /// The daemon is killed before the request leaves.
    CrashBefore,
    /// The daemon is killed after the kernel has done it.
    CrashAfter,
    /// Somebody else changes something just before.
    Foreign(Hand, FaultTarget),
    /// The kernel is another one from here on: no set, no rule is left.
    Reboot,
}

/// What somebody else does. Where it is not possible, nothing happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hand {
    /// `ipset destroy`.
    Destroy,
    /// `ipset flush`.
    Flush,
    /// `ipset add` of a member that no list has.
    Add,
    /// `ipset del` of the first member.
    DeleteFirst,
    /// `ipset rename` to a name that is not ours.
    Rename,
    /// Destroys the set, if need be, and creates one of his own by this name.
    Squat,
    /// A rule of his refers to it from now on.
    Refer,
    /// He begins to read it and does not go on.
    HoldDump,
}

impl Hand {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Destroy,
        Self::Flush,
        Self::Add,
        Self::DeleteFirst,
        Self::Rename,
        Self::Squat,
        Self::Refer,
        Self::HoldDump,
    ];
}

/// Whom a foreign hand meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultTarget {
    /// The set that the request at this step names; of a swap, the live one.
    Addressed,
    /// The other set of a swap; else as [`Self::Addressed`].
    Other,
    /// This set.
    Named(RawName),
}

impl FaultTarget {
    /// The name, if the request has one.
    pub fn resolve(&self, request: &ModelRequest) -> Option<RawName> {
        match (self, request) {
            (Self::Named(name), _) => Some(name.clone()),
            (Self::Other, ModelRequest::Swap(first, _)) => Some(first.clone()),
            _ => request.name().cloned(),
        }
    }
}

/// The member that a foreign hand adds, which no list of the simulation has.
pub fn intruder(family: Family) -> AnyPrefix {
    let ip = match family {
        Family::Ipv4 => "203.0.113.77".parse(),
        Family::Ipv6 => "2001:db8:bad::77".parse(),
    };
    AnyPrefix::host(ip.expect("a literal address"))
}

/// The set that a foreign hand puts in the place of ours.
pub(crate) fn squatter(family: Family) -> RawSet {
    RawSet { type_name: "hash:ip".to_owned(), ..RawSet::hash_net(family) }
}
