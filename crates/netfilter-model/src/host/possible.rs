//! One feed as it may be seen from outside: which versions may be in force,
//! given what the file has said, what was accepted and what was lost. Nothing
//! here knows what the daemon has done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Prefixes, judge};

use super::clock::HostClock;
use super::files::File;
use super::settings::{WITHDRAW, guard};
use super::text::FeedText;

/// A version, or none.
pub(super) type PossibleVersion = Option<Arc<FeedText>>;

fn number(version: &PossibleVersion) -> Option<u64> {
    version.as_ref().map(|text| text.number)
}

/// What guards say of a version after another one: nothing, or their
/// sentences.
pub(super) fn refusals(text: &FeedText, previous: &PossibleVersion) -> Vec<String> {
    let previous = previous.as_ref().map(|text| &text.feed.tally);
    let verdict = judge(&text.feed, previous, &guard(), &Prefixes::new());
    verdict.err().into_iter().flatten().map(|refusal| refusal.to_string()).collect()
}

/// One feed.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
#[derive(Clone, Debug)]
pub(super) struct Possible {
    /// Versions that may be or have been in force since the last quiet moment.
    pub(super) versions: Vec<PossibleVersion>,
    /// When each text was written, as files have said.
    written: BTreeMap<u64, BTreeSet<SystemTime>>,
    /// Those of these times that were once still to come.
    ahead: BTreeSet<SystemTime>,
    /// The version that somebody accepted, and the file's serial then.
    pub(super) accepted: Option<(u64, u64)>,
    /// Somebody accepted that its file is gone.
    pub(super) given_up: bool,
    /// Since when the file is gone.
    absent: Option<HostClock>,
    /// It has another name now.
    renamed: bool,
    /// A scan has seen it since, of which the daemon may not know yet.
    seen: bool,
    /// The version in force of which no copy could be found at a start.
    pub(super) lost: Option<Arc<FeedText>>,
    /// Somebody has let it go that it is lost.
    pub(super) excused: bool,
    /// Somebody has said that lists may lose what it named.
    pub(super) let_go: bool,
}

impl Default for Possible {
    fn default() -> Self {
        Self {
            versions: vec![None],
            written: BTreeMap::new(),
            ahead: BTreeSet::new(),
            accepted: None,
            given_up: false,
            absent: None,
            seen: false,
            renamed: false,
            lost: None,
            excused: false,
            let_go: false,
        }
    }
}

impl Possible {
    /// This version may be in force from now on.
    pub(super) fn allow(&mut self, version: PossibleVersion) {
        if !self.versions.iter().any(|one| number(one) == number(&version)) {
            self.versions.push(version);
        }
    }

    /// Whether this version may be in force.
    pub(super) fn allows(&self, version: &PossibleVersion) -> bool {
        self.versions.iter().any(|one| number(one) == number(version))
    }

    /// The file is like this now.
    pub(super) fn file(&mut self, file: Option<&File>, clock: &HostClock) {
        if file.is_none() {
            self.absent.get_or_insert(*clock);
            self.seen = false;
        }
        // What comes back after that time is held against nothing.
        self.withdrawn(clock);
        let Some(file) = file else { return };
        self.given_up = false;
        self.renamed = false;
        self.written.entry(file.text.number).or_default().insert(file.written);
        if file.written > clock.wall {
            self.ahead.insert(file.written);
        }
        let passes = |one: &PossibleVersion| refusals(&file.text, one).is_empty();
        if self.versions.iter().any(passes) {
            self.allow(Some(file.text.clone()));
        }
    }

    /// Nothing may be in force once the file has been gone for long enough.
    fn withdrawn(&mut self, clock: &HostClock) {
        let Some(since) = self.absent else { return };
        let wall = clock.wall.duration_since(since.wall).unwrap_or_default();
        let monotonic = clock.monotonic.saturating_sub(since.monotonic);
        if wall >= WITHDRAW || monotonic >= WITHDRAW || clock.set || self.renamed {
            self.allow(None);
        }
    }

    /// The file has another name now: once that is in force, this one leaves.
    pub(super) fn renamed(&mut self) {
        self.renamed = true;
        self.allow(None);
    }

    /// The daemon has seen the file. One that came and went in between it has
    /// not.
    pub(super) fn is_seen(&mut self) {
        // Before it scans again the daemon is told of the scan before.
        if std::mem::replace(&mut self.seen, true) {
            self.absent = None;
        }
    }

    /// No copy could be found of what was in force.
    pub(super) fn lost(&mut self, version: Arc<FeedText>) {
        self.lost = Some(version);
        self.let_go = false;
        self.accepted = None;
        self.allow(None);
    }

    /// Whether it was older than that at this time, whenever it was written.
    pub(super) fn is_old(&self, age: Duration, at: SystemTime) -> bool {
        self.written.values().flatten().all(|written| *written + age <= at)
    }

    /// No list takes it in any more, and this is the copy of it, if there is one:
    /// a word on anything else is forgotten.
    pub(super) fn unused(&mut self, copy: PossibleVersion) {
        self.accepted = self.accepted.filter(|(text, _)| Some(*text) == number(&copy));
        self.allow(copy);
    }

    /// What every version contributes for ever.
    pub(super) fn always(&self) -> Prefixes {
        let mut versions = self.versions.iter();
        let of = |version: &PossibleVersion| {
            version.as_ref().map_or_else(Prefixes::new, |text| text.feed.prefixes.clone())
        };
        let first = versions.next().map_or_else(Prefixes::new, of);
        versions.fold(first, |common, version| common.intersect(&of(version)))
    }

    /// What any version contributes at any time.
    pub(super) fn ever(&self) -> Prefixes {
        let texts = self.versions.iter().flatten().chain(&self.lost);
        let all = texts.flat_map(|text| text.feed.expiring.values().chain([&text.feed.prefixes]));
        Prefixes::union(all)
    }

    /// When a version was written: as its file says if that still says it,
    /// else at any of the times that it was written.
    pub(super) fn times(&self, text: &FeedText, file: Option<&File>) -> Vec<SystemTime> {
        match file.filter(|file| file.readable && file.text.number == text.number) {
            Some(file) => vec![file.written],
            None => self.written.get(&text.number).into_iter().flatten().copied().collect(),
        }
    }

    /// Whether a file was once from the future, that says that it was written
    /// then: its age may count from when it was read.
    pub(super) fn was_ahead(&self, written: SystemTime) -> bool {
        self.ahead.contains(&written)
    }

    /// All is quiet, and this is in force.
    pub(super) fn settle(&mut self, version: PossibleVersion, file: Option<&File>) {
        let text = number(&version);
        self.written.retain(|number, _| Some(*number) == text);
        if let Some(file) = file {
            let times = self.written.entry(file.text.number).or_default();
            if file.readable && Some(file.text.number) == text {
                times.clear();
            }
            times.insert(file.written);
        }
        let known: BTreeSet<_> = self.written.values().flatten().copied().collect();
        self.ahead.retain(|written| known.contains(written));
        self.versions = vec![version];
        self.excused = false;
        self.let_go = false;
        self.accepted = None;
        self.given_up = false;
    }
}
