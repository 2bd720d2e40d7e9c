//! What the project promises, held against a kernel that goes wrong at every
//! step. No real kernel, no privileges, no waiting.

mod few_lengths;
mod found;
mod ruled;
mod watching;

use netfilter_model::Faults;
use netfilter_model::simulation::{ModelWay, RunOptions, Scenario, simulate, simulate_site};

const BOTH: [ModelWay; 2] = [ModelWay::Ops, ModelWay::Bytes];

/// Tries every fault at every request of a small case, in each of these ways.
fn check(scenario: Scenario, ways: &[ModelWay]) {
    for &way in ways {
        let (runs, broken) = scenario.exhaust(way);
        if let Some((faults, report)) = broken {
            panic!("{scenario:?} by {way:?}, {faults:?}:\n{report}");
        }
        assert!(runs > 100, "only {runs} runs of {scenario:?} by {way:?}");
        println!("{scenario:?} by {way:?}: {runs} runs");
    }
}

#[test]
fn a_first_load_survives_every_fault() {
    check(Scenario::FirstLoad, &BOTH);
}

#[test]
fn an_update_in_place_survives_every_fault() {
    check(Scenario::InPlace, &BOTH);
}

#[test]
fn an_update_of_many_messages_survives_every_fault() {
    check(Scenario::InPlaceLarge, &[ModelWay::Ops]);
    let report = Scenario::InPlaceLarge.run(ModelWay::Bytes, &Faults::default());
    assert!(report.violations.is_empty(), "{report}");
}

#[test]
fn a_swap_survives_every_fault() {
    check(Scenario::Swap, &BOTH);
    check(Scenario::SwapLarge, &[ModelWay::Ops]);
}

#[test]
fn a_set_that_is_filled_where_it_blocks_survives_every_fault() {
    check(Scenario::Flushed, &[ModelWay::Ops]);
}

#[test]
fn a_change_without_the_memory_for_it_survives_every_fault() {
    check(Scenario::Scarce, &[ModelWay::Ops]);
}

#[test]
fn the_removal_of_a_list_survives_every_fault() {
    check(Scenario::ListRemoved, &BOTH);
    check(Scenario::ListRemovedInUse, &BOTH);
    check(Scenario::ListRemovedUnseen, &BOTH);
}

#[test]
fn the_adoption_of_what_a_crash_left_survives_every_fault() {
    check(Scenario::Adoption, &BOTH);
}

#[test]
fn sets_of_others_under_our_names_survive_every_fault() {
    check(Scenario::Squatters, &BOTH);
}

#[test]
fn rules_of_our_own_are_put_changed_and_taken_away() {
    // The bytes of rules are tried against the real kernel.
    for scenario in [Scenario::FirstRule, Scenario::RuleMoves, Scenario::RuleGoes] {
        check(scenario, &[ModelWay::Ops]);
    }
}

#[test]
fn random_worlds_keep_every_promise() {
    for seed in 0..300 {
        let report = simulate(seed, 100, &RunOptions::default());
        assert!(report.violations.is_empty(), "seed {seed}:\n{report}");
    }
}

#[test]
fn without_foreign_hands_nothing_is_ever_written_in_vain() {
    let options = RunOptions { foreign_hands: false, ..RunOptions::default() };
    for seed in 0..300 {
        let report = simulate(seed, 100, &options);
        assert!(report.violations.is_empty(), "seed {seed}:\n{report}");
    }
}

#[test]
fn random_hosts_keep_every_promise() {
    for seed in 0..300 {
        let report = simulate_site(seed, 120, &RunOptions::default());
        assert!(report.violations.is_empty(), "seed {seed}:\n{report}");
    }
}
