//! The small cases, each a kernel in some state and one change of what is
//! desired, tried with every fault at every request.

use blocklist::{AnyPrefix, Family, Prefix};
use reconcile::{CHUNK_MAX, Update};

use super::RunReport;
use super::world::{ModelWay, SimulatedWorld, live, permitted};
use crate::sets::RawName;
use crate::{Code, Fault, FaultTarget, Faults, Hand, Invariant, RawSet, universe};

/// A small case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Nothing is there yet.
    FirstLoad,
    /// A few members change in a set that rules refer to.
    InPlace,
    /// More members change than one message carries.
    InPlaceLarge,
    /// A set that rules refer to is exchanged.
    Swap,
    /// The same of more members than one message carries, also when the old ones
    /// are released.
    SwapLarge,
    /// Somebody has flushed such a set: its members go where they block at once.
    Flushed,
    /// More members are to change than there is memory for.
    Scarce,
    /// Two lists of which one is removed.
    ListRemoved,
    /// A list is removed while a rule still refers to its sets.
    ListRemovedInUse,
    /// The same, and the rule came after the daemon last looked.
    ListRemovedUnseen,
    /// A daemon starts on what another has left, orphans included.
    Adoption,
    /// Somebody else's sets have names of ours.
    Squatters,
    /// A rule of our own comes with the first load.
    FirstRule,
    /// Our rules leave one list for another, which goes.
    RuleMoves,
    /// Our rules go, and the list with them.
    RuleGoes,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::FirstLoad,
        Self::InPlace,
        Self::InPlaceLarge,
        Self::Swap,
        Self::SwapLarge,
        Self::Flushed,
        Self::Scarce,
        Self::ListRemoved,
        Self::ListRemovedInUse,
        Self::ListRemovedUnseen,
        Self::Adoption,
        Self::Squatters,
        Self::FirstRule,
        Self::RuleMoves,
        Self::RuleGoes,
    ];

    /// The world just before the change is carried out, and nothing wrong yet.
    fn world(self, way: ModelWay) -> SimulatedWorld {
        let update = match self {
            Self::Swap | Self::SwapLarge => Update::Swap,
            Self::InPlaceLarge => Update::InPlace,
            _ => Update::Auto,
        };
        let mut world = SimulatedWorld::new(way, update);
        foreign_sets(&world);
        if self == Self::FirstLoad {
            world.desire("drop", &some(&[3, 5, 8, 12, 20]));
            return world;
        }
        if self == Self::FirstRule {
            world.desire("drop", &some(&[3, 5, 8, 12, 20]));
            world.rule(&["drop"]);
            return world;
        }
        if matches!(self, Self::RuleMoves | Self::RuleGoes) {
            world.desire("drop", &some(&[3, 5, 8, 12, 20]));
            world.desire("other", &some(&[2, 7]));
            world.rule(&["drop", "other"]);
            world.converge();
            world.rule(if self == Self::RuleMoves { &["drop"] } else { &[] });
            world.remove("other");
            return world;
        }
        if self == Self::Squatters {
            squat(&world);
            world.desire("drop", &some(&[3, 5, 8, 12, 20]));
            world.desire("other", &some(&[2, 7]));
            return world;
        }
        let before = if self.is_large() { many(0) } else { some(&[3, 5, 8, 12, 20]) };
        world.desire("drop", &before);
        world.desire("other", &some(&[2, 7]));
        world.converge();
        world.refer("drop");
        self.change(&mut world);
        world
    }

    fn is_large(self) -> bool {
        matches!(self, Self::InPlaceLarge | Self::SwapLarge | Self::Flushed | Self::Scarce)
    }

    fn change(self, world: &mut SimulatedWorld) {
        match self {
            Self::InPlaceLarge | Self::SwapLarge => world.desire("drop", &many(1)),
            Self::Flushed => {
                for family in Family::ALL {
                    let set = RawName::from(&live("drop", family));
                    world.kernel.machine().foreign(&Hand::Flush, &set);
                }
                world.doubt();
            }
            Self::Scarce => {
                world.scarce();
                world.desire("drop", &many(1));
            }
            Self::ListRemoved => world.remove("other"),
            Self::ListRemovedInUse => {
                world.refer("other");
                world.doubt();
                world.remove("other");
            }
            // The daemon has not looked since the rule came.
            Self::ListRemovedUnseen => {
                world.refer("other");
                world.remove("other");
            }
            Self::Adoption => {
                world.restart();
                orphan(world);
                world.desire("drop", &some(&[3, 6, 9, 13, 20]));
            }
            _ => world.desire("drop", &some(&[3, 6, 9, 13, 20])),
        }
    }

    /// Carries the change out with these faults in store, then demands that
    /// all is well in the end. Faults count from the first request of it.
    pub fn run(self, way: ModelWay, faults: &Faults) -> RunReport {
        let mut world = self.world(way);
        let start = world.kernel.machine().steps();
        let shifted = faults.at.iter().map(|(step, fault)| (step + start, fault.clone()));
        world.kernel.machine().faults.at = shifted.collect();
        world.round();
        let writes = world.kernel.machine().checker.writes;
        if world.kernel.machine().crashed() {
            world.restart();
        }
        world.round();
        if world.kernel.machine().crashed() {
            world.restart();
        }
        if faults.at.is_empty() && world.kernel.machine().checker.writes != writes {
            let mut machine = world.kernel.machine();
            let step = machine.steps();
            let text = "nothing went wrong, and one round was not enough".to_owned();
            machine.checker.report(step, Invariant::Idle, text);
        }
        world.converge();
        let mut report = RunReport::of(&world.kernel);
        report.requests -= start;
        report
    }

    /// No fault, then every fault at every request, each in a world of its own. Returns the
    /// number of runs and the first that broke a promise.
    pub fn exhaust(self, way: ModelWay) -> (u64, Option<(Faults, RunReport)>) {
        let mut runs = 1;
        let calm = self.run(way, &Faults::default());
        if !calm.violations.is_empty() {
            return (runs, Some((Faults::default(), calm)));
        }
        for step in 1..=calm.requests {
            for fault in every_fault() {
                runs += 1;
                let faults = Faults::once(step, fault);
                let report = self.run(way, &faults);
                if !report.violations.is_empty() {
                    return (runs, Some((faults, report)));
                }
            }
        }
        (runs, None)
    }
}

