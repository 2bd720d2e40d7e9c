//! What is remembered of a change that somebody has yet to confirm: the
//! configuration that returns otherwise, and when. It stands in state-dir before
//! anything changes, so that whoever comes after a crash or a boot knows it too.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use configuration::{ConfigError, Configuration};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The folder in state-dir.
const FOLDER: &str = "confirm";
/// The note.
const NOTE: &str = "unconfirmed.json";
/// The text of the configuration that was last put into force with no daemon.
const APPLIED: &str = "applied.toml";
/// The longest file that is read back, in bytes: a configuration as a string of
/// JSON.
const BYTES_MAX: u64 = 6 * configuration::limits::FILE_BYTES_MAX + 1_024;

/// A change that waits for a person's word, or did so in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Note {
    /// The text of the configuration that returns. `None` if there was none.
    pub before: Option<String>,
    /// Seconds since 1970 when it was written.
    written: u64,
    /// The same when the time has run out.
    until: u64,
    /// Which boot it was, where that can be read.
    boot: Option<String>,
    /// Seconds since the boot when it was written, the time asleep included.
    boot_written: u64,
    /// The same when the time has run out.
    boot_until: u64,
}

/// A note cannot be used, or not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {stage} {}: {source}", path.display())]
pub struct NoteError {
    /// What was being done.
    stage: &'static str,
    /// To which file.
    path: PathBuf,
    /// What the system said.
    source: io::Error,
}

/// All that is known of what time it is.
#[derive(Clone, Debug)]
struct Times {
    wall: u64,
    boot: Option<String>,
    since_boot: u64,
}

impl Times {
    fn read() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // A sandbox may hide it.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let since_boot = clock_gettime(ClockId::Boottime).tv_sec;
        Self {
            wall: wall.as_secs(),
            boot: boot.map(|boot| boot.trim_end().to_owned()),
            since_boot: u64::try_from(since_boot).unwrap_or_default(),
        }
    }
}

impl Note {
    /// One that is written now and gives so many seconds.
    pub fn new(before: Option<String>, seconds: u32) -> Self {
        Self::at(before, seconds, Times::read())
    }

    fn at(before: Option<String>, seconds: u32, now: Times) -> Self {
        let Times { wall, boot, since_boot } = now;
        Self {
            before,
            written: wall,
            until: wall + u64::from(seconds),
            boot,
            boot_written: since_boot,
            boot_until: since_boot + u64::from(seconds),
        }
    }

    /// How much time is left, `None` if none is.
    pub fn left(&self) -> Option<Duration> {
        self.left_at(&Times::read())
    }

    /// In the boot that it was written in, the clock that nobody sets counts
    /// alone. Else whichever says that it is over: what returns has been good.
    fn left_at(&self, now: &Times) -> Option<Duration> {
        let by_boot = self.boot_until.checked_sub(now.since_boot);
        let same_boot = self.boot.is_some() && self.boot == now.boot;
        let by_wall = self.until.checked_sub(now.wall).filter(|_| now.wall >= self.written);
        let by_either = || {
            let by_boot = by_boot.filter(|_| now.since_boot >= self.boot_written);
            let other_boot = self.boot.is_some() && now.boot.is_some();
            if other_boot { by_wall } else { Some(by_boot?.min(by_wall?)) }
        };
        let left = if same_boot { by_boot } else { by_either() };
        left.filter(|&left| left > 0).map(Duration::from_secs)
    }

    /// When the time runs out, by the time of day.
    pub fn until(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.until)
    }

    /// The configuration that returns. Where there was none it is that of
    /// `instead` without a list and a rule.
    pub fn returning(&self, instead: &Configuration) -> Option<(Configuration, String)> {
        if let Some(text) = &self.before {
            return Some((Configuration::parse(text).ok()?, text.clone()));
        }
        let (lists, filters) = (Vec::new(), Vec::new());
        Some((Configuration { lists, filters, ..instead.clone() }, String::new()))
    }

    /// Reads what was kept. `None` if nothing was.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn load(state_dir: &Path) -> Result<Option<Self>, NoteError> {
        let path = state_dir.join(FOLDER).join(NOTE);
        let Some(text) = read(&path)? else { return Ok(None) };
        let note = serde_json::from_str(&text).map_err(io::Error::from);
        note.map(Some).map_err(|source| NoteError { stage: "read", path, source })
    }

    /// Keeps it, durably.
    ///
    /// # Errors
    /// [`NoteError`]; what was kept before is then still there.
    pub fn keep(&self, state_dir: &Path) -> Result<(), NoteError> {
        let text = serde_json::to_string(self).expect("it is text and numbers");
        replace(state_dir, NOTE, &text)
    }

    /// Forgets whatever was kept, durably.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn remove(state_dir: &Path) -> Result<(), NoteError> {
        let folder = state_dir.join(FOLDER);
        let path = folder.join(NOTE);
        let gone = fs::remove_file(&path).and_then(|()| File::open(&folder)?.sync_all());
        match gone {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(NoteError { stage: "remove", path, source: error })
            }
            _ => Ok(()),
        }
    }
}

/// What is to be in force.
#[derive(Debug)]
pub struct Chosen {
    /// The configuration.
    pub config: Configuration,
    /// Its text.
    pub text: String,
    /// It is not what stands in the file, for nobody has confirmed that in time.
    pub returned: bool,
}

