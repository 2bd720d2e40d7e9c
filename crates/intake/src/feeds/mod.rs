//! All feeds: what is wanted of those who touch files, and what is in force. A
//! version that fails here changes nothing: the last good one stays.

mod accepting;
mod leaving;
mod lockout;
mod reading;
mod recalling;
mod scanning;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{FeedName, Prefixes, Protection};

use crate::clock::TimeOfDay;
use crate::feed::{Asked, FeedStage};
use crate::index::Index;
use crate::{
    Age, Answer, Backoff, FeedState, Makeup, NotAcceptable, Now, Order, Peer, ReadOrder, Rules,
    SourceReport, Ticket, Tickets, Version,
};

/// Feeds that are read at the same time. Each is in memory whole meanwhile.
const READS_MAX: usize = 2;

/// All feeds that lists take in, and the orders that follow from what is known
/// of them.
#[derive(Debug)]
pub struct Intake {
    rules: Arc<Rules>,
    /// Rules that may be in force soon: their feeds are read as well.
    proposed: Option<Arc<Rules>>,
    protection: Arc<Protection>,
    feeds: BTreeMap<FeedName, FeedState>,
    index: Index,
    clock: TimeOfDay,
    tickets: Tickets,
    scan: Scanning,
    recall: Recalling,
    /// Readings under way, those included whose answers nobody wants any more:
    /// they take memory all the same.
    reading: BTreeSet<Ticket>,
    /// Feeds whose contribution has changed.
    changed: BTreeSet<FeedName>,
    /// Feeds of which lifetimes have ended.
    ended: BTreeSet<FeedName>,
    makeup: BTreeMap<String, Makeup>,
    orders: Vec<Order>,
    reports: Vec<SourceReport>,
    replies: Vec<(Ticket, Result<(), NotAcceptable>)>,
    /// Who was connected at the last look, for the answer that came with it.
    peers: Vec<Peer>,
}

/// What is known of the feeds directory.
#[derive(Debug, Default)]
struct Scanning {
    /// A scan is to be made, not before this time.
    wanted: Option<Duration>,
    /// Only because it was long ago that there was one.
    regular: bool,
    running: Option<Ticket>,
    /// Something changed while a scan was running.
    again: bool,
    /// There has been a good one.
    complete: bool,
    failure: Option<(String, Backoff)>,
}

/// What is known of the state directory.
#[derive(Debug)]
struct Recalling {
    /// To be done, not before this time.
    wanted: Option<Duration>,
    running: Option<Ticket>,
    /// It has been done once.
    complete: bool,
    /// It was found as new as on the first day.
    blank: bool,
    /// Nothing could be looked through the last time.
    blind: bool,
    failure: Option<(String, Backoff)>,
}

