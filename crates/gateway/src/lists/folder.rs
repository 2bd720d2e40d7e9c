//! The folder in which the daemon leaves its lists: looked through again and
//! again, and what is new in it read, all of it and with a check of every byte.
//!
//! What is damaged, cannot be read or has gone changes nothing but what is said
//! of it: the last good version stays. A list goes only if the daemon's own
//! status says that there is none any more.
//!
//! A list is read into memory, not mapped. Within a mapping a file that somebody
//! cuts short kills the process (SIGBUS, `mmap(2)`), and one that is written over
//! changes answers without a check. The folder is in memory itself, so nothing
//! would be saved but the copy. All of this takes time and none of it belongs in
//! the way of a request.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blocklist::{Family, PackedList};
use figures::StatusDocument;
use hyper::header::HeaderValue;
use rustix::fs::{Mode, OFlags};

use super::super::limits::{LIST_BYTES_MAX, LISTS_MAX, STATUS_BYTES_MAX};
use super::{Knowledge, KnownFamily, KnownList, KnownStatus, Purpose};

const STATUS: &str = "status.json";

/// The folder, and what was good in it so far.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The families of lists, by the names of their files.
    files: BTreeMap<String, Watched>,
    status: Option<Arc<KnownStatus>>,
    /// What is wrong with the status.
    status_trouble: Option<String>,
    status_seen: Option<Sighting>,
    /// Why nothing could be looked at.
    trouble: Option<String>,
}

/// One file.
#[derive(Debug, Default)]
struct Watched {
    /// What it was when it was last read.
    seen: Option<Sighting>,
    good: Option<Arc<PackedList<Vec<u8>>>>,
    /// Why what is good is not what is there.
    trouble: Option<String>,
}

