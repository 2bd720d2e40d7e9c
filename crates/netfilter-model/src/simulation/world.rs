//! A world around the planner: what is desired, a kernel that may fail, and a
//! daemon that is no more than its picture of the kernel. A round is what the
//! daemon does when it acts: look if it must, plan, apply.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use blocklist::{AnyPrefix, Family};
use netfilter::Netfilter;
use reconcile::{
    Desired, End, Hook, Kernel, Members, Observed, Part, Plan, Policy, Rule, RuleSet, SetName,
    SetPrefix, Target, Update, Verdict, apply, plan,
};

use crate::sets::{RawName, covers, length};
use crate::{Invariant, Loopback, Machine, ModelKernel, Violation, members, universe};

/// By which way the daemon reaches the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelWay {
    /// Typed ops, straight into the model.
    Ops,
    /// The real driver, its bytes decoded by the loopback.
    Bytes,
}

/// Rounds after the last fault until everything must be in sync.
const ROUNDS_MAX: usize = 2;

/// The prefix of the daemon's sets.
pub(crate) fn prefix() -> SetPrefix {
    SetPrefix::new("denyset-").expect("a good prefix")
}

/// The name of a list's set.
pub(crate) fn live(list: &str, family: Family) -> SetName {
    prefix().live(list, family).expect("a good name")
}

/// What no list of the simulation ever holds: an address in the middle of
/// each family's world.
pub(crate) fn never() -> Vec<AnyPrefix> {
    let middle = |family: Family| {
        universe(family).into_iter().filter(move |&one| length(one) == family.bits()).nth(9)
    };
    Family::ALL.into_iter().filter_map(middle).collect()
}

/// The members among these that a list may hold, none inside another.
pub(super) fn permitted(list: &[AnyPrefix]) -> BTreeSet<AnyPrefix> {
    let never = never();
    let free = |one: &&AnyPrefix| !never.iter().any(|&other| covers(**one, other));
    let free: BTreeSet<_> = list.iter().filter(free).copied().collect();
    let inside = |one: AnyPrefix| free.iter().any(|&other| other != one && covers(other, one));
    free.iter().copied().filter(|&one| !inside(one)).collect()
}

/// One host, its daemon and the desired state.
pub(super) struct SimulatedWorld {
    /// A handle to the host.
    pub(super) kernel: ModelKernel,
    way: ModelWay,
    update: Update,
    subject: Box<dyn Kernel>,
    desired: Desired,
    /// The daemon's picture. None: it must look first.
    observed: Option<Observed>,
    salt: u64,
    /// Bytes of memory that are available, if there is an end to them.
    available: Option<u64>,
}

impl SimulatedWorld {
    /// An empty host and a daemon that has just started.
    pub(super) fn new(way: ModelWay, update: Update) -> Self {
        let kernel = ModelKernel::new(prefix());
        kernel.machine().checker.never = never();
        let subject = subject(&kernel, way);
        let desired = Desired::default();
        let (observed, available) = (None, None);
        Self { kernel, way, update, subject, desired, observed, salt: 1, available }
    }

    /// From now on the sets of this list are to hold these members.
    pub(super) fn desire(&mut self, list: &str, wanted: &[AnyPrefix]) {
        for family in Family::ALL {
            let name = live(list, family);
            let wanted: BTreeSet<_> =
                wanted.iter().copied().filter(|one| one.family() == family).collect();
            self.kernel.machine().expect(&(&name).into(), wanted.clone());
            self.desired.sets.insert(name, Target::of(members(family, &wanted)));
        }
    }

    /// There is no such list any more.
    pub(super) fn remove(&mut self, list: &str) {
        for family in Family::ALL {
            let name = live(list, family);
            self.kernel.machine().checker.release(&(&name).into());
            self.desired.sets.remove(&name);
        }
    }

    /// Rules refer to this list's sets from now on, where they exist.
    pub(super) fn refer(&mut self, list: &str) {
        for family in Family::ALL {
            self.kernel.machine().add_rule(&(&live(list, family)).into());
        }
    }

    /// From now on our own rules are to ask the sets of these lists.
    pub(super) fn rule(&mut self, lists: &[&str]) {
        let of = |family| {
            let rules = lists.iter().map(|list| Rule {
                name: (*list).to_owned(),
                set: live(list, family),
                end: End::Source,
                hook: Hook::Prerouting,
                verdict: Verdict::Drop,
                ports: Vec::new(),
                interfaces: Vec::new(),
                new_only: false,
                sample: None,
            });
            RuleSet::new(&prefix(), family, rules)
        };
        self.desired.rules = Family::ALL.map(of).into();
        if let Some(observed) = &mut self.observed {
            observed.expect_rules(&self.desired.rules);
        }
    }

    /// There is hardly any memory until faults end.
    pub(super) fn scarce(&mut self) {
        self.available = Some(10_000);
    }

    /// No rule refers to this list's sets any more.
    pub(super) fn release(&mut self, list: &str) {
        for family in Family::ALL {
            self.kernel.machine().drop_rules(&(&live(list, family)).into());
        }
    }

    /// Kills the daemon, if it is not dead already, and starts another.
    pub(super) fn restart(&mut self) {
        self.kernel.machine().start_daemon();
        self.observed = None;
        self.salt += 1;
        self.subject = subject(&self.kernel, self.way);
    }

