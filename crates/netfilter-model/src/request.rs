//! What one message asks of the kernel and what comes back: the seam at which
//! both ways into the model meet, and at which faults strike.

use std::collections::BTreeMap;
use std::fmt;

use blocklist::AnyPrefix;

use crate::sets::{ModelRefusal, RawName, RawSet, Slot};

/// One message's worth of work. `exclusive` is `NLM_F_EXCL`: strict about
/// what is there already, or for a delete and a destroy about what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelRequest {
    /// A new set.
    Create {
        /// Its name.
        name: RawName,
        /// What it is to be.
        set: RawSet,
        /// Fail if the name is taken.
        exclusive: bool,
    },
    /// Removes a set.
    Destroy {
        /// Its name.
        name: RawName,
        /// Fail if there is none.
        exclusive: bool,
    },
    /// Removes all members of a set.
    Flush(RawName),
    /// Gives a set another name.
    Rename {
        /// The name it has.
        from: RawName,
        /// The name it gets.
        to: RawName,
    },
    /// Exchanges the contents of two sets.
    Swap(RawName, RawName),
    /// Adds members in this order.
    Add {
        /// The set.
        name: RawName,
        /// The members.
        members: Vec<AnyPrefix>,
        /// Fail at the first that is there.
        exclusive: bool,
    },
    /// Deletes members in this order.
    Delete {
        /// The set.
        name: RawName,
        /// The members.
        members: Vec<AnyPrefix>,
        /// Fail at the first that is not there.
        exclusive: bool,
    },
    /// Tests each of the members.
    Test {
        /// The set.
        name: RawName,
        /// The members.
        members: Vec<AnyPrefix>,
    },
    /// The names of all sets.
    Names,
    /// The headers of all sets.
    List,
    /// The header of one set.
    Header(RawName),
    /// One set with all its members.
    Dump(RawName),
}

impl ModelRequest {
    /// The set that is asked about or changed; of a swap, the second, which
    /// is the live one. None for a list of all.
    pub fn name(&self) -> Option<&RawName> {
        match self {
            Self::Create { name, .. }
            | Self::Destroy { name, .. }
            | Self::Add { name, .. }
            | Self::Delete { name, .. }
            | Self::Test { name, .. } => Some(name),
            Self::Flush(name) | Self::Header(name) | Self::Dump(name) => Some(name),
            Self::Rename { from, .. } => Some(from),
            Self::Swap(_, second) => Some(second),
            Self::Names | Self::List => None,
        }
    }

    /// Every set that this would change.
    pub fn changes(&self) -> Vec<&RawName> {
        match self {
            Self::Test { .. } | Self::Names | Self::List | Self::Header(_) | Self::Dump(_) => {
                Vec::new()
            }
            Self::Swap(first, second) => vec![first, second],
            Self::Rename { from, to } => vec![from, to],
            _ => self.name().into_iter().collect(),
        }
    }

    /// Only the first `count` members of a batch; anything else as it is.
    #[must_use]
    pub fn cut(&self, count: usize) -> Self {
        let mut cut = self.clone();
        if let Self::Add { members, .. } | Self::Delete { members, .. } = &mut cut {
            members.truncate(count);
        }
        cut
    }
}

/// As it stands in a trace.
impl fmt::Display for ModelRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { name, set, .. } => {
                let Some(family) = set.family else { return write!(out, "create {name}") };
                write!(out, "create {name} {} {family}", set.type_name)
            }
            Self::Destroy { name, .. } => write!(out, "destroy {name}"),
            Self::Flush(name) => write!(out, "flush {name}"),
            Self::Rename { from, to } => write!(out, "rename {from} {to}"),
            Self::Swap(first, second) => write!(out, "swap {first} {second}"),
            Self::Add { name, members, exclusive } => {
                let strict = if *exclusive { "" } else { " -exist" };
                write!(out, "add{strict} {name}{}", Listed(members))
            }
            Self::Delete { name, members, .. } => write!(out, "del {name}{}", Listed(members)),
            Self::Test { name, members } => write!(out, "test {name}{}", Listed(members)),
            Self::Names => write!(out, "list all names"),
            Self::List => write!(out, "list all headers"),
            Self::Header(name) => write!(out, "list header of {name}"),
            Self::Dump(name) => write!(out, "list {name}"),
        }
    }
}

/// The first few members.
struct Listed<'a>(&'a [AnyPrefix]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        for member in self.0.iter().take(SHOWN) {
            write!(out, " {member}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(out, " and {more} more"),
        }
    }
}

/// What the kernel answers when it does not refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelReply {
    /// It is done.
    Done,
    /// Of each tested member, whether it is there.
    Present(Vec<bool>),
    /// The sets asked about, whole; whoever asked for headers looks at no more.
    Sets(BTreeMap<RawName, Slot>),
}

/// Why there is no [`ModelReply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The kernel refused.
    Refused(ModelRefusal),
    /// No answer arrives. It may or may not be done.
    Silence,
    /// The answer arrives, but after the asker has stopped waiting.
    Late,
    /// The answer is lost, and the asker is told that answers were lost.
    Overrun,
    /// The members were changed while they were being read: fewer arrive than
    /// the header promised.
    Torn,
}

impl From<ModelRefusal> for Trouble {
    fn from(refusal: ModelRefusal) -> Self {
        Self::Refused(refusal)
    }
}
