//! The guard against locking somebody out: which version of a feed is refused for
//! whom, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use blocklist::{Allow, AnyPrefix, Glob, GuardPolicy, List, Protect, Protection};
use intake::{GuardOverrides, ListRules, Peer, Rules, Shuts};

use crate::desk::{Desk, WITHDRAW, feed, is_read};

/// Somebody connected to port 22 by this connection.
fn peer(address: &str, connection: u64) -> Peer {
    let address = address.parse().expect("an address");
    Peer { address, port: 22, connection, named: Some("line 3".to_owned()) }
}

/// An address that only version `version` of a feed lists.
fn listed(version: u64) -> String {
    format!("192.0.{version}.5")
}

/// One list of the feed `a`, with this allow and these rules for others.
fn rules(allow: Vec<Allow>, shuts: Option<Shuts>) -> Arc<Rules> {
    let list = List {
        name: "drop".to_owned(),
        feeds: vec![Glob::new("a").expect("a glob")],
        allow,
        protect: Vec::new(),
    };
    let list =
        ListRules { list: Arc::new(list), guard: GuardOverrides::default(), optional: false };
    Arc::new(Rules {
        guard: GuardPolicy { shrink_percent_max: 100, ..GuardPolicy::default() },
        lists: vec![list],
        withdraw: WITHDRAW,
        scan: Duration::from_secs(60),
        patience: Duration::from_secs(10),
        shuts: shuts.map(|shuts| ("drop".to_owned(), shuts)).into_iter().collect(),
        ..Rules::default()
    })
}

/// Version 1 is in force, then these rules, then version 2 comes while somebody
/// is connected. What the guard has against it.
#[track_caller]
fn check(rules: Arc<Rules>, peers: &[Peer], want: Option<&str>) {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.intake.rule_by(rules, desk.now);
    desk.settle();
    desk.peers = peers.to_vec();
    desk.files.insert(feed("a"), 2);
    desk.changed();
    desk.settle();
    let refusals = desk.intake.feeds()[&feed("a")].refusals();
    if let Some(want) = want {
        assert!(refusals[0].to_string().contains(want), "{}", refusals[0]);
        desk.expect(&[("a", 1)]);
    } else {
        assert_eq!(refusals, []);
        desk.expect(&[("a", 2)]);
    }
}

#[test]
fn a_version_is_refused_by_which_somebody_who_is_connected_would_be_blocked() {
    let blocked = "found 192.0.2.5, connected to port 22, would be blocked by list drop (line 3) (protect-peers)";
    check(rules(Vec::new(), None), &[peer(&listed(2), 7)], Some(blocked));
    check(rules(Vec::new(), None), &[peer("198.51.100.1", 7)], None);
}

#[test]
fn what_a_list_does_not_do_is_not_feared_of_it() {
    let allow: AnyPrefix = "192.0.2.0/28".parse().expect("a prefix");
    check(rules(vec![Allow::Prefix(allow)], None), &[peer(&listed(2), 7)], None);
    let web = Shuts { members: vec![80..=80], others: Vec::new() };
    check(rules(Vec::new(), Some(web)), &[peer(&listed(2), 7)], None);
    let office = || Shuts { members: Vec::new(), others: vec![22..=22] };
    check(rules(Vec::new(), Some(office())), &[peer(&listed(2), 7)], None);
    let gone = "192.0.1.5, connected to port 22, would not be in list drop any more";
    check(rules(Vec::new(), Some(office())), &[peer(&listed(1), 7)], Some(gone));
}

#[test]
fn a_gateway_is_asked_for_where_nothing_protects_it() {
    let mut desk = Desk::with(&[("a", 1)]);
    let mut protection = Protection::default();
    protection.set(Protect::Gateways, [listed(2).parse().expect("an address")]);
    desk.intake.protect(Arc::new(protection));
    desk.files.insert(feed("a"), 2);
    desk.changed();
    desk.settle();
    let refusals = desk.intake.feeds()[&feed("a")].refusals();
    assert!(refusals[0].found.contains("192.0.2.5, a default gateway"), "{refusals:?}");
    desk.expect(&[("a", 1)]);
}

#[test]
fn a_refusal_ends_with_the_connection_and_later_ones_do_not_prolong_it() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.peers = vec![peer(&listed(2), 7), peer(&listed(2), 8)];
    desk.files.insert(feed("a"), 2);
    desk.changed();
    desk.settle();
    desk.expect(&[("a", 1)]);
    assert!(desk.intake.at_rest());
    for (connections, want) in [(&[7, 9][..], 1), (&[7, 10], 1), (&[10, 11], 2)] {
        desk.peers = connections.iter().map(|&one| peer(&listed(2), one)).collect();
        desk.pass(20);
        assert!(desk.waits(is_read), "it is read again");
        desk.settle();
        desk.expect(&[("a", want)]);
    }
}

#[test]
fn a_word_lets_the_version_through_while_the_connection_is_there() {
    let mut desk = Desk::with(&[("a", 1)]);
    desk.peers = vec![peer(&listed(2), 7)];
    desk.files.insert(feed("a"), 2);
    desk.changed();
    desk.settle();
    let word = desk.accept("a");
    desk.settle();
    assert_eq!(desk.reply(word), Some(Ok(())));
    desk.expect(&[("a", 2)]);
}

#[test]
fn who_is_blocked_already_is_no_matter() {
    let mut desk = Desk::with(&[("a", 2)]);
    desk.peers = vec![peer(&listed(2), 7)];
    desk.files.insert(feed("b"), 2);
    desk.changed();
    desk.settle();
    desk.expect(&[("a", 2), ("b", 2)]);
}
