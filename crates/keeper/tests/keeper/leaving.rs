//! Feeds that go, come back, get other names and cannot be seen, at each stage.

use blocklist::Guard;
use intake::SourceReport;
use keeper::{Event, Settings};
use reconcile::Op;

use crate::house::{Desk, Kind, WITHDRAW, feed, list, net, nets, rules, settings};

fn lists() -> Settings {
    settings(rules(&[list("drop", &["**"], &["allow/*"])]))
}

fn desk() -> Desk {
    Desk::with(lists(), &[("a", &net(1)), ("b", &net(2)), ("c", &net(3))])
}

fn renamed(desk: &Desk) -> usize {
    desk.told_of_source(|report| matches!(report, SourceReport::Renamed { .. }))
}

#[test]
fn a_deleted_feed_stays_for_a_while_and_leaves_with_its_copy() {
    let mut desk = desk();
    desk.delete("a");
    desk.settle();
    desk.pass(WITHDRAW - 1);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    desk.pass(1);
    desk.rests_with("drop", &nets(&[2, 3]));
    assert!(!desk.site.copies.contains_key(&feed("a")));
    assert_eq!(desk.told_of_source(|report| matches!(report, SourceReport::Withdrawn { .. })), 1);
}

#[test]
fn a_feed_that_is_back_in_time_never_left() {
    let mut desk = desk();
    let generation = desk.keeper.generation();
    desk.delete("a");
    desk.settle();
    assert!(desk.site.copies[&feed("a")].gone.is_some(), "it is noted beyond the process");
    desk.pass(WITHDRAW - 1);
    desk.write("a", &net(1));
    desk.settle();
    assert!(desk.site.copies[&feed("a")].gone.is_none());
    desk.pass(2 * WITHDRAW);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    assert_eq!(desk.keeper.generation(), generation);
}

#[test]
fn a_feed_that_is_back_with_another_text_is_in_force_with_that() {
    let mut desk = desk();
    desk.delete("a");
    desk.settle();
    desk.write("a", &net(4));
    desk.settle();
    desk.rests_with("drop", &nets(&[2, 3, 4]));
}

#[test]
fn a_feed_that_is_back_while_its_withdrawal_is_under_way_is_in_force_again() {
    for stage in [Kind::Note, Kind::Compose, Kind::Converge, Kind::WriteDown] {
        let mut desk = desk();
        desk.delete("a");
        desk.settle();
        desk.advance(desk.now.monotonic + std::time::Duration::from_secs(WITHDRAW));
        desk.settle_but(&[stage]);
        assert!(desk.waits(stage), "{stage:?} is out when the file is back");
        desk.write("a", &net(1));
        desk.settle();
        desk.rests_with("drop", &nets(&[1, 2, 3]));
        assert!(desk.site.copies.contains_key(&feed("a")), "its copy as well: {stage:?}");
        desk.pass(2 * WITHDRAW);
        desk.rests_with("drop", &nets(&[1, 2, 3]));
    }
}

#[test]
fn a_feed_that_goes_at_any_stage_of_its_reading_leaves_in_time() {
    for stage in [Kind::Scan, Kind::Read, Kind::Keep, Kind::Compose, Kind::Converge] {
        let mut desk = desk();
        desk.write("d", &net(4));
        desk.settle_but(&[stage]);
        assert!(desk.waits(stage));
        desk.delete("d");
        desk.settle();
        desk.pass(WITHDRAW + 60);
        desk.rests_with("drop", &nets(&[1, 2, 3]));
        assert!(!desk.site.has_candidates(), "nothing is left of it: {stage:?}");
        assert!(!desk.keeper.intake().feeds().contains_key(&feed("d")));
    }
}

#[test]
fn a_feed_that_vanishes_between_scan_and_reading_stays_in_force_for_a_while() {
    let mut desk = desk();
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Read]);
    desk.site.delete("a");
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    assert!(desk.keeper.intake().feeds()[&feed("a")].gone.is_some(), "it was looked for again");
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[2, 3]));
}

#[test]
fn the_only_feed_leaves_like_any_other() {
    let mut desk = Desk::with(lists(), &[("a", &net(1))]);
    desk.delete("a");
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[]));
}

