//! The machine does what there is to do, once, and then nothing: and it says
//! that it is at rest and in sync only if it is.

use std::time::Duration;

use blocklist::Guard;
use intake::SourceReport;
use keeper::{Event, Report, Settings};
use reconcile::{KernelErrorKind, Stage};

use crate::house::{Desk, Kind, feed, kind, list, net, nets, own, rules, settings};

const DAY: u64 = 86_400;

fn lists() -> Settings {
    settings(rules(&[list("drop", &["a*", "b*"], &[])]))
}

fn desk() -> Desk {
    Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))])
}

/// Actions in so many seconds, ticks that were wished for included.
fn acts_in(desk: &mut Desk, seconds: u64) -> usize {
    let before = desk.acts;
    desk.pass(seconds);
    desk.acts - before
}

/// How many actions of this kind so many seconds bring.
fn count(desk: &mut Desk, wanted: Kind, seconds: u64) -> usize {
    let until = desk.now.monotonic + Duration::from_secs(seconds);
    let mut found = 0;
    while let Some(wake) = desk.wake.filter(|&wake| wake <= until) {
        desk.advance(wake);
        while !desk.pending.is_empty() {
            let action = desk.pending.remove(0);
            found += usize::from(kind(&action) == wanted);
            desk.answer(action);
        }
    }
    found
}

