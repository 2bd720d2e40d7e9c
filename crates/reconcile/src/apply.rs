//! Carries a plan out, op by op, and keeps the picture of the kernel true
//! while it does. An error on one object stops that object only.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::verify::verify;
use crate::{
    Kernel, KernelError, KernelErrorKind, Members, Object, ObjectPlan, Observed, Op, Phase, Plan,
    Presence, Reason, Route, RuleSet, Series, SetName, Shortage, Stage, Step, WriteOrder,
};

/// Members of old ones that are taken out before it is looked whether anything
/// urgent has come: some fifty milliseconds.
const RELEASE_PIECE: usize = 1 << 18;

/// How far the carrying out has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Members written so far.
    pub written: u64,
    /// Members that the whole plan writes.
    pub total: u64,
}

/// How much of a plan is carried out in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What rules could notice. The memory of old members is given back later,
    /// by a plan of its own.
    Urgent,
    /// What nobody waits for, and of that a few small objects, or one or a part of
    /// a large one: whatever is urgent by then goes first.
    Later,
}

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Every object of which a step was tried, in the order of the plan.
    pub objects: Vec<ObjectOutcome>,
    /// The picture has gaps now: the kernel must be observed before the next
    /// plan.
    pub look_again: bool,
    /// It was told to stop before the end.
    pub halted: bool,
}

/// What came of the plan for one object.
#[derive(Clone, Debug)]
pub struct ObjectOutcome {
    /// The object.
    pub object: Object,
    /// How it was to be changed.
    pub route: Route,
    /// Why it was this route.
    pub reason: Reason,
    /// Members that rules see now and did not before.
    pub added: u64,
    /// Members that rules saw before and do not now.
    pub deleted: u64,
    /// Whether all of it was done.
    pub result: Result<(), KernelError>,
}

/// Carries out the steps of one part of `plan`, phase by phase across all
/// objects, small ones first. `pace` hears of every op that writes members or
/// takes old ones out, may take its time, and may end it all; a shadow that is being filled then is removed again.
pub fn apply<K: Kernel>(
    plan: &Plan,
    part: Part,
    kernel: &mut K,
    observed: &mut Observed,
    pace: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Outcome {
    for object in plan.objects.iter().filter(|object| object.is_settled()) {
        share(object, observed);
    }
    let has_part = |object: &&ObjectPlan| {
        object.steps.iter().any(|step| step.phase.is_urgent() == (part == Part::Urgent))
    };
    let mut objects: Vec<_> = plan.objects.iter().filter(has_part).collect();
    objects.sort_by_key(|object| object.cost.written);
    if part == Part::Later {
        let mut room = RELEASE_PIECE;
        objects.retain(|object| {
            let fits = room > 0;
            room = room.saturating_sub(released(object, observed));
            fits
        });
    }
    let progress = Progress { written: 0, total: plan.writes() };
    let (outcome, failed, unseen) = (Outcome::default(), BTreeSet::new(), BTreeSet::new());
    let mut run = Run { part, kernel, observed, pace, progress, outcome, failed, unseen };
    let phases = Phase::ALL.into_iter();
    for phase in phases.filter(|phase| phase.is_urgent() == (part == Part::Urgent)) {
        for object in &objects {
            run.attempt(object, phase);
        }
    }
    run.conclude(&objects)
}

/// How many members have to be taken out for an object to go.
fn released(object: &ObjectPlan, observed: &Observed) -> usize {
    let of_step = |step: &Step| match step {
        Step::Release { members: Some(members), .. } => members.len(),
        Step::Release { shadow, members: None } => {
            observed.sets.get(shadow).map_or(0, |seen| seen.header.elements as usize)
        }
        _ => 0,
    };
    object.steps.iter().map(|planned| of_step(&planned.step)).sum()
}

/// A set that is as it should be has its members in memory once, not once as they
/// were read and once as they should be.
fn share(object: &ObjectPlan, observed: &mut Observed) {
    if let (Some(after), Some(set)) = (&object.after, object.object.set()) {
        observed.settle(set, after);
        observed.came_of(set, object.laid_out.as_ref());
    }
}

/// What the kernel would say later, when its memory is used up and other
/// programs are short of it.
fn short_of_memory(object: &Object, shortage: Shortage) -> KernelError {
    KernelError {
        stage: Stage::Create,
        object: Some(object.clone()),
        kind: KernelErrorKind::Memory,
        member: None,
        detail: shortage.to_string(),
    }
}

/// Why an object is not taken further.
enum Stop {
    Failed(KernelError),
    Halted,
    /// What is left of it comes with the next plan.
    Rest,
}

/// A plan under way.
struct Run<'a, K> {
    part: Part,
    kernel: &'a mut K,
    observed: &'a mut Observed,
    pace: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    progress: Progress,
    outcome: Outcome,
    failed: BTreeSet<Object>,
    /// Shadows of this run that were not swapped in yet.
    unseen: BTreeSet<SetName>,
}

