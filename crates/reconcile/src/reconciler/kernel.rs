//! What is known of the kernel and what is to be done with it next. One thing
//! at a time: observing, applying and probing exclude each other.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::event::{Action, Now, Probed, Report};
use super::settings::Settings;
use crate::{
    Desired, Found, KernelError, Observed, Obstacle, Outcome, Plan, Policy, Probe, Route, SetName,
    Standing, plan,
};

/// The rest after a first failure; it doubles with every further one.
const REST_MIN: Duration = Duration::from_millis(100);
/// The longest rest.
const REST_MAX: Duration = Duration::from_secs(60);
/// Counting members may stall packets for at most this share of the time. A
/// million take some 25 ms, and so are counted about four times a minute.
const COUNT_SHARE: u32 = 500;

/// The kernel's side of the reconciler.
#[derive(Debug, Default)]
pub struct KernelState {
    observed: Option<Observed>,
    work: Work,
    /// The picture has gaps or is in doubt.
    look: bool,
    /// The desired state or the picture has changed since the last plan.
    replan: bool,
    /// The last plan had nothing to do.
    in_sync: bool,
    /// What the last plan could not do anything about, and why.
    blocked: BTreeMap<SetName, String>,
    rests: BTreeMap<SetName, Rest>,
    looking_rest: Option<Rest>,
    failure: Option<KernelError>,
    sets: BTreeMap<SetName, SetTimes>,
    next_probe: Duration,
    next_audit: Duration,
    turn: usize,
}

/// When a set was last written and last seen to be right.
#[derive(Clone, Copy, Debug, Default)]
pub struct SetTimes {
    /// The last change that was carried out.
    pub applied: Option<SystemTime>,
    /// The last time that all members were compared, or just written.
    pub verified: Option<SystemTime>,
    /// When the members may be counted again.
    next_count: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Work {
    #[default]
    Idle,
    Observing,
    Applying,
    Probing,
}

/// A pause after a failure.
#[derive(Clone, Debug)]
struct Rest {
    failures: u32,
    until: Duration,
    error: KernelError,
}

impl Rest {
    fn after(earlier: Option<&Self>, error: KernelError, now: Now) -> Self {
        let failures = earlier.map_or(0, |rest| rest.failures).saturating_add(1);
        let pause = REST_MIN.saturating_mul(1 << (failures - 1).min(16)).min(REST_MAX);
        Self { failures, until: now.monotonic + pause, error }
    }
}

impl KernelState {
    /// The state at start: nothing is known.
    pub fn new() -> Self {
        Self { look: true, ..Self::default() }
    }

    /// The sets as last seen.
    pub fn observed(&self) -> Option<&Observed> {
        self.observed.as_ref()
    }

    /// When a set was written and verified.
    pub fn times(&self, set: &SetName) -> SetTimes {
        self.sets.get(set).copied().unwrap_or_default()
    }

    /// Whether the kernel was last seen as desired, and nothing says otherwise.
    pub fn in_sync(&self) -> bool {
        self.in_sync && !self.replan && !self.look && self.work != Work::Applying
    }

    /// Whether something failed that is tried again after a rest.
    pub fn is_retrying(&self) -> bool {
        !self.rests.is_empty() || self.looking_rest.is_some()
    }

    /// Whether there is nothing to be done or to be waited for, but rests.
    pub fn at_rest(&self) -> bool {
        let looking = self.look && self.looking_rest.is_none();
        self.work == Work::Idle && !looking && !self.replan
    }

    /// What keeps the kernel from being as desired: sets and reasons.
    pub fn troubles(&self) -> impl Iterator<Item = String> {
        let rests = self.rests.values().map(|rest| {
            format!("{}; tried {} times, the next time soon", rest.error, rest.failures)
        });
        let blocked = self.blocked.iter().map(|(set, why)| format!("set {set}: {why}"));
        rests.chain(blocked).chain(self.failure.iter().map(ToString::to_string))
    }

