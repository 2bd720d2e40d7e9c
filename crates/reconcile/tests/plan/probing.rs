//! What a probe notices, what it costs, and what it does not claim.

use std::collections::BTreeSet;

use blocklist::AnyPrefix;
use reconcile::{Drift, Found, KernelErrorKind, Members, Observed, Probe, SetHeader, Stage};

use crate::bench::{Bench, Sets, live, many, prefix};

/// A probe of the one set of a bench.
fn probe(bench: &Bench, count: bool, members: Option<Members>) -> Probe {
    let known = bench.observed.sets[&live("drop")].header.clone();
    Probe { known, members, gone: None, tests: 64, turn: 1, count, rules: None }
}

/// What a full probe of a set of nine finds after somebody did this.
fn check(done: impl FnOnce(&mut Sets), want: Option<Drift>) {
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    let mut kernel = bench.kernel();
    done(&mut kernel);
    let found = probe(&bench, true, Some(many(1, 9))).look(&mut kernel).expect("it can look");
    assert_eq!(found.drift, want);
}

fn of(kernel: &mut Sets) -> &mut (SetHeader, BTreeSet<AnyPrefix>) {
    kernel.held.get_mut(&live("drop")).expect("it is there")
}

#[test]
fn a_set_that_nobody_touched_has_no_drift() {
    check(|_| (), None);
}

#[test]
fn a_set_that_is_gone_is_noticed_with_and_without_counting() {
    check(|kernel| kernel.held.clear(), Some(Drift::Gone));
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    let found = probe(&bench, false, Some(many(1, 9))).look(&mut Sets::default());
    assert_eq!(found.map(|found| found.drift), Ok(Some(Drift::Gone)));
}

#[test]
fn a_set_in_the_place_of_ours_is_noticed() {
    check(|kernel| of(kernel).0.initval = Some(1), Some(Drift::Replaced));
    check(|kernel| of(kernel).0.type_name = "hash:ip".to_owned(), Some(Drift::Replaced));
}

#[test]
fn members_more_or_less_are_counted() {
    let count = |found| Some(Drift::Count { expected: 9, found });
    let first = many(1, 1).at(0);
    check(|kernel| of(kernel).1.retain(|member| *member != first), count(8));
    check(|kernel| of(kernel).1.clear(), count(0));
    check(
        |kernel| of(kernel).1.extend(["192.0.2.1".parse::<AnyPrefix>().expect("a prefix")]),
        count(10),
    );
}

#[test]
fn a_member_that_was_exchanged_for_another_is_tested() {
    let exchange = |kernel: &mut Sets| {
        of(kernel).1.pop_first();
        of(kernel).1.insert("192.0.2.1".parse().expect("a prefix"));
    };
    check(exchange, Some(Drift::Absent { tested: 9, absent: 1 }));
}

#[test]
fn a_member_that_was_taken_out_and_is_back_is_tested() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    let probe = Probe { gone: Some(many(50, 3)), ..probe(&bench, false, Some(many(1, 9))) };
    let mut kernel = bench.kernel();
    assert_eq!(probe.look(&mut kernel).map(|found| found.drift), Ok(None));
    of(&mut kernel).1.insert(many(51, 1).at(0));
    let back = Some(Drift::Back { tested: 3, back: 1 });
    assert_eq!(probe.look(&mut kernel).map(|found| found.drift), Ok(back));
}

#[test]
fn rules_that_come_and_go_are_no_drift_of_a_set_whose_members_are_known() {
    check(|kernel| of(kernel).0.references = 3, None);
}

#[test]
fn of_a_set_that_waits_to_go_the_header_alone_matters() {
    let bench = Bench::new()
        .seen(&live("drop"), many(1, 9))
        .but(&live("drop"), |seen| seen.header.references = 1);
    let mut kernel = bench.kernel();
    let look = |kernel: &mut Sets| probe(&bench, true, None).look(kernel).expect("it can look");
    assert_eq!(look(&mut kernel), Found { drift: None, references: Some(1) });
    of(&mut kernel).1.clear();
    assert_eq!(look(&mut kernel).drift, None, "its members are nobody's business");
    of(&mut kernel).0.references = 0;
    assert_eq!(look(&mut kernel).drift, Some(Drift::Replaced), "now it can go");
}

#[test]
fn without_counting_nothing_is_said_of_references() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    let mut kernel = bench.kernel();
    let found = probe(&bench, false, Some(many(1, 9))).look(&mut kernel);
    assert_eq!(found, Ok(Found { drift: None, references: None }));
}

#[test]
fn a_probe_that_cannot_look_says_so() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    for (stage, count) in [(Stage::List, true), (Stage::Test, false)] {
        let mut kernel = bench.kernel();
        kernel.failing = Some((stage, live("drop"), KernelErrorKind::Denied));
        let found = probe(&bench, count, Some(many(1, 9))).look(&mut kernel);
        assert_eq!(found.map_err(|error| error.kind), Err(KernelErrorKind::Denied));
    }
}

#[test]
fn every_member_has_its_turn() {
    let members = many(1, 4_000);
    let bench = Bench::new().seen(&live("drop"), members.clone());
    let mut kernel = bench.kernel();
    // One in the middle is missing, and the count is hidden by another.
    let gone = members.at(2_345);
    of(&mut kernel).1.remove(&gone);
    of(&mut kernel).1.insert("192.0.2.1".parse().expect("a prefix"));
    let noticed = (0..80).find(|&turn| {
        let probe = Probe { turn, ..probe(&bench, true, Some(members.clone())) };
        probe.look(&mut kernel).expect("it can look").drift.is_some()
    });
    assert!(noticed.is_some(), "within eighty probes");
}

#[test]
fn a_look_finds_every_difference_by_set() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9)).seen(&live("more"), many(1, 9));
    let mut kernel = bench.kernel();
    of(&mut kernel).1.pop_first();
    kernel.held.remove(&live("more"));
    let seen = Observed::look(&prefix(), &mut kernel, None).expect("it can look");
    let differences = seen.drift_from(&bench.observed);
    let told: Vec<_> =
        differences.iter().map(|one| (one.set.clone(), one.kind.to_string())).collect();
    let want = [
        (live("drop"), "1 members were taken out, 0 were put in".to_owned()),
        (live("more"), "the set was destroyed or renamed".to_owned()),
    ];
    assert_eq!(told, want);
}

#[test]
fn a_set_whose_members_cannot_be_read_is_seen_without_them() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    let mut kernel = bench.kernel();
    kernel.failing = Some((Stage::Dump, live("drop"), KernelErrorKind::Changed));
    let seen = Observed::look(&prefix(), &mut kernel, None).expect("it can look");
    assert_eq!(seen.sets[&live("drop")].members, None, "a gap, not a guess");
    assert_eq!(seen.drift_from(&bench.observed), [], "and nothing is said of it");
}

#[test]
fn a_set_that_vanishes_while_it_is_looked_at_is_not_in_the_picture() {
    let bench = Bench::new().seen(&live("drop"), many(1, 9));
    let mut kernel = bench.kernel();
    kernel.failing = Some((Stage::Dump, live("drop"), KernelErrorKind::NotFound));
    let seen = Observed::look(&prefix(), &mut kernel, None).expect("it can look");
    assert!(seen.sets.is_empty());
}
