//! In which phase each step is, what is urgent, and what goes how.

use reconcile::{Obstacle, Phase, Plan, Reason, Route};

use crate::bench::{Bench, is_in_order, live, many, of, shadow, steps};

/// Everything that can be in a plan at once.
fn everything() -> Bench {
    let orphan = shadow(4);
    Bench::new()
        .seen(&live("in-place"), many(1, 9))
        .want(&live("in-place"), many(3, 9))
        .seen(&live("swap"), many(1, 5_000))
        .want(&live("swap"), many(9_000, 5_000))
        .want(&live("create"), many(1, 9))
        .seen(&live("same"), many(1, 9))
        .want(&live("same"), many(1, 9))
        .seen(&live("unlisted"), many(1, 9))
        .seen(&shadow(3), many(1, 9))
        .seen(&orphan, of(&[]))
        .but(&orphan, |seen| seen.members = None)
}

#[test]
fn the_steps_of_every_object_are_in_the_order_of_their_phases() {
    let plan = everything().plan();
    assert_eq!(plan.objects.len(), 7);
    for object in &plan.objects {
        assert!(is_in_order(object), "{:?}", steps(object));
    }
}

#[test]
fn memory_is_given_back_last_and_is_all_that_is_not_urgent() {
    assert!(Phase::ALL.is_sorted());
    for phase in Phase::ALL {
        assert_eq!(phase.is_urgent(), phase != Phase::Release, "{phase:?}");
        assert!(phase <= Phase::Release);
    }
}

#[test]
fn new_members_come_before_old_ones_go_and_sets_go_after_both() {
    assert!(Phase::Establish < Phase::Bring);
    assert!(Phase::Bring < Phase::Delete);
    assert!(Phase::Delete < Phase::Retire);
    assert!(Phase::Sweep < Phase::Establish, "what a crash has left frees memory first");
}

#[test]
fn a_set_that_no_list_asks_for_loses_its_name_before_its_members() {
    let plan = Bench::new().seen(&live("old"), many(1, 9)).plan_for(&live("old"));
    assert_eq!((plan.route, plan.reason), (Route::Destroy, Reason::Unlisted));
    let want = [
        "Retire retire denyset-old-v4 denyset-.0-v4",
        "Release release denyset-.0-v4",
        "Release destroy denyset-.0-v4",
    ];
    assert_eq!(steps(&plan), want);
    assert_eq!(plan.cost.deleted, 9, "rules would notice");
}

#[test]
fn a_set_that_rules_refer_to_stays_and_says_how_many() {
    let bench = Bench::new().seen(&live("old"), many(1, 9));
    let bench = bench.but(&live("old"), |seen| seen.header.references = 3);
    let plan = bench.plan_for(&live("old"));
    assert_eq!((plan.obstacle, plan.steps), (Some(Obstacle::Referenced(3)), vec![]));
    assert!(!bench.plan().is_in_sync());
}

#[test]
fn a_set_that_rules_refer_to_is_changed_like_any_other() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9)).want(&live("drop"), many(1, 8));
    let bench = bench.but(&live("drop"), |seen| seen.header.references = 3);
    assert_eq!(bench.plan_for(&live("drop")).route, Route::InPlace);
}

#[test]
fn a_shadow_that_a_crash_left_is_swept_first() {
    let bench = everything();
    let plan = bench.plan_for(&shadow(4));
    assert_eq!(plan.reason, Reason::Orphan);
    assert_eq!(steps(&plan), ["Sweep release denyset-.4-v4", "Sweep destroy denyset-.4-v4"]);
    assert_eq!(plan.cost.deleted, 0, "no rule sees it");
}

#[test]
fn a_shadow_that_somebody_refers_to_is_not_swept() {
    let bench = everything().but(&shadow(4), |seen| seen.header.references = 1);
    assert_eq!(bench.plan_for(&shadow(4)).obstacle, Some(Obstacle::Referenced(1)));
}

#[test]
fn a_shadow_that_was_swapped_out_is_given_back_at_leisure() {
    let plan = everything().plan_for(&shadow(3));
    assert_eq!(plan.reason, Reason::Replaced);
    assert!(plan.steps.iter().all(|planned| planned.phase == Phase::Release));
}

#[test]
fn a_plan_of_nothing_but_memory_is_in_sync_and_has_work() {
    let plan = Bench::new().seen(&shadow(3), many(1, 9)).plan();
    assert!(plan.is_in_sync() && plan.has_work());
    assert!(!plan.is_urgent() && !plan.is_empty());
    assert_eq!(plan.writes(), 0);
}

#[test]
fn a_plan_with_anything_that_rules_would_notice_is_urgent_and_not_in_sync() {
    let plan = everything().plan();
    assert!(plan.is_urgent() && !plan.is_in_sync() && plan.has_work());
}

#[test]
fn nothing_seen_and_nothing_desired_is_an_empty_plan() {
    let plan = Bench::new().plan();
    assert_eq!(plan, Plan::default());
    assert!(plan.is_empty() && plan.is_in_sync() && !plan.has_work() && !plan.is_urgent());
}
