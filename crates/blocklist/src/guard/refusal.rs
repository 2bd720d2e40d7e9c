//! Refusals: a change that a guard declined, said so that somebody who is woken
//! by it knows what came, what would have been right, and which key decides.

use std::fmt;

/// A check that a change must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Guard {
    /// The feed has entries.
    Empty,
    /// The feed is not a web page.
    Markup,
    /// The feed is text in ASCII or UTF-8.
    Binary,
    /// The feed is a list, if it is a document, and a whole one.
    Document,
    /// What the feed means is clear, from itself or by the configuration.
    Meaning,
    /// As many entries came as the feed's header or trailer says.
    Promise,
    /// The last line does not break off.
    Truncated,
    /// Few lines are rejected.
    Rejected,
    /// The feed has not more entries than may be.
    Entries,
    /// It did not lose too many entries at once.
    Shrink,
    /// It did not gain too many at once.
    Growth,
    /// It does not cover too much of the address space.
    Coverage,
    /// The file can be read. Whoever reads it says so.
    Readable,
    /// The file did not change while it was read. Whoever reads it says so.
    Stable,
    /// The last good copy is what was written. Whoever reads it says so.
    Kept,
    /// Not most feeds vanish at once. Whoever looks at the directory says so.
    Withdrawal,
}

impl Guard {
    /// The configuration's key for it, or a name in the same style where there
    /// is no key. JSON says it too.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Empty => "allow-empty",
            Self::Markup => "markup",
            Self::Binary => "binary",
            Self::Document => "document",
            Self::Meaning => "meaning",
            Self::Promise => "promise",
            Self::Truncated => "truncated",
            Self::Rejected => "rejected-percent-max",
            Self::Entries => "entries-max",
            Self::Shrink => "shrink-percent-max",
            Self::Growth => "growth-percent-max",
            Self::Coverage => "coverage-percent-max",
            Self::Readable => "readable",
            Self::Stable => "stable",
            Self::Kept => "kept",
            Self::Withdrawal => "withdrawal",
        }
    }

    /// Whether a person may let the change through, once. Not if there is
    /// nothing whole that could be let through.
    pub const fn can_be_accepted(self) -> bool {
        match self {
            Self::Empty
            | Self::Promise
            | Self::Truncated
            | Self::Rejected
            | Self::Shrink
            | Self::Growth
            | Self::Coverage
            | Self::Withdrawal => true,
            Self::Markup
            | Self::Binary
            | Self::Document
            | Self::Meaning
            | Self::Entries
            | Self::Readable
            | Self::Stable
            | Self::Kept => false,
        }
    }
}

impl fmt::Display for Guard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.key())
    }
}

/// A change that a guard declined. Displayed as one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The guard.
    pub guard: Guard,
    /// What would have passed.
    pub expected: String,
    /// What came.
    pub found: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "expected {}, found {} ({})", self.expected, self.found, self.guard)
    }
}
