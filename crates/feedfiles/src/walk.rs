//! Steps through the feeds directory, one name at a time, from directory to
//! directory: no step follows a symbolic link or opens what is no file, so
//! that nobody who may write there can lead us out of it.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use blocklist::FeedNameError;
use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use rustix::path::Arg;

/// Why something with a good name is no feed, or a directory cannot be
/// looked into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hindrance {
    /// It may lead anywhere.
    #[error("a symbolic link, which is not followed")]
    Symlink,
    /// Reading it may never end.
    #[error("a named pipe")]
    Fifo,
    /// There is nothing to read.
    #[error("a socket")]
    Socket,
    /// A block or character device.
    #[error("a device")]
    Device,
    /// Feeds may be in it, but it is none.
    #[error("a directory")]
    Directory,
    /// Names are text.
    #[error("its name is not UTF-8")]
    NotUtf8,
    /// No feed has such a name.
    #[error("{0}")]
    Name(FeedNameError),
    /// A directory beyond the depth limit.
    #[error("a directory too deep inside others")]
    TooDeep,
    /// The system keeps us out, or cannot read it.
    #[error("it cannot be read: {0}")]
    Unreadable(Errno),
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// Opens the feeds directory itself, which alone may be reached through
/// symbolic links: its path is the administrator's word.
pub(super) fn open_root(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, DIRECTORY, Mode::empty())
}

/// Opens the directory `name` in `parent`.
pub(super) fn enter(parent: impl AsFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    openat(parent, name, DIRECTORY.union(OFlags::NOFOLLOW), Mode::empty())
}

/// What `name` in `parent` is, without opening it: opening a device may do
/// something to it.
pub(super) fn look(parent: impl AsFd, name: impl Arg) -> Result<Metadata, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    File::from(openat(parent, name, flags, Mode::empty())?)
        .metadata()
        .map_err(|error| errno(&error))
}

/// Opens the file `name` in `parent` for reading. Whoever calls it has looked
/// at it before and looks at it again: it may be another by now.
pub(super) fn open_file(parent: impl AsFd, name: impl Arg) -> Result<File, Errno> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    openat(parent, name, flags, Mode::empty()).map(File::from)
}

/// What keeps this from being a feed. `None` for a regular file.
pub(super) fn hindrance(found: &Metadata) -> Option<Hindrance> {
    let kind = found.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some(Hindrance::Directory),
        () if kind.is_symlink() => Some(Hindrance::Symlink),
        () if kind.is_fifo() => Some(Hindrance::Fifo),
        () if kind.is_socket() => Some(Hindrance::Socket),
        () => Some(Hindrance::Device),
    }
}

/// The number of an error that came from the system.
pub(super) fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

/// Whether it is not there, or not there any more: also if something else has
/// taken its place since we looked.
pub(super) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}
