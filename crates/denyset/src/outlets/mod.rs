//! What other programs are given, so that nobody has to ask the daemon: of every
//! list what the kernel's sets hold, packed, one file a family, and how things
//! are. Everything is written under another name and renamed: whoever has opened
//! a file keeps what he has, and nobody sees a half. It knows files and the
//! snapshot, and nothing of who reads them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use blocklist::{Family, pack};
use reconcile::Members;
use tempfile::NamedTempFile;

use crate::snapshot::{Snapshot, SnapshotFacts};
use crate::view::StatusView;

/// The file that says how things are, in the form of `denyset status`.
const STATUS: &str = "status.json";
/// Files that are being written are named so, and nothing else is.
const DRAFT_BEGINNING: &str = ".new-";
/// The owner writes, and his group reads.
const FILE_MODE: u32 = 0o640;
const DIRECTORY_MODE: u32 = 0o750;
/// Bytes written at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// The folder of what is given, and what is in it.
#[derive(Debug)]
pub struct Outlets {
    directory: PathBuf,
    /// The members in each file that was written.
    given: BTreeMap<String, Members>,
    /// The revision that the status is of.
    status: Option<u64>,
}

impl Outlets {
    /// Those in this folder. Its parent must be there when it is first written.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory, given: BTreeMap::new(), status: None }
    }

    /// Gives what the snapshot says, as far as it is anything new. What cannot
    /// be known, because the kernel could not be read, stays as it was. What
    /// cannot be written is tried again with the next snapshot.
    ///
    /// # Errors
    /// A sentence that names the file, of the first that could not be written.
    pub fn give(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let directory = self.directory.clone();
        let failed = |name: &str, error: &io::Error| {
            format!("{} cannot be written: {error}", directory.join(name).display())
        };
        if let Err(error) = self.prepare(&snapshot.facts) {
            return Err(failed("", &error));
        }
        let mut failure = Ok(());
        for (name, members) in known(&snapshot.facts) {
            if self.given.get(&name) == Some(members) && self.directory.join(&name).exists() {
                continue;
            }
            match self.write(&name, |out| packed(members, snapshot.facts.generation, out)) {
                Ok(()) => drop(self.given.insert(name, members.clone())),
                Err(error) => failure = failure.and(Err(failed(&name, &error))),
            }
        }
        if self.status != Some(snapshot.revision) || !self.directory.join(STATUS).exists() {
            match self.write(STATUS, |out| status(snapshot, out)) {
                Ok(()) => self.status = Some(snapshot.revision),
                Err(error) => failure = failure.and(Err(failed(STATUS, &error))),
            }
        }
        failure
    }

    /// Makes the folder, and takes out of it what is of no list any more or was
    /// never finished.
    fn prepare(&mut self, facts: &SnapshotFacts) -> io::Result<()> {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(&self.directory) {
            // The mask of the process counts for what is made, not for this.
            Ok(()) => set_mode(&self.directory, DIRECTORY_MODE)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let wanted: Vec<_> = names(facts).collect();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_list = Family::ALL.iter().any(|family| name.ends_with(ending(*family)));
            let is_left = is_list && !wanted.iter().any(|wanted| wanted == name);
            if is_left || name.starts_with(DRAFT_BEGINNING) {
                fs::remove_file(entry.path())?;
                self.given.remove(name);
            }
        }
        Ok(())
    }

    /// Puts a file in the place of whatever has its name.
    fn write(
        &self,
        name: &str,
        content: impl FnOnce(&mut BufWriter<&fs::File>) -> io::Result<()>,
    ) -> io::Result<()> {
        let draft =
            tempfile::Builder::new().prefix(DRAFT_BEGINNING).tempfile_in(&self.directory)?;
        fill(&draft, content)?;
        draft.persist(self.directory.join(name)).map_err(|error| error.error)?;
        Ok(())
    }
}

fn fill(
    draft: &NamedTempFile,
    content: impl FnOnce(&mut BufWriter<&fs::File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(PIECE_BYTES, draft.as_file());
    content(&mut out)?;
    out.flush()?;
    draft.as_file().set_permissions(Permissions::from_mode(FILE_MODE))
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode))
}

fn ending(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => ".v4",
        Family::Ipv6 => ".v6",
    }
}

/// The names of the files that there may be.
fn names(facts: &SnapshotFacts) -> impl Iterator<Item = String> + '_ {
    let both = |name: String| Family::ALL.map(|family| format!("{name}{}", ending(family)));
    facts.lists.iter().flat_map(move |list| both(list.list.name.clone()))
}

/// The files, and what the kernel's sets hold that they are of, as far as it is
/// known.
fn known(facts: &SnapshotFacts) -> impl Iterator<Item = (String, &Members)> {
    facts.lists.iter().flat_map(move |list| {
        let name = &list.list.name;
        Family::ALL.into_iter().filter_map(move |family| {
            // The configuration check has let the name pass.
            let set = facts.prefix.live(name, family).ok()?;
            let members = facts.sets.get(&set)?.members.as_ref()?;
            Some((format!("{name}{}", ending(family)), members))
        })
    })
}

fn packed(members: &Members, generation: u64, out: &mut impl Write) -> io::Result<()> {
    let made = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match members {
        Members::V4(set) => pack(set, generation, made, |piece| out.write_all(piece))?,
        Members::V6(set) => pack(set, generation, made, |piece| out.write_all(piece))?,
    };
    Ok(())
}

fn status(snapshot: &Snapshot, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &StatusView::of(&snapshot.facts, 0))?;
    out.write_all(b"\n")
}
