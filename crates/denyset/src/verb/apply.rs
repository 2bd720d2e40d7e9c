//! `apply`, `plan` and `teardown`: one look at feeds and kernel, with no
//! daemon. A daemon that runs is asked to do the work instead, but for `plan`,
//! which shows what the configuration on disk would do.

use std::path::Path;
use std::sync::Arc;

use keeper::{Keeper, Report};
use reconcile::Policy;

use super::ask::{Recipient, hand_over, shown};
use super::confirm::apply_unless_confirmed;
use super::{configuration, facts, tell};
use crate::cli::{Apply, Format, Print};
use crate::confirm::{Chosen, Note, choose, keep_applied, state_dir_of};
use crate::daemon::{Clock, StartError, kernel_exit, lacking, was_in_force};
use crate::effects::{FeedEffects, Halt, KernelEffects, bypasses};
use crate::exit::Exit;
use crate::lock::Lock;
use crate::progress::ProgressLine;
use crate::salt::salt;
use crate::serve::ClientRequest;
use crate::settings::{protection, settings};
use crate::snapshot::{SnapshotFacts, Surroundings};
use crate::view::{OutcomeView, PlanView, print, problems};
use crate::without_daemon::{Done, Mode, Once};
use configuration::Configuration;

/// `apply`.
///
/// A daemon that is to have it confirmed reads its configuration again: what it
/// has in force is what returns.
pub(super) fn apply(config_file: &Path, whom: &Recipient, arguments: Apply) -> Exit {
    let Apply { confirm, print: Print { format } } = arguments;
    let chosen = match chosen(config_file, confirm.is_some()) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let request = match confirm {
        Some(_) => ClientRequest::Reload { confirm },
        None => ClientRequest::Apply {},
    };
    let outcome = match hand_over(whom, &request) {
        Ok(Some(outcome)) => outcome,
        Err(exit) => return exit,
        Ok(None) => match without_daemon(chosen, confirm) {
            Ok(Some(outcome)) => outcome,
            Ok(None) => return Exit::Success,
            Err(error) => return fail("apply", &error),
        },
    };
    let exit = apply_exit(&outcome);
    shown(print(&outcome, format), exit)
}

fn apply_exit(outcome: &OutcomeView) -> Exit {
    if !outcome.in_sync || !outcome.problems.is_empty() {
        Exit::Failure
    } else if !outcome.refusals.is_empty() {
        Exit::Attention
    } else {
        Exit::Success
    }
}

/// `None` on the side that was left behind to wait for a person's word.
fn without_daemon(chosen: Chosen, confirm: Option<u32>) -> Result<Option<OutcomeView>, StartError> {
    let Chosen { config, text, returned } = chosen;
    let config = Arc::new(config);
    if let Some(seconds) = confirm {
        return apply_unless_confirmed(&config, seconds);
    }
    let lock = Lock::take(&config.kernel.set_prefix)?;
    let outcome = apply_alone(&config, lock, returned)?;
    remember(&config, &text, &outcome);
    Ok(Some(outcome))
}

/// Keeps what was put into force, unless somebody has yet to confirm it.
pub(super) fn remember(config: &Configuration, text: &str, outcome: &OutcomeView) {
    let state_dir = &config.daemon.state_dir;
    let confirmed = Note::load(state_dir).is_ok_and(|note| note.is_none());
    if outcome.in_sync
        && confirmed
        && let Err(error) = keep_applied(state_dir, text)
    {
        tell(&format!("{error}; the next `apply --confirm` will not know what returns"));
    }
}

/// What is to be in force. A person who asks for the file, to be confirmed, gets
/// it, whatever was not confirmed before.
pub(super) fn chosen(config_file: &Path, asked: bool) -> Result<Chosen, Exit> {
    let file = Configuration::read(config_file);
    let state_dir = state_dir_of(config_file, &file);
    let note = match state_dir.map_or(Ok(None), |state_dir| Note::load(&state_dir)) {
        Ok(note) => note.filter(|_| !asked),
        Err(error) => return Err(fail("apply", &error.into())),
    };
    let chosen = choose(file, note.as_ref());
    let chosen = chosen.map_err(|error| fail("apply", &error.into()))?;
    if chosen.returned {
        tell(
            "the configuration was not confirmed in time, the one before is in force; `denyset \
             apply --confirm SECONDS` tries it again, `denyset confirm` ends this",
        );
    }
    Ok(chosen)
}

/// `returned`: the configuration was in force before, and what it takes out of
/// lists is meant.
pub(super) fn apply_alone(
    config: &Arc<Configuration>,
    lock: Lock,
    returned: bool,
) -> Result<OutcomeView, StartError> {
    Ok(bring_about(config, lock, returned, Mode::Apply)?.1)
}

