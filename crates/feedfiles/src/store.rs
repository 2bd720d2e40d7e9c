//! The last good copies, for writing: a draft is kept by one rename, so that
//! there is always the old copy or the new one.
//!
//! There is one writer, whoever holds the lock, and in it one thread: what
//! writes takes `&mut self`, so that the order of the calls is the order on
//! disk. It writes inside of the state directory only, by directory file
//! descriptors and without following links.

use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use blocklist::{FeedName, Refusal};
use rustix::fs::{AtFlags, Gid, Mode, Uid, fsync, mkdirat, renameat, unlinkat};
use rustix::io::Errno;

use super::copies::{
    Copies, FOLDER, GONE_ENDING, REWRITTEN_ENDING, Restored, StoreError, encode_rewritten,
};
use super::copy::encode_time;
use super::draft::{DRAFT_BEGINNING, Draft, Drafts, give, not_kept};
use super::filename::file_name;
use super::version::VersionId;
use super::walk::{enter, open_root};

/// What the name of a damaged copy gets when it is set aside.
pub(super) const CORRUPT_ENDING: &str = ".corrupt";

/// The right to change the last good copies.
#[derive(Debug)]
pub struct Store {
    drafts: Drafts,
}

impl Store {
    /// Opens the state directory for writing, makes it if only the last step
    /// of its path is missing, and throws away what a writer that was killed
    /// has left half done.
    ///
    /// # Errors
    /// [`StoreError`], with the very path that is in the way.
    pub fn open(state_dir: &Path) -> Result<Self, StoreError> {
        let fail = |stage, path: PathBuf| move |source| StoreError { stage, path, source };
        match std::fs::DirBuilder::new().mode(0o700).create(state_dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(fail("create state-dir", state_dir.to_owned())(error));
            }
            _ => {}
        }
        let owner = owner(state_dir).map_err(fail("look at state-dir", state_dir.to_owned()))?;
        let path = state_dir.join(FOLDER);
        let state = open_root(state_dir)
            .map_err(io::Error::from)
            .map_err(fail("open state-dir", state_dir.to_owned()))?;
        let open = || -> Result<_, Errno> {
            // Asked for first: a read-only file system says so even of what is
            // there already.
            let directory = match enter(&state, FOLDER) {
                Err(Errno::NOENT) => {
                    mkdirat(&state, FOLDER, Mode::RWXU)?;
                    fsync(&state)?;
                    enter(&state, FOLDER)?
                }
                found => found?,
            };
            give(&directory, owner);
            Ok(directory)
        };
        let directory =
            open().map_err(io::Error::from).map_err(fail("open the copies in", path.clone()))?;
        let copies = Copies { directory: Arc::new(directory), path };
        let mut store = Self { drafts: Drafts::new(copies, owner) };
        store.sweep()?;
        Ok(store)
    }

    /// The copies, for reading.
    pub fn copies(&self) -> &Copies {
        self.drafts.copies()
    }

    /// Where those who read feeds lay copies down.
    pub fn drafts(&self) -> &Drafts {
        &self.drafts
    }

    /// Reads and parses all copies, as [`Copies::restore`] does, and sets the
    /// damaged ones aside under another name, for people to look at. Those
    /// that cannot be read now stay where they are.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be listed.
    pub fn restore(
        &mut self,
        limits: &blocklist::Limits,
        wanted: impl Fn(&FeedName) -> bool,
    ) -> Result<Restored, StoreError> {
        let restored = self.copies().restore(limits, wanted)?;
        for damaged in &restored.damaged {
            let aside = format!("{}{CORRUPT_ENDING}", damaged.file);
            let directory = &*self.copies().directory;
            if let Err(error) = renameat(directory, &damaged.file, directory, &aside) {
                tracing::warn!(file = damaged.file, %error, "cannot set a damaged copy aside");
            }
        }
        Ok(restored)
    }

    /// Makes a draft the last good copy, durably: after `Ok` it survives a
    /// power cut. A note that the feed's file is gone goes: it is there again,
    /// and the next absence counts from its own beginning.
    ///
    /// # Errors
    /// A refusal by the guard `Kept`. The copy before is in its place then,
    /// or both are the same.
    pub fn keep(&mut self, draft: Draft, accepted: SystemTime) -> Result<(), Refusal> {
        let note = format!("{}{GONE_ENDING}", file_name(draft.feed()));
        if let Err(error) = self.remove(&note) {
            tracing::warn!(%error, "an old note stays: {error}");
        }
        let kept = draft.put_in_force(accepted);
        let durable = kept.and_then(|()| Ok(fsync(&*self.copies().directory)?));
        durable.map_err(|error| not_kept(self.copies(), &error))
    }

    /// Throws away the copy of a feed and what is noted of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget(&mut self, feed: &FeedName) -> Result<(), StoreError> {
        self.remove_copy(&file_name(feed))?;
        self.flush()
    }

    /// Notes since when the file of a feed is gone, or that it is back, so
    /// that a restart does not begin to count anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_gone(
        &mut self,
        feed: &FeedName,
        since: Option<SystemTime>,
    ) -> Result<(), StoreError> {
        let name = format!("{}{GONE_ENDING}", file_name(feed));
        match since {
            Some(since) => self.write(&name, &format!("{}\n", encode_time(since))),
            None => self.remove(&name).and_then(|()| self.flush()),
        }
    }

    /// Notes that the file of a version that is kept was written again at this
    /// time without a change, so that lifetimes count from then also after a
    /// restart. Worth it only if the feed has any. The note ends with the
    /// version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_rewritten(
        &mut self,
        feed: &FeedName,
        version: VersionId,
        written: SystemTime,
    ) -> Result<(), StoreError> {
        let name = format!("{}{REWRITTEN_ENDING}", file_name(feed));
        self.write(&name, &encode_rewritten(version, written))
    }

    /// Writes a small file whole, or not at all.
    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            let (temporary, mut file) = self.drafts.temporary()?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            temporary.rename(name)
        };
        write().map_err(|source| self.failure("write", name, source))?;
        self.flush()
    }

    /// Removes a copy and the notes beside it. The notes go first: without
    /// them a copy stays in force longer, without the copy they mean nothing.
    pub(super) fn remove_copy(&mut self, copy: &str) -> Result<(), StoreError> {
        for ending in [GONE_ENDING, REWRITTEN_ENDING, ""] {
            self.remove(&format!("{copy}{ending}"))?;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        match unlinkat(&*self.copies().directory, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failure("remove", name, error.into())),
        }
    }

    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let flushed = fsync(&*self.copies().directory);
        flushed.map_err(|error| self.failure("flush", "", error.into()))
    }

    /// Removes drafts that nobody will keep. On a file system that is
    /// read-only they harm nobody.
    fn sweep(&mut self) -> Result<(), StoreError> {
        for name in self.copies().names()? {
            if let Some(name) = name.to_str().filter(|name| name.starts_with(DRAFT_BEGINNING)) {
                match self.remove(name) {
                    Err(error) if error.is_unwritable() => {}
                    removed => removed?,
                }
            }
        }
        Ok(())
    }

    fn failure(&self, stage: &'static str, name: &str, source: io::Error) -> StoreError {
        StoreError { stage, path: self.copies().path.join(name), source }
    }
}

/// Who owns the state directory, if we may give files away and have to.
fn owner(state_dir: &Path) -> io::Result<Option<(Uid, Gid)>> {
    let found = std::fs::metadata(state_dir)?;
    let own = rustix::process::geteuid();
    let foreign = own.is_root() && found.uid() != own.as_raw();
    Ok(foreign.then(|| (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()))))
}
