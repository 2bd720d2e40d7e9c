//! What plans, errors and reports are about. Everything that the program keeps
//! in the kernel is one of these, and nothing else is.

use std::fmt;

use blocklist::Family;

use crate::SetName;

/// A thing in the kernel that is brought to what it should be as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// An ipset.
    Set(SetName),
    /// All rules of one family, which change in one transaction.
    Rules(Family),
}

impl Object {
    /// The set, if it is one.
    pub fn set(&self) -> Option<&SetName> {
        match self {
            Self::Set(set) => Some(set),
            Self::Rules(_) => None,
        }
    }
}

impl From<&SetName> for Object {
    fn from(set: &SetName) -> Self {
        Self::Set(set.clone())
    }
}

impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(set) => write!(out, "set {set}"),
            Self::Rules(family) => write!(out, "the {family} rules"),
        }
    }
}
