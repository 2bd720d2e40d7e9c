//! A web host as the program sees it: a feeds directory, a state directory, a
//! configuration, in a temporary place.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::TempDir;

use crate::program::{self, ProgramOutcome};
use crate::witness::succeed;

/// What a configuration has beyond the paths, as lines of TOML.
#[derive(Clone, Debug)]
pub struct Config {
    /// Further keys of `[daemon]`.
    pub daemon: String,
    /// Keys of `[kernel]`. Where they name no `layout`, members are as their
    /// list has them: that is what tests compare.
    pub kernel: String,
    /// Keys of `[guard]`.
    pub guard: String,
    /// The `[[list]]` and `[[feed]]` tables.
    pub tables: String,
}

/// One list of all feeds, and no waiting for more changes.
impl Default for Config {
    fn default() -> Self {
        Self {
            daemon: "settle-ms = 20".into(),
            kernel: String::new(),
            guard: String::new(),
            tables: "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]".into(),
        }
    }
}

/// The files of one host. They go when it is dropped, with whatever a test has
/// mounted on them.
#[derive(Debug)]
pub struct Host {
    directory: TempDir,
}

impl Host {
    /// A host without feeds and with the default [`Config`].
    pub fn new() -> Self {
        Self::with(&Config::default())
    }

    /// A host without feeds.
    ///
    /// # Panics
    /// If there is no place for it.
    pub fn with(config: &Config) -> Self {
        let directory = tempfile::Builder::new().prefix("denyset-").tempdir();
        let host = Self { directory: directory.expect("a temporary directory") };
        for name in ["feeds", "state", "run"] {
            fs::create_dir(host.path(name)).expect("a new directory takes another");
        }
        host.configure(config);
        host
    }

    /// Writes the configuration, in place of the one before.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn configure(&self, config: &Config) {
        let Config { daemon, kernel, guard, tables } = config;
        let layout = if kernel.contains("layout") { "" } else { "layout = \"exact\"\n" };
        let paths = [self.feeds(), self.state(), self.path("run/control.sock")];
        let [feeds, state, socket] = paths.map(|path| path.to_string_lossy().into_owned());
        self.write_config(&format!(
            "[daemon]\nfeeds-dir = {feeds:?}\nstate-dir = {state:?}\ncontrol-socket = {socket:?}\n\
             {daemon}\n[kernel]\n{layout}{kernel}\n[guard]\n{guard}\n{tables}\n"
        ));
    }

    /// Writes this very text as the configuration, by renaming it there: the
    /// daemon may read it at any moment.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write_config(&self, text: &str) {
        let draft = self.path("denyset.toml.new");
        fs::write(&draft, text).expect("the configuration can be written");
        fs::rename(&draft, self.config()).expect("the configuration can be put in place");
    }

    /// A path below the host's directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The feeds directory.
    pub fn feeds(&self) -> PathBuf {
        self.path("feeds")
    }

    /// The state directory.
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.path("denyset.toml")
    }

    /// Puts a feed in place as a careful writer does: by renaming it there.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn feed(&self, name: &str, content: impl AsRef<[u8]>) {
        let (draft, place) = (self.path("draft"), self.feeds().join(name));
        fs::write(&draft, content).expect("a draft can be written");
        make_room(&place);
        fs::rename(&draft, &place).expect("a draft can be put in place");
    }

    /// Writes a feed where it is, as a careless writer does.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn overwrite_feed(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.feeds().join(name), content).expect("a feed can be written");
    }

    /// Deletes a feed's file.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove_feed(&self, name: &str) {
        fs::remove_file(self.feeds().join(name)).expect("there is such a feed");
    }

    /// Runs a verb, written as on a command line, with this configuration.
    pub fn denyset(&self, verb: &str) -> ProgramOutcome {
        let config = self.config().into_os_string();
        let words = verb.split_whitespace().map(Into::into);
        program::run(words.chain(["--config".into(), config]))
    }

    /// Runs a verb with `--format json`.
    pub fn denyset_json(&self, verb: &str) -> ProgramOutcome {
        self.denyset(&format!("{verb} --format json"))
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

fn make_room(place: &Path) {
    let parent = place.parent().expect("a feed is in a directory");
    fs::create_dir_all(parent).expect("a directory can be made for a feed");
}

/// What lies below a mount cannot be removed.
impl Drop for Host {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        // Of this thread, which may have a namespace of its own; see proc(5).
        let mounts = fs::read_to_string("/proc/thread-self/mounts").expect("there are mounts");
        let places = mounts.lines().filter_map(|mount| mount.split(' ').nth(1));
        let ours: Vec<_> =
            places.filter(|place| Path::new(place).starts_with(self.directory.path())).collect();
        for place in ours.into_iter().rev() {
            succeed("umount", &[place]);
        }
        fs::remove_dir_all(self.directory.path()).expect("nothing is left of the host");
    }
}
