//! Configurations that come while something else is under way, and which of
//! them is in force in the end.

use std::collections::BTreeSet;

use intake::{SourceReport, WhenStale};
use keeper::{Report, Settings};
use reconcile::Op;

use crate::house::{Desk, Kind, at, feed, glob, list, net, nets, percent, rules, settings, table};

/// One list of feeds whose names begin with `a` or `b`.
fn both() -> Settings {
    settings(rules(&[list("drop", &["a*", "b*"], &[])]))
}

/// One list of these feeds, which may lose all of its members.
fn only(feeds: &[&str]) -> Settings {
    settings(rules(&[percent(list("drop", feeds, &[]), 100)]))
}

fn desk() -> Desk {
    Desk::with(both(), &[("a", &net(1)), ("b", &net(2))])
}

#[test]
fn a_configuration_that_takes_nothing_out_is_in_force_at_once() {
    let mut desk = desk();
    let mut other = rules(&[list("drop", &["a*", "b*"], &[])]);
    other.scan *= 2;
    let word = desk.propose(&settings(other.clone()));
    assert_eq!(desk.configured(word), Some(Ok(())));
    assert_eq!(*desk.keeper.settings().rules, other);
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn of_overlapping_reloads_the_last_one_wins_and_all_who_wait_hear_of_it() {
    let mut desk = desk();
    desk.site.put("c", &net(3), desk.now.wall);
    let first = desk.propose(&only(&["a*", "b*", "c*"]));
    let second = desk.propose(&only(&["a*"]));
    let third = desk.propose(&only(&["b*", "c*"]));
    assert_eq!(desk.configured(first), None);
    desk.settle();
    for word in [first, second, third] {
        assert_eq!(desk.configured(word), Some(Ok(())));
    }
    desk.rests_with("drop", &nets(&[2, 3]));
    let configured =
        desk.reports.iter().filter(|report| matches!(report, Report::Configured { .. }));
    assert_eq!(configured.count(), 1, "only one of them was ever in force");
}

#[test]
fn a_word_for_one_configuration_is_no_word_for_the_next() {
    let mut desk = desk();
    let meant = desk.insist(&settings(rules(&[list("drop", &["x*"], &[])])));
    let slip = desk.propose(&settings(rules(&[list("drop", &["y*"], &[])])));
    desk.settle();
    assert!(matches!(desk.configured(slip), Some(Err(_))));
    assert!(matches!(desk.configured(meant), Some(Err(_))), "it is told of the same");
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_reload_while_a_list_is_put_together_puts_it_together_anew() {
    let mut desk = desk();
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Compose]);
    let old = desk.take(Kind::Compose);
    let word = desk.propose(&only(&["b*"]));
    desk.settle();
    assert_eq!(desk.configured(word), None, "what it loses is counted from what it is");
    desk.pass(20);
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.expect("drop", &nets(&[1, 2]));
    let generation = desk.keeper.generation();
    desk.answer(old);
    assert_eq!(desk.keeper.generation(), generation, "it answers an older question");
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn what_was_tried_of_an_earlier_configuration_decides_nothing() {
    let mut desk = desk();
    let slip = desk.propose(&settings(rules(&[list("drop", &["x*"], &[])])));
    desk.settle_but(&[Kind::Try]);
    let old = desk.take(Kind::Try);
    let good = desk.propose(&only(&["b*"]));
    desk.answer(old);
    assert_eq!(desk.configured(good), None, "its own lists were not tried yet");
    assert!(desk.keeper.refused_configuration().is_empty());
    desk.settle();
    assert_eq!((desk.configured(slip), desk.configured(good)), (Some(Ok(())), Some(Ok(()))));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_trial_that_ends_twice_decides_once() {
    let mut desk = desk();
    let word = desk.propose(&only(&["b*"]));
    desk.settle_but(&[Kind::Try]);
    let trial = desk.take(Kind::Try);
    let keeper::Action::Try(trial) = trial else { panic!("a trial") };
    desk.answer(keeper::Action::Try(trial.clone()));
    assert_eq!(desk.configured(word), Some(Ok(())));
    let told = desk.reports.len();
    desk.answer(keeper::Action::Try(trial));
    assert_eq!(desk.reports.len(), told);
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_reload_while_the_kernel_is_being_written_is_written_after_it() {
    let mut desk = desk();
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Converge]);
    let old = desk.take(Kind::Converge);
    let word = desk.propose(&only(&["a*"]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    assert!(!desk.keeper.in_sync(), "what is written is not what is desired any more");
    desk.answer(old);
    desk.expect("drop", &nets(&[2, 4]));
    assert!(!desk.keeper.in_sync());
    desk.settle();
    desk.rests_with("drop", &nets(&[4]));
}

#[test]
fn a_reload_while_the_kernel_is_observed_waits_for_what_is_seen() {
    let mut desk = desk();
    desk.handle(keeper::Event::Resync);
    let look = desk.take(Kind::Observe);
    desk.propose(&only(&["a*"]));
    desk.settle();
    assert!(!desk.waits(Kind::Converge), "one thing at a time");
    desk.answer(look);
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn what_was_read_by_the_old_rules_is_read_again_by_the_new_ones() {
    let mut desk = desk();
    desk.write("a", "");
    desk.settle_but(&[Kind::Read]);
    let old = desk.take(Kind::Read);
    let mut permissive = rules(&[list("drop", &["a*", "b*"], &[])]);
    permissive.guard.allow_empty = true;
    let word = desk.propose(&settings(permissive));
    assert_eq!(desk.configured(word), Some(Ok(())), "nothing is taken out by it");
    desk.answer(old);
    desk.settle();
    let refused = |report: &SourceReport| matches!(report, SourceReport::Refused { .. });
    assert_eq!(desk.told_of_source(refused), 0, "by the old ones it would be");
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_feed_that_no_list_takes_in_any_more_is_not_in_force_though_it_is_being_kept() {
    let mut desk = desk();
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Keep]);
    let keep = desk.take(Kind::Keep);
    desk.insist(&only(&["b*"]));
    desk.settle();
    desk.answer(keep);
    desk.settle();
    assert!(!desk.keeper.intake().feeds().contains_key(&feed("a")));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_feed_that_is_read_for_nobody_any_more_leaves_no_candidate_behind() {
    let mut desk = desk();
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Read]);
    let read = desk.take(Kind::Read);
    desk.insist(&only(&["b*"]));
    desk.settle();
    desk.lapse(15);
    desk.handle(keeper::Event::Tick);
    assert!(!desk.keeper.intake().feeds().contains_key(&feed("a")));
    desk.answer(read);
    desk.settle();
    assert!(!desk.site.has_candidates(), "it is thrown away");
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_reload_before_the_state_directory_has_answered_is_in_force_at_the_end_of_the_start() {
    let mut desk = Desk::new(both());
    desk.site.put("c", &net(3), at(999_000));
    let word = desk.propose(&only(&["c*"]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.pass(WITHDRAWN);
    desk.rests_with("drop", &nets(&[3]));
}

/// A while in which whatever a new state directory leaves in doubt is settled.
const WITHDRAWN: u64 = 400;

#[test]
fn a_reload_before_the_first_look_at_the_kernel_is_in_force_at_the_end_of_the_start() {
    let mut desk = desk();
    desk.restart();
    desk.settle_but(&[Kind::Observe]);
    let word = desk.propose(&only(&["b*"]));
    desk.settle_but(&[Kind::Observe]);
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn the_sets_of_a_list_that_was_taken_out_go_and_the_generation_grows() {
    let both = [list("drop", &["a*"], &[]), list("more", &["b*"], &[])];
    let mut desk = Desk::with(settings(rules(&both)), &[("a", &net(1)), ("b", &net(2))]);
    let generation = desk.keeper.generation();
    let word = desk.propose(&settings(rules(&both[..1])));
    assert_eq!(desk.configured(word), Some(Ok(())), "a list that is taken out was meant");
    assert!(desk.keeper.generation() > generation);
    assert!(!desk.keeper.in_sync(), "its sets are still there");
    desk.settle();
    assert_eq!(desk.host.names().count(), 2, "two families of one list: {:?}", desk.host.ops);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_set_that_rules_refer_to_stays_when_its_list_is_taken_out() {
    let both = [list("drop", &["a*"], &[]), list("more", &["b*"], &[])];
    let mut desk = Desk::with(settings(rules(&both)), &[("a", &net(1)), ("b", &net(2))]);
    let set = desk.set("more", blocklist::Family::Ipv4);
    desk.host.refer(&set, 1);
    desk.pass(10);
    desk.propose(&settings(rules(&both[..1])));
    desk.settle();
    desk.expect("more", &nets(&[2]));
    assert!(!desk.keeper.in_sync(), "and it is said");
    assert!(desk.told(|report| matches!(report, Report::Blocked { .. })));
    desk.host.refer(&set, 0);
    desk.pass(10);
    assert_eq!(desk.host.members(&set), None, "it goes when the rule has gone");
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_list_that_is_taken_out_and_put_back_before_the_kernel_was_written_loses_nothing() {
    let both = [list("drop", &["a*"], &[]), list("more", &["b*"], &[])];
    let mut desk = Desk::with(settings(rules(&both)), &[("a", &net(1)), ("b", &net(2))]);
    desk.host.ops.clear();
    desk.propose(&settings(rules(&both[..1])));
    desk.settle_but(&[Kind::Converge, Kind::Compose]);
    desk.propose(&settings(rules(&both)));
    desk.settle_but(&[Kind::Converge]);
    desk.pending.retain(|action| crate::house::kind(action) == Kind::Converge);
    // What was to be written when it was out is written now, if it was asked for.
    desk.settle();
    desk.rests_with("more", &nets(&[2]));
    desk.expect("drop", &nets(&[1]));
}

#[test]
fn a_list_that_comes_back_after_its_sets_are_gone_is_whole_again() {
    let both = [list("drop", &["a*"], &[]), list("more", &["b*"], &[])];
    let mut desk = Desk::with(settings(rules(&both)), &[("a", &net(1)), ("b", &net(2))]);
    desk.propose(&settings(rules(&both[..1])));
    desk.settle();
    desk.expect("more", &BTreeSet::new());
    let word = desk.propose(&settings(rules(&both)));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("more", &nets(&[2]));
}

#[test]
fn a_list_by_another_name_is_there_before_the_old_one_goes() {
    let mut desk = desk();
    desk.host.ops.clear();
    desk.propose(&settings(rules(&[list("deny", &["a*", "b*"], &[])])));
    desk.settle();
    let place = |is: &dyn Fn(&Op) -> bool| desk.host.ops.iter().position(is).expect("it was done");
    let filled =
        place(&|op| matches!(op, Op::Add { set, .. } if set.as_str() == "denyset-deny-v4"));
    let retired =
        place(&|op| matches!(op, Op::Retire { set, .. } if set.as_str() == "denyset-drop-v4"));
    assert!(filled < retired);
    desk.rests_with("deny", &nets(&[1, 2]));
}

#[test]
fn a_list_takes_in_further_feeds_when_they_are_read() {
    let mut desk = desk();
    desk.site.put("c", &net(3), desk.now.wall);
    let word = desk.propose(&settings(rules(&[list("drop", &["a*", "b*", "c*"], &[])])));
    desk.settle_but(&[Kind::Read]);
    assert_eq!(desk.configured(word), None, "not before it is known what it comes to");
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_feed_that_is_read_without_end_does_not_keep_a_configuration_from_being_in_force() {
    let mut desk = desk();
    desk.site.put("c", &net(3), desk.now.wall);
    let word = desk.propose(&settings(rules(&[list("drop", &["a*", "b*", "c*"], &[])])));
    desk.settle_but(&[Kind::Read]);
    let patience = desk.now.monotonic + std::time::Duration::from_secs(15);
    while desk.configured(word).is_none() {
        let wake = desk.wake.expect("it is waited for with a clock");
        assert!(wake <= patience, "for fifteen seconds");
        desk.advance(wake);
        desk.settle_but(&[Kind::Read]);
    }
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_directory_that_cannot_be_scanned_does_not_keep_a_configuration_waiting() {
    let mut desk = desk();
    desk.site.scan_fails = Some("no such directory".to_owned());
    let word = desk.propose(&only(&["a*"]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    // Not everything that it takes in was looked for, so nothing leaves yet.
    desk.expect("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.in_sync());
    desk.site.scan_fails = None;
    desk.pass(60);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_feed_that_was_refused_is_in_force_by_rules_that_allow_it() {
    let mut desk = desk();
    desk.write("a", "192.0.2.1\n");
    desk.settle();
    desk.expect("drop", &nets(&[1, 2]));
    let mut permissive = rules(&[list("drop", &["a*", "b*"], &[])]);
    permissive.guard.shrink_percent_max = 100;
    desk.propose(&settings(permissive));
    desk.settle();
    let mut want = nets(&[2]);
    want.insert("192.0.2.1".parse().expect("an address"));
    desk.rests_with("drop", &want);
}

#[test]
fn a_feed_of_a_refused_configuration_is_in_no_list() {
    let mut desk = desk();
    desk.site.put("c", &net(3), desk.now.wall);
    let word = desk.propose(&settings(rules(&[list("drop", &["c*"], &[])])));
    desk.settle();
    assert!(matches!(desk.configured(word), Some(Err(_))));
    desk.pass(60);
    desk.rests_with("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.intake().feeds().contains_key(&feed("c")), "it is forgotten again");
}

#[test]
fn how_often_the_kernel_is_probed_is_as_the_last_configuration_says() {
    let mut desk = desk();
    let mut other = both();
    other.probe *= 6;
    desk.propose(&other);
    desk.pass(10);
    let probes = |desk: &Desk| desk.acts;
    let before = probes(&desk);
    desk.lapse(45);
    desk.handle(keeper::Event::Tick);
    assert!(!desk.waits(Kind::Probe), "{} actions", probes(&desk) - before);
    desk.lapse(20);
    desk.handle(keeper::Event::Tick);
    desk.settle_but(&[Kind::Probe]);
    assert!(desk.waits(Kind::Probe));
}

#[test]
fn a_table_of_feeds_that_match_nothing_changes_nothing() {
    let mut desk = desk();
    let mut other = rules(&[list("drop", &["a*", "b*"], &[])]);
    other.tables.push(table("z*", 1, WhenStale::Drop));
    assert!(other.tables[0].matches == glob("z*"));
    let word = desk.propose(&settings(other));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[1, 2]));
}
