//! A kernel that fails, that others write to, and that is looked at again.

use blocklist::Family;
use intake::Ticket;
use keeper::{Action, Event, Report, Settings};
use reconcile::{KernelErrorKind, Object, Stage, Update};

use crate::house::{Desk, Kind, list, net, nets, rules, settings};

const KINDS: [KernelErrorKind; 11] = [
    KernelErrorKind::NotFound,
    KernelErrorKind::Exists,
    KernelErrorKind::Busy,
    KernelErrorKind::Full,
    KernelErrorKind::Mismatch,
    KernelErrorKind::Changed,
    KernelErrorKind::Denied,
    KernelErrorKind::Unsupported,
    KernelErrorKind::Memory,
    KernelErrorKind::Unknown,
    KernelErrorKind::Refused,
];

fn two() -> Settings {
    settings(rules(&[list("drop", &["a*"], &[]), list("more", &["b*"], &[])]))
}

fn desk() -> Desk {
    Desk::with(two(), &[("a", &net(1)), ("b", &net(2))])
}

fn failures(desk: &Desk) -> usize {
    desk.reports.iter().filter(|report| matches!(report, Report::KernelFailed(_))).count()
}

fn ticket_of(action: &Action) -> Ticket {
    match action {
        Action::Observe(ticket, ..) | Action::Probe(ticket, _) => *ticket,
        Action::Converge(converge) => converge.ticket,
        other => panic!("{other:?} is not for the kernel"),
    }
}

#[test]
fn a_kernel_that_cannot_be_observed_is_asked_again_whatever_the_reason() {
    for kind in KINDS {
        let mut desk = desk();
        desk.host.fail(Stage::List, kind);
        desk.handle(Event::Resync);
        desk.settle();
        assert!(!desk.keeper.in_sync(), "nobody knows what is there: {kind}");
        assert_eq!(desk.failures(), [(kind, 1)]);
        desk.host.mend();
        desk.pass(1);
        assert_eq!(desk.failures(), [], "{kind}");
        desk.rests_with("drop", &nets(&[1]));
    }
}

#[test]
fn each_look_that_fails_is_followed_by_a_longer_rest_up_to_a_minute() {
    let mut desk = desk();
    desk.handle(Event::Resync);
    let mut rests = Vec::new();
    for _ in 0..12 {
        let look = desk.take(Kind::Observe);
        let failed = desk.now.monotonic;
        desk.fail(look);
        while !desk.waits(Kind::Observe) {
            let wake = desk.wake.expect("it is tried again");
            desk.advance(wake);
            desk.settle_but(&[Kind::Observe]);
        }
        rests.push(desk.since(failed).as_millis());
    }
    let want = [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000];
    assert_eq!(rests, want);
    assert_eq!(failures(&desk), 1, "the same is told once");
}

#[test]
fn another_error_than_before_is_told_as_well() {
    let mut desk = desk();
    desk.host.fail(Stage::List, KernelErrorKind::Memory);
    desk.handle(Event::Resync);
    desk.settle();
    desk.host.mend();
    desk.host.fail(Stage::List, KernelErrorKind::Denied);
    desk.pass(1);
    assert_eq!(failures(&desk), 2);
}

#[test]
fn nobody_can_shorten_the_rest_after_a_failed_look() {
    let mut desk = desk();
    desk.handle(Event::Resync);
    for _ in 0..8 {
        let look = desk.take(Kind::Observe);
        desk.fail(look);
        for _ in 0..100 {
            desk.handle(Event::Resync);
            assert!(!desk.waits(Kind::Observe), "it rests first");
        }
        let wake = desk.wake.expect("it is tried again");
        desk.lapse(0);
        desk.advance(wake);
        while !desk.waits(Kind::Observe) {
            desk.settle_but(&[Kind::Observe]);
            if !desk.waits(Kind::Observe) {
                let wake = desk.wake.expect("it is tried again");
                desk.advance(wake);
            }
        }
    }
}

