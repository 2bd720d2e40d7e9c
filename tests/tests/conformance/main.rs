//! The model against the real kernel, which is the reference: the same
//! scripts go to the kernel, to the model, and through the driver's bytes to
//! the model, and after every step all three must tell the same.

mod rules;
mod scripts;
mod subjects;

use blocklist::Family;
use lab::namespace::isolated;
use netfilter_model::{Random, universe};
use reconcile::{Op, Presence};

use self::scripts::{Step, a_chunk, a_set, random_script, shadow, spec, world};
use self::subjects::Subjects;

/// Runs a script, and says at which step who told something else.
fn check(script: &[Step]) {
    isolated(|| {
        let mut subjects = Subjects::new();
        for (position, step) in script.iter().enumerate() {
            subjects.take(step);
            if let Some(difference) = subjects.difference() {
                let before = &script[..position];
                panic!("after {before:?},\nat {step:?}:\n{difference}");
            }
        }
    });
}

#[test]
fn a_strict_create_refuses_a_name_that_is_taken() {
    for family in Family::ALL {
        let set = a_set(family);
        check(&[
            Step::Op(Op::Create(spec(&set, 64, 100))),
            Step::Op(Op::Create(spec(&set, 1_024, 65_536))),
        ]);
    }
}

#[test]
fn a_table_is_rounded_up_to_a_power_of_two_and_to_64_buckets() {
    let set = a_set(Family::Ipv4);
    for hashsize in [1, 64, 65, 1_000, 1_025] {
        check(&[Step::Op(Op::Create(spec(&set, hashsize, 65_536)))]);
    }
}

#[test]
fn a_strict_add_stops_at_the_first_duplicate_and_leaves_those_before_it() {
    for family in Family::ALL {
        let set = a_set(family);
        let world = universe(family);
        let add = |members: &[_], presence| {
            Step::Op(Op::Add { set: set.clone(), chunk: a_chunk(family, members), presence })
        };
        check(&[
            Step::Op(Op::Create(spec(&set, 64, 100))),
            add(&world[5..6], Presence::New),
            add(&world[2..9], Presence::New),
            add(&world[2..9], Presence::Any),
        ]);
    }
}

#[test]
fn a_full_set_keeps_what_came_before_the_member_too_many() {
    for family in Family::ALL {
        let set = a_set(family);
        let chunk = a_chunk(family, &universe(family)[1..9]);
        for presence in [Presence::New, Presence::Any] {
            check(&[
                Step::Op(Op::Create(spec(&set, 64, 3))),
                Step::Op(Op::Add { set: set.clone(), chunk: chunk.clone(), presence }),
                Step::Op(Op::Add { set: set.clone(), chunk: chunk.clone(), presence }),
            ]);
        }
    }
}

#[test]
fn a_delete_of_what_is_not_there_is_no_error() {
    let set = a_set(Family::Ipv6);
    let chunk = a_chunk(Family::Ipv6, &universe(Family::Ipv6)[3..8]);
    check(&[
        Step::Op(Op::Delete { set: set.clone(), chunk: chunk.clone() }),
        Step::Op(Op::Create(spec(&set, 64, 100))),
        Step::Op(Op::Delete { set: set.clone(), chunk: chunk.clone() }),
        Step::Op(Op::Add { set: set.clone(), chunk: chunk.clone(), presence: Presence::New }),
        Step::Op(Op::Delete { set, chunk }),
    ]);
}

#[test]
fn a_swap_needs_two_sets_of_one_kind_that_nobody_reads() {
    let (live, other) = (a_set(Family::Ipv4), shadow(0, Family::Ipv4));
    let swap = || Step::Op(Op::Swap { shadow: other.clone(), live: live.clone() });
    check(&[
        swap(),
        Step::Op(Op::Create(spec(&live, 64, 2_000))),
        swap(),
        Step::Op(Op::Create(spec(&other, 128, 3))),
        swap(),
        Step::Refer(live.clone()),
        swap(),
        Step::Release(live.clone()),
        Step::Op(Op::Destroy(live.clone())),
        swap(),
    ]);
    check(&[
        Step::Op(Op::Create(spec(&live, 64, 2_000))),
        Step::Squat(other.clone()),
        swap(),
        Step::Op(Op::Destroy(other.clone())),
    ]);
    check(&[
        Step::Op(Op::Create(spec(&live, 1_024, 2_000))),
        Step::Op(Op::Create(spec(&other, 64, 2_000))),
        Step::Op(Op::Add {
            set: live.clone(),
            chunk: a_chunk(Family::Ipv4, &world(1_000)),
            presence: Presence::New,
        }),
        Step::HoldDump(live.clone()),
        swap(),
        Step::Op(Op::Destroy(live.clone())),
        Step::LetGo,
        swap(),
    ]);
}

#[test]
fn a_set_that_is_referred_to_is_not_destroyed() {
    let set = a_set(Family::Ipv6);
    check(&[
        Step::Op(Op::Destroy(set.clone())),
        Step::Op(Op::Create(spec(&set, 64, 100))),
        Step::Refer(set.clone()),
        Step::Op(Op::Destroy(set.clone())),
        Step::Op(Op::Flush(set.clone())),
        Step::Release(set.clone()),
        Step::Op(Op::Destroy(set.clone())),
        Step::Op(Op::Flush(set)),
    ]);
}

#[test]
fn a_set_of_another_kind_under_our_name_is_told_apart() {
    for family in Family::ALL {
        let set = a_set(family);
        check(&[Step::Squat(set.clone()), Step::Op(Op::Create(spec(&set, 64, 100)))]);
        check(&[Step::SquatAlike(set.clone()), Step::Op(Op::Create(spec(&set, 64, 100)))]);
        check(&[Step::SquatExtended(set.clone()), Step::Op(Op::Destroy(set.clone()))]);
    }
}

#[test]
fn random_scripts_end_as_in_the_kernel() {
    for seed in 0..100 {
        println!("seed {seed}");
        check(&random_script(&mut Random::new(seed), 40));
    }
}
