//! What the keeper reports, as log lines: sentences that say it all, and the
//! values as fields as well. INFO is a change, WARN something refused or retried, ERROR a
//! promise that cannot be kept.

use blocklist::{FeedName, Refusal};
use intake::{Age, SourceReport};
use keeper::Report;
use reconcile::{ObjectOutcome, Reason};
use tracing::{error, info, warn};

use crate::picture::{refused, way_out};
use crate::view::RefusalView;

/// Logs a report.
pub(super) fn log(report: &Report) {
    match report {
        Report::Source(report) => log_source(report),
        Report::ListComposed { list, ipv4, ipv6, protected } => {
            info!(list, ipv4, ipv6, "a list has new members: {list}, {ipv4} IPv4 and {ipv6} IPv6");
            if *protected > 0 {
                warn!(
                    list,
                    protected,
                    "protected addresses are kept out of a list: {protected} prefixes of {list}"
                );
            }
        }
        Report::ListHeld { list, held } => {
            let (why, way_out) = (&held.why, way_out(&held.why));
            warn!(list, reason = %why, "a list is held: {list}, {why}; {way_out}");
        }
        Report::ListFree { list } => info!(list, "a list is not held any more: {list}"),
        Report::Applied(outcome) => log_outcome(outcome),
        Report::Drifted(difference) => {
            let (set, kind) = (&difference.set, difference.kind);
            warn!(%set, reason = %kind, "somebody else changed a set, it is being repaired: {set}, {kind}");
        }
        Report::Blocked { object, obstacle } => {
            error!(set = %object, reason = %obstacle, "a set cannot be brought to what it should be: {object}, {obstacle}");
        }
        Report::KernelFailed(error) => {
            warn!(%error, "the kernel cannot be observed, trying again: {error}");
        }
        Report::InSync => info!("the kernel holds what the feeds say"),
        Report::Configured { lists } => {
            info!(lists, "the configuration was read again, it has {lists} lists");
        }
        Report::ConfigurationRefused { slips } => {
            for slip in slips {
                error!(
                    list = slip.list,
                    reason = %slip,
                    "the new configuration is refused, the running one stays in force: {slip}; if \
                     it is meant: denyset accept --config"
                );
            }
        }
        // Whoever follows the host has told what is new.
        Report::HostChanged => {}
    }
}

fn log_source(report: &SourceReport) {
    match report {
        SourceReport::Accepted { feed, tally, previous } => info!(
            %feed,
            entries = tally.entries,
            ipv4 = tally.ipv4,
            ipv6 = tally.ipv6,
            rejected = tally.rejected,
            duplicates = tally.duplicates,
            found = previous.as_ref().map(|previous| previous.entries),
            "a new version of a feed is in force: {feed}, {} entries",
            tally.entries
        ),
        SourceReport::Refused { feed, refusals, in_force } => {
            for refusal in refusals {
                log_refusal(feed, refusal, *in_force);
            }
        }
        SourceReport::NotKept { feed, refusal } => {
            let found = &refusal.found;
            warn!(%feed, found, "a feed would not survive a restart: {feed}, {found}");
        }
        SourceReport::KeptAgain { feed } => info!(%feed, "there is a copy of a feed again: {feed}"),
        SourceReport::Lost { feed, loss } => {
            warn!(%feed, reason = %loss, "the last good version of a feed is lost: {feed}, {loss}");
        }
        SourceReport::Gone { feed, stays } => warn!(
            %feed,
            withdraw_seconds = stays.as_secs(),
            "a feed's file is gone, its last good version stays in force for a while: {feed}, {} s",
            stays.as_secs()
        ),
        SourceReport::Renamed { feed, to } => {
            info!(%feed, "a feed has another name now: {feed} is {to}");
        }
        SourceReport::Aged { feed, age } => match age {
            Age::Fresh => info!(%feed, "a feed is not older than its max-age any more: {feed}"),
            Age::Future => warn!(%feed, "a feed was written in the future: {feed}"),
            Age::Stale => {
                warn!(%feed, "a feed is older than its max-age, it stays in force: {feed}");
            }
            Age::Dropped => {
                warn!(%feed, "a feed is older than its max-age, it is not in force: {feed}");
            }
        },
        SourceReport::Withdrawn { feed } => {
            warn!(%feed, "a feed is withdrawn, its file is gone: {feed}");
        }
        SourceReport::ScanFailed { reason } => {
            warn!(
                reason,
                "the feeds directory cannot be read, all feeds stay as they are: {reason}"
            );
        }
        SourceReport::ScanRecovered => info!("the feeds directory can be read again"),
        SourceReport::RecallFailed { reason } => {
            error!(reason, "the last good copies cannot be read, trying again: {reason}");
        }
        SourceReport::ClockSet { by, ahead } => {
            let way = if *ahead { "ahead" } else { "back" };
            info!(seconds = by.as_secs(), "the clock was set {way} by {} s", by.as_secs());
        }
    }
}

fn log_refusal(feed: &FeedName, refusal: &Refusal, in_force: bool) {
    let RefusalView { feed, guard, expected, found, accept } = refused(feed.as_str(), refusal);
    let way =
        accept.as_ref().map_or_else(String::new, |accept| format!("; if it is good: {accept}"));
    // Without the field if nothing lets it through.
    let accept = accept.as_deref();
    if in_force {
        warn!(%feed, guard, expected, found, accept, "a feed is refused, its last good version stays in force: {feed}, {refusal}{way}");
    } else {
        warn!(%feed, guard, expected, found, accept, "a feed is refused, it has no good version yet: {feed}, {refusal}{way}");
    }
}

/// Logs what came of a plan for one object.
pub(super) fn log_outcome(outcome: &ObjectOutcome) {
    let ObjectOutcome { object, route, reason, added, deleted, result } = outcome;
    let set = object.set().map_or_else(|| object.to_string(), ToString::to_string);
    match result {
        // What nobody sees any more is nobody's concern.
        Ok(()) if matches!(reason, Reason::Replaced | Reason::Orphan) => {
            tracing::debug!(set, %route, %reason, "a shadow was released");
        }
        Ok(()) => info!(
            set, %route, %reason, added, deleted,
            "a set was changed: {set}, {added} added, {deleted} deleted"
        ),
        Err(error) => {
            warn!(set, %route, %error, "a set could not be changed, trying again: {error}");
        }
    }
}
