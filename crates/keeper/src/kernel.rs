//! What is known of the kernel and what is to be done with it next. One thing
//! at a time: observing, converging and probing exclude each other.

mod probing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use intake::{Backoff, Now, Ticket, Tickets};
use reconcile::{
    Desired, KernelError, Members, Object, ObjectOutcome, ObjectPlan, Observed, ObservedSet,
    Obstacle, Outcome, Plan, Policy, SetName,
};

use crate::{Action, Converge, Converged, Look, LookCause, Report, Settings};

/// The rest after a first failure; it doubles with every further one.
const REST_MIN: Duration = Duration::from_millis(100);
/// The longest rest.
const REST_MAX: Duration = Duration::from_secs(60);
/// Members that were taken out of a set and are looked for, at the most.
const GONE_MAX: usize = 32;

/// The kernel's side of the machine.
#[derive(Debug, Default)]
pub struct KernelState {
    observed: Option<Observed>,
    work: Work,
    /// What is to be looked at next.
    look: Wish,
    /// Something says that the picture may be wrong, and no look has shown yet
    /// what is so.
    doubted: bool,
    /// The desired state or the picture has changed since the last plan.
    replan: bool,
    /// What the last plan found.
    agreement: Agreement,
    /// What the last plan could not do anything about, and why.
    blocked: BTreeMap<Object, Obstacle>,
    rests: BTreeMap<Object, (Backoff, KernelError)>,
    failure: Option<(Backoff, KernelError)>,
    sets: BTreeMap<SetName, SetTimes>,
    /// Members that are held back, by set, and how many there are in it.
    withheld: BTreeMap<SetName, (u64, u64)>,
    /// A few members of sets that were taken out lately.
    gone: BTreeMap<SetName, Members>,
    /// Sets that held something when they were first seen.
    found: BTreeSet<SetName>,
    /// Sets of which the last plan knew the members.
    counted: BTreeSet<SetName>,
    next_probe: Duration,
    next_audit: Duration,
    turn: usize,
}

/// When a set was last written and last seen to be right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetTimes {
    /// The last change that was carried out.
    pub applied: Option<SystemTime>,
    /// The last time that all members were compared, or just written.
    pub verified: Option<SystemTime>,
    /// When the members may be counted again.
    next_count: Duration,
    /// How long it took to count them the last time.
    counting: Duration,
}

/// How the kernel and what is desired agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Agreement {
    /// They do not, or it is not known.
    #[default]
    None,
    /// As far as sets are not held: more is in some of them than the feeds say.
    Held,
    /// Every set is what the feeds say.
    Whole,
}

/// What is to be looked at, the more comes last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Wish {
    #[default]
    None,
    /// The rules alone: somebody has done something to them.
    Rules,
    /// Everything: the picture has gaps or is in doubt.
    Whole,
}

/// What is under way. An answer with another ticket is to another question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Work {
    #[default]
    Idle,
    Observing(Ticket),
    Converging(Ticket),
    Probing(Ticket),
}

impl KernelState {
    /// The state at start: nothing is known.
    pub(crate) fn new() -> Self {
        Self { look: Wish::Whole, ..Self::default() }
    }

    /// The sets as last seen.
    pub fn observed(&self) -> Option<&Observed> {
        self.observed.as_ref()
    }

    /// Whether a set was last seen to hold anything.
    pub(crate) fn has_members(&self, set: &SetName) -> bool {
        let seen = self.observed.as_ref().and_then(|observed| observed.sets.get(set));
        let members = seen.and_then(|seen| seen.members.as_ref());
        members.is_some_and(|members| !members.is_empty())
    }

    /// Whether a set held anything when the kernel was first looked at.
    pub(crate) fn was_found_full(&self, set: &SetName) -> bool {
        self.found.contains(set)
    }

    /// When a set was written and verified.
    pub fn times(&self, set: &SetName) -> SetTimes {
        self.sets.get(set).copied().unwrap_or_default()
    }

