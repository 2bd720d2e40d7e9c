//! Sets in few prefix lengths: the same addresses, whatever they are written in.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::Ipv4Addr;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::witness::{attempt, members};
use serde_json::json;

use crate::{V4, V6};

fn auto() -> Config {
    Config { kernel: "layout = \"auto\"".into(), ..Config::default() }
}

/// Single addresses that do not touch each other, and networks of lengths 25 to
/// 31, the more of each length the longer it is.
fn feed() -> String {
    let mut text = String::new();
    for host in 0..6_000_u32 {
        let _ = writeln!(text, "{}", Ipv4Addr::from(0x0900_0001 + host * 512));
        let _ = writeln!(text, "2001:db8:1::{host:x}:1");
    }
    for (number, length) in (0..400_u32).zip([31, 30, 29, 31, 30, 31, 28, 25].into_iter().cycle()) {
        let _ = writeln!(text, "{}/{length}", Ipv4Addr::from(0x0b00_0000 + number * 1_024));
        let _ = writeln!(text, "2001:db8:2:{number:x}::/{}", length + 96);
    }
    text
}

fn lengths(members: &SortedPrefixes) -> BTreeSet<u8> {
    members.iter().map(|(_, length)| length).collect()
}

/// The first and the last address of each prefix of the feed, and those beside it.
fn boundaries(feed: &SortedPrefixes) -> impl Iterator<Item = (Ipv4Addr, bool)> + '_ {
    let ipv4 = feed.iter().filter_map(|(address, length)| match address {
        std::net::IpAddr::V4(address) => Some((u32::from(address), 1_u32 << (32 - length))),
        std::net::IpAddr::V6(_) => None,
    });
    ipv4.step_by(211).flat_map(|(first, size)| {
        [(first - 1, false), (first, true), (first + size - 1, true), (first + size, false)]
            .map(|(address, held)| (Ipv4Addr::from(address), held))
    })
}

fn holds_the_same(feed: &SortedPrefixes) {
    for (address, held) in boundaries(feed) {
        let found = attempt("ipset", &["test", V4, &address.to_string()]).is_ok();
        assert_eq!(found, held, "{address}");
    }
}

#[test]
fn members_are_in_few_lengths_and_hold_the_same_addresses() {
    isolated(|| {
        let host = Host::with(&auto());
        host.feed("list.txt", feed());
        let feed = SortedPrefixes::of(&feed());
        assert_eq!(host.denyset("apply").code, 0);
        for (set, ipv4) in [(V4, true), (V6, false)] {
            let (written, own) = (members(set), feed.family(ipv4));
            assert!(lengths(&written).len() * 2 <= lengths(&own).len(), "{:?}", lengths(&written));
            assert!(written.len() > own.len() && written.len() * 4 <= own.len() * 5, "{set}");
        }
        holds_the_same(&feed);
        let plan = host.denyset_json("plan");
        assert_eq!(plan.exits(0).json()["in-sync"], json!(true));
    });
}

/// In place and in the same lengths; and as the list has it when that is asked
/// for, by a swap.
#[test]
fn an_entry_more_or_another_layout_changes_what_it_must() {
    isolated(|| {
        let host = Host::with(&auto());
        host.feed("list.txt", feed());
        let daemon = Daemon::start(&host);
        let before = members(V4);
        host.feed("list.txt", feed() + "192.0.2.0/30\n");
        daemon.until("another entry", |status| status["sets"][0]["members"] != json!(before.len()));
        let after = members(V4);
        assert!(before.without(&after).is_empty(), "a member went");
        assert_eq!(lengths(&before), lengths(&after));
        let told = host.denyset_json("status").json();
        let told = told["sets"][0]["lengths"].as_object().expect("counts").len();
        assert_eq!(told, lengths(&after).len());
        // By a reload each way.
        let all = SortedPrefixes::of(&(feed() + "192.0.2.0/30\n")).family(true);
        for (config, want) in [(Config::default(), &all), (auto(), &after)] {
            host.configure(&config);
            assert_eq!(host.denyset("reload").code, 0);
            daemon.until_members(V4, want.len());
            members(V4).expect(want);
        }
    });
}
