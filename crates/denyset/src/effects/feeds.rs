//! What touches the feeds directory and the state directory, for one feed at a
//! time. Reading can be done from several threads at once; what writes is done
//! in the order in which it was wanted, by whoever has that room.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use blocklist::{FeedName, Glob, Limits, Refusal, SourceLine};
use configuration::{Configuration, FeedConfig, ProtectPeers};
use feedfiles::{
    Copies, Draft, Drafts, FeedFile, Ignored, MadeOf, NameRule, Naming, PassedOver, Quiet,
    Restored, Shelf, Signature, Store, StoreError, Taken, Tree, TreeLimits, Unfinished, VersionId,
    lines,
};
use intake::{
    Answer, Candidate, Fingerprint, Identity, Makeup, Order, Peer, ReadOrder, Reading, RecallOrder,
    Recalled, Scan, Ticket,
};
use keeper::{Compose, Composed};

use super::peers::{self, Connections};
use super::recalled::recalled;

/// Names in one scan that are told one by one.
const TOLD_MAX: usize = 20;

/// What a scan gave: the answer, and what is not the intake's business.
#[derive(Debug)]
pub struct Scanned {
    /// What the intake should know.
    pub answer: Answer,
    /// The rest, without the feeds. `None` if the directory could not be read.
    pub tree: Option<Tree>,
}

/// The feeds directory and the state directory.
#[derive(Clone)]
pub struct FeedEffects {
    config: Arc<Configuration>,
    /// A configuration that may be in force soon. Only feeds that the present
    /// one does not take in are read as it says.
    proposed: Option<Arc<Configuration>>,
    kept: Kept,
    /// The last good copies, for all who read them whenever they are there.
    shelf: Shelf,
    candidates: Arc<Mutex<Candidates>>,
    unfinished: Unfinished,
    /// What has been told to be ignored.
    told: Arc<Mutex<BTreeSet<String>>>,
    connections: Connections,
}

/// The last good copies.
#[derive(Clone)]
enum Kept {
    /// Laying down and reading for all, keeping for one at a time.
    Writable(Drafts, Arc<Mutex<Store>>),
    /// Nothing may be written. `None` if there are none.
    ReadOnly(Option<Copies>),
    /// They should be written, and the file system takes nothing: what is in
    /// force goes on without new ones.
    Unwritable(Option<Copies>, Refusal),
}

/// Copies that were read and are not yet kept or thrown away.
#[derive(Default)]
struct Candidates {
    last: u64,
    waiting: BTreeMap<Candidate, Draft>,
}

impl Kept {
    /// Opens the copies for writing, or as far as the file system lets us.
    fn open(state_dir: &Path) -> Result<Self, StoreError> {
        match Store::open(state_dir) {
            Ok(store) => Ok(Self::Writable(store.drafts().clone(), Arc::new(Mutex::new(store)))),
            Err(error) if error.is_unwritable() => {
                let copies = Copies::open(state_dir)?;
                Ok(Self::Unwritable(copies, error.refusal()))
            }
            Err(error) => Err(error),
        }
    }

    fn copies(&self) -> Option<&Copies> {
        match self {
            Self::Writable(drafts, _) => Some(drafts.copies()),
            Self::ReadOnly(copies) | Self::Unwritable(copies, _) => copies.as_ref(),
        }
    }
}

