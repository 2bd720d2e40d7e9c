//! Copies that are not in force yet. Whoever reads a feed lays one down; the
//! store keeps it or it is thrown away. Drafts know nothing of each other, so
//! that several threads may lay them down and they may be kept in any order.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use blocklist::{FeedName, Guard, Refusal, Tally};
use rustix::fs::{
    Advice, AtFlags, Gid, Mode, OFlags, Uid, fadvise, fchown, openat, renameat, unlinkat,
};

use super::copies::{Copies, is_unwritable};
use super::copy::CopyHeader;
use super::filename::file_name;
use super::name::Shown;
use super::version::{Manner, VersionId};

/// Files that are being written are named so, and nothing else is.
pub(super) const DRAFT_BEGINNING: &str = ".candidate-";

/// Where copies are laid down. Can be used from several threads at once.
#[derive(Clone, Debug)]
pub struct Drafts {
    pub(super) copies: Copies,
    /// Who is to own the files: the owner of the state directory, if it is
    /// root who writes. The daemon has its own user and must be able to read
    /// what `denyset apply` has left.
    owner: Option<(Uid, Gid)>,
    /// How many drafts there have been.
    count: Arc<AtomicU64>,
}

/// A copy that was laid down and is not in force yet. Dropping it throws it
/// away.
#[derive(Debug)]
pub struct Draft {
    temporary: Temporary,
    file: File,
    header: CopyHeader,
}

impl Drafts {
    pub(super) fn new(copies: Copies, owner: Option<(Uid, Gid)>) -> Self {
        Self { copies, owner, count: Arc::default() }
    }

    /// The copies in force, for reading.
    pub fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Writes a copy of a feed without putting it in the place of the last good
    /// one. What it says need not be known yet: nobody has to have both in memory.
    ///
    /// # Errors
    /// A refusal by the guard `Kept`, for instance because the disk is full.
    /// Nothing is left behind then.
    pub fn lay_down(
        &self,
        feed: &FeedName,
        manner: Manner<'_>,
        bytes: &[u8],
        written: SystemTime,
    ) -> Result<Uncounted, Refusal> {
        let write = || -> io::Result<Uncounted> {
            let (temporary, mut file) = self.temporary()?;
            let header = CopyHeader::new(feed, manner, bytes, written);
            file.write_all(&header.encode())?;
            file.write_all(bytes)?;
            // The disk begins while the text is read. Whoever keeps it waits until
            // all is there.
            let _begun = fadvise(&file, 0, None, Advice::DontNeed);
            Ok(Uncounted(Draft { temporary, file, header }))
        };
        write().map_err(|error| not_kept(&self.copies, &error))
    }

    /// A new file that removes itself unless it gets a name.
    pub(super) fn temporary(&self) -> io::Result<(Temporary, File)> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{DRAFT_BEGINNING}{}-{number}", std::process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&*self.copies.directory, &name, flags, Mode::RUSR | Mode::WUSR)?;
        give(&file, self.owner);
        let temporary = Temporary { copies: self.copies.clone(), name: Some(name) };
        Ok((temporary, File::from(file)))
    }
}

/// A copy that was laid down before its entries were counted. Dropping it throws
/// it away.
#[derive(Debug)]
pub struct Uncounted(Draft);

impl Uncounted {
    /// Which version it is.
    pub fn version(&self) -> VersionId {
        self.0.version()
    }

    /// The draft, with what was counted in these very bytes.
    #[must_use]
    pub fn counted(self, tally: Tally) -> Draft {
        let Self(draft) = self;
        Draft { header: CopyHeader { tally, ..draft.header }, ..draft }
    }
}

impl Draft {
    /// Whose copy it is.
    pub fn feed(&self) -> &FeedName {
        &self.header.feed
    }

    /// Which version it is.
    pub fn version(&self) -> VersionId {
        self.header.version()
    }

    /// Puts it in the place of the last good copy. The rename is durable once
    /// the directory is flushed.
    pub(super) fn put_in_force(mut self, accepted: SystemTime) -> io::Result<()> {
        self.header.accepted = accepted;
        self.file.write_all_at(&self.header.encode(), 0)?;
        self.file.sync_all()?;
        self.temporary.rename(&file_name(&self.header.feed))
    }
}

/// The refusal to keep a copy.
pub(super) fn not_kept(copies: &Copies, error: &io::Error) -> Refusal {
    let expected = format!("room for a last good copy in {}", Shown(&copies.path));
    let found = if is_unwritable(error) {
        format!("state-dir cannot take it: {error}")
    } else {
        error.to_string()
    };
    Refusal { guard: Guard::Kept, expected, found }
}

/// A file that is removed when the value goes, unless it got a name.
#[derive(Debug)]
pub(super) struct Temporary {
    copies: Copies,
    name: Option<String>,
}

impl Temporary {
    /// Puts the file in the place of whatever has this name.
    pub(super) fn rename(mut self, to: &str) -> io::Result<()> {
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

/// Gives a file to its owner to be. Without the right to do so it stays ours,
/// which somebody else cannot read, but harms nobody.
pub(super) fn give(file: impl std::os::fd::AsFd, owner: Option<(Uid, Gid)>) {
    if let Some((uid, gid)) = owner
        && let Err(error) = fchown(file, Some(uid), Some(gid))
    {
        tracing::warn!(%error, "cannot give a file to the owner of state-dir");
    }
}
