//! Every feed's way from a file to being in force, and out of force again.
//! A version that fails here changes nothing: the last good one stays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{FeedName, Guard, Prefixes, Refusal};

use super::content::Content;
use super::event::{Action, Fingerprint, Now, ReadOrder, Reading, Report, Scan};
use super::feed::{Age, FeedState, NotAcceptable, REREAD_UNKEPT, Stage};
use super::settings::Settings;

/// Feeds that are read at the same time. Each is in memory whole meanwhile.
const READS_MAX: usize = 2;

/// All feeds that lists take in.
#[derive(Debug, Default)]
pub struct Feeds {
    states: BTreeMap<FeedName, FeedState>,
    scan: ScanState,
    /// Set when a feed in force has changed; names the feeds.
    changed: Vec<FeedName>,
}

#[derive(Debug, Default)]
struct ScanState {
    /// A scan is to be made, not before this time.
    wanted: Option<Duration>,
    running: bool,
    /// Something changed while a scan was running.
    again: bool,
    /// There has been a good one.
    complete: bool,
    failure: Option<String>,
}

impl Feeds {
    /// The feeds by name.
    pub fn states(&self) -> &BTreeMap<FeedName, FeedState> {
        &self.states
    }

    /// Why the directory could not be scanned the last time.
    pub fn scan_failure(&self) -> Option<&str> {
        self.scan.failure.as_deref()
    }

    /// Whether every feed has been seen and read once since the start.
    pub fn complete(&self) -> bool {
        self.scan.complete && self.states.values().all(|feed| feed.seen || feed.gone.is_some())
    }

    /// Feeds whose last good version is lost and that have no new one. What
    /// the kernel still holds of them is all there is.
    pub fn lost(&self) -> impl Iterator<Item = &FeedName> {
        self.states.iter().filter(|(_, feed)| feed.lost).map(|(name, _)| name)
    }

    /// Whether nothing is under way that could change a feed now.
    pub fn at_rest(&self) -> bool {
        !self.scan.running
            && self.scan.wanted.is_none()
            && self.states.values().all(FeedState::at_rest)
    }

    /// Whether the directory is known as it is now, and with it every feed
    /// that is `chosen`.
    pub fn known(&self, chosen: impl Fn(&FeedName) -> bool) -> bool {
        let scanned = !self.scan.running && self.scan.wanted.is_none();
        let mut feeds = self.states.iter().filter(|(name, _)| chosen(name));
        scanned
            && self.scan.failure.is_none()
            && feeds.all(|(_, feed)| matches!(feed.stage, Stage::Rest))
    }

    /// Whether a feed is being read or kept, or is about to be.
    pub fn reading(&self, now: Now) -> bool {
        self.states.values().any(|feed| feed.is_busy() || feed.read_due(now))
    }

    /// What the feeds in force contribute.
    pub fn in_force(&self) -> impl Iterator<Item = (&FeedName, &Arc<Prefixes>)> {
        self.contents().map(|(name, content)| (name, &content.prefixes))
    }

    /// The feeds in force that take out some of what their own entries name.
    pub fn with_exceptions(&self) -> impl Iterator<Item = &FeedName> {
        self.contents().filter(|(_, content)| content.tally.exceptions > 0).map(|(name, _)| name)
    }

    fn contents(&self) -> impl Iterator<Item = (&FeedName, &Content)> {
        self.states
            .iter()
            .filter(|(_, feed)| feed.age != Age::Dropped)
            .filter_map(|(name, feed)| Some((name, feed.in_force.as_ref()?)))
    }

    /// Takes the names of feeds in force that have changed since.
    pub fn take_changed(&mut self) -> Vec<FeedName> {
        std::mem::take(&mut self.changed)
    }

    /// A last good copy was found. It is not needed of a feed that is known
    /// already.
    pub fn restored(
        &mut self,
        name: FeedName,
        content: Content,
        gone: Option<SystemTime>,
        settings: &Settings,
    ) {
        if settings.uses(&name) && !self.states.contains_key(&name) {
            self.changed.push(name.clone());
            let since = content.since;
            let state = FeedState {
                in_force: Some(content),
                gone_before: gone,
                max_age: (settings.rules)(&name).max_age,
                ..FeedState::new(since)
            };
            self.states.insert(name, state);
        }
    }

    /// The last good copy of a feed is damaged.
    pub fn damaged(&mut self, name: FeedName, settings: &Settings, now: Now) {
        if settings.uses(&name) && !self.states.contains_key(&name) {
            self.states.insert(name, FeedState { lost: true, ..FeedState::new(now.wall) });
        }
    }

    /// The directory should be scanned, at the earliest at `at`.
    pub fn want_scan(&mut self, at: Duration) {
        if self.scan.running {
            self.scan.again = true;
        } else {
            self.scan.wanted = Some(self.scan.wanted.map_or(at, |wanted| wanted.min(at)));
        }
    }

