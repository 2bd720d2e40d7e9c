//! Steps through directories that others may write to. Nobody can lead us out
//! of the feeds directory, and what is no file is not opened.
//!
//! Symbolic links that stay beneath the feeds directory are followed by the
//! kernel itself (`openat2(2)` with `RESOLVE_BENEATH`). Where it cannot, an old
//! kernel or a filter of system calls, no link is followed.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use blocklist::FeedNameError;
use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat, openat2};
use rustix::io::Errno;
use rustix::path::Arg;

/// Why something with a good name is no feed, or a directory cannot be
/// looked into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Hindrance {
    /// It leads to somewhere else, or may: a target that begins with `/`
    /// counts as outside wherever it is.
    #[error(
        "a symbolic link that leads out of feeds-dir, which is not followed; use a relative link \
         within feeds-dir, a copy or a bind mount, or let feeds-dir itself be the link"
    )]
    Leaving,
    /// There is nothing at its end.
    #[error("a symbolic link to nothing")]
    Dangling,
    /// It never ends.
    #[error("a symbolic link that leads in a circle")]
    Circular,
    /// A link to a directory whose feeds have other names already.
    #[error("a symbolic link to a directory that is looked into anyway")]
    Twice,
    /// This system cannot follow links safely.
    #[error("a symbolic link, and none can be followed safely here: openat2: {0}")]
    Unsupported(Errno),
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

/// Why a path leads to nothing that can be a feed.
#[derive(Debug)]
pub(super) enum Miss {
    /// Nothing is there, or not any more.
    Gone,
    /// Something is in the way.
    Hindered(Hindrance),
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// How often a path is tried again that changed while it was followed.
const ATTEMPTS: usize = 16;

/// The feeds directory, from which all paths are followed.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) fd: OwnedFd,
    /// Whether links can be followed; if not, why.
    links: Result<(), Errno>,
}

impl Root {
    /// Opens the feeds directory, which may itself be reached through links to
    /// anywhere: its path is the administrator's word.
    pub(super) fn open(path: &Path) -> Result<Self, Errno> {
        let fd = open_root(path)?;
        let links = beneath(&fd, Path::new("."), LOOK).map(drop);
        Ok(Self { fd, links })
    }

    /// What a path beneath leads to, without opening it: opening a device may
    /// do something to it.
    pub(super) fn look(&self, path: &Path) -> Result<Metadata, Miss> {
        let found = self.follow(path, LOOK).and_then(|fd| {
            File::from(fd).metadata().map_err(|error| self.miss(path, errno(&error)))
        })?;
        if found.is_symlink() { Err(self.miss(path, Errno::LOOP)) } else { Ok(found) }
    }

    /// Opens the directory that a path beneath leads to.
    pub(super) fn enter(&self, path: &Path) -> Result<OwnedFd, Miss> {
        self.follow(path, DIRECTORY)
    }

    /// Opens the file that a path beneath leads to. Whoever calls it has
    /// looked at it before and looks at it again: it may be another by now.
    pub(super) fn open_file(&self, path: &Path) -> Result<File, Miss> {
        self.follow(path, FILE).map(File::from)
    }

    fn follow(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Miss> {
        let found = match self.links {
            Ok(()) => beneath(&self.fd, path, flags),
            Err(_) => self.step(path, flags),
        };
        found.map_err(|error| self.miss(path, error))
    }

    /// From directory to directory, through no link.
    fn step(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let (parent, name) = (path.parent().unwrap_or(path), path.file_name().unwrap_or_default());
        let mut directory = None;
        for step in parent {
            directory = Some(enter(directory.as_ref().unwrap_or(&self.fd), step)?);
        }
        let parent = directory.as_ref().unwrap_or(&self.fd);
        openat(parent, name, flags | OFlags::NOFOLLOW, Mode::empty())
    }

    /// What is in the way, by the kernel's error and by what stands there.
    fn miss(&self, path: &Path, error: Errno) -> Miss {
        let link = || rustix::fs::readlinkat(&self.fd, path, Vec::new()).is_ok();
        match (error, self.links) {
            (Errno::NOENT | Errno::NOTDIR | Errno::LOOP, Err(error)) if link() => {
                Miss::Hindered(Hindrance::Unsupported(error))
            }
            (Errno::NOENT | Errno::NOTDIR, Ok(())) if link() => Miss::Hindered(Hindrance::Dangling),
            (Errno::LOOP, Ok(())) => Miss::Hindered(Hindrance::Circular),
            (Errno::XDEV, Ok(())) => Miss::Hindered(Hindrance::Leaving),
            (error, _) if is_gone(error) => Miss::Gone,
            (error, _) => Miss::Hindered(Hindrance::Unreadable(error)),
        }
    }
}

/// Follows a path by `openat2(2)`, which fails with `EXDEV` if it leaves the
/// directory, and with `EAGAIN` if something was renamed meanwhile that might
/// have led it out.
fn beneath(root: &OwnedFd, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let follow = || openat2(root, path, flags, Mode::empty(), BENEATH);
    let settled = (0..ATTEMPTS).map(|_| follow()).find(|found| !matches!(found, Err(Errno::AGAIN)));
    settled.unwrap_or(Err(Errno::AGAIN))
}

/// Opens a directory that is reached by any path.
pub(super) fn open_root(path: &Path) -> Result<OwnedFd, Errno> {
    open(path, DIRECTORY, Mode::empty())
}

/// Opens the directory `name` in `parent`, which is no link.
pub(super) fn enter(parent: impl AsFd, name: impl Arg) -> Result<OwnedFd, Errno> {
    openat(parent, name, DIRECTORY.union(OFlags::NOFOLLOW), Mode::empty())
}

/// What `name` in `parent` itself is, without opening it.
pub(super) fn look(parent: impl AsFd, name: impl Arg) -> Result<Metadata, Errno> {
    File::from(openat(parent, name, LOOK.union(OFlags::NOFOLLOW), Mode::empty())?)
        .metadata()
        .map_err(|error| errno(&error))
}

/// Opens the file `name` in `parent` for reading, which is no link.
pub(super) fn open_file(parent: impl AsFd, name: impl Arg) -> Result<File, Errno> {
    openat(parent, name, FILE.union(OFlags::NOFOLLOW), Mode::empty()).map(File::from)
}

/// What keeps this from being a feed. `None` for a regular file. Where a link
/// leads has been found out before.
pub(super) fn hindrance(found: &Metadata) -> Option<Hindrance> {
    let kind = found.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_dir() => Some(Hindrance::Directory),
        () if kind.is_symlink() => Some(Hindrance::Leaving),
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
