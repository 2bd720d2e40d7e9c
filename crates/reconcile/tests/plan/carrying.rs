//! How steps are carried out: parts, the order across objects, failures, and
//! the picture of the kernel afterwards.

use std::ops::ControlFlow;

use reconcile::{KernelErrorKind, Observed, Part, Stage, apply};

use crate::bench::{Bench, Sets, live, many, of, prefix, shadow};

/// Carries everything out, part by part, until nothing is left, and holds the
/// picture against the kernel after each.
fn all(bench: &mut Bench, kernel: &mut Sets) {
    for _ in 0..20 {
        let plan = bench.plan();
        if !plan.has_work() {
            return;
        }
        let part = if plan.is_urgent() { Part::Urgent } else { Part::Later };
        let outcome = bench.carry_out(part, kernel);
        assert!(outcome.objects.iter().all(|object| object.result.is_ok()), "{outcome:?}");
        assert!(!outcome.look_again);
        is_true(bench, kernel);
    }
    panic!("work without end: {:?}", bench.plan());
}

/// What is thought to be there is there.
fn is_true(bench: &Bench, kernel: &mut Sets) {
    let seen = Observed::look(&prefix(), kernel, None).expect("it can be observed");
    assert_eq!(seen.drift_from(&bench.observed), []);
    assert_eq!(seen.sets.len(), bench.observed.sets.len());
}

fn place(kernel: &Sets, op: &str) -> usize {
    let found = kernel.ops.iter().position(|done| done == op);
    found.unwrap_or_else(|| panic!("no `{op}` in {:?}", kernel.ops))
}

#[test]
fn whatever_the_ways_are_the_kernel_holds_what_is_desired_at_the_end() {
    let mut bench = Bench::new()
        .seen(&live("in-place"), many(1, 9))
        .want(&live("in-place"), many(3, 9))
        .seen(&live("swap"), many(1, 5_000))
        .want(&live("swap"), many(9_000, 5_000))
        .want(&live("create"), many(1, 9))
        .want(&live("empty"), of(&[]))
        .seen(&live("unlisted"), many(1, 9))
        .seen(&shadow(9), many(1, 2_000));
    let mut kernel = bench.kernel();
    all(&mut bench, &mut kernel);
    for (set, target) in &bench.desired.sets {
        assert_eq!(kernel.count(set), Some(target.members.len()), "{set}");
    }
    assert_eq!(kernel.held.len(), 4, "and nothing else: {:?}", kernel.ops);
}

#[test]
fn in_sync_no_op_is_done() {
    let mut bench = Bench::new().seen(&live("drop"), many(1, 9)).want(&live("drop"), many(1, 9));
    let mut kernel = bench.kernel();
    for part in [Part::Urgent, Part::Later] {
        let outcome = bench.carry_out(part, &mut kernel);
        assert!(outcome.objects.is_empty() && !outcome.look_again && !outcome.halted);
    }
    assert!(kernel.ops.is_empty());
}

#[test]
fn every_set_is_made_before_any_is_filled_and_filled_before_any_loses() {
    let mut bench = Bench::new()
        .seen(&live("drop"), many(1, 9))
        .want(&live("drop"), many(3, 9))
        .want(&live("new"), many(1, 9))
        .want(&live("other"), of(&[]));
    let mut kernel = bench.kernel();
    bench.carry_out(Part::Urgent, &mut kernel);
    let made =
        place(&kernel, "create denyset-new-v4").max(place(&kernel, "create denyset-other-v4"));
    let fills = ["add denyset-drop-v4 2", "add denyset-new-v4 9"].map(|op| place(&kernel, op));
    let lost = place(&kernel, "delete denyset-drop-v4 2");
    assert!(fills.iter().all(|&filled| made < filled && filled < lost), "{:?}", kernel.ops);
}

#[test]
fn what_costs_little_is_brought_in_before_what_costs_much() {
    let mut bench = Bench::new().want(&live("a"), many(1, 3_000)).want(&live("b"), many(1, 9));
    let mut kernel = bench.kernel();
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    let small = place(&kernel, "add denyset-b-v4 9");
    let large = place(&kernel, "add denyset-a-v4 1024");
    assert!(small < large);
    let names: Vec<_> = outcome.objects.iter().map(|one| one.object.to_string()).collect();
    assert!(names.is_sorted(), "told in the order of the plan");
}

#[test]
fn the_urgent_part_gives_no_memory_back() {
    let mut bench = Bench::new()
        .seen(&live("drop"), many(1, 5_000))
        .want(&live("drop"), many(9_000, 5_000))
        .seen(&live("old"), many(1, 9));
    let mut kernel = bench.kernel();
    bench.carry_out(Part::Urgent, &mut kernel);
    assert!(!kernel.ops.iter().any(|op| op.starts_with("delete") || op.starts_with("destroy")));
    assert_eq!(kernel.count(&live("old")), None, "but its name is gone");
    assert!(bench.plan().is_in_sync());
    is_true(&bench, &mut kernel);
}