/// What tells one version of a file from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sighting {
    place: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Folder {
    /// A folder that was not looked at yet.
    pub fn new(path: PathBuf) -> Self {
        let (files, status) = (BTreeMap::new(), None);
        Self { path, files, status, status_trouble: None, status_seen: None, trouble: None }
    }

    /// Looks through the folder, and returns what is known now if that is
    /// anything else than before.
    pub fn look(&mut self) -> Option<Knowledge> {
        let before = self.said();
        let mut is_new = self.look_at_status();
        match self.names() {
            Ok(names) => {
                self.trouble = None;
                for name in &names {
                    is_new |= self.look_at(name);
                }
                is_new |= self.part_with(&names);
            }
            Err(error) => self.trouble = Some(format!("{}: {error}", self.path.display())),
        }
        (is_new || before != self.said()).then(|| self.known())
    }

    /// The names of all files that can be of lists.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if split(&name).is_some() {
                names.push(name);
            }
        }
        names.sort_unstable();
        if names.len() > 2 * LISTS_MAX {
            return Err(io::Error::other(format!("it has more than {LISTS_MAX} lists")));
        }
        Ok(names)
    }

    /// Reads one file if it is another than before. Whether that gave anything.
    fn look_at(&mut self, name: &str) -> bool {
        let path = self.path.join(name);
        let file = self.files.entry(name.to_owned()).or_default();
        match open(&path, file.seen, LIST_BYTES_MAX) {
            Ok(None) => false,
            Ok(Some((opened, seen))) => match packed(opened, seen, name) {
                Ok(list) => {
                    file.seen = Some(seen);
                    file.good = Some(Arc::new(list));
                    file.trouble = None;
                    true
                }
                Err(why) => {
                    // The same bytes are no better the next time.
                    file.seen = Some(seen);
                    file.trouble = Some(format!("{}: {why}", path.display()));
                    false
                }
            },
            Err(error) => {
                file.seen = None;
                file.trouble = Some(format!("{}: {error}", path.display()));
                false
            }
        }
    }

    /// The files that are not there any more, and whether any goes for that.
    fn part_with(&mut self, names: &[String]) -> bool {
        let before = self.files.len();
        let status = self.status.clone().filter(|_| self.status_trouble.is_none());
        for (name, file) in &mut self.files {
            if names.binary_search(name).is_err() {
                file.seen = None;
                let path = self.path.join(name);
                file.trouble = Some(format!("{} is gone", path.display()));
            }
        }
        self.files.retain(|name, _| {
            let is_wanted = |status: &KnownStatus| {
                split(name).is_some_and(|(list, _)| status.document.sets_of(list).next().is_some())
            };
            names.binary_search(name).is_ok() || status.as_deref().is_none_or(is_wanted)
        });
        self.files.len() != before
    }

    fn look_at_status(&mut self) -> bool {
        let path = self.path.join(STATUS);
        let read = open(&path, self.status_seen, STATUS_BYTES_MAX).and_then(|found| {
            let Some((opened, seen)) = found else { return Ok(None) };
            let bytes = whole(opened, seen)?;
            let document = StatusDocument::read(&bytes).map_err(io::Error::other)?;
            Ok(Some((KnownStatus { document, bytes }, seen)))
        });
        match read {
            Ok(None) => false,
            Ok(Some((status, seen))) => {
                self.status = Some(Arc::new(status));
                self.status_seen = Some(seen);
                self.status_trouble = None;
                true
            }
            Err(error) => {
                self.status_seen = None;
                self.status_trouble = Some(format!("{}: {error}", path.display()));
                false
            }
        }
    }

    /// Everything that is wrong.
    fn said(&self) -> Vec<String> {
        let files = self.files.values().filter_map(|file| file.trouble.clone());
        self.trouble.iter().chain(&self.status_trouble).cloned().chain(files).collect()
    }

    fn known(&self) -> Knowledge {
        let mut lists: BTreeMap<&str, KnownList> = BTreeMap::new();
        for (name, file) in &self.files {
            let (Some((list, family)), Some(packed)) = (split(name), file.good.clone()) else {
                continue;
            };
            let Ok(header) = HeaderValue::from_str(list) else { continue };
            let good_at = self.good_at(list, family, packed.header().made);
            let known = Some(KnownFamily { packed, good_at });
            let entry = lists.entry(list).or_insert_with(|| KnownList {
                name: list.to_owned(),
                header,
                purpose: self.purpose(list),
                ipv4: None,
                ipv6: None,
            });
            match family {
                Family::Ipv4 => entry.ipv4 = known,
                Family::Ipv6 => entry.ipv6 = known,
            }
        }
        Knowledge {
            lists: lists.into_values().map(Arc::new).collect(),
            status: self.status.clone(),
            troubles: self.said(),
        }
    }

    /// What the daemon says that a list is for.
    fn purpose(&self, list: &str) -> Purpose {
        let mut sets = self.status.iter().flat_map(|status| status.document.sets_of(list));
        match (sets.next(), sets.next()) {
            (None, _) => Purpose::Unsaid,
            (Some(one), other) if one.admits || other.is_some_and(|other| other.admits) => {
                Purpose::Admits
            }
            (Some(_), _) => Purpose::Refuses,
        }
    }

    /// When members were last known to be those of the kernel.
    fn good_at(&self, list: &str, family: Family, made: u64) -> u64 {
        let sets = self.status.iter().flat_map(|status| status.document.sets_of(list));
        let sets = sets.filter(|set| set.family == family.to_string());
        let verified = sets.filter_map(|set| u64::try_from(set.last_verified?).ok());
        verified.max().unwrap_or(0).max(made)
    }
}

/// The list and the family that a file is of, by its name.
fn split(name: &str) -> Option<(&str, Family)> {
    let (list, family) = match name.rsplit_once('.')? {
        (list, "v4") => (list, Family::Ipv4),
        (list, "v6") => (list, Family::Ipv6),
        _ => return None,
    };
    (!list.is_empty() && !list.starts_with('.')).then_some((list, family))
}

/// Opens a file; `None` if it is the very one that was seen before.
fn open(path: &Path, seen: Option<Sighting>, max: u64) -> io::Result<Option<(File, Sighting)>> {
    // A pipe does not make us wait, and no link leads elsewhere.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let sighting = Sighting {
        place: (found.dev(), found.ino()),
        bytes: found.len(),
        modified: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    };
    if seen == Some(sighting) {
        return Ok(None);
    }
    if sighting.bytes > max {
        return Err(io::Error::other(format!("it has more than {max} bytes")));
    }
    Ok(Some((file, sighting)))
}

/// All bytes of a file, no more than it was seen to have.
fn whole(file: File, seen: Sighting) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(seen.bytes).map_err(io::Error::other)?);
    file.take(seen.bytes).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The good list that a file is.
fn packed(file: File, seen: Sighting, name: &str) -> Result<PackedList<Vec<u8>>, String> {
    let bytes = whole(file, seen).map_err(|error| error.to_string())?;
    let list = PackedList::new(bytes).map_err(|error| error.to_string())?;
    match split(name) {
        Some((_, family)) if family == list.header().family => Ok(list),
        _ => Err("its family is another than its name says".to_owned()),
    }
}