    /// Whether the kernel was last seen as desired, and nothing says otherwise.
    pub fn in_sync(&self) -> bool {
        let changing = matches!(self.work, Work::Converging(_));
        let known = self.look != Wish::Whole && !self.doubted;
        self.agreement != Agreement::None && !self.replan && known && !changing
    }

    /// Whether something failed that is tried again after a rest.
    pub fn is_retrying(&self) -> bool {
        !self.rests.is_empty() || self.failure.is_some()
    }

    /// Whether what should be there was held against what is, and nothing has
    /// changed since.
    pub(crate) fn is_planned(&self) -> bool {
        self.work == Work::Idle
            && self.look != Wish::Whole
            && !self.replan
            && self.observed.is_some()
    }

    /// Whether there is nothing to be done or to be waited for, but rests.
    pub(crate) fn at_rest(&self) -> bool {
        let looking = self.look == Wish::Whole && self.failure.is_none();
        self.work == Work::Idle && !looking && !self.replan
    }

    /// What failed and is tried again: the error, and how often it was tried.
    pub fn failures(&self) -> impl Iterator<Item = (&KernelError, u32)> {
        let rests = self.rests.values().chain(&self.failure);
        rests.map(|(backoff, error)| (error, backoff.failures))
    }

    /// What nothing can be done about, and why.
    pub fn blocked(&self) -> impl Iterator<Item = (&Object, &Obstacle)> {
        self.blocked.iter()
    }

    /// How many members of a set are kept only because it is held, and how
    /// many it has.
    pub(crate) fn withheld(&self, set: &SetName) -> Option<(u64, u64)> {
        self.withheld.get(set).copied()
    }

    /// Whether the last plan knew what a set holds. One that was in somebody's
    /// way, or could not be dumped, may hold anything.
    pub(crate) fn is_counted(&self, set: &SetName) -> bool {
        self.counted.contains(set)
    }

    /// The desired state has changed.
    pub(crate) fn want_plan(&mut self) {
        self.replan = true;
    }

    /// The kernel should be observed anew. If that failed a moment ago it
    /// rests first, whoever asks.
    pub(crate) fn want_look(&mut self) {
        self.look = Wish::Whole;
    }

    /// The picture may be wrong, and the kernel should be observed for it.
    fn doubt(&mut self) {
        self.doubted = true;
        self.want_look();
    }

    /// The kernel was observed, or could not be.
    pub(crate) fn observed_now(
        &mut self,
        ticket: Ticket,
        result: Result<Look, KernelError>,
        settings: &Settings,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        if self.work != Work::Observing(ticket) {
            return;
        }
        self.work = Work::Idle;
        match result {
            Ok(look) => {
                if self.agreement != Agreement::None {
                    reports.extend(look.differences.into_iter().map(Report::Drifted));
                }
                let first = self.observed.replace(look.observed).is_none();
                self.note_found(first);
                self.replan = true;
                self.doubted = false;
                self.failure = None;
                self.next_probe = now.monotonic + settings.probe;
                self.next_audit = now.monotonic + settings.audit;
            }
            Err(error) => {
                self.doubt();
                let earlier = self.failure.take();
                if earlier.as_ref().is_none_or(|(_, earlier)| *earlier != error) {
                    reports.push(Report::KernelFailed(error.clone()));
                }
                let earlier = earlier.map(|(backoff, _)| backoff);
                self.failure = Some((rest(earlier, now), error));
            }
        }
    }

    /// The first look shows what an earlier process has left, and a later one
    /// that it is gone. What could not be dumped may be anything.
    fn note_found(&mut self, first: bool) {
        let Some(observed) = &self.observed else { return };
        let empty = |seen: &ObservedSet| seen.members.as_ref().is_some_and(Members::is_empty);
        let full = |set: &SetName| observed.sets.get(set).is_some_and(|seen| !empty(seen));
        if first {
            self.found = observed.sets.keys().cloned().collect();
        }
        self.found.retain(full);
    }

