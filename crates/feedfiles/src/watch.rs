//! Says that something changed below the feeds directory, never what: the
//! answer to every notice is a scan, which sees for itself. It also knows who
//! writes to a file and has not closed it.
//!
//! It knows inotify (`inotify(7)`) and its gaps: a directory is watched from
//! some moment on, a queue overflows, a directory that does not exist cannot
//! be watched. Each gap ends in a notice. It reads no feed.

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use blocklist::FeedName;
use futures_util::{FutureExt as _, StreamExt as _};
use inotify::{EventMask, EventOwned, EventStream, Inotify, WatchDescriptor, WatchMask, Watches};
use rustix::io::Errno;

use super::name::is_passed_over;
use super::tree::Tree;
use super::unfinished::Unfinished;

/// Room for some hundred events in one read. An event is 16 bytes and a name,
/// at most 272 bytes.
const BUFFER_BYTES: usize = 16 * 1024;

/// How many events that are there already become one notice.
const EVENTS_A_NOTICE_MAX: usize = 4_096;

/// Something may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// A file or directory in the tree.
    Changed,
    /// More changed than the kernel had room to tell (`IN_Q_OVERFLOW`).
    Overflow,
    /// The feeds directory itself came, went, or was put in another's place.
    Replaced,
}

/// Why changes are noticed late, by the next periodic scan, or not at all.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// No inotify instance is left, or this kernel has none.
    #[error("cannot watch the feeds directory: {0} (see fs.inotify.max_user_instances)")]
    Start(#[source] io::Error),
    /// The user's inotify watches are used up.
    #[error(
        "{unwatched} of {wanted} directories cannot be watched: no inotify watches are left, \
         raise fs.inotify.max_user_watches; changes there are seen at the next periodic scan"
    )]
    Limit {
        /// How many directories are not watched.
        unwatched: usize,
        /// How many there are, the one above the feeds directory included.
        wanted: usize,
    },
    /// A directory that cannot be watched, because it may not be read.
    #[error("cannot watch {}: {source}; changes there are seen at the next periodic scan", path.display())]
    Directory {
        /// The first such directory.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// No events come any more.
    #[error("cannot read inotify events: {0}")]
    Read(#[source] io::Error),
}

/// What a watch is for.
#[derive(Debug)]
enum Watched {
    /// The feeds directory itself.
    Root,
    /// A directory below it, with its path.
    Below(PathBuf),
    /// The nearest existing ancestor of the feeds directory, in which only
    /// the next step towards it matters.
    Ancestor(OsString),
}

/// Watches the tree below one directory, and the way to it.
#[derive(Debug)]
pub struct Watcher {
    root: PathBuf,
    stream: EventStream<Vec<u8>>,
    watches: Watches,
    watched: HashMap<WatchDescriptor, Watched>,
    /// What links lead through: their names matter whatever they are.
    waypoints: BTreeSet<PathBuf>,
    /// Which files are being written.
    unfinished: Unfinished,
    /// Something may have changed before the watch was there to see it.
    pending: Option<Notice>,
}

impl Watcher {
    /// Begins with no watch at all but the certainty that something changed,
    /// so that the first [`Self::next`] returns at once. What is being written
    /// is noted in `unfinished`. Has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`WatchError::Start`].
    pub fn new(feeds_dir: &Path, unfinished: Unfinished) -> Result<Self, WatchError> {
        let root = std::path::absolute(feeds_dir).map_err(WatchError::Start)?;
        let inotify = Inotify::init().map_err(WatchError::Start)?;
        let stream = inotify.into_event_stream(vec![0; BUFFER_BYTES]).map_err(WatchError::Start)?;
        let watches = stream.watches();
        Ok(Self {
            root,
            stream,
            watches,
            watched: HashMap::new(),
            waypoints: BTreeSet::new(),
            unfinished,
            pending: Some(Notice::Changed),
        })
    }

    /// Watches the directories of this tree and no others, and whatever is
    /// nearest to it on the way there. Call it after every scan with what the
    /// scan found. Directories that were not watched before may have changed
    /// unseen, so that the next [`Self::next`] returns at once then.
    ///
    /// # Errors
    /// [`WatchError::Limit`] or [`WatchError::Directory`]; everything that
    /// can be watched is watched nevertheless.
    pub fn rewatch(&mut self, tree: &Tree) -> Result<(), WatchError> {
        let mut round = Round { wanted: tree.directories.len() + 1, ..Round::default() };
        self.waypoints = tree.waypoints.iter().map(|point| self.root.join(point)).collect();
        self.watch_ancestor(&mut round);
        for directory in &tree.directories {
            let root = directory.as_os_str().is_empty();
            // Only the feeds directory itself may be reached by a symlink.
            let mask = if root { tree_mask() } else { tree_mask() | WatchMask::DONT_FOLLOW };
            let path = if root { self.root.clone() } else { self.root.join(directory) };
            let purpose = if root { Watched::Root } else { Watched::Below(path.clone()) };
            self.watch(path, mask, purpose, &mut round);
        }
        for (unwanted, _) in std::mem::replace(&mut self.watched, round.watched) {
            if !self.watched.contains_key(&unwanted) {
                // An error means that the kernel has dropped it already.
                let _ = self.watches.remove(unwanted);
            }
        }
        if round.fresh {
            self.pending = self.pending.max(Some(Notice::Changed));
        }
        match (round.unwatched, round.refused) {
            (0, None) => Ok(()),
            (0, Some((path, source))) => Err(WatchError::Directory { path, source }),
            (unwatched, _) => Err(WatchError::Limit { unwatched, wanted: round.wanted }),
        }
    }

    /// Waits until something may have changed. May be dropped while it waits
    /// and called again: nothing is lost.
    ///
    /// # Errors
    /// [`WatchError::Read`].
    pub async fn next(&mut self) -> Result<Notice, WatchError> {
        loop {
            if let Some(notice) = self.pending.take() {
                return Ok(notice);
            }
            let event = self.stream.next().await;
            self.note(event)?;
            for _ in 0..EVENTS_A_NOTICE_MAX {
                let Some(event) = self.stream.next().now_or_never() else { break };
                self.note(event)?;
            }
        }
    }

    /// The directory above the feeds directory, or the next higher one that
    /// exists.
    fn watch_ancestor(&mut self, round: &mut Round) {
        let mask = WatchMask::CREATE
            | WatchMask::MOVED_TO
            | WatchMask::MOVED_FROM
            | WatchMask::DELETE
            | WatchMask::ATTRIB
            | WatchMask::DELETE_SELF
            | WatchMask::MOVE_SELF
            | WatchMask::ONLYDIR
            | WatchMask::MASK_ADD;
        let mut child = self.root.clone();
        while let (Some(parent), Some(name)) = (child.parent(), child.file_name()) {
            let (parent, name) = (parent.to_owned(), name.to_owned());
            if self.watch(parent.clone(), mask, Watched::Ancestor(name), round) {
                return;
            }
            child = parent;
        }
    }

    /// Whether the directory is there to be watched, even if it cannot be.
    fn watch(
        &mut self,
        path: PathBuf,
        mask: WatchMask,
        purpose: Watched,
        round: &mut Round,
    ) -> bool {
        match self.watches.add(&path, mask) {
            Ok(watch) => {
                round.fresh |= !self.watched.contains_key(&watch);
                round.watched.insert(watch, purpose);
            }
            Err(error) => match Errno::from_io_error(&error) {
                // It went away; what is above it will tell.
                Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return false,
                Some(Errno::NOSPC | Errno::NOMEM) => round.unwatched += 1,
                _ => round.refused = round.refused.take().or(Some((path, error))),
            },
        }
        true
    }

    /// Turns one event into what is pending, if it matters.
    fn note(&mut self, event: Option<io::Result<EventOwned>>) -> Result<(), WatchError> {
        let event = match event {
            Some(event) => event.map_err(WatchError::Read)?,
            None => return Err(WatchError::Read(io::ErrorKind::UnexpectedEof.into())),
        };
        self.note_writer(&event);
        let notice = self.judge(&event);
        if event.mask.contains(EventMask::IGNORED) {
            self.watched.remove(&event.wd);
        }
        self.pending = self.pending.max(notice);
        Ok(())
    }

    /// Notes who begins to write to a file, and who is done.
    fn note_writer(&self, event: &EventOwned) {
        if event.mask.contains(EventMask::Q_OVERFLOW) {
            return self.unfinished.forget_all();
        }
        let directory = match self.watched.get(&event.wd) {
            Some(Watched::Root) => &self.root,
            Some(Watched::Below(path)) => path,
            _ => return,
        };
        let path = event.name.as_ref().map(|name| directory.join(name));
        let below = path.as_ref().and_then(|path| path.strip_prefix(&self.root).ok()?.to_str());
        let Some(Ok(feed)) = below.map(FeedName::new) else { return };
        if event.mask.contains(EventMask::MODIFY) {
            self.unfinished.written(feed, Instant::now());
        } else if !event.mask.contains(EventMask::ATTRIB) {
            self.unfinished.done(&feed);
        }
    }

    fn judge(&self, event: &EventOwned) -> Option<Notice> {
        if event.mask.contains(EventMask::Q_OVERFLOW) {
            return Some(Notice::Overflow);
        }
        if event.mask.contains(EventMask::IGNORED) {
            return None;
        }
        let gone = EventMask::DELETE_SELF | EventMask::MOVE_SELF | EventMask::UNMOUNT;
        match (self.watched.get(&event.wd)?, &event.name) {
            (Watched::Below(path), Some(name)) => self.looks_like_change(event.mask, path, name),
            (Watched::Root, Some(name)) => self.looks_like_change(event.mask, &self.root, name),
            (Watched::Ancestor(next), Some(name)) => (name == next).then_some(Notice::Replaced),
            (Watched::Below(_), None) => Some(Notice::Changed),
            (Watched::Root, None) if !event.mask.intersects(gone) => Some(Notice::Changed),
            (Watched::Ancestor(_), None) if !event.mask.intersects(gone) => None,
            (Watched::Root | Watched::Ancestor(_), None) => Some(Notice::Replaced),
        }
    }

    /// An event about `name` in a directory of the tree. What can never be a
    /// feed is nothing to wake up for. Neither is a file just created: whoever
    /// did it is about to write, and that tells. A second hard link and
    /// whatever is no file have no such end.
    fn looks_like_change(&self, mask: EventMask, directory: &Path, name: &OsStr) -> Option<Notice> {
        let path = directory.join(name);
        if is_passed_over(name.as_bytes()) && !self.waypoints.contains(&path) {
            return None;
        }
        let just_made = mask.contains(EventMask::CREATE)
            && std::fs::symlink_metadata(&path)
                .is_ok_and(|found| found.is_file() && found.nlink() == 1);
        (!just_made).then_some(Notice::Changed)
    }
}

/// What one call of [`Watcher::rewatch`] has found so far.
#[derive(Debug, Default)]
struct Round {
    watched: HashMap<WatchDescriptor, Watched>,
    /// Whether a directory is watched that was not before.
    fresh: bool,
    wanted: usize,
    unwatched: usize,
    refused: Option<(PathBuf, io::Error)>,
}

fn tree_mask() -> WatchMask {
    WatchMask::CLOSE_WRITE
        | WatchMask::MODIFY
        | WatchMask::MOVED_TO
        | WatchMask::MOVED_FROM
        | WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::ATTRIB
        | WatchMask::DELETE_SELF
        | WatchMask::MOVE_SELF
        | WatchMask::ONLYDIR
}