/// A list whose change fails at a stage: how it is updated, what its feed says
/// by then, and at which stage it fails.
fn check_write(update: Update, text: &str, stage: Stage, kind: KernelErrorKind) {
    let mut desk = Desk::with(Settings { update, ..two() }, &[("a", &net(1)), ("b", &net(2))]);
    let set = desk.set("drop", Family::Ipv4);
    desk.host.fail(stage, kind);
    desk.write("a", text);
    desk.settle();
    assert!(!desk.keeper.in_sync(), "{stage} failed");
    assert!(desk.keeper.kernel().is_retrying());
    assert!(desk.failures().iter().all(|(found, _)| *found == kind), "{stage}");
    let failed = |report: &Report| {
        matches!(report, Report::Applied(done)
            if done.object == Object::from(&set) && done.result.is_err())
    };
    assert!(desk.told(failed), "and it is told");
    let kept = nets(&[1]).intersection(&desk.held("drop")).count();
    assert!(kept >= 10, "what was blocked and is to be blocked stays so: {kept}");
    desk.expect("more", &nets(&[2]));
    desk.host.mend();
    desk.pass(60);
    assert_eq!(desk.failures(), []);
    let want = text.lines().map(|line| line.parse().expect("an address")).collect();
    desk.rests_with("drop", &want);
    assert_eq!(desk.host.names().count(), 4, "nothing is left behind");
}

#[test]
fn a_change_that_fails_at_any_stage_is_made_again_until_it_is_done() {
    let half: String = net(1).lines().take(10).flat_map(|line| [line, "\n"]).collect();
    let both = half.clone() + &net(3);
    for stage in [Stage::Create, Stage::Add, Stage::Dump, Stage::Swap] {
        check_write(Update::Swap, &both, stage, KernelErrorKind::Memory);
    }
    for stage in [Stage::Add, Stage::Delete] {
        check_write(Update::InPlace, &both, stage, KernelErrorKind::Memory);
    }
}

#[test]
fn a_change_that_fails_for_any_reason_is_made_again_until_it_is_done() {
    let both = net(1) + &net(3);
    for kind in KINDS {
        check_write(Update::InPlace, &both, Stage::Add, kind);
        check_write(Update::Swap, &both, Stage::Swap, kind);
    }
}

#[test]
fn memory_that_cannot_be_given_back_leaves_everything_in_sync_and_is_tried_again() {
    let mut desk = Desk::with(Settings { update: Update::Swap, ..two() }, &[("a", &net(1))]);
    desk.host.fail(Stage::Destroy, KernelErrorKind::Busy);
    desk.write("a", &net(3));
    desk.settle();
    desk.expect("drop", &nets(&[3]));
    assert_eq!(desk.host.names().count(), 5, "the old members are still there");
    desk.host.mend();
    desk.pass(60);
    assert_eq!(desk.host.names().count(), 4);
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn a_set_that_fails_does_not_keep_the_others_from_being_changed() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.failing.push((Stage::Add, Some(set.clone()), KernelErrorKind::Full));
    desk.site.put("a", &net(3), desk.now.wall);
    desk.write("b", &net(4));
    desk.settle();
    desk.expect("more", &nets(&[4]));
    desk.expect("drop", &nets(&[1]));
    for number in [5, 6] {
        desk.write("b", &net(number));
        desk.settle();
        desk.expect("more", &nets(&[number]));
    }
    assert!(!desk.keeper.in_sync());
}

#[test]
fn nobody_can_shorten_the_rest_of_a_set_that_failed() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.failing.push((Stage::Add, Some(set), KernelErrorKind::Full));
    desk.write("a", &net(3));
    desk.settle();
    desk.pass(30);
    let tries = |desk: &Desk| desk.failures().iter().map(|(_, times)| *times).max();
    let before = tries(&desk).expect("it was tried");
    for _ in 0..50 {
        desk.handle(Event::Resync);
        desk.settle();
    }
    assert_eq!(tries(&desk), Some(before), "a look is no try");
    assert!(before < 12, "{before} tries in thirty seconds");
}

