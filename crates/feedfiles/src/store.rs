//! The last good copies, for writing: a copy is laid down whole, then kept by
//! one rename, so that there is always the old one or the new one.
//!
//! There is one writer, whoever holds the lock. It writes inside of the state
//! directory only, by directory file descriptors and without following links.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use blocklist::{Feed, FeedName, Guard, Options, Refusal};
use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Uid, fchown, fsync, mkdirat, openat, renameat, unlinkat,
};
use rustix::io::Errno;

use super::copies::{Copies, FOLDER, GONE_ENDING, Restored, StoreError};
use super::copy::{CopyHeader, encode_time};
use super::filename::file_name;
use super::name::Shown;
use super::tree::{enter, open_root};

/// Files that are being written are named so, and nothing else is.
const CANDIDATE_BEGINNING: &str = ".candidate-";

/// What the name of a damaged copy gets when it is set aside.
const CORRUPT_ENDING: &str = ".corrupt";

/// The last good copies, and the right to change them.
#[derive(Clone, Debug)]
pub struct Store {
    copies: Copies,
    /// Who is to own the files: the owner of the state directory, if it is
    /// root who writes. The daemon has its own user and must be able to read
    /// what `denyset apply` has left.
    owner: Option<(Uid, Gid)>,
    /// How many candidates there have been.
    candidates: Arc<AtomicU64>,
}

/// A copy that was laid down and is not in force yet. Dropping it throws it
/// away.
#[derive(Debug)]
pub struct Candidate {
    temporary: Temporary,
    file: File,
    header: CopyHeader,
}

