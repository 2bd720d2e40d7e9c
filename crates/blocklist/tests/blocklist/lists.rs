//! Lists: what they consist of, that allow and protection win, and that the
//! explanation says the same as the composition.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use blocklist::{
    Allow, AllowedBy, AnyPrefix, Explanation, FeedName, Format, Glob, Limits, List, Operands,
    Prefix, Prefixes, Protect, Protection, compose, explain, parse,
};
use proptest::collection::vec;
use proptest::prelude::*;

type Feeds = BTreeMap<FeedName, Arc<Prefixes>>;

fn feeds(texts: &[(&str, &str)]) -> Feeds {
    let read = |text: &str| parse(text.as_bytes(), Format::Plain, &Limits::default()).prefixes;
    let name = |name: &str| FeedName::new(name).expect("a good name");
    texts.iter().map(|&(feed, text)| (name(feed), Arc::new(read(text)))).collect()
}

fn globs(texts: &[&str]) -> Vec<Glob> {
    texts.iter().map(|text| Glob::new(text).expect("a good glob")).collect()
}

fn list(deny: &[&str], allow: &[&str], protect: &[Protect]) -> List {
    let allow = allow.iter().map(|text| match text.parse::<AnyPrefix>() {
        Ok(prefix) => Allow::Prefix(prefix),
        Err(_) => Allow::Feeds(Glob::new(text).expect("a good glob")),
    });
    List {
        name: "drop".to_owned(),
        feeds: globs(deny),
        allow: allow.collect(),
        protect: protect.to_vec(),
    }
}

fn texts(prefixes: &Prefixes) -> Vec<String> {
    prefixes.iter().map(|prefix| prefix.to_string()).collect()
}

/// The members and what was protected.
fn check(list: &List, feeds: &Feeds, members: &[&str], protected: &[&str]) {
    let composition = compose(list, feeds, &Protection::default().of(&list.protect));
    assert_eq!(texts(&composition.members), members);
    assert_eq!(texts(&composition.protected), protected);
}

#[test]
fn a_list_is_the_union_of_its_feeds_without_what_is_covered() {
    let feeds = feeds(&[
        ("a.netset", "192.0.2.0/24\n198.51.100.7\n"),
        ("b.netset", "192.0.2.9\n198.51.100.6\n2001:db8::/32\n"),
        ("c.txt", "203.0.113.1\n"),
    ]);
    let members = ["192.0.2.0/24", "198.51.100.6", "198.51.100.7", "2001:db8::/32"];
    check(&list(&["*.netset"], &[], &[]), &feeds, &members, &[]);
    check(&list(&["nothing*"], &[], &[]), &feeds, &[], &[]);
}

#[test]
fn allow_wins_over_every_feed() {
    let feeds = feeds(&[
        ("drop", "192.0.2.0/30\n198.51.100.7\n203.0.113.0/31\n"),
        ("allow/office", "192.0.2.1\n198.51.100.0/24\n"),
    ]);
    let list = list(&["**"], &["allow/*", "203.0.113.1"], &[]);
    check(&list, &feeds, &["192.0.2.0", "192.0.2.2/31", "203.0.113.0"], &[]);
}

#[test]
fn protection_is_taken_out_and_reported() {
    let feeds = feeds(&[("level1", "10.0.0.0/8\n192.0.2.1\n224.0.0.0/3\nfe80::1\n::1\n")]);
    let list = list(&["level1"], &["10.1.0.0/16"], &[Protect::Private, Protect::Multicast]);
    let protection = Protection::default();
    let composition = compose(&list, &feeds, &protection.of(&list.protect));
    assert_eq!(texts(&composition.members), ["192.0.2.1", "240.0.0.0/4", "::1", "fe80::1"]);
    // What was allowed was not there any more to be protected.
    assert!(!composition.protected.contains([10, 1, 2, 3].into()));
    assert!(composition.protected.contains([10, 2, 2, 3].into()));
    assert!(composition.protected.contains([224, 0, 0, 1].into()));
}

