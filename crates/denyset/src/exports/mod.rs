//! Lists as files for programs that read them by themselves: which of them are
//! due, and what became of each. They say what the kernel's sets hold, as packed
//! lists do, but only what is whole: a web server that has loaded one keeps it
//! until it is told of another. It knows the snapshot and the clock as arguments,
//! and not who waits for anything.

mod database;
mod file;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use blocklist::{ExportFormat, Exported, Family, PrefixSet};
use configuration::ExportConfig;
use reconcile::Members;

use crate::snapshot::{ExportFacts, Snapshot, SnapshotFacts, WrittenFacts};
use file::{FileMark, Put};

/// What could not be written is tried again after this time.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a list may be on its way in the kernel before it is written as it is.
const ON_ITS_WAY: Duration = Duration::from_secs(10);

/// All exports.
#[derive(Debug, Default)]
pub struct Exports {
    files: Vec<ExportFile>,
}

/// One export, and what is known of its file.
#[derive(Debug)]
struct ExportFile {
    asked: ExportConfig,
    /// What was written; `None` before.
    written: Option<Written>,
    /// Why it could not be, the last time.
    failure: Option<String>,
    /// When the file was last another one.
    changed: Option<Instant>,
    /// Since when the kernel has not been as it should.
    astray: Option<Instant>,
}

/// What is in a file.
#[derive(Debug)]
struct Written {
    members: Both,
    mark: FileMark,
    exported: Exported,
    generation: u64,
}

/// The members of both families.
#[derive(Clone, Debug, PartialEq)]
struct Both {
    ipv4: PrefixSet<u32>,
    ipv6: PrefixSet<u128>,
}

/// What came of giving.
#[derive(Debug, Default)]
pub struct ExportOutcome {
    /// What could not be written and why, a sentence each.
    pub failures: Vec<String>,
    /// The files that are others now.
    pub news: Vec<ExportNews>,
    /// How all exports are.
    pub files: Vec<ExportFacts>,
    /// When to give again if nothing happens before.
    pub again: Option<Instant>,
}

/// A file that has become another one.
#[derive(Debug)]
pub struct ExportNews {
    /// The list that is in it.
    pub list: String,
    /// The file.
    pub path: PathBuf,
    /// Its form.
    pub format: ExportFormat,
    /// What is in it.
    pub exported: Exported,
}

/// What is to be done about one file.
enum Due<'a> {
    Nothing,
    At(Instant),
    Now(Both, &'a str),
}

impl Exports {
    /// Goes by this configuration from now on. The files of exports that are gone
    /// stay: some program may have to start with them.
    pub fn configure(&mut self, exports: &[ExportConfig]) {
        let mut before = std::mem::take(&mut self.files);
        let files = exports.iter().map(|asked| {
            let same =
                |file: &ExportFile| ExportConfig { at: asked.at, ..file.asked.clone() } == *asked;
            match before.iter().position(same) {
                Some(at) => before.swap_remove(at),
                None => ExportFile::new(asked.clone()),
            }
        });
        self.files = files.collect();
    }

    /// Writes what is due.
    pub fn give(&mut self, snapshot: &Snapshot, now: Instant) -> ExportOutcome {
        let mut outcome = ExportOutcome::default();
        let generation = snapshot.facts.generation;
        for file in &mut self.files {
            let again = match file.due(&snapshot.facts, now) {
                Due::Nothing => None,
                Due::At(time) => Some(time),
                Due::Now(members, list) => match file.write(members, list, generation, now) {
                    Ok(news) => {
                        outcome.news.extend(news);
                        None
                    }
                    Err(error) => {
                        file.failure = Some(error.to_string());
                        Some(now + AGAIN)
                    }
                },
            };
            outcome.again = outcome.again.into_iter().chain(again).min();
            if let Some(failure) = &file.failure {
                let path = file.asked.path.display();
                outcome.failures.push(format!("{path} cannot be written: {failure}"));
            }
        }
        outcome.files = self.files.iter().map(ExportFile::facts).collect();
        outcome
    }
}

impl ExportFile {
    fn new(asked: ExportConfig) -> Self {
        Self { asked, written: None, failure: None, changed: None, astray: None }
    }

    fn due<'a>(&mut self, facts: &'a SnapshotFacts, now: Instant) -> Due<'a> {
        // What the kernel has may not be known, and the file is as good as before.
        let Some((members, is_as_desired, list)) = known(facts, &self.asked.list) else {
            return Due::Nothing;
        };
        let asked = &self.asked;
        let is_in =
            |written: &&mut Written| written.members == members && written.mark.is_there(asked);
        if let Some(written) = self.written.as_mut().filter(is_in) {
            if is_as_desired {
                written.generation = facts.generation;
            }
            (self.astray, self.failure) = (None, None);
            return Due::Nothing;
        }
        if is_as_desired {
            self.astray = None;
        } else {
            let until = *self.astray.get_or_insert(now) + ON_ITS_WAY;
            if now < until {
                return Due::At(until);
            }
            // A kernel that could not be filled says nothing about whom to let in.
            if members.ipv4.is_empty() && members.ipv6.is_empty() {
                return Due::Nothing;
            }
        }
        match self.changed.map(|changed| changed + self.asked.min_interval) {
            Some(due) if now < due => Due::At(due),
            _ => Due::Now(members, list),
        }
    }

    fn facts(&self) -> ExportFacts {
        let ExportConfig { list, format, path, .. } = self.asked.clone();
        let written = self.written.as_ref().map(|written| WrittenFacts {
            generation: written.generation,
            at: written.mark.written_at(),
            exported: written.exported,
        });
        ExportFacts { list, format, path, written, failure: self.failure.clone() }
    }

    fn write(
        &mut self,
        members: Both,
        list: &str,
        generation: u64,
        now: Instant,
    ) -> io::Result<Option<ExportNews>> {
        let Put { exported, is_new, mark } =
            file::put(&self.asked, list, &members.ipv4, &members.ipv6)?;
        self.written = Some(Written { members, mark, exported, generation });
        self.failure = None;
        if !is_new {
            return Ok(None);
        }
        self.changed = Some(now);
        let ExportConfig { list, path, format, .. } = &self.asked;
        Ok(Some(ExportNews { list: list.clone(), path: path.clone(), format: *format, exported }))
    }
}

/// What the kernel has of a list, whether that is what it should have, and the
/// name of the list. `None` if it is not known.
fn known<'a>(facts: &'a SnapshotFacts, name: &str) -> Option<(Both, bool, &'a str)> {
    let list = &facts.lists.iter().find(|facts| facts.list.name == name)?.list;
    let set = |family| {
        // The configuration check has let the name pass.
        let set = facts.sets.get(&facts.prefix.live(&list.name, family).ok()?)?;
        let (members, is_as_desired) = set.held()?;
        Some((members.clone(), is_as_desired))
    };
    let ((ipv4, one), (ipv6, other)) = (set(Family::Ipv4)?, set(Family::Ipv6)?);
    let (Members::V4(ipv4), Members::V6(ipv6)) = (ipv4, ipv6) else { return None };
    // Before the feeds were read it is not known what is desired.
    let is_as_desired = one && other && facts.generation > 0;
    Some((Both { ipv4, ipv6 }, is_as_desired, &list.name))
}
