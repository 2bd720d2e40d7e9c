//! What the state directory remembers, when it cannot be read, and which of a
//! copy and a file counts.

use std::time::Duration;

use blocklist::Guard;
use intake::{Answer, Loss, Order, Reading, Recalled, SourceReport, Ticket};

use crate::desk::{Desk, copy, feed, is_read, is_scan, refusal};

fn is_recall(order: &Order) -> bool {
    matches!(order, Order::Recall(..))
}

fn recall(desk: &mut Desk) -> Ticket {
    let Order::Recall(ticket, ..) = desk.take(is_recall) else { panic!("a recall") };
    ticket
}

/// A desk whose state directory has this version of `a`.
fn with_copy(version: u64) -> Desk {
    let mut desk = Desk::new();
    let mut recalled = Recalled::default();
    recalled.versions.insert(feed("a"), copy(version, desk.now));
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    desk
}

#[test]
fn a_copy_is_in_force_before_any_file_was_read() {
    let desk = with_copy(3);
    desk.expect(&[("a", 3)]);
    assert!(!desk.intake.is_complete(), "but not everything has been looked at");
}

#[test]
fn a_file_is_judged_by_its_last_good_copy() {
    let mut desk = with_copy(3);
    desk.files.insert(feed("a"), 0);
    desk.settle();
    desk.expect(&[("a", 3)]);
    assert_eq!(desk.intake.feeds()[&feed("a")].refusals()[0].guard, Guard::Empty);
    assert!(desk.intake.is_complete());
}

#[test]
fn a_file_that_is_not_quiet_yet_has_not_been_looked_at_though_it_has_a_copy() {
    let mut desk = with_copy(3);
    desk.files.insert(feed("a"), 3);
    let scan = desk.take(is_scan);
    desk.answer(scan);
    let Order::Read(ticket, _) = desk.take(is_read) else { panic!("a reading") };
    let reading = Reading::Refused(refusal(Guard::Stable));
    let (fingerprint, written) = (None, None);
    desk.tell(Answer::Read { ticket, feed: feed("a"), fingerprint, written, reading });
    assert!(!desk.intake.is_complete(), "how old it is, for one, is not known");
    desk.expect(&[("a", 3)]);
    desk.pass(1);
    desk.settle();
    assert!(desk.intake.is_complete());
}

#[test]
fn a_file_that_is_its_copy_is_not_kept_again() {
    let mut desk = with_copy(3);
    desk.files.insert(feed("a"), 3);
    let scan = desk.take(is_scan);
    desk.answer(scan);
    let Order::Read(ticket, order) = desk.take(is_read) else { panic!("a reading") };
    assert_eq!(order.known, Some(intake::Identity([3, 0, 0])));
    let same = desk.reading(ticket, &order);
    desk.tell(same);
    assert!(desk.orders.is_empty(), "{:?}", desk.orders);
    desk.expect(&[("a", 3)]);
    let accepted = |report: &SourceReport| matches!(report, SourceReport::Accepted { .. });
    assert!(!desk.reports.iter().any(accepted), "it is no news");
}

#[test]
fn a_copy_without_a_file_is_withdrawn_like_a_deleted_feed() {
    let mut desk = with_copy(3);
    desk.settle();
    desk.expect(&[("a", 3)]);
    assert!(desk.intake.feeds()[&feed("a")].gone.is_some());
    desk.pass(crate::WITHDRAW.as_secs());
    desk.expect(&[]);
}

#[test]
fn a_state_directory_that_cannot_be_read_is_asked_again_after_longer_and_longer_rests() {
    let mut desk = Desk::new();
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        let ticket = recall(&mut desk);
        desk.tell(Answer::Recalled(ticket, Err("input/output error".to_owned())));
        assert_eq!(desk.intake.recall_failure(), Some("input/output error"));
        desk.settle();
        desk.pass(pause - 1);
        assert!(!desk.waits(is_recall), "not before {pause} s");
        desk.orders.clear();
        desk.now.monotonic += Duration::from_secs(1);
        desk.decide();
        assert!(desk.waits(is_recall), "after {pause} s");
    }
    assert!(!desk.intake.is_complete(), "it has not been asked once with success");
}

#[test]
fn feeds_are_read_though_the_state_directory_cannot_be() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 1);
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Err("input/output error".to_owned())));
    desk.settle();
    desk.expect(&[("a", 1)]);
    assert!(!desk.intake.is_current(), "what may be known there is missing");
}

#[test]
fn a_copy_that_is_found_late_does_not_replace_what_was_read_meanwhile() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 5);
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Err("input/output error".to_owned())));
    desk.settle();
    desk.expect(&[("a", 5)]);
    desk.pass(1);
    let mut recalled = Recalled::default();
    recalled.versions.insert(feed("a"), copy(3, desk.now));
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    desk.settle();
    desk.expect(&[("a", 5)]);
}

#[test]
fn a_version_that_was_refused_without_its_copy_is_judged_again_with_it() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 0);
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Err("input/output error".to_owned())));
    desk.settle();
    assert_eq!(desk.intake.unproven().count(), 1);
    desk.pass(1);
    let mut recalled = Recalled::default();
    recalled.versions.insert(feed("a"), copy(3, desk.now));
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    desk.files.insert(feed("a"), 4);
    desk.settle();
    desk.expect(&[("a", 4)]);
    assert_eq!(desk.intake.unproven().count(), 0);
}

