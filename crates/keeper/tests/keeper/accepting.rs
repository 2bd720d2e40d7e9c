//! A person's word on what was refused, at every moment, and what comes of it.

use blocklist::Guard;
use intake::{Loss, NotAcceptable};
use keeper::{Event, Settings};

use crate::house::{Desk, Kind, WITHDRAW, at, feed, list, net, nets, rules, settings};

fn lists() -> Settings {
    settings(rules(&[list("drop", &["*"], &[])]))
}

/// A desk whose feed `a` was in force and is empty by now, which is refused.
fn refused() -> Desk {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))]);
    desk.write("a", "");
    desk.settle();
    assert_eq!(desk.keeper.intake().feeds()[&feed("a")].refusals()[0].guard, Guard::Empty);
    desk.rests_with("drop", &nets(&[1, 2]));
    desk
}

#[test]
fn what_was_refused_is_in_force_by_a_word() {
    let mut desk = refused();
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), None, "not before it is in force");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_before_the_first_scan_has_nothing_to_be_about() {
    let mut desk = Desk::new(lists());
    desk.site.put("a", &net(1), at(999_000));
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Unknown)));
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_word_on_a_good_feed_changes_nothing() {
    let mut desk = Desk::with(lists(), &[("a", &net(1))]);
    let generation = desk.keeper.generation();
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.settle();
    assert_eq!(desk.keeper.generation(), generation);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_word_while_a_good_version_is_read_is_no_word_on_that() {
    let mut desk = Desk::with(lists(), &[("a", &net(1))]);
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Read]);
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn a_word_while_the_refused_version_is_read_again_is_about_it() {
    let mut desk = refused();
    // The same bytes in another file.
    desk.write("a", "");
    desk.settle_but(&[Kind::Read]);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_while_a_newer_good_version_is_read_says_that_there_is_one() {
    let mut desk = refused();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Read]);
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), None);
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::NewerInForce)));
    desk.rests_with("drop", &nets(&[2, 3]));
}

#[test]
fn a_word_while_a_newer_bad_version_is_read_lets_neither_through() {
    let mut desk = refused();
    desk.write("a", "192.0.2.1\n");
    desk.settle_but(&[Kind::Read]);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::NewerRefused)));
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_word_while_a_newer_good_version_is_kept_does_not_drop_it() {
    let mut desk = refused();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Keep]);
    let word = desk.accept("a");
    desk.settle();
    desk.rests_with("drop", &nets(&[2, 3]));
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::NewerInForce)));
}

#[test]
fn a_word_while_the_accepted_version_is_kept_is_heard_as_well() {
    let mut desk = refused();
    let first = desk.accept("a");
    desk.settle_but(&[Kind::Keep]);
    let second = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(first), Some(Ok(())));
    assert_eq!(desk.accepted(second), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn two_words_on_one_version_are_both_heard() {
    let mut desk = refused();
    let (first, second) = (desk.accept("a"), desk.accept("a"));
    desk.settle();
    assert_eq!(desk.accepted(first), Some(Ok(())));
    assert_eq!(desk.accepted(second), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_is_for_once() {
    let mut desk = refused();
    desk.accept("a");
    desk.settle();
    desk.write("a", &net(1));
    desk.settle();
    desk.write("a", "");
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_word_on_a_file_that_is_gone_by_now_says_so() {
    let mut desk = refused();
    desk.site.delete("a");
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Unreadable)));
    desk.expect("drop", &nets(&[1, 2]));
}

#[test]
fn a_word_on_a_file_that_cannot_be_read_by_now_says_so() {
    let mut desk = refused();
    desk.site.locked.insert(feed("a"), Guard::Readable);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Unreadable)));
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_file_that_cannot_be_read_has_to_be_mended() {
    let mut desk = Desk::with(lists(), &[("a", &net(1))]);
    desk.site.locked.insert(feed("a"), Guard::Readable);
    desk.write("a", &net(3));
    desk.settle();
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Mend)));
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_word_on_a_feed_that_no_list_takes_in_any_more_is_answered() {
    let mut desk = refused();
    let waiting = desk.accept("a");
    desk.insist(&settings(rules(&[list("drop", &["b"], &[])])));
    desk.settle();
    let late = desk.accept("a");
    assert_eq!(desk.accepted(late), Some(Err(NotAcceptable::Unknown)));
    assert!(desk.accepted(waiting).is_some(), "nobody waits for ever");
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_is_kept_over_a_reload_that_reads_everything_again() {
    let mut desk = refused();
    let word = desk.accept("a");
    let mut other = rules(&[list("drop", &["*"], &[])]);
    other.scan *= 2;
    desk.propose(&settings(other));
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_holds_though_no_copy_can_be_kept() {
    let mut desk = refused();
    desk.site.full = true;
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.expect("drop", &nets(&[2]));
    assert!(desk.keeper.intake().feeds()[&feed("a")].unkept.is_some());
}

#[test]
fn most_feeds_gone_at_once_leave_one_by_one_by_a_word_on_each() {
    let mut desk =
        Desk::with(lists(), &[("a", &net(1)), ("b", &net(2)), ("c", &net(3)), ("d", &net(4))]);
    for name in ["a", "b", "c"] {
        desk.site.delete(name);
    }
    desk.handle(Event::FilesChanged);
    desk.pass(2 * WITHDRAW);
    desk.expect("drop", &nets(&[1, 2, 3, 4]));
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    // Two of three are still an accident.
    desk.expect("drop", &nets(&[2, 3, 4]));
    desk.accept("b");
    desk.settle();
    desk.expect("drop", &nets(&[3, 4]));
}

#[test]
fn a_feed_that_is_only_gone_is_nothing_to_accept() {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2)), ("c", &net(3))]);
    desk.delete("a");
    desk.settle();
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.expect("drop", &nets(&[1, 2, 3]));
}

