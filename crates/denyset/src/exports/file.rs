//! Writes one export: beside its place, on the disk, and only then by rename, so
//! that whoever reads it has the old one or the new one. What is in its place and
//! is no regular file is somebody else's.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use blocklist::{ExportFormat, Exported, PrefixSet, export};
use configuration::ExportConfig;

use super::database;

/// Bytes written and compared at a time.
pub(super) const PIECE_BYTES: usize = 256 * 1024;
/// Where the groups of the host are (`group(5)`).
const GROUPS: &str = "/etc/group";
/// What nginx keeps beside a file of ranges and prefers to it as long as it is
/// not older, in whole seconds (`ngx_http_geo_module.c`).
const NGINX_KEEPS: &str = ".bin";

/// What came of writing.
pub(super) struct Put {
    pub(super) exported: Exported,
    /// Whether there is another file now.
    pub(super) is_new: bool,
    pub(super) mark: FileMark,
}

/// By what a file is known again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileMark {
    device: u64,
    inode: u64,
    bytes: u64,
    written_at: SystemTime,
}

impl FileMark {
    /// Of the file of an export, or the larger one if there are two.
    pub(super) fn of(asked: &ExportConfig) -> io::Result<Self> {
        let data = match asked.format {
            ExportFormat::ApacheSdbm => fs::symlink_metadata(database::pages(&asked.path)),
            _ => fs::symlink_metadata(&asked.path),
        }?;
        Ok(Self {
            device: data.dev(),
            inode: data.ino(),
            bytes: data.len(),
            written_at: data.modified()?,
        })
    }

    /// When it was last written to.
    pub(super) fn written_at(&self) -> SystemTime {
        self.written_at
    }

    /// Whether the file is still in its place.
    pub(super) fn is_there(&self, asked: &ExportConfig) -> bool {
        Self::of(asked).is_ok_and(|found| found == *self)
    }
}

/// A file that is being written. Dropped before it has its name, it goes.
struct ExportDraft(PathBuf);

impl Drop for ExportDraft {
    fn drop(&mut self) {
        // After the rename there is none.
        let _ = fs::remove_file(&self.0);
    }
}

/// Puts a list in its file, unless the file says the very same already: then
/// nobody has to load it again.
///
/// # Errors
/// What the system says, or that something else is in the way.
pub(super) fn put(
    asked: &ExportConfig,
    list: &str,
    ipv4: &PrefixSet<u32>,
    ipv6: &PrefixSet<u128>,
) -> io::Result<Put> {
    if asked.format == ExportFormat::ApacheSdbm {
        return database::put(asked, ipv4, ipv6);
    }
    let path = &asked.path;
    let before = match fs::symlink_metadata(path) {
        Ok(data) if data.is_file() => Some(data),
        Ok(_) => return Err(io::Error::other("what is there is no regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let draft = ExportDraft(beside(path, ".", ".denyset"));
    let file = create(&draft.0)?;
    let mut out = BufWriter::with_capacity(PIECE_BYTES, &file);
    let exported = export(asked.format, list, ipv4, ipv6, |piece| out.write_all(piece))?;
    out.flush()?;
    drop(out);
    give(&file, asked, asked.mode)?;
    let is_new = !(before.is_some() && is_same(path, &draft.0)?);
    if is_new {
        file.sync_all()?;
        fs::rename(&draft.0, path)?;
    }
    if asked.format == ExportFormat::NginxGeo {
        remove(&beside(path, "", NGINX_KEEPS))?;
    }
    if let Some(directory) = path.parent().filter(|_| is_new) {
        File::open(directory)?.sync_all()?;
    }
    Ok(Put { exported, is_new, mark: FileMark::of(asked)? })
}

/// A file in the same directory, named after this one.
pub(super) fn beside(path: &Path, before: &str, after: &str) -> PathBuf {
    let mut name = OsString::from(before);
    name.push(path.file_name().unwrap_or_default());
    name.push(after);
    path.with_file_name(name)
}

/// A file that was not there, and that nobody else can read yet. What a process
/// that was killed has left goes.
pub(super) fn create(path: &Path) -> io::Result<File> {
    remove(path)?;
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Gives a file to whom the configuration names, with these rights.
pub(super) fn give(file: &File, asked: &ExportConfig, mode: u32) -> io::Result<()> {
    if let Some(group) = &asked.owner_group {
        fchown(file, None, Some(group_id(group)?))?;
    }
    file.set_permissions(Permissions::from_mode(mode))
}

/// Whether two files have the same bytes and rights.
pub(super) fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let rights = |path: &Path| {
        let data = fs::metadata(path)?;
        io::Result::Ok((data.mode() & 0o777, data.gid(), data.len()))
    };
    Ok(rights(one)? == rights(other)? && has_same_bytes(one, other)?)
}

fn has_same_bytes(one: &Path, other: &Path) -> io::Result<bool> {
    let [mut one, mut other] = [File::open(one)?, File::open(other)?]
        .map(|file| BufReader::with_capacity(PIECE_BYTES, file));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let bytes = left.len().min(right.len());
        if left[..bytes] != right[..bytes] {
            return Ok(false);
        }
        if bytes == 0 {
            return Ok(left.len() == right.len());
        }
        one.consume(bytes);
        other.consume(bytes);
    }
}

/// The number of a group, from its name or as it is.
fn group_id(group: &str) -> io::Result<u32> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let groups = fs::read_to_string(GROUPS)?;
    let number = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(group)).then(|| fields.nth(1)?.parse().ok())?
    });
    number.ok_or_else(|| io::Error::other(format!("there is no group {group} in {GROUPS}")))
}