impl FeedEffects {
    /// Opens the state directory for writing. One that takes nothing is good
    /// enough to go on with what the feeds say.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(config: Arc<Configuration>) -> Result<Self, StoreError> {
        let kept = Kept::open(&config.daemon.state_dir)?;
        if let Kept::Unwritable(_, Refusal { found, .. }) = &kept {
            tracing::warn!(found, "nothing would survive a restart: {found}");
        }
        Ok(Self::new(config, kept))
    }

    /// The same, but nothing will be written.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_read_only(config: Arc<Configuration>) -> Result<Self, StoreError> {
        let copies = Copies::open(&config.daemon.state_dir)?;
        Ok(Self::new(config, Kept::ReadOnly(copies)))
    }

    fn new(config: Arc<Configuration>, kept: Kept) -> Self {
        let shelf = Shelf::default();
        shelf.put(kept.copies().cloned());
        Self {
            config,
            proposed: None,
            kept,
            shelf,
            candidates: Arc::default(),
            unfinished: Unfinished::default(),
            told: Arc::default(),
            connections: Connections::default(),
        }
    }

    /// Uses another configuration from now on. A state directory that could
    /// not be written is tried again: somebody may have mended it.
    pub fn reconfigure(&mut self, config: Arc<Configuration>) {
        if let Kept::Unwritable(..) = self.kept
            && let Ok(kept) = Kept::open(&config.daemon.state_dir)
        {
            self.shelf.put(kept.copies().cloned());
            self.kept = kept;
        }
        self.config = config;
        self.proposed = None;
    }

    /// This one may be in force soon, or none.
    pub fn propose(&mut self, config: Option<Arc<Configuration>>) {
        self.proposed = config;
    }

    /// By which configuration a feed is read.
    fn config_for(&self, feed: &FeedName) -> &Configuration {
        let used = self.config.lists.iter().any(|list| list.uses(feed));
        self.proposed.as_ref().filter(|_| !used).unwrap_or(&self.config)
    }

    /// The files that are being written, to be kept up to date by whoever
    /// watches them.
    pub fn unfinished(&self) -> &Unfinished {
        &self.unfinished
    }

    /// The last good copies, for the lines of a feed.
    pub fn copies(&self) -> Option<&Copies> {
        self.kept.copies()
    }

    /// The same for those who will ask later, when there may be others.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// Carries an order out, other than to scan. What has an answer gives it.
    pub fn carry_out(&self, order: Order) -> Option<Answer> {
        match order {
            Order::Recall(ticket, order) => Some(Answer::Recalled(ticket, self.recall(&order))),
            Order::Scan(ticket) => Some(self.scan(ticket).answer),
            Order::Read(ticket, order) => Some(self.read(ticket, *order).1),
            Order::Keep(ticket, feed, candidate) => {
                let result = self.keep(candidate);
                Some(Answer::Kept { ticket, feed, result })
            }
            Order::Discard(candidate) => {
                self.candidates().waiting.remove(&candidate);
                None
            }
            Order::Forget(feed) => {
                self.write(|store| store.forget(&feed));
                None
            }
            Order::NoteRewritten(feed, id, written) => {
                self.write(|store| store.note_rewritten(&feed, version_of(id), written));
                None
            }
            Order::NoteGone(feed, since) => {
                self.write(|store| store.note_gone(&feed, since));
                None
            }
        }
    }

    /// Scans the feeds directory.
    pub fn scan(&self, ticket: Ticket) -> Scanned {
        let daemon = &self.config.daemon;
        let limits = TreeLimits::with_feeds_max(daemon.feeds_max);
        // What has a copy was in force, and a better idea of what programs
        // leave behind must not take it out.
        let kept = |feed: &FeedName| self.copies().is_some_and(|copies| copies.has(feed));
        let proposed = self.proposed.as_deref();
        let names = |feed: &FeedName| {
            self.config.names(feed) || proposed.is_some_and(|config| config.names(feed))
        };
        let meant = |feed: &FeedName| names(feed) || kept(feed);
        let ignore = self.ignored();
        let naming = Naming { ignore: &ignore, meant: &meant };
        let mut tree = match feedfiles::scan(&daemon.feeds_dir, &limits, &naming) {
            Ok(tree) => tree,
            Err(error) => {
                let answer = Answer::Scanned(ticket, Err(error.to_string()));
                return Scanned { answer, tree: None };
            }
        };
        // What stands in a feed's place is read too: that says what is wrong.
        let (feeds, obstructed) = (mem::take(&mut tree.feeds), mem::take(&mut tree.obstructed));
        let found = feeds.into_iter().chain(obstructed);
        let feeds = found.map(|(name, signature)| {
            let fingerprint = fingerprint(signature, self.beside(&name));
            (name, fingerprint)
        });
        let unreadable = mem::take(&mut tree.unreadable);
        let answer = Answer::Scanned(ticket, Ok(Scan { feeds: feeds.collect(), unreadable }));
        Scanned { answer, tree: Some(tree) }
    }

    /// What a scan need not look at. While a configuration is proposed it may
    /// be judged by what the running one ignores.
    fn ignored(&self) -> Vec<Glob> {
        let mut ignored = self.config.daemon.ignore.clone();
        if let Some(proposed) = &self.proposed {
            ignored.retain(|glob| proposed.daemon.ignore.contains(glob));
        }
        ignored
    }

    /// A number for what the files beside a feed are like that it is read with; 0
    /// if there are none.
    fn beside(&self, feed: &FeedName) -> u64 {
        let config = self.config_for(feed);
        let names_some = |table: &FeedConfig| table.locations.is_some() || table.asn_feed.is_some();
        if !config.feeds.iter().any(names_some) {
            return 0;
        }
        let options = config.options_for(feed);
        let beside = feedfiles::beside(&config.daemon.feeds_dir, feed, &options);
        let numbers = beside.into_iter().flat_map(Signature::numbers);
        numbers.fold(0, |mixed, number| {
            (mixed.rotate_left(7) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        })
    }

    /// Warns of what is taken for no feed and may have been meant to be one,
    /// once as long as it is there. What no feed is ever called needs no word.
    pub fn log_ignored(&self, scanned: &Scanned) {
        let Some(tree) = &scanned.tree else { return };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = mem::take(&mut *told);
        let ignored =
            tree.ignored.iter().map(|Ignored { path, reason }| (path, reason.to_string()));
        let leftovers =
            tree.passed_over.iter().filter_map(|PassedOver { path, rule }| match rule {
                NameRule::Leftover { .. } => Some((path, rule.to_string())),
                NameRule::Never(_) | NameRule::Ignored { .. } => None,
            });
        let mut fresh = 0;
        for (path, reason) in ignored.chain(leftovers) {
            if !before.contains(path) {
                fresh += 1;
                if fresh <= TOLD_MAX {
                    tracing::warn!(path, reason, "this is not taken for a feed: {path}, {reason}");
                }
            }
            told.insert(path.clone());
        }
        if let Some(count) = fresh.checked_sub(TOLD_MAX).filter(|&count| count > 0) {
            tracing::warn!(
                count,
                "{count} others are not taken for feeds, `denyset check` lists them"
            );
        }
    }

    /// Writes down which feeds make up each list.
    pub fn write_down(&self, lists: &BTreeMap<String, Makeup>) {
        let lists = lists.iter().map(|(list, makeup)| {
            let Makeup { deny, allow, drops, doubt } = makeup.clone();
            (list.clone(), MadeOf { deny, allow, drops, doubt })
        });
        let lists = lists.collect();
        self.write(|store| store.write_down(&lists));
    }

    /// The state directory, which does not change while the process runs.
    pub fn state_dir(&self) -> &Path {
        &self.config.daemon.state_dir
    }

    /// Writes down how long feeds have blocked nothing.
    pub fn note_quiet(&self, quiet: &BTreeMap<FeedName, Quiet>) {
        self.write(|store| store.note_quiet(quiet));
    }

    /// Removes what no list has named for thirty days.
    pub fn clear_unwanted(&self) {
        let wanted = |feed: &FeedName| self.config.lists.iter().any(|list| list.uses(feed));
        self.write(|store| {
            for file in store.clear_unwanted(wanted, SystemTime::now())? {
                tracing::info!(file, "removed {file}, nobody has wanted it for 30 days");
            }
            Ok(())
        });
    }

    /// Finds the last good copies of feeds that these rules take in and that
    /// are not `known`, and those that are lost.
    fn recall(&self, order: &RecallOrder) -> Result<Recalled, String> {
        let wanted = |feed: &FeedName| order.wants(feed);
        let limits = Limits::default();
        let restored = match &self.kept {
            Kept::Writable(_, store) => {
                let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
                store.restore(&limits, wanted)
            }
            Kept::ReadOnly(copies) | Kept::Unwritable(copies, _) => copies
                .as_ref()
                .map_or_else(|| Ok(Restored::default()), |copies| copies.restore(&limits, wanted)),
        };
        let lists = self.copies().and_then(Copies::lists);
        Ok(recalled(restored.map_err(|error| error.to_string())?, lists, wanted))
    }

    /// Reads a feed and judges it, and looks who is connected.
    pub fn read(&self, ticket: Ticket, order: ReadOrder) -> (Vec<Peer>, Answer) {
        let config = self.config_for(&order.feed);
        // Looked at before it is read: what changes meanwhile is seen later.
        let beside = self.beside(&order.feed);
        let file = FeedFile {
            feeds_dir: &config.daemon.feeds_dir,
            name: &order.feed,
            format: config.format_for(&order.feed),
            options: &config.options_for(&order.feed),
            parse: &Limits { entries_max: order.guard.entries_max, ..Limits::default() },
            limits: &TreeLimits::default(),
            quiet: config.daemon.settle,
            impatient: order.impatient,
            unfinished: self.unfinished.has(&order.feed),
        };
        let read = || self.read_and_judge(&file, &order);
        let ((signature, reading), peers) = self.connections.look_beside(self.protects(), read);
        let peers = named(peers, &file, &reading);
        let fingerprint = signature.map(|signature| fingerprint(signature, beside));
        let written = signature.map(Signature::modified);
        (peers, Answer::Read { ticket, feed: order.feed, fingerprint, written, reading })
    }

    fn read_and_judge(
        &self,
        file: &FeedFile<'_>,
        order: &ReadOrder,
    ) -> (Option<Signature>, Reading) {
        match &self.kept {
            Kept::Writable(drafts, _) => {
                // Only of the version in force it is worth knowing that the
                // file is still the same.
                let (signature, taken) =
                    feedfiles::read(file, drafts, |version| order.known == Some(identity(version)));
                (signature, judged(taken, order, |draft| Ok(self.entrust(draft?))))
            }
            Kept::ReadOnly(_) => {
                let (signature, taken) = feedfiles::read_only(file);
                (signature, judged(taken, order, |()| Ok(Candidate(0))))
            }
            Kept::Unwritable(_, refusal) => {
                let (signature, taken) = feedfiles::read_only(file);
                (signature, judged(taken, order, |()| Err(refusal.clone())))
            }
        }
    }

    /// Who is connected now, by the newest configuration.
    pub fn who_is_connected(&self) -> Vec<Peer> {
        self.connections.look(self.protects())
    }

    /// Puts a list together, and looks meanwhile who is connected.
    pub fn compose(&self, compose: Compose) -> Composed {
        let (composed, peers) = self.connections.look_beside(self.protects(), || compose.run());
        Composed { peers, ..composed }
    }

    /// Where those are connected who count, by the newest configuration.
    fn protects(&self) -> &[ProtectPeers] {
        &self.proposed.as_ref().unwrap_or(&self.config).protect_peers
    }

    /// Why nobody is seen to be connected, if that is not because nobody is.
    pub fn blind_to_peers(&self) -> Option<String> {
        self.connections.trouble()
    }

    /// Makes a candidate the last good copy. Where nothing may be written it
    /// counts as kept.
    fn keep(&self, candidate: Candidate) -> Result<(), Refusal> {
        let draft = self.candidates().waiting.remove(&candidate);
        match (&self.kept, draft) {
            (Kept::Writable(_, store), Some(draft)) => {
                let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
                store.keep(draft, SystemTime::now())
            }
            _ => Ok(()),
        }
    }

    fn write(&self, work: impl FnOnce(&mut Store) -> Result<(), StoreError>) {
        let Kept::Writable(_, store) = &self.kept else { return };
        let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = work(&mut store) {
            tracing::warn!(%error, "cannot write to state-dir: {error}");
        }
    }

    /// Holds on to the copy of a new version and gives out a number for it.
    fn entrust(&self, draft: Draft) -> Candidate {
        let mut candidates = self.candidates();
        candidates.last += 1;
        let candidate = Candidate(candidates.last);
        candidates.waiting.insert(candidate, draft);
        candidate
    }

    fn candidates(&self) -> MutexGuard<'_, Candidates> {
        self.candidates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was taken from a feed's file, with what the guards have against it.
fn judged<D>(
    taken: Taken<D>,
    order: &ReadOrder,
    entrust: impl FnOnce(D) -> Result<Candidate, Refusal>,
) -> Reading {
    match taken {
        Taken::New { feed, version, draft } => {
            let refusals = order.judge(&feed);
            Reading::New { feed, id: identity(version), candidate: entrust(draft), refusals }
        }
        Taken::Same(version) => Reading::Same(identity(version)),
        Taken::Refused(refusal) => Reading::Refused(refusal),
        Taken::Vanished => Reading::Vanished,
    }
}

/// Those who are connected, if that matters to what was read, and where that names
/// them.
fn named(mut peers: Vec<Peer>, file: &FeedFile<'_>, reading: &Reading) -> Vec<Peer> {
    let Reading::New { feed, id, .. } = reading else { return Vec::new() };
    let ends = |address| feed.ending().any(|prefixes| prefixes.contains(address));
    let covered = |address| feed.prefixes.contains(address) || ends(address);
    let addresses = peers::addresses(&peers, covered);
    if addresses.is_empty() {
        return peers;
    }
    for (address, SourceLine { line, prefix, .. }) in lines(file, version_of(*id), &addresses) {
        for peer in peers.iter_mut().filter(|peer| peer.address == address) {
            peer.named = Some(format!("line {line}, {prefix}"));
        }
    }
    peers
}

/// What tells a file from every other one, and from itself when it changes, or a
/// file beside it.
fn fingerprint(signature: Signature, beside: u64) -> Fingerprint {
    let [device, file, size, modified, changed] = signature.numbers();
    Fingerprint([device, file, size, modified, changed ^ beside])
}

pub(super) fn identity(version: VersionId) -> Identity {
    Identity(version.numbers())
}

/// The version that has this identity.
fn version_of(Identity([bytes, crc32, reading]): Identity) -> VersionId {
    let number = |number| u32::try_from(number).unwrap_or_default();
    VersionId { bytes, crc32: number(crc32), reading: number(reading) }
}
