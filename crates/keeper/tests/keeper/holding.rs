//! Sets that are held because less is known than when they were filled: state
//! lost, copies damaged, exceptions missing. What keeps them, and what ends it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use blocklist::{AnyPrefix, Guard};
use intake::{Loss, NotAcceptable, SourceReport};
use keeper::{Held, HoldReason, Report, Settings};
use reconcile::Hold;

use crate::house::{Desk, Kind, WITHDRAW, at, feed, list, net, nets, rules, settings};

fn lists() -> Settings {
    settings(rules(&[list("drop", &["*"], &["allow/*"])]))
}

fn desk() -> Desk {
    Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))])
}

fn damaged() -> Loss {
    Loss::Damaged("its checksum is wrong".to_owned())
}

/// Long after everything that ends by itself has ended.
fn for_days(desk: &mut Desk) {
    desk.pass(3 * 86_400 / 8);
}

/// The state directory is lost while no process is there, `a` says this by
/// then, and another process begins.
fn lost_with(text: Option<&str>) -> Desk {
    let mut desk = desk();
    desk.site.lose();
    match text {
        Some(text) => desk.site.put("a", text, desk.now.wall),
        None => desk.site.delete("a"),
    }
    desk.restart();
    desk.settle();
    desk
}

#[test]
fn with_the_state_lost_and_a_feed_bad_the_kernel_has_the_last_word() {
    for text in ["", "<html>\n", "garbage\n", "91.1.1.1\n91.1.1.300\n"] {
        let mut desk = lost_with(Some(text));
        let held = Held { hold: Hold::AddOnly, why: HoldReason::Unproven(feed("a")) };
        assert_eq!(desk.how("drop"), Some(held), "{text:?}");
        desk.expect("drop", &nets(&[1, 2]));
        for_days(&mut desk);
        desk.expect("drop", &nets(&[1, 2]));
        assert!(!desk.keeper.in_sync(), "and it is said");
    }
}

#[test]
fn with_the_state_lost_and_a_feed_locked_the_kernel_has_the_last_word() {
    let mut desk = desk();
    desk.site.lose();
    desk.site.locked.insert(feed("a"), Guard::Readable);
    desk.restart();
    desk.settle();
    for_days(&mut desk);
    desk.expect("drop", &nets(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
}

#[test]
fn with_the_state_lost_and_all_feeds_good_nothing_is_held() {
    let desk = lost_with(Some(&net(1)));
    assert_eq!(desk.why("drop"), None);
    desk.rests_with("drop", &nets(&[1, 2]));
    assert!(!desk.told(|report| matches!(report, Report::ListHeld { .. })));
}

#[test]
fn with_the_state_lost_and_the_feeds_gone_nothing_goes_without_a_word() {
    let mut desk = desk();
    desk.site.lose();
    desk.site.files.clear();
    desk.restart();
    desk.settle();
    for_days(&mut desk);
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 40, lost: 40 }));
    desk.expect("drop", &nets(&[1, 2]));
    desk.accept_losses();
    desk.settle();
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn with_the_state_lost_a_small_loss_waits_as_long_as_a_deleted_feed() {
    let mut desk = lost_with(None);
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 40, lost: 20 }));
    desk.pass(WITHDRAW - 20);
    desk.expect("drop", &nets(&[1, 2]));
    desk.pass(40);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn with_the_state_lost_a_feed_of_which_little_is_left_is_held_for_good() {
    let mut desk = lost_with(Some("91.1.1.1\n"));
    desk.site.delete("b");
    desk.restart();
    desk.settle();
    for_days(&mut desk);
    desk.expect("drop", &nets(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 40, lost: 39 }));
}

#[test]
fn on_a_new_host_nothing_is_held() {
    let mut desk = Desk::new(lists());
    desk.site.put("a", &net(1), at(999_000));
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
    assert!(!desk.told(|report| matches!(report, Report::ListHeld { .. })));
}

