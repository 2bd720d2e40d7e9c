//! The intake's promises, one sentence each: what is in force while answers come
//! late, twice, in another order, or to another question.

mod desk;
mod judging;
mod lockout;
mod recalling;

use std::time::Duration;

use intake::{Answer, Loss, NotAcceptable, Order, Reading, Recalled, SourceReport};

use desk::{Desk, WITHDRAW, copy, feed, is_keep, is_read, is_scan};

#[test]
fn nothing_is_scanned_before_the_state_directory_has_answered() {
    let mut desk = Desk::new();
    assert!(!desk.waits(is_scan));
    let recall = desk.take(|order| matches!(order, Order::Recall(..)));
    desk.answer(recall);
    assert!(desk.waits(is_scan));
}

#[test]
fn a_good_version_is_in_force_when_its_copy_is_kept() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 1);
    while !desk.waits(is_keep) {
        let order = desk.orders.remove(0);
        desk.answer(order);
    }
    desk.expect(&[]);
    desk.settle();
    desk.expect(&[("a", 1)]);
}

#[test]
fn a_feed_that_comes_back_while_its_copy_is_being_deleted_is_in_force_again() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.clear();
    desk.changed();
    desk.settle();
    desk.pass(WITHDRAW.as_secs());
    desk.expect(&[]);
    // The copy is not deleted yet when the file is back.
    assert!(desk.waits(|order| matches!(order, Order::Forget(_))));
    desk.files.insert(feed("a"), 1);
    desk.changed();
    desk.settle();
    desk.expect(&[("a", 1)]);
}

#[test]
fn an_answer_to_another_reading_than_the_present_one_is_dropped() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 2);
    desk.changed();
    let scan = desk.take(is_scan);
    desk.answer(scan);
    let Order::Read(old, order) = desk.take(is_read) else { panic!("a reading") };
    let late = desk.reading(old, &order);
    // Other rules: what was judged by the old ones does not count.
    desk.intake.rule_by(desk::rules(), desk.now);
    desk.files.insert(feed("a"), 3);
    desk.tell(late);
    desk.expect(&[("a", 1)]);
    desk.settle();
    desk.expect(&[("a", 3)]);
    assert!(!desk.reports.iter().any(|report| matches!(report, SourceReport::Refused { .. })));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_read_again() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 2);
    desk.changed();
    let scan = desk.take(is_scan);
    desk.answer(scan);
    let Order::Read(ticket, order) = desk.take(is_read) else { panic!("a reading") };
    let second = desk.reading(ticket, &order);
    desk.files.insert(feed("a"), 3);
    desk.changed();
    let scan = desk.take(is_scan);
    desk.answer(scan);
    desk.tell(second);
    desk.settle();
    desk.expect(&[("a", 3)]);
}

#[test]
fn the_same_bytes_count_only_if_that_version_is_in_force() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 2);
    desk.changed();
    let scan = desk.take(is_scan);
    desk.answer(scan);
    let Order::Read(ticket, _) = desk.take(is_read) else { panic!("a reading") };
    let reading = Reading::Same(intake::Identity([9, 9, 9]));
    let (fingerprint, written) = (None, None);
    desk.tell(Answer::Read { ticket, feed: feed("a"), fingerprint, written, reading });
    desk.settle();
    desk.expect(&[("a", 2)]);
}

#[test]
fn a_refused_version_is_accepted_by_a_word_on_it() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 0);
    desk.changed();
    desk.settle();
    desk.expect(&[("a", 1)]);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.reply(word), Some(Ok(())));
    desk.expect(&[("a", 0)]);
}

#[test]
fn a_word_on_a_refused_version_lets_no_other_one_through() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 0);
    desk.changed();
    desk.settle();
    // The file is another one by the time that it is read again.
    desk.files.insert(feed("a"), 2);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.reply(word), Some(Err(NotAcceptable::NewerInForce)));
    desk.expect(&[("a", 2)]);
}

#[test]
fn there_is_nothing_to_accept_of_a_good_feed_or_of_none() {
    let mut desk = Desk::with(&[("a", 1)]);
    let word = desk.accept("a");
    assert_eq!(desk.reply(word), Some(Err(NotAcceptable::Nothing)));
    let word = desk.accept("b");
    assert_eq!(desk.reply(word), Some(Err(NotAcceptable::Unknown)));
}

#[test]
fn a_good_feed_is_in_force_though_no_copy_can_be_kept() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 1);
    desk.keeps_nothing();
    desk.expect(&[("a", 1)]);
    assert!(desk.intake.feeds()[&feed("a")].unkept.is_some());
    desk.pass(10);
    desk.settle();
    assert!(desk.intake.feeds()[&feed("a")].unkept.is_none());
}

