//! What the state directory remembers: versions in force, and that some are
//! lost. Asked at start, when other rules want other feeds, and again while it
//! cannot be read.

use std::time::Duration;

use super::Intake;
use crate::feed::FeedStage;
use crate::{
    Backoff, FeedState, Loss, Now, Order, RecallOrder, Recalled, RecalledVersion, SourceReport,
    Ticket,
};

/// The first rest after the directory or a copy could not be read, and the
/// longest.
const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(60);

impl Intake {
    /// Whether nothing is expected from the state directory.
    pub fn is_recalled(&self) -> bool {
        let waits = self.recall.wanted.is_some() && self.recall.failure.is_none();
        self.recall.running.is_none() && !waits
    }

    /// Asks the state directory if that is due.
    pub(super) fn ask_memory(&mut self, now: Now) {
        let due = self.recall.wanted.is_some_and(|at| at <= now.monotonic);
        if !due || self.recall.running.is_some() {
            return;
        }
        let ticket = self.tickets.draw();
        self.recall.wanted = None;
        self.recall.running = Some(ticket);
        let rules = [&self.rules].into_iter().chain(&self.proposed).cloned().collect();
        // Of a feed without a version in force a copy may be known there.
        let known = self.feeds.iter().filter(|(_, feed)| feed.version.is_some() && !feed.blind);
        let known = known.map(|(name, _)| name.clone()).collect();
        self.orders.push(Order::Recall(ticket, RecallOrder { rules, known }));
    }

    pub(super) fn recalled(&mut self, ticket: Ticket, result: Result<Recalled, String>, now: Now) {
        if self.recall.running != Some(ticket) {
            return;
        }
        self.recall.running = None;
        let recalled = match result {
            Ok(recalled) => recalled,
            Err(reason) => {
                self.recall.blind = true;
                self.reports.push(SourceReport::RecallFailed { reason: reason.clone() });
                return self.ask_memory_later(reason, now);
            }
        };
        let first = !std::mem::replace(&mut self.recall.complete, true);
        if first {
            self.recall.blank = recalled.blank;
            self.makeup = recalled.lists;
        }
        for (name, version) in recalled.versions {
            self.recalled_version(&name, version, now);
        }
        if std::mem::take(&mut self.recall.blind) {
            // Of the others there is no earlier version.
            for name in self.feeds.keys().cloned().collect::<Vec<_>>() {
                let was = self.change(&name, |feed| std::mem::take(&mut feed.blind));
                if was == Some(true) {
                    self.changed.insert(name);
                }
            }
        }
        let mut unreadable = None;
        for (name, loss) in recalled.lost {
            if let Loss::Unreadable(reason) = &loss {
                unreadable = Some(reason.clone());
            }
            self.recalled_loss(name, loss, now);
        }
        match unreadable {
            Some(reason) => self.ask_memory_later(reason, now),
            None => self.recall.failure = None,
        }
    }

    fn ask_memory_later(&mut self, reason: String, now: Now) {
        let earlier = self.recall.failure.take().map(|(_, backoff)| backoff);
        let backoff = Backoff::after(earlier, now.monotonic, REST_MIN, REST_MAX);
        self.recall.wanted = Some(backoff.until);
        self.recall.failure = Some((reason, backoff));
    }

    /// A copy is not needed of a feed of which something good is known.
    fn recalled_version(
        &mut self,
        name: &blocklist::FeedName,
        RecalledVersion { version, gone }: RecalledVersion,
        now: Now,
    ) {
        let known = |feed: &FeedState| feed.version.is_some() && !feed.blind;
        if !self.uses(name) || self.feeds.get(name).is_some_and(known) {
            return;
        }
        if !self.feeds.contains_key(name) {
            let max_age = self.rules.max_age_for(name);
            let state = FeedState { max_age, ..FeedState::new(version.since) };
            self.add_state(name.clone(), state);
        }
        self.change(name, |feed| {
            feed.version = Some(version);
            feed.loss = None;
            feed.gone_before = gone;
            feed.unkept = None;
            // What was judged without it is judged again, against it.
            feed.fingerprint = None;
            if let FeedStage::Reading(_) | FeedStage::Queued = feed.stage {
                feed.stage = FeedStage::Wanted(now.monotonic);
            }
        });
        self.changed.insert(name.clone());
        self.look_at_clock(name, now);
        self.want_scan(now.monotonic);
    }

    fn recalled_loss(&mut self, name: blocklist::FeedName, loss: Loss, now: Now) {
        if !self.uses(&name) || self.feeds.get(&name).is_some_and(|feed| feed.version.is_some()) {
            return;
        }
        if !self.feeds.contains_key(&name) {
            let max_age = self.rules.max_age_for(&name);
            self.add_state(name.clone(), FeedState { max_age, ..FeedState::new(now.wall) });
        }
        let told = self.change(&name, |feed| feed.loss.replace(loss.clone()) != Some(loss.clone()));
        if told == Some(true) {
            self.reports.push(SourceReport::Lost { feed: name, loss });
        }
    }
}
