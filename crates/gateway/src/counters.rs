//! What the gateway counts of its own work, for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

/// What `/check` can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckOutcome {
    Unlisted,
    Listed,
    NoAddress,
    Unknown,
}

impl CheckOutcome {
    /// All of them, in the order of their declaration.
    pub(crate) const ALL: [Self; 4] =
        [Self::Unlisted, Self::Listed, Self::NoAddress, Self::Unknown];

    /// In one word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unlisted => "unlisted",
            Self::Listed => "listed",
            Self::NoAddress => "no-address",
            Self::Unknown => "unknown",
        }
    }
}

/// The counters, from the start of the process on.
#[derive(Debug, Default)]
pub(crate) struct CheckCounters {
    checks: [AtomicU64; CheckOutcome::ALL.len()],
}

impl CheckCounters {
    pub(crate) fn count(&self, outcome: CheckOutcome) {
        self.checks[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How many checks came to this.
    pub(crate) fn checks(&self, outcome: CheckOutcome) -> u64 {
        self.checks[outcome as usize].load(Ordering::Relaxed)
    }
}