#[test]
fn the_later_part_is_a_few_small_objects_or_a_large_one_and_nothing_urgent() {
    let mut bench = Bench::new()
        .seen(&shadow(1), many(1, 9))
        .seen(&shadow(2), many(1, 262_144))
        .seen(&shadow(3), many(1, 9))
        .want(&live("drop"), many(1, 9));
    let mut kernel = bench.kernel();
    for (done, left) in [(2, vec![shadow(3)]), (1, vec![])] {
        let outcome = bench.carry_out(Part::Later, &mut kernel);
        assert_eq!(outcome.objects.len(), done);
        assert_eq!(kernel.held.keys().cloned().collect::<Vec<_>>(), left);
    }
}

#[test]
fn a_large_old_set_is_taken_apart_in_parts_and_whatever_is_urgent_comes_between() {
    let mut bench = Bench::new()
        .seen(&live("drop"), many(1, 9))
        .want(&live("drop"), many(1, 9))
        .seen(&shadow(1), many(1, 270_000));
    let mut kernel = bench.kernel();
    let mut left = Vec::new();
    for last in [1, 9] {
        bench = bench.want(&live("drop"), many(1, last));
        while bench.plan().is_urgent() {
            bench.carry_out(Part::Urgent, &mut kernel);
        }
        let outcome = bench.carry_out(Part::Later, &mut kernel);
        assert!(!outcome.halted && !outcome.look_again, "{outcome:?}");
        is_true(&bench, &mut kernel);
        assert_eq!(kernel.count(&live("drop")), Some(last as usize));
        left.push(kernel.count(&shadow(1)));
    }
    assert_eq!(left, [Some(7_856), None]);
    assert!(!kernel.ops.iter().any(|op| op.starts_with("flush")));
}

#[test]
fn members_are_written_in_messages_of_a_thousand() {
    let mut bench = Bench::new().want(&live("drop"), many(1, 2_500));
    let mut kernel = bench.kernel();
    bench.carry_out(Part::Urgent, &mut kernel);
    let adds: Vec<_> = kernel.ops.iter().filter(|op| op.starts_with("add")).collect();
    let want = ["add denyset-drop-v4 1024", "add denyset-drop-v4 1024", "add denyset-drop-v4 452"];
    assert_eq!(adds, want);
}

/// One of two sets fails at a stage; the other is changed all the same.
fn check(stage: Stage, at: &str, kind: KernelErrorKind, look_again: bool) {
    let mut bench = Bench::new()
        .seen(&live("bad"), many(1, 3_000))
        .want(&live("bad"), many(9_000, 3_000))
        .seen(&live("good"), many(1, 9))
        .want(&live("good"), many(3, 9));
    let mut kernel = bench.kernel();
    let set = prefix().recognise(at.as_bytes()).expect("a name of ours");
    kernel.failing = Some((stage, set, kind));
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    let results: Vec<_> = outcome.objects.iter().map(|object| object.result.clone()).collect();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0].as_ref().map_err(|error| error.kind), Err(kind), "{stage}");
    assert_eq!(results[1], Ok(()), "{stage}");
    assert_eq!(outcome.look_again, look_again, "{stage} {kind}");
    assert_eq!(kernel.count(&live("bad")), Some(3_000), "whole or old");
    kernel.failing = None;
    bench.observed = Observed::look(&prefix(), &mut kernel, None).expect("it can be observed");
    all(&mut bench, &mut kernel);
    assert_eq!(kernel.held.len(), 2, "nothing is left behind");
    assert_eq!(bench.observed.sets[&live("bad")].members, Some(many(9_000, 3_000)));
}

#[test]
fn an_error_on_one_object_stops_that_object_only() {
    check(Stage::Create, "denyset-.0-v4", KernelErrorKind::Memory, true);
    check(Stage::Add, "denyset-.0-v4", KernelErrorKind::Full, true);
    check(Stage::Swap, "denyset-bad-v4", KernelErrorKind::Unknown, true);
    check(Stage::Add, "denyset-.0-v4", KernelErrorKind::Exists, true);
}

#[test]
fn after_busy_nothing_has_happened_and_no_look_is_needed() {
    check(Stage::Swap, "denyset-bad-v4", KernelErrorKind::Busy, false);
    check(Stage::Create, "denyset-.0-v4", KernelErrorKind::Busy, false);
}

