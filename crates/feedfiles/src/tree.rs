//! Which feeds there are at one moment, and what each was like. It opens
//! directories only, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use blocklist::FeedName;
use rustix::fs::Dir;
use rustix::io::Errno;

use super::limits::TreeLimits;
use super::links::way;
use super::name::{Naming, PassedOver, Shown, hard_rule};
use super::signature::Signature;
use super::silent::{Silent, silent};
use super::walk::{Hindrance, Miss, Root, enter, hindrance, is_gone, look};

/// A feeds directory at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The feeds: regular files with the names of feeds, or links to such
    /// files beneath the feeds directory, with the signatures of the files.
    pub feeds: BTreeMap<FeedName, Signature>,
    /// What has the name of a feed and is neither file nor directory. A feed
    /// that was good once is not deleted by that, it is obstructed: reading it
    /// says how.
    pub obstructed: BTreeMap<FeedName, Signature>,
    /// All directories that were looked into or that links lead through,
    /// relative to the feeds directory, which itself is the empty path.
    pub directories: Vec<PathBuf>,
    /// Paths that links lead through, and at which they end. A change of one of
    /// them is a change of a feed whatever its name is.
    pub waypoints: BTreeSet<PathBuf>,
    /// Directories whose file systems do not tell of every change.
    pub silent: Vec<Silent>,
    /// What is no feed by its name.
    pub passed_over: Vec<PassedOver>,
    /// What somebody may have meant to be a feed and is none, by path.
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
pub fn scan(feeds_dir: &Path, limits: &TreeLimits, naming: &Naming<'_>) -> Result<Tree, ScanError> {
    let root = Root::open(feeds_dir).map_err(|error| ScanError::at_root(feeds_dir, error))?;
    let mut walk = Walk {
        feeds_dir,
        root: &root,
        limits,
        naming,
        names: 0,
        links: Vec::new(),
        visited: BTreeSet::new(),
        tree: Tree::default(),
    };
    walk.directory(&root.fd, Path::new(""), Path::new(""))?;
    walk.follow_links()?;
    let mut tree = walk.tree;
    tree.ignored.sort_by(|a, b| a.path.cmp(&b.path));
    tree.passed_over.sort_by(|a, b| a.path.cmp(&b.path));
    tree.directories.sort();
    tree.directories.dedup();
    tree.silent.sort();
    tree.silent.dedup();
    tree.unreadable.sort();
    Ok(tree)
}

/// A scan under way.
struct Walk<'a> {
    feeds_dir: &'a Path,
    root: &'a Root,
    limits: &'a TreeLimits,
    naming: &'a Naming<'a>,
    /// Names seen so far.
    names: usize,
    /// Links that were found and not followed yet, by the names of the feeds
    /// that they stand for. They come last: what is there without a link is
    /// known then.
    links: Vec<(PathBuf, FeedName)>,
    /// The directories that were looked into, by device and inode.
    visited: BTreeSet<(u64, u64)>,
    tree: Tree,
}

