//! A bench for plans: sets as they are seen and as they should be, in a few
//! words, and a kernel in memory that does what a plan says.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use blocklist::{AnyPrefix, Family, Prefixes};
use reconcile::{
    Capacity, Chunk, Desired, Hold, Kernel, KernelError, KernelErrorKind, Members, ObjectPlan,
    Observe, Observed, ObservedSet, Op, Outcome, Part, Phase, Plan, Policy, Presence, SetHeader,
    SetName, SetPrefix, Stage, Step, Target, apply, plan,
};

/// The prefix of our sets.
pub(crate) fn prefix() -> SetPrefix {
    SetPrefix::new("denyset-").expect("a good prefix")
}

/// A list's IPv4 set.
pub(crate) fn live(list: &str) -> SetName {
    prefix().live(list, Family::Ipv4).expect("a good name")
}

/// An IPv4 shadow.
pub(crate) fn shadow(number: u32) -> SetName {
    prefix().shadow(number, Family::Ipv4)
}

pub(crate) fn prefixes(texts: &[&str]) -> Prefixes {
    texts.iter().map(|text| text.parse::<AnyPrefix>().expect("a prefix")).collect()
}

/// These IPv4 members.
pub(crate) fn of(texts: &[&str]) -> Members {
    prefixes(texts).ipv4.into()
}

/// So many neighbouring addresses from this one on.
pub(crate) fn many(first: u32, count: u32) -> Members {
    let hosts =
        (first..first + count).map(|host| AnyPrefix::host(std::net::IpAddr::V4(host.into())));
    hosts.collect::<Prefixes>().ipv4.into()
}

/// What is seen, what is desired, and what may be done.
pub(crate) struct Bench {
    pub(crate) observed: Observed,
    pub(crate) desired: Desired,
    pub(crate) policy: Policy,
}

impl Bench {
    /// Nothing is there and nothing is desired.
    pub(crate) fn new() -> Self {
        let policy = Policy::new(prefix(), 7);
        Self { observed: Observed::default(), desired: Desired::default(), policy }
    }

    /// A set of ours is seen with these members.
    pub(crate) fn seen(mut self, set: &SetName, members: Members) -> Self {
        let capacity = Capacity::for_members(members.len());
        let seen = ours(set, capacity, members.len(), Some(members));
        self.observed.sets.insert(set.clone(), seen);
        self
    }

    /// Changes what is seen of a set.
    pub(crate) fn but(mut self, set: &SetName, change: impl FnOnce(&mut ObservedSet)) -> Self {
        change(self.observed.sets.get_mut(set).expect("it is seen"));
        self
    }

    /// A set should hold these.
    pub(crate) fn want(mut self, set: &SetName, members: Members) -> Self {
        self.desired.sets.insert(set.clone(), Target::of(members));
        self
    }

    /// A set should never hold these, whatever it should hold.
    pub(crate) fn never(mut self, set: &SetName, texts: &[&str]) -> Self {
        let target = self.desired.sets.get_mut(set).expect("it is desired");
        target.never = Arc::new(prefixes(texts));
        self
    }

    /// A set is held.
    pub(crate) fn held(mut self, set: &SetName, hold: Hold) -> Self {
        self.policy.held.insert(set.clone(), hold);
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&self.desired, &self.observed, &self.policy)
    }

    /// The plan for one set.
    pub(crate) fn plan_for(&self, set: &SetName) -> ObjectPlan {
        let objects = self.plan().objects;
        let found = objects.into_iter().find(|object| object.object.set() == Some(set));
        found.expect("there is a plan for it")
    }

    /// A kernel in which everything is as it is seen.
    pub(crate) fn kernel(&self) -> Sets {
        let mut kernel = Sets::default();
        for (name, seen) in &self.observed.sets {
            let members = seen.members.clone().unwrap_or(Members::none(name.family()));
            let members = (0..members.len()).map(|place| members.at(place)).collect();
            kernel.held.insert(name.clone(), (seen.header.clone(), members));
        }
        kernel
    }

    /// Carries one part out.
    pub(crate) fn carry_out(&mut self, part: Part, kernel: &mut Sets) -> Outcome {
        let go_on = &mut |_| ControlFlow::Continue(());
        apply(&self.plan(), part, kernel, &mut self.observed, go_on)
    }
}

fn ours(set: &SetName, capacity: Capacity, count: usize, members: Option<Members>) -> ObservedSet {
    let header = SetHeader {
        name: set.clone(),
        type_name: "hash:net".to_owned(),
        family: Some(set.family()),
        capacity,
        initval: Some(prefix().initval(1, set.family())),
        extensions: false,
        references: 0,
        elements: u32::try_from(count).expect("few"),
    };
    let standing = header.standing(&prefix());
    ObservedSet { header, standing, members, laid_out: None }
}

/// The steps of a plan in a few words: phase, verb, set, count.
pub(crate) fn steps(plan: &ObjectPlan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|planned| format!("{:?} {}", planned.phase, step(&planned.step)))
        .collect()
}

fn step(step: &Step) -> String {
    match step {
        Step::Create(spec) => format!("create {}", spec.name),
        Step::Fill { set, members } => format!("fill {set} {}", members.len()),
        Step::Verify { spec, members } => format!("verify {} {}", spec.name, members.len()),
        Step::Swap { shadow, live } => format!("swap {shadow} {live}"),
        Step::Add { set, members } => format!("add {set} {}", members.len()),
        Step::Delete { set, members } => format!("delete {set} {}", members.len()),
        Step::Retire { set, shadow } => format!("retire {set} {shadow}"),
        Step::Release { shadow, .. } => format!("release {shadow}"),
        Step::Destroy(set) => format!("destroy {set}"),
        Step::Put(rules) => format!("put the {} rules", rules.family()),
    }
}

