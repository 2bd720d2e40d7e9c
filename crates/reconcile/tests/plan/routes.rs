//! By which way a set gets from what it holds to what it should, and why.

use reconcile::{
    Capacity, Cost, Foreign, Gate, Hold, Members, Obstacle, Part, Reason, Route, Standing, Update,
};

use crate::bench::{Bench, live, many, of, shadow, steps};

/// The way of one set from so many members to others.
fn check(update: Update, before: Members, after: Members, want: (Route, Reason)) {
    let set = live("drop");
    let mut bench = Bench::new().seen(&set, before).want(&set, after.clone());
    bench.policy.update = update;
    let plan = bench.plan_for(&set);
    assert_eq!((plan.route, plan.reason), want);
    assert_eq!(plan.after, Some(after));
}

#[test]
fn a_set_that_is_as_it_should_be_is_left_alone() {
    check(Update::Auto, many(1, 9), many(1, 9), (Route::None, Reason::InSync));
    check(Update::Swap, many(1, 9), many(1, 9), (Route::None, Reason::InSync));
    check(Update::InPlace, many(1, 9), many(1, 9), (Route::None, Reason::InSync));
}

#[test]
fn a_small_change_is_made_in_place() {
    check(Update::Auto, many(1, 9), many(3, 9), (Route::InPlace, Reason::SmallChange));
    check(Update::Auto, many(1, 9), many(1, 0), (Route::InPlace, Reason::SmallChange));
    // A thousand changes are one message or two, whatever they are out of.
    check(Update::Auto, many(1, 2), many(1, 1_000), (Route::InPlace, Reason::SmallChange));
}

#[test]
fn a_change_that_takes_longer_than_a_new_table_is_made_by_a_swap() {
    let want = (Route::Swap, Reason::LargeChange);
    check(Update::Auto, many(1, 5_000), many(1_500, 5_000), want);
    let want = (Route::InPlace, Reason::SmallChange);
    check(Update::Auto, many(1, 5_000), many(1_400, 5_000), want);
}

#[test]
fn without_memory_for_a_second_table_members_change_where_they_are() {
    let set = live("drop");
    let bench = Bench::new().seen(&set, many(1, 5_000)).want(&set, many(4_000, 5_000));
    let large = Capacity { hashsize: 1 << 14, maxelem: 1 << 16 };
    let mut bench = bench.but(&set, |seen| seen.header.capacity = large);
    let needed = bench.plan_for(&set).cost.memory;
    let mut check = |update, available, want: (Route, Reason), is_short: bool| {
        (bench.policy.update, bench.policy.available) = (update, available);
        let plan = bench.plan_for(&set);
        assert_eq!((plan.route, plan.reason), want);
        assert_eq!(plan.shortage.is_some(), is_short, "{:?}", plan.shortage);
    };
    let by_choice = (Route::Swap, Reason::LargeChange);
    check(Update::Auto, None, by_choice, false);
    check(Update::Auto, Some(2 * needed), by_choice, false);
    // A quarter of it is for others.
    let little = needed + needed / 4;
    check(Update::Auto, Some(little), (Route::InPlace, Reason::Memory), false);
    // And where it must be swapped, or the table is too small, it has to wait.
    check(Update::Swap, Some(little), (Route::Swap, Reason::Configured), true);
    let mut bench = bench.but(&set, |seen| seen.header.capacity.hashsize = 1 << 12);
    bench.policy.update = Update::Auto;
    let plan = bench.plan_for(&set);
    assert_eq!((plan.route, plan.shortage.is_some()), (Route::Swap, true));
    // Nothing is needed to take members out.
    bench.desired.sets.clear();
    let mut bench = bench.want(&set, many(1, 4_500));
    bench.policy.available = Some(0);
    let plan = bench.plan_for(&set);
    assert_eq!((plan.route, plan.shortage), (Route::InPlace, None));
}

#[test]
fn the_sets_of_a_plan_share_the_memory_there_is() {
    let bench = Bench::new().want(&live("one"), many(1, 5_000)).want(&live("two"), many(1, 5_000));
    let needed = bench.plan_for(&live("one")).cost.memory;
    let mut bench = bench;
    bench.policy.available = Some(2 * needed);
    let short = |list| bench.plan_for(&live(list)).shortage.is_some();
    assert_eq!([short("one"), short("two")], [false, true]);
}

#[test]
fn what_is_missing_is_put_where_it_blocks_at_once() {
    let want = (Route::InPlace, Reason::OnlyAdded);
    let set = live("drop");
    let large = Capacity { hashsize: 1 << 13, maxelem: 1 << 16 };
    for before in [0, 700] {
        let bench = Bench::new().seen(&set, many(1, before)).want(&set, many(1, 5_000));
        let bench = bench.but(&set, |seen| seen.header.capacity = large);
        let plan = bench.plan_for(&set);
        assert_eq!((plan.route, plan.reason), want, "{before}");
    }
    check(Update::Swap, many(1, 9), many(1, 5_000), (Route::Swap, Reason::Configured));
}