/// Where the note on a configuration is, which may be a pipe and was read: of one
/// with mistakes what can be salvaged, if it can be read a second time.
pub fn state_dir_of(
    config_file: &Path,
    file: &Result<(Configuration, String), ConfigError>,
) -> Option<PathBuf> {
    match file {
        Ok((config, _)) => Some(config.daemon.state_dir.clone()),
        Err(_) if fs::metadata(config_file).is_ok_and(|found| found.is_file()) => {
            Some(configuration::DaemonTable::salvage(config_file).state_dir)
        }
        Err(_) => None,
    }
}

/// Chooses between what stands in the file and what returns by the note.
///
/// # Errors
/// What is wrong with the file, if that is what counts.
pub fn choose(
    file: Result<(Configuration, String), ConfigError>,
    note: Option<&Note>,
) -> Result<Chosen, ConfigError> {
    let over = note.filter(|note| note.left().is_none());
    let instead = file.as_ref().map(|(config, _)| config.clone()).unwrap_or_default();
    if let Some((config, text)) = over.and_then(|note| note.returning(&instead)) {
        return Ok(Chosen { config, text, returned: true });
    }
    file.map(|(config, text)| Chosen { config, text, returned: false })
}

/// The text of the configuration that was last put into force with no daemon.
///
/// # Errors
/// [`NoteError`].
pub fn applied(state_dir: &Path) -> Result<Option<String>, NoteError> {
    read(&state_dir.join(FOLDER).join(APPLIED))
}

/// Keeps that, if it is another.
///
/// # Errors
/// [`NoteError`].
pub fn keep_applied(state_dir: &Path, text: &str) -> Result<(), NoteError> {
    if applied(state_dir).is_ok_and(|known| known.as_deref() == Some(text)) {
        return Ok(());
    }
    replace(state_dir, APPLIED, text)
}

fn read(path: &Path) -> Result<Option<String>, NoteError> {
    let failed = |source| NoteError { stage: "read", path: path.to_owned(), source };
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Ok(found) if !found.is_file() || found.len() > BYTES_MAX => {
            return Err(failed(io::Error::other("is no file that was written here")));
        }
        Ok(_) | Err(_) => {}
    }
    fs::read_to_string(path).map(Some).map_err(failed)
}

fn replace(state_dir: &Path, name: &str, text: &str) -> Result<(), NoteError> {
    let folder = state_dir.join(FOLDER);
    let (path, draft) = (folder.join(name), folder.join(format!(".{name}.new")));
    let write = || {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut options = File::options();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        File::open(&folder)?.sync_all()?;
        File::open(state_dir)?.sync_all()
    };
    write().map_err(|source| NoteError { stage: "write", path: path.clone(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(wall: u64, boot: Option<&str>, since_boot: u64) -> Times {
        Times { wall, boot: boot.map(str::to_owned), since_boot }
    }

    /// What is left at a moment of sixty seconds that were given at another.
    fn check(given: (u64, Option<&str>, u64), at: (u64, Option<&str>, u64), want: Option<u64>) {
        let note = Note::at(None, 60, now(given.0, given.1, given.2));
        let left = note.left_at(&now(at.0, at.1, at.2));
        assert_eq!(left, want.map(Duration::from_secs), "{given:?} {at:?}");
    }

    #[test]
    fn within_a_boot_the_clock_that_is_set_does_not_count() {
        let given = (1_000, Some("a"), 50);
        check(given, (1_010, Some("a"), 60), Some(50));
        check(given, (9_000, Some("a"), 60), Some(50));
        check(given, (10, Some("a"), 60), Some(50));
        check(given, (1_010, Some("a"), 110), None);
    }

    #[test]
    fn after_a_boot_the_time_of_day_counts_and_one_that_went_back_is_over() {
        let given = (1_000, Some("a"), 50);
        check(given, (1_020, Some("b"), 5), Some(40));
        check(given, (1_060, Some("b"), 5), None);
        check(given, (10, Some("b"), 5), None);
    }

    #[test]
    fn where_boots_cannot_be_told_apart_either_clock_ends_it() {
        let given = (1_000, None, 50);
        check(given, (1_010, None, 60), Some(50));
        check(given, (9_000, None, 60), None);
        check(given, (1_010, None, 110), None);
        check(given, (1_010, None, 5), None);
    }

    #[test]
    fn a_note_is_kept_replaced_and_forgotten() {
        let home = tempfile::tempdir().expect("a directory");
        assert!(Note::load(home.path()).expect("nothing").is_none());
        for before in [None, Some("[daemon]\n".to_owned())] {
            let note = Note::new(before, 60);
            note.keep(home.path()).expect("kept");
            assert_eq!(Note::load(home.path()).expect("good"), Some(note));
        }
        Note::remove(home.path()).expect("removed");
        Note::remove(home.path()).expect("it is gone");
        assert!(Note::load(home.path()).expect("nothing").is_none());
        keep_applied(home.path(), "a").expect("kept");
        assert_eq!(applied(home.path()).expect("good").as_deref(), Some("a"));
        fs::write(home.path().join(FOLDER).join(NOTE), "{").expect("written");
        assert!(Note::load(home.path()).is_err());
    }
}
