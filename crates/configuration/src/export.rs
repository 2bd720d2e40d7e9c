//! One `[[export]]` table: which list is written for another program, in which
//! form, and where. Whether the place exists is none of its business; that may
//! change while the daemon runs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use blocklist::ExportFormat;

use super::DaemonTable;
use super::daemon::path;
use super::limits;
use super::list::ListConfig;
use super::mistake::Place;
use super::section::{Section, Text};

/// The owner writes, and his group reads.
const MODE: u32 = 0o640;
/// The longest name of a group (`useradd(8)`).
const GROUP_BYTES_MAX: usize = 32;

/// A list that is written for another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportConfig {
    /// The name of the list, one of those there are.
    pub list: String,
    /// For whom.
    pub format: ExportFormat,
    /// The file. Absolute, in none of the daemon's own folders, and no other
    /// export's.
    pub path: PathBuf,
    /// The permissions of the file, 0 to 0o777.
    pub mode: u32,
    /// The name or the number of the group that the file is given to; that of
    /// the daemon unless it is set.
    pub owner_group: Option<String>,
    /// Between two changes of the file at the least.
    pub min_interval: Duration,
    /// Where its table begins.
    pub at: Place,
}

/// What the exports of one file are checked by.
pub(super) struct ExportChecks<'a> {
    pub(super) daemon: &'a DaemonTable,
    pub(super) lists: &'a [ListConfig],
    /// The paths so far and where they stand.
    pub(super) paths: BTreeMap<PathBuf, Place>,
}

/// Reads one table. `None` if it names no list, format or path that can be used,
/// after that was noted.
pub(super) fn read(
    mut section: Section<'_, '_>,
    checks: &mut ExportChecks<'_>,
) -> Option<ExportConfig> {
    section.require("list", "it names the list that is written");
    section.require("format", "it says for whom the list is written");
    section.require("path", "it says where the list is written");
    let list = list(&mut section, checks);
    let format = section.choice("format", &ExportFormat::ALL);
    let path = place(&mut section, checks);
    let mode = mode(&mut section).unwrap_or(MODE);
    let owner_group = group(&mut section);
    let number = &limits::EXPORT_INTERVAL_SECONDS;
    let min_interval = Duration::from_secs(section.number(number).unwrap_or(number.default));
    let at = section.begins();
    section.finish();
    let (list, format, path) = (list?, format?, path?);
    Some(ExportConfig { list, format, path, mode, owner_group, min_interval, at })
}

fn list(section: &mut Section<'_, '_>, checks: &ExportChecks<'_>) -> Option<String> {
    let Text { text, at } = section.text("list")?;
    if checks.lists.iter().any(|list| list.list.name == text) {
        return Some(text.to_owned());
    }
    section.note(at, "list", format!("there is no list {text:?}"));
    None
}

/// A path where nothing of ours is.
fn place(section: &mut Section<'_, '_>, checks: &mut ExportChecks<'_>) -> Option<PathBuf> {
    let path = path(section, "path")?;
    let Text { at, .. } = section.text("path")?;
    let daemon = checks.daemon;
    let folders = [
        ("feeds-dir", &daemon.feeds_dir),
        ("state-dir", &daemon.state_dir),
        ("lists-dir", &daemon.lists_dir),
    ];
    if let Some((key, folder)) = folders.into_iter().find(|(_, folder)| path.starts_with(folder)) {
        let message = format!("is within {key}, {}, which is not for exports", folder.display());
        section.note(at, "path", message);
        return None;
    }
    if let Some(Place { line, .. }) = checks.paths.get(&path) {
        let message = format!("is the file of the export in line {line} already");
        section.note(at, "path", message);
        return None;
    }
    checks.paths.insert(path.clone(), section.mistakes.place(at));
    Some(path)
}

fn mode(section: &mut Section<'_, '_>) -> Option<u32> {
    let Text { text, at } = section.text("mode")?;
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        let message = format!("{text:?} is no mode: three octal digits as in \"0640\" are allowed");
        section.note(at, "mode", message);
    }
    mode
}

fn group(section: &mut Section<'_, '_>) -> Option<String> {
    let Text { text, at } = section.text("owner-group")?;
    let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if !text.is_empty() && text.len() <= GROUP_BYTES_MAX && text.bytes().all(is_in_name) {
        return Some(text.to_owned());
    }
    section.note(at, "owner-group", format!("{text:?} is no name of a group"));
    None
}
