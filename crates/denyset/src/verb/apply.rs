//! `apply`, `plan` and `teardown`: one look at feeds and kernel, with no
//! daemon. A daemon that runs is asked to do the work instead, but for `plan`,
//! which shows what the configuration on disk would do.

use std::path::Path;
use std::sync::Arc;

use keeper::{Keeper, Report};
use reconcile::{KernelError, KernelErrorKind, ObjectOutcome, Policy};

use super::ask::{Whom, hand_over, shown};
use super::{configuration, facts, tell};
use crate::cli::Format;
use crate::daemon::{Clock, StartError, kernel_exit};
use crate::effects::{FeedEffects, Halt, KernelEffects, bypasses};
use crate::exit::Exit;
use crate::lock::Lock;
use crate::once::{Done, Mode, Once};
use crate::progress::Progress;
use crate::salt::salt;
use crate::serve::Request;
use crate::settings::{protection, settings};
use crate::snapshot::{Facts, Surroundings};
use crate::view::{OutcomeView, PlanView, print, problems};
use configuration::Config;

/// `apply`.
pub(super) fn apply(config_file: &Path, whom: &Whom, format: Format) -> Exit {
    let config = match configuration(config_file) {
        Ok(config) => Arc::new(config),
        Err(exit) => return exit,
    };
    let outcome = match hand_over(whom, &Request::Apply {}) {
        Ok(Some(outcome)) => outcome,
        Err(exit) => return exit,
        Ok(None) => match apply_alone(&config) {
            Ok(outcome) => outcome,
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

fn apply_alone(config: &Arc<Config>) -> Result<OutcomeView, StartError> {
    let _lock = Lock::take(&config.kernel.set_prefix)?;
    let kernel = KernelEffects::open(config.kernel.set_prefix.clone(), Halt::default())?;
    let feeds = FeedEffects::open(config.clone())?;
    let clock = Clock::start();
    let mut keeper = Keeper::new(settings(config), protection(&facts()), salt(), clock.now());
    let done = drive(&mut keeper, feeds, kernel, Mode::Apply, clock);
    if let Some(error) = lacking(&done.outcomes) {
        return Err(error.clone().into());
    }
    Ok(OutcomeView::of(&facts_of(&keeper), &done.outcomes))
}

/// What this kernel cannot do at all, and no waiting mends.
fn lacking(outcomes: &[ObjectOutcome]) -> Option<&KernelError> {
    let mut errors = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err());
    errors.find(|error| error.kind == KernelErrorKind::Unsupported)
}

/// `plan`.
pub(super) fn plan(config_file: &Path, format: Format) -> Exit {
    let config = match configuration(config_file) {
        Ok(config) => Arc::new(config),
        Err(exit) => return exit,
    };
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
pub(super) fn tear_down(config_file: &Path, whom: &Whom, format: Format) -> Exit {
    let config = match configuration(config_file) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let outcome = match hand_over(whom, &Request::Teardown {}) {
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

fn tear_down_alone(config: &Config) -> Result<OutcomeView, StartError> {
    let _lock = Lock::take(&config.kernel.set_prefix)?;
    let mut kernel = KernelEffects::open(config.kernel.set_prefix.clone(), Halt::default())?;
    let policy = Policy::new(config.kernel.set_prefix.clone(), salt());
    let (outcome, left) = kernel.remove_all(&policy)?;
    Ok(OutcomeView::of_removal(&outcome, &left))
}

/// What is so, where no daemon has anything to add.
fn facts_of(keeper: &Keeper) -> Facts {
    Facts::of(keeper, Surroundings { bypasses: bypasses(), ..Surroundings::default() })
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
    let mut bar = Progress::begin("applying");
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

fn fail(verb: &str, error: &StartError) -> Exit {
    tell(&format!("cannot {verb}: {error}"));
    match error {
        StartError::Kernel(error) => kernel_exit(error),
        error => error.exit(),
    }
}