/// What was done, and how it is told.
pub(super) fn bring_about(
    config: &Arc<Configuration>,
    _lock: Lock,
    returned: bool,
    mode: Mode,
) -> Result<(Done, OutcomeView), StartError> {
    let kernel = KernelEffects::open(config.kernel.set_prefix.clone(), Halt::default())?;
    let feeds = FeedEffects::open(config.clone())?;
    let clock = Clock::start();
    let mut keeper = Keeper::new(settings(config), protection(&facts()), salt(), clock.now());
    prepared(&mut keeper, config, returned);
    let done = drive(&mut keeper, feeds, kernel, mode, clock);
    if let Some(error) = lacking(&done.outcomes) {
        return Err(error.clone().into());
    }
    let outcome = OutcomeView::of(&facts_of(&keeper), &done.outcomes);
    Ok((done, outcome))
}

/// Tells the keeper what was in force before.
fn prepared(keeper: &mut Keeper, config: &Configuration, returned: bool) {
    if returned {
        keeper.was_in_force();
    }
    if was_in_force(config) {
        keeper.is_as_before();
    }
}

/// `plan`.
pub(super) fn plan(config_file: &Path, format: Format) -> Exit {
    let Chosen { config, returned, .. } = match chosen(config_file, false) {
        Ok(chosen) => chosen,
        Err(exit) => return exit,
    };
    let config = Arc::new(config);
    let kernel = match KernelEffects::open(config.kernel.set_prefix.clone(), Halt::default()) {
        Ok(kernel) => kernel,
        Err(error) => return fail("plan", &error.into()),
    };
    let feeds = match FeedEffects::open_read_only(config.clone()) {
        Ok(opened) => opened,
        Err(error) => return fail("plan", &error.into()),
    };
    let clock = Clock::start();
    let mut keeper = Keeper::new(settings(&config), protection(&facts()), salt(), clock.now());
    prepared(&mut keeper, &config, returned);
    let done = drive(&mut keeper, feeds, kernel, Mode::Plan, clock);
    let facts = facts_of(&keeper);
    let view = PlanView::of(&facts, &done.plan);
    for problem in problems(&facts) {
        tell(&problem);
    }
    let exit = match (&keeper.kernel().observed(), view.in_sync) {
        (None, _) => Exit::Failure,
        (Some(_), true) if keeper.in_sync() => Exit::Success,
        (Some(_), _) => Exit::Pending,
    };
    shown(print(&view, format), exit)
}

/// `teardown`.
pub(super) fn tear_down(config_file: &Path, whom: &Recipient, format: Format) -> Exit {
    let config = match configuration(config_file) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let outcome = match hand_over(whom, &ClientRequest::Teardown {}) {
        Ok(Some(outcome)) => outcome,
        Err(exit) => return exit,
        Ok(None) => match tear_down_alone(&config) {
            Ok(outcome) => outcome,
            Err(error) => return fail("teardown", &error),
        },
    };
    let exit = if outcome.problems.is_empty() { Exit::Success } else { Exit::Failure };
    shown(print(&outcome, format), exit)
}

fn tear_down_alone(config: &Configuration) -> Result<OutcomeView, StartError> {
    let _lock = Lock::take(&config.kernel.set_prefix)?;
    let mut kernel = KernelEffects::open(config.kernel.set_prefix.clone(), Halt::default())?;
    let policy = Policy::new(config.kernel.set_prefix.clone(), salt());
    let (outcome, left) = kernel.remove_all(&policy)?;
    Ok(OutcomeView::of_removal(&outcome, &left))
}

/// What is so, where no daemon has anything to add.
fn facts_of(keeper: &Keeper) -> SnapshotFacts {
    SnapshotFacts::of(keeper, Surroundings { bypasses: bypasses(), ..Surroundings::default() })
}

/// Drives the keeper with a bar for a person and warnings on standard
/// error.
fn drive(
    keeper: &mut Keeper,
    feeds: FeedEffects,
    kernel: KernelEffects,
    mode: Mode,
    clock: Clock,
) -> Done {
    let mut bar = ProgressLine::begin("applying");
    let once = Once {
        keeper,
        feeds,
        kernel,
        mode,
        shown: &mut |progress| bar.at(progress.written, progress.total),
        told: &mut |_: &Report| (),
    };
    once.run(clock)
}

pub(super) fn fail(verb: &str, error: &StartError) -> Exit {
    tell(&format!("cannot {verb}: {error}"));
    match error {
        StartError::Kernel(error) => kernel_exit(error),
        error => error.exit(),
    }
}