#[test]
fn half_of_the_feeds_may_leave_at_once_and_more_may_not() {
    let files: Vec<_> = (1..=6).map(|number| (format!("f{number}"), net(number))).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for (deleted, left) in [(3, nets(&[4, 5, 6])), (4, nets(&[1, 2, 3, 4, 5, 6]))] {
        let mut desk = Desk::with(lists(), &files);
        for (name, _) in &files[..deleted] {
            desk.site.delete(name);
        }
        desk.handle(Event::FilesChanged);
        desk.pass(3 * WITHDRAW);
        desk.expect("drop", &left);
        let refused = desk.keeper.intake().feeds().values();
        let refused = refused.filter(|feed| {
            feed.refusals().iter().any(|refusal| refusal.guard == Guard::Withdrawal)
        });
        assert_eq!(refused.count() > 0, deleted == 4, "and it is said");
    }
}

#[test]
fn an_accident_that_is_mended_leaves_nothing_refused() {
    let mut desk = desk();
    desk.site.files.clear();
    desk.handle(Event::FilesChanged);
    desk.pass(2 * WITHDRAW);
    desk.expect("drop", &nets(&[1, 2, 3]));
    for number in 1..=3 {
        desk.write(["a", "b", "c"][number - 1], &net(u8::try_from(number).expect("small")));
    }
    desk.settle();
    assert!(desk.keeper.intake().feeds().values().all(|feed| feed.refusals().is_empty()));
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_feed_that_was_renamed_leaves_its_old_name_at_once_and_never_the_kernel() {
    let mut desk = desk();
    desk.host.ops.clear();
    desk.site.rename("a", "z");
    desk.handle(Event::FilesChanged);
    desk.settle();
    assert_eq!(renamed(&desk), 1);
    let feeds = desk.keeper.intake().feeds();
    assert!(feeds.contains_key(&feed("z")) && !feeds.contains_key(&feed("a")));
    assert!(!desk.host.ops.iter().any(|op| matches!(op, Op::Delete { .. } | Op::Swap { .. })));
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_feed_that_was_renamed_and_is_bad_by_its_new_name_stays_by_its_old_one() {
    let mut desk = desk();
    desk.site.rename("a", "z");
    desk.site.locked.insert(feed("z"), Guard::Readable);
    desk.handle(Event::FilesChanged);
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    assert_eq!(renamed(&desk), 0);
    assert!(desk.keeper.intake().feeds()[&feed("a")].gone.is_some());
}

#[test]
fn a_name_by_which_a_feed_is_another_thing_to_a_list_is_no_new_name() {
    let mut desk = desk();
    desk.site.rename("a", "allow/a");
    desk.handle(Event::FilesChanged);
    desk.settle();
    assert_eq!(renamed(&desk), 0);
    desk.rests_with("drop", &nets(&[2, 3]));
    assert!(desk.keeper.intake().feeds().contains_key(&feed("a")), "it waits to be withdrawn");
}

#[test]
fn a_feed_that_is_renamed_back_before_its_new_name_was_read_is_as_before() {
    for stage in [Kind::Scan, Kind::Read, Kind::Keep] {
        let mut desk = desk();
        desk.site.rename("a", "z");
        desk.handle(Event::FilesChanged);
        desk.settle_but(&[stage]);
        desk.site.rename("z", "a");
        desk.handle(Event::FilesChanged);
        desk.settle();
        desk.pass(WITHDRAW + 60);
        desk.rests_with("drop", &nets(&[1, 2, 3]));
        let feeds = desk.keeper.intake().feeds();
        assert!(feeds.contains_key(&feed("a")) && !feeds.contains_key(&feed("z")), "{stage:?}");
    }
}

#[test]
fn two_feeds_that_change_names_are_each_in_force_by_the_other_one() {
    let mut desk = desk();
    desk.site.rename("a", "x");
    desk.site.rename("b", "a");
    desk.site.rename("x", "b");
    desk.handle(Event::FilesChanged);
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    let id = |name: &str| {
        let feeds = desk.keeper.intake().feeds();
        feeds[&feed(name)].in_force().expect("in force").id
    };
    assert_eq!(
        (id("a"), id("b")),
        (crate::house::identity(&net(2)), crate::house::identity(&net(1)))
    );
}

#[test]
fn all_feeds_that_are_renamed_at_once_are_no_accident() {
    let mut desk = desk();
    for name in ["a", "b", "c"] {
        desk.site.rename(name, &format!("sub/{name}"));
    }
    desk.handle(Event::FilesChanged);
    desk.settle();
    assert_eq!(renamed(&desk), 3);
    assert_eq!(desk.keeper.intake().feeds().len(), 3);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn feeds_in_a_folder_that_cannot_be_read_are_not_gone() {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("sub/b", &net(2))]);
    desk.site.unreadable.push("sub/".to_owned());
    desk.handle(Event::FilesChanged);
    desk.pass(3 * WITHDRAW);
    desk.rests_with("drop", &nets(&[1, 2]));
    let hidden = &desk.keeper.intake().feeds()[&feed("sub/b")];
    assert_eq!(hidden.refusals()[0].guard, Guard::Readable, "and it is said");
    assert!(hidden.gone.is_none());
    desk.site.unreadable.clear();
    desk.write("sub/b", &net(5));
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 5]));
    assert!(desk.keeper.intake().feeds()[&feed("sub/b")].refusals().is_empty());
}

