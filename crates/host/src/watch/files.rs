//! That a file which names resolvers may have changed (`inotify(7)`). Watched
//! are directories, since files are replaced and links are turned elsewhere;
//! where a directory is missing, the nearest one above it.
//!
//! A mount over a watched place is not told, by inotify or by anybody.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use crate::limits::{LINKS_MAX, TOLD_AT_ONCE_MAX};
use crate::resolvers::Sources;

/// Room for some events in one read; one is 16 bytes and a name of at most
/// 256.
const BUFFER_BYTES: usize = 4 << 10;

/// What of a directory matters.
#[derive(Debug)]
enum Names {
    /// Everything in it.
    Any,
    /// Some names.
    These(BTreeSet<OsString>),
}

impl Names {
    /// Adds a name, `None` being all.
    fn add(&mut self, name: Option<&OsStr>) {
        match (&mut *self, name) {
            (Self::Any, _) => {}
            (_, None) => *self = Self::Any,
            (Self::These(names), Some(name)) => {
                names.insert(name.to_owned());
            }
        }
    }

    fn have(&self, name: &OsStr) -> bool {
        match self {
            Self::Any => true,
            Self::These(names) => names.contains(name),
        }
    }
}

/// The watched directories, by the kernel's number.
type Watched = BTreeMap<i32, Names>;

/// Watches the places of some [`Sources`].
#[derive(Debug)]
pub(super) struct Files {
    inotify: OwnedFd,
    sources: Sources,
    watched: Watched,
}

impl Files {
    /// Watches nothing yet, see [`Self::rewatch`].
    ///
    /// # Errors
    /// If there is no inotify instance for us.
    pub(super) fn open(sources: Sources) -> Result<Self, Errno> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, sources, watched: Watched::new() })
    }

    /// Watches what is there now. Has to come before each look: what changes
    /// later is told, what changed earlier is seen.
    ///
    /// # Errors
    /// If no watches are left; what can be watched is watched nevertheless.
    pub(super) fn rewatch(&mut self) -> Result<(), Errno> {
        let mut round = Round { inotify: &self.inotify, watched: Watched::new(), refused: None };
        round.file(&self.sources.resolv_conf);
        for file in &self.sources.upstream_files {
            round.file(file);
        }
        for folder in &self.sources.upstream_folders {
            round.place(folder, None);
        }
        let Round { watched, refused, .. } = round;
        for unwanted in std::mem::take(&mut self.watched).into_keys() {
            if !watched.contains_key(&unwanted) {
                // An error means that the kernel has dropped it already.
                let _ = inotify::remove_watch(&self.inotify, unwanted);
            }
        }
        self.watched = watched;
        refused.map_or(Ok(()), Err)
    }

    /// Whether anything that matters happened since the last time. Reads a
    /// limited number of events; the rest is still there then.
    ///
    /// # Errors
    /// If nothing can be heard any more.
    pub(super) fn told(&mut self) -> Result<bool, Errno> {
        let mut told = false;
        let mut buffer = [MaybeUninit::uninit(); BUFFER_BYTES];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        for _ in 0..TOLD_AT_ONCE_MAX {
            match events.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()));
                    told |= matters(&self.watched, event.wd(), event.events(), name);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(told)
    }
}

impl AsFd for Files {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Whether an event may be of a file that names resolvers. An event without a
/// name is of the watched place itself; after an overflow it may be any.
fn matters(watched: &Watched, watch: i32, events: ReadFlags, name: Option<&OsStr>) -> bool {
    if events.contains(ReadFlags::QUEUE_OVERFLOW) {
        return true;
    }
    // What is not watched any more may still have events in the queue.
    watched.get(&watch).is_some_and(|names| name.is_none_or(|name| names.have(name)))
}

/// One call of [`Files::rewatch`].
struct Round<'a> {
    inotify: &'a OwnedFd,
    watched: Watched,
    /// Why something could not be watched.
    refused: Option<Errno>,
}

impl Round<'_> {
    /// Watches a file, and where it is a link, every step to where it leads.
    fn file(&mut self, path: &Path) {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
            let (folder, name) = (folder.to_owned(), name.to_owned());
            self.place(&folder, Some(&name));
            match path.read_link() {
                Ok(target) => path = folder.join(target),
                Err(_) => break,
            }
        }
        // A file that is mounted there, as container engines do, is written
        // through a directory that nobody here can see.
        self.add(&path, WatchFlags::empty(), None);
    }

    /// Watches for `name` in a directory, or for every name. Where there is no
    /// such directory, the one above is watched for it.
    fn place(&mut self, folder: &Path, name: Option<&OsStr>) {
        let (mut folder, mut name) = (folder.to_owned(), name.map(OsStr::to_owned));
        while !self.add(&folder, WatchFlags::ONLYDIR, name.as_deref()) {
            let (Some(above), Some(missing)) = (folder.parent(), folder.file_name()) else {
                return;
            };
            (folder, name) = (PathBuf::from(above), Some(missing.to_owned()));
        }
    }

    /// Whether there is something to be watched, even if it cannot be.
    fn add(&mut self, path: &Path, flags: WatchFlags, name: Option<&OsStr>) -> bool {
        // Without `MODIFY`: a file that is being written is not looked at
        // before it is closed.
        let told = WatchFlags::CLOSE_WRITE
            | WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ATTRIB
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF;
        match inotify::add_watch(self.inotify, path, told | flags) {
            Ok(watch) => {
                let names = self.watched.entry(watch);
                names.or_insert_with(|| Names::These(BTreeSet::new())).add(name);
                true
            }
            Err(Errno::NOENT | Errno::NOTDIR) => false,
            Err(error @ (Errno::NOSPC | Errno::NOMEM)) => {
                self.refused = Some(error);
                true
            }
            // What may not be read holds nothing for us.
            Err(_) => true,
        }
    }
}
