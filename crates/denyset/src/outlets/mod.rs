//! What other programs are given, so that nobody has to ask the daemon: of every
//! list what the kernel's sets hold, packed, one file a family, and how things
//! are. Everything is written under another name and renamed: whoever has opened
//! a file keeps what he has, and nobody sees a half. It knows files and the
//! snapshot, and nothing of who reads them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, BufWriter, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use blocklist::{Family, PACKED_MAGIC, pack};
use reconcile::Members;
use tempfile::NamedTempFile;

use crate::snapshot::{Snapshot, SnapshotFacts};
use crate::view::lasting_status;

/// The file that says how things are, in the form of `denyset status`, but for
/// what is another at every moment.
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
    /// What is in each file that was written.
    given: BTreeMap<String, Given>,
    /// The revision that the status is of.
    status: Option<u64>,
}

/// One file.
#[derive(Debug, Default)]
struct Given {
    /// The members that were written; `None` before.
    members: Option<Members>,
    /// The last desired state that the set was seen to be as; 0 before.
    generation: u64,
}

/// What is known of one set, for the file of this name.
struct Known<'a> {
    name: String,
    /// What the kernel has.
    members: &'a Members,
    /// Whether that is what it should have.
    is_as_desired: bool,
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
        self.prepare(&snapshot.facts)?;
        let mut failure = Ok(());
        for known in known(&snapshot.facts) {
            failure = failure.and(self.give_list(&known, snapshot.facts.generation));
        }
        if self.status != Some(snapshot.revision) || !self.directory.join(STATUS).exists() {
            match self.write(STATUS, |out| status(snapshot, out)) {
                Ok(()) => self.status = Some(snapshot.revision),
                Err(error) => failure = failure.and(Err(self.failed(STATUS, &error))),
            }
        }
        failure
    }

    fn give_list(&mut self, known: &Known<'_>, generation: u64) -> Result<(), String> {
        let Known { name, members, is_as_desired } = known;
        let given = self.given.entry(name.clone()).or_default();
        let same = given.members.as_ref() == Some(members);
        if *is_as_desired && !same {
            given.generation = generation;
        }
        let generation = given.generation;
        if same && self.directory.join(name).exists() {
            return Ok(());
        }
        self.write(name, |out| packed(members, generation, out))
            .map_err(|error| self.failed(name, &error))?;
        self.given.insert(name.clone(), Given { members: Some((*members).clone()), generation });
        Ok(())
    }

    fn failed(&self, name: &str, error: &io::Error) -> String {
        format!("{} cannot be written: {error}", self.directory.join(name).display())
    }

    /// Makes the folder, and takes out of it what is of no list any more or was
    /// never finished. What is no packed list is somebody else's.
    fn prepare(&mut self, facts: &SnapshotFacts) -> Result<(), String> {
        let failed = |path: &Path, error: &io::Error| format!("{}: {error}", path.display());
        let directory = &self.directory;
        match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
            // The mask of the process counts for what is made, not for this.
            Ok(()) => set_mode(directory, DIRECTORY_MODE),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
        .map_err(|error| failed(directory, &error))?;
        let wanted: Vec<_> = names(facts).collect();
        self.given.retain(|name, _| wanted.contains(name));
        for entry in fs::read_dir(directory).map_err(|error| failed(directory, &error))? {
            let entry = entry.map_err(|error| failed(directory, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_list = Family::ALL.iter().any(|family| name.ends_with(ending(*family)));
            let is_left = is_list && !wanted.iter().any(|wanted| wanted == name);
            let path = entry.path();
            if is_left && is_packed(&path) || name.starts_with(DRAFT_BEGINNING) {
                fs::remove_file(&path).map_err(|error| failed(&path, &error))?;
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

/// Whether a file was written by us.
fn is_packed(path: &Path) -> bool {
    let mut beginning = [0; PACKED_MAGIC.len()];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut beginning));
    read.is_ok() && beginning == *PACKED_MAGIC
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

/// The sets of all lists of which it is known what the kernel has.
fn known(facts: &SnapshotFacts) -> impl Iterator<Item = Known<'_>> {
    facts.lists.iter().flat_map(move |list| {
        let list = &list.list.name;
        Family::ALL.into_iter().filter_map(move |family| {
            // The configuration check has let the name pass.
            let set = facts.prefix.live(list, family).ok()?;
            let set = facts.sets.get(&set)?;
            let (members, is_as_desired) = set.held()?;
            let name = format!("{list}{}", ending(family));
            Some(Known { name, members, is_as_desired })
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
    serde_json::to_writer(&mut *out, &lasting_status(&snapshot.facts))?;
    out.write_all(b"\n")
}
