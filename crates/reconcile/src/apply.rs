//! Carries a plan out, op by op, and keeps the picture of the kernel true
//! while it does. An error on one set stops that set only.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::verify::verify;
use crate::{
    Kernel, KernelError, KernelErrorKind, Members, Observed, Op, Plan, Presence, Reason, Route,
    RouteKind, SetName, SetPlan, SetSpec, Stage,
};

/// How far the carrying out has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Members written so far.
    pub written: u64,
    /// Members that the whole plan writes.
    pub total: u64,
}

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Every set that was to be changed, in the order of the plan, and every
    /// shadow that could not be released.
    pub sets: Vec<SetOutcome>,
    /// The picture has gaps now: the kernel must be observed before the next
    /// plan.
    pub look_again: bool,
    /// It was told to stop before the end.
    pub halted: bool,
}

/// What came of the plan for one set.
#[derive(Clone, Debug)]
pub struct SetOutcome {
    /// The set.
    pub set: SetName,
    /// How it was to be changed.
    pub route: RouteKind,
    /// Why it was this route.
    pub reason: Reason,
    /// Members that rules see now and did not before.
    pub added: u64,
    /// Members that rules saw before and do not now.
    pub deleted: u64,
    /// Whether all of it was done.
    pub result: Result<(), KernelError>,
}

/// Carries out `plan` in this order, across all sets: sweep orphans, create
/// what rules may name, fill and swap (small sets first), add in place, delete
/// in place, release old members, destroy. `pace` hears of every op and may
/// end it all; a shadow that is being filled then is removed again.
pub fn apply<K: Kernel>(
    plan: &Plan,
    kernel: &mut K,
    observed: &mut Observed,
    pace: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Outcome {
    let progress = Progress { written: 0, total: plan.writes() };
    let outcome = Outcome::default();
    let mut run = Run {
        kernel,
        observed,
        pace,
        progress,
        outcome,
        failed: BTreeSet::new(),
        full: Vec::new(),
    };
    let mut by_size: Vec<_> = plan.sets.iter().collect();
    by_size.sort_by_key(|set| set.route.writes());
    for phase in [Run::sweep, Run::create, Run::fill, Run::delete, Run::destroy] {
        for &set in &by_size {
            run.attempt(set, phase);
        }
    }
    run.release();
    run.conclude(plan)
}

/// Why a set is not taken further.
enum Stop {
    Failed(KernelError),
    Halted,
}

/// A plan under way.
struct Run<'a, K> {
    kernel: &'a mut K,
    observed: &'a mut Observed,
    pace: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    progress: Progress,
    outcome: Outcome,
    /// Sets that have failed and their error's place in the outcome.
    failed: BTreeSet<SetName>,
    /// Shadows that hold members which no rule sees, and for which set they
    /// were filled.
    full: Vec<(SetName, SetName)>,
}