#[test]
fn what_is_doubted_is_doubted_by_the_next_process_as_well() {
    let mut desk = lost_with(None);
    assert!(desk.makeup("drop").doubt, "it is written down");
    desk.site.put("x", &net(9), desk.now.wall);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 60, lost: 20 }));
    desk.expect("drop", &nets(&[1, 2, 9]));
}

#[test]
fn a_good_version_of_a_lost_feed_frees_its_list() {
    let mut desk = lost_with(Some(""));
    desk.write("a", &net(1));
    desk.settle();
    assert_eq!(desk.why("drop"), None);
    desk.rests_with("drop", &nets(&[1, 2]));
    assert!(desk.told(|report| matches!(report, Report::ListFree { .. })));
}

#[test]
fn a_list_that_is_held_takes_in_what_its_other_feeds_bring() {
    let mut desk = lost_with(Some(""));
    desk.write("b", &(net(2) + &net(3)));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2, 3]));
    desk.write("b", &net(3));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2, 3]));
    assert!(!desk.keeper.in_sync());
}

#[test]
fn a_damaged_copy_of_a_good_feed_holds_nothing() {
    let mut desk = desk();
    desk.site.damaged.insert(feed("a"), damaged());
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
    let lost = |report: &SourceReport| matches!(report, SourceReport::Lost { .. });
    assert_eq!(desk.told_of_source(lost), 1, "it is told all the same");
}

/// A desk whose process finds one copy lost in this way, and the file bad.
fn check_lost(loss: Option<Loss>) {
    let mut desk = desk();
    desk.site.put("a", "<html>\n", desk.now.wall);
    match loss {
        Some(loss) => drop(desk.site.damaged.insert(feed("a"), loss)),
        None => drop(desk.site.copies.remove(&feed("a"))),
    }
    desk.restart();
    desk.settle();
    for_days(&mut desk);
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
    desk.expect("drop", &nets(&[1, 2]));
    desk.site.damaged.clear();
    desk.write("a", &net(4));
    desk.settle();
    desk.pass(60);
    desk.rests_with("drop", &nets(&[2, 4]));
}

#[test]
fn one_copy_that_is_lost_holds_whatever_way_it_was_lost() {
    check_lost(Some(damaged()));
    check_lost(Some(Loss::Unreadable("too many open files".to_owned())));
    check_lost(None);
}

