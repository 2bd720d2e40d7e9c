//! `prepare`: makes the sets of the last good configuration, for the unit that
//! comes before whatever restores rules at boot. It must not fail for what the
//! daemon fails for, nor hold the boot up.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use blocklist::Protection;
use configuration::{Configuration, DaemonTable};

use super::ask::shown;
use super::tell;
use crate::boot::{Filled, Made, PrepareError, Record, make};
use crate::cli::Format;
use crate::confirm::Note;
use crate::daemon::kernel_exit;
use crate::exit::Exit;
use crate::view::{PreparedSet, PreparedView, print};

/// How long the boot is held up for filling the sets. Making them is a matter
/// of milliseconds, and not limited: without them no rules are restored.
const FILL_TIME_MAX: Duration = Duration::from_secs(1);
/// What is given to a reader that does not look at the clock meanwhile.
const GRACE: Duration = Duration::from_millis(250);

/// `prepare`.
pub(super) fn prepare(config_file: &Path, format: Format) -> Exit {
    let task = match task(config_file) {
        Ok(Some(task)) => task,
        Ok(None) => return shown(print(&nothing(config_file), format), Exit::Success),
        Err(exit) => return exit,
    };
    let (sender, steps) = mpsc::channel();
    thread::spawn(move || work(&task, &sender));
    let mut view = match steps.recv() {
        Ok(PrepareStep::Made(Ok(view))) => view,
        Ok(PrepareStep::Made(Err(error))) => return failed(&error),
        Ok(PrepareStep::Filled(_)) | Err(_) => return died(),
    };
    match steps.recv_timeout(FILL_TIME_MAX + GRACE) {
        Ok(PrepareStep::Filled(filled)) => view = filled,
        // The thread ends with the process, between two messages to the
        // kernel. What it leaves is swept by the daemon.
        Err(mpsc::RecvTimeoutError::Timeout) => {
            view.problems.push("there was no time to fill the sets, they are empty".to_owned());
        }
        Ok(PrepareStep::Made(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => return died(),
    }
    shown(print(&view, format), Exit::Success)
}

/// Which sets are to be made, and from what they are filled.
struct Task {
    /// Of each its own prefix.
    configs: Vec<Configuration>,
    protection: Protection,
    state_dir: PathBuf,
    problems: Vec<String>,
}

/// How far the work is.
enum PrepareStep {
    /// Every set is there.
    Made(Result<PreparedView, PrepareError>),
    /// Those that were made hold what there was time for.
    Filled(PreparedView),
}

/// Finds out what is to be done. The lists are those of the last good
/// configuration and, if it is good, of the one that is to come into force:
/// rules may name the sets of either.
///
/// # Errors
/// How to exit, after an explanation.
fn task(config_file: &Path) -> Result<Option<Task>, Exit> {
    let state_dir = DaemonTable::salvage(config_file).state_dir;
    let mut problems = Vec::new();
    let record = Record::load(&state_dir).unwrap_or_else(|error| {
        problems.push(error.to_string());
        None
    });
    let (text, protection) =
        record.map_or_else(Default::default, |record| (Some(record.text), record.protection));
    let last_good = text.and_then(|text| {
        let read = Configuration::parse(&text);
        read.map_err(|_| problems.push("the last good configuration is of another version".into()))
            .ok()
    });
    // What was not confirmed in time makes no sets.
    let note = Note::load(&state_dir).ok().flatten().filter(|note| note.left().is_none());
    let next = Configuration::load(config_file);
    let next = match note {
        Some(note) => note.returning(&next.unwrap_or_default()).map(|(before, _)| before),
        None => {
            next.map_err(|error| problems.extend(error.to_string().lines().map(str::to_owned))).ok()
        }
    };
    let configs = united(last_good, next);
    if configs.is_empty() && !problems.is_empty() {
        for problem in problems {
            tell(&problem);
        }
        tell("there is no good configuration from which to make sets, see `denyset check`");
        return Err(Exit::Config);
    }
    let any = configs.iter().any(|config| !config.lists.is_empty());
    Ok(any.then_some(Task { configs, protection, state_dir, problems }))
}

/// The lists of both under one prefix, the former's where both have one.
fn united(last_good: Option<Configuration>, next: Option<Configuration>) -> Vec<Configuration> {
    let (mut former, next) = match (last_good, next) {
        (Some(former), Some(next)) => (former, next),
        (one, other) => return one.into_iter().chain(other).collect(),
    };
    if former.kernel.set_prefix != next.kernel.set_prefix {
        return vec![former, next];
    }
    let is_new = |name: &str| former.lists.iter().all(|list| list.list.name != name);
    let new: Vec<_> = next.lists.into_iter().filter(|list| is_new(&list.list.name)).collect();
    former.lists.extend(new);
    vec![former]
}

fn work(task: &Task, steps: &Sender<PrepareStep>) {
    let made: Result<Vec<_>, _> = task.configs.iter().map(make).collect();
    let mut made = match made {
        Ok(made) => made,
        Err(error) => {
            let _ = steps.send(PrepareStep::Made(Err(error)));
            return;
        }
    };
    // Whoever waits for it may have given up.
    let _ = steps.send(PrepareStep::Made(Ok(prepared(task, &made, &[]))));
    let until = Instant::now() + FILL_TIME_MAX;
    let filled: Vec<_> = made
        .iter_mut()
        .zip(&task.configs)
        .map(|(made, config)| made.fill_from(config, &task.state_dir, &task.protection, until))
        .collect();
    let _ = steps.send(PrepareStep::Filled(prepared(task, &made, &filled)));
}

fn prepared(task: &Task, made: &[Made], filled: &[Filled]) -> PreparedView {
    let sets = made.iter().flat_map(|made| {
        made.all().map(|(set, members)| PreparedSet {
            set: set.to_string(),
            made: made.sets().contains(set),
            members,
        })
    });
    let problems = filled.iter().flat_map(|filled| filled.problems.iter().cloned());
    let problems = task.problems.iter().cloned().chain(problems).collect();
    PreparedView { sets: sets.collect(), problems }
}

/// What is said before the first list.
fn nothing(config_file: &Path) -> PreparedView {
    let problem = format!("no list is configured in {}, no set is made", config_file.display());
    PreparedView { sets: Vec::new(), problems: vec![problem] }
}

fn failed(error: &PrepareError) -> Exit {
    tell(&format!("cannot make the sets that rules may name: {error}"));
    match error {
        PrepareError::Kernel(error) => kernel_exit(error),
        PrepareError::Lock(_) => Exit::Failure,
    }
}

/// A thread that panics has said so on standard error.
fn died() -> Exit {
    Exit::Failure
}