#[test]
fn a_copy_of_a_feed_that_no_list_takes_in_is_not_known() {
    let mut desk = Desk::new();
    let mut recalled = Recalled::default();
    recalled.versions.insert(feed("sub/a"), copy(3, desk.now));
    recalled.lost.insert(feed("sub/b"), Loss::Missing);
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    assert!(desk.intake.feeds().is_empty());
}

#[test]
fn a_loss_that_is_found_again_is_told_once() {
    let mut desk = Desk::new();
    for _ in 0..3 {
        let mut recalled = Recalled::default();
        recalled.lost.insert(feed("a"), Loss::Unreadable("permission denied".to_owned()));
        let ticket = recall(&mut desk);
        desk.tell(Answer::Recalled(ticket, Ok(recalled)));
        desk.settle();
        desk.pass(60);
    }
    let lost = desk.reports.iter().filter(|report| matches!(report, SourceReport::Lost { .. }));
    assert_eq!(lost.count(), 1);
}

#[test]
fn that_nothing_was_ever_written_is_a_matter_of_the_first_answer() {
    let mut desk = Desk::new();
    let ticket = recall(&mut desk);
    let recalled = Recalled { blank: true, ..Recalled::default() };
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    assert!(desk.intake.was_blank());
    desk.intake.rule_by(crate::desk::rules(), desk.now);
    desk.decide();
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Ok(Recalled::default())));
    assert!(desk.intake.was_blank(), "it was when we started");
}

#[test]
fn no_more_than_two_files_are_read_at_a_time_those_for_nobody_included() {
    let mut desk = Desk::new();
    for name in ["a", "b", "c", "d"] {
        desk.files.insert(feed(name), 1);
    }
    while !desk.waits(is_read) {
        let order = desk.orders.remove(0);
        desk.answer(order);
    }
    assert_eq!(desk.orders.len(), 2);
    // By other rules nobody wants these answers, but they are in memory.
    desk.intake.rule_by(crate::desk::rules(), desk.now);
    desk.decide();
    assert_eq!(desk.orders.iter().filter(|order| is_read(order)).count(), 2);
    desk.settle();
    desk.expect(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
}

#[test]
fn a_file_that_does_not_hold_still_is_no_refusal_before_it_was_taken_as_it_is_in_vain() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.files.insert(feed("a"), 2);
    desk.changed();
    let scan = desk.take(is_scan);
    desk.answer(scan);
    let (mut reads, mut impatient) = (0, None);
    while desk.intake.feeds()[&feed("a")].refusals().is_empty() {
        if desk.waits(is_read) {
            let Order::Read(ticket, order) = desk.take(is_read) else { panic!("a reading") };
            reads += 1;
            impatient = impatient.or(order.impatient.then_some(reads));
            let reading = Reading::Refused(refusal(Guard::Stable));
            let (fingerprint, written) = (None, None);
            desk.tell(Answer::Read { ticket, feed: feed("a"), fingerprint, written, reading });
        } else {
            desk.now.monotonic += Duration::from_millis(250);
            desk.decide();
            desk.orders.retain(is_read);
        }
        assert!(reads < 200, "it is told some time");
    }
    let impatient = impatient.expect("it was asked for as it is");
    assert!(impatient < reads, "{impatient} of {reads}");
    desk.expect(&[("a", 1)]);
    let told = desk.reports.iter().filter(|report| matches!(report, SourceReport::Refused { .. }));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_file_that_was_refused_before_its_copy_was_found_is_in_force_as_that() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 0);
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Err("input/output error".to_owned())));
    desk.settle();
    assert!(!desk.intake.feeds()[&feed("a")].refusals().is_empty());
    // Somebody has accepted that very version once.
    desk.pass(1);
    let mut recalled = Recalled::default();
    recalled.versions.insert(feed("a"), copy(0, desk.now));
    let ticket = recall(&mut desk);
    desk.tell(Answer::Recalled(ticket, Ok(recalled)));
    desk.settle();
    desk.expect(&[("a", 0)]);
    assert!(desk.intake.feeds()[&feed("a")].refusals().is_empty());
}

#[test]
fn a_copy_of_earlier_that_counts_again_is_one_of_a_file_that_is_there() {
    let mut desk = Desk::new();
    desk.files.insert(feed("a"), 1);
    desk.keeps_nothing();
    desk.pass(10);
    desk.until(is_read);
    let Order::Read(ticket, _) = desk.take(is_read) else { panic!("a reading") };
    let reading = Reading::Same(intake::Identity([1, 0, 0]));
    let (fingerprint, written) = (None, None);
    desk.tell(Answer::Read { ticket, feed: feed("a"), fingerprint, written, reading });
    assert!(desk.intake.feeds()[&feed("a")].unkept.is_none());
    let is_back = |order: &Order| matches!(order, Order::NoteGone(_, None));
    assert!(desk.waits(is_back), "whatever was noted of an earlier one: {:?}", desk.orders);
}
