//! A time of day that a test sets, for the processes that it starts: theirs is
//! that of libfaketime. The time that never jumps stays the system's, and so do
//! the times of files.

use std::fs;
use std::path::{Path, PathBuf};

/// Where Debian's package `libfaketime` puts its library, by architecture.
const LIBRARIES: &str = "/usr/lib";

/// Removes what libfaketime leaves behind of a process that was killed, or that
/// became another program.
pub(crate) fn tidy_up(pid: u32) {
    for name in [format!("faketime_shm_{pid}"), format!("sem.faketime_sem_{pid}")] {
        // Most processes had none.
        let _ = fs::remove_file(Path::new("/dev/shm").join(name));
    }
}

/// How far a clock is ahead of the system's.
#[derive(Debug)]
pub struct Wall {
    offset: PathBuf,
    library: PathBuf,
}

impl Wall {
    /// A clock that is right. It keeps a file in `directory`.
    ///
    /// # Panics
    /// If there is no libfaketime.
    pub fn right(directory: &Path) -> Self {
        let places = fs::read_dir(LIBRARIES).expect("there are libraries").filter_map(Result::ok);
        let mut places = places.map(|place| place.path().join("faketime/libfaketimeMT.so.1"));
        let library = places.find(|path| path.exists());
        let library = library.expect("libfaketime is installed; `.ci/run` installs it");
        let wall = Self { offset: directory.join("clock"), library };
        wall.set_ahead(0);
        wall
    }

    /// Sets the clock so many minutes ahead of the system's, at once and for
    /// everybody who goes by it.
    ///
    /// # Panics
    /// If its file cannot be written.
    pub fn set_ahead(&self, minutes: u32) {
        let draft = self.offset.with_extension("new");
        fs::write(&draft, format!("+{}\n", minutes * 60)).expect("the clock can be written");
        fs::rename(&draft, &self.offset).expect("the clock can be put in place");
    }

    /// What a process needs to go by it.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.offset.clone()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }
}