#[test]
fn what_is_hit_most_is_put_in_first() {
    let set = live("drop");
    let bench = Bench::new().seen(&set, of(&[])).want(&set, many(1, 5_000));
    let large = Capacity { hashsize: 1 << 13, maxelem: 1 << 16 };
    let mut bench = bench.but(&set, |seen| seen.header.capacity = large);
    let ip = |address: u32| std::net::IpAddr::V4(address.into());
    // Not in the set any more, or of another family: nothing is known of it.
    let frequent = vec![ip(4_711), ip(9_999), ip(7), "2001:db8::1".parse().expect("an address")];
    bench.policy.frequent.insert(set.clone(), frequent);
    let plan = bench.plan_for(&set);
    assert_eq!(steps(&plan), ["Bring add denyset-drop-v4 2", "Bring add denyset-drop-v4 5000"]);
    let mut kernel = bench.kernel();
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    assert!(outcome.objects[0].result.is_ok(), "{outcome:?}");
    assert_eq!(kernel.count(&set), Some(5_000));
    // Where all of it is in force at once there is no first.
    bench.policy.frequent.insert(live("more"), vec![ip(7)]);
    let bench = bench.want(&live("more"), many(1, 9));
    assert_eq!(bench.plan_for(&live("more")).steps.len(), 3);
}

#[test]
fn a_table_that_is_too_small_for_the_way_is_replaced() {
    let (set, before) = (live("drop"), many(1, 1_500));
    let bench = Bench::new().seen(&set, before).want(&set, many(1, 2_000));
    let small = Capacity { hashsize: 1_024, maxelem: 1 << 16 };
    let bench = bench.but(&set, |seen| seen.header.capacity = small);
    let plan = bench.plan_for(&set);
    assert_eq!((plan.route, plan.reason), (Route::Swap, Reason::Capacity));
}

#[test]
fn a_set_that_is_to_be_updated_in_place_is_unless_its_limit_forbids_it() {
    let want = (Route::InPlace, Reason::Configured);
    check(Update::InPlace, many(1, 5_000), many(9_000, 5_000), want);
    let set = live("drop");
    let bench = Bench::new().seen(&set, many(1, 5_000)).want(&set, many(9_000, 5_000));
    let tight = Capacity { hashsize: 1 << 13, maxelem: 9_999 };
    let mut bench = bench.but(&set, |seen| seen.header.capacity = tight);
    bench.policy.update = Update::InPlace;
    assert_eq!(bench.plan_for(&set).route, Route::Swap, "both together are ten thousand");
}

#[test]
fn a_set_that_is_to_be_swapped_is_however_small_the_change() {
    check(Update::Swap, many(1, 9), many(1, 8), (Route::Swap, Reason::Configured));
}

#[test]
fn a_set_whose_members_could_not_be_read_is_replaced() {
    let set = live("drop");
    let bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 9));
    let bench = bench.but(&set, |seen| seen.members = None);
    let plan = bench.plan_for(&set);
    assert_eq!((plan.route, plan.reason), (Route::Swap, Reason::Unread));
}

#[test]
fn a_set_whose_members_could_not_be_read_is_not_replaced_while_it_is_held() {
    let set = live("drop");
    for hold in [Hold::AddOnly, Hold::Frozen] {
        let bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 8)).held(&set, hold);
        let bench = bench.but(&set, |seen| seen.members = None);
        let plan = bench.plan_for(&set);
        assert_eq!((plan.obstacle, plan.steps), (Some(Obstacle::Gate), vec![]));
        assert!(!bench.plan().is_in_sync());
    }
}

#[test]
fn a_set_that_is_not_there_is_made_and_filled() {
    let set = live("drop");
    let plan = Bench::new().want(&set, many(1, 9)).plan_for(&set);
    assert_eq!((plan.route, plan.reason), (Route::Create, Reason::Missing));
    let want = [
        "Establish create denyset-drop-v4",
        "Bring fill denyset-drop-v4 9",
        "Bring verify denyset-drop-v4 9",
    ];
    assert_eq!(steps(&plan), want);
    assert_eq!(plan.cost, Cost { added: 9, deleted: 0, written: 9, ..plan.cost });
}

#[test]
fn a_set_that_is_not_there_and_should_be_empty_is_only_made() {
    let set = live("drop");
    let plan = Bench::new().want(&set, of(&[])).plan_for(&set);
    assert_eq!(steps(&plan), ["Establish create denyset-drop-v4"]);
}

