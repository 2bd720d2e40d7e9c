//! The time of day, which others set, against the time that never jumps: what
//! ends when, and in which order.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use blocklist::AnyPrefix;
use intake::{Age, SourceReport, WhenStale};
use keeper::{Event, Settings};
use reconcile::{KernelErrorKind, Stage};

use crate::house::{Desk, Kind, WITHDRAW, at, feed, list, net, nets, own, rules, settings, table};

const HOUR: u64 = 3_600;
/// When the desk begins, by the time of day.
const BEGUN: u64 = 1_000_000;

fn lists() -> Settings {
    settings(rules(&[list("drop", &["*"], &[])]))
}

/// A set of fail2ban's kind: addresses 91.1.0.1 and so on, each with the
/// seconds that it lives. Zero is for ever.
fn bans(lifetimes: &[u64]) -> String {
    let mut text = "create b hash:ip timeout 0\n".to_owned();
    for (number, lifetime) in lifetimes.iter().enumerate() {
        writeln!(text, "add b 91.1.0.{} timeout {lifetime}", number + 1).expect("a string");
    }
    text
}

/// These of the addresses of [`bans`].
fn banned(numbers: &[u8]) -> BTreeSet<AnyPrefix> {
    let address = |number| format!("91.1.0.{number}").parse().expect("an address");
    numbers.iter().map(address).collect()
}

/// A desk with one feed of bans that is written as the desk begins.
fn desk(lifetimes: &[u64]) -> Desk {
    let mut desk = Desk::with(lists(), &[]);
    desk.write("bans", &bans(lifetimes));
    desk.settle();
    desk
}

fn steps(desk: &Desk) -> usize {
    desk.told_of_source(|report| matches!(report, SourceReport::ClockSet { .. }))
}

