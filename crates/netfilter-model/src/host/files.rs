//! The feeds directory: what stands in each file, when it was written, and
//! whether it can be read at the moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use blocklist::FeedName;

use super::text::FeedText;

/// A feed's file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// What it says.
    pub(super) text: Arc<FeedText>,
    /// When it was written, by the wall clock of then.
    pub(super) written: SystemTime,
    /// Another one after every change of the file, its name or its rights.
    pub(super) serial: u64,
    /// The file whatever its name and content.
    pub(super) inode: u64,
    /// Whether the daemon may read it.
    pub(super) readable: bool,
    /// Whether somebody is writing to it all the time.
    pub(super) unstable: bool,
}

/// The feeds directory.
#[derive(Clone, Debug, Default)]
pub(super) struct FeedsDirectory {
    /// The files by name.
    pub(super) by_name: BTreeMap<FeedName, File>,
    /// The directory cannot be scanned.
    pub(super) unreachable: bool,
    /// Folders that cannot be looked into, with a closing slash.
    pub(super) hidden: Vec<String>,
    /// Of a hundred reads, how many end in an error that passes by itself.
    pub(super) errors_percent: usize,
    serial: u64,
}

impl FeedsDirectory {
    /// Writes a file, whole and by a rename.
    pub(super) fn write(&mut self, name: &FeedName, text: Arc<FeedText>, now: SystemTime) {
        self.serial += 1;
        let (serial, inode) = (self.serial, self.serial);
        let file = File { text, written: now, serial, inode, readable: true, unstable: false };
        self.by_name.insert(name.clone(), file);
    }

    /// Changes a file's rights or the time that it was written at. False if
    /// it is not there.
    pub(super) fn change(&mut self, name: &FeedName, change: impl FnOnce(&mut File)) -> bool {
        self.serial += 1;
        let Some(file) = self.by_name.get_mut(name) else { return false };
        change(file);
        file.serial = self.serial;
        true
    }

    /// Deletes a file.
    pub(super) fn delete(&mut self, name: &FeedName) {
        self.by_name.remove(name);
    }

    /// Gives a file another name, which replaces what is there.
    pub(super) fn rename(&mut self, from: &FeedName, to: &FeedName) {
        if let Some(file) = self.by_name.remove(from) {
            self.by_name.insert(to.clone(), file);
            self.change(to, |_| ());
        }
    }

    /// Everything that went wrong with the directory is over.
    pub(super) fn calm(&mut self) {
        self.unreachable = false;
        self.hidden.clear();
        self.errors_percent = 0;
        for file in self.by_name.values_mut() {
            file.unstable = false;
        }
    }
}