    /// A scan has ended.
    pub fn scanned(
        &mut self,
        result: Result<Scan, String>,
        settings: &Settings,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        self.scan.running = false;
        if std::mem::take(&mut self.scan.again) {
            self.scan.wanted = Some(now.monotonic);
        }
        match result {
            Ok(scan) => {
                if self.scan.failure.take().is_some() {
                    actions.push(Action::Report(Report::ScanRecovered));
                }
                self.scan.complete = true;
                self.compare(&scan, settings, now, actions);
            }
            Err(reason) => {
                if self.scan.failure.as_ref() != Some(&reason) {
                    actions.push(Action::Report(Report::ScanFailed { reason: reason.clone() }));
                }
                self.scan.failure = Some(reason);
            }
        }
    }

    /// Finds out which feeds are new, changed, gone or back.
    fn compare(&mut self, scan: &Scan, settings: &Settings, now: Now, actions: &mut Vec<Action>) {
        self.states.retain(|name, feed| settings.uses(name) || feed.is_busy());
        for (name, &fingerprint) in scan.feeds.iter().filter(|(name, _)| settings.uses(name)) {
            let feed = self.states.entry(name.clone()).or_insert_with(|| FeedState::new(now.wall));
            let known_gone = feed.gone_before.take().is_some();
            if feed.gone.take().is_some() || known_gone {
                feed.refusals.clear();
                feed.since = now.wall;
                actions.push(Action::NoteGone(name.clone(), None));
            }
            if feed.fingerprint != Some(fingerprint) && matches!(feed.stage, Stage::Rest) {
                feed.stage = Stage::Wanted(now.monotonic);
            }
        }
        let hidden = |name: &FeedName| {
            scan.unreadable.iter().any(|folder| name.as_str().starts_with(folder.as_str()))
        };
        let missing = self.states.iter_mut().filter(|(name, feed)| {
            feed.gone.is_none() && !scan.feeds.contains_key(*name) && !hidden(name)
        });
        for (name, feed) in missing {
            let since = *feed.gone_before.get_or_insert(now.wall);
            // A clock that was set back must not keep a feed for longer.
            let elapsed = now.wall.duration_since(since).unwrap_or_default();
            let stays = settings.withdraw.saturating_sub(elapsed);
            feed.gone = Some(now.monotonic + stays);
            feed.since = since;
            feed.fingerprint = None;
            actions.push(Action::NoteGone(name.clone(), Some(since)));
            actions.push(Action::Report(Report::FeedGone { feed: name.clone(), stays }));
        }
    }

    /// A feed was read. The answer is what is to be done with the copy.
    pub fn read(
        &mut self,
        name: &FeedName,
        (fingerprint, written): (Option<Fingerprint>, Option<SystemTime>),
        reading: Reading,
        now: Now,
        reports: &mut Vec<Report>,
    ) -> Option<Action> {
        let Some(state) = self.states.get_mut(name) else {
            return reading.candidate().map(Action::Discard);
        };
        state.stage = Stage::Rest;
        state.fingerprint = fingerprint;
        state.seen = true;
        match reading {
            Reading::Same => {
                if !std::mem::take(&mut state.refusals).is_empty() {
                    state.since = now.wall;
                }
                if let (Some(content), Some(written)) = (&mut state.in_force, written)
                    && content.rewritten(written, now.wall)
                {
                    self.changed.push(name.clone());
                }
                None
            }
            Reading::Vanished => {
                state.fingerprint = None;
                self.want_scan(now.monotonic);
                None
            }
            Reading::Refused(refusal) => {
                state.not_read(name, refusal, now, reports);
                None
            }
            Reading::New { candidate, refusals, .. } if !state.waives(&refusals) => {
                state.refuse(name, refusals, now, reports);
                Some(Action::Discard(candidate))
            }
            Reading::New { feed, candidate, .. } => {
                let written = written.unwrap_or(now.wall);
                let content = Content::new(*feed, written, now.wall, now.wall);
                state.stage = Stage::Keeping(content);
                Some(Action::Keep(name.clone(), candidate))
            }
        }
    }

    /// A candidate was kept, or could not be.
    pub fn kept(
        &mut self,
        name: &FeedName,
        result: Result<(), Refusal>,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        let Some(state) = self.states.get_mut(name) else { return };
        let Stage::Keeping(content) = std::mem::replace(&mut state.stage, Stage::Rest) else {
            return;
        };
        match result {
            Ok(()) => {
                let previous = state.in_force.take().map(|content| content.tally);
                reports.push(Report::FeedAccepted {
                    feed: name.clone(),
                    tally: content.tally,
                    previous,
                });
                state.in_force = Some(content);
                state.lost = false;
                state.refusals.clear();
                state.waived = None;
                state.since = now.wall;
                self.changed.push(name.clone());
            }
            Err(refusal) => {
                state.fingerprint = None;
                state.stage = Stage::Wanted(now.monotonic + REREAD_UNKEPT);
                state.refuse(name, vec![refusal], now, reports);
            }
        }
    }