#[test]
fn a_directory_that_cannot_be_scanned_withdraws_nothing() {
    let mut desk = desk();
    desk.site.files.clear();
    desk.site.scan_fails = Some("no such directory".to_owned());
    desk.handle(Event::FilesChanged);
    desk.pass(3 * WITHDRAW);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    assert_eq!(desk.keeper.intake().scan_failure(), Some("no such directory"));
    let told = |report: &SourceReport| matches!(report, SourceReport::ScanFailed { .. });
    assert_eq!(desk.told_of_source(told), 1);
}

#[test]
fn a_longer_withdrawal_is_for_feeds_that_go_from_then_on() {
    let files = [1, 2, 3, 4, 5].map(net);
    let files: Vec<_> = ["a", "b", "c", "d", "e"].into_iter().zip(&files).collect();
    let files: Vec<_> = files.into_iter().map(|(name, text)| (name, text.as_str())).collect();
    let mut desk = Desk::with(lists(), &files);
    desk.delete("a");
    desk.settle();
    let mut longer = rules(&[list("drop", &["**"], &["allow/*"])]);
    longer.withdraw *= 10;
    desk.propose(&settings(longer));
    desk.settle();
    desk.delete("b");
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[2, 3, 4, 5]));
    desk.pass(9 * WITHDRAW - 60);
    desk.expect("drop", &nets(&[2, 3, 4, 5]));
    desk.pass(60);
    desk.rests_with("drop", &nets(&[3, 4, 5]));
}

#[test]
fn a_bad_version_of_a_feed_that_goes_is_forgotten_with_it() {
    let mut desk = desk();
    desk.write("a", "");
    desk.settle();
    desk.delete("a");
    desk.settle();
    assert!(desk.keeper.intake().feeds()[&feed("a")].refusals().is_empty());
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[2, 3]));
    desk.write("a", &net(7));
    desk.settle();
    desk.rests_with("drop", &nets(&[2, 3, 7]));
}

#[test]
fn a_feed_that_goes_with_the_last_list_that_takes_it_in_is_new_when_it_is_taken_in_again() {
    let mut desk = desk();
    let some = settings(rules(&[list("drop", &["b", "c"], &[])]));
    desk.insist(&some);
    desk.settle();
    desk.rests_with("drop", &nets(&[2, 3]));
    desk.site.put("a", "91.1.1.1\n", desk.now.wall);
    desk.propose(&lists());
    desk.settle();
    // Its last good copy is still known, and that it has shrunk is refused.
    desk.rests_with("drop", &nets(&[1, 2, 3]));
    assert_eq!(desk.keeper.intake().feeds()[&feed("a")].refusals()[0].guard, Guard::Shrink);
}

#[test]
fn a_feed_whose_copy_is_being_kept_is_not_withdrawn_before_that_has_ended() {
    let mut desk = desk();
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Keep]);
    desk.delete("a");
    desk.settle_but(&[Kind::Keep]);
    desk.lapse(WITHDRAW);
    desk.handle(Event::Tick);
    desk.settle_but(&[Kind::Keep]);
    assert!(desk.keeper.intake().feeds().contains_key(&feed("a")));
    desk.settle();
    assert!(!desk.site.copies.contains_key(&feed("a")), "the copy goes after it was kept");
    desk.rests_with("drop", &nets(&[2, 3]));
}

#[test]
fn all_feeds_that_are_renamed_and_bad_by_their_new_names_are_an_accident() {
    let mut desk = desk();
    for name in ["a", "b", "c"] {
        desk.site.rename(name, &format!("sub/{name}"));
        desk.site.locked.insert(feed(&format!("sub/{name}")), Guard::Readable);
    }
    desk.handle(Event::FilesChanged);
    desk.pass(3 * WITHDRAW);
    desk.expect("drop", &nets(&[1, 2, 3]));
    desk.site.locked.clear();
    for name in ["a", "b", "c"] {
        desk.site.rename(&format!("sub/{name}"), name);
    }
    desk.handle(Event::FilesChanged);
    desk.pass(3 * WITHDRAW);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}
