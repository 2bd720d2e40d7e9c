//! The last good copies, for reading: nothing here writes, so that every verb
//! may use it beside a running daemon.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use blocklist::{Feed, FeedName, Guard, Refusal, parse_at};
use rustix::fs::Dir;
use rustix::io::Errno;

use super::copy::{CopyError, CopyHeader, decode_time, encode_exactly};
use super::filename::{feed_name, file_name, is_copy};
use super::name::Shown;
use super::version::{Manner, VersionId};
use super::walk::{enter, hindrance, is_gone, look, open_file, open_root};

/// Where the copies are inside of the state directory.
pub(super) const FOLDER: &str = "feeds";

/// What a note of a deleted feed adds to the name of its copy.
pub(super) const GONE_ENDING: &str = ".gone";

/// What a note of a file that was written again adds to the name of its copy.
pub(super) const REWRITTEN_ENDING: &str = ".written";

/// The longest note that is read.
const NOTE_BYTES_MAX: u64 = 256;

/// Compared at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// The state directory, or a file in it, cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {stage} {}: {source}", Shown(path))]
pub struct StoreError {
    /// What was being done.
    pub stage: &'static str,
    /// To which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl StoreError {
    /// Whether there is no room or no right to write on this file system for
    /// anybody: what is in force can go on without copies.
    pub fn is_unwritable(&self) -> bool {
        is_unwritable(&self.source)
    }

    /// Why no copy is kept of a good feed, by the guard `Kept`, which says
    /// nothing against the feed.
    pub fn refusal(&self) -> Refusal {
        Refusal {
            guard: Guard::Kept,
            expected: format!("room for a last good copy in {}", Shown(&self.path)),
            found: format!("state-dir cannot take it: {self}"),
        }
    }
}

/// Whether the file system takes nothing more in: full, over quota or
/// read-only.
pub(super) fn is_unwritable(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::NOSPC | Errno::DQUOT | Errno::ROFS))
}

/// The last good copies in a state directory. Can be used from several
/// threads at once, and beside the one that writes: a copy is replaced by a
/// rename.
#[derive(Clone, Debug)]
pub struct Copies {
    pub(super) directory: Arc<OwnedFd>,
    pub(super) path: PathBuf,
}

/// One last good copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood {
    /// What is known of it.
    pub header: CopyHeader,
    /// The feed, byte for byte as it was accepted.
    pub bytes: Vec<u8>,
}

/// All that was found in a state directory.
#[derive(Debug, Default)]
pub struct Restored {
    /// The good copies.
    pub feeds: BTreeMap<FeedName, RestoredFeed>,
    /// Those that are not what was written, and never will be.
    pub damaged: Vec<BadCopy>,
    /// Those that cannot be read now and may be good: to be tried again, and
    /// until then not to be taken for lost.
    pub unread: Vec<BadCopy>,
}

/// A good copy, parsed.
#[derive(Debug)]
pub struct RestoredFeed {
    /// What it says.
    pub feed: Feed,
    /// Which version it is.
    pub version: VersionId,
    /// When it was accepted.
    pub accepted: SystemTime,
    /// When its file had last been modified, as far as that was noted: see
    /// [`Store::note_rewritten`](super::Store::note_rewritten).
    pub written: SystemTime,
    /// Since when the file of the feed is known to be gone, if it is.
    pub gone: Option<SystemTime>,
}

/// A copy that is not used.
#[derive(Debug, thiserror::Error)]
#[error("the last good copy {} is not used: {error}", Shown(Path::new(file)))]
pub struct BadCopy {
    /// Its file name.
    pub file: String,
    /// Whose it is, as far as the file name says.
    pub feed: Option<FeedName>,
    /// What is wrong with it.
    pub error: CopyError,
}

