//! The tables `[daemon]` and `[kernel]`: paths, times, names. Whether a path
//! exists is none of its business; that may change while the daemon runs.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use blocklist::Glob;
use reconcile::{MemberLayout, SetPrefix};
use toml::de::{DeTable, DeValue};

use super::bytes_of;
use super::glob::glob;
use super::limits::{self, Number};
use super::mistake::{Mistakes, Place};
use super::section::{Section, Text};

/// The table `[daemon]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaemonTable {
    /// Where the feeds are: every regular file at any depth is one. Absolute.
    pub feeds_dir: PathBuf,
    /// Where the last good copy of each feed is kept. Absolute, not within
    /// `feeds_dir` nor around it.
    pub state_dir: PathBuf,
    /// The socket of the running daemon. Absolute, not within `feeds_dir`.
    pub control_socket: PathBuf,
    /// Where lists are handed out to other programs. Absolute; `lists` beside
    /// the control socket unless it is set.
    pub lists_dir: PathBuf,
    /// Quiet time after the last change in `feeds_dir`.
    pub settle: Duration,
    /// A file that is never quiet for that long is read after this time.
    pub settle_max: Duration,
    /// Between two looks at `feeds_dir` if nothing says that it changed.
    pub scan: Duration,
    /// Files that are no feeds, beside those that no program means to be one.
    pub ignore: Vec<Glob>,
    /// Where each of these stands.
    pub ignored_at: Vec<Place>,
    /// Feeds in `feeds_dir` at the most.
    pub feeds_max: usize,
    /// Between two cheap drift probes.
    pub probe: Duration,
    /// Between two full comparisons with the kernel.
    pub audit: Duration,
    /// How long a deleted feed stays in force.
    pub withdraw: Duration,
    /// What becomes of the sets when the daemon stops.
    pub on_stop: OnStop,
}

/// What becomes of the sets when the daemon stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStop {
    /// They stay in force.
    #[default]
    Keep,
    /// They are removed, as by `teardown`.
    Remove,
}

/// The table `[kernel]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelTable {
    /// What all names of our sets begin with.
    pub set_prefix: SetPrefix,
    /// How sets are brought up to date.
    pub update: UpdateMode,
    /// In how many prefix lengths members are written.
    pub layout: MemberLayout,
    /// The group of NFLOG by which the kernel shows packets to us.
    pub nflog_group: u16,
}

/// How sets are brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateMode {
    /// Whichever is cheaper for the change at hand.
    #[default]
    Auto,
    /// Always fill a shadow and swap it in.
    Swap,
    /// Add and delete members in the set itself.
    InPlace,
}

impl Default for DaemonTable {
    fn default() -> Self {
        Self {
            feeds_dir: "/var/lib/denyset/feeds".into(),
            state_dir: "/var/lib/denyset/state".into(),
            control_socket: "/run/denyset/control.sock".into(),
            lists_dir: "/run/denyset/lists".into(),
            settle: Duration::from_millis(limits::SETTLE_MS.default),
            settle_max: Duration::from_secs(limits::SETTLE_MAX_SECONDS.default),
            scan: Duration::from_secs(limits::SCAN_SECONDS.default),
            ignore: Vec::new(),
            ignored_at: Vec::new(),
            feeds_max: count(limits::FEEDS.default),
            probe: Duration::from_secs(limits::PROBE_SECONDS.default),
            audit: Duration::from_secs(limits::AUDIT_SECONDS.default),
            withdraw: Duration::from_secs(limits::WITHDRAW_SECONDS.default),
            on_stop: OnStop::default(),
        }
    }
}

impl Default for KernelTable {
    fn default() -> Self {
        let set_prefix = SetPrefix::new("denyset-").expect("a prefix that the checks let pass");
        let nflog_group = group(limits::NFLOG_GROUP.default);
        Self {
            set_prefix,
            update: UpdateMode::default(),
            layout: few_lengths(limits::EXTRA_MEMBERS_PERCENT.default),
            nflog_group,
        }
    }
}

