//! What the keeper reports, as log lines: each says by itself what it is
//! about, why, and what to do, and has the values as fields besides. INFO is a
//! change, WARN something refused or retried, ERROR a promise that cannot be
//! kept. Of many feeds of which the same is to be said some are named, and the
//! others counted.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use blocklist::{FeedName, Refusal, Tally};
use intake::{Age, SourceReport};
use keeper::Report;
use reconcile::{ObjectOutcome, Obstacle, Reason, Route};
use tracing::{error, info, warn};

use crate::snapshot::DaemonCounts;
use crate::view::{RefusalView, shown, way_out};

/// Lines of one kind that are logged in one round.
const LINES_MAX: usize = 20;

/// A round that goes on for so long is summed up all the same.
const ROUND_MAX: Duration = Duration::from_secs(10);

/// Of ended lifetimes a list is told of so often at the most.
const ENDS_EVERY: Duration = Duration::from_secs(60);

/// Characters that a message takes over from others.
const TEXT_MAX: usize = 300;

/// What is said of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Accepted,
    Refused,
    Gone,
    Aged,
    Withdrawn,
    NotKept,
    Lost,
}

/// The log of one round, which ends when all is done, and what was counted in all
/// of them.
#[derive(Debug, Default)]
pub(super) struct Log {
    counts: BTreeMap<Kind, usize>,
    begun: Option<Instant>,
    ends: BTreeMap<String, Ends>,
    /// Since the start.
    pub(super) counted: DaemonCounts,
}

/// Members of a list whose lifetimes have ended, and that were not told of yet.
#[derive(Debug)]
struct Ends {
    count: u64,
    /// When they are told of.
    due: Instant,
}

impl Log {
    /// Logs a report.
    pub(super) fn report(&mut self, report: &Report) {
        self.count(report);
        if let Report::Ended { list, outcome } = report {
            let now = Instant::now();
            let ends = self.ends.entry(list.clone()).or_insert(Ends { count: 0, due: now });
            ends.count += outcome.deleted;
            self.tell_ends(now);
        } else if kind(report).is_none_or(|kind| self.has_room(kind)) {
            log(report);
        }
    }

    /// Counts what was refused.
    fn count(&mut self, report: &Report) {
        match report {
            Report::Source(SourceReport::Refused { feed, refusals, .. }) => {
                if let Some(refusal) = refusals.first() {
                    self.counted.refused(feed, refusal.guard);
                }
            }
            Report::ConfigurationRefused { .. } => self.counted.configurations += 1,
            _ => {}
        }
    }

    /// Tells of the lifetimes that have ended in the last minute.
    pub(super) fn tell_ends(&mut self, now: Instant) {
        for (list, ends) in self.ends.iter_mut().filter(|(_, ends)| ends.due <= now) {
            let count = std::mem::take(&mut ends.count);
            if count > 0 {
                ends.due = now + ENDS_EVERY;
                info!(list, count, "lifetimes in list {list} have ended: {count}");
            }
        }
        self.ends.retain(|_, ends| ends.due > now);
    }

    /// Ends the round: says how many more there were.
    pub(super) fn sum_up(&mut self) {
        self.begun = None;
        for (kind, count) in std::mem::take(&mut self.counts) {
            let count = count.saturating_sub(LINES_MAX);
            if count == 0 {
                continue;
            }
            match kind {
                Kind::Accepted => info!(count, "and {count} more feeds have new versions in force"),
                Kind::Refused => warn!(
                    count,
                    "and {count} more feeds are refused, `denyset status --format json` names all"
                ),
                Kind::Gone => warn!(count, "and the files of {count} more feeds are gone"),
                Kind::Aged => warn!(count, "and {count} more feeds have come to another age"),
                Kind::Withdrawn => warn!(count, "and {count} more feeds are withdrawn"),
                Kind::NotKept => warn!(count, "and {count} more feeds have no new copy, or again"),
                Kind::Lost => warn!(count, "and the copies of {count} more feeds are lost"),
            }
        }
    }

    /// Ends a round that takes too long.
    pub(super) fn pass_on(&mut self, now: Instant) {
        if self.begun.is_some_and(|begun| now.duration_since(begun) > ROUND_MAX) {
            self.sum_up();
        }
    }

    fn has_room(&mut self, kind: Kind) -> bool {
        self.begun.get_or_insert_with(Instant::now);
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        *count <= LINES_MAX
    }
}

/// Of which there may be many.
fn kind(report: &Report) -> Option<Kind> {
    let Report::Source(report) = report else { return None };
    match report {
        SourceReport::Accepted { .. } | SourceReport::Renamed { .. } => Some(Kind::Accepted),
        SourceReport::Refused { .. } => Some(Kind::Refused),
        SourceReport::Gone { .. } => Some(Kind::Gone),
        SourceReport::Aged { .. } => Some(Kind::Aged),
        SourceReport::Withdrawn { .. } => Some(Kind::Withdrawn),
        SourceReport::NotKept { .. } | SourceReport::KeptAgain { .. } => Some(Kind::NotKept),
        SourceReport::Lost { .. } => Some(Kind::Lost),
        _ => None,
    }
}

