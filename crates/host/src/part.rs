//! The parts of what is known of this host, and why one is not known.

use std::fmt;

/// One part of the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactsPart {
    /// [`Facts::own`](crate::Facts::own).
    Own,
    /// [`Facts::gateways`](crate::Facts::gateways).
    Gateways,
    /// [`Facts::resolvers`](crate::Facts::resolvers).
    Resolvers,
}

impl FactsPart {
    /// All parts.
    pub const ALL: [Self; 3] = [Self::Own, Self::Gateways, Self::Resolvers];

    /// The part in plain words, as in "cannot read this host's …".
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "addresses",
            Self::Gateways => "gateways",
            Self::Resolvers => "resolvers",
        }
    }
}

impl fmt::Display for FactsPart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// A part could not be read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read this host's {part}: {detail}")]
pub struct LookError {
    /// What was to be read.
    pub part: FactsPart,
    /// The error, in the words of the library or the kernel.
    pub detail: String,
}

impl LookError {
    /// What makes such an error of any other while `part` is read.
    pub(crate) fn reading(part: FactsPart) -> impl Fn(&dyn fmt::Display) -> Self {
        move |error| Self { part, detail: error.to_string() }
    }
}