    /// The desired state has changed.
    pub fn want_plan(&mut self) {
        self.replan = true;
    }

    /// The kernel should be observed anew.
    pub fn want_look(&mut self) {
        self.look = true;
        self.looking_rest = None;
    }

    /// The kernel was observed, or could not be.
    pub fn observed_now(
        &mut self,
        result: Result<Observed, KernelError>,
        settings: &Settings,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        self.work = Work::Idle;
        match result {
            Ok(observed) => {
                self.report_drift(&observed, reports);
                self.observed = Some(observed);
                self.replan = true;
                self.looking_rest = None;
                self.failure = None;
                self.next_probe = now.monotonic + settings.probe;
                self.next_audit = now.monotonic + settings.audit;
            }
            Err(error) => {
                self.look = true;
                let rest = Rest::after(self.looking_rest.as_ref(), error.clone(), now);
                self.looking_rest = Some(rest);
                if self.failure.as_ref() != Some(&error) {
                    reports.push(Report::KernelFailed(error.clone()));
                }
                self.failure = Some(error);
            }
        }
    }

    /// Tells of sets that differ from what they were when all was well.
    fn report_drift(&self, fresh: &Observed, reports: &mut Vec<Report>) {
        let Some(known) = self.observed.as_ref().filter(|_| self.in_sync) else { return };
        let ours = known.sets.iter().filter(|(_, set)| set.standing == Standing::Ours);
        for (name, known) in ours {
            let drift = match fresh.sets.get(name) {
                None => "the set was destroyed or renamed".to_owned(),
                Some(set) if set.standing != Standing::Ours => "the set was replaced".to_owned(),
                Some(set) => match (&set.members, &known.members) {
                    (Some(found), Some(expected)) if found != expected => {
                        let missing = expected.difference(found).len();
                        let extra = found.difference(expected).len();
                        format!("{missing} members were taken out, {extra} were put in")
                    }
                    _ => continue,
                },
            };
            reports.push(Report::Drifted { set: name.clone(), drift });
        }
    }

    /// A plan was carried out.
    pub fn applied(
        &mut self,
        outcome: Outcome,
        observed: Observed,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        self.work = Work::Idle;
        self.observed = Some(observed);
        self.look |= outcome.look_again;
        self.replan = true;
        for set in outcome.sets {
            match &set.result {
                Ok(()) => {
                    self.rests.remove(&set.set);
                    let times = self.sets.entry(set.set.clone()).or_default();
                    times.applied = Some(now.wall);
                    times.verified = Some(now.wall);
                }
                Err(error) => {
                    let rest = Rest::after(self.rests.get(&set.set), error.clone(), now);
                    self.rests.insert(set.set.clone(), rest);
                }
            }
            reports.push(Report::SetApplied(set));
        }
    }

    /// Sets were probed.
    pub fn probed(&mut self, probed: Vec<Probed>, now: Now, reports: &mut Vec<Report>) {
        self.work = Work::Idle;
        for probe in probed {
            if let Some(took) = probe.counted_in {
                let times = self.sets.entry(probe.set.clone()).or_default();
                times.next_count = now.monotonic + took.saturating_mul(COUNT_SHARE);
            }
            match probe.result {
                Ok(Found { drift: Some(_), .. }) => self.want_look(),
                Ok(Found { drift: None, references }) => {
                    let observed = self.observed.as_mut();
                    let seen = observed.and_then(|observed| observed.sets.get_mut(&probe.set));
                    if let (Some(seen), Some(references)) = (seen, references) {
                        seen.header.references = references;
                    }
                }
                Err(error) => {
                    self.want_look();
                    reports.push(Report::KernelFailed(error));
                }
            }
        }
    }