#[test]
fn a_change_in_place_adds_first_and_deletes_then() {
    let set = live("drop");
    let plan = Bench::new().seen(&set, many(1, 9)).want(&set, many(3, 9)).plan_for(&set);
    assert_eq!(steps(&plan), ["Bring add denyset-drop-v4 2", "Delete delete denyset-drop-v4 2"]);
    assert_eq!(plan.cost, Cost { added: 2, deleted: 2, written: 4, ..plan.cost });
}

#[test]
fn a_change_that_only_adds_or_only_deletes_is_one_step() {
    let set = live("drop");
    let plan = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 12)).plan_for(&set);
    assert_eq!(steps(&plan), ["Bring add denyset-drop-v4 3"]);
    let plan = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 5)).plan_for(&set);
    assert_eq!(steps(&plan), ["Delete delete denyset-drop-v4 4"]);
}

#[test]
fn a_swap_says_what_rules_will_notice_and_what_is_written() {
    let set = live("drop");
    let bench = Bench::new().seen(&set, many(1, 5_000)).want(&set, many(4_001, 5_000));
    let plan = bench.plan_for(&set);
    assert_eq!(plan.cost, Cost { added: 4_000, deleted: 4_000, written: 5_000, ..plan.cost });
    assert_eq!(bench.plan().writes(), 5_000);
}

#[test]
fn somebody_elses_set_is_an_obstacle_and_nothing_more() {
    let set = live("drop");
    let foreign = [Foreign::Type("hash:ip".to_owned()), Foreign::Family, Foreign::Mark];
    for foreign in foreign {
        let bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 8));
        let standing = Standing::Foreign(foreign.clone());
        let bench = bench.but(&set, |seen| seen.standing = standing);
        let plan = bench.plan_for(&set);
        assert_eq!((plan.obstacle, plan.steps), (Some(Obstacle::Foreign(foreign)), vec![]));
        assert!(!bench.plan().is_in_sync());
        let mut unlisted = bench;
        unlisted.desired.sets.clear();
        assert_eq!(unlisted.plan().objects, [], "what no list asks for is none of our business");
    }
}

#[test]
fn a_set_that_rests_is_left_alone_whatever_is_to_be_done() {
    let mut bench = Bench::new()
        .seen(&live("drop"), many(1, 9))
        .want(&live("drop"), many(1, 8))
        .want(&live("more"), many(1, 8))
        .seen(&live("old"), many(1, 9));
    bench.policy.resting = [live("drop"), live("more"), live("old")].into();
    for set in [live("drop"), live("more"), live("old")] {
        let plan = bench.plan_for(&set);
        assert_eq!((plan.obstacle, plan.steps), (Some(Obstacle::Resting), vec![]), "{set}");
    }
    assert!(!bench.plan().is_in_sync() && !bench.plan().has_work());
}

#[test]
fn each_shadow_has_a_name_that_nobody_has() {
    let taken = shadow(0);
    let mut bench = Bench::new().seen(&taken, many(1, 3));
    bench.policy.gate = Gate::AddOnly;
    bench.policy.update = Update::Swap;
    for list in ["one", "two"] {
        bench = bench.seen(&live(list), many(1, 8)).want(&live(list), many(1, 9));
    }
    let names: Vec<_> =
        ["one", "two"].map(|list| steps(&bench.plan_for(&live(list)))[0].clone()).into();
    assert_eq!(names, ["Bring create denyset-.1-v4", "Bring create denyset-.2-v4"]);
}

#[test]
fn each_set_is_made_with_a_hash_of_its_own() {
    let salted = |salt: u64, list: &str| {
        let mut bench = Bench::new().want(&live(list), of(&[]));
        bench.policy.salt = salt;
        let plan = bench.plan_for(&live(list));
        let reconcile::Step::Create(spec) = &plan.steps[0].step else { panic!("a creation") };
        spec.initval
    };
    assert_ne!(salted(1, "one"), salted(1, "two"));
    assert_ne!(salted(1, "one"), salted(2, "one"));
    assert_eq!(salted(1, "one"), salted(1, "one"));
}

#[test]
fn the_same_picture_gives_the_same_plan() {
    let bench = Bench::new()
        .seen(&live("drop"), many(1, 9))
        .seen(&live("old"), many(1, 9))
        .want(&live("drop"), many(3, 9))
        .want(&live("new"), many(1, 9));
    assert_eq!(bench.plan(), bench.plan());
    let names: Vec<_> = bench.plan().objects.iter().map(|one| one.object.to_string()).collect();
    assert!(names.is_sorted(), "{names:?}");
}
