//! What the last good configuration was, in state-dir. Each file is replaced
//! by a rename after it has reached the disk, and only if it says something
//! else: flash cards in small hosts wear out.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blocklist::{Protect, Protection};
use configuration::Configuration;
use rustix::fs::{Mode, OFlags, fsync, mkdirat, open, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::script::{makes_the_same, script};

/// The folder in state-dir. The unit names it, too.
const FOLDER: &str = "boot";
/// The configuration, byte for byte.
const CONFIG: &str = "denyset.toml";
/// What was protected on this host: a category and an address a line.
const PROTECTED: &str = "protected";
/// The script for `ipset restore`. The unit names it, too.
const SCRIPT: &str = "sets.ipset";
/// The longest file that is read back, in bytes.
const BYTES_MAX: u64 = configuration::limits::FILE_BYTES_MAX;
/// The categories whose addresses are this host's. The others are the same on
/// every host.
const OF_THE_HOST: [Protect; 3] = [Protect::Own, Protect::Gateways, Protect::Resolvers];

/// What is kept for the next boot.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The text of the last good configuration.
    pub text: Arc<str>,
    /// What was protected when it was kept. Before the network is up nobody
    /// can tell, and a set that is filled without it may lock the host out.
    pub protection: Protection,
}

/// A file of the record cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot {stage} {}: {source}", path.display())]
pub struct RecordError {
    /// What was being done.
    pub stage: &'static str,
    /// To which file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl Record {
    /// Reads what was kept. `None` if nothing was.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn load(state_dir: &Path) -> Result<Option<Self>, RecordError> {
        let folder = state_dir.join(FOLDER);
        let fail = |name: &'static str| {
            let path = folder.join(name);
            move |source: Errno| RecordError { stage: "read", path, source: source.into() }
        };
        let directory = match enter(state_dir) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(fail("")(error)),
        };
        let Some(text) = read(&directory, CONFIG).map_err(fail(CONFIG))? else { return Ok(None) };
        let protected = read(&directory, PROTECTED).map_err(fail(PROTECTED))?;
        let protection = protection(&protected.unwrap_or_default());
        Ok(Some(Self { text: text.into(), protection }))
    }

    /// Keeps this, and the sets that `config`, which its text says, has. Of
    /// `salt` each set gets its own.
    ///
    /// # Errors
    /// [`RecordError`]; each file is then as it was or as it is to be.
    pub fn keep(
        &self,
        config: &Configuration,
        salt: impl FnMut() -> u16,
    ) -> Result<(), RecordError> {
        let state_dir = &config.daemon.state_dir;
        let folder = state_dir.join(FOLDER);
        let fail = |name: &str| {
            let path = folder.join(name);
            move |source: io::Error| RecordError { stage: "write", path, source }
        };
        let directory = make(state_dir).map_err(|error| fail("")(error.into()))?;
        let put = |name: &str, text: &str, same: fn(&str, &str) -> bool| {
            let there = read(&directory, name).unwrap_or_default();
            if there.is_some_and(|there| same(&there, text)) {
                return Ok(());
            }
            replace(&directory, name, text).map_err(fail(name))
        };
        let equal = |one: &str, other: &str| one == other;
        put(PROTECTED, &addresses(&self.protection), protects_no_more)?;
        put(SCRIPT, &script(config, salt), makes_the_same)?;
        put(CONFIG, &self.text, equal)
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the folder. Only the path of state-dir may lead through links.
fn enter(state_dir: &Path) -> Result<OwnedFd, Errno> {
    let state = open(state_dir, DIRECTORY, Mode::empty())?;
    openat(state, FOLDER, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// Makes the folder if it is not there, and opens it.
fn make(state_dir: &Path) -> Result<OwnedFd, Errno> {
    let state = open(state_dir, DIRECTORY, Mode::empty())?;
    match mkdirat(&state, FOLDER, Mode::RWXU) {
        Ok(()) => fsync(&state)?,
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    openat(state, FOLDER, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
}

/// The text of a file, `None` if there is none.
fn read(directory: &OwnedFd, name: &str) -> Result<Option<String>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(directory, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    let done = file.take(BYTES_MAX).read_to_string(&mut text);
    done.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::ILSEQ))?;
    Ok(Some(text))
}

/// Puts a text in the place of a file, durably.
fn replace(directory: &OwnedFd, name: &str, text: &str) -> io::Result<()> {
    let draft = format!(".{name}.new");
    match unlinkat(directory, &draft, rustix::fs::AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(openat(directory, &draft, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    renameat(directory, &draft, directory, name)?;
    Ok(fsync(directory)?)
}

/// Whether what stands there need not give way to the new text: if both are
/// the same, or if the new one has nothing but loopback. So it is on every
/// host before its network is up, which is when the daemon starts.
fn protects_no_more(there: &str, new: &str) -> bool {
    let is_bare = |text: &str| {
        let words = text.lines().filter_map(|line| line.split(' ').nth(1)?.parse::<IpAddr>().ok());
        words.into_iter().all(|address| address.is_loopback())
    };
    there == new || is_bare(new)
}

/// The addresses of this host that are protected, one a line.
fn addresses(protection: &Protection) -> String {
    let mut text = String::new();
    for category in OF_THE_HOST {
        for prefix in protection.of(&[category]).iter() {
            // All are single addresses, which print without a length.
            writeln!(text, "{category} {prefix}").expect("a string takes any text");
        }
    }
    text
}

/// The same back. A line that is none is passed over: it was written by
/// another version.
fn protection(text: &str) -> Protection {
    let mut protection = Protection::default();
    for category in OF_THE_HOST {
        let lines = text.lines().filter_map(|line| line.strip_prefix(category.name()));
        let addresses = lines.filter_map(|rest| rest.trim().parse::<IpAddr>().ok());
        protection.set(category, addresses);
    }
    protection
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::salt::salt_of_a_set as salt;

    fn record(state_dir: &Path, list: &str) -> (Record, Configuration) {
        let text = format!("[daemon]\nstate-dir = {state_dir:?}\n[[list]]\nname = \"{list}\"\n");
        let config = Configuration::parse(&text).expect("a good configuration");
        let mut protection = Protection::default();
        let addresses = ["203.0.113.9", "203.0.113.8", "2001:db8::8"];
        protection.set(Protect::Own, addresses.map(|text| text.parse().expect("an address")));
        protection.set(Protect::Resolvers, [IpAddr::from([198, 51, 100, 53])]);
        (Record { text: text.into(), protection }, config)
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let home = tempfile::tempdir().expect("a directory");
        assert_eq!(Record::load(home.path()).expect("nothing is no error"), None);
        assert_eq!(Record::load(&home.path().join("gone")).expect("nothing is no error"), None);
        for list in ["drop", "ssh"] {
            let (record, config) = record(home.path(), list);
            record.keep(&config, salt).expect("it can be kept");
            assert_eq!(Record::load(home.path()).expect("it can be read"), Some(record));
            let script = fs::read_to_string(home.path().join("boot/sets.ipset"));
            assert!(script.expect("it is there").contains(&format!("denyset-{list}-v6")));
        }
    }

    #[test]
    fn nothing_is_written_that_stands_there_already() {
        let home = tempfile::tempdir().expect("a directory");
        let (record, config) = record(home.path(), "drop");
        let inodes = || {
            let files = fs::read_dir(home.path().join("boot")).expect("a folder");
            let files = files.map(|file| file.expect("a file"));
            let mut inodes: Vec<_> = files
                .map(|file| (file.file_name(), file.metadata().expect("it is there").ino()))
                .collect();
            inodes.sort();
            inodes
        };
        record.keep(&config, salt).expect("it can be kept");
        let first = inodes();
        assert_eq!(first.len(), 3, "{first:?}");
        record.keep(&config, salt).expect("it can be kept");
        assert_eq!(inodes(), first);
    }

    #[test]
    fn what_was_protected_outlives_a_start_before_the_network_is_up() {
        let home = tempfile::tempdir().expect("a directory");
        let (record, config) = record(home.path(), "drop");
        let kept = || Record::load(home.path()).expect("it can be read").expect("it is there");
        record.keep(&config, salt).expect("it can be kept");
        let mut early = Protection::default();
        early.set(Protect::Own, [IpAddr::from([127, 0, 0, 1])]);
        let early = Record { protection: early, ..record.clone() };
        early.keep(&config, salt).expect("it can be kept");
        assert_eq!(kept().protection, record.protection);
        let mut moved = Protection::default();
        moved.set(Protect::Own, [IpAddr::from([203, 0, 113, 77])]);
        let moved = Record { protection: moved, ..record };
        moved.keep(&config, salt).expect("it can be kept");
        assert_eq!(kept().protection, moved.protection);
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        let home = tempfile::tempdir().expect("a directory");
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir(&elsewhere).expect("a new directory");
        std::os::unix::fs::symlink(&elsewhere, home.path().join("boot")).expect("a link");
        let (record, config) = record(home.path(), "drop");
        let error = record.keep(&config, salt).expect_err("a link is not followed");
        assert!(error.to_string().contains("/boot"), "{error}");
        assert_eq!(fs::read_dir(&elsewhere).expect("it is there").count(), 0);
    }
}