#[test]
fn protection_knows_this_host_only_from_outside() {
    let mut protection = Protection::default();
    assert!(protection.of(&[Protect::Own, Protect::Gateways, Protect::Resolvers]).is_empty());
    let own: [IpAddr; 2] = [[192, 0, 2, 9].into(), [0, 0, 0, 0, 0, 0xffff, 0xc000, 0x20a].into()];
    protection.set(Protect::Own, own);
    assert_eq!(texts(&protection.of(&[Protect::Own])), ["192.0.2.9", "192.0.2.10"]);
    protection.set(Protect::Own, []);
    assert!(protection.of(&[Protect::Own]).is_empty());
    protection.set(Protect::Private, [[198, 51, 100, 1].into()]);
    assert!(protection.of(&[Protect::Private]).contains([10, 0, 0, 1].into()));
}

#[test]
fn the_fixed_prefixes_are_those_of_their_rfcs() {
    let check = |category: Protect, want: &[&str]| {
        assert_eq!(texts(&category.fixed_prefixes()), want, "{category}");
        assert_eq!(category.name().parse(), Ok(category));
    };
    check(Protect::Unspecified, &["0.0.0.0/8", "::"]);
    check(Protect::Loopback, &["127.0.0.0/8", "::1"]);
    check(Protect::LinkLocal, &["169.254.0.0/16", "fe80::/10"]);
    check(Protect::Multicast, &["224.0.0.0/4", "ff00::/8"]);
    check(Protect::Private, &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]);
    check(Protect::Own, &[]);
    check(Protect::Gateways, &[]);
    check(Protect::Resolvers, &[]);
    assert!("Private".parse::<Protect>().is_err());
}

/// The explanation in one line.
fn said(list: &List, feeds: &Feeds, address: &str) -> String {
    let address = address.parse().expect("an address");
    let matches = |all: &[blocklist::Match]| {
        let all = all.iter().map(|each| format!("{} {}", each.feed, each.prefix));
        all.collect::<Vec<_>>().join(", ")
    };
    match explain(list, feeds, &Protection::default(), address) {
        Explanation::Blocked { by } => format!("blocked by {}", matches(&by)),
        Explanation::Unlisted => "unlisted".to_owned(),
        Explanation::Allowed { by, over } => {
            let by = match by {
                AllowedBy::Literal(prefix) => prefix.to_string(),
                AllowedBy::Feed(each) => matches(&[each]),
                AllowedBy::Protect { category, prefix } => format!("{category} {prefix}"),
            };
            format!("allowed by {by} over {}", matches(&over))
        }
    }
}

#[test]
fn an_explanation_names_everything_that_had_a_say() {
    let feeds = feeds(&[
        ("a", "192.0.2.0/24\n192.0.2.1\n10.0.0.0/8\n"),
        ("allow/x", "192.0.2.2\n198.51.100.1\n"),
        ("b", "192.0.2.1-192.0.2.3\n2001:db8::/32\n"),
        ("other", "203.0.113.1\n"),
    ]);
    let list = list(&["?"], &["allow/*", "192.0.2.3", "2001:db8::/64"], &[Protect::Private]);
    let check = |address: &str, want: &str| assert_eq!(said(&list, &feeds, address), want);
    check("192.0.2.1", "blocked by a 192.0.2.0/24, a 192.0.2.1, b 192.0.2.1");
    check("::ffff:192.0.2.9", "blocked by a 192.0.2.0/24");
    check("192.0.2.2", "allowed by allow/x 192.0.2.2 over a 192.0.2.0/24, b 192.0.2.2/31");
    check("192.0.2.3", "allowed by 192.0.2.3 over a 192.0.2.0/24, b 192.0.2.2/31");
    check("10.1.2.3", "allowed by private 10.0.0.0/8 over a 10.0.0.0/8");
    check("198.51.100.1", "allowed by allow/x 198.51.100.1 over ");
    check("2001:db8::1", "allowed by 2001:db8::/64 over b 2001:db8::/32");
    check("2001:db8:1::1", "blocked by b 2001:db8::/32");
    check("203.0.113.1", "unlisted");
    check("2001:db9::", "unlisted");
}