fn log(report: &Report) {
    match report {
        Report::Source(report) => log_source(report),
        Report::ListComposed { list, ipv4, ipv6, protected } => {
            info!(list, ipv4, ipv6, "list {list} has new members: {ipv4} of IPv4, {ipv6} of IPv6");
            if *protected > 0 {
                warn!(
                    list,
                    protected, "{protected} protected addresses are kept out of list {list}"
                );
            }
        }
        Report::ListHeld { list, held } => {
            let (why, way_out) = (&held.why, way_out(&held.why));
            warn!(list, reason = %why, "list {list} is held: {why}; {way_out}");
        }
        Report::ListFree { list } => info!(list, "list {list} is not held any more"),
        Report::Applied(outcome) => log_outcome(outcome),
        Report::Drifted(difference) => {
            let (set, kind) = (&difference.set, difference.kind);
            warn!(%set, reason = %kind, "somebody else changed set {set}, it is being repaired: {kind}");
        }
        // Nothing is wrong yet; status says so for as long as it lasts.
        Report::Blocked { object, obstacle: obstacle @ Obstacle::Gate } => {
            info!(set = %object, reason = %obstacle, "{object} waits: {obstacle}");
        }
        Report::Blocked { object, obstacle } => {
            error!(set = %object, reason = %obstacle, "{object} cannot be brought to what it should be: {obstacle}");
        }
        Report::KernelFailed(error) => {
            warn!(%error, "the kernel cannot be observed, trying again: {error}");
        }
        Report::InSync => info!("the kernel holds what the feeds say"),
        Report::Configured { lists } => {
            info!(lists, "the configuration was read again, it has {lists} lists");
        }
        // Whoever proposed it tells where it says so, whoever follows the host
        // what is new; what has ended is summed up.
        Report::ConfigurationRefused { .. } | Report::HostChanged | Report::Ended { .. } => {}
    }
}

fn log_source(report: &SourceReport) {
    match report {
        SourceReport::Accepted { feed, tally, previous } => {
            accepted(feed, tally, previous.as_ref());
        }
        SourceReport::Refused { feed, refusals, in_force } => {
            for refusal in refusals {
                refused(feed, refusal, *in_force);
            }
        }
        SourceReport::NotKept { feed, refusal } => {
            let (name, found) = (text(feed.as_str()), &refusal.found);
            warn!(%feed, found, "feed {name} would not survive a restart: {}", text(found));
        }
        SourceReport::KeptAgain { feed } => {
            info!(%feed, "there is a copy of feed {} again", text(feed.as_str()));
        }
        SourceReport::Lost { feed, loss } => {
            let name = text(feed.as_str());
            warn!(%feed, reason = %loss, "the last good version of feed {name} is lost: {loss}");
        }
        SourceReport::Gone { feed, stays } => {
            let (name, seconds) = (text(feed.as_str()), stays.as_secs());
            warn!(
                %feed,
                withdraw_seconds = seconds,
                "the file of feed {name} is gone, its last good version stays in force for {seconds} s"
            );
        }
        SourceReport::Renamed { feed, to } => {
            let (name, to) = (text(feed.as_str()), text(to.as_str()));
            info!(%feed, "feed {name} has another name now: {to}");
        }
        SourceReport::Aged { feed, age } => aged(feed, *age),
        SourceReport::Withdrawn { feed } => {
            warn!(%feed, "feed {} is withdrawn, its file is gone", text(feed.as_str()));
        }
        SourceReport::ScanFailed { reason } => {
            warn!(reason, "feeds-dir cannot be read, all feeds stay as they are: {}", text(reason));
        }
        SourceReport::ScanRecovered => info!("feeds-dir can be read again"),
        SourceReport::RecallFailed { reason } => {
            error!(reason, "the last good copies cannot be read, trying again: {}", text(reason));
        }
        SourceReport::ClockSet { by, ahead } => {
            let way = if *ahead { "ahead" } else { "back" };
            info!(seconds = by.as_secs(), "the clock was set {way} by {} s", by.as_secs());
        }
    }
}

fn accepted(feed: &FeedName, tally: &Tally, previous: Option<&Tally>) {
    let name = text(feed.as_str());
    let Tally { entries, rejected, .. } = tally;
    let before = previous.map_or_else(String::new, |before| format!(" after {}", before.entries));
    info!(
        %feed,
        entries,
        ipv4 = tally.ipv4,
        ipv6 = tally.ipv6,
        rejected,
        duplicates = tally.duplicates,
        found = previous.map(|previous| previous.entries),
        "a new version of feed {name} is in force: {entries} entries{before}, {rejected} lines rejected"
    );
}

