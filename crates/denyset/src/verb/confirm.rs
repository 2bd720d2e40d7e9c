//! `apply --confirm` and `confirm` where no daemon runs: a process that is left
//! behind puts the configuration of before back. Whoever applies or starts after
//! it, should that process be gone, goes by the note that it was to go by.

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use configuration::{ConfigError, Configuration};

use super::apply::{apply_alone, fail};
use super::ask::{Recipient, hand_over, shown};
use super::tell;
use crate::boot::Record;
use crate::cli::Format;
use crate::confirm::{Chosen, Note, applied, choose, state_dir_of};
use crate::daemon::StartError;
use crate::detach::{Side, detach};
use crate::exit::Exit;
use crate::lock::Lock;
use crate::log;
use crate::serve::ClientRequest;
use crate::view::{OutcomeView, print};

/// Between two looks whether somebody has confirmed.
const GLANCE: Duration = Duration::from_secs(5);
/// How long somebody else may write before he is a daemon, which minds the note
/// itself.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Applies a configuration that somebody has to confirm. `None` on the side that
/// waits for that, once it has done what is to be done.
///
/// # Errors
/// Nothing was changed.
pub(super) fn apply_unless_confirmed(
    config: &Arc<Configuration>,
    seconds: u32,
) -> Result<Option<OutcomeView>, StartError> {
    let state_dir = &config.daemon.state_dir;
    let lock = Lock::take(&config.kernel.set_prefix)?;
    let earlier = Note::load(state_dir)?;
    let before = match earlier {
        Some(note) => note.before,
        None => last_in_force(state_dir)?,
    };
    let note = Note::new(before, seconds);
    note.keep(state_dir)?;
    match detach() {
        Ok(Side::Here) => apply_alone(config, lock, false).map(Some),
        Ok(Side::Apart) => {
            drop(lock);
            wait_and_put_back(config, &note);
            Ok(None)
        }
        Err(error) => {
            Note::remove(state_dir)?;
            Err(error.into())
        }
    }
}

/// The text of the configuration that was in force last, if one was.
fn last_in_force(state_dir: &Path) -> Result<Option<String>, StartError> {
    let applied = applied(state_dir)?;
    let of_daemon = || Record::load(state_dir).ok().flatten().map(|record| record.text.to_string());
    Ok(applied.or_else(of_daemon))
}

/// Waits until the time has run out, and puts the configuration of before back;
/// or until the note is not ours to mind any more.
fn wait_and_put_back(config: &Arc<Configuration>, note: &Note) {
    while let Some(left) = note.left() {
        sleep(left.min(GLANCE));
        let known = Note::load(&config.daemon.state_dir);
        if known.is_ok_and(|known| known.as_ref() != Some(note)) {
            return;
        }
    }
    let Some((before, _)) = note.returning(config) else { return };
    let before = Arc::new(before);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        match Lock::take(&before.kernel.set_prefix) {
            Ok(lock) => {
                // Somebody may have confirmed while he had the lock.
                let known = Note::load(&config.daemon.state_dir);
                if known.is_ok_and(|known| known.as_ref() == Some(note)) {
                    put_back(&before, lock);
                }
                return;
            }
            Err(_) => sleep(PAUSE),
        }
    }
    log::leave_word("nobody has confirmed, and another writer keeps the one before from returning");
}

/// Nobody reads what this process writes, so it leaves word in the log.
fn put_back(before: &Arc<Configuration>, lock: Lock) {
    log::leave_word(&match apply_alone(before, lock, true) {
        Ok(outcome) if outcome.in_sync => {
            "the configuration was not confirmed in time, the one before is in force".to_owned()
        }
        Ok(outcome) => format!(
            "the configuration was not confirmed in time, and the one before is not in force: {}",
            outcome.problems.join("; ")
        ),
        Err(error) => format!(
            "the configuration was not confirmed in time, and the one before cannot be put into \
             force: {error}"
        ),
    });
}

/// `confirm`.
pub(super) fn confirm(config_file: &Path, whom: &Recipient, format: Format) -> Exit {
    match hand_over::<OutcomeView>(whom, &ClientRequest::Confirm {}) {
        Ok(Some(outcome)) => return shown(print(&outcome, format), Exit::Success),
        Ok(None) => {}
        Err(exit) => return exit,
    }
    match confirm_alone(config_file) {
        Ok(exit) => exit,
        Err(error) => fail("confirm", &error),
    }
}

/// The same with no daemon. What is not too late before the note is removed and
/// after that was not put back by the process that was left behind.
fn confirm_alone(config_file: &Path) -> Result<Exit, StartError> {
    let file = Configuration::read(config_file);
    let state_dir = state_dir_of(config_file, &file).unwrap_or_default();
    let Some(note) = Note::load(&state_dir)? else {
        tell("nothing waits to be confirmed");
        return Ok(Exit::Failure);
    };
    if note.left().is_none() {
        return too_late(file, &note, &state_dir);
    }
    Note::remove(&state_dir)?;
    if note.left().is_some() {
        tell("confirmed: what `denyset apply` has put into force stays");
        return Ok(Exit::Success);
    }
    tell("the time ran out meanwhile: `denyset plan` says what is not as the file wants it");
    Ok(Exit::Failure)
}

/// What returns is seen to be in force before the note is forgotten: who was to
/// put it back may be gone.
fn too_late(
    file: Result<(Configuration, String), ConfigError>,
    note: &Note,
    state_dir: &Path,
) -> Result<Exit, StartError> {
    let Chosen { config, .. } = choose(file, Some(note))?;
    let lock = Lock::take(&config.kernel.set_prefix)?;
    if !apply_alone(&Arc::new(config), lock, true)?.in_sync {
        tell("it is too late, and what was to return is not in force: `denyset plan` says why");
        return Ok(Exit::Failure);
    }
    Note::remove(state_dir)?;
    tell(
        "it is too late: the configuration of before is in force again; `denyset apply` puts the \
         other into force",
    );
    Ok(Exit::Failure)
}