impl DaemonTable {
    /// The table of a file as far as it can be read, and the defaults where it
    /// cannot. For whoever only looks for the daemon of a configuration, or for
    /// what it has kept: a mistake elsewhere is none of their business.
    pub fn salvage(file: &Path) -> Self {
        let bytes = bytes_of(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let mistakes = Mistakes::of(&text);
        let (root, _mistakes_of_syntax) = DeTable::parse_recoverable(&text);
        match root.get_ref().get("daemon").map(toml::Spanned::get_ref) {
            Some(DeValue::Table(table)) => Self::read(Section::new("daemon", 0, table, &mistakes)),
            _ => Self::default(),
        }
    }

    /// Reads the table.
    pub(super) fn read(mut section: Section<'_, '_>) -> Self {
        let default = Self::default();
        let on_stop = [("keep", OnStop::Keep), ("remove", OnStop::Remove)];
        let feeds_dir = path(&mut section, "feeds-dir").unwrap_or(default.feeds_dir);
        let (ignore, ignored_at) = ignore(&mut section).into_iter().unzip();
        let control_socket = path(&mut section, "control-socket").unwrap_or(default.control_socket);
        let beside = control_socket.with_file_name("lists");
        let daemon = Self {
            lists_dir: path(&mut section, "lists-dir").unwrap_or(beside),
            state_dir: path(&mut section, "state-dir").unwrap_or(default.state_dir),
            control_socket,
            settle: time(&mut section, &limits::SETTLE_MS, Duration::from_millis),
            settle_max: time(&mut section, &limits::SETTLE_MAX_SECONDS, Duration::from_secs),
            scan: time(&mut section, &limits::SCAN_SECONDS, Duration::from_secs),
            ignore,
            ignored_at,
            feeds_max: count(section.number(&limits::FEEDS).unwrap_or(limits::FEEDS.default)),
            probe: time(&mut section, &limits::PROBE_SECONDS, Duration::from_secs),
            audit: time(&mut section, &limits::AUDIT_SECONDS, Duration::from_secs),
            withdraw: time(&mut section, &limits::WITHDRAW_SECONDS, Duration::from_secs),
            on_stop: section.choice("on-stop", &on_stop).unwrap_or_default(),
            feeds_dir,
        };
        daemon.keep_apart(&mut section);
        section.finish();
        daemon
    }

    /// What the program writes must not become a feed, nor the other way
    /// round.
    fn keep_apart(&self, section: &mut Section<'_, '_>) {
        let (feeds, state) = (&self.feeds_dir, &self.state_dir);
        let directories = ["state-dir", "feeds-dir"];
        if state.starts_with(feeds) {
            let message =
                format!("is within feeds-dir, {}: copies would be feeds", feeds.display());
            blame(section, directories, message);
        } else if feeds.starts_with(state) {
            let message = format!("holds feeds-dir, {}: it is for copies alone", feeds.display());
            blame(section, directories, message);
        }
        let socket = &self.control_socket;
        if socket.starts_with(feeds) {
            let message = format!("is within feeds-dir, {}, which is for feeds", feeds.display());
            blame(section, ["control-socket", "feeds-dir"], message);
        }
        let lists = &self.lists_dir;
        // Beside a socket in the wrong place it is mended with that.
        let follows = socket.starts_with(feeds) && lists.parent() == socket.parent();
        if lists.starts_with(feeds) && !follows {
            let message = format!("is within feeds-dir, {}, which is for feeds", feeds.display());
            blame(section, ["lists-dir", "feeds-dir"], message);
        } else if state.starts_with(lists) || feeds.starts_with(lists) || lists.starts_with(state) {
            let message = "is to be a folder of its own".to_owned();
            blame(section, ["lists-dir", "lists-dir"], message);
        }
        if socket.as_os_str().as_bytes().len() > limits::SOCKET_BYTES_MAX {
            let max = limits::SOCKET_BYTES_MAX;
            let message = format!("is too long, a socket's path has {max} bytes at most");
            blame(section, ["control-socket", "control-socket"], message);
        }
    }
}

impl KernelTable {
    /// Reads the table. `None` if the prefix is none, so that names cannot be
    /// checked with it.
    pub(super) fn read(mut section: Section<'_, '_>) -> Option<Self> {
        let mut set_prefix = Some(Self::default().set_prefix);
        if let Some(Text { text, at }) = section.text("set-prefix") {
            let checked = SetPrefix::new(text);
            if let Err(error) = &checked {
                section.note(at, "set-prefix", error.to_string());
            }
            set_prefix = checked.ok();
        }
        let words = [
            ("auto", UpdateMode::Auto),
            ("swap", UpdateMode::Swap),
            ("in-place", UpdateMode::InPlace),
        ];
        let update = section.choice("update", &words).unwrap_or_default();
        let few = section.choice("layout", &[("auto", true), ("exact", false)]).unwrap_or(true);
        let extra = section.number(&limits::EXTRA_MEMBERS_PERCENT);
        let extra = extra.unwrap_or(limits::EXTRA_MEMBERS_PERCENT.default);
        let layout = if few { few_lengths(extra) } else { MemberLayout::Exact };
        let nflog_group = section.number(&limits::NFLOG_GROUP);
        let nflog_group = group(nflog_group.unwrap_or(limits::NFLOG_GROUP.default));
        section.finish();
        Some(Self { set_prefix: set_prefix?, update, layout, nflog_group })
    }
}

fn time(section: &mut Section<'_, '_>, number: &Number, unit: fn(u64) -> Duration) -> Duration {
    unit(section.number(number).unwrap_or(number.default))
}

/// A number that the checks have let pass.
fn group(number: u64) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// For a number that the checks have let pass.
fn few_lengths(extra_percent_max: u64) -> MemberLayout {
    let extra_percent_max = u32::try_from(extra_percent_max).unwrap_or(u32::MAX);
    MemberLayout::FewLengths { extra_percent_max }
}

/// A number that the checks have let pass.
fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The globs of names that are no feeds, and where they stand.
fn ignore(section: &mut Section<'_, '_>) -> Vec<(Glob, Place)> {
    let texts = section.texts("ignore").unwrap_or_default();
    if let Some(Text { at, .. }) = texts.get(limits::IGNORE_MAX) {
        let message = format!("{} globs, at most {} fit", texts.len(), limits::IGNORE_MAX);
        section.note(*at, "ignore", message);
    }
    let read = texts.into_iter().filter_map(|Text { text, at }| {
        let glob = glob(text).map_err(|message| section.note(at, "ignore", message)).ok()?;
        Some((glob, section.mistakes.place(at)))
    });
    read.collect()
}

/// A path that means the same wherever the program is started, and that can
/// be compared with another one as text.
pub(super) fn path(section: &mut Section<'_, '_>, key: &'static str) -> Option<PathBuf> {
    let Text { text, at } = section.text(key)?;
    let path = Path::new(text);
    let plain = path.components().all(|part| !matches!(part, Component::ParentDir));
    if path.is_absolute() && path.parent().is_some() && plain && !text.contains('\0') {
        return Some(path.components().collect());
    }
    let allowed = "an absolute path without `..` and other than `/` is allowed";
    section.note(at, key, format!("{text:?} is no usable path, {allowed}"));
    None
}

/// Notes a mistake of the first key, at the first of the keys that is there:
/// the other value may be the default.
fn blame(section: &mut Section<'_, '_>, keys: [&'static str; 2], message: String) {
    let at = keys.into_iter().find_map(|key| section.value(key)).map_or(0, |(_, at)| at);
    section.note(at, keys[0], message);
}
