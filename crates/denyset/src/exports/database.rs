//! Writes an SDBM, two files that only count together: both into a directory, and
//! then a link is renamed that leads to it, so that the path of the export changes
//! in one step. There are two such directories in turns. That of the version before
//! stays until the next one: somebody may be about to open its second file. What is
//! in the place and is no link of ours is somebody else's.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, symlink};
use std::path::{Path, PathBuf};

use blocklist::{Exported, PrefixSet, SdbmError, SdbmFile, export_sdbm};
use configuration::ExportConfig;

use super::file::{self, FileMark, PIECE_BYTES, Put};

/// The name of the map in the directory; Apache knows what the two files end with
/// (`apr_sdbm.h`).
const DIRECTORY: &str = "map.dir";
const PAGES: &str = "map.pag";
/// Larger files are written again rather than compared: they may be holes for the
/// most part, and holes take long to read.
const COMPARED_BYTES_MAX: u64 = 256 << 20;

/// The file with the pairs.
pub(super) fn pages(path: &Path) -> PathBuf {
    path.join(PAGES)
}

/// Puts a list in its place, unless the same is there already.
///
/// # Errors
/// What the system says, that something else is in the way, or that the list cannot
/// be written so.
pub(super) fn put(
    asked: &ExportConfig,
    ipv4: &PrefixSet<u32>,
    ipv6: &PrefixSet<u128>,
) -> io::Result<Put> {
    let path = &asked.path;
    let directories = [".denyset-1", ".denyset-2"].map(|after| file::beside(path, ".", after));
    let (present, next) = in_turn(path, directories)?;
    remove_directory(&next)?;
    let written = write(asked, &next, ipv4, ipv6).and_then(|exported| {
        let is_same = present.as_ref().map_or(Ok(false), |present| have_same(present, &next))?;
        Ok((exported, !is_same))
    });
    if !matches!(written, Ok((_, true))) {
        // It is not needed, or not whole.
        remove_directory(&next)?;
    }
    let (exported, is_new) = written?;
    if is_new {
        let link = file::beside(path, ".", ".denyset");
        file::remove(&link)?;
        symlink(next.file_name().unwrap_or_default(), &link)?;
        fs::rename(&link, path)?;
        sync_directory(path.parent())?;
    }
    Ok(Put { exported, is_new, mark: FileMark::of(asked)? })
}

/// The directory that the link leads to, if there is one, and the other.
fn in_turn(path: &Path, directories: [PathBuf; 2]) -> io::Result<(Option<PathBuf>, PathBuf)> {
    let [one, other] = directories;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, one)),
        Err(error) => return Err(error),
        Ok(data) if !data.is_symlink() => {
            return Err(io::Error::other("what is there is no link"));
        }
        Ok(_) => {}
    }
    let target = fs::read_link(path)?;
    let leads_to = |directory: &Path| directory.file_name() == Some(target.as_os_str());
    match (leads_to(&one), leads_to(&other)) {
        (true, _) => Ok((Some(one), other)),
        (_, true) => Ok((Some(other), one)),
        _ => Err(io::Error::other("the link that is there leads elsewhere")),
    }
}

/// Both files, on the disk.
fn write(
    asked: &ExportConfig,
    into: &Path,
    ipv4: &PrefixSet<u32>,
    ipv6: &PrefixSet<u128>,
) -> io::Result<Exported> {
    DirBuilder::new().mode(0o700).create(into)?;
    let [mut directory, mut pages] = [Pieces::new(into, DIRECTORY)?, Pieces::new(into, PAGES)?];
    let exported = export_sdbm(ipv4, ipv6, |file, at, bytes| match file {
        SdbmFile::Directory => directory.add(at, bytes),
        SdbmFile::Pages => pages.add(at, bytes),
    });
    let exported = exported.map_err(|error| match error {
        SdbmError::Sink(error) => error,
        other => io::Error::other(other),
    })?;
    for mut pieces in [directory, pages] {
        pieces.flush()?;
        file::give(&pieces.file, asked, asked.mode)?;
        pieces.file.sync_all()?;
    }
    let opened = File::open(into)?;
    // Whoever may read the files may look for them.
    file::give(&opened, asked, asked.mode | 0o300 | (asked.mode & 0o444) >> 2)?;
    opened.sync_all()?;
    Ok(exported)
}

/// A file that is written piece by piece, most of them one behind the other.
struct Pieces {
    file: File,
    begin: u64,
    bytes: Vec<u8>,
}

impl Pieces {
    fn new(directory: &Path, name: &str) -> io::Result<Self> {
        let file = file::create(&directory.join(name))?;
        Ok(Self { file, begin: 0, bytes: Vec::with_capacity(PIECE_BYTES) })
    }

    fn add(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let is_next = self.begin + self.bytes.len() as u64 == at;
        if !is_next || self.bytes.len() + bytes.len() > PIECE_BYTES {
            self.flush()?;
            self.begin = at;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.bytes, self.begin)?;
        self.bytes.clear();
        Ok(())
    }
}

fn have_same(one: &Path, other: &Path) -> io::Result<bool> {
    if fs::metadata(other.join(PAGES))?.len() > COMPARED_BYTES_MAX {
        return Ok(false);
    }
    let is_same = |name| match file::is_same(&one.join(name), &other.join(name)) {
        // It is not whole.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        answer => answer,
    };
    Ok(is_same(DIRECTORY)? && is_same(PAGES)?)
}

fn sync_directory(directory: Option<&Path>) -> io::Result<()> {
    directory.map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// What a process that was killed has left, or the version before the last.
fn remove_directory(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
