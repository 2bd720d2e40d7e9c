//! Exports and counts in the document of `status`.

use crate::snapshot::{ApplyTimes, DaemonCounts, ExportFacts};
use crate::view::{AppliesView, AppliesWithin, ExportStatus, RefusalCount};

/// What a refused configuration is counted as.
const CONFIGURATION: &str = "configuration";

impl ExportStatus {
    /// What is known of an export.
    pub(super) fn of(facts: &ExportFacts) -> Self {
        Self {
            path: facts.path.to_string_lossy().into_owned(),
            list: facts.list.clone(),
            format: facts.format.to_string(),
            generation: facts.written.map(|written| written.generation),
            last_written: facts.written.map(|written| written.at.into()),
            entries: facts.written.map(|written| written.exported.prefixes),
            left_out: facts.written.map(|written| written.exported.left_out),
            failed: facts.failure.clone(),
        }
    }
}

/// What was refused, and how often.
pub(super) fn refusals(counted: &DaemonCounts) -> Vec<RefusalCount> {
    let feeds = counted.refusals.iter().map(|((feed, guard), count)| RefusalCount {
        feed: feed.to_string(),
        guard: guard.key().to_owned(),
        count: *count,
    });
    let configurations = (counted.configurations > 0).then(|| RefusalCount {
        feed: String::new(),
        guard: CONFIGURATION.to_owned(),
        count: counted.configurations,
    });
    feeds.chain(configurations).collect()
}

/// How long changes took.
pub(super) fn applies(times: &ApplyTimes) -> AppliesView {
    let within = times.within().map(|(ms, count)| AppliesWithin { ms, count });
    AppliesView {
        count: times.count(),
        total_us: u64::try_from(times.total().as_micros()).unwrap_or(u64::MAX),
        within: within.collect(),
    }
}