/// A kernel that is no more than its sets.
#[derive(Default)]
pub(crate) struct Sets {
    pub(crate) held: BTreeMap<SetName, (SetHeader, BTreeSet<AnyPrefix>)>,
    /// The ops that were done, in a few words.
    pub(crate) ops: Vec<String>,
    /// Whatever is done at this stage to this set fails.
    pub(crate) failing: Option<(Stage, SetName, KernelErrorKind)>,
    /// Adds are acknowledged and not done.
    pub(crate) forgetful: bool,
    /// In the place of the first member of an add this one is added.
    pub(crate) mistaken: Option<AnyPrefix>,
}

impl Sets {
    /// How many members a set has.
    pub(crate) fn count(&self, set: &SetName) -> Option<usize> {
        self.held.get(set).map(|(_, members)| members.len())
    }

    fn trouble(&self, stage: Stage, set: &SetName) -> Result<(), KernelError> {
        match &self.failing {
            Some((at, which, kind)) if *at == stage && which == set => {
                Err(KernelError::new(stage, set, *kind))
            }
            _ => Ok(()),
        }
    }

    fn of(&mut self, set: &SetName, stage: Stage) -> Result<&mut BTreeSet<AnyPrefix>, KernelError> {
        let missing = || KernelError::new(stage, set, KernelErrorKind::NotFound);
        self.held.get_mut(set).map(|(_, members)| members).ok_or_else(missing)
    }
}

impl Observe for Sets {
    fn sets(&mut self, _: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        let names: Vec<_> = self.held.keys().cloned().collect();
        Ok(names.iter().filter_map(|name| self.header(name).ok().flatten()).collect())
    }

    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        self.trouble(Stage::List, set)?;
        Ok(self.held.get(set).map(|(header, members)| SetHeader {
            elements: u32::try_from(members.len()).expect("few"),
            ..header.clone()
        }))
    }

    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        self.trouble(Stage::Dump, set)?;
        let held: Prefixes = self.of(set, Stage::Dump)?.iter().copied().collect();
        Ok(match set.family() {
            Family::Ipv4 => held.ipv4.into(),
            Family::Ipv6 => held.ipv6.into(),
        })
    }

    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        self.trouble(Stage::Test, set)?;
        let held = self.of(set, Stage::Test)?;
        Ok(chunk.iter().filter(|member| !held.contains(member)).count())
    }

    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        Ok(self.of(set, Stage::Test)?.contains(&address))
    }
}

impl Kernel for Sets {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        let (forgetful, mistaken) = (self.forgetful, self.mistaken);
        let (stage, word) = match op {
            Op::Create(spec) => (Stage::Create, format!("create {}", spec.name)),
            Op::Add { set, chunk, .. } => (Stage::Add, format!("add {set} {}", chunk.len())),
            Op::Delete { set, chunk } => (Stage::Delete, format!("delete {set} {}", chunk.len())),
            Op::Swap { shadow, live } => (Stage::Swap, format!("swap {shadow} {live}")),
            Op::Retire { set, shadow } => (Stage::Retire, format!("retire {set} {shadow}")),
            Op::Flush(set) => (Stage::Flush, format!("flush {set}")),
            Op::Destroy(set) => (Stage::Destroy, format!("destroy {set}")),
        };
        self.trouble(stage, op.set())?;
        match op {
            Op::Create(spec) => {
                let mut seen = ours(&spec.name, spec.capacity, 0, None);
                seen.header.initval = Some(spec.initval);
                self.held.insert(spec.name.clone(), (seen.header, BTreeSet::new()));
            }
            Op::Add { set, chunk, presence } => {
                let held = self.of(set, stage)?;
                let fresh = chunk.iter().all(|member| !held.contains(&member));
                if *presence == Presence::New && !fresh {
                    return Err(KernelError::new(stage, set, KernelErrorKind::Exists));
                }
                if !forgetful {
                    let skip = usize::from(mistaken.is_some());
                    held.extend(chunk.iter().skip(skip).chain(mistaken));
                }
            }
            Op::Delete { set, chunk } => {
                let gone: BTreeSet<_> = chunk.iter().collect();
                self.of(set, stage)?.retain(|member| !gone.contains(member));
            }
            Op::Swap { shadow, live } => {
                let first = self.held.remove(shadow).expect("the shadow is there");
                let second = self.held.remove(live).expect("the set is there");
                let named = |name: &SetName, references, (mut header, members): (SetHeader, _)| {
                    header.name = name.clone();
                    header.references = references;
                    (header, members)
                };
                let (of_shadow, of_live) = (first.0.references, second.0.references);
                self.held.insert(live.clone(), named(live, of_live, first));
                self.held.insert(shadow.clone(), named(shadow, of_shadow, second));
            }
            Op::Retire { set, shadow } => {
                let (mut header, members) = self.held.remove(set).expect("the set is there");
                header.name = shadow.clone();
                self.held.insert(shadow.clone(), (header, members));
            }
            Op::Flush(set) => self.of(set, stage)?.clear(),
            Op::Destroy(set) => drop(self.held.remove(set)),
        }
        self.ops.push(word);
        Ok(())
    }
}

/// Whether the phases of all steps come in their order.
pub(crate) fn is_in_order(plan: &ObjectPlan) -> bool {
    let phases: Vec<Phase> = plan.steps.iter().map(|planned| planned.phase).collect();
    phases.is_sorted()
}