    /// Asks for the next piece of work. There is no policy, and so no plan,
    /// while the feeds are not ready.
    pub fn decide(
        &mut self,
        desired: &Desired,
        settings: &Settings,
        policy: Option<Policy>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        if self.work != Work::Idle {
            return;
        }
        if self.look || now.monotonic >= self.next_audit {
            if self.looking_rest.as_ref().is_none_or(|rest| rest.until <= now.monotonic) {
                self.look = false;
                self.work = Work::Observing;
                actions.push(Action::Observe);
            }
            return;
        }
        let Some(mut policy) = policy else { return };
        self.replan |= self.rests.values().any(|rest| rest.until <= now.monotonic);
        if self.replan {
            let resting = self.rests.iter().filter(|(_, rest)| rest.until > now.monotonic);
            policy.resting.extend(resting.map(|(set, _)| set.clone()));
            self.replan(desired, &policy, now, actions);
        } else if now.monotonic >= self.next_probe {
            self.next_probe = now.monotonic + settings.probe;
            self.probe(now, actions);
        }
    }

    fn replan(&mut self, desired: &Desired, policy: &Policy, now: Now, actions: &mut Vec<Action>) {
        let Some(observed) = &self.observed else { return };
        let plan = plan(desired, observed, policy);
        self.replan = false;
        self.rests.retain(|set, _| {
            let planned = plan.sets.iter().find(|planned| planned.set == *set);
            planned.is_some_and(|planned| match &planned.route {
                Route::None => false,
                Route::Blocked(obstacle) => *obstacle == Obstacle::Resting,
                _ => true,
            })
        });
        for set in plan.sets.iter().filter(|set| set.route == Route::None) {
            self.sets.entry(set.set.clone()).or_default().verified = Some(now.wall);
        }
        let observed = observed.clone();
        self.note_blocked(&plan, actions);
        if plan.has_work() {
            self.in_sync = false;
            self.work = Work::Applying;
            actions.push(Action::Apply(plan, observed));
        } else {
            let was_in_sync = std::mem::replace(&mut self.in_sync, plan.is_empty());
            if self.in_sync && !was_in_sync {
                actions.push(Action::Report(Report::InSync));
            }
        }
    }

    /// Remembers, and tells once, what a plan can do nothing about.
    fn note_blocked(&mut self, plan: &Plan, actions: &mut Vec<Action>) {
        let blocked = plan.sets.iter().filter_map(|planned| match &planned.route {
            Route::Blocked(Obstacle::Resting) | Route::None => None,
            Route::Blocked(obstacle) => Some((planned.set.clone(), obstacle.to_string())),
            _ => None,
        });
        let blocked: BTreeMap<_, _> = blocked.collect();
        for (set, obstacle) in &blocked {
            if self.blocked.get(set) != Some(obstacle) {
                let (set, obstacle) = (set.clone(), obstacle.clone());
                actions.push(Action::Report(Report::SetBlocked { set, obstacle }));
            }
        }
        self.blocked = blocked;
    }

    /// Probes every set that is as desired, and looks whether what blocks
    /// another still does.
    fn probe(&mut self, now: Now, actions: &mut Vec<Action>) {
        let Some(observed) = &self.observed else { return };
        self.turn = self.turn.wrapping_add(1);
        let probes = observed.sets.iter().filter_map(|(name, set)| {
            let members = set.members.clone().filter(|_| set.standing == Standing::Ours);
            let blocked = self.blocked.contains_key(name);
            (members.is_some() || blocked).then(|| Probe {
                known: set.header.clone(),
                count: self.times(name).next_count <= now.monotonic,
                members,
                turn: self.turn,
            })
        });
        let probes: Vec<_> = probes.collect();
        if !probes.is_empty() {
            self.work = Work::Probing;
            actions.push(Action::Probe(probes));
        }
    }

    /// When something will be due without an event.
    pub fn wake_at(&self) -> Option<Duration> {
        if self.work != Work::Idle {
            return None;
        }
        let rests = self.rests.values().chain(&self.looking_rest).map(|rest| rest.until);
        let regular = self.observed.iter().flat_map(|_| [self.next_probe, self.next_audit]);
        rests.chain(regular).min()
    }
}