fn lines() -> impl Strategy<Value = String> {
    vec("10\\.0\\.0\\.[0-9]{1,2}(/3[0-2]|/2[0-9]|)\n|2001:db8::[0-9a-f](/12[0-8]|)\n", 0..12)
        .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn the_explanation_says_what_the_composition_does(
        one in lines(), two in lines(), allowed in lines(), literal in 0..100_u8,
    ) {
        let feeds = feeds(&[("a", &one), ("b", &two), ("allow/x", &allowed)]);
        let list = list(&["?"], &["allow/*", &format!("10.0.0.{literal}")], &[Protect::Own]);
        let mut protection = Protection::default();
        protection.set(Protect::Own, [[10, 0, 0, 7].into()]);
        let members = compose(&list, &feeds, &protection.of(&list.protect)).members;
        let ipv4 = (0..=255_u8).map(|last| IpAddr::from([10, 0, 0, last]));
        let ipv6 = (0..32_u16).map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
        for address in ipv4.chain(ipv6) {
            let explanation = explain(&list, &feeds, &protection, address);
            let blocked = matches!(explanation, Explanation::Blocked { .. });
            prop_assert_eq!(blocked, members.contains(address), "{} {:?}", address, explanation);
        }
    }
}

/// A feed of prefixes that lie inside each other often.
fn nested() -> impl Strategy<Value = BTreeMap<FeedName, Arc<Prefixes>>> {
    let bits = prop_oneof![0..1_024_u32, 0..65_536_u32];
    let length = prop_oneof![22..=32_u8, Just(32)];
    let prefix = (bits, length, any::<bool>()).prop_map(|(bits, length, is_v6)| {
        if is_v6 {
            AnyPrefix::V6(Prefix::containing(u128::from(bits) << 96, length))
        } else {
            AnyPrefix::V4(Prefix::containing(bits, length))
        }
    });
    let feed = vec(prefix, 0..300).prop_map(|prefixes| Arc::new(prefixes.into_iter().collect()));
    let names = ["a", "b", "c", "allowed"].map(|name| FeedName::new(name).expect("a good name"));
    vec(feed, 4).prop_map(move |feeds| names.clone().into_iter().zip(feeds).collect())
}

/// Some prefixes more, or some fewer.
fn changed(feeds: &Feeds, feed: usize, other: &Prefixes, comes: bool) -> Feeds {
    let mut changed = feeds.clone();
    let place = changed.values_mut().nth(feed).expect("there are as many");
    let few: Prefixes = other.iter().take(3).collect();
    let more = Prefixes::union([&**place, &few]);
    let fewer = place.iter().skip(2).collect::<Prefixes>().difference(&few);
    *place = Arc::new(if comes { more } else { fewer });
    changed
}

proptest! {
    #[test]
    fn a_list_computed_by_what_has_changed_is_the_list(
        feeds in nested(),
        others in nested(),
        feed in 0..4_usize,
        comes in any::<bool>(),
        protect in vec(0..1_024_u32, 0..4),
    ) {
        let host = |bits: u32| AnyPrefix::V4(Prefix::host(bits));
        let protect: Prefixes = protect.into_iter().map(host).collect();
        let list = list(&["?"], &["allowed", "0.0.3.0/29"], &[]);
        let other = others.values().next().expect("there are four");
        let later = changed(&feeds, feed, other, comes);
        let [then, now] = [&feeds, &later].map(|feeds| Operands::of(&list, feeds, &protect));
        let before = then.compose();
        prop_assert_eq!(&now.compose_after(&then, &before), &now.compose());
        let never = Operands::of(&list, &others, &protect);
        prop_assert_eq!(never.compose_after(&then, &before), never.compose());
    }
}
