//! Which feeds there are at one moment, and what each was like. It opens
//! directories only, and changes nothing.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use blocklist::FeedName;
use rustix::fs::Dir;
use rustix::io::Errno;

use super::limits::TreeLimits;
use super::name::{Shown, is_passed_over};
use super::signature::Signature;
use super::walk::{Hindrance, enter, hindrance, is_gone, look, open_root};

/// A feeds directory at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The feeds: regular files with the names of feeds.
    pub feeds: BTreeMap<FeedName, Signature>,
    /// What has the name of a feed and is neither file nor directory. A feed
    /// that was good once is not deleted by that, it is obstructed: reading it
    /// says how.
    pub obstructed: BTreeMap<FeedName, Signature>,
    /// All directories that were looked into, relative to the feeds
    /// directory, which itself is the empty path.
    pub directories: Vec<PathBuf>,
    /// What somebody may have meant to be a feed and is none, by path. Names
    /// that are no feeds by rule (`.…`, `…~`, `….tmp`, `….part`, `….swp`) are
    /// not among it.
    pub ignored: Vec<Ignored>,
    /// Folders of which nothing is known, because they cannot be read, are
    /// too deep, or something else is in their place; with a closing slash.
    /// Feeds in them are not to be taken for deleted.
    pub unreadable: Vec<String>,
}

/// Something that is not taken for a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Ignored {
    /// Relative to the feeds directory, fit to be shown.
    pub path: String,
    /// Why.
    pub reason: Hindrance,
}

/// Why nothing is known of any feed. None of them means that feeds are gone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// There is no feeds directory.
    #[error(
        "the feeds directory {} does not exist, create it or correct daemon.feeds-dir",
        Shown(path)
    )]
    Missing {
        /// The feeds directory.
        path: PathBuf,
    },
    /// It is something else.
    #[error("the feeds directory {} is not a directory, correct daemon.feeds-dir", Shown(path))]
    NotADirectory {
        /// The feeds directory.
        path: PathBuf,
    },
    /// The system keeps us out, or cannot read it.
    #[error("cannot read the feeds directory {}: {error}", Shown(path))]
    Unreadable {
        /// The feeds directory.
        path: PathBuf,
        /// What the system said.
        error: Errno,
    },
    /// Beyond a limit there is no telling which part to look at.
    #[error(
        "the feeds directory {} holds more than {max} {what}, remove what is not needed",
        Shown(path)
    )]
    TooMany {
        /// The feeds directory.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
}

impl ScanError {
    fn at_root(path: &Path, error: Errno) -> Self {
        let path = path.to_owned();
        match error {
            Errno::NOENT => Self::Missing { path },
            Errno::NOTDIR => Self::NotADirectory { path },
            error => Self::Unreadable { path, error },
        }
    }
}

/// Looks through `feeds_dir` and the directories below it.
///
/// # Errors
/// [`ScanError`] if the directory itself cannot be read whole.
pub fn scan(feeds_dir: &Path, limits: &TreeLimits) -> Result<Tree, ScanError> {
    let root = open_root(feeds_dir).map_err(|error| ScanError::at_root(feeds_dir, error))?;
    let mut walk = Walk { feeds_dir, limits, names: 0, tree: Tree::default() };
    walk.directory(&root, PathBuf::new(), 0)?;
    walk.tree.ignored.sort_by(|a, b| a.path.cmp(&b.path));
    walk.tree.directories.sort();
    walk.tree.unreadable.sort();
    Ok(walk.tree)
}

/// A scan under way.
struct Walk<'a> {
    feeds_dir: &'a Path,
    limits: &'a TreeLimits,
    /// Names seen so far.
    names: usize,
    tree: Tree,
}