#[test]
fn ticks_at_rest_bring_no_work() {
    let mut desk = desk();
    for _ in 0..1_000 {
        desk.handle(Event::Tick);
        assert!(desk.pending.is_empty(), "{:?}", desk.pending);
    }
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn an_hour_at_rest_costs_its_probes_and_its_scans() {
    let mut desk = desk();
    let acts = acts_in(&mut desk, 3_600);
    // A probe every ten seconds, a scan a minute, and a wish after each event.
    assert!(acts < 3 * (360 + 60) + 60, "{acts} actions");
    assert!(desk.reports.is_empty(), "and nothing is said: {:?}", desk.reports);
}

#[test]
fn something_is_always_waited_for() {
    let stages = [
        Kind::Recall,
        Kind::Scan,
        Kind::Read,
        Kind::Keep,
        Kind::Compose,
        Kind::Observe,
        Kind::Converge,
    ];
    for stage in stages {
        let mut desk = desk();
        desk.restart();
        desk.settle_but(&[stage]);
        assert!(!desk.pending.is_empty() || desk.wake.is_some(), "{stage:?}");
        desk.settle();
        assert!(desk.wake.is_some(), "at rest something is due some time");
    }
}

/// How a machine is while an action of this kind is out: at rest, and in sync.
fn check(stage: Kind, bring: impl FnOnce(&mut Desk), in_sync: bool) {
    let mut desk = desk();
    bring(&mut desk);
    desk.settle_but(&[stage]);
    assert!(desk.waits(stage), "{stage:?}");
    assert!(!desk.keeper.at_rest(), "{stage:?} is out");
    assert_eq!(desk.keeper.in_sync(), in_sync, "{stage:?} is out");
    desk.settle();
    assert!(desk.keeper.at_rest() && desk.keeper.in_sync(), "{stage:?}");
}

#[test]
fn nothing_is_at_rest_while_anything_is_out_nor_in_sync_while_a_list_is_on_its_way() {
    let change = |desk: &mut Desk| desk.write("a", &net(3));
    // The kernel holds what the feeds in force say until another one is.
    check(Kind::Scan, change, true);
    check(Kind::Read, change, true);
    check(Kind::Keep, change, true);
    check(Kind::Compose, change, false);
    check(Kind::Converge, change, false);
    check(Kind::Observe, |desk| desk.handle(Event::Resync), true);
    let probe = |desk: &mut Desk| {
        desk.lapse(10);
        desk.handle(Event::Tick);
    };
    check(Kind::Probe, probe, true);
    let propose = |desk: &mut Desk| {
        let lists = [list("drop", &["a*", "b*", "c*"], &[])];
        desk.propose(&settings(rules(&lists)));
    };
    check(Kind::Recall, propose, true);
    check(Kind::Try, propose, true);
    check(Kind::Compose, |desk| desk.host_is(own(&["91.1.1.1"])), false);
}

#[test]
fn a_start_is_not_in_sync_before_it_has_seen_everything() {
    let mut desk = desk();
    desk.restart();
    let stages =
        [Kind::Recall, Kind::Scan, Kind::Read, Kind::Compose, Kind::Observe, Kind::Converge];
    for stage in stages {
        desk.settle_but(&stages);
        if desk.waits(stage) {
            assert!(!desk.keeper.in_sync() && !desk.keeper.at_rest(), "{stage:?} is out");
            let action = desk.take(stage);
            desk.answer(action);
        }
    }
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_start_over_a_kernel_that_is_right_changes_nothing_in_it() {
    let mut desk = desk();
    desk.host.ops.clear();
    desk.restart();
    desk.settle();
    desk.pass(60);
    assert!(desk.host.ops.is_empty(), "{:?}", desk.host.ops);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_storm_of_changes_while_a_scan_is_out_leads_to_one_more() {
    let mut desk = desk();
    desk.handle(Event::FilesChanged);
    for _ in 0..300 {
        desk.handle(Event::FilesChanged);
    }
    assert_eq!(desk.pending.len(), 1, "{:?}", desk.pending);
    let scan = desk.take(Kind::Scan);
    desk.answer(scan);
    let scan = desk.take(Kind::Scan);
    desk.answer(scan);
    assert!(desk.pending.is_empty(), "{:?}", desk.pending);
}

#[test]
fn a_storm_of_reloads_while_feeds_are_read_puts_one_configuration_into_force() {
    let mut desk = desk();
    desk.site.put("c", &net(3), desk.now.wall);
    let more = settings(rules(&[list("drop", &["a*", "b*", "c*"], &[])]));
    let before = desk.acts;
    let words: Vec<_> = (0..300).map(|_| desk.propose(&more)).collect();
    desk.settle();
    assert!(words.iter().all(|word| desk.configured(*word) == Some(Ok(()))));
    let configured =
        desk.reports.iter().filter(|report| matches!(report, Report::Configured { .. }));
    assert_eq!(configured.count(), 1);
    // A wish and a reply each, and the work of a few.
    assert!(desk.acts - before < 3 * 300, "{} actions", desk.acts - before);
    desk.rests_with("drop", &nets(&[1, 2, 3]));
}

#[test]
fn a_storm_of_wishes_for_a_look_while_one_is_out_leads_to_one_more() {
    let mut desk = desk();
    for _ in 0..300 {
        desk.handle(Event::Resync);
    }
    assert_eq!(desk.pending.len(), 1);
    let mut looks = 0;
    while !desk.pending.is_empty() {
        let action = desk.pending.remove(0);
        looks += usize::from(kind(&action) == Kind::Observe);
        desk.answer(action);
    }
    assert_eq!(looks, 2, "the one that was out, and one for all who asked meanwhile");
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_host_that_changes_all_the_time_has_one_list_put_together_at_a_time() {
    let mut desk = desk();
    for number in 1..=200_u8 {
        desk.host_is(own(&[&format!("91.1.1.{}", number % 20 + 1)]));
    }
    let composing = desk.pending.iter().filter(|action| kind(action) == Kind::Compose).count();
    assert_eq!(composing, 1, "the last one is put together when that has ended");
    desk.settle();
    assert_eq!(desk.held("drop").len(), 39);
    assert!(desk.keeper.in_sync());
}

#[test]
fn a_storm_of_reloads_of_the_same_has_one_list_put_together_at_a_time() {
    let mut desk = desk();
    let same = lists();
    let words: Vec<_> = (0..300).map(|_| desk.propose(&same)).collect();
    assert!(words.iter().all(|word| desk.configured(*word) == Some(Ok(()))), "at once");
    assert!(desk.pending.len() < 10, "{:?}", desk.pending);
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_kernel_that_fails_for_a_day_is_asked_about_once_a_minute() {
    let mut desk = desk();
    desk.host.fail(Stage::List, KernelErrorKind::Denied);
    desk.handle(Event::Resync);
    desk.settle();
    let looks = count(&mut desk, Kind::Observe, DAY);
    assert!((1_440..1_470).contains(&looks), "{looks} looks in a day");
    let told = desk.reports.iter().filter(|report| matches!(report, Report::KernelFailed(_)));
    assert_eq!(told.count(), 1);
}

#[test]
fn a_set_that_cannot_be_written_for_a_day_is_tried_once_a_minute() {
    let mut desk = desk();
    desk.host.fail(Stage::Add, KernelErrorKind::Full);
    desk.write("a", &net(3));
    desk.settle();
    let plans = count(&mut desk, Kind::Converge, DAY);
    // A plan that fails, and one after it that finds that it has to rest.
    assert!(plans < 2 * 1_500, "{plans} plans in a day");
    assert!(plans >= 1_400, "but it is tried: {plans}");
}

#[test]
fn a_directory_that_cannot_be_scanned_for_a_day_is_tried_once_a_minute_and_told_once() {
    let mut desk = desk();
    desk.site.scan_fails = Some("no such directory".to_owned());
    desk.handle(Event::FilesChanged);
    desk.settle();
    let scans = count(&mut desk, Kind::Scan, DAY);
    assert!((1_400..1_500).contains(&scans), "{scans} scans in a day");
    let told = |report: &SourceReport| matches!(report, SourceReport::ScanFailed { .. });
    assert_eq!(desk.told_of_source(told), 1);
    desk.site.scan_fails = None;
    desk.pass(60);
    let told = |report: &SourceReport| matches!(report, SourceReport::ScanRecovered);
    assert_eq!(desk.told_of_source(told), 1);
}

#[test]
fn a_state_directory_that_is_full_for_an_hour_is_tried_every_ten_seconds_and_told_once() {
    let mut desk = desk();
    desk.site.full = true;
    desk.write("a", &net(3));
    desk.settle();
    let keeps = count(&mut desk, Kind::Keep, 3_600);
    assert!((350..=361).contains(&keeps), "{keeps} tries in an hour");
    let told = |report: &SourceReport| matches!(report, SourceReport::NotKept { .. });
    assert_eq!(desk.told_of_source(told), 1);
    desk.rests_with("drop", &nets(&[2, 3]));
}

#[test]
fn a_bad_feed_is_read_once_and_told_once() {
    let mut desk = desk();
    desk.write("a", "");
    desk.settle();
    assert_eq!(count(&mut desk, Kind::Read, 3_600), 0, "it has not changed");
    let told = |report: &SourceReport| matches!(report, SourceReport::Refused { .. });
    assert_eq!(desk.told_of_source(told), 1);
    // The same fault in another file is no news.
    desk.write("a", "");
    desk.settle();
    assert_eq!(desk.told_of_source(told), 1);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn hundreds_of_bad_feeds_are_read_two_at_a_time_and_none_of_them_twice() {
    let mut desk = desk();
    for number in 0..400 {
        desk.site.put(&format!("b{number}"), "", desk.now.wall);
    }
    desk.handle(Event::FilesChanged);
    let (mut reads, mut most) = (0, 0);
    while !desk.pending.is_empty() {
        let out = desk.pending.iter().filter(|action| kind(action) == Kind::Read).count();
        most = most.max(out);
        let action = desk.pending.remove(0);
        reads += usize::from(kind(&action) == Kind::Read);
        desk.answer(action);
    }
    assert_eq!((reads, most), (400, 2));
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn many_feeds_that_change_together_are_one_change_of_the_list() {
    let mut desk = desk();
    let generation = desk.keeper.generation();
    for number in 3..=30 {
        desk.site.put(&format!("b{number}"), &net(number), desk.now.wall);
    }
    desk.handle(Event::FilesChanged);
    let mut composed = 0;
    while !desk.pending.is_empty() {
        let action = desk.pending.remove(0);
        composed += usize::from(kind(&action) == Kind::Compose);
        desk.answer(action);
    }
    assert_eq!(composed, 1, "they are waited for");
    assert_eq!(desk.keeper.generation(), generation + 1);
    desk.rests_with("drop", &nets(&(1..=30).collect::<Vec<_>>()));
}

#[test]
fn a_feed_that_is_read_without_end_keeps_its_list_no_longer_than_two_seconds() {
    let mut desk = desk();
    desk.site.put("b", &net(4), desk.now.wall);
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Read]);
    let read = desk.take(Kind::Read);
    desk.answer(read);
    desk.settle_but(&[Kind::Read]);
    desk.expect("drop", &nets(&[1, 2]));
    let until = desk.now.monotonic + Duration::from_secs(2);
    assert_eq!(desk.wake, Some(until));
    desk.advance(until);
    desk.settle_but(&[Kind::Read]);
    desk.expect("drop", &nets(&[2, 3]));
}

#[test]
fn a_file_that_changes_whenever_it_is_read_is_read_at_a_bounded_pace() {
    let mut desk = desk();
    desk.site.locked.insert(feed("a"), Guard::Stable);
    desk.write("a", &net(3));
    desk.settle();
    let reads = count(&mut desk, Kind::Read, 60);
    assert!((200..=245).contains(&reads), "four a second: {reads}");
    desk.expect("drop", &nets(&[1, 2]));
    let told = |report: &SourceReport| matches!(report, SourceReport::Refused { .. });
    assert_eq!(desk.told_of_source(told), 1, "and that it does not pass is told once");
    desk.site.locked.clear();
    desk.pass(1);
    desk.rests_with("drop", &nets(&[2, 3]));
}

#[test]
fn a_file_that_changes_for_too_long_is_asked_for_as_it_is() {
    let mut desk = desk();
    desk.site.locked.insert(feed("a"), Guard::Stable);
    desk.write("a", &net(3));
    let begun = desk.now.monotonic;
    let mut asked = Vec::new();
    while desk.now.monotonic < begun + Duration::from_secs(15) {
        desk.settle_but(&[Kind::Read]);
        if desk.waits(Kind::Read) {
            let action = desk.take(Kind::Read);
            if let keeper::Action::Files(intake::Order::Read(_, order)) = &action {
                asked.push((desk.since(begun), order.impatient));
            }
            desk.answer(action);
        } else {
            desk.advance(desk.wake.expect("it is tried again"));
        }
    }
    let patience = Duration::from_secs(10);
    assert!(asked.iter().all(|(after, impatient)| *impatient == (*after >= patience)));
    assert!(asked.iter().any(|(_, impatient)| *impatient));
}

#[test]
fn the_same_text_in_another_file_changes_nothing() {
    let mut desk = desk();
    let generation = desk.keeper.generation();
    desk.host.ops.clear();
    desk.write("a", &net(1));
    desk.settle();
    assert_eq!(desk.keeper.generation(), generation);
    assert!(desk.host.ops.is_empty());
    assert!(desk.reports.is_empty(), "{:?}", desk.reports);
}

#[test]
fn the_same_addresses_in_another_order_change_no_set() {
    let mut desk = desk();
    desk.host.ops.clear();
    let turned: String = net(1).lines().rev().flat_map(|line| [line, "\n"]).collect();
    desk.write("a", &turned);
    desk.settle();
    assert!(desk.host.ops.is_empty());
    assert!(!desk.told(|report| matches!(report, Report::ListComposed { .. })));
    desk.rests_with("drop", &nets(&[1, 2]));
}