#[test]
fn a_resync_while_the_kernel_is_observed_leads_to_another_look() {
    let mut desk = desk();
    desk.handle(Event::Resync);
    let first = desk.take(Kind::Observe);
    let seen = desk.work(first);
    let set = desk.set("drop", Family::Ipv4);
    // After that look somebody takes everything out, and asks for another.
    desk.host.meddle(&set, std::collections::BTreeSet::clear);
    desk.handle(Event::Resync);
    desk.handle(seen.expect("an answer"));
    desk.settle();
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn an_answer_of_the_kernel_to_an_earlier_question_is_dropped() {
    let mut desk = desk();
    desk.handle(Event::Resync);
    let look = desk.take(Kind::Observe);
    let old = ticket_of(&look);
    desk.answer(look);
    desk.settle();
    let before = desk.reports.len();
    let error = crate::house::error(Stage::List, KernelErrorKind::Denied);
    desk.handle(Event::Observed(old, Err(error)));
    desk.handle(Event::Probed(old, Vec::new()));
    assert_eq!(desk.reports.len(), before);
    assert!(desk.pending.is_empty(), "{:?}", desk.pending);
    desk.rests_with("drop", &nets(&[1]));
}

#[test]
fn a_plan_that_was_carried_out_is_heard_of_once() {
    let mut desk = desk();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Converge]);
    let Action::Converge(converge) = desk.take(Kind::Converge) else { panic!("a plan") };
    let again = converge.clone();
    desk.answer(Action::Converge(converge));
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
    // What another hand would have made of it: the old members.
    let stale = keeper::Converged {
        ticket: again.ticket,
        plan: again.plan(),
        outcome: reconcile::Outcome { look_again: true, ..reconcile::Outcome::default() },
        observed: again.observed,
    };
    desk.handle(Event::Converged(Box::new(stale)));
    assert!(desk.pending.is_empty());
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn a_plan_that_was_halted_is_looked_after_and_finished() {
    let mut desk = desk();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Converge]);
    let Action::Converge(converge) = desk.take(Kind::Converge) else { panic!("a plan") };
    let plan = converge.plan();
    let halted =
        reconcile::Outcome { halted: true, look_again: true, ..reconcile::Outcome::default() };
    let (ticket, observed) = (converge.ticket, converge.observed);
    let converged = keeper::Converged { ticket, plan, outcome: halted, observed };
    desk.handle(Event::Converged(Box::new(converged)));
    assert!(desk.waits(Kind::Observe));
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn when_a_set_was_written_and_verified_is_known() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.pass(100);
    let written = desk.now.wall;
    desk.write("a", &net(3));
    desk.settle();
    let times = desk.keeper.kernel().times(&set);
    assert_eq!((times.applied, times.verified), (Some(written), Some(written)));
    desk.pass(3_600);
    let times = desk.keeper.kernel().times(&set);
    assert_eq!(times.applied, Some(written));
    assert!(times.verified > Some(written), "by the hourly look");
}

#[test]
fn feeds_are_in_force_though_the_kernel_cannot_be_observed() {
    let mut desk = desk();
    desk.host.fail(Stage::List, KernelErrorKind::Denied);
    desk.handle(Event::Resync);
    desk.settle();
    let generation = desk.keeper.generation();
    desk.write("a", &net(3));
    desk.settle();
    assert!(desk.keeper.generation() > generation);
    desk.expect("drop", &nets(&[1]));
    desk.host.mend();
    desk.pass(60);
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn nothing_is_written_before_the_kernel_was_observed_and_every_list_was_put_together() {
    for stage in [Kind::Observe, Kind::Compose] {
        let mut desk = desk();
        desk.restart();
        desk.settle_but(&[stage]);
        assert!(!desk.waits(Kind::Converge), "{stage:?} is still out");
        while desk.waits(stage) {
            let action = desk.take(stage);
            desk.answer(action);
        }
        desk.settle();
        desk.rests_with("drop", &nets(&[1]));
    }
}

#[test]
fn that_all_is_in_sync_is_told_once_after_it_was_not() {
    let mut desk = desk();
    let told =
        |desk: &Desk| desk.reports.iter().filter(|report| matches!(report, Report::InSync)).count();
    desk.pass(3_600);
    assert_eq!(told(&desk), 0, "it was before");
    let set = desk.set("drop", Family::Ipv4);
    desk.host.failing.push((Stage::Add, Some(set), KernelErrorKind::Full));
    desk.write("a", &net(3));
    desk.pass(60);
    assert_eq!(told(&desk), 0);
    desk.host.mend();
    desk.pass(3_600);
    assert_eq!(told(&desk), 1);
}

#[test]
fn what_an_op_did_that_seemed_to_fail_is_nobodys_drift() {
    let mut desk = desk();
    let set = desk.set("drop", Family::Ipv4);
    desk.host.fail(Stage::Add, KernelErrorKind::Unknown);
    desk.write("a", &(net(1) + &net(3)));
    desk.settle_but(&[Kind::Observe]);
    assert!(desk.waits(Kind::Observe), "it may have happened");
    desk.host.meddle(&set, |members| members.extend(nets(&[3])));
    desk.host.mend();
    desk.pass(60);
    desk.rests_with("drop", &nets(&[1, 3]));
    assert!(!desk.told(|report| matches!(report, Report::Drifted(_))));
}