#[test]
fn most_feeds_gone_at_once_are_an_accident_and_come_back_without_a_word() {
    let mut desk = Desk::with(&[("a", 1), ("b", 2), ("c", 3)]);
    desk.files.clear();
    desk.changed();
    desk.settle();
    desk.pass(WITHDRAW.as_secs());
    desk.settle();
    desk.expect(&[("a", 1), ("b", 2), ("c", 3)]);
    desk.files.insert(feed("a"), 1);
    desk.files.insert(feed("b"), 2);
    desk.changed();
    desk.settle();
    desk.expect(&[("a", 1), ("b", 2)]);
}

#[test]
fn a_feed_that_was_renamed_leaves_its_old_name_when_the_new_one_is_in_force() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.changed();
    let mut scan = desk.scan();
    let print = scan.feeds.remove(&feed("a")).expect("it is there");
    scan.feeds.insert(feed("b"), print);
    desk.files.clear();
    desk.files.insert(feed("b"), 1);
    let Order::Scan(ticket) = desk.take(is_scan) else { panic!("a scan") };
    desk.tell(Answer::Scanned(ticket, Ok(scan)));
    desk.expect(&[("a", 1)]);
    let orders = std::mem::take(&mut desk.orders);
    for order in orders.into_iter().filter(is_read) {
        desk.answer(order);
    }
    let keep = desk.take(is_keep);
    desk.answer(keep);
    desk.expect(&[("b", 1)]);
}

#[test]
fn a_copy_that_cannot_be_read_now_is_tried_again_and_counts_then() {
    let mut desk = Desk::new();
    let Order::Recall(ticket, ..) = desk.take(|order| matches!(order, Order::Recall(..))) else {
        panic!("a recall")
    };
    let mut recalled = Recalled::default();
    recalled.lost.insert(feed("a"), Loss::Unreadable("too many open files".to_owned()));
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    desk.settle();
    assert_eq!(desk.intake.unproven().count(), 1);
    desk.pass(1);
    let Order::Recall(ticket, ..) = desk.take(|order| matches!(order, Order::Recall(..))) else {
        panic!("another recall")
    };
    let mut recalled = Recalled::default();
    recalled.versions.insert(feed("a"), copy(7, desk.now));
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    desk.expect(&[("a", 7)]);
    assert_eq!(desk.intake.unproven().count(), 0);
}

#[test]
fn a_lost_feed_is_let_go_by_a_word() {
    let mut desk = Desk::new();
    let Order::Recall(ticket, ..) = desk.take(|order| matches!(order, Order::Recall(..))) else {
        panic!("a recall")
    };
    let mut recalled = Recalled::default();
    recalled.lost.insert(feed("a"), Loss::Missing);
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    assert_eq!(desk.intake.unproven().count(), 1);
    let word = desk.accept("a");
    assert_eq!(desk.reply(word), Some(Ok(())));
    assert_eq!(desk.intake.unproven().count(), 0);
}

#[test]
fn a_scan_that_fails_is_tried_again_later_each_time_and_changes_nothing() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.changed();
    for pause in [1, 2, 4] {
        let Order::Scan(ticket) = desk.take(is_scan) else { panic!("a scan") };
        desk.tell(Answer::Scanned(ticket, Err("no such directory".to_owned())));
        assert!(desk.intake.at_rest());
        desk.pass(pause - 1);
        assert!(!desk.waits(is_scan), "not before {pause} s");
        desk.pass(1);
        assert!(desk.waits(is_scan), "after {pause} s");
    }
    desk.expect(&[("a", 1)]);
    let failures =
        desk.reports.iter().filter(|report| matches!(report, SourceReport::ScanFailed { .. }));
    assert_eq!(failures.count(), 1, "told once");
}

#[test]
fn the_directory_is_looked_at_again_though_nobody_tells() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 2);
    desk.pass(59);
    assert!(desk.orders.is_empty());
    desk.pass(1);
    desk.settle();
    desk.expect(&[("a", 2)]);
}

#[test]
fn a_clock_that_is_set_is_told_of_and_ends_nothing() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.now.wall += Duration::from_secs(7_200);
    desk.decide();
    let told = |report: &SourceReport| {
        *report == SourceReport::ClockSet { by: Duration::from_secs(7_200), ahead: true }
    };
    assert!(desk.reports.iter().any(told));
    desk.expect(&[("a", 1)]);
}
