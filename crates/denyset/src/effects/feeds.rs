//! What touches the feeds directory and the state directory, for one feed at a
//! time. Can be used from several threads at once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use blocklist::{FeedName, Limits, Refusal};
use reconcile::{Candidate, Compose, Content, Event, Fingerprint, ReadOrder, Reading};

use configuration::Config;
use feedfiles::{
    Copies, Draft, Drafts, FeedFile, Ignored, Restored, Store, StoreError, Taken, TreeLimits,
};

/// What a scan gave: the event, and what is not the reconciler's business.
#[derive(Debug)]
pub struct Scanned {
    /// What the reconciler should know.
    pub event: Event,
    /// The directories to watch.
    pub directories: Vec<PathBuf>,
    /// What cannot be a feed.
    pub ignored: Vec<Ignored>,
}

/// The feeds directory and the state directory.
#[derive(Clone)]
pub struct FeedEffects {
    config: Arc<Config>,
    /// `None` when nothing may be written.
    copies: Option<Kept>,
    candidates: Arc<Mutex<Candidates>>,
    /// What has been told to be ignored.
    told: Arc<Mutex<BTreeSet<String>>>,
}

/// The last good copies: laying down and reading for all, keeping for one at a
/// time.
#[derive(Clone)]
struct Kept {
    drafts: Drafts,
    store: Arc<Mutex<Store>>,
}

/// Copies that were read and are not yet kept or thrown away; or why there is
/// none.
#[derive(Default)]
struct Candidates {
    last: u64,
    waiting: BTreeMap<Candidate, Result<Draft, Refusal>>,
}

impl FeedEffects {
    /// Opens the state directory, and returns the events of what is in it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(config: Arc<Config>) -> Result<(Self, Vec<Event>), StoreError> {
        let mut store = Store::open(&config.daemon.state_dir)?;
        let events = events(store.restore(&Limits::default(), |feed| uses(&config, feed))?);
        let drafts = store.drafts().clone();
        let kept = Kept { drafts, store: Arc::new(Mutex::new(store)) };
        Ok((Self::new(config, Some(kept)), events))
    }

    /// The same, but nothing will be written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_read_only(config: Arc<Config>) -> Result<(Self, Vec<Event>), StoreError> {
        let restored = match Copies::open(&config.daemon.state_dir)? {
            Some(copies) => copies.restore(&Limits::default(), |feed| uses(&config, feed))?,
            None => Restored::default(),
        };
        Ok((Self::new(config, None), events(restored)))
    }

    fn new(config: Arc<Config>, copies: Option<Kept>) -> Self {
        Self { config, copies, candidates: Arc::default(), told: Arc::default() }
    }

    /// Uses another configuration from now on.
    pub fn reconfigure(&mut self, config: Arc<Config>) {
        self.config = config;
    }

    /// The events of the last good copies of feeds that this configuration
    /// takes in and that are not `known`.
    pub fn recall(&self, known: &BTreeSet<FeedName>) -> Vec<Event> {
        let Some(kept) = &self.copies else { return Vec::new() };
        let wanted = |feed: &FeedName| !known.contains(feed) && uses(&self.config, feed);
        match kept.store().restore(&Limits::default(), wanted) {
            Ok(restored) => events(restored),
            Err(error) => {
                tracing::warn!(%error, "the last good copies cannot be read");
                Vec::new()
            }
        }
    }

    /// The last good copies, for the lines of a feed.
    pub fn copies(&self) -> Option<&Copies> {
        self.copies.as_ref().map(|kept| kept.drafts.copies())
    }

    /// Scans the feeds directory.
    pub fn scan(&self) -> Scanned {
        let failed = |reason: String| Scanned {
            event: Event::Scanned(Err(reason)),
            directories: Vec::new(),
            ignored: Vec::new(),
        };
        let scan = match feedfiles::scan(&self.config.daemon.feeds_dir, &TreeLimits::default()) {
            Ok(scan) => scan,
            Err(error) => return failed(error.to_string()),
        };
        // What stands in a feed's place is read too: that says what is wrong.
        let found = scan.feeds.into_iter().chain(scan.obstructed);
        let feeds = found.map(|(name, signature)| (name, Fingerprint(signature.numbers())));
        let scan_event = reconcile::Scan { feeds: feeds.collect(), unreadable: scan.unreadable };
        Scanned {
            event: Event::Scanned(Ok(scan_event)),
            directories: scan.directories,
            ignored: scan.ignored,
        }
    }

    /// Warns of what cannot be a feed, once as long as it is there.
    pub fn log_ignored(&self, scanned: &Scanned) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for ignored in scanned.ignored.iter().filter(|ignored| !told.contains(&ignored.path)) {
            tracing::warn!(path = ignored.path, reason = %ignored.reason, "this is not taken for a feed");
        }
        if !matches!(scanned.event, Event::Scanned(Err(_))) {
            *told = scanned.ignored.iter().map(|ignored| ignored.path.clone()).collect();
        }
    }

    /// Reads a feed and judges it.
    pub fn read(&self, order: ReadOrder) -> Event {
        let file = FeedFile {
            feeds_dir: &self.config.daemon.feeds_dir,
            name: &order.feed,
            format: self.config.format_for(&order.feed),
            options: &self.config.options_for(&order.feed),
            parse: &Limits { entries_max: order.guard.entries_max, ..Limits::default() },
            limits: &TreeLimits::default(),
            quiet: self.config.daemon.settle,
        };
        let (signature, reading) = if let Some(kept) = &self.copies {
            let (signature, taken) = feedfiles::read(&file, &kept.drafts);
            (signature, judged(taken, &order, |draft| self.entrust(draft)))
        } else {
            let (signature, taken) = feedfiles::read_only(&file);
            (signature, judged(taken, &order, |()| Candidate(0)))
        };
        let fingerprint = signature.map(|signature| Fingerprint(signature.numbers()));
        let written = signature.map(feedfiles::Signature::modified);
        Event::Read { feed: order.feed, fingerprint, written, reading }
    }

    /// Makes a candidate the last good copy. Where nothing may be written it
    /// counts as kept.
    pub fn keep(&self, feed: FeedName, candidate: Candidate) -> Event {
        let draft = self.candidates().waiting.remove(&candidate);
        let result = match (&self.copies, draft) {
            (Some(kept), Some(draft)) => {
                draft.and_then(|draft| kept.store().keep(draft, SystemTime::now()))
            }
            _ => Ok(()),
        };
        Event::Kept { feed, result }
    }

    /// Throws a candidate away.
    pub fn discard(&self, candidate: Candidate) {
        self.candidates().waiting.remove(&candidate);
    }

    /// Throws a last good copy away.
    pub fn forget(&self, feed: &FeedName) {
        self.write(|store| store.forget(feed));
    }

    /// Remembers since when a feed is gone, or that it is back.
    pub fn note_gone(&self, feed: &FeedName, since: Option<SystemTime>) {
        self.write(|store| store.note_gone(feed, since));
    }

    /// Removes what no list has named for thirty days.
    pub fn clear_unwanted(&self) {
        let wanted = |feed: &FeedName| uses(&self.config, feed);
        self.write(|store| {
            for file in store.clear_unwanted(wanted, SystemTime::now())? {
                tracing::info!(file, "removed from state-dir, nobody has wanted it for 30 days");
            }
            Ok(())
        });
    }

    fn write(&self, work: impl FnOnce(&mut Store) -> Result<(), StoreError>) {
        if let Some(Err(error)) = self.copies.as_ref().map(|kept| work(&mut kept.store())) {
            tracing::warn!(%error, "cannot write to state-dir");
        }
    }

    /// Holds on to the copy of a new version and gives out a number for it.
    fn entrust(&self, draft: Result<Draft, Refusal>) -> Candidate {
        let mut candidates = self.candidates();
        candidates.last += 1;
        let candidate = Candidate(candidates.last);
        candidates.waiting.insert(candidate, draft);
        candidate
    }

    fn candidates(&self) -> std::sync::MutexGuard<'_, Candidates> {
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The right to write, for as long as the caller has it.
    fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether any list takes the feed in.