/// Has so many members filled in by a kernel with a defect.
fn check_filled(count: u32, spoil: impl FnOnce(&mut Sets)) {
    let mut bench =
        Bench::new().seen(&live("drop"), many(1, 9)).want(&live("drop"), many(1, count));
    let mut kernel = bench.kernel();
    spoil(&mut kernel);
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    let error = outcome.objects[0].result.clone().expect_err("it is noticed");
    assert_eq!((error.stage, error.kind), (Stage::Verify, KernelErrorKind::Changed));
    assert_eq!(kernel.count(&live("drop")), Some(9), "rules see the old members");
    assert_eq!(kernel.held.len(), 1, "and the shadow is gone");
}

#[test]
fn a_shadow_that_does_not_hold_what_was_written_is_not_swapped_in() {
    check_filled(3_000, |kernel| kernel.forgetful = true);
    check_filled(70_000, |kernel| kernel.forgetful = true);
}

#[test]
fn a_shadow_with_one_member_that_is_another_is_not_swapped_in() {
    check_filled(3_000, |kernel| kernel.mistaken = "192.0.2.1".parse().ok());
}

#[test]
fn a_plan_that_is_told_to_stop_leaves_no_shadow_and_the_old_members() {
    let mut bench =
        Bench::new().seen(&live("drop"), many(1, 9)).want(&live("drop"), many(1, 5_000));
    let mut kernel = bench.kernel();
    let mut heard = Vec::new();
    let mut pace = |progress: reconcile::Progress| {
        heard.push((progress.written, progress.total));
        if heard.len() == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let plan = bench.plan();
    let outcome = apply(&plan, Part::Urgent, &mut kernel, &mut bench.observed, &mut pace);
    assert!(outcome.halted && outcome.look_again && outcome.objects.is_empty());
    assert_eq!(heard, [(1_024, 5_000), (2_048, 5_000)]);
    assert_eq!(kernel.count(&live("drop")), Some(9));
    assert_eq!(kernel.held.len(), 1);
}

#[test]
fn a_set_that_a_rule_has_come_to_name_is_not_retired() {
    let mut bench = Bench::new().seen(&live("old"), many(1, 9));
    let mut kernel = bench.kernel();
    kernel.held.get_mut(&live("old")).expect("it is there").0.references = 1;
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    let error = outcome.objects[0].result.clone().expect_err("it is noticed");
    assert_eq!(error.kind, KernelErrorKind::Busy);
    assert!(outcome.look_again);
    assert_eq!(kernel.count(&live("old")), Some(9));
    assert!(kernel.ops.is_empty());
}

#[test]
fn a_set_that_is_another_by_now_is_not_retired() {
    let mut bench = Bench::new().seen(&live("old"), many(1, 9));
    let mut kernel = bench.kernel();
    kernel.held.get_mut(&live("old")).expect("it is there").0.initval = Some(1);
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    assert_eq!(
        outcome.objects[0].result.as_ref().map_err(|error| error.kind),
        Err(KernelErrorKind::Changed)
    );
    assert!(kernel.ops.is_empty());
}

#[test]
fn what_was_changed_in_place_and_failed_halfway_is_not_known_any_more() {
    let mut bench = Bench::new().seen(&live("drop"), many(1, 9)).want(&live("drop"), many(3, 9));
    let mut kernel = bench.kernel();
    kernel.failing = Some((Stage::Delete, live("drop"), KernelErrorKind::Memory));
    bench.carry_out(Part::Urgent, &mut kernel);
    assert_eq!(bench.observed.sets[&live("drop")].members, None);
    assert_eq!(kernel.count(&live("drop")), Some(11), "both old and new are blocked meanwhile");
}

#[test]
fn a_swap_leaves_references_with_the_name_that_rules_know() {
    let mut bench = Bench::new()
        .seen(&live("drop"), many(1, 5_000))
        .want(&live("drop"), many(9_000, 5_000))
        .but(&live("drop"), |seen| seen.header.references = 2);
    let mut kernel = bench.kernel();
    bench.carry_out(Part::Urgent, &mut kernel);
    assert_eq!(bench.observed.sets[&live("drop")].header.references, 2);
    assert_eq!(bench.observed.sets[&shadow(0)].header.references, 0);
    is_true(&bench, &mut kernel);
}

#[test]
fn what_there_is_no_memory_for_is_not_begun() {
    let set = live("drop");
    let mut bench = Bench::new().seen(&set, many(1, 9)).want(&set, many(1, 5_000));
    bench.policy.available = Some(1_000);
    let (before, mut kernel) = (bench.observed.clone(), bench.kernel());
    let outcome = bench.carry_out(Part::Urgent, &mut kernel);
    let [object] = &outcome.objects[..] else { panic!("{outcome:?}") };
    let error = object.result.as_ref().expect_err("there is no memory");
    assert_eq!(error.kind, KernelErrorKind::Memory);
    assert!(error.to_string().contains("0 MiB are available"), "{error}");
    assert_eq!((kernel.ops, bench.observed), (Vec::<String>::new(), before));
    assert!(!outcome.look_again, "the picture is as it was");
}