    /// The kernel was brought nearer to what is desired.
    pub(crate) fn converged(
        &mut self,
        converged: Converged,
        now: Now,
        reports: &mut Vec<Report>,
    ) -> bool {
        let Converged { ticket, plan, outcome, observed } = converged;
        if self.work != Work::Converging(ticket) {
            return false;
        }
        self.work = Work::Idle;
        self.observed = Some(observed);
        if outcome.look_again {
            self.doubt();
        }
        self.forget_rests(&plan);
        self.note_blocked(&plan, reports);
        self.note_settled(&plan, now);
        self.note_gone(&plan, &outcome);
        let acted = !outcome.objects.is_empty() || outcome.halted;
        // After something was done the rest is planned anew.
        self.replan |= acted;
        let agreement = match (plan.is_in_sync(), self.withheld.is_empty()) {
            (false, _) => Agreement::None,
            (true, false) => Agreement::Held,
            (true, true) => Agreement::Whole,
        };
        let before = std::mem::replace(&mut self.agreement, agreement);
        for done in outcome.objects {
            self.note_outcome(&done, now);
            reports.push(Report::Applied(done));
        }
        if !acted && agreement == Agreement::Whole && before != Agreement::Whole {
            reports.push(Report::InSync);
        }
        true
    }

    /// What rested is over when the next plan does not mention it.
    fn forget_rests(&mut self, plan: &Plan) {
        self.rests.retain(|object, _| {
            let planned = plan.objects.iter().find(|planned| planned.object == *object);
            planned.is_some_and(|planned| match &planned.obstacle {
                Some(obstacle) => *obstacle == Obstacle::Resting,
                None => !planned.steps.is_empty(),
            })
        });
    }

    fn note_outcome(&mut self, done: &ObjectOutcome, now: Now) {
        match &done.result {
            Ok(()) => {
                self.rests.remove(&done.object);
                if let Some(set) = done.object.set() {
                    let times = self.sets.entry(set.clone()).or_default();
                    times.applied = Some(now.wall);
                    times.verified = Some(now.wall);
                }
            }
            Err(error) => {
                let earlier = self.rests.get(&done.object).map(|(backoff, _)| *backoff);
                self.rests.insert(done.object.clone(), (rest(earlier, now), error.clone()));
            }
        }
    }

    /// Keeps a few of the members that sets have lost, to look whether they stay
    /// away. What may be there again is forgotten, and all if it is not known.
    fn note_gone(&mut self, plan: &Plan, outcome: &Outcome) {
        let mut before = std::mem::take(&mut self.gone);
        let results = outcome.objects.iter().map(|done| (&done.object, &done.result));
        let results: BTreeMap<_, _> = results.collect();
        for planned in &plan.objects {
            let (Some(set), Some(after)) = (planned.object.set(), &planned.after) else { continue };
            let lost = match results.get(&planned.object) {
                Some(Err(_)) => continue,
                Some(Ok(())) => planned.gone.as_ref(),
                None => None,
            };
            let before = before.remove(set);
            let lately = lost.into_iter().chain(&before).flat_map(Members::iter);
            let gone = lately.filter(|member| after.covering(member.network()).is_none());
            let gone = Members::of_family(set.family(), gone.take(GONE_MAX).collect());
            if !gone.is_empty() {
                self.gone.insert(set.clone(), gone);
            }
        }
    }

    fn note_settled(&mut self, plan: &Plan, now: Now) {
        self.withheld.clear();
        self.counted.clear();
        let sets = plan.objects.iter().filter_map(|planned| Some((planned.object.set()?, planned)));
        for (set, planned) in sets {
            if planned.is_settled() {
                self.sets.entry(set.clone()).or_default().verified = Some(now.wall);
            }
            if planned.obstacle.is_none() {
                self.counted.insert(set.clone());
            }
            if planned.withheld > 0 {
                let counts = (planned.members() as u64, planned.withheld);
                self.withheld.insert(set.clone(), counts);
            }
        }
        let planned: BTreeSet<_> = plan.objects.iter().filter_map(|one| one.object.set()).collect();
        self.sets.retain(|set, _| planned.contains(set));
    }

