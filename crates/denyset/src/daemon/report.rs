//! What the reconciler reports, as log lines: constant sentences, the values
//! as fields. INFO is a change, WARN something refused or retried, ERROR a
//! promise that cannot be kept.

use blocklist::{FeedName, Refusal};
use reconcile::{Age, Report, SetOutcome};
use tracing::{error, info, warn};

use crate::picture::refused;
use crate::view::RefusalView;

/// Logs a report.
pub(super) fn log(report: &Report) {
    match report {
        Report::FeedAccepted { feed, tally, previous } => info!(
            %feed,
            entries = tally.entries,
            ipv4 = tally.ipv4,
            ipv6 = tally.ipv6,
            rejected = tally.rejected,
            duplicates = tally.duplicates,
            found = previous.as_ref().map(|previous| previous.entries),
            "a new version of a feed is in force"
        ),
        Report::FeedRefused { feed, refusals, in_force } => {
            for refusal in refusals {
                log_refusal(feed, refusal, *in_force);
            }
        }
        Report::FeedGone { feed, stays } => warn!(
            %feed,
            withdraw_seconds = stays.as_secs(),
            "a feed's file is gone, its last good version stays in force for a while"
        ),
        Report::FeedAged { feed, age } => match age {
            Age::Fresh => info!(%feed, "a feed is not older than its max-age any more"),
            Age::Stale => warn!(%feed, "a feed is older than its max-age, it stays in force"),
            Age::Dropped => warn!(%feed, "a feed is older than its max-age, it is not in force"),
        },
        Report::FeedWithdrawn { feed } => warn!(%feed, "a feed is withdrawn, its file is gone"),
        Report::ScanFailed { reason } => {
            warn!(reason, "the feeds directory cannot be read, all feeds stay as they are");
        }
        Report::ScanRecovered => info!("the feeds directory can be read again"),
        Report::ListComposed { list, ipv4, ipv6, protected } => {
            info!(list, ipv4, ipv6, "a list has new members");
            if *protected > 0 {
                warn!(list, protected, "protected addresses are kept out of a list");
            }
        }
        Report::SetApplied(outcome) => log_outcome(outcome),
        Report::Drifted { set, drift } => {
            warn!(%set, reason = drift, "somebody else changed a set, it is being repaired");
        }
        Report::SetBlocked { set, obstacle } => {
            error!(%set, reason = obstacle, "a set cannot be brought to what it should be");
        }
        Report::KernelFailed(error) => warn!(%error, "the kernel cannot be observed, trying again"),
        Report::InSync => info!("the kernel holds what the feeds say"),
    }
}

fn log_refusal(feed: &FeedName, refusal: &Refusal, in_force: bool) {
    let RefusalView { feed, guard, expected, found, accept } = refused(feed.as_str(), refusal);
    // Without the field if nothing lets it through.
    let accept = accept.as_deref();
    if in_force {
        warn!(%feed, guard, expected, found, accept, "a feed is refused, its last good version stays in force");
    } else {
        warn!(%feed, guard, expected, found, accept, "a feed is refused, it has no good version yet");
    }
}

/// Logs what came of a plan for one set.
pub(super) fn log_outcome(outcome: &SetOutcome) {
    let SetOutcome { set, route, reason, added, deleted, result } = outcome;
    match result {
        Ok(()) => info!(%set, %route, %reason, added, deleted, "a set was changed"),
        Err(error) => warn!(%set, %route, %error, "a set could not be changed, trying again"),
    }
}