impl Intake {
    /// The intake at start: nothing is known but the rules and what of this
    /// host is protected.
    pub fn new(rules: Arc<Rules>, protection: Arc<Protection>, now: Now) -> Self {
        Self {
            rules,
            proposed: None,
            protection,
            feeds: BTreeMap::new(),
            index: Index::default(),
            clock: TimeOfDay::new(now),
            tickets: Tickets::default(),
            scan: Scanning { wanted: Some(now.monotonic), ..Scanning::default() },
            recall: Recalling {
                wanted: Some(now.monotonic),
                running: None,
                complete: false,
                blank: false,
                blind: false,
                failure: None,
            },
            reading: BTreeSet::new(),
            changed: BTreeSet::new(),
            ended: BTreeSet::new(),
            makeup: BTreeMap::new(),
            orders: Vec::new(),
            reports: Vec::new(),
            replies: Vec::new(),
            peers: Vec::new(),
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// The feeds by name.
    pub fn feeds(&self) -> &BTreeMap<FeedName, FeedState> {
        &self.feeds
    }

    /// Why the directory could not be scanned the last time.
    pub fn scan_failure(&self) -> Option<&str> {
        self.scan.failure.as_ref().map(|(reason, _)| reason.as_str())
    }

    /// Why the last good copies could not be looked through the last time.
    pub fn recall_failure(&self) -> Option<&str> {
        self.recall.failure.as_ref().map(|(reason, _)| reason.as_str())
    }

    /// Whether the state directory remembered nothing at all when we started.
    pub fn was_blank(&self) -> bool {
        self.recall.blank
    }

    /// Which feeds made up each list when an earlier process wrote it down.
    pub fn remembered(&self) -> &BTreeMap<String, Makeup> {
        &self.makeup
    }

    /// Whether every feed has been seen and read once since the start.
    pub fn is_complete(&self) -> bool {
        self.scan.complete && self.recall.complete && self.index.unseen.is_empty()
    }

    /// Feeds of which no good version is known though there should be one.
    pub fn unproven(&self) -> impl Iterator<Item = (&FeedName, &FeedState)> {
        let unproven = self.index.unproven.iter();
        unproven.filter_map(|feed| self.feeds.get_key_value(feed))
    }

    /// Feeds that say what a list must never hold, are there and have not been
    /// read yet.
    pub fn awaited_exceptions(&self) -> impl Iterator<Item = &FeedName> {
        self.index.awaited.iter()
    }

    /// Whether nothing is under way that could change a feed now.
    pub fn at_rest(&self) -> bool {
        self.is_scanned() && self.is_recalled() && self.index.restless.is_empty()
    }

    /// Whether the directory is known as it is now, and every feed in it.
    pub fn is_current(&self) -> bool {
        self.is_scanned()
            && self.is_recalled()
            && self.scan.failure.is_none()
            && self.recall.failure.is_none()
            && self.scan.complete
            && !self.is_reading()
            && self.index.unseen.is_empty()
    }

    /// Whether a feed is being read or kept, or is about to be.
    pub fn is_reading(&self) -> bool {
        !self.index.busy.is_empty() || !self.index.queued.is_empty()
    }

    /// The good versions that are in force once their copies are kept, if nothing
    /// else is being read.
    pub fn coming(&self) -> BTreeMap<&FeedName, &Version> {
        let kept = |name| match &self.feeds.get(name)?.stage {
            FeedStage::Keeping(_, version) => Some((name, &**version)),
            _ => None,
        };
        let coming: Option<_> = self.index.busy.iter().map(kept).collect();
        coming.filter(|_| self.index.queued.is_empty()).unwrap_or_default()
    }

    /// The versions in force.
    pub fn in_force(&self) -> impl Iterator<Item = (&FeedName, &Version)> {
        self.feeds.iter().filter_map(|(name, feed)| Some((name, feed.in_force()?)))
    }

    /// The versions that would be in force at this time of day by these rules,
    /// which may ignore some, and drop some for their age.
    pub fn in_force_by<'a>(
        &'a self,
        rules: &'a Rules,
        now: SystemTime,
    ) -> impl Iterator<Item = (&'a FeedName, &'a Version)> {
        let versions =
            self.feeds.iter().filter_map(|(name, feed)| Some((name, feed.version.as_ref()?)));
        versions.filter(move |(name, version)| {
            !rules.ignores(name) && Age::of(version, rules.max_age_for(name), now) != Age::Dropped
        })
    }

    /// Whether the state directory has been asked once.
    pub fn is_recalled_once(&self) -> bool {
        self.recall.complete
    }

    /// Takes the names of feeds whose contribution has changed since.
    pub fn take_changed(&mut self) -> BTreeSet<FeedName> {
        std::mem::take(&mut self.changed)
    }

    /// Takes the names of feeds of which nothing but lifetimes have ended since.
    pub fn take_ended(&mut self) -> BTreeSet<FeedName> {
        std::mem::take(&mut self.ended)
    }

    /// Takes what is wanted of those who touch files.
    pub fn take_orders(&mut self) -> Vec<Order> {
        std::mem::take(&mut self.orders)
    }

    /// Takes what an administrator should know.
    pub fn take_reports(&mut self) -> Vec<SourceReport> {
        std::mem::take(&mut self.reports)
    }

    /// Takes what came of the words of persons.
    pub fn take_replies(&mut self) -> Vec<(Ticket, Result<(), NotAcceptable>)> {
        std::mem::take(&mut self.replies)
    }

    /// An answer has come.
    pub fn answered(&mut self, answer: Answer, now: Now) {
        match answer {
            Answer::Recalled(ticket, result) => self.recalled(ticket, result, now),
            Answer::Scanned(ticket, result) => self.scanned(ticket, result, now),
            Answer::Read { ticket, feed, fingerprint, written, reading } => {
                self.read(ticket, &feed, (fingerprint, written), reading, now);
            }
            Answer::Kept { ticket, feed, result } => self.kept(ticket, &feed, result, now),
        }
    }

    /// Other addresses of this host are protected from now on.
    pub fn protect(&mut self, protection: Arc<Protection>) {
        self.protection = protection;
    }

    /// These rules may be in force soon, or not any more: what they take in is
    /// read and judged beside the rest.
    pub fn propose(&mut self, rules: Option<Arc<Rules>>, now: Now) {
        let looks = rules.is_some();
        self.proposed = rules;
        if looks {
            self.recall.wanted = Some(now.monotonic);
            self.want_scan(now.monotonic);
        }
    }

    /// Other rules are in force. Every feed is read again, whether it seems to
    /// have changed or not: what it is judged by may have.
    pub fn rule_by(&mut self, rules: Arc<Rules>, now: Now) {
        self.rules = rules;
        self.proposed = None;
        self.recall.wanted = Some(now.monotonic);
        self.want_scan(now.monotonic);
        for name in self.feeds.keys().cloned().collect::<Vec<_>>() {
            if !self.rules.uses(&name) {
                self.drop_state(&name);
                continue;
            }
            let max_age = self.rules.max_age_for(&name);
            let excepts = self.rules.excepts(&name);
            self.change(&name, |feed| {
                feed.max_age = max_age;
                feed.excepts = excepts;
                feed.fingerprint = None;
                // What it is judged by is another now.
                if let FeedStage::Reading(_) | FeedStage::Queued = feed.stage {
                    feed.stage = FeedStage::Wanted(now.monotonic);
                }
            });
            self.look_at_clock(&name, now);
        }
    }

    /// Asks for whatever is due, and lets go of what has ended.
    pub fn decide(&mut self, now: Now) {
        self.watch_clock(now);
        self.ask_memory(now);
        for name in self.index.due_by(now.monotonic) {
            self.attend(&name, now);
        }
        // What is judged by its last good version must wait for that.
        if !self.is_recalled() {
            return;
        }
        if self.scan.wanted.is_some_and(|at| at <= now.monotonic) && self.scan.running.is_none() {
            let ticket = self.tickets.draw();
            self.scan.wanted = None;
            self.scan.running = Some(ticket);
            self.orders.push(Order::Scan(ticket));
        }
        while self.reading.len() < READS_MAX {
            let Some(name) = self.index.queued.first().cloned() else { break };
            self.order_reading(&name, now);
        }
    }

    /// When something will be due without an answer.
    pub fn wake_at(&self, now: Now) -> Option<Duration> {
        let scan = self.scan.wanted.filter(|_| self.scan.running.is_none());
        let recall = self.recall.wanted.filter(|_| self.recall.running.is_none());
        let upcoming = [self.index.next_due(), scan, recall].into_iter().flatten();
        upcoming.filter(|&at| at > now.monotonic).min()
    }

    /// Does what is due for one feed.
    fn attend(&mut self, name: &FeedName, now: Now) {
        self.look_at_clock(name, now);
        self.change(name, |feed| {
            if matches!(feed.stage, FeedStage::Wanted(at) if at <= now.monotonic) {
                feed.stage = FeedStage::Queued;
            }
        });
        self.withdraw(name, now);
    }

    fn look_at_clock(&mut self, name: &FeedName, now: Now) {
        let looked = self.change(name, |feed| {
            let before = feed.age;
            (feed.look_at_clock(now), before, feed.age)
        });
        let Some((changed, before, age)) = looked else { return };
        if before != age {
            self.reports.push(SourceReport::Aged { feed: name.clone(), age });
        }
        if changed && before == age {
            self.ended.insert(name.clone());
        } else if changed {
            self.changed.insert(name.clone());
        }
    }

    /// Everything that waits for a time of day waits anew when the clock was
    /// set: what had ended too early comes back.
    fn watch_clock(&mut self, now: Now) {
        let before = self.clock;
        let Some(step) = self.clock.observe(now) else { return };
        self.reports.push(SourceReport::ClockSet { by: step.by, ahead: step.ahead });
        for (name, feed) in &self.feeds {
            // The index goes by the clock.
            self.index.note(name, feed.summary(before), feed.summary(self.clock));
            if feed.version.as_ref().is_some_and(Version::has_lifetimes) {
                self.changed.insert(name.clone());
            }
        }
        for name in self.feeds.keys().cloned().collect::<Vec<_>>() {
            self.look_at_clock(&name, now);
        }
    }

    fn order_reading(&mut self, name: &FeedName, now: Now) {
        let ticket = self.tickets.draw();
        let uses = self.rules.uses(name);
        let rules = self.proposed.clone().filter(|_| !uses).unwrap_or_else(|| self.rules.clone());
        let order = self.change(name, |feed| {
            feed.stage = FeedStage::Reading(ticket);
            feed.meanwhile = None;
            let impatient = feed.is_overdue(rules.patience, now);
            feed.asked = if impatient { Asked::Impatiently } else { Asked::Patiently };
            let version = feed.version.as_ref();
            ReadOrder {
                feed: name.clone(),
                known: version.map(|version| version.id),
                previous: version.map(|version| version.tally),
                guard: rules.guard_for(name),
                protect: Prefixes::default(),
                impatient,
            }
        });
        let Some(mut order) = order else { return };
        order.protect = self.protection.of(&rules.protect_for(name));
        self.reading.insert(ticket);
        self.orders.push(Order::Read(ticket, Box::new(order)));
    }

    fn is_scanned(&self) -> bool {
        let resting = self.scan.failure.is_some();
        self.scan.running.is_none()
            && (self.scan.wanted.is_none() || resting || self.scan_is_later())
    }

    fn uses(&self, name: &FeedName) -> bool {
        self.rules.uses(name) || self.proposed.as_ref().is_some_and(|rules| rules.uses(name))
    }

    /// Changes the state of a feed and what the index knows of it.
    fn change<T>(
        &mut self,
        name: &FeedName,
        change: impl FnOnce(&mut FeedState) -> T,
    ) -> Option<T> {
        let feed = self.feeds.get_mut(name)?;
        let before = feed.summary(self.clock);
        let done = change(feed);
        self.index.note(name, before, feed.summary(self.clock));
        Some(done)
    }

    /// Begins to know a feed.
    fn add_state(&mut self, name: FeedName, state: FeedState) {
        let state = FeedState { excepts: self.rules.excepts(&name), ..state };
        self.index.note(&name, crate::index::Summary::default(), state.summary(self.clock));
        self.feeds.insert(name, state);
    }

    /// Knows nothing of a feed any more.
    fn drop_state(&mut self, name: &FeedName) -> Option<FeedState> {
        let mut state = self.feeds.remove(name)?;
        let before = state.summary(self.clock);
        self.index.note(name, before, crate::index::Summary::default());
        self.answer_words(state.waiver.take(), Err(NotAcceptable::Unknown));
        Some(state)
    }
}
