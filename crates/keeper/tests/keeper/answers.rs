//! Answers that come twice, late, in another order, or to a question that
//! nobody asks any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use blocklist::{Guard, Prefixes};
use intake::{Answer, Makeup, Order, Reading};
use keeper::{Action, Composed, Converged, Event, Look, Probed, Settings, Tried};
use reconcile::{KernelErrorKind, Observed, Outcome, Plan, Stage, Target};

use crate::house::{Desk, Kind, error, feed, list, net, nets, refusal, rules, settings};

fn two() -> Settings {
    settings(rules(&[list("drop", &["a*"], &[]), list("more", &["b*"], &[])]))
}

fn desk() -> Desk {
    Desk::with(two(), &[("a", &net(1)), ("b", &net(2))])
}

/// Has such an action wait at a desk, the settings of which may be proposed.
fn waiting(stage: Kind) -> Desk {
    let mut desk = desk();
    match stage {
        Kind::Recall | Kind::Try => {
            desk.site.put("c", &net(3), desk.now.wall);
            let lists = [list("drop", &["a*", "c*"], &[]), list("more", &["b*"], &[])];
            desk.propose(&settings(rules(&lists)));
        }
        Kind::Observe => desk.handle(Event::Resync),
        Kind::Probe => {
            desk.lapse(10);
            desk.handle(Event::Tick);
        }
        _ => {
            desk.site.put("b", &net(4), desk.now.wall);
            desk.write("a", &net(3));
        }
    }
    desk.settle_but(&[stage]);
    assert!(desk.waits(stage), "{stage:?}");
    desk
}

/// An answer to this action that says the worst of everything.
fn worst(action: &Action) -> Event {
    let reason = "no such directory".to_owned();
    match action {
        Action::Files(Order::Recall(ticket, ..)) => {
            Event::Files(Answer::Recalled(*ticket, Err(reason)))
        }
        Action::Files(Order::Scan(ticket)) => Event::Files(Answer::Scanned(*ticket, Err(reason))),
        Action::Files(Order::Read(ticket, order)) => Event::Files(Answer::Read {
            ticket: *ticket,
            feed: order.feed.clone(),
            fingerprint: None,
            written: None,
            reading: Reading::Refused(refusal(Guard::Readable)),
        }),
        Action::Files(Order::Keep(ticket, feed, _)) => Event::Files(Answer::Kept {
            ticket: *ticket,
            feed: feed.clone(),
            result: Err(refusal(Guard::Kept)),
        }),
        Action::Compose(compose) => Event::Composed(Composed {
            ticket: compose.ticket,
            list: compose.list.name.clone(),
            targets: Target::pair(Prefixes::default(), Prefixes::default()),
            changed: true,
            basis: Arc::default(),
            protected: Arc::default(),
            makeup: Makeup::default(),
            peers: Vec::new(),
        }),
        Action::Try(trial) => {
            let losses = BTreeMap::from([("drop".to_owned(), (100, 100))]);
            Event::Tried(Tried {
                ticket: trial.ticket,
                losses,
                targets: BTreeMap::new(),
                peers: Vec::new(),
            })
        }
        Action::Observe(ticket, ..) => {
            Event::Observed(*ticket, Ok(Look::new(Observed::default(), None)))
        }
        Action::Converge(converge) => Event::Converged(Box::new(Converged {
            ticket: converge.ticket,
            plan: Plan::default(),
            outcome: Outcome { look_again: true, ..Outcome::default() },
            observed: Observed::default(),
        })),
        Action::Probe(ticket, probes) => {
            let error = error(Stage::Test, KernelErrorKind::Denied);
            let found = probes.iter().map(|probe| Probed {
                set: probe.set().clone(),
                result: Err(error.clone()),
                counted_in: None,
            });
            Event::Probed(*ticket, found.collect())
        }
        other => panic!("{other:?} has no answer"),
    }
}

/// The answer to an action of this kind comes, and another one after it, which
/// says the worst of everything and must change nothing.
fn check_twice(stage: Kind) {
    let mut desk = waiting(stage);
    let action = desk.take(stage);
    let again = worst(&action);
    desk.answer(action);
    desk.settle();
    let seen = |desk: &Desk| (desk.keeper.generation(), desk.reports.len(), desk.failures());
    let before = seen(&desk);
    desk.handle(again);
    assert!(desk.pending.is_empty(), "{stage:?}: {:?}", desk.pending);
    assert_eq!(seen(&desk), before, "{stage:?}");
    assert!(desk.keeper.in_sync() && desk.keeper.at_rest(), "{stage:?}");
    desk.pass(60);
    assert_eq!(desk.keeper.generation(), before.0, "{stage:?}");
    assert!(desk.keeper.in_sync(), "{stage:?}");
}

