//! Lives of whole hosts in which something once went wrong, by the seed that
//! found it. What it was is told with each; whether a seed still takes the same
//! way no one can say, and so they are only as good as any other.

use netfilter_model::host::{HostKind, simulate_host};

/// Lets the host of a seed live for so many steps.
#[track_caller]
pub(crate) fn judge(kind: HostKind, seed: u64, steps: u64, found: &str) {
    let report = simulate_host(kind, seed, steps);
    assert!(report.violations.is_empty(), "once: {found}; seed {seed}, {steps} steps:\n{report}");
}

#[track_caller]
fn check(seed: u64, steps: u64, found: &str) {
    judge(HostKind::Plain, seed, steps, found);
}

#[test]
fn what_once_was_wrong_with_a_persons_word_is_not_any_more() {
    check(33, 57, "of two words on one version the first was told OK at once");
    check(493, 75, "a word on a version was told OK because another one was being kept");
    check(437, 100, "nobody was told what came of a word when the list went");
    check(1270, 175, "what a person let through went when state-dir could be read again");
    check(3_000_327, 75, "a word was expected of a feed that no list took in meanwhile");
    check(822_432_955, 200, "the same, of one that only a refused configuration took in");
}

#[test]
fn what_once_was_wrong_with_what_is_written_down_is_not_any_more() {
    check(39, 50, "the note that a file is gone outlived its feed");
    check(483, 25, "a copy that was kept after its file went had no such note");
    check(577, 75, "a withdrawn feed was missed as lost by a reload");
    check(1113, 150, "a lost feed was missed by one start and not by the next");
    check(387, 100, "a full disk left word of feeds that were none any more");
    check(3969, 175, "what made up a list stood nowhere when the kernel held it");
    check(50_002_398, 300, "another file of the name of a withdrawn one was held against that");
}

#[test]
fn what_once_was_wrong_with_lost_state_is_not_any_more() {
    check(137, 50, "a feed was judged without the version that could not be read");
    check(504, 125, "the same, for a list that came with a reload");
    check(4781, 75, "copies were looked for that the next configuration wants, not this one");
    check(509, 25, "a feed that was never good held lists that held nothing of it");
    check(2077, 175, "a set that could not be counted counted as empty");
    check(1_000_864, 100, "a bad feed held nothing of what a good one named for a while");
    check(1_002_968, 225, "a word on a lost feed was believed to outlive a crash");
    check(4_003_521, 250, "what a list had let go was believed to be lost once more");
    check(5_003_659, 300, "what a person let go was believed to be lost with the next copy");
    check(6_000_395, 300, "a version was missed of which nothing was written down");
    check(192_457_895, 175, "what a later version had let go was believed to be lost");
    check(7_401_498, 25, "what others took away and nobody knew was missed");
    check(15_655_710, 175, "a word that was never kept was believed to outlive a crash");
    check(576_225_056, 150, "what had gone for the host's own sake was to be there again");
    check(830_125_296, 275, "a feed was missed that nothing named any more");
    check(40_002_445, 175, "a list was believed to have lost what it had never taken in");
}

#[test]
fn what_once_was_wrong_with_configurations_is_not_any_more() {
    check(1733, 50, "a slip right after a start was adopted before anything was compared");
    check(2029, 175, "the same, when its feeds took long");
    check(2768, 50, "an address in a wider member counted as lost");
    check(1970, 117, "an address in two members counted as kept");
    check(26445, 50, "losses were counted from what a list had been");
    check(1_002_243, 75, "feeds that an age dropped counted where others were left");
    check(50_387, 225, "a slip while a start waited for its state-dir was compared with nothing");
    check(112_977_444, 284, "the same, when its sets were not full yet");
    check(3_001_690, 125, "half of what a list had left was believed to be nothing");
}

#[test]
fn what_once_was_wrong_with_sets_and_files_is_not_any_more() {
    check(60_001_711, 250, "lifetimes of what could not be kept did not begin again");
    check(7_401_311, 100, "a feed of a clock that was behind stayed too old when written again");
    check(115, 25, "a set without a list stayed for an hour after its rules had gone");
    check(186, 75, "a file that was back was not said to be refused");
}

#[test]
fn a_thousand_hosts_keep_every_promise() {
    for seed in 0..1_000 {
        check(seed, 100, "nothing");
    }
}
