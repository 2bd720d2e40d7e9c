//! Long runs by seed: everything at once, as chance has it.

use blocklist::{AnyPrefix, Family};
use reconcile::Update;

use super::RunReport;
use super::scenario::every_fault;
use super::world::{ModelWay, SimulatedWorld, live, permitted};
use crate::sets::RawName;
use crate::{Fault, Hand, ModelKernel, Random, prefixes};

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// By which way the daemon reaches the kernel. None: as the seed has it.
    pub way: Option<ModelWay>,
    /// How often a fault is put in store, of a hundred steps.
    pub fault_percent: usize,
    /// Whether others change sets too. Without them nothing may ever be
    /// written in vain.
    pub foreign_hands: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { way: None, fault_percent: 30, foreign_hands: true }
    }
}

/// Names of lists.
pub(super) const LISTS: [&str; 3] = ["drop", "edge", "x"];
/// Steps between two moments at which all must be well.
const CALM_EVERY: u64 = 25;
/// A fault strikes within so many requests.
const FAULT_WITHIN: usize = 40;

/// Lets a world live for `steps` steps: lists come, change and go, rules
/// refer to sets, daemons crash, requests fail, others interfere. Now and
/// then the faults end and all must be well. Ends at the first broken promise.
/// The same arguments give the same run.
pub fn simulate(seed: u64, steps: u64, options: &RunOptions) -> RunReport {
    let mut random = Random::new(seed);
    let seeded = *random.pick(&[ModelWay::Ops, ModelWay::Bytes]);
    let update = *random.pick(&[Update::Auto, Update::Swap, Update::InPlace]);
    let mut world = SimulatedWorld::new(options.way.unwrap_or(seeded), update);
    for step in 1..=steps {
        if random.chance(options.fault_percent) {
            put_fault_in_store(&mut random, &world.kernel, options);
        }
        act(&mut random, &mut world, options);
        if step % CALM_EVERY == 0 || step == steps {
            world.converge();
        }
        if !world.violations().is_empty() {
            break;
        }
    }
    RunReport::of(&world.kernel)
}

fn act(random: &mut Random, world: &mut SimulatedWorld, options: &RunOptions) {
    let list = random.pick(&LISTS);
    match random.below(12) {
        0..3 => world.desire(list, &wanted(random)),
        3 => world.remove(list),
        4 => world.refer(list),
        5 => world.release(list),
        6 => world.doubt(),
        7 if random.chance(30) => world.restart(),
        8 if options.foreign_hands => {
            let (hand, name) = (random.pick(&Hand::ALL).clone(), target(random, &world.kernel));
            world.kernel.machine().foreign(&hand, &name);
        }
        _ => {
            world.round();
            if world.kernel.machine().crashed() {
                world.restart();
            }
        }
    }
}

fn wanted(random: &mut Random) -> Vec<AnyPrefix> {
    let some: Vec<_> =
        Family::ALL.into_iter().flat_map(|family| prefixes(random, family, 10)).collect();
    permitted(&some).into_iter().collect()
}

/// Any set that is there, ours more often than not.
pub(crate) fn target(random: &mut Random, kernel: &ModelKernel) -> RawName {
    let there: Vec<_> = kernel.machine().sets.iter().map(|(name, _)| name.clone()).collect();
    if there.is_empty() || random.chance(30) {
        return (&live(random.pick::<&str>(&LISTS), *random.pick(&Family::ALL))).into();
    }
    random.pick(&there).clone()
}

pub(crate) fn put_fault_in_store(random: &mut Random, kernel: &ModelKernel, options: &RunOptions) {
    let faults = every_fault();
    let fault = random.pick(&faults).clone();
    let foreign = matches!(fault, Fault::Foreign(..) | Fault::Reboot);
    if foreign && !options.foreign_hands {
        return;
    }
    let mut machine = kernel.machine();
    let step = machine.steps() + 1 + random.below(FAULT_WITHIN) as u64;
    machine.faults.at.insert(step, fault);
}
