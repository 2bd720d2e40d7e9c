//! What a hold keeps in a set, what it keeps out, and what no hold keeps.

use reconcile::{Gate, Hold, Members, Obstacle, Route, Target};

use crate::bench::{Bench, live, many, of, prefixes, shadow, steps};

/// What a held set is brought to, from these members, when those are desired
/// and these are never to be there; and how many are withheld.
fn check(hold: Hold, before: &[&str], want: &[&str], never: &[&str], after: &[&str], kept: u64) {
    let set = live("drop");
    let bench = Bench::new().seen(&set, of(before)).want(&set, of(want));
    let plan = bench.never(&set, never).held(&set, hold).plan_for(&set);
    assert_eq!(plan.after.expect("it is known"), of(after));
    assert_eq!(plan.withheld, kept);
}

#[test]
fn a_set_that_is_held_add_only_gains_and_does_not_lose() {
    let want = ["192.0.2.2", "192.0.2.3"];
    let after = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
    check(Hold::AddOnly, &["192.0.2.1", "192.0.2.2"], &want, &[], &after, 1);
}

#[test]
fn a_set_that_is_frozen_neither_gains_nor_loses() {
    let before = ["192.0.2.1", "192.0.2.2"];
    check(Hold::Frozen, &before, &["192.0.2.2", "192.0.2.3"], &[], &before, 1);
}

#[test]
fn what_must_never_be_in_a_set_leaves_it_however_it_is_held() {
    for hold in [Hold::AddOnly, Hold::Frozen] {
        let before = ["192.0.2.1", "192.0.2.2"];
        check(hold, &before, &[], &["192.0.2.1"], &["192.0.2.2"], 1);
        check(hold, &before, &[], &["192.0.2.0/24"], &[], 0);
        check(hold, &before, &[], &["198.51.100.0/24"], &before, 2);
    }
}

#[test]
fn of_a_wide_member_only_what_must_never_be_there_leaves() {
    let rest = ["192.0.2.0", "192.0.2.2/31"];
    for hold in [Hold::AddOnly, Hold::Frozen] {
        check(hold, &["192.0.2.0/30"], &[], &["192.0.2.1"], &rest, 2);
    }
}

#[test]
fn a_hold_that_keeps_nothing_withholds_nothing() {
    let same = ["192.0.2.1"];
    check(Hold::AddOnly, &same, &same, &[], &same, 0);
    check(Hold::Frozen, &same, &same, &[], &same, 0);
    check(Hold::AddOnly, &[], &same, &[], &same, 0);
}

#[test]
fn a_frozen_set_that_is_not_there_is_made_and_stays_empty() {
    let set = live("drop");
    let plan = Bench::new().want(&set, many(1, 9)).held(&set, Hold::Frozen).plan_for(&set);
    assert_eq!(steps(&plan), ["Establish create denyset-drop-v4"]);
    assert_eq!(plan.members(), 0);
}

#[test]
fn an_add_only_set_that_is_not_there_is_made_full() {
    let set = live("drop");
    let plan = Bench::new().want(&set, many(1, 9)).held(&set, Hold::AddOnly).plan_for(&set);
    assert_eq!((plan.route, plan.members()), (Route::Create, 9));
}

#[test]
fn behind_the_gate_every_set_is_held_add_only() {
    let set = live("drop");
    let mut bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(5, 9));
    bench.policy.gate = Gate::AddOnly;
    let plan = bench.plan_for(&set);
    assert_eq!(plan.members(), 13);
    assert_eq!(plan.withheld, 4);
    assert_eq!((plan.cost.added, plan.cost.deleted), (4, 0));
}

#[test]
fn behind_the_gate_a_frozen_set_is_frozen() {
    let set = live("drop");
    let mut bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(5, 9));
    bench.policy.gate = Gate::AddOnly;
    let plan = bench.held(&set, Hold::Frozen).plan_for(&set);
    assert_eq!(plan.after, Some(many(1, 9)));
}

#[test]
fn behind_the_gate_what_must_never_be_in_a_set_leaves_it() {
    let set = live("drop");
    let mut bench = Bench::new().seen(&set, of(&["192.0.2.1", "192.0.2.2"])).want(&set, of(&[]));
    bench.policy.gate = Gate::AddOnly;
    let plan = bench.never(&set, &["192.0.2.1"]).plan_for(&set);
    assert_eq!(steps(&plan), ["Delete delete denyset-drop-v4 1"]);
}

#[test]
fn behind_the_gate_no_set_and_no_shadow_of_before_goes() {
    let mut bench = Bench::new().seen(&live("old"), many(1, 9)).seen(&shadow(3), many(1, 9));
    bench = bench.but(&shadow(3), |seen| seen.members = None);
    bench.policy.gate = Gate::AddOnly;
    for set in [live("old"), shadow(3)] {
        let plan = bench.plan_for(&set);
        assert_eq!((plan.obstacle, plan.steps), (Some(Obstacle::Gate), vec![]), "{set}");
    }
}

#[test]
fn behind_the_gate_what_was_swapped_out_just_now_goes() {
    let mut bench = Bench::new().seen(&shadow(3), many(1, 9));
    bench.policy.gate = Gate::AddOnly;
    let plan = bench.plan_for(&shadow(3));
    assert_eq!(steps(&plan), ["Release release denyset-.3-v4", "Release destroy denyset-.3-v4"]);
}

#[test]
fn a_hold_of_one_set_is_no_hold_of_another() {
    let bench = Bench::new()
        .seen(&live("drop"), many(1, 9))
        .seen(&live("more"), many(1, 9))
        .want(&live("drop"), many(1, 5))
        .want(&live("more"), many(1, 5))
        .held(&live("drop"), Hold::AddOnly);
    assert_eq!(bench.plan_for(&live("drop")).members(), 9);
    assert_eq!(bench.plan_for(&live("more")).members(), 5);
}

#[test]
fn a_held_set_that_grows_past_its_table_is_swapped_with_all_that_is_kept() {
    let set = live("drop");
    let bench = Bench::new().seen(&set, many(1, 3_000)).want(&set, many(10_000, 5_000));
    let plan = bench.held(&set, Hold::AddOnly).plan_for(&set);
    assert_eq!((plan.route, plan.members(), plan.withheld), (Route::Swap, 8_000, 3_000));
    assert_eq!(plan.cost.deleted, 0);
}

#[test]
fn a_held_set_that_is_kept_as_it_is_is_settled_for_the_plan() {
    let set = live("drop");
    let bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 5));
    let bench = bench.held(&set, Hold::AddOnly);
    assert!(bench.plan().is_in_sync() && bench.plan().is_empty());
    assert_eq!(bench.plan_for(&set).withheld, 4, "but it says how much it keeps");
}

#[test]
fn a_target_is_in_the_form_that_the_kernel_takes() {
    let [ipv4, ipv6] = Target::pair(prefixes(&["0.0.0.0/0", "::/0"]), prefixes(&[]));
    assert_eq!(ipv4.members, of(&["0.0.0.0/1", "128.0.0.0/1"]));
    assert_eq!(ipv6.members.len(), 2);
    assert!(matches!(ipv6.members, Members::V6(_)));
}
