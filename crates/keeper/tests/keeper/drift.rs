//! A kernel that others write to: what a probe or a look finds, what is told of
//! it, and what refers to our sets.

use std::time::Duration;

use blocklist::{AnyPrefix, Family};
use keeper::{Action, Event, Report, Settings};
use reconcile::{Difference, DifferenceKind, KernelErrorKind, Obstacle, Stage};

use crate::house::{Desk, Kind, list, net, nets, rules, settings};

fn two() -> Settings {
    settings(rules(&[list("drop", &["a*"], &[]), list("more", &["b*"], &[])]))
}

fn desk() -> Desk {
    Desk::with(two(), &[("a", &net(1)), ("b", &net(2))])
}

fn failures(desk: &Desk) -> usize {
    desk.reports.iter().filter(|report| matches!(report, Report::KernelFailed(_))).count()
}

#[test]
fn what_somebody_takes_out_or_puts_in_is_mended_and_told() {
    let set = desk().set("drop", Family::Ipv4);
    let address = |text: &str| text.parse::<AnyPrefix>().expect("an address");
    let (stranger, first) = (address("203.0.113.1"), address("91.1.1.1"));
    let differences = [
        (DifferenceKind::Members { missing: 1, extra: 0 }, vec![first], vec![]),
        (DifferenceKind::Members { missing: 0, extra: 1 }, vec![], vec![stranger]),
        (DifferenceKind::Members { missing: 1, extra: 1 }, vec![first], vec![stranger]),
    ];
    for (kind, out, into) in differences {
        let mut desk = desk();
        desk.host.meddle(&set, |members| {
            members.retain(|member| !out.contains(member));
            members.extend(into);
        });
        desk.pass(10);
        desk.rests_with("drop", &nets(&[1]));
        let want = Difference { set: set.clone(), kind };
        assert!(desk.told(|report| matches!(report, Report::Drifted(found) if *found == want)));
    }
}

#[test]
fn a_set_that_somebody_destroyed_is_there_again() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.destroy(&set);
    desk.pass(10);
    desk.rests_with("drop", &nets(&[1]));
    let want = Difference { set, kind: DifferenceKind::Gone };
    assert!(desk.told(|report| matches!(report, Report::Drifted(found) if *found == want)));
}

#[test]
fn a_kernel_that_has_forgotten_everything_gets_everything_back() {
    let mut desk = desk();
    for set in desk.host.names().cloned().collect::<Vec<_>>() {
        desk.host.destroy(&set);
    }
    desk.pass(10);
    desk.rests_with("drop", &nets(&[1]));
    desk.rests_with("more", &nets(&[2]));
}

#[test]
fn what_was_taken_out_and_is_put_back_by_others_is_taken_out_again() {
    let mut desk = desk();
    desk.write("a", &net(3));
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
    let set = desk.set("drop", Family::Ipv4);
    desk.host.meddle(&set, |members| {
        members.extend(nets(&[1]));
    });
    desk.pass(10);
    desk.rests_with("drop", &nets(&[3]));
    assert!(desk.told(|report| matches!(report, Report::Drifted(_))));
}

#[test]
fn what_a_start_finds_is_no_drift() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.meddle(&set, std::collections::BTreeSet::clear);
    desk.restart();
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
    assert!(!desk.told(|report| matches!(report, Report::Drifted(_))));
}

