//! SIGKILL at random moments of updates. A million entries are killed in
//! `cargo xtask ci` with the release build, here are enough to be between.

use lab::generate::RandomNumbers;
use lab::kills::{KillRoute, Met, survive};
use lab::namespace::isolated;
use lab::versions::Versions;

fn check(route: KillRoute, percent: usize, entries: usize, rounds: u32) -> Met {
    isolated(|| {
        let met =
            survive(&mut Versions::new(RandomNumbers::seeded(51), entries), route, percent, rounds);
        println!("{rounds} kills met {met:?}");
        assert!(met.new < rounds, "the kills come too late to show anything: {met:?}");
        met
    })
}

#[test]
fn a_kill_during_an_update_by_swap_leaves_the_old_sets_or_the_new_ones() {
    check(KillRoute::Swap, 60, 200_000, 50);
}

#[test]
fn a_kill_during_an_update_in_place_loses_nothing_that_both_versions_have() {
    check(KillRoute::InPlace, 30, 200_000, 20);
}