fn uses(config: &Config, feed: &FeedName) -> bool {
    config.lists.iter().any(|list| list.uses(feed))
}

/// What was taken from a feed's file, with what the guards have against it.
fn judged<D>(taken: Taken<D>, order: &ReadOrder, entrust: impl FnOnce(D) -> Candidate) -> Reading {
    match taken {
        Taken::New { feed, draft, .. } => {
            let refusals = order.judge(&feed);
            Reading::New { feed, candidate: entrust(draft), refusals }
        }
        Taken::Same(_) => Reading::Same,
        Taken::Refused(refusal) => Reading::Refused(refusal),
        Taken::Vanished => Reading::Vanished,
    }
}

/// What a start begins with.
fn events(restored: Restored) -> Vec<Event> {
    let now = SystemTime::now();
    let good = restored.feeds.into_iter().map(|(feed, copy)| Event::Restored {
        feed,
        content: Content::new(copy.feed, copy.written, copy.accepted, now),
        gone: copy.gone,
    });
    let mut events: Vec<_> = good.collect();
    for damaged in restored.damaged {
        tracing::error!(file = damaged.file, error = %damaged.error, "a last good copy is damaged and not used");
        events.extend(damaged.feed.map(|feed| Event::Damaged { feed }));
    }
    for unread in restored.unread {
        tracing::error!(file = unread.file, error = %unread.error, "a last good copy cannot be read now");
        // What the kernel holds of it is all there is until it can be.
        events.extend(unread.feed.map(|feed| Event::Damaged { feed }));
    }
    events
}

/// Puts a list together. Takes a while for a long list.
pub fn compose(compose: &Compose) -> Event {
    let composition = blocklist::compose(&compose.list, &compose.feeds, &compose.protect);
    Event::Composed { list: compose.list.name.clone(), composition }
}