/// A desk whose process finds that the copy of `a` is damaged, and the file bad.
fn lost() -> Desk {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))]);
    desk.site.put("a", "<html>\n", desk.now.wall);
    desk.site.damaged.insert(feed("a"), Loss::Damaged("its checksum is wrong".to_owned()));
    desk.restart();
    desk.settle();
    assert!(desk.why("drop").is_some());
    desk
}

#[test]
fn a_word_on_a_feed_of_which_nothing_good_is_known_lets_its_members_go() {
    let mut desk = lost();
    desk.expect("drop", &nets(&[1, 2]));
    let word = desk.accept("a");
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.settle();
    assert_eq!(desk.why("drop"), None);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_word_on_another_feed_of_a_list_that_is_held_does_not_let_it_go() {
    let mut desk = lost();
    let word = desk.accept("b");
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2]));
    assert!(!desk.keeper.in_sync());
}

#[test]
fn losses_are_not_accepted_in_place_of_a_feed_that_is_lost() {
    let mut desk = lost();
    let word = desk.accept_losses();
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Nothing)));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2]));
}

#[test]
fn a_word_on_a_lost_feed_while_it_is_read_does_not_drop_the_good_version_that_comes() {
    let mut desk = lost();
    desk.write("a", &net(5));
    desk.settle_but(&[Kind::Read]);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[2, 5]));
}

#[test]
fn a_word_given_while_the_kernel_is_written_counts_after_it() {
    let mut desk = refused();
    desk.write("b", &net(7));
    desk.settle_but(&[Kind::Converge]);
    let word = desk.accept("a");
    desk.settle_but(&[Kind::Converge]);
    assert_eq!(desk.accepted(word), Some(Ok(())));
    assert!(!desk.keeper.in_sync());
    desk.settle();
    desk.rests_with("drop", &nets(&[7]));
}

#[test]
fn whoever_says_the_same_again_hears_no_earlier_and_nothing_else() {
    let mut desk = refused();
    desk.site.put("a", &net(3), desk.now.wall);
    let (first, second) = (desk.accept("a"), desk.accept("a"));
    assert_eq!(desk.accepted(first), None, "it is not known yet what is there by now");
    desk.settle();
    assert_eq!(desk.accepted(first), Some(Err(NotAcceptable::NewerInForce)));
    assert_eq!(desk.accepted(second), Some(Err(NotAcceptable::NewerInForce)));
    desk.rests_with("drop", &nets(&[2, 3]));
}

/// The desk with as many feeds being read as may be at a time, and a word on
/// `a`, which so has to wait.
fn queued() -> (Desk, intake::Ticket) {
    let mut desk = refused();
    desk.site.put("b", &net(3), desk.now.wall);
    desk.write("c", &net(4));
    desk.settle_but(&[Kind::Read]);
    let word = desk.accept("a");
    assert_eq!(desk.pending.len(), 2, "{:?}", desk.pending);
    (desk, word)
}

#[test]
fn a_word_that_waits_for_a_reading_ends_when_the_file_is_gone() {
    let (mut desk, word) = queued();
    desk.delete("a");
    desk.settle_but(&[Kind::Read]);
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Unreadable)));
    desk.settle();
    desk.expect("drop", &nets(&[1, 3, 4]));
}

#[test]
fn a_word_that_waits_for_a_reading_ends_when_no_list_takes_the_feed_in_any_more() {
    let (mut desk, word) = queued();
    desk.insist(&settings(rules(&[list("drop", &["b", "c"], &[])])));
    desk.settle_but(&[Kind::Read]);
    desk.lapse(15);
    desk.handle(Event::Tick);
    assert_eq!(desk.accepted(word), Some(Err(NotAcceptable::Unknown)));
    desk.settle();
    desk.rests_with("drop", &nets(&[3, 4]));
}

#[test]
fn a_word_on_one_of_many_that_are_gone_is_enough_though_the_rest_are_an_accident() {
    let files = [1, 2, 3, 4, 5].map(net);
    let files: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().zip(&files).collect();
    let files: Vec<_> = files.into_iter().map(|(name, text)| (name, text.as_str())).collect();
    let mut desk = Desk::with(lists(), &files);
    for name in ["a", "b", "c", "d"] {
        desk.site.delete(name);
    }
    desk.handle(Event::FilesChanged);
    desk.pass(2 * WITHDRAW);
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    desk.expect("drop", &nets(&[2, 3, 4, 5]));
    desk.pass(2 * WITHDRAW);
    desk.expect("drop", &nets(&[2, 3, 4, 5]));
}