impl<K: Kernel> Run<'_, K> {
    /// Takes an object through one phase, unless it failed in an earlier one.
    fn attempt(&mut self, object: &ObjectPlan, phase: Phase) {
        if self.outcome.halted || self.failed.contains(&object.object) {
            return;
        }
        if let Some(shortage) = object.shortage.filter(|_| self.part == Part::Urgent) {
            return self.fail(object, short_of_memory(&object.object, shortage));
        }
        let steps = object.steps.iter().filter(|planned| planned.phase == phase);
        for planned in steps {
            match self.ready(&planned.step).and_then(|()| self.step(&planned.step)) {
                Ok(()) => {}
                Err(Stop::Halted) => {
                    self.outcome.halted = true;
                    return;
                }
                Err(Stop::Rest) => return,
                Err(Stop::Failed(error)) => return self.fail(object, error),
            }
        }
        // What was changed in place is known again when the last step is done.
        let last = object.steps.iter().map(|planned| planned.phase).max();
        if last == Some(phase) {
            share(object, self.observed);
        }
    }

    fn fail(&mut self, object: &ObjectPlan, error: KernelError) {
        self.failed.insert(object.object.clone());
        self.outcome.objects.push(ObjectOutcome {
            object: object.object.clone(),
            route: object.route,
            reason: object.reason,
            added: 0,
            deleted: 0,
            result: Err(error),
        });
    }

    /// Rules wait for their sets: one that could not be filled lets nothing in
    /// or everything.
    fn ready(&self, step: &Step) -> Result<(), Stop> {
        let Step::Put(rules) = step else { return Ok(()) };
        let failed = |set: &&SetName| self.failed.contains(&Object::from(*set));
        match rules.rules().iter().map(|rule| &rule.set).find(failed) {
            None => Ok(()),
            Some(set) => Err(Stop::Failed(KernelError {
                stage: Stage::Put,
                object: Some(Object::Rules(rules.family())),
                kind: KernelErrorKind::Busy,
                member: None,
                detail: format!("{set} failed"),
            })),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), Stop> {
        match step {
            Step::Put(rules) => self.put(rules),
            Step::Create(spec) => {
                self.op(&Op::Create(spec.clone()))?;
                if spec.name.is_shadow() {
                    self.unseen.insert(spec.name.clone());
                }
                Ok(())
            }
            Step::Fill { set, members } => {
                self.add(set, members, Presence::New)?;
                self.observed.settle(set, members);
                Ok(())
            }
            Step::Verify { spec, members } => {
                verify(self.kernel, spec, members).map_err(|error| {
                    // Somebody else's set may have its name.
                    self.outcome.look_again = true;
                    Stop::Failed(error)
                })
            }
            Step::Swap { shadow, live } => {
                self.op(&Op::Swap { shadow: shadow.clone(), live: live.clone() })?;
                self.unseen.remove(shadow);
                Ok(())
            }
            Step::Add { set, members } => self.add(set, members, Presence::Any),
            Step::Delete { set, members } => self.delete(set, members),
            Step::Retire { set, shadow } => {
                self.recheck(set)?;
                self.op(&Op::Retire { set: set.clone(), shadow: shadow.clone() })
            }
            Step::Release { shadow, members } => self.release(shadow, members.as_ref()),
            Step::Destroy(shadow) => self.op(&Op::Destroy(shadow.clone())),
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

    fn add(&mut self, set: &SetName, members: &Members, presence: Presence) -> Result<(), Stop> {
        self.write(&Series::add(set, members, self.order(set, members), presence))
    }

    fn delete(&mut self, set: &SetName, members: &Members) -> Result<(), Stop> {
        self.write(&Series::delete(set, members, self.order(set, members)))
    }

    /// The order in which the set takes these members best, if the set is known.
    fn order(&self, set: &SetName, members: &Members) -> WriteOrder {
        let seen = self.observed.sets.get(set);
        seen.map_or(WriteOrder::SORTED, |seen| self.kernel.order(&seen.header, members))
    }

    /// Does ops that somebody waits for, as fast as they can be done.
    fn write(&mut self, series: &Series) -> Result<(), Stop> {
        let Self { kernel, observed, pace, progress, .. } = self;
        let mut flow = ControlFlow::Continue(());
        let outcome = kernel.execute_series(series, 0, &mut |op| {
            observed.note(op);
            progress.written += op.written() as u64;
            flow = pace(*progress);
            flow
        });
        match outcome {
            Ok(()) if flow.is_break() => Err(Stop::Halted),
            Ok(()) => Ok(()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Takes a shadow's members out. Of what nobody waits for, only so many at
    /// once, so that whatever comes meanwhile does not wait either.
    fn release(&mut self, shadow: &SetName, members: Option<&Members>) -> Result<(), Stop> {
        let read = match members {
            Some(members) => Ok(members.clone()),
            None => self.kernel.members(shadow),
        };
        let Ok(mut left) = read else { return self.op(&Op::Flush(shadow.clone())) };
        while !left.is_empty() {
            let (piece, rest) = left.split(RELEASE_PIECE);
            for op in Series::delete(shadow, &piece, self.order(shadow, &piece)).ops(0) {
                self.op(&op)?;
                if (self.pace)(self.progress).is_break() {
                    return Err(Stop::Halted);
                }
            }
            self.observed.settle(shadow, &rest);
            if self.part == Part::Later && !rest.is_empty() {
                return Err(Stop::Rest);
            }
            left = rest;
        }
        Ok(())
    }

    /// Puts rules in place. What they referred to before and do not now may go.
    fn put(&mut self, rules: &RuleSet) -> Result<(), Stop> {
        self.outcome.look_again |= match self.kernel.put_rules(rules) {
            Ok(changed) => {
                let refers = |set: &SetName| rules.rules().iter().any(|rule| rule.set == *set);
                let mut seen = self.observed.sets.iter();
                let stale = seen.any(|(set, seen)| seen.header.references > 0 && !refers(set));
                self.observed.note_rules(rules);
                changed && stale
            }
            Err(error) => return Err(Stop::Failed(error)),
        };
        Ok(())
    }

    /// Does one op and notes what is known after it.
    fn op(&mut self, op: &Op) -> Result<(), Stop> {
        match self.kernel.execute(op) {
            Ok(()) => {
                self.observed.note(op);
                Ok(())
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Where an op has failed. If it was busy, nothing has happened, and nothing
    /// else is known than before.
    fn failed(&mut self, error: KernelError) -> Stop {
        self.outcome.look_again |= error.kind != KernelErrorKind::Busy;
        Stop::Failed(error)
    }

    /// Removes the shadows that were not swapped in. One that cannot go now is
    /// an orphan of the next plan. Where something went wrong, somebody else's
    /// set may have its name now.
    fn abandon(&mut self) {
        for shadow in std::mem::take(&mut self.unseen) {
            // What comes of it, the next look tells.
            let _ = self
                .recheck(&shadow)
                .and_then(|()| self.op(&Op::Flush(shadow.clone())))
                .and_then(|()| self.op(&Op::Destroy(shadow)));
        }
    }

    /// Adds the objects that went well, in the order of the plan.
    fn conclude(mut self, objects: &[&ObjectPlan]) -> Outcome {
        self.abandon();
        let well = objects.iter().filter(|object| !self.failed.contains(&object.object));
        if !self.outcome.halted {
            let done = well.map(|object| ObjectOutcome {
                object: object.object.clone(),
                route: object.route,
                reason: object.reason,
                added: object.cost.added,
                deleted: object.cost.deleted,
                result: Ok(()),
            });
            self.outcome.objects.extend(done);
            self.outcome.objects.sort_by(|a, b| a.object.cmp(&b.object));
        }
        self.outcome.look_again |= self.outcome.halted;
        self.outcome
    }
}
