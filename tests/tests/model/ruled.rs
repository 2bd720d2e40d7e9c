//! Hosts whose lists have rules of our own, to which others do things too, and
//! what they have found.

use netfilter_model::host::HostKind;

use crate::found;

#[track_caller]
fn check(seed: u64, steps: u64, found: &str) {
    found::judge(HostKind::Ruled, seed, steps, found);
}

#[test]
fn what_once_was_wrong_with_rules_is_not_any_more() {
    check(238, 200, "a rule that somebody took away stayed away while its list was held");
    check(270, 175, "a start with one list more took a rule away that was in force");
    check(1457, 25, "a rule of a list that went stayed, since another had to wait");
    check(12311, 50, "the same, when the list went while the kernel was looked at");
    check(125_992_145, 225, "a note that a file is gone outlived the copy that was found again");
    check(472_650_132, 150, "a file from the future was to age from the time that it names");
}

#[test]
fn three_hundred_hosts_with_rules_keep_every_promise() {
    for seed in 0..300 {
        check(seed, 100, "nothing");
    }
}
