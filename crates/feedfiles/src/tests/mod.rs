//! Feeds directories and state directories as the world leaves them: real
//! files, pipes, links and devices. What the tests share is here.

mod expand;
mod read;
mod store;
mod tree;
mod watch;

use std::fs;
use std::path::{Path, PathBuf};

use blocklist::FeedName;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tempfile::TempDir;

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