fn aged(feed: &FeedName, age: Age) {
    let name = text(feed.as_str());
    match age {
        Age::Fresh => info!(%feed, "feed {name} is not older than its max-age any more"),
        Age::Future => warn!(%feed, "feed {name} was written in the future, its age is not known"),
        Age::Stale => warn!(%feed, "feed {name} is older than its max-age, it stays in force"),
        Age::Dropped => warn!(%feed, "feed {name} is older than its max-age, it is not in force"),
    }
}

fn refused(feed: &FeedName, refusal: &Refusal, in_force: bool) {
    let view = RefusalView::of(feed, refusal);
    let RefusalView { feed, guard, expected, found, accept } = &view;
    let fate = if in_force {
        "its last good version stays in force"
    } else {
        "it has no good version yet"
    };
    let way_out = accept.as_ref().map_or_else(
        || "; mend the file".to_owned(),
        |command| format!("; to let it through once: {}", text(command)),
    );
    warn!(
        %feed,
        guard,
        expected,
        found,
        accept = accept.as_deref(),
        "feed {} is refused, {fate}: {}, allowed is {} ({guard}){way_out}",
        text(feed),
        text(found),
        text(expected),
    );
}

/// Logs what came of a plan for one object.
pub(super) fn log_outcome(outcome: &ObjectOutcome) {
    let ObjectOutcome { object, route, reason, added, deleted, result } = outcome;
    let set = object.set().map_or_else(|| object.to_string(), ToString::to_string);
    match result {
        // What nobody sees any more is nobody's concern.
        Ok(()) if matches!(reason, Reason::Replaced | Reason::Orphan) => {
            tracing::debug!(set, %route, %reason, "shadow {set} was released");
        }
        Ok(()) if *route == Route::Put => info!(set, %route, %reason, "{set} were put: {reason}"),
        Err(error) if *route == Route::Put => {
            warn!(set, %route, %error, "{set} could not be put, trying again: {error}");
        }
        Ok(()) => info!(
            set, %route, %reason, added, deleted,
            "set {set} was changed by {route}, {added} added and {deleted} deleted: {reason}"
        ),
        Err(error) => warn!(
            set, %route, %error,
            "set {set} could not be changed by {route}, trying again: {error}"
        ),
    }
}

/// The beginning of a text that others wrote, fit for a line.
fn text(text: &str) -> String {
    let text = shown(text);
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use blocklist::Guard;

    use super::*;

    /// What is logged meanwhile.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("one thread").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(work: impl FnOnce()) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(log, work);
        let bytes = lines.0.lock().expect("one thread").clone();
        String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect()
    }

    fn refused_feed(name: &str) -> Report {
        let refusal = Refusal {
            guard: Guard::Shrink,
            expected: "at most 50 % gone".into(),
            found: "1 entry\u{1b}".into(),
        };
        let feed = FeedName::new(name).expect("a name");
        Report::Source(SourceReport::Refused { feed, refusals: vec![refusal], in_force: true })
    }

    #[test]
    fn a_message_says_by_itself_what_it_is_about() {
        let lines = logged(|| Log::default().report(&refused_feed("a b")));
        let message = "feed a b is refused, its last good version stays in force: 1 entry\\u{1b}, \
                       allowed is at most 50 % gone (shrink-percent-max); to let it through once: \
                       denyset accept 'a b'";
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains(message), "{lines:?}");
        assert!(lines[0].contains("guard=\"shrink-percent-max\""), "{lines:?}");
    }

    #[test]
    fn of_many_feeds_some_are_named_and_the_others_counted() {
        let lines = logged(|| {
            let mut log = Log::default();
            for number in 0..4_000 {
                log.report(&refused_feed(&format!("bad{number}")));
            }
            log.report(&Report::InSync);
            log.sum_up();
            log.sum_up();
            log.report(&refused_feed("one"));
        });
        assert_eq!(lines.len(), LINES_MAX + 3, "{lines:?}");
        assert!(lines[LINES_MAX + 1].contains("and 3980 more feeds are refused"), "{lines:?}");
        assert!(lines[LINES_MAX + 2].contains("feed one is refused"), "{lines:?}");
    }

    #[test]
    fn a_round_without_an_end_is_summed_up_now_and_then() {
        let mut log = Log::default();
        let lines = logged(|| {
            for number in 0..=LINES_MAX {
                log.report(&refused_feed(&format!("bad{number}")));
            }
            log.pass_on(Instant::now());
            log.pass_on(Instant::now() + ROUND_MAX * 2);
        });
        assert_eq!(lines.len(), LINES_MAX + 1, "{lines:?}");
        assert!(lines[LINES_MAX].contains("and 1 more feeds are refused"), "{lines:?}");
    }

    #[test]
    fn what_others_wrote_is_cut() {
        assert_eq!(text(&"ü".repeat(TEXT_MAX + 1)).chars().count(), TEXT_MAX + 1);
        assert_eq!(text("a"), "a");
    }
}