impl<K: Kernel> Run<'_, K> {
    /// Takes a set through one phase, unless it failed in an earlier one.
    fn attempt(&mut self, set: &SetPlan, phase: fn(&mut Self, &SetPlan) -> Result<(), Stop>) {
        if self.outcome.halted || self.failed.contains(&set.set) {
            return;
        }
        match phase(self, set) {
            Ok(()) => {}
            Err(Stop::Halted) => self.outcome.halted = true,
            Err(Stop::Failed(error)) => self.fail(set, error),
        }
    }

    fn fail(&mut self, set: &SetPlan, error: KernelError) {
        self.failed.insert(set.set.clone());
        self.outcome.sets.push(SetOutcome {
            set: set.set.clone(),
            route: set.route.kind(),
            reason: set.reason,
            added: 0,
            deleted: 0,
            result: Err(error),
        });
    }

    /// Removes what a crash left behind, which also frees its memory.
    fn sweep(&mut self, set: &SetPlan) -> Result<(), Stop> {
        match set.route {
            Route::Destroy { .. } if set.reason == Reason::Orphan => self.remove(&set.set),
            _ => Ok(()),
        }
    }

    /// Creates what is not there, empty, so that rules may name it.
    fn create(&mut self, set: &SetPlan) -> Result<(), Stop> {
        match &set.route {
            Route::Create { live, .. } => self.op(&Op::Create(live.clone())),
            _ => Ok(()),
        }
    }

    /// Brings in everything new.
    fn fill(&mut self, set: &SetPlan) -> Result<(), Stop> {
        match &set.route {
            Route::Create { shadow: Some(shadow), target, .. }
            | Route::Swap { shadow, target, .. } => self.swap_in(&set.set, shadow, target),
            Route::InPlace { add, .. } => self.add(&set.set, add, Presence::Any),
            _ => Ok(()),
        }
    }

    /// Takes out what is not wanted any more.
    fn delete(&mut self, set: &SetPlan) -> Result<(), Stop> {
        let Route::InPlace { delete, target, .. } = &set.route else { return Ok(()) };
        for chunk in delete.chunks() {
            let written = chunk.len();
            self.op(&Op::Delete { set: set.set.clone(), chunk })?;
            self.pace(written)?;
        }
        self.observed.settle(&set.set, target);
        Ok(())
    }

    /// Removes sets that no list asks for. Since the last look a rule may have
    /// come to refer to one, and to empty it would open that rule.
    fn destroy(&mut self, set: &SetPlan) -> Result<(), Stop> {
        match set.route {
            Route::Destroy { .. } if set.reason != Reason::Orphan => {
                self.recheck(&set.set)?;
                self.remove(&set.set)
            }
            _ => Ok(()),
        }
    }

    /// Makes sure that a set is still the one that was seen, and that nothing
    /// refers to it.
    fn recheck(&mut self, set: &SetName) -> Result<(), Stop> {
        let seen = self.observed.sets.get(set).map(|seen| &seen.header);
        let kind = match self.kernel.header(set) {
            Ok(Some(found)) if found.references > 0 => KernelErrorKind::Busy,
            Ok(Some(found)) if seen.is_some_and(|seen| seen.same_set(&found)) => return Ok(()),
            Ok(_) => KernelErrorKind::Changed,
            Err(error) => error.kind,
        };
        self.outcome.look_again = true;
        Err(Stop::Failed(KernelError::new(Stage::Destroy, set, kind)))
    }

    /// Fills a shadow, verifies it and swaps it in. If that fails the shadow
    /// is not left lying about.
    fn swap_in(&mut self, live: &SetName, spec: &SetSpec, target: &Members) -> Result<(), Stop> {
        let shadow = &spec.name;
        self.op(&Op::Create(spec.clone()))?;
        self.full.push((shadow.clone(), live.clone()));
        self.add(shadow, target, Presence::New)?;
        self.observed.settle(shadow, target);
        verify(self.kernel, spec, target).map_err(Stop::Failed)?;
        self.op(&Op::Swap { shadow: shadow.clone(), live: live.clone() })
    }

    fn add(&mut self, set: &SetName, members: &Members, presence: Presence) -> Result<(), Stop> {
        for chunk in members.chunks() {
            let written = chunk.len();
            self.op(&Op::Add { set: set.clone(), chunk, presence })?;
            self.pace(written)?;
        }
        Ok(())
    }

    /// Empties a set that no rule sees and removes it. To destroy a full one
    /// would free a million members in one go with a CPU's packets waiting.
    fn remove(&mut self, set: &SetName) -> Result<(), Stop> {
        self.op(&Op::Flush(set.clone()))?;
        self.op(&Op::Destroy(set.clone()))
    }

    /// Removes the shadows of this run, whether they hold old members or were
    /// never swapped in. One that cannot go now is an orphan of the next plan.
    /// Where something went wrong, somebody else's set may have its name now.
    fn release(&mut self) {
        for (shadow, live) in std::mem::take(&mut self.full) {
            let checked = if self.failed.contains(&live) { self.recheck(&shadow) } else { Ok(()) };
            if let Err(Stop::Failed(error)) = checked.and_then(|()| self.remove(&shadow)) {
                self.outcome.sets.push(SetOutcome {
                    set: shadow,
                    route: RouteKind::Destroy,
                    reason: Reason::Orphan,
                    added: 0,
                    deleted: 0,
                    result: Err(error),
                });
            }
        }
    }

    /// Does one op and notes what is known after it.
    fn op(&mut self, op: &Op) -> Result<(), Stop> {
        match self.kernel.execute(op) {
            Ok(()) => {
                self.observed.note(op);
                Ok(())
            }
            // Nothing has happened, and nothing else is known than before.
            Err(error) if error.kind == KernelErrorKind::Busy => Err(Stop::Failed(error)),
            Err(error) => {
                self.outcome.look_again = true;
                Err(Stop::Failed(error))
            }
        }
    }

    fn pace(&mut self, written: usize) -> Result<(), Stop> {
        self.progress.written += written as u64;
        match (self.pace)(self.progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Stop::Halted),
        }
    }

    /// Adds the sets that went well, in the order of the plan.
    fn conclude(mut self, plan: &Plan) -> Outcome {
        let well = plan.sets.iter().filter(|set| {
            !matches!(set.route, Route::None | Route::Blocked(_)) && !self.failed.contains(&set.set)
        });
        if !self.outcome.halted {
            let done = well.map(|set| SetOutcome {
                set: set.set.clone(),
                route: set.route.kind(),
                reason: set.reason,
                added: set.route.added(),
                deleted: set.route.deleted(),
                result: Ok(()),
            });
            self.outcome.sets.extend(done);
            self.outcome.sets.sort_by(|a, b| a.set.cmp(&b.set));
        }
        self.outcome.look_again |= self.outcome.halted;
        self.outcome
    }
}
