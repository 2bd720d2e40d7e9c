//! The checker itself: a daemon that breaks a promise is caught, one that
//! keeps them is not.

use std::collections::BTreeSet;

use blocklist::{AnyPrefix, Family};
use netfilter_model::{Invariant, ModelKernel, RawName, RawSet, members, universe};
use reconcile::{Capacity, Chunk, Kernel, Observe, Op, Presence, SetName, SetPrefix, SetSpec};

const FAMILY: Family = Family::Ipv4;

fn prefix() -> SetPrefix {
    SetPrefix::new("denyset-").expect("a good prefix")
}

fn live() -> SetName {
    prefix().live("drop", FAMILY).expect("a good name")
}

fn shadow() -> SetName {
    prefix().shadow(0, FAMILY)
}

fn create(name: SetName) -> Op {
    let capacity = Capacity { hashsize: 64, maxelem: 100 };
    Op::Create(SetSpec { initval: prefix().initval(1, FAMILY), name, capacity })
}

fn chunk(places: &[usize]) -> Chunk {
    let world = universe(FAMILY);
    let all: BTreeSet<AnyPrefix> = places.iter().map(|&place| world[place]).collect();
    let members = members(FAMILY, &all);
    let whole = 0..members.len();
    Chunk::new(members, whole).expect("few members")
}

fn add(set: SetName, places: &[usize]) -> Op {
    Op::Add { set, chunk: chunk(places), presence: Presence::Any }
}

/// A host with one live set that holds three members and is to go on doing so,
/// and a rule that refers to it.
fn host() -> ModelKernel {
    let mut kernel = ModelKernel::new(prefix());
    kernel.sets(&prefix()).expect("sets can be listed");
    kernel.execute(&create(live())).expect("the name is free");
    kernel.execute(&add(live(), &[2, 3, 5])).expect("there is room");
    let mut machine = kernel.machine();
    let name = RawName::from(&live());
    machine.expect(&name, chunk(&[2, 3, 5]).iter().collect());
    machine.checker.settle(&name);
    assert!(machine.add_rule(&name));
    drop(machine);
    kernel
}

/// What the checker says of these ops, done by a daemon that has looked.
fn check(ops: &[Op], broken: Option<Invariant>) {
    let mut kernel = host();
    kernel.sets(&prefix()).expect("sets can be listed");
    for op in ops {
        drop(kernel.execute(op));
    }
    let machine = kernel.machine();
    let first = machine.checker.violations().first().map(|violation| violation.invariant);
    assert_eq!(first, broken, "{ops:?}: {:?}", machine.checker.violations());
}

#[test]
fn a_broken_promise_is_noticed() {
    let swap = || Op::Swap { shadow: shadow(), live: live() };
    check(&[], None);
    check(&[Op::Flush(live())], Some(Invariant::WholeOrOld));
    check(&[Op::Destroy(live())], Some(Invariant::NoDanglingRule));
    check(&[Op::Delete { set: live(), chunk: chunk(&[3]) }], Some(Invariant::WholeOrOld));
    check(&[Op::Delete { set: live(), chunk: chunk(&[9]) }], Some(Invariant::NoWaste));
    check(&[add(live(), &[9])], Some(Invariant::WholeOrOld));
    check(&[add(live(), &[2])], Some(Invariant::NoWaste));
    check(&[create(shadow()), add(shadow(), &[2]), swap()], Some(Invariant::WholeOrOld));
    check(&[create(shadow()), add(shadow(), &[2, 3, 5]), swap()], None);
}

#[test]
fn a_removal_before_the_first_look_is_noticed() {
    let mut kernel = host();
    kernel.machine().start_daemon();
    drop(kernel.execute(&Op::Delete { set: live(), chunk: chunk(&[3]) }));
    let machine = kernel.machine();
    assert!(machine.checker.violations().iter().any(|one| one.invariant == Invariant::Gate));
}

#[test]
fn what_must_never_be_blocked_is_noticed_in_a_shadow_too() {
    let mut kernel = host();
    kernel.machine().checker.never = vec![universe(FAMILY)[4]];
    kernel.execute(&create(shadow())).expect("the name is free");
    drop(kernel.execute(&add(shadow(), &[0])));
    let machine = kernel.machine();
    let first = machine.checker.violations().first().map(|violation| violation.invariant);
    assert_eq!(first, Some(Invariant::AllowWins));
}

#[test]
fn a_foreign_set_that_is_written_or_listed_is_noticed() {
    let read = |kernel: &mut ModelKernel| drop(kernel.members(&shadow()));
    let write = |kernel: &mut ModelKernel| drop(kernel.execute(&add(shadow(), &[2])));
    for touch in [&read as &dyn Fn(&mut ModelKernel), &write] {
        let mut kernel = host();
        kernel.machine().put_foreign(&(&shadow()).into(), &RawSet::hash_net(FAMILY));
        kernel.sets(&prefix()).expect("sets can be listed");
        touch(&mut kernel);
        let machine = kernel.machine();
        let first = machine.checker.violations().first().map(|violation| violation.invariant);
        assert_eq!(first, Some(Invariant::OnlyOurs));
    }
}