    /// Remembers, and tells once, what a plan can do nothing about.
    fn note_blocked(&mut self, plan: &Plan, reports: &mut Vec<Report>) {
        let obstacle = |planned: &ObjectPlan| match &planned.obstacle {
            None | Some(Obstacle::Resting) => None,
            Some(obstacle) => Some((planned.object.clone(), obstacle.clone())),
        };
        let blocked: BTreeMap<_, _> = plan.objects.iter().filter_map(obstacle).collect();
        for (object, obstacle) in &blocked {
            if self.blocked.get(object) != Some(obstacle) {
                let (object, obstacle) = (object.clone(), obstacle.clone());
                reports.push(Report::Blocked { object, obstacle });
            }
        }
        self.blocked = blocked;
    }

    /// Asks for the next piece of work. There is no policy, and so no plan,
    /// while the feeds are not ready.
    pub(crate) fn decide(
        &mut self,
        desired: &Arc<Desired>,
        settings: &Settings,
        policy: Option<Policy>,
        now: Now,
        tickets: &mut Tickets,
    ) -> Option<Action> {
        if self.work != Work::Idle {
            return None;
        }
        if self.look == Wish::Whole || now.monotonic >= self.next_audit {
            let resting = self.failure.as_ref();
            if resting.is_some_and(|(backoff, _)| backoff.until > now.monotonic) {
                return None;
            }
            let cause = if self.look == Wish::Whole { LookCause::Doubt } else { LookCause::Audit };
            self.look = Wish::None;
            let ticket = tickets.draw();
            self.work = Work::Observing(ticket);
            let mut known = self.observed.clone();
            if !desired.rules.is_empty() {
                known.get_or_insert_default().expect_rules(&desired.rules);
            }
            return Some(Action::Observe(ticket, known, cause));
        }
        if std::mem::take(&mut self.look) == Wish::Rules
            && let Some(action) = self.look_at_rules(tickets)
        {
            return Some(action);
        }
        let mut policy = policy?;
        let rested = |(backoff, _): &(Backoff, KernelError)| backoff.until <= now.monotonic;
        self.replan |= self.rests.values().any(rested);
        if self.replan {
            let resting = self.rests.iter().filter(|(_, rest)| !rested(rest));
            for (object, _) in resting {
                match object {
                    Object::Set(set) => policy.resting.insert(set.clone()),
                    Object::Rules(family) => policy.resting_rules.insert(*family),
                };
            }
            let observed = self.observed.clone()?;
            self.replan = false;
            let ticket = tickets.draw();
            self.work = Work::Converging(ticket);
            let desired = desired.clone();
            return Some(Action::Converge(Box::new(Converge {
                ticket,
                desired,
                observed,
                policy,
            })));
        }
        if now.monotonic >= self.next_probe {
            self.next_probe = now.monotonic + settings.probe;
            return self.probe(now, tickets);
        }
        None
    }

    /// When something will be due without an event.
    pub(crate) fn wake_at(&self, now: Now) -> Option<Duration> {
        if self.work != Work::Idle {
            return None;
        }
        let rests = self.rests.values().chain(&self.failure).map(|(backoff, _)| backoff.until);
        let regular = self.observed.iter().flat_map(|_| [self.next_probe, self.next_audit]);
        // What is due already waits for something else than time.
        rests.chain(regular).filter(|&at| at > now.monotonic).min()
    }
}

fn rest(earlier: Option<Backoff>, now: Now) -> Backoff {
    Backoff::after(earlier, now.monotonic, REST_MIN, REST_MAX)
}
