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

use blocklist::{Feed, FeedName, Format, Options, parse_with};
use rustix::fs::Dir;

use super::copy::{CopyError, CopyHeader, decode_time};
use super::filename::{feed_name, file_name, is_copy};
use super::name::Shown;
use super::tree::{enter, is_gone, look, obstacle, open_file, open_root};

/// Where the copies are inside of the state directory.
pub(super) const FOLDER: &str = "feeds";

/// What a note of a deleted feed adds to the name of its copy.
pub(super) const GONE_ENDING: &str = ".gone";

/// Compared at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// The state directory cannot be used.
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

/// The last good copies in a state directory.
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
    /// The others, none of which is used.
    pub damaged: Vec<Damaged>,
}

/// A good copy, parsed.
#[derive(Debug)]
pub struct RestoredFeed {
    /// What it says.
    pub feed: Feed,
    /// When it was accepted.
    pub accepted: SystemTime,
    /// When its file had last been modified.
    pub written: SystemTime,
    /// Since when the file of the feed is known to be gone, if it is.
    pub gone: Option<SystemTime>,
}

/// A copy that is not used.
#[derive(Debug, thiserror::Error)]
#[error("the last good copy {} is not used: {error}", Shown(Path::new(file)))]
pub struct Damaged {
    /// Its file name.
    pub file: String,
    /// Whose it was, as far as the file name says.
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
            Err(rustix::io::Errno::NOENT) => Ok(None),
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

    /// Whether the last good copy of the feed has exactly these bytes, read
    /// as this format.
    pub fn holds(&self, feed: &FeedName, format: Format, options: &Options, bytes: &[u8]) -> bool {
        let Ok(Some((mut file, header))) = self.open_copy(&file_name(feed)) else { return false };
        header.feed == *feed
            && header.format == format
            && header.options == *options
            && header.bytes == bytes.len() as u64
            && same_bytes(&mut file, bytes).unwrap_or(false)
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
                Err(error) => restored.damaged.push(Damaged {
                    file: file.to_owned(),
                    feed: feed_name(file),
                    error,
                }),
            }
        }
        restored.damaged.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(restored)
    }

    /// All file names in the directory.
    pub(super) fn names(&self) -> Result<Vec<OsString>, StoreError> {
        let fail = |error: rustix::io::Errno| StoreError {
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
        let feed = parse_with(&bytes, header.format, &header.options, &limits);
        let gone = self.gone_since(copy);
        Ok(Some((
            header.feed,
            RestoredFeed { feed, accepted: header.accepted, written: header.written, gone },
        )))
    }

    /// The note that the file of a feed is gone. One that cannot be read is
    /// none: the feed stays in force longer than it has to.
    fn gone_since(&self, copy: &str) -> Option<SystemTime> {
        let file = open_file(&*self.directory, format!("{copy}{GONE_ENDING}")).ok()?;
        let mut text = String::new();
        file.take(64).read_to_string(&mut text).ok()?;
        decode_time(text.trim_end())
    }

    /// A copy, positioned at the first byte of the feed.
    fn open_copy(&self, copy: &str) -> Result<Option<(File, CopyHeader)>, CopyError> {
        let mut file = match look(&*self.directory, copy) {
            Ok(found) if obstacle(&found).is_some() => return Err(CopyError::Foreign),
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
