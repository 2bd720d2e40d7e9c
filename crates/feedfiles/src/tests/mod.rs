//! Feeds directories and state directories as the world leaves them: real
//! files, pipes, links and devices. What the tests share is here.

mod beside;
mod expand;
mod mapped;
mod read;
mod store;
mod tree;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blocklist::{FeedName, Format, FormatChoice, Limits, Options};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tempfile::TempDir;

use super::{FeedFile, Store, Taken, TreeLimits, read_only};

/// A directory `feeds` and a directory `state` to be, in a directory of their
/// own.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        fs::create_dir(home.path().join("feeds")).expect("a directory");
        Self(home)
    }

    fn feeds(&self) -> PathBuf {
        self.0.path().join("feeds")
    }

    fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    /// Writes a feed and the directories on the way to it.
    fn write(&self, name: &str, text: &str) {
        let path = self.feeds().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
        fs::write(path, text).expect("a file");
    }
}

/// How a feed is read; as plain text, with no time to wait, if nothing else is
/// said.
struct Reading {
    format: FormatChoice,
    limits: TreeLimits,
    quiet: Duration,
    impatient: bool,
    unfinished: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            format: Format::Plain.into(),
            limits: TreeLimits::default(),
            quiet: Duration::ZERO,
            impatient: false,
            unfinished: false,
        }
    }
}

impl Reading {
    fn of<T>(&self, home: &Home, feed: &str, read: impl FnOnce(&FeedFile<'_>) -> T) -> T {
        read(&FeedFile {
            feeds_dir: &home.feeds(),
            name: &name(feed),
            format: self.format,
            options: &Options::default(),
            parse: &Limits::default(),
            limits: &self.limits,
            quiet: self.quiet,
            impatient: self.impatient,
            unfinished: self.unfinished,
        })
    }

    /// Without a state directory.
    fn alone(&self, home: &Home, feed: &str) -> Taken<()> {
        self.of(home, feed, |file| read_only(file).1)
    }

    /// Against a state directory.
    fn against(&self, home: &Home, store: &Store, feed: &str) -> Taken {
        self.of(home, feed, |file| super::read(file, store.drafts(), |_| true).1)
    }
}

fn name(text: &str) -> FeedName {
    FeedName::new(text).expect("a good name")
}

/// Everything that is no file and has no business in a feeds directory.
const ODDITIES: [&str; 5] = ["device", "fifo", "link", "loop", "socket"];

/// Puts one of [`ODDITIES`] at a path.
fn put(oddity: &str, path: &Path) {
    use std::os::unix::fs::symlink;
    let node = |kind| mknodat(CWD, path, kind, Mode::RUSR, makedev(0, 0)).expect("a node");
    match oddity {
        // The one device that everybody may make.
        "device" => node(FileType::CharacterDevice),
        "fifo" => node(FileType::Fifo),
        "link" => symlink("/etc/passwd", path).expect("a link"),
        "loop" => symlink(path, path).expect("a link"),
        "socket" => drop(std::os::unix::net::UnixListener::bind(path).expect("a socket")),
        _ => panic!("no such oddity: {oddity}"),
    }
}

/// From here on, permissions hold for this thread, even if it is root's.
fn obey_permissions() {
    let mut held = capabilities(None).expect("capabilities");
    held.effective.remove(CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH);
    set_capabilities(None, held).expect("fewer capabilities");
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("other permissions");
}