#[test]
fn an_entry_ends_at_its_second_and_no_earlier() {
    let mut desk = desk(&[HOUR, 2 * HOUR]);
    desk.rests_with("drop", &banned(&[1, 2]));
    desk.pass(HOUR - 1);
    desk.rests_with("drop", &banned(&[1, 2]));
    desk.pass(1);
    desk.rests_with("drop", &banned(&[2]));
    desk.pass(HOUR);
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn what_lives_for_ever_outlives_what_does_not() {
    let mut desk = desk(&[0, HOUR]);
    desk.pass(100 * HOUR);
    desk.rests_with("drop", &banned(&[1]));
}

#[test]
fn a_clock_that_runs_ahead_and_is_put_right_brings_back_what_had_ended() {
    let mut desk = desk(&[HOUR, 10 * HOUR]);
    desk.set_clock(at(BEGUN + 2 * HOUR));
    desk.settle();
    desk.rests_with("drop", &banned(&[2]));
    desk.set_clock(at(BEGUN));
    desk.settle();
    desk.rests_with("drop", &banned(&[1, 2]));
    desk.pass(HOUR);
    desk.rests_with("drop", &banned(&[2]));
    assert_eq!(steps(&desk), 2, "each step is told");
}

#[test]
fn a_clock_that_is_set_back_lets_entries_end_by_what_it_says_then() {
    let mut desk = desk(&[HOUR]);
    desk.pass(HOUR / 2);
    desk.set_clock(at(BEGUN));
    desk.settle();
    desk.pass(HOUR - 1);
    desk.rests_with("drop", &banned(&[1]));
    desk.pass(1);
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn a_clock_from_before_the_file_was_written_ends_nothing_and_still_ends_it_later() {
    let mut desk = desk(&[HOUR]);
    desk.set_clock(at(BEGUN / 2));
    desk.settle();
    desk.pass(HOUR);
    desk.rests_with("drop", &banned(&[1]));
    desk.set_clock(at(BEGUN + HOUR));
    desk.settle();
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn a_clock_that_is_slewed_is_no_news() {
    let mut desk = desk(&[HOUR]);
    desk.pass(60);
    desk.set_clock(desk.now.wall + Duration::from_millis(400));
    desk.settle();
    assert_eq!(steps(&desk), 0);
    desk.rests_with("drop", &banned(&[1]));
}

#[test]
fn a_clock_that_drifts_slowly_is_followed_all_the_same() {
    let mut desk = desk(&[HOUR]);
    for _ in 0..30 {
        desk.set_clock(desk.now.wall + Duration::from_millis(100));
        desk.settle();
    }
    assert!(steps(&desk) >= 1, "three seconds are told");
    desk.pass(HOUR - 4);
    desk.rests_with("drop", &banned(&[1]));
    desk.pass(2);
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn a_lifetime_does_not_start_again_with_the_process() {
    let mut desk = desk(&[HOUR]);
    desk.pass(HOUR / 2);
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &banned(&[1]));
    desk.pass(HOUR / 2);
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn what_ends_while_no_process_is_there_has_ended_when_the_next_one_begins() {
    let mut desk = desk(&[HOUR, 2 * HOUR]);
    desk.lapse(HOUR + HOUR / 2);
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &banned(&[2]));
}

#[test]
fn the_same_bytes_written_again_start_the_lifetimes_again_for_the_next_process_too() {
    let mut desk = desk(&[HOUR]);
    desk.pass(HOUR / 2);
    desk.write("bans", &bans(&[HOUR]));
    desk.settle();
    // The next process knows no more than the copy.
    desk.site.locked.insert(feed("bans"), blocklist::Guard::Readable);
    desk.restart();
    desk.settle();
    desk.pass(HOUR - 1);
    desk.rests_with("drop", &banned(&[1]));
    desk.pass(1);
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn an_entry_that_ends_while_the_clock_is_not_looked_at_ends_with_the_next_event() {
    let mut desk = desk(&[HOUR]);
    desk.lapse(2 * HOUR);
    desk.handle(Event::FilesChanged);
    desk.settle();
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn a_list_that_is_put_together_while_an_entry_ends_is_put_together_anew() {
    let mut desk = desk(&[HOUR]);
    desk.lapse(HOUR - 1);
    desk.write("other", &net(1));
    desk.settle_but(&[Kind::Compose]);
    let old = desk.take(Kind::Compose);
    desk.lapse(1);
    desk.handle(Event::Tick);
    desk.answer(old);
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn many_entries_that_each_end_at_their_own_second_cost_one_change_each() {
    let lifetimes: Vec<u64> = (1..=100).collect();
    let mut desk = desk(&lifetimes);
    let generation = desk.keeper.generation();
    let before = desk.acts;
    desk.pass(100);
    desk.rests_with("drop", &banned(&[]));
    assert_eq!(desk.keeper.generation() - generation, 100);
    assert!(desk.acts - before < 1_200, "{} actions", desk.acts - before);
}

#[test]
fn entries_of_two_feeds_that_end_at_one_second_end_in_one_change() {
    let mut desk = desk(&[HOUR]);
    desk.write("more", &bans(&[0, HOUR, HOUR]));
    desk.settle();
    let generation = desk.keeper.generation();
    desk.pass(HOUR);
    desk.rests_with("drop", &banned(&[1]));
    assert_eq!(desk.keeper.generation(), generation + 1);
}

#[test]
fn the_next_tick_is_wished_for_when_the_first_of_all_is_due() {
    let mut desk = desk(&[3, HOUR]);
    let mut wakes = Vec::new();
    let begun = desk.now.monotonic;
    while desk.now.monotonic < begun + Duration::from_secs(70) {
        desk.advance(desk.wake.expect("something is due some time"));
        wakes.push(desk.since(begun).as_secs());
        desk.settle();
    }
    // The entry, then probes, and after a minute the look at the directory.
    assert_eq!(wakes, [3, 10, 20, 30, 40, 50, 60, 70]);
}

/// A desk whose only feed may be ten hours old.
fn aging(when_stale: WhenStale) -> Desk {
    let mut rules = rules(&[list("drop", &["*"], &[])]);
    rules.tables.push(table("a", 10 * HOUR, when_stale));
    Desk::with(settings(rules), &[("a", &net(1)), ("b", &net(2))])
}

fn age(desk: &Desk) -> Age {
    desk.keeper.intake().feeds()[&feed("a")].age
}

#[test]
fn a_feed_that_is_dropped_for_its_age_leaves_at_its_second_and_is_back_when_written() {
    let mut desk = aging(WhenStale::Drop);
    // It was written a thousand seconds before the beginning.
    desk.pass(10 * HOUR - 1_000 - 1);
    desk.rests_with("drop", &nets(&[1, 2]));
    desk.pass(1);
    assert_eq!(age(&desk), Age::Dropped);
    desk.rests_with("drop", &nets(&[2]));
    desk.write("a", &net(1));
    desk.settle();
    assert_eq!(age(&desk), Age::Fresh);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_feed_that_is_kept_in_spite_of_its_age_is_said_to_be_stale() {
    let mut desk = aging(WhenStale::Keep);
    desk.pass(10 * HOUR);
    assert_eq!(age(&desk), Age::Stale);
    let told = |report: &SourceReport| matches!(report, SourceReport::Aged { age: Age::Stale, .. });
    assert_eq!(desk.told_of_source(told), 1);
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_clock_that_runs_ahead_drops_a_feed_only_as_long_as_it_does() {
    let mut desk = aging(WhenStale::Drop);
    desk.set_clock(at(BEGUN + 20 * HOUR));
    desk.settle();
    desk.rests_with("drop", &nets(&[2]));
    desk.set_clock(at(BEGUN));
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 2]));
}

#[test]
fn a_file_from_the_future_is_not_fresh_for_ever() {
    let mut desk = aging(WhenStale::Drop);
    desk.site.put("a", &net(3), at(BEGUN + 1_000 * HOUR));
    desk.handle(Event::FilesChanged);
    desk.settle();
    assert_eq!(age(&desk), Age::Future);
    desk.rests_with("drop", &nets(&[2, 3]));
    desk.pass(10 * HOUR);
    assert_eq!(age(&desk), Age::Dropped);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_feed_that_came_while_the_clock_was_behind_is_fresh_when_it_is_written_again() {
    let mut desk = aging(WhenStale::Drop);
    desk.set_clock(at(BEGUN - 20 * HOUR));
    desk.write("a", &net(3));
    desk.settle();
    desk.rests_with("drop", &nets(&[2, 3]));
    desk.set_clock(at(BEGUN));
    desk.settle();
    assert_eq!(age(&desk), Age::Dropped);
    desk.write("a", &net(3));
    desk.settle();
    assert_eq!(age(&desk), Age::Fresh, "its file is not from the future any more");
    desk.rests_with("drop", &nets(&[2, 3]));
    desk.restart();
    desk.settle();
    assert_eq!(age(&desk), Age::Fresh);
    desk.pass(10 * HOUR);
    assert_eq!(age(&desk), Age::Dropped);
}

#[test]
fn a_deleted_feed_is_withdrawn_by_the_clock_that_never_jumps() {
    for to in [BEGUN + 100 * HOUR, BEGUN - 100 * HOUR] {
        let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))]);
        desk.delete("a");
        desk.settle();
        desk.set_clock(at(to));
        desk.settle();
        desk.pass(WITHDRAW - 1);
        desk.expect("drop", &nets(&[1, 2]));
        desk.pass(1);
        desk.rests_with("drop", &nets(&[2]));
    }
}

#[test]
fn a_deleted_feed_does_not_wait_anew_when_the_process_begins_anew() {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))]);
    desk.delete("a");
    desk.settle();
    desk.pass(WITHDRAW - 100);
    desk.restart();
    desk.settle();
    desk.pass(99);
    desk.expect("drop", &nets(&[1, 2]));
    desk.pass(1);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_clock_that_was_set_back_between_two_processes_keeps_a_deleted_feed_no_longer() {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))]);
    desk.delete("a");
    desk.settle();
    desk.now.wall = at(BEGUN / 2);
    desk.restart();
    desk.settle();
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_clock_that_runs_ahead_ends_no_doubt_about_lost_state() {
    let mut desk = Desk::with(lists(), &[("a", &net(1)), ("b", &net(2))]);
    desk.site.lose();
    desk.site.delete("a");
    desk.restart();
    desk.settle();
    desk.set_clock(at(BEGUN + 100 * HOUR));
    desk.settle();
    desk.expect("drop", &nets(&[1, 2]));
    desk.pass(WITHDRAW);
    desk.rests_with("drop", &nets(&[2]));
}