#[test]
fn a_copy_that_is_lost_with_its_file_holds_the_list_until_a_word() {
    let mut desk = desk();
    desk.site.delete("a");
    desk.site.copies.remove(&feed("a"));
    desk.restart();
    desk.settle();
    desk.expect("drop", &nets(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
    desk.accept("a");
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn of_two_lost_feeds_one_word_lets_only_one_go() {
    let mut desk = desk();
    for name in ["a", "b"] {
        desk.site.put(name, "", desk.now.wall);
        desk.site.damaged.insert(feed(name), damaged());
    }
    desk.restart();
    desk.settle();
    desk.accept("a");
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("b"))));
    desk.expect("drop", &nets(&[1, 2]));
    desk.accept("b");
    desk.settle();
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn with_the_state_lost_a_bad_feed_holds_also_what_a_good_one_names_for_now() {
    let mut desk = desk();
    desk.write("c", &(net(1) + &net(2)));
    desk.settle();
    desk.site.lose();
    desk.site.put("a", "<html>\n", desk.now.wall);
    desk.restart();
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
    desk.delete("c");
    desk.pass(WITHDRAW + 60);
    desk.expect("drop", &nets(&[1, 2]));
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn an_exception_that_is_judged_blindly_takes_nothing_out() {
    let (mut desk, held) = spared();
    desk.site.recall_fails = Some("input/output error".to_owned());
    desk.site.put("allow/x", &net(1), desk.now.wall);
    desk.restart();
    desk.settle();
    desk.pass(120);
    desk.expect("drop", &held);
    assert!(!desk.keeper.in_sync());
    desk.site.recall_fails = None;
    desk.pass(120);
    let rest: BTreeSet<_> = held.difference(&nets(&[1])).copied().collect();
    desk.rests_with("drop", &rest);
}

#[test]
fn only_the_lists_of_a_lost_feed_are_held() {
    let both = [list("drop", &["a"], &[]), list("more", &["b"], &[])];
    let mut desk = Desk::with(settings(rules(&both)), &[("a", &net(1)), ("b", &net(2))]);
    desk.site.put("a", "", desk.now.wall);
    desk.site.damaged.insert(feed("a"), damaged());
    desk.restart();
    desk.settle();
    assert_eq!((desk.why("drop"), desk.why("more")), (Some(HoldReason::Unproven(feed("a"))), None));
    desk.write("b", &(net(3) + &net(4)));
    desk.settle();
    desk.expect("more", &nets(&[3, 4]));
    assert!(!desk.keeper.in_sync(), "one list that is held is enough");
}

/// A list whose exception was in force, without 91.1.1.7.
fn spared() -> (Desk, BTreeSet<AnyPrefix>) {
    let desk = Desk::with(lists(), &[("a", &net(1)), ("allow/x", "91.1.1.7\n")]);
    let mut spared = nets(&[1]);
    spared.remove(&"91.1.1.7".parse().expect("an address"));
    desk.rests_with("drop", &spared);
    (desk, spared)
}

#[test]
fn a_lost_exception_freezes_its_list() {
    let (mut desk, spared) = spared();
    desk.site.put("allow/x", "<html>\n", desk.now.wall);
    desk.site.damaged.insert(feed("allow/x"), damaged());
    desk.site.put("a", &(net(1) + &net(2)), desk.now.wall);
    desk.restart();
    desk.settle();
    let held = Held { hold: Hold::Frozen, why: HoldReason::UnprovenException(feed("allow/x")) };
    assert_eq!(desk.how("drop"), Some(held));
    desk.expect("drop", &spared);
    for_days(&mut desk);
    desk.expect("drop", &spared);
    desk.write("allow/x", "91.1.2.9\n");
    desk.settle();
    let mut want = nets(&[1, 2]);
    want.remove(&"91.1.2.9".parse().expect("an address"));
    desk.rests_with("drop", &want);
}

#[test]
fn a_refused_exception_whose_last_good_version_is_in_force_freezes_nothing() {
    let (mut desk, mut spared) = spared();
    desk.write("allow/x", "");
    desk.write("a", &(net(1) + &net(2)));
    desk.settle();
    assert_eq!(desk.why("drop"), None);
    spared.extend(nets(&[2]));
    desk.rests_with("drop", &spared);
}

#[test]
fn an_exception_that_was_never_good_freezes_its_list_until_it_is_let_go() {
    let (mut desk, mut spared) = spared();
    desk.write("allow/y", "<html>\n");
    desk.write("a", &(net(1) + &net(2)));
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::UnprovenException(feed("allow/y"))));
    desk.expect("drop", &spared);
    let word = desk.accept("allow/y");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    spared.extend(nets(&[2]));
    desk.rests_with("drop", &spared);
}

#[test]
fn nothing_is_blocked_for_the_time_that_an_exception_takes_to_read() {
    let (mut desk, mut spared) = spared();
    desk.write("allow/y", "91.1.2.7\n");
    desk.write("a", &(net(1) + &net(2)));
    desk.settle_but(&[Kind::Read]);
    let read = desk.take(Kind::Read);
    desk.answer(read);
    desk.settle_but(&[Kind::Read]);
    assert_eq!(desk.why("drop"), Some(HoldReason::UnreadException(feed("allow/y"))));
    desk.expect("drop", &spared);
    desk.settle();
    spared.extend(nets(&[2]));
    spared.remove(&"91.1.2.7".parse().expect("an address"));
    desk.rests_with("drop", &spared);
}

#[test]
fn a_list_does_not_come_into_force_before_its_exceptions() {
    let mut desk = Desk::new(lists());
    desk.site.lists = Some(BTreeMap::new());
    desk.site.put("a", &net(1), at(999_000));
    desk.site.put("allow/x", "<html>\n", at(999_000));
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::UnprovenException(feed("allow/x"))));
    assert_eq!(desk.held("drop"), BTreeSet::new(), "the set is there for rules, and empty");
    assert_eq!(desk.host.names().count(), 2);
    desk.write("allow/x", "91.1.1.7\n");
    desk.settle();
    assert_eq!(desk.held("drop").len(), 19);
    assert!(desk.keeper.in_sync());
}

