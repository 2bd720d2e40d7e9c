//! What scans of the feeds directory say: which feeds are new, changed, gone
//! or back, and when to look again.

use std::time::Duration;

use blocklist::{FeedName, Guard, Refusal};

use super::Intake;
use crate::feed::{FeedStage, Gone};
use crate::{
    Backoff, FeedState, Fingerprint, NotAcceptable, Now, Order, Refused, Scan, SourceReport, Ticket,
};

/// The first rest after a scan that failed.
const REST_MIN: Duration = Duration::from_secs(1);

impl Intake {
    /// Something in the directory has changed, or may have.
    pub fn files_changed(&mut self, now: Now) {
        self.want_scan(now.monotonic);
    }

    /// The directory should be scanned, at the earliest at `at`.
    pub(super) fn want_scan(&mut self, at: Duration) {
        if self.scan.running.is_some() {
            self.scan.again = true;
        } else {
            self.scan.wanted = Some(self.scan.wanted.map_or(at, |wanted| wanted.min(at)));
            self.scan.regular = false;
        }
    }

    /// Whether the scan that is wanted is only the next regular one.
    pub(super) fn scan_is_later(&self) -> bool {
        self.scan.regular && !self.scan.again
    }

    pub(super) fn scanned(&mut self, ticket: Ticket, result: Result<Scan, String>, now: Now) {
        if self.scan.running != Some(ticket) {
            return;
        }
        self.scan.running = None;
        match result {
            Ok(scan) => {
                self.scan.wanted = Some(now.monotonic + self.rules.scan);
                self.scan.regular = true;
                if self.scan.failure.take().is_some() {
                    self.reports.push(SourceReport::ScanRecovered);
                }
                self.scan.complete = true;
                self.compare(&scan, now);
            }
            Err(reason) => {
                let earlier = self.scan.failure.take();
                if earlier.as_ref().is_none_or(|(earlier, _)| *earlier != reason) {
                    self.reports.push(SourceReport::ScanFailed { reason: reason.clone() });
                }
                let earlier = earlier.map(|(_, backoff)| backoff);
                let most = self.rules.scan.max(REST_MIN);
                let backoff = Backoff::after(earlier, now.monotonic, REST_MIN, most);
                self.scan.wanted = Some(backoff.until);
                self.scan.regular = false;
                self.scan.failure = Some((reason, backoff));
            }
        }
        if std::mem::take(&mut self.scan.again) {
            self.want_scan(now.monotonic);
        }
    }