#[test]
fn a_second_answer_of_the_state_directory_is_dropped() {
    check_twice(Kind::Recall);
}

#[test]
fn a_second_answer_of_the_feeds_directory_is_dropped() {
    check_twice(Kind::Scan);
}

#[test]
fn a_second_reading_of_a_feed_is_dropped() {
    check_twice(Kind::Read);
}

#[test]
fn a_second_word_on_a_copy_is_dropped() {
    check_twice(Kind::Keep);
}

#[test]
fn a_list_that_is_put_together_twice_counts_once() {
    check_twice(Kind::Compose);
}

#[test]
fn a_configuration_that_is_tried_twice_is_decided_on_once() {
    check_twice(Kind::Try);
}

#[test]
fn a_kernel_that_is_seen_twice_is_believed_once() {
    check_twice(Kind::Observe);
}

#[test]
fn a_plan_that_ends_twice_ends_once() {
    check_twice(Kind::Converge);
}

#[test]
fn a_probe_that_is_answered_twice_is_heard_once() {
    check_twice(Kind::Probe);
}

/// Two actions of this kind wait, and are carried out in the other order.
fn check_reversed(stage: Kind) {
    let mut desk = waiting(stage);
    let (first, second) = (desk.take(stage), desk.take(stage));
    desk.answer(second);
    desk.settle_but(&[stage]);
    desk.answer(first);
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
    desk.rests_with("more", &nets(&[4]));
}

#[test]
fn readings_may_end_in_any_order() {
    check_reversed(Kind::Read);
}

#[test]
fn copies_may_be_kept_in_any_order() {
    check_reversed(Kind::Keep);
}

#[test]
fn lists_may_be_put_together_in_any_order() {
    check_reversed(Kind::Compose);
}

#[test]
fn one_list_is_in_force_while_another_is_put_together() {
    let mut desk = waiting(Kind::Compose);
    let (_drop, more) = (desk.take(Kind::Compose), desk.take(Kind::Compose));
    desk.answer(more);
    desk.settle();
    desk.expect("more", &nets(&[4]));
    desk.expect("drop", &nets(&[1]));
    assert!(!desk.keeper.in_sync(), "one list is still put together");
    assert!(!desk.keeper.at_rest());
}

#[test]
fn a_list_that_was_taken_out_while_it_was_put_together_is_in_no_set() {
    let mut desk = waiting(Kind::Compose);
    let old = desk.take(Kind::Compose);
    desk.propose(&settings(rules(&[list("more", &["b*"], &[])])));
    desk.settle();
    desk.answer(old);
    desk.settle();
    assert_eq!(desk.keeper.desired().sets.len(), 2);
    desk.rests_with("more", &nets(&[4]));
}

#[test]
fn a_list_that_went_and_came_while_it_was_put_together_waits_for_the_new_answer() {
    let mut desk = waiting(Kind::Compose);
    let old = desk.take(Kind::Compose);
    desk.propose(&settings(rules(&[list("more", &["b*"], &[])])));
    desk.settle();
    desk.write("a", &net(5));
    desk.propose(&two());
    desk.settle_but(&[Kind::Compose]);
    desk.answer(old);
    assert!(desk.waits(Kind::Compose));
    desk.settle();
    desk.rests_with("drop", &nets(&[5]));
}

#[test]
fn a_reading_that_is_late_counts_though_another_feed_was_read_meanwhile() {
    let mut desk = waiting(Kind::Read);
    let late = desk.take(Kind::Read);
    let late = desk.work(late).expect("a reading");
    desk.settle();
    // The list waits at most two seconds for it.
    desk.pass(3);
    desk.expect("more", &nets(&[4]));
    desk.handle(late);
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn a_file_that_changed_after_it_was_read_and_before_that_was_told_is_read_again() {
    let mut desk = desk();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Read]);
    let early = desk.take(Kind::Read);
    let early = desk.work(early).expect("a reading");
    desk.write("a", &net(4));
    desk.settle_but(&[Kind::Read]);
    desk.handle(early);
    desk.settle();
    desk.rests_with("drop", &nets(&[4]));
}

