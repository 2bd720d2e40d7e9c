//! Lists by which somebody who is connected would newly be shut out, though no
//! feed has changed and no configuration: a feed leaves, a lifetime ends.

use intake::{ListRules, Peer, Shuts, WhenStale};
use keeper::{HoldReason, Settings};
use reconcile::Hold;

use crate::house::{Desk, list, net, nets, rules, settings, table};

/// Somebody connected to port 22 from an address of feed `b`.
const ADMIN: &str = "91.1.2.7";

/// Longer than a feed stays that was deleted.
const WITHDRAWN: u64 = 400;

/// Only members of list `office` reach port 22.
fn only(lists: &[ListRules]) -> Settings {
    let mut rules = rules(lists);
    let shuts = Shuts { members: Vec::new(), others: vec![22..=22] };
    rules.shuts = [("office".to_owned(), shuts)].into();
    settings(rules)
}

fn peer(connection: u64) -> Peer {
    let address = ADMIN.parse().expect("an address");
    Peer { address, port: 22, connection, named: None }
}

/// A list of both feeds, and somebody connected who is in the second.
fn desk() -> Desk {
    let files = [("a", net(1)), ("b", net(2))];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let mut desk = Desk::with(only(&[list("office", &["a", "b"], &[])]), &files);
    desk.peers = vec![peer(1)];
    desk.rests_with("office", &nets(&[1, 2]));
    desk
}

/// Whether the list is held for the one who is connected.
#[track_caller]
fn check(desk: &Desk, held: bool) {
    let how = desk.how("office");
    let shut_out = how.as_ref().is_some_and(|how| matches!(how.why, HoldReason::ShutsOut(_)));
    assert_eq!(shut_out, held, "{how:?}");
    if held {
        assert_eq!(how.map(|how| how.hold), Some(Hold::AddOnly));
        assert!(desk.held("office").is_superset(&nets(&[2])));
        assert!(!desk.keeper.in_sync(), "what is not so is said");
    }
}

#[test]
fn a_feed_that_leaves_waits_until_who_is_connected_has_gone() {
    let mut desk = desk();
    desk.delete("b");
    desk.pass(WITHDRAWN);
    check(&desk, true);
    // Other feeds are let in meanwhile.
    desk.write("a", &format!("{}{}", net(1), net(3)));
    desk.pass(5);
    check(&desk, true);
    assert!(desk.held("office").is_superset(&nets(&[1, 2, 3])));
    // Whoever comes later does not count, though the list changes meanwhile.
    desk.peers = vec![peer(2)];
    desk.write("a", &format!("{}{}", net(1), net(3)));
    desk.pass(60);
    check(&desk, false);
    desk.rests_with("office", &nets(&[1, 3]));
}

#[test]
fn a_person_lets_go_who_is_connected() {
    let mut desk = desk();
    desk.delete("b");
    desk.pass(WITHDRAWN);
    check(&desk, true);
    let word = desk.accept_losses();
    desk.settle();
    assert_eq!(desk.accepted(word), Some(Ok(())));
    check(&desk, false);
    desk.rests_with("office", &nets(&[1]));
}

#[test]
fn a_reload_that_changes_nothing_is_no_word() {
    let mut desk = desk();
    desk.delete("b");
    desk.pass(WITHDRAWN);
    let word = desk.propose(&only(&[list("office", &["a", "b"], &[])]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    check(&desk, true);
}

#[test]
fn what_is_in_two_feeds_may_leave_one() {
    let mut desk = desk();
    desk.write("a", &format!("{}{}", net(1), net(2)));
    desk.pass(5);
    desk.delete("b");
    desk.pass(WITHDRAWN);
    check(&desk, false);
    desk.rests_with("office", &nets(&[1, 2]));
}

#[test]
fn nobody_who_is_connected_from_elsewhere_holds_a_list() {
    let mut desk = desk();
    desk.peers[0].address = "91.1.9.9".parse().expect("an address");
    desk.delete("b");
    desk.pass(WITHDRAWN);
    check(&desk, false);
    desk.rests_with("office", &nets(&[1]));
}

#[test]
fn a_file_that_is_too_old_stays_as_long_as_who_it_let_in() {
    let mut desk = desk();
    let mut aging = only(&[list("office", &["a", "b"], &[])]);
    let mut rules = (*aging.rules).clone();
    rules.tables = vec![table("b", 3_600, WhenStale::Drop)];
    aging.rules = rules.into();
    let word = desk.propose(&aging);
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    check(&desk, false);
    desk.pass(4_000);
    check(&desk, true);
    desk.write("b", &format!("{}\n", net(2)));
    desk.pass(60);
    check(&desk, false);
    desk.rests_with("office", &nets(&[1, 2]));
}

#[test]
fn an_entry_whose_lifetime_ends_stays_as_long_as_who_it_let_in() {
    let mut desk = desk();
    desk.delete("b");
    desk.peers.clear();
    desk.pass(WITHDRAWN);
    desk.write("b", &format!("create b hash:ip timeout 0\nadd b {ADMIN} timeout 600\n"));
    desk.pass(5);
    desk.peers = vec![peer(3)];
    desk.pass(700);
    check_address(&desk, true);
    desk.peers.clear();
    desk.pass(60);
    check_address(&desk, false);
}

#[track_caller]
fn check_address(desk: &Desk, is_in: bool) {
    let held = desk.held("office");
    assert_eq!(held.iter().any(|one| one.to_string() == ADMIN), is_in, "{held:?}");
}