impl Store {
    /// Opens the state directory for writing, makes it if only the last step
    /// of its path is missing, and throws away what a writer that was killed
    /// has left half done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let fail = |stage, source| StoreError { stage, path: state_dir.to_owned(), source };
        match std::fs::DirBuilder::new().mode(0o700).create(state_dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(fail("create state-dir", error));
            }
            _ => {}
        }
        let owner = owner(state_dir).map_err(|error| fail("look at state-dir", error))?;
        let open = || -> Result<Copies, Errno> {
            let state = open_root(state_dir)?;
            let made = mkdirat(&state, FOLDER, Mode::RWXU);
            if made != Err(Errno::EXIST) {
                made?;
                fsync(&state)?;
            }
            let directory = enter(&state, FOLDER)?;
            give(&directory, owner);
            Ok(Copies { directory: Arc::new(directory), path: state_dir.join(FOLDER) })
        };
        let copies = open().map_err(|error| fail("open state-dir", error.into()))?;
        let store = Self { copies, owner, candidates: Arc::default() };
        store.sweep()?;
        Ok(store)
    }

    /// The copies, for reading.
    pub fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Reads and parses all copies, as [`Copies::restore`] does, and sets the
    /// damaged ones aside under another name, for people to look at.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be listed.
    pub fn restore(
        &self,
        limits: &blocklist::Limits,
        wanted: impl Fn(&FeedName) -> bool,
    ) -> Result<Restored, StoreError> {
        let restored = self.copies.restore(limits, wanted)?;
        for damaged in restored.damaged.iter().filter(|damaged| damaged.error.is_damage()) {
            let aside = format!("{}{CORRUPT_ENDING}", damaged.file);
            let directory = &*self.copies.directory;
            if let Err(error) = renameat(directory, &damaged.file, directory, &aside) {
                tracing::warn!(file = damaged.file, %error, "cannot set a damaged copy aside");
            }
        }
        Ok(restored)
    }

    /// Writes a copy of a feed, and of what was read from it, without putting
    /// it in the place of the last good one.
    ///
    /// # Errors
    /// A refusal by the guard `Kept`, for instance because the disk is full.
    /// Nothing is left behind then.
    pub fn lay_down(
        &self,
        feed: &FeedName,
        options: &Options,
        parsed: &Feed,
        bytes: &[u8],
        written: SystemTime,
    ) -> Result<Candidate, Refusal> {
        let write = || -> io::Result<Candidate> {
            let (temporary, mut file) = self.temporary()?;
            let header = CopyHeader::new(feed, options, parsed, bytes, written);
            file.write_all(&header.encode())?;
            file.write_all(bytes)?;
            Ok(Candidate { temporary, file, header })
        };
        write().map_err(|error| self.not_kept(&error))
    }

    /// Makes a candidate the last good copy, durably: after `Ok` it survives
    /// a power cut.
    ///
    /// # Errors
    /// A refusal by the guard `Kept`. The copy before is in its place then,
    /// or both are the same.
    pub fn keep(&self, candidate: Candidate, accepted: SystemTime) -> Result<(), Refusal> {
        let Candidate { temporary, file, mut header } = candidate;
        header.accepted = accepted;
        let keep = || -> io::Result<()> {
            file.write_all_at(&header.encode(), 0)?;
            file.sync_all()?;
            temporary.rename(&file_name(&header.feed))?;
            fsync(&*self.copies.directory)?;
            Ok(())
        };
        keep().map_err(|error| self.not_kept(&error))
    }

    /// Throws away the copy of a feed and what is noted of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&self, feed: &FeedName) -> Result<(), StoreError> {
        let file = file_name(feed);
        self.remove(&format!("{file}{GONE_ENDING}"))?;
        self.remove(&file)?;
        self.flush()
    }

    /// Notes since when the file of a feed is gone, or that it is back, so
    /// that a restart does not begin to count anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_gone(&self, feed: &FeedName, since: Option<SystemTime>) -> Result<(), StoreError> {
        let name = format!("{}{GONE_ENDING}", file_name(feed));
        let Some(since) = since else {
            self.remove(&name)?;
            return self.flush();
        };
        let write = || -> io::Result<()> {
            let (temporary, mut file) = self.temporary()?;
            writeln!(file, "{}", encode_time(since))?;
            file.sync_all()?;
            temporary.rename(&name)
        };
        write().map_err(|source| self.failure("write", &name, source))?;
        self.flush()
    }

    /// A new file that removes itself unless it gets a name.
    fn temporary(&self) -> io::Result<(Temporary, File)> {
        let number = self.candidates.fetch_add(1, Ordering::Relaxed);
        let name = format!("{CANDIDATE_BEGINNING}{}-{number}", std::process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&*self.copies.directory, &name, flags, Mode::RUSR | Mode::WUSR)?;
        give(&file, self.owner);
        let temporary = Temporary { copies: self.copies.clone(), name: Some(name) };
        Ok((temporary, File::from(file)))
    }

    fn sweep(&self) -> Result<(), StoreError> {
        for name in self.copies.names()? {
            if let Some(name) = name.to_str().filter(|name| name.starts_with(CANDIDATE_BEGINNING)) {
                self.remove(name)?;
            }
        }
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        match unlinkat(&*self.copies.directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failure("remove", name, error.into())),
        }
    }

    fn flush(&self) -> Result<(), StoreError> {
        fsync(&*self.copies.directory).map_err(|error| self.failure("flush", "", error.into()))
    }

    fn failure(&self, stage: &'static str, name: &str, source: io::Error) -> StoreError {
        StoreError { stage, path: self.copies.path.join(name), source }
    }

    fn not_kept(&self, error: &io::Error) -> Refusal {
        let full = matches!(Errno::from_io_error(error), Some(Errno::NOSPC | Errno::DQUOT));
        Refusal {
            guard: Guard::Kept,
            expected: format!("room for a last good copy in {}", Shown(&self.copies.path)),
            found: if full { format!("state-dir is full: {error}") } else { error.to_string() },
        }
    }
}

/// A file that is removed when the value goes, unless it got a name.
#[derive(Debug)]
struct Temporary {
    copies: Copies,
    name: Option<String>,
}

impl Temporary {
    /// Puts the file in the place of whatever has this name.
    fn rename(mut self, to: &str) -> io::Result<()> {
        let directory = &*self.copies.directory;
        if let Some(name) = &self.name {
            renameat(directory, name, directory, to)?;
        }
        self.name = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // What cannot be removed now is swept at the next start.
            let _ = unlinkat(&*self.copies.directory, name, AtFlags::empty());
        }
    }
}

/// Who owns the state directory, if we may give files away and have to.
fn owner(state_dir: &Path) -> io::Result<Option<(Uid, Gid)>> {
    let found = std::fs::metadata(state_dir)?;
    let own = rustix::process::geteuid();
    let foreign = own.is_root() && found.uid() != own.as_raw();
    Ok(foreign.then(|| (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()))))
}

/// Gives a file to its owner to be. Without the right to do so it stays ours,
/// which somebody else cannot read, but harms nobody.
fn give(file: impl std::os::fd::AsFd, owner: Option<(Uid, Gid)>) {
    if let Some((uid, gid)) = owner
        && let Err(error) = fchown(file, Some(uid), Some(gid))
    {
        tracing::warn!(%error, "cannot give a file to the owner of state-dir");
    }
}
