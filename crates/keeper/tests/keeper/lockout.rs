//! Configurations by which somebody who is connected would be locked out, and
//! how a person lets one through.

use std::ops::RangeInclusive;

use blocklist::Family;
use intake::{ListRules, Peer, Shuts, Who};
use keeper::{Settings, SlipKind};

use crate::house::{Desk, list, net, nets, rules, settings};

const FILES: [(&str, u8); 2] = [("a", 1), ("b", 2)];

/// Somebody connected to port 22 from an address of feed `b`.
const ADMIN: &str = "91.1.2.7";

/// A configuration of these lists; of each of these, whom its rules shut out.
fn of(lists: &[ListRules], shuts: &[(&str, Shuts)]) -> Settings {
    let shuts = shuts.iter().map(|(list, shuts)| ((*list).to_owned(), shuts.clone()));
    let mut rules = rules(lists);
    rules.shuts = shuts.collect();
    settings(rules)
}

/// Ports that members cannot reach, and ports that others cannot.
fn shuts(members: &[RangeInclusive<u16>], others: &[RangeInclusive<u16>]) -> Shuts {
    Shuts { members: members.to_vec(), others: others.to_vec() }
}

/// A list `drop` of feed `a`, and somebody who is connected.
fn desk() -> Desk {
    let files = FILES.map(|(name, number)| (name, net(number)));
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    let mut desk = Desk::with(of(&[list("drop", &["a"], &[])], &[]), &files);
    let address = ADMIN.parse().expect("an address");
    desk.peers = vec![Peer { address, port: 22, connection: 1, named: None }];
    desk
}

/// Whether this configuration is refused for the one who is connected, as a
/// member of which list or as none.
#[track_caller]
fn check(settings: &Settings, want: Option<(&str, bool)>) -> Desk {
    let mut desk = desk();
    let word = desk.propose(settings);
    desk.settle();
    let answer = desk.configured(word).expect("it is decided");
    match want {
        None => assert_eq!(answer, Ok(())),
        Some((list, is_member)) => {
            let slips = answer.expect_err("it is refused");
            let [slip] = &slips[..] else { panic!("{slips:?}") };
            let (address, who) = (ADMIN.parse().expect("an address"), Who::Peer(22));
            assert_eq!(slip.kind, SlipKind::ShutsOut { address, who, is_member });
            assert_eq!(slip.list, list);
            desk.rests_with("drop", &nets(&[1]));
        }
    }
    desk
}

#[test]
fn a_feed_that_a_list_takes_in_anew_is_judged_as_one_that_changes() {
    let both = || list("drop", &["a", "b"], &[]);
    check(&of(&[both()], &[]), Some(("drop", true)));
    check(&of(&[list("drop", &["a", "b"], &[ADMIN])], &[]), None);
    check(&of(&[list("drop", &["a"], &[]), list("more", &["b"], &[])], &[]), Some(("more", true)));
    check(&of(&[both()], &[("drop", shuts(&[80..=80], &[]))]), None);
}

#[test]
fn a_rule_that_lets_only_others_in_is_refused_until_it_lets_who_is_there_in() {
    let office = |feeds: &[&str]| [list("drop", &["a"], &[]), list("office", feeds, &[])];
    let only = |ports: RangeInclusive<u16>| ("office", shuts(&[], &[ports]));
    check(&of(&office(&["a"]), &[only(22..=22)]), Some(("office", false)));
    check(&of(&office(&["a"]), &[only(80..=80)]), None);
    check(&of(&office(&["b"]), &[only(22..=22)]), None);
}

#[test]
fn a_list_that_shuts_nobody_out_so_far_is_judged_when_a_rule_asks_it() {
    let lists = [list("drop", &["a"], &[]), list("more", &["b"], &[])];
    let harmless = of(&lists, &[("more", shuts(&[443..=443], &[]))]);
    let mut desk = check(&harmless, None);
    let word = desk.propose(&of(&lists, &[("more", shuts(&[0..=u16::MAX], &[]))]));
    desk.settle();
    assert!(desk.configured(word).expect("it is decided").is_err());
    // Who is shut out already is not newly so.
    desk.peers.clear();
    let word = desk.propose(&of(&lists, &[]));
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    let address = ADMIN.parse().expect("an address");
    desk.peers = vec![Peer { address, port: 22, connection: 2, named: None }];
    // Of a list that nobody's rule asks so far nobody is shut out.
    let ruled = of(&lists, &[("more", shuts(&[22..=22], &[]))]);
    let word = desk.propose(&ruled);
    desk.settle();
    assert!(desk.configured(word).expect("it is decided").is_err());
    let set = desk.set("more", Family::Ipv4);
    desk.host.refer(&set, 1);
    desk.pass(10);
    let word = desk.propose(&ruled);
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
}

#[test]
fn a_person_lets_it_through() {
    let settings = of(&[list("drop", &["a", "b"], &[])], &[]);
    let mut desk = check(&settings, Some(("drop", true)));
    let word = desk.insist(&settings);
    desk.settle();
    assert_eq!(desk.configured(word), Some(Ok(())));
    desk.rests_with("drop", &nets(&[1, 2]));
}