    /// Lets through, once, what a guard refused.
    ///
    /// # Errors
    /// [`NotAcceptable`].
    pub fn accept(&mut self, name: &FeedName, now: Now) -> Result<(), NotAcceptable> {
        let state = self.states.get_mut(name).ok_or(NotAcceptable::Unknown)?;
        if state.refusals.is_empty() {
            return Err(NotAcceptable::Nothing);
        }
        if !state.refusals.iter().all(|refusal| refusal.guard.can_be_accepted()) {
            return Err(NotAcceptable::Mend);
        }
        if state.gone.is_some() {
            state.waived = Some(Fingerprint::default());
            state.gone = Some(now.monotonic);
        } else {
            state.waived = state.fingerprint.take();
            state.stage = Stage::Wanted(now.monotonic);
        }
        Ok(())
    }

    /// Every feed is to be read again, whether it seems to have changed or not:
    /// what it is judged by may have.
    pub fn doubt_all(&mut self) {
        for feed in self.states.values_mut() {
            feed.fingerprint = None;
        }
    }

    /// Asks for whatever is due, and withdraws the feeds whose time has come.
    pub fn decide(&mut self, settings: &Settings, now: Now, actions: &mut Vec<Action>) {
        if self.scan.wanted.is_some_and(|at| at <= now.monotonic) {
            self.scan.wanted = None;
            self.scan.running = true;
            actions.push(Action::Scan);
        }
        self.withdraw(now, actions);
        self.age(now, actions);
        let reading = self.states.values().filter(|feed| feed.is_busy()).count();
        let due = self.states.iter_mut().filter(|(_, feed)| feed.read_due(now));
        for (name, feed) in due.take(READS_MAX.saturating_sub(reading)) {
            feed.stage = Stage::Reading;
            let rules = (settings.rules)(name);
            feed.max_age = rules.max_age;
            actions.push(Action::Read(Box::new(ReadOrder {
                feed: name.clone(),
                previous: feed.in_force.as_ref().map(|content| content.tally),
                guard: rules.guard,
                protect: settings.protection.of(&rules.protect),
            })));
        }
    }

    /// Lets go of entries whose time has ended, and finds out which feeds have
    /// become older than they may be, or are fresh again.
    fn age(&mut self, now: Now, actions: &mut Vec<Action>) {
        for (name, feed) in &mut self.states {
            let age = feed.age_at(now.wall);
            let Some(content) = &mut feed.in_force else { continue };
            if feed.next_end.is_some_and(|end| end <= now.wall) {
                content.advance(now.wall);
                self.changed.push(name.clone());
            }
            feed.next_end = content.next_end(now.wall);
            let before = std::mem::replace(&mut feed.age, age);
            if before != age {
                actions.push(Action::Report(Report::FeedAged { feed: name.clone(), age }));
            }
            if (before == Age::Dropped) != (age == Age::Dropped) {
                self.changed.push(name.clone());
            }
        }
    }

    /// Withdraws feeds whose files have been gone for long enough, unless so
    /// many are gone that it looks like an accident.
    fn withdraw(&mut self, now: Now, actions: &mut Vec<Action>) {
        let known = self.states.values().filter(|feed| feed.in_force.is_some()).count();
        let missing = self.states.values().filter(|feed| feed.gone.is_some()).count();
        let accident = missing > 1 && missing * 2 > known;
        let due = self
            .states
            .iter_mut()
            .filter(|(_, feed)| feed.gone.is_some_and(|at| at <= now.monotonic) && !feed.is_busy());
        let mut withdrawn = Vec::new();
        for (name, feed) in due {
            if accident && feed.waived.is_none() && feed.in_force.is_some() {
                if feed.refusals.is_empty() {
                    let refusal = lost(missing, known);
                    feed.refusals.push(refusal.clone());
                    actions.push(Action::Report(Report::FeedRefused {
                        feed: name.clone(),
                        refusals: vec![refusal],
                        in_force: true,
                    }));
                }
            } else {
                withdrawn.push(name.clone());
            }
        }
        for name in withdrawn {
            self.states.remove(&name);
            actions.push(Action::Forget(name.clone()));
            actions.push(Action::Report(Report::FeedWithdrawn { feed: name.clone() }));
            self.changed.push(name);
        }
    }

    /// When something will be due without an event.
    pub fn wake_at(&self, now: Now) -> Option<Duration> {
        let reads = self.states.values().filter_map(|feed| match feed.stage {
            Stage::Wanted(at) => Some(at),
            _ => None,
        });
        let withdrawals = self.states.values().filter_map(|feed| feed.gone);
        let ends = self.states.values().flat_map(|feed| [feed.next_end, feed.stale_from()]);
        // What is due at a time of day, as a time since the start.
        let ends = ends.flatten().filter_map(|end| end.duration_since(now.wall).ok());
        let ends = ends.map(|from_now| now.monotonic + from_now);
        let upcoming = reads.chain(withdrawals).chain(ends).filter(|&at| at > now.monotonic);
        upcoming.chain(self.scan.wanted).min()
    }
}

/// The refusal to withdraw a feed because too many are gone with it.
fn lost(missing: usize, known: usize) -> Refusal {
    Refusal {
        guard: Guard::Withdrawal,
        expected: "at most half of the feeds to be deleted at once".to_owned(),
        found: format!("{missing} of {known} feeds are gone"),
    }
}