#[test]
fn a_scan_that_saw_less_than_there_is_by_now_is_followed_by_another() {
    let mut desk = desk();
    desk.handle(Event::FilesChanged);
    let early = desk.take(Kind::Scan);
    let early = desk.work(early).expect("a scan");
    desk.write("a2", &net(3));
    assert!(!desk.waits(Kind::Scan), "one at a time");
    desk.handle(early);
    desk.settle();
    desk.rests_with("drop", &nets(&[1, 3]));
}

#[test]
fn a_feed_that_is_not_its_last_copy_byte_for_byte_is_read_again_whatever_the_reading_says() {
    let mut desk = desk();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Read]);
    let Action::Files(Order::Read(ticket, order)) = desk.take(Kind::Read) else {
        panic!("a reading")
    };
    let reading = Reading::Same(intake::Identity([1, 2, 3]));
    let (fingerprint, written) = (None, None);
    let feed = order.feed;
    desk.handle(Event::Files(Answer::Read { ticket, feed, fingerprint, written, reading }));
    desk.settle();
    desk.rests_with("drop", &nets(&[3]));
}

#[test]
fn answers_about_feeds_that_nobody_knows_change_nothing() {
    let mut desk = desk();
    let ticket = desk.keeper.ticket();
    let feed = feed("nobody");
    let (fingerprint, written, reading) = (None, None, Reading::Vanished);
    let read = Answer::Read { ticket, feed: feed.clone(), fingerprint, written, reading };
    desk.handle(Event::Files(read));
    desk.handle(Event::Files(Answer::Kept { ticket, feed: feed.clone(), result: Ok(()) }));
    assert!(desk.pending.is_empty());
    assert!(!desk.keeper.intake().feeds().contains_key(&feed));
}

#[test]
fn what_comes_together_is_decided_on_once_and_comes_to_the_same() {
    let names = ["a", "b", "c", "d", "e"];
    let lists = names.map(|name| list(name, &[name], &[]));
    let texts: Vec<_> = (1..=5).map(net).collect();
    let files: Vec<_> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
    let begin = || {
        let mut desk = Desk::with(settings(rules(&lists)), &files);
        for (name, number) in names.into_iter().zip(11..) {
            desk.site.put(name, &net(number), desk.now.wall);
        }
        desk.acts = 0;
        desk.handle(Event::FilesChanged);
        desk
    };
    let (mut apart, mut together) = (begin(), begin());
    apart.settle();
    together.settle_together();
    assert!(apart.keeper.in_sync() && together.keeper.in_sync());
    assert_eq!(apart.keeper.desired().sets, together.keeper.desired().sets);
    let ops = |desk: &Desk| {
        let mut ops: Vec<_> = desk.host.ops.iter().map(|op| format!("{op:?}")).collect();
        ops.sort_unstable();
        ops
    };
    assert_eq!(ops(&apart), ops(&together));
    assert!(together.acts < apart.acts, "{} and {}", together.acts, apart.acts);
}

#[test]
fn a_list_is_computed_while_a_copy_is_kept_and_nothing_of_it_is_in_force_before() {
    let mut desk = desk();
    desk.write("a", &net(3));
    desk.settle_but(&[Kind::Keep, Kind::Compose]);
    assert!(desk.waits(Kind::Keep));
    let ahead = desk.take(Kind::Compose);
    desk.answer(ahead);
    desk.settle_but(&[Kind::Keep]);
    assert!(desk.keeper.in_sync(), "it is as it was, of {:?}", desk.pending);
    desk.settle_but(&[Kind::Compose, Kind::Converge]);
    let Action::Compose(compose) = desk.take(Kind::Compose) else { panic!("it was taken") };
    let basis = compose.basis.clone().expect("that of before");
    let composed = (*compose).clone().run();
    assert_eq!(composed.basis, basis, "nothing is left to be computed");
    desk.answer(Action::Compose(compose));
    desk.settle();
    assert!(desk.keeper.in_sync());
    let set = desk.settings.prefix.live("drop", blocklist::Family::Ipv4).expect("a name");
    assert_eq!(desk.host.members(&set), Some(&nets(&[3])));
}