    /// Finds out which feeds are new, changed, gone or back.
    fn compare(&mut self, scan: &Scan, now: Now) {
        for name in self.feeds.keys().cloned().collect::<Vec<_>>() {
            if !self.uses(&name) && !self.index.busy.contains(&name) {
                self.drop_state(&name);
            }
        }
        for (name, &fingerprint) in &scan.feeds {
            if self.uses(name) {
                self.found(name, fingerprint, now);
            }
        }
        let missing = self
            .feeds
            .iter()
            .filter(|(name, feed)| feed.gone.is_none() && !scan.feeds.contains_key(*name));
        for name in missing.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            match folder_of(scan, &name) {
                Some(folder) => self.is_hidden(&name, folder, now),
                None => self.is_gone(&name, scan, now),
            }
        }
        self.reconsider_withdrawals();
    }

    /// A feed's file is there.
    fn found(&mut self, name: &FeedName, fingerprint: Fingerprint, now: Now) {
        if !self.feeds.contains_key(name) {
            let max_age = self.rules.max_age_for(name);
            let state = FeedState { max_age, ..FeedState::new(now.wall) };
            self.add_state(name.clone(), state);
        }
        let back = self.change(name, |feed| {
            let known_gone = feed.gone_before.take().is_some();
            let back = feed.gone.take().is_some() || known_gone;
            if back {
                // Whatever it says is to be found out again.
                feed.fingerprint = None;
                feed.refused = None;
                feed.since = now.wall;
            }
            if feed.fingerprint != Some(fingerprint) {
                match feed.stage {
                    FeedStage::Rest => feed.stage = FeedStage::Queued,
                    // It waits for another try; this may be the better one.
                    FeedStage::Wanted(_) if feed.unstable.is_none() => {
                        feed.stage = FeedStage::Queued;
                    }
                    FeedStage::Reading(_) | FeedStage::Keeping(..) => {
                        feed.meanwhile = Some(fingerprint);
                    }
                    FeedStage::Wanted(_) | FeedStage::Queued => {}
                }
            }
            back
        });
        if back == Some(true) {
            self.orders.push(Order::NoteGone(name.clone(), None));
        }
    }

    /// A feed's file is not there any more.
    fn is_gone(&mut self, name: &FeedName, scan: &Scan, now: Now) {
        let renamed = self.new_name(name, scan);
        let withdraw = self.rules.withdraw;
        let gone = self.change(name, |feed| {
            let since = *feed.gone_before.get_or_insert(now.wall);
            // A clock that was set back must not keep a feed for longer.
            let elapsed = now.wall.duration_since(since).unwrap_or_default();
            let stays = withdraw.saturating_sub(elapsed);
            let leaves = now.monotonic + stays;
            feed.gone = Some(Gone { leaves, renamed, accepted: false });
            feed.since = since;
            feed.fingerprint = None;
            feed.refused = None;
            if let FeedStage::Wanted(_) | FeedStage::Queued = feed.stage {
                feed.stage = FeedStage::Rest;
            }
            (since, stays, feed.version.is_some() && feed.unkept.is_none())
        });
        let Some((since, stays, kept)) = gone else { return };
        if !self.index.busy.contains(name) {
            self.disappoint(name, NotAcceptable::Unreadable);
        }
        if kept {
            // Without a copy the note would outlive what it is about.
            self.orders.push(Order::NoteGone(name.clone(), Some(since)));
        }
        self.reports.push(SourceReport::Gone { feed: name.clone(), stays });
    }

    /// Nothing is known of the folder that a feed is in: it stays as it is.
    fn is_hidden(&mut self, name: &FeedName, folder: &str, now: Now) {
        let refusal = Refusal {
            guard: Guard::Readable,
            expected: "a folder that can be read".to_owned(),
            found: format!("nothing of {folder}"),
        };
        self.change(name, |feed| {
            feed.fingerprint = None;
            feed.seen = true;
        });
        self.refuse(
            name,
            Refused { refusals: vec![refusal], id: None, connections: Vec::new() },
            now,
        );
    }

    /// The name that the file of a feed has now, if by that name it is the same
    /// to every list.
    fn new_name(&self, name: &FeedName, scan: &Scan) -> Option<FeedName> {
        let before = self.feeds.get(name)?.fingerprint?;
        let same_roles = |other: &FeedName| {
            self.rules.lists.iter().all(|list| list.list.role(name) == list.list.role(other))
        };
        let other = scan.feeds.iter().find(|(other, fingerprint)| {
            *other != name && fingerprint.same_file(&before) && same_roles(other)
        });
        other.map(|(other, _)| other.clone())
    }

    /// Feeds that could not be withdrawn because too many were gone with them
    /// may be by now, if others are back.
    fn reconsider_withdrawals(&mut self) {
        if self.is_accident() {
            return;
        }
        for name in self.index.gone.iter().cloned().collect::<Vec<_>>() {
            self.change(&name, |feed| {
                let withheld = |refusal: &Refusal| refusal.guard == Guard::Withdrawal;
                if feed.refusals().iter().any(withheld) {
                    feed.refused = None;
                }
            });
        }
    }
}

/// The folder that a feed is in, if nothing is known of that.
fn folder_of<'a>(scan: &'a Scan, name: &FeedName) -> Option<&'a str> {
    let mut folders = scan.unreadable.iter().map(String::as_str);
    folders.find(|folder| name.as_str().starts_with(*folder))
}