    /// The daemon forgets its picture, as after a probe that noticed something.
    pub(super) fn doubt(&mut self) {
        self.observed = None;
    }

    /// One round: all that rules could notice, then the memory of what was
    /// before. True if nothing was left to do.
    pub(super) fn round(&mut self) -> bool {
        let Some(plan) = self.plan() else { return false };
        if !plan.has_work() {
            return plan.is_empty();
        }
        if plan.is_urgent() && !self.carry_out(&plan, Part::Urgent) {
            return false;
        }
        while let Some(plan) = self.plan_without_looking() {
            if plan.is_urgent() || !plan.has_work() || !self.carry_out(&plan, Part::Later) {
                break;
            }
        }
        false
    }

    /// Whether it went well enough to go on without a look.
    fn carry_out(&mut self, plan: &Plan, part: Part) -> bool {
        let Some(mut observed) = self.observed.take() else { return false };
        let go_on = &mut |_| ControlFlow::Continue(());
        let outcome = apply(plan, part, &mut &mut *self.subject, &mut observed, go_on);
        if !outcome.look_again {
            self.observed = Some(observed);
        }
        !outcome.look_again && outcome.objects.iter().all(|object| object.result.is_ok())
    }

    /// The next plan by the picture that there is.
    fn plan_without_looking(&self) -> Option<Plan> {
        let observed = self.observed.as_ref()?;
        Some(plan(&self.desired, observed, &self.policy()))
    }

    fn policy(&self) -> Policy {
        let mut policy = Policy::new(prefix(), self.salt);
        (policy.update, policy.available) = (self.update, self.available);
        policy
    }

    /// The next plan, after a look if one is due. None if looking failed.
    fn plan(&mut self) -> Option<Plan> {
        let policy = self.policy();
        if self.observed.is_none() {
            let mut kernel = &mut *self.subject;
            self.observed =
                Observed::look(&policy.prefix, &mut kernel, self.observed.as_ref()).ok();
            if let Some(observed) = &mut self.observed {
                observed.look_for_rules(&self.desired.rules, &mut kernel);
            }
        }
        self.observed.as_ref().map(|observed| plan(&self.desired, observed, &policy))
    }

    /// Ends all faults and demands that everything is in sync soon, with
    /// nothing left over and nothing left to do.
    pub(super) fn converge(&mut self) {
        let wanted: BTreeSet<RawName> = self.desired.sets.keys().map(RawName::from).collect();
        self.kernel.machine().end_faults(&wanted);
        self.available = None;
        if self.kernel.machine().crashed() {
            self.restart();
        }
        self.doubt();
        let rounds = (0..=ROUNDS_MAX).find(|_| self.round());
        let mut complaints = Vec::new();
        if rounds.is_none() {
            let plan = self.plan();
            complaints.push(format!("still to do after {ROUNDS_MAX} rounds: {plan:?}"));
        }
        let mut machine = self.kernel.machine();
        let desired = self.desired.sets.iter();
        let desired = desired.map(|(set, target)| (set.clone(), target.members.clone()));
        complaints.extend(differences(&desired.collect(), &machine));
        let wanted_rules = self.desired.rules.iter();
        complaints.extend(wanted_rules.filter_map(|wanted| {
            let found = machine.table(wanted.family());
            let as_wanted = found.map_or(wanted.rules().is_empty(), |found| found == wanted);
            (!as_wanted).then(|| format!("{found:?} stand instead of {wanted:?}"))
        }));
        let step = machine.steps();
        for text in complaints {
            machine.checker.report(step, Invariant::Converges, text);
        }
        for name in &wanted {
            machine.checker.settle(name);
        }
        drop(machine);
        self.stay_idle(step);
    }

    /// In sync, another round asks the kernel nothing.
    fn stay_idle(&mut self, before: u64) {
        if self.kernel.machine().checker.violations().is_empty() {
            let idle = self.round();
            let mut machine = self.kernel.machine();
            if !idle || machine.steps() != before {
                let text = "a round in sync found work".to_owned();
                machine.checker.report(before, Invariant::Idle, text);
            }
        }
    }

    /// What was broken so far.
    pub(super) fn violations(&self) -> Vec<Violation> {
        self.kernel.machine().checker.violations().to_vec()
    }
}

pub(crate) fn subject(kernel: &ModelKernel, way: ModelWay) -> Box<dyn Kernel> {
    match way {
        ModelWay::Ops => Box::new(kernel.clone()),
        ModelWay::Bytes => {
            let driver = Netfilter::over(Loopback::new(kernel.clone()));
            Box::new(driver.expect("the model has every version that is needed"))
        }
    }
}

/// Where the kernel's sets with our names are not what is desired.
pub(super) fn differences(desired: &BTreeMap<SetName, Members>, machine: &Machine) -> Vec<String> {
    let mut found = Vec::new();
    for (name, wanted) in desired {
        let held =
            machine.sets.get(&name.into()).map(|slot| members(name.family(), &slot.set.members));
        if held.as_ref() != Some(wanted) {
            found.push(format!("{name} holds {held:?} instead of {wanted:?}"));
        }
    }
    for (name, _) in machine.sets.iter() {
        let ours = prefix().recognise(&name.0);
        if ours.is_some_and(|ours| !desired.contains_key(&ours)) {
            found.push(format!("{name} is left over"));
        }
    }
    found
}