#[test]
fn somebody_elses_set_in_our_place_is_left_alone_and_told_once() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.squat(&set);
    desk.pass(60);
    assert!(!desk.keeper.in_sync());
    assert_eq!(desk.host.members(&set).map(std::collections::BTreeSet::len), Some(0));
    let blocked =
        |report: &&Report| matches!(report, Report::Blocked { obstacle: Obstacle::Foreign(_), .. });
    assert_eq!(desk.reports.iter().filter(blocked).count(), 1);
    assert_eq!(desk.keeper.kernel().blocked().count(), 1);
    desk.expect("more", &nets(&[2]));
    desk.write("b", &net(4));
    desk.settle();
    desk.expect("more", &nets(&[4]));
    assert_eq!(desk.reports.iter().filter(blocked).count(), 1, "no plan tells it again");
    desk.host.destroy(&set);
    desk.pass(20);
    assert_eq!(desk.keeper.kernel().blocked().count(), 0);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_change_waits_for_the_probe_that_is_out() {
    let mut desk = desk();
    desk.lapse(10);
    desk.handle(Event::Tick);
    let probe = desk.take(Kind::Probe);
    desk.write("a", &net(3));
    desk.settle();
    assert!(!desk.keeper.in_sync());
    desk.expect("drop", &nets(&[1]));
    desk.answer(probe);
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn a_probe_that_fails_is_told_and_leads_to_a_look() {
    let mut desk = desk();
    desk.host.fail(Stage::Test, KernelErrorKind::Memory);
    desk.lapse(10);
    desk.handle(Event::Tick);
    desk.settle_but(&[Kind::Observe]);
    assert_eq!(failures(&desk), 2, "one for each set that has members to be tested");
    assert!(desk.waits(Kind::Observe));
    assert!(!desk.keeper.in_sync());
    desk.settle();
    assert!(desk.keeper.in_sync(), "all was as it should be");
}

#[test]
fn everything_is_compared_every_hour_though_no_probe_finds_anything() {
    let mut desk = desk();
    let mut looks = 0;
    let end = desk.now.monotonic + Duration::from_secs(2 * 3_600 + 60);
    while let Some(wake) = desk.wake.filter(|&wake| wake < end) {
        desk.advance(wake);
        looks += usize::from(desk.waits(Kind::Observe));
        desk.settle();
    }
    assert_eq!(looks, 2);
}

#[test]
fn sets_that_are_dear_to_count_are_counted_less_often() {
    let mut desk = desk();
    desk.lapse(10);
    desk.handle(Event::Tick);
    let Action::Probe(ticket, probes) = desk.take(Kind::Probe) else { panic!("a probe") };
    assert!(probes.iter().all(|probe| probe.count));
    let found = probes.iter().map(|probe| keeper::Probed {
        set: probe.set().clone(),
        result: probe.look(&mut desk.host),
        counted_in: Some(Duration::from_millis(25)),
    });
    let found = found.collect();
    desk.handle(Event::Probed(ticket, found));
    let mut counted = Vec::new();
    for _ in 0..6 {
        desk.lapse(40);
        desk.handle(Event::Tick);
        desk.settle_but(&[Kind::Probe]);
        let probe = desk.take(Kind::Probe);
        let Action::Probe(_, probes) = &probe else { panic!("a probe") };
        counted.push(probes.iter().any(|probe| probe.count));
        desk.answer(probe);
    }
    assert_eq!(
        counted,
        [false, false, false, false, true, true],
        "200 s after 100 ms for all four"
    );
}

#[test]
fn nothing_is_in_sync_while_a_kernel_that_could_not_be_observed_is_asked_again() {
    let mut desk = desk();
    desk.handle(Event::Resync);
    for _ in 0..4 {
        let look = desk.take(Kind::Observe);
        desk.fail(look);
        assert!(!desk.keeper.in_sync(), "while it rests");
        let wake = desk.wake.expect("it is tried again");
        desk.advance(wake);
        assert!(desk.waits(Kind::Observe) && !desk.keeper.in_sync(), "while it is asked");
    }
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_regular_look_makes_nobody_doubt_what_is_known() {
    let mut desk = desk();
    desk.lapse(3_600);
    desk.handle(Event::Tick);
    assert!(desk.waits(Kind::Observe));
    assert!(desk.keeper.in_sync());
    assert!(!desk.keeper.at_rest());
}

#[test]
fn a_drift_that_was_noticed_is_out_of_sync_until_it_is_mended() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.meddle(&set, std::collections::BTreeSet::clear);
    desk.lapse(10);
    desk.handle(Event::Tick);
    for stage in [Kind::Observe, Kind::Converge] {
        desk.settle_but(&[stage]);
        assert!(desk.waits(stage) && !desk.keeper.in_sync(), "{stage:?} is out");
        let action = desk.take(stage);
        desk.answer(action);
    }
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn what_refers_to_a_set_is_known_after_a_probe() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.refer(&set, 3);
    desk.pass(10);
    let observed = desk.keeper.kernel().observed().expect("it was observed");
    assert_eq!(observed.sets[&set].header.references, 3);
    assert!(desk.keeper.in_sync());
}