#[test]
fn a_clock_that_is_set_shortens_no_rest() {
    let mut desk = Desk::with(lists(), &[("a", &net(1))]);
    desk.host.fail(Stage::List, KernelErrorKind::Memory);
    desk.handle(Event::Resync);
    desk.settle();
    desk.pass(10);
    let before = desk.failures();
    for step in 1..50 {
        desk.set_clock(at(BEGUN + step * HOUR));
        desk.settle();
    }
    assert_eq!(desk.failures(), before);
    assert!(!desk.waits(Kind::Observe));
}

#[test]
fn a_clock_that_is_set_asks_for_no_probe_and_no_scan() {
    let mut desk = Desk::with(lists(), &[("a", &net(1))]);
    desk.set_clock(at(BEGUN + 100 * HOUR));
    assert!(desk.pending.is_empty(), "{:?}", desk.pending);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_version_that_is_kept_while_the_clock_is_set_lives_as_long_as_it_should() {
    let mut desk = Desk::with(lists(), &[]);
    desk.write("bans", &bans(&[HOUR]));
    desk.settle_but(&[Kind::Keep]);
    desk.set_clock(at(BEGUN + 2 * HOUR));
    desk.settle();
    desk.rests_with("drop", &banned(&[]));
    desk.set_clock(at(BEGUN + HOUR / 2));
    desk.settle();
    desk.rests_with("drop", &banned(&[1]));
    desk.pass(HOUR / 2);
    desk.rests_with("drop", &banned(&[]));
}

#[test]
fn an_entry_that_has_ended_does_not_come_back_when_the_host_changes() {
    let mut desk = desk(&[HOUR, 0]);
    desk.pass(HOUR);
    desk.host_is(own(&["91.1.0.9"]));
    desk.settle();
    desk.rests_with("drop", &banned(&[2]));
}