impl Walk<'_> {
    /// Looks through one directory, `depth` steps below the feeds directory.
    fn directory(&mut self, fd: &OwnedFd, path: PathBuf, depth: usize) -> Result<(), ScanError> {
        let (names, failure) = self.list(fd)?;
        match failure {
            Some(error) if depth == 0 => return Err(ScanError::at_root(self.feeds_dir, error)),
            Some(error) => self.hide(&path, Hindrance::Unreadable(error)),
            None => {}
        }
        for name in names {
            self.name(fd, &path, &name, depth + 1)?;
        }
        self.tree.directories.push(path);
        self.limit(self.tree.directories.len(), "directories", self.limits.directories_max)
    }

    /// The names in a directory, as far as it can be read.
    fn list(&mut self, fd: &OwnedFd) -> Result<(Vec<CString>, Option<Errno>), ScanError> {
        let mut names = Vec::new();
        let entries = match Dir::read_from(fd) {
            Ok(entries) => entries,
            Err(error) => return Ok((names, Some(error))),
        };
        for entry in entries {
            match entry {
                Ok(entry) if matches!(entry.file_name().to_bytes(), b"." | b"..") => continue,
                Ok(entry) if is_passed_over(entry.file_name().to_bytes()) => {}
                Ok(entry) => names.push(entry.file_name().to_owned()),
                Err(error) => return Ok((names, Some(error))),
            }
            self.names += 1;
            self.limit(self.names, "names", self.limits.names_max)?;
        }
        Ok((names, None))
    }

    /// Takes in one name, the `depth`-th step of its path.
    fn name(
        &mut self,
        parent: &OwnedFd,
        path: &Path,
        name: &CStr,
        depth: usize,
    ) -> Result<(), ScanError> {
        let path = path.join(OsStr::from_bytes(name.to_bytes()));
        let feed = match path.to_str().map(FeedName::new) {
            Some(Ok(feed)) => feed,
            Some(Err(error)) => {
                self.ignore(&path, Hindrance::Name(error));
                return Ok(());
            }
            None => {
                self.ignore(&path, Hindrance::NotUtf8);
                return Ok(());
            }
        };
        let found = match look(parent, name) {
            Ok(found) => found,
            Err(error) if is_gone(error) => return Ok(()),
            Err(error) => {
                self.obstruct(&path, feed, None, Hindrance::Unreadable(error));
                return Ok(());
            }
        };
        match hindrance(&found) {
            None => {
                self.tree.feeds.insert(feed, Signature::of_open(&found));
                self.limit(self.tree.feeds.len(), "feeds", self.limits.feeds_max)
            }
            Some(Hindrance::Directory) => self.below(parent, path, name, depth),
            Some(reason) => {
                self.obstruct(&path, feed, Some(Signature::of_open(&found)), reason);
                Ok(())
            }
        }
    }

    /// Looks into a directory that was found.
    fn below(
        &mut self,
        parent: &OwnedFd,
        path: PathBuf,
        name: &CStr,
        depth: usize,
    ) -> Result<(), ScanError> {
        if depth >= self.limits.depth_max {
            self.hide(&path, Hindrance::TooDeep);
            return Ok(());
        }
        match enter(parent, name) {
            Ok(fd) => self.directory(&fd, path, depth),
            // Changed since we looked, which will be noticed.
            Err(error) if is_gone(error) => Ok(()),
            Err(error) => {
                self.hide(&path, Hindrance::Unreadable(error));
                Ok(())
            }
        }
    }

    fn ignore(&mut self, path: &Path, reason: Hindrance) {
        self.tree.ignored.push(Ignored { path: Shown(path).to_string(), reason });
    }

    /// A folder of which nothing is known from here on.
    fn hide(&mut self, path: &Path, reason: Hindrance) {
        self.tree.unreadable.extend(path.to_str().map(|path| format!("{path}/")));
        self.ignore(path, reason);
    }

    /// Something where a feed or a folder may have been.
    fn obstruct(
        &mut self,
        path: &Path,
        feed: FeedName,
        signature: Option<Signature>,
        reason: Hindrance,
    ) {
        self.tree.obstructed.insert(feed, signature.unwrap_or_default());
        self.hide(path, reason);
    }

    fn limit(&self, count: usize, what: &'static str, max: usize) -> Result<(), ScanError> {
        if count > max {
            return Err(ScanError::TooMany { path: self.feeds_dir.to_owned(), what, max });
        }
        Ok(())
    }
}