impl Copies {
    /// The copies below `state_dir`. `None` if there are none, because nobody
    /// has made the directory yet.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened.
    pub fn open(state_dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = state_dir.join(FOLDER);
        match open_root(state_dir).and_then(|state| enter(&state, FOLDER)) {
            Ok(directory) => Ok(Some(Self { directory: Arc::new(directory), path })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(StoreError { stage: "open", path, source: error.into() }),
        }
    }

    /// The last good copy of a feed, `None` if it has none.
    ///
    /// # Errors
    /// [`CopyError`] if there is one and it is not good.
    pub fn load(&self, feed: &FeedName) -> Result<Option<LastGood>, CopyError> {
        let Some((mut file, header)) = self.open_copy(&file_name(feed))? else { return Ok(None) };
        if header.feed != *feed {
            return Err(CopyError::Misnamed(header.feed));
        }
        let bytes = read_bytes(&mut file, &header)?;
        Ok(Some(LastGood { header, bytes }))
    }

    /// The version of the last good copy of the feed, if it has exactly these
    /// bytes and was read in this manner, by this reader.
    pub fn holds(&self, feed: &FeedName, manner: Manner<'_>, bytes: &[u8]) -> Option<VersionId> {
        let (mut file, header) = self.open_copy(&file_name(feed)).ok()??;
        let same = header.feed == *feed
            && header.is_read(manner)
            && header.bytes == bytes.len() as u64
            && same_bytes(&mut file, bytes).unwrap_or(false);
        same.then(|| header.version())
    }

    /// Whether these bytes begin with all that the last good copy of the feed
    /// has. `None` if it has none that can be read.
    pub fn begins(&self, feed: &FeedName, bytes: &[u8]) -> Option<bool> {
        let (mut file, header) = self.open_copy(&file_name(feed)).ok()??;
        let Some(beginning) = usize::try_from(header.bytes).ok().and_then(|end| bytes.get(..end))
        else {
            return Some(false);
        };
        same_bytes(&mut file, beginning).ok()
    }

    /// Whether there is a copy of the feed, good or not.
    pub fn has(&self, feed: &FeedName) -> bool {
        look(&*self.directory, file_name(feed)).is_ok()
    }

    /// Reads and parses all copies, one after the other. The limit on entries
    /// may have become lower since one was accepted; that does not cut it.
    ///
    /// # Errors
    /// [`StoreError`] if the directory cannot be listed. Single copies that
    /// are not good are part of the answer.
    pub fn restore(
        &self,
        limits: &blocklist::Limits,
        wanted: impl Fn(&FeedName) -> bool,
    ) -> Result<Restored, StoreError> {
        let mut restored = Restored::default();
        for name in self.names()? {
            let Some(file) = name.to_str().filter(|file| is_copy(file)) else { continue };
            match self.restore_one(file, limits, &wanted) {
                Ok(Some((feed, found))) => {
                    restored.feeds.insert(feed, found);
                }
                Ok(None) => {}
                Err(error) => {
                    let bad = if error.is_damage() {
                        &mut restored.damaged
                    } else {
                        &mut restored.unread
                    };
                    bad.push(BadCopy { file: file.to_owned(), feed: feed_name(file), error });
                }
            }
        }
        restored.damaged.sort_by(|a, b| a.file.cmp(&b.file));
        restored.unread.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(restored)
    }

    /// All file names in the directory.
    pub(super) fn names(&self) -> Result<Vec<OsString>, StoreError> {
        let fail = |error: Errno| StoreError {
            stage: "list",
            path: self.path.clone(),
            source: error.into(),
        };
        let entries = Dir::read_from(&*self.directory).map_err(fail)?;
        entries
            .map(|entry| {
                Ok(OsStr::from_bytes(entry.map_err(fail)?.file_name().to_bytes()).to_owned())
            })
            .collect()
    }

    fn restore_one(
        &self,
        copy: &str,
        limits: &blocklist::Limits,
        wanted: &impl Fn(&FeedName) -> bool,
    ) -> Result<Option<(FeedName, RestoredFeed)>, CopyError> {
        let Some((mut file, header)) = self.open_copy(copy)? else { return Ok(None) };
        if file_name(&header.feed) != copy {
            return Err(CopyError::Misnamed(header.feed));
        }
        if !wanted(&header.feed) {
            return Ok(None);
        }
        let bytes = read_bytes(&mut file, &header)?;
        let entries_max = limits.entries_max.max(header.tally.entries);
        let limits = blocklist::Limits { entries_max, ..*limits };
        let feed = parse_at(bytes, header.format, &header.options, &limits, None);
        let version = header.version();
        let restored = RestoredFeed {
            feed,
            version,
            accepted: header.accepted,
            written: header.written.max(self.rewritten(copy, version).unwrap_or(header.written)),
            gone: self.gone_since(copy),
        };
        Ok(Some((header.feed, restored)))
    }

    /// The note that the file of a feed is gone. One that cannot be read is
    /// none: the feed stays in force longer than it has to.
    fn gone_since(&self, copy: &str) -> Option<SystemTime> {
        decode_time(self.note(copy, GONE_ENDING)?.trim_end())
    }

    /// The note that the file of this very version was written again without
    /// a change.
    fn rewritten(&self, copy: &str, version: VersionId) -> Option<SystemTime> {
        decode_rewritten(&self.note(copy, REWRITTEN_ENDING)?, version)
    }

    /// What stands in a note beside a copy.
    fn note(&self, copy: &str, ending: &str) -> Option<String> {
        let file = open_file(&*self.directory, format!("{copy}{ending}")).ok()?;
        let mut text = String::new();
        file.take(NOTE_BYTES_MAX).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// A copy, positioned at the first byte of the feed.
    pub(super) fn open_copy(&self, copy: &str) -> Result<Option<(File, CopyHeader)>, CopyError> {
        let mut file = match look(&*self.directory, copy) {
            Ok(found) if hindrance(&found).is_some() => return Err(CopyError::Foreign),
            Ok(_) => open_file(&*self.directory, copy).map_err(io::Error::from)?,
            Err(error) if is_gone(error) => return Ok(None),
            Err(error) => return Err(CopyError::System(error.into())),
        };
        let header = CopyHeader::decode(&mut file)?;
        let found = file.metadata()?.len().saturating_sub(file.stream_position()?);
        if found != header.bytes {
            return Err(CopyError::Length { expected: header.bytes, found });
        }
        Ok(Some((file, header)))
    }
}

/// A note that a version was written again, in one line.
pub(super) fn encode_rewritten(version: VersionId, written: SystemTime) -> String {
    let [bytes, crc32, reading] = version.numbers();
    format!("{bytes} {crc32:08x} {reading:08x} {}\n", encode_exactly(written))
}

/// The time in such a note, if it is about this version.
fn decode_rewritten(note: &str, version: VersionId) -> Option<SystemTime> {
    let time = note.trim_end().rsplit(' ').next().and_then(decode_time)?;
    (note == encode_rewritten(version, time)).then_some(time)
}

fn read_bytes(file: &mut File, header: &CopyHeader) -> Result<Vec<u8>, CopyError> {
    let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
    let room = usize::try_from(header.bytes).map_err(|_| out_of_memory())?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(room).map_err(|_| out_of_memory())?;
    file.take(header.bytes).read_to_end(&mut bytes)?;
    if crc32fast::hash(&bytes) != header.crc32 {
        return Err(CopyError::Checksum);
    }
    Ok(bytes)
}

fn same_bytes(file: &mut File, bytes: &[u8]) -> io::Result<bool> {
    let mut piece = vec![0; PIECE_BYTES];
    for expected in bytes.chunks(PIECE_BYTES) {
        let found = &mut piece[..expected.len()];
        file.read_exact(found)?;
        if found != expected {
            return Ok(false);
        }
    }
    Ok(true)
}