#[test]
fn a_feed_that_was_never_good_holds_nothing_on_a_list_that_never_had_it() {
    let mut desk = desk();
    desk.write("c", "");
    desk.settle();
    assert_eq!(desk.why("drop"), None);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn what_a_list_must_never_hold_leaves_it_also_while_it_is_held() {
    let mut desk = lost_with(Some(""));
    let allow = list("drop", &["*"], &["allow/*", "91.1.1.0/29"]);
    let word = desk.insist(&settings(rules(&[allow])));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    assert!(desk.why("drop").is_some(), "it is held all the same");
    assert_eq!(desk.held("drop").len(), 33, "seven of twenty are gone from a held set");
}

#[test]
fn an_exception_that_comes_leaves_a_list_that_is_held() {
    let mut desk = lost_with(Some(""));
    desk.write("allow/x", "91.1.1.7\n91.1.2.7\n");
    desk.settle();
    assert_eq!(desk.held("drop").len(), 38);
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
}

#[test]
fn a_set_that_is_gone_while_its_list_is_held_is_there_again_and_free() {
    let mut desk = lost_with(Some(""));
    let set = desk.set("drop", blocklist::Family::Ipv4);
    desk.host.destroy(&set);
    desk.pass(10);
    desk.expect("drop", &nets(&[2]));
    assert_eq!(desk.why("drop"), None, "nothing is left that could get lost");
}

#[test]
fn nothing_is_removed_while_the_directory_cannot_be_scanned_at_a_start() {
    let mut desk = desk();
    desk.site.scan_fails = Some("no such directory".to_owned());
    desk.restart();
    desk.settle();
    desk.pass(3_600);
    desk.expect("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.in_sync());
    assert_eq!(desk.why("drop"), Some(HoldReason::Unread));
    desk.site.scan_fails = None;
    desk.pass(60);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn nothing_is_removed_while_the_state_directory_cannot_be_read_at_a_start() {
    let mut desk = desk();
    desk.site.put("a", "", desk.now.wall);
    desk.site.recall_fails = Some("input/output error".to_owned());
    desk.restart();
    desk.settle();
    desk.pass(3_600);
    desk.expect("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.in_sync());
    desk.site.recall_fails = None;
    desk.pass(60);
    desk.rests_with("drop", &nets(&[1, 2]));
    assert!(desk.keeper.intake().recall_failure().is_none());
}

#[test]
fn nothing_is_removed_before_every_feed_was_read_once() {
    let mut desk = desk();
    // The kernel holds more than any feed says.
    let set = desk.set("drop", blocklist::Family::Ipv4);
    desk.host.meddle(&set, |members| members.extend(nets(&[3])));
    desk.restart();
    desk.settle_but(&[Kind::Read]);
    while desk.wake.is_some_and(|at| at < desk.start() + Duration::from_secs(20)) {
        desk.advance(desk.wake.expect("it is there"));
        desk.settle_but(&[Kind::Read]);
    }
    assert!(desk.waits(Kind::Read));
    desk.expect("drop", &nets(&[1, 2, 3]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Unread));
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_good_feed_is_enforced_though_the_state_directory_is_full_and_a_restart_holds_it() {
    let mut desk = desk();
    desk.site.full = true;
    desk.write("c", &net(3));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2, 3]));
    let feeds = desk.keeper.intake().feeds();
    assert!(feeds[&feed("c")].unkept.is_some(), "it would not survive, and that is known");
    desk.restart();
    desk.settle();
    desk.expect("drop", &nets(&[1, 2, 3]));
    desk.site.full = false;
    desk.pass(20);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    assert!(desk.keeper.intake().feeds()[&feed("c")].unkept.is_none());
}

#[test]
fn what_makes_up_a_list_is_written_down_when_it_changes_and_only_then() {
    let mut desk = desk();
    desk.write("c", &net(3));
    desk.settle();
    let makeup = desk.makeup("drop");
    assert_eq!(makeup.deny, [feed("a"), feed("b"), feed("c")].into());
    assert!(!makeup.doubt);
    desk.write("c", &net(4));
    desk.settle_but(&[Kind::WriteDown]);
    assert!(!desk.waits(Kind::WriteDown), "the feeds are the same");
    desk.write("allow/x", "91.1.1.7\n");
    desk.settle();
    assert_eq!(desk.makeup("drop").allow, [feed("allow/x")].into());
}

#[test]
fn a_copy_that_is_lost_is_lost_for_every_process_after_that() {
    let mut desk = desk();
    desk.site.put("a", "<html>\n", desk.now.wall);
    desk.site.copies.remove(&feed("a"));
    for _ in 0..3 {
        desk.restart();
        desk.settle();
        desk.pass(WITHDRAW);
        assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
        desk.expect("drop", &nets(&[1, 2]));
    }
    assert!(desk.makeup("drop").deny.contains(&feed("a")), "it is written down as a part");
    desk.accept("a");
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn an_exception_that_is_lost_is_lost_for_every_process_after_that() {
    let (mut desk, spared) = spared();
    desk.site.put("allow/x", "<html>\n", desk.now.wall);
    desk.site.copies.remove(&feed("allow/x"));
    desk.site.put("a", &(net(1) + &net(2)), desk.now.wall);
    for _ in 0..3 {
        desk.restart();
        desk.settle();
        assert_eq!(desk.why("drop"), Some(HoldReason::UnprovenException(feed("allow/x"))));
        desk.expect("drop", &spared);
    }
}

#[test]
fn with_the_state_lost_every_bad_feed_has_to_be_let_go() {
    let mut desk = desk();
    desk.site.lose();
    for name in ["a", "b"] {
        desk.site.put(name, "", desk.now.wall);
    }
    desk.restart();
    desk.settle();
    desk.accept("a");
    desk.settle();
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("b"))));
    desk.expect("drop", &nets(&[1, 2]));
    desk.accept("b");
    desk.settle();
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn the_end_of_a_doubt_has_a_tick_of_its_own() {
    let slow = |seconds: u64| Duration::from_secs(seconds);
    let mut rules = rules(&[list("drop", &["*"], &["allow/*"])]);
    rules.scan = slow(86_400);
    let settings = Settings { probe: slow(86_400), audit: slow(86_400), ..settings(rules) };
    let mut desk = Desk::with(settings, &[("a", &net(1)), ("b", &net(2))]);
    desk.site.lose();
    desk.site.delete("a");
    desk.restart();
    desk.settle();
    assert_eq!(desk.wake, Some(desk.start() + slow(WITHDRAW)));
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_on_a_good_feed_lets_nothing_go_that_was_forgotten() {
    let mut desk = lost_with(None);
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 40, lost: 20 }));
    let word = desk.accept("b");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.in_sync());
}

#[test]
fn a_word_that_comes_to_nothing_lets_nothing_go() {
    let mut desk = lost_with(Some(""));
    desk.site.put("a", "<html>\n", desk.now.wall);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::NewerRefused)));
    desk.expect("drop", &nets(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Unproven(feed("a"))));
}

#[test]
fn a_word_on_what_was_refused_since_lets_nothing_go_that_was_forgotten() {
    let mut desk = lost_with(None);
    desk.write("b", "");
    desk.settle();
    let word = desk.accept("b");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.expect("drop", &nets(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 40, lost: 40 }));
}

#[test]
fn a_word_that_a_newer_version_has_overtaken_lets_nothing_go() {
    let mut desk = lost_with(Some(""));
    desk.site.put("a", "91.1.1.1\n", desk.now.wall);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::NewerInForce)));
    desk.expect("drop", &nets(&[1, 2]));
    assert_eq!(desk.why("drop"), Some(HoldReason::Forgotten { had: 40, lost: 19 }));
}