/// Everything that can happen at one step.
pub(super) fn every_fault() -> Vec<Fault> {
    let refusals = [Code::MEMORY, Code::SWAP_BUSY, Code::SET_BUSY, Code::HASH_FULL, Code::DENIED];
    let mut faults: Vec<_> = refusals.into_iter().map(Fault::Refuse).collect();
    faults.extend([0, 1, 3].map(|done| Fault::Partly { done, code: Code::MEMORY }));
    faults.extend([
        Fault::LoseReply,
        Fault::DelayReply,
        Fault::Overrun,
        Fault::LoseRequest,
        Fault::TearDump,
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::Reboot,
    ]);
    let in_use = RawName::from(&live("drop", Family::Ipv4));
    for target in [FaultTarget::Addressed, FaultTarget::Other, FaultTarget::Named(in_use)] {
        let hands = Hand::ALL.into_iter();
        faults.extend(hands.map(|hand| Fault::Foreign(hand, target.clone())));
    }
    faults
}

/// Members of both families, by their places in the small world.
pub(super) fn some(places: &[usize]) -> Vec<AnyPrefix> {
    let of = |family| {
        let world = universe(family);
        places.iter().map(move |&place| world[place])
    };
    permitted(&Family::ALL.into_iter().flat_map(of).collect::<Vec<_>>()).into_iter().collect()
}

/// Members of which the next version replaces more than one message carries.
fn many(version: u32) -> Vec<AnyPrefix> {
    let count = u32::try_from(CHUNK_MAX).expect("small") + 200;
    let number =
        |place: u32| if place.is_multiple_of(10) { place } else { place + version * count };
    (0..count).map(|place| Prefix::host(0x0a00_0000 + number(place)).into()).collect()
}

/// Sets that are no business of ours, whatever they are called.
fn foreign_sets(world: &SimulatedWorld) {
    let mut machine = world.kernel.machine();
    for name in ["blocklist", "denyset", "denyset-", "denyset-drop-v5", "denyset-.x-v4", ""] {
        let mut set = RawSet::hash_net(Family::Ipv4);
        set.members.extend(universe(Family::Ipv4));
        machine.put_foreign(&name.into(), &set);
    }
}

/// Somebody else's sets under the names of our next set and shadow.
fn squat(world: &SimulatedWorld) {
    let mut machine = world.kernel.machine();
    let taken = RawSet::hash_net(Family::Ipv4);
    machine.put_foreign(&(&live("drop", Family::Ipv4)).into(), &taken);
    let of_another_type = RawSet { type_name: "hash:ip".to_owned(), ..taken.clone() };
    machine.put_foreign(&"denyset-.0-v4".into(), &of_another_type);
    machine.put_foreign(&"denyset-.0-v6".into(), &taken);
}

/// What a crash leaves behind: a shadow that is half filled.
fn orphan(world: &SimulatedWorld) {
    let mut set = RawSet::hash_net(Family::Ipv4);
    set.initval = super::world::prefix().initval(99, Family::Ipv4);
    set.members.extend(universe(Family::Ipv4).into_iter().skip(20));
    world.kernel.machine().put_foreign(&"denyset-.0-v4".into(), &set);
}
