//! What the daemon does to the kernel, in this process and in the network namespace of
//! the calling thread: planned and carried out by the same crates, with a clock at every
//! op.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;

use blocklist::AnyPrefix;
use netfilter::Netfilter;
use reconcile::{
    Chunk, Desired, Kernel, KernelError, Members, Observe, Observed, Op, Part, Plan, Policy,
    RuleSet, RulesFound, Series, SetHeader, SetName, SetPrefix, Stage, Target, WriteOrder, apply,
    plan,
};

use super::{FREED, Took, pass};
use crate::Failure;

/// What our figures are called in tables.
pub(in crate::bench) const OURS: &str = "denyset";

/// The list whose sets these are.
const LIST: &str = "drop";

/// The kernel, and what is known of it.
pub(in crate::bench) struct Session {
    kernel: Watched,
    observed: Observed,
    policy: Policy,
}

/// What it took to bring a set to other members.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Brought {
    /// All of it, planning included.
    pub(in crate::bench) all: Took,
    /// Members ordered and written, and nothing else.
    pub(in crate::bench) written: Took,
}

impl Session {
    /// With what is there.
    pub(in crate::bench) fn open() -> Result<Self, Failure> {
        let prefix = SetPrefix::new("denyset-")?;
        let mut kernel = Watched { kernel: Netfilter::open()?, spent: RefCell::default() };
        let observed = Observed::look(&prefix, &mut kernel, None)?;
        Ok(Self { kernel, observed, policy: Policy::new(prefix, 0x5eed) })
    }

    /// The name of the set of these members.
    pub(in crate::bench) fn set(&self, members: &Members) -> Result<SetName, Failure> {
        Ok(self.policy.prefix.live(LIST, members.family())?)
    }

    /// The kernel behind it.
    pub(in crate::bench) fn kernel(&mut self) -> &mut Netfilter {
        &mut self.kernel.kernel
    }

    /// Brings the set to these members as an update does: what nobody waits for is left.
    pub(in crate::bench) fn bring(&mut self, members: &Members) -> Result<Brought, Failure> {
        let set = self.set(members)?;
        let sets = [(set, Target::of(members.clone()))].into();
        let desired = Desired { sets, rules: Vec::new() };
        self.kernel.spent.take();
        let (done, all) = Took::of(|| {
            let plan = plan(&desired, &self.observed, &self.policy);
            self.carry_out(&plan, Part::Urgent)
        });
        done?;
        let written = self.kernel.spent([Stage::Add, Stage::Delete]);
        Ok(Brought { all, written })
    }

    /// Gives the memory back of members that nobody sees any more.
    pub(in crate::bench) fn release(&mut self, members: &Members) -> Result<(), Failure> {
        let set = self.set(members)?;
        let sets = [(set, Target::of(members.clone()))].into();
        let desired = Desired { sets, rules: Vec::new() };
        loop {
            let plan = plan(&desired, &self.observed, &self.policy);
            if !plan.has_work() {
                return Ok(());
            }
            self.carry_out(&plan, Part::Later)?;
        }
    }

    fn carry_out(&mut self, plan: &Plan, part: Part) -> Result<(), Failure> {
        let mut on = |_| ControlFlow::Continue(());
        let outcome = apply(plan, part, &mut self.kernel, &mut self.observed, &mut on);
        let failed = outcome.objects.into_iter().find_map(|object| object.result.err());
        failed.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Takes all sets away, and waits until their memory is free.
    pub(in crate::bench) fn clear(mut self) -> Result<(), Failure> {
        let sets: Vec<_> = self.observed.sets.keys().cloned().collect();
        for set in sets {
            self.kernel.execute(&Op::Destroy(set))?;
        }
        pass(FREED);
        Ok(())
    }
}

/// The kernel with a clock.
struct Watched {
    kernel: Netfilter,
    /// What each kind of work took. Members that are ordered, added and deleted are one.
    spent: RefCell<HashMap<Stage, Took>>,
}

impl Watched {
    fn spent(&self, stages: [Stage; 2]) -> Took {
        let spent = self.spent.borrow();
        let found = stages.iter().filter_map(|stage| spent.get(stage));
        found.fold(Took::default(), |sum, took| sum.and(*took))
    }

    fn note(&self, stage: Stage, took: Took) {
        let mut spent = self.spent.borrow_mut();
        let sum = spent.entry(stage).or_default();
        *sum = sum.and(took);
    }
}

impl Observe for Watched {
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        self.kernel.sets(prefix)
    }
    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        self.kernel.header(set)
    }
    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        self.kernel.members(set)
    }
    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        self.kernel.absent(set, chunk)
    }
    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        self.kernel.matches(set, address)
    }
    fn rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        self.kernel.rules(wanted)
    }
}

impl Kernel for Watched {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        let stage = match op {
            Op::Add { .. } => Stage::Add,
            Op::Delete { .. } => Stage::Delete,
            Op::Create(_) => Stage::Create,
            Op::Swap { .. } => Stage::Swap,
            Op::Retire { .. } => Stage::Retire,
            Op::Flush(_) => Stage::Flush,
            Op::Destroy(_) => Stage::Destroy,
        };
        let (done, took) = Took::of(|| self.kernel.execute(op));
        self.note(stage, took);
        done
    }

    fn execute_series(
        &mut self,
        series: &Series,
        from: usize,
        done: &mut dyn FnMut(&Op) -> ControlFlow<()>,
    ) -> Result<(), KernelError> {
        let (outcome, took) = Took::of(|| self.kernel.execute_series(series, from, done));
        self.note(Stage::Add, took);
        outcome
    }

    fn order(&self, set: &SetHeader, members: &Members) -> WriteOrder {
        let (order, took) = Took::of(|| self.kernel.order(set, members));
        self.note(Stage::Add, took);
        order
    }
}