impl Walk<'_> {
    /// Looks through one directory, which has this path in the names of feeds,
    /// and that one without links.
    fn directory(&mut self, fd: &OwnedFd, path: &Path, place: &Path) -> Result<(), ScanError> {
        let (names, failure) = self.list(fd, path)?;
        match failure {
            Some(error) if path.as_os_str().is_empty() => {
                return Err(ScanError::at_root(self.feeds_dir, error));
            }
            Some(error) => self.hide(path, Hindrance::Unreadable(error)),
            None => {}
        }
        self.visited.extend(rustix::fs::fstat(fd).map(|found| (found.st_dev, found.st_ino)));
        for name in &names {
            self.name(fd, path, place, name, &names)?;
        }
        self.watch(fd, place);
        self.limit(self.tree.directories.len(), "directories", self.limits.directories_max)
    }

    /// The names in a directory, as far as it can be read.
    fn list(
        &mut self,
        fd: &OwnedFd,
        path: &Path,
    ) -> Result<(BTreeSet<CString>, Option<Errno>), ScanError> {
        let mut names = BTreeSet::new();
        let entries = match Dir::read_from(fd) {
            Ok(entries) => entries,
            Err(error) => return Ok((names, Some(error))),
        };
        for entry in entries {
            let name = match entry {
                Ok(entry) => entry.file_name().to_owned(),
                Err(error) => return Ok((names, Some(error))),
            };
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.names += 1;
            self.limit(self.names, "names", self.limits.names_max)?;
            if let Some(rule) = hard_rule(name.to_bytes()) {
                let path = path.join(OsStr::from_bytes(name.to_bytes()));
                self.tree.passed_over.push(PassedOver::new(&path, rule));
            } else {
                names.insert(name);
            }
        }
        Ok((names, None))
    }

    /// Takes in one name.
    fn name(
        &mut self,
        parent: &OwnedFd,
        path: &Path,
        place: &Path,
        name: &CString,
        beside: &BTreeSet<CString>,
    ) -> Result<(), ScanError> {
        let step = OsStr::from_bytes(name.to_bytes());
        let path = path.join(step);
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
        let there = |name: &str| CString::new(name).is_ok_and(|name| beside.contains(&name));
        let empty = found.is_file() && found.len() == 0;
        if let Some(rule) = self.naming.passes_over(&feed, found.is_dir(), empty, there) {
            self.tree.passed_over.push(PassedOver::new(&path, rule));
            return Ok(());
        }
        match hindrance(&found) {
            None => self.feed(feed, Signature::of_open(&found)),
            Some(Hindrance::Directory) => self.below(parent, &path, &place.join(step), name),
            Some(_) if found.is_symlink() => {
                self.links.push((path, feed));
                Ok(())
            }
            Some(reason) => {
                self.obstruct(&path, feed, Some(Signature::of_open(&found)), reason);
                Ok(())
            }
        }
    }

    fn feed(&mut self, feed: FeedName, signature: Signature) -> Result<(), ScanError> {
        self.tree.feeds.insert(feed, signature);
        self.limit(self.tree.feeds.len(), "feeds", self.limits.feeds_max)
    }

    /// Looks into a directory that was found.
    fn below(
        &mut self,
        parent: &OwnedFd,
        path: &Path,
        place: &Path,
        name: &CString,
    ) -> Result<(), ScanError> {
        if path.components().count() >= self.limits.depth_max {
            self.hide(path, Hindrance::TooDeep);
            return Ok(());
        }
        match enter(parent, name) {
            Ok(fd) => self.directory(&fd, path, place),
            // Changed since we looked, which will be noticed.
            Err(error) if is_gone(error) => Ok(()),
            Err(error) => {
                self.hide(path, Hindrance::Unreadable(error));
                Ok(())
            }
        }
    }

    /// Follows the links, and those in the directories that they lead to.
    fn follow_links(&mut self) -> Result<(), ScanError> {
        while !self.links.is_empty() {
            let mut links = std::mem::take(&mut self.links);
            links.sort();
            for (path, feed) in links {
                self.link(&path, feed)?;
            }
        }
        Ok(())
    }

    fn link(&mut self, path: &Path, feed: FeedName) -> Result<(), ScanError> {
        let place = self.note_way(path);
        let found = match self.root.look(path) {
            Ok(found) => found,
            Err(Miss::Gone) => return Ok(()),
            Err(Miss::Hindered(reason)) => {
                let link = look(&self.root.fd, path).ok();
                self.obstruct(path, feed, link.map(|link| Signature::of_open(&link)), reason);
                return Ok(());
            }
        };
        match hindrance(&found) {
            None => self.feed(feed, Signature::of_open(&found)),
            Some(Hindrance::Directory) if self.visited.contains(&identity(&found)) => {
                self.ignore(path, Hindrance::Twice);
                Ok(())
            }
            Some(Hindrance::Directory) if path.components().count() >= self.limits.depth_max => {
                self.hide(path, Hindrance::TooDeep);
                Ok(())
            }
            Some(Hindrance::Directory) => match self.root.enter(path) {
                Ok(fd) => self.directory(&fd, path, &place),
                Err(Miss::Gone) => Ok(()),
                Err(Miss::Hindered(reason)) => {
                    self.hide(path, reason);
                    Ok(())
                }
            },
            Some(reason) => {
                self.obstruct(path, feed, Some(Signature::of_open(&found)), reason);
                Ok(())
            }
        }
    }

    /// Notes what a link leads through, and returns where it ends.
    fn note_way(&mut self, path: &Path) -> PathBuf {
        let Some(way) = way(&self.root.fd, path) else { return path.to_owned() };
        for point in &way.points {
            // The feeds directory itself is watched anyway.
            if let Some(parent) = point.parent().filter(|parent| *parent != Path::new(""))
                && let Ok(fd) = self.root.enter(parent)
            {
                self.watch(&fd, parent);
            }
        }
        self.tree.waypoints.extend(way.points);
        way.end
    }

    /// Notes a directory in which changes matter.
    fn watch(&mut self, fd: impl AsFd, place: &Path) {
        if let Some(file_system) = silent(fd) {
            self.tree.silent.push(Silent { directory: place.to_owned(), file_system });
        }
        self.tree.directories.push(place.to_owned());
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

fn identity(found: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt as _;
    (found.dev(), found.ino())
}
