//! Hits: what rules count, what feeds have in common, and what is said of it.

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::time::Duration;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::packets::{Fate, PacketProbe};
use lab::program::run;
use lab::volley::Volley;
use lab::wire::{PEER_V4, PEER_V6, Wire};
use lab::witness::succeed;
use netfilter::Listener;
use serde_json::Value;

const LIST: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
const RULE: &str = "[[rule]]\nlist = \"drop\"\n";

fn with(tables: &str) -> Config {
    let daemon = "settle-ms = 20\nprobe-seconds = 1\non-stop = \"keep\"".into();
    Config { daemon, tables: tables.to_owned(), ..Config::default() }
}

fn nft(line: &str) -> String {
    succeed("nft", &line.split_whitespace().collect::<Vec<_>>())
}

/// The packets of each rule, in the order of the rules, if all are in place.
fn packets(status: &Value) -> Option<Vec<u64>> {
    let rules = status["rules"].as_array()?.iter();
    rules.map(|rule| rule["packets"].as_u64().filter(|_| rule["in-place"] == true)).collect()
}

/// Waits until the rules are in place and have stopped so many packets.
#[track_caller]
fn until(daemon: &Daemon<'_>, want: &[u64]) {
    daemon.until(&format!("{want:?} packets"), |status| {
        status["in-sync"] == true && packets(status).as_deref() == Some(want)
    });
}

#[test]
fn a_rule_goes_on_counting_whatever_becomes_of_it() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let mut hit = || {
            for peer in [PEER_V4.into(), PEER_V6.into()] {
                assert_eq!(probe.fate(peer), Fate::Dropped, "{peer}");
            }
        };
        let host = Host::with(&with(&format!("{LIST}{RULE}")));
        host.feed("list.txt", SortedPrefixes::of(&format!("{PEER_V4} {PEER_V6}")).feed());
        let daemon = Daemon::start(&host);
        until(&daemon, &[0, 0]);
        hit();
        until(&daemon, &[1, 1]);
        let text = host.denyset("status").stdout;
        let line = "asks denyset-drop-v4, in place, 1 packets, ";
        assert!(text.contains(line), "{text}");
        // Changed by a reload.
        host.configure(&with(&format!("{LIST}{RULE}hook = \"input\"\n")));
        assert_eq!(host.denyset("reload").code, 0);
        until(&daemon, &[1, 1]);
        hit();
        until(&daemon, &[2, 2]);
        // Known for the next look, and then taken away by somebody else.
        assert_eq!(host.denyset("resync").code, 0);
        nft("flush ruleset");
        until(&daemon, &[2, 2]);
        daemon.kill();
        hit();
        let daemon = Daemon::start(&host);
        until(&daemon, &[3, 3]);
        let bytes = daemon.status()["rules"][0]["bytes"].as_u64();
        assert!(bytes.is_some_and(|bytes| bytes >= 3 * 28), "{bytes:?}");
    });
}

#[test]
fn what_feeds_have_in_common_is_told_with_and_without_a_daemon() {
    isolated(|| {
        let host = Host::with(&with(
            "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nallow = [\"192.0.2.1\"]\n",
        ));
        host.feed("a.txt", "192.0.2.0/24\n198.51.100.0/25\n2001:db8:7::/64\n");
        host.feed("b.txt", "198.51.100.0/24\n");
        let daemon = Daemon::start(&host);
        daemon.until("in sync", |status| status["in-sync"] == true);
        let ask = || {
            let config = host.config();
            let arguments = ["hits", "--overlap", "--format", "json", "-c"].map(OsStr::new);
            let answer = run(arguments.into_iter().chain([config.as_os_str()]));
            assert_eq!(answer.code, 0, "{answer:?}");
            answer.json()
        };
        let told = ask();
        let [a, b] = [0, 1].map(|feed| &told["lists"][0]["feeds"][feed]["ipv4"]);
        assert_eq!((&a["addresses"], &a["addresses-only"]), (&"383".into(), &"255".into()));
        assert_eq!((&a["entries"], &a["entries-only"]), (&2.into(), &0.into()));
        assert_eq!((&b["addresses"], &b["addresses-only"]), (&"256".into(), &"128".into()));
        let pairs = &told["lists"][0]["pairs"];
        assert_eq!(pairs[0]["ipv4"], "128", "{told:#}");
        daemon.stop();
        assert_eq!(ask(), told);
    });
}

/// A rule of which packets are looked at.
fn sampled(sample: u32) -> String {
    format!("{LIST}{RULE}sample = {sample}\nlog = {{ rate = 10000 }}\n")
}

/// What `hits` says.
fn hits(host: &Host, options: &[&str]) -> Value {
    let config = host.config();
    let arguments = ["hits", "--format", "json"].iter().chain(options).map(OsStr::new);
    let answer = run(arguments.chain([OsStr::new("-c"), config.as_os_str()]));
    assert_eq!(answer.code, 0, "{answer:?}");
    answer.json()
}

/// Waits until `hits` says so.
#[track_caller]
fn until_hits(daemon: &Daemon<'_>, host: &Host, condition: impl Fn(&Value) -> bool) -> Value {
    let mut told = Value::Null;
    daemon.until("hits as they should be", |_| {
        told = hits(host, &[]);
        condition(&told)
    });
    told
}

/// All packets that were looked at.
fn looked_at(told: &Value) -> u64 {
    let rules = told["rules"].as_array().expect("there are rules").iter();
    rules.map(|rule| rule["samples"].as_u64().expect("a number")).sum()
}

/// All packets that were stopped since they are looked at.
fn stopped(told: &Value) -> u64 {
    let rules = told["rules"].as_array().expect("there are rules").iter();
    rules.map(|rule| rule["packets-since"].as_u64().expect("a number")).sum()
}

/// So many packets from an address that is listed.
fn send(probe: &mut PacketProbe, count: u64, source: &str) {
    let source = source.parse().expect("an address");
    for _ in 0..count {
        assert_eq!(probe.fate(source), Fate::Dropped, "{source}");
    }
}

#[test]
fn of_a_known_mix_from_twenty_feeds_every_packet_is_owed_to_whom_it_should_be() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(&sampled(1)));
        for feed in 0..20 {
            // Even ones share a network, and the last one lists IPv6 too.
            let shared = if feed % 2 == 0 { "46.0.0.0/24\n" } else { "" };
            let ipv6 = if feed == 19 { "2a01:4f8::/32\n" } else { "" };
            host.feed(
                &format!("f{feed:02}"),
                format!("# {feed}\n45.{feed}.0.0/24\n{shared}{ipv6}"),
            );
        }
        let daemon = Daemon::start(&host);
        until(&daemon, &[0, 0]);
        until_hits(&daemon, &host, |told| told["listening"] == true);
        for feed in 0..20 {
            send(&mut probe, feed + 1, &format!("45.{feed}.0.7"));
        }
        send(&mut probe, 40, "46.0.0.9");
        send(&mut probe, 10, "2a01:4f8::5");
        let total = 210 + 40 + 10;
        let told =
            until_hits(&daemon, &host, |told| looked_at(told) >= total && stopped(told) >= total);
        assert_eq!((looked_at(&told), &told["lost"]), (total, &0.into()), "{told:#}");
        for hit in told["feeds"].as_array().expect("feeds") {
            let feed: u64 = hit["feed"].as_str().expect("a name")[1..].parse().expect("a number");
            let shared = if feed.is_multiple_of(2) { 40 } else { 0 };
            let only = feed + 1 + if feed == 19 { 10 } else { 0 };
            for (key, want) in [("samples", shared + only), ("samples-only", only)] {
                assert_eq!(hit[key], want, "{key} of {hit:#}");
            }
            assert_eq!(
                (&hit["packets"], &hit["packets-only"]),
                (&(shared + only).into(), &only.into())
            );
            let share = hit["share-only"].as_f64().expect("a number");
            let exact = 100.0 * f64::from(u32::try_from(only).expect("few")) / 260.0;
            assert!((share - exact).abs() < 0.02, "{share} is not {exact}");
        }
        assert_eq!(told["feeds"].as_array().map(Vec::len), Some(20));
        let first = &told["addresses"][0];
        assert_eq!((&first["address"], &first["samples"]), (&"46.0.0.9".into(), &40.into()));
        assert_eq!(first["prefix"], "46.0.0.0/24");
        assert_eq!(first["sources"].as_array().map(Vec::len), Some(10), "{first:#}");
        let source = &first["sources"][1];
        assert_eq!((&source["feed"], &source["line"]), (&"f02".into(), &3.into()));
        assert_eq!(told["prefixes"][0]["prefix"], "46.0.0.0/24");
        let none = hits(&host, &["--rule", "none"]);
        assert_eq!(none["notes"][0], "there is no rule none");
        let one = hits(&host, &["--feed", "f19", "--top", "1"]);
        assert_eq!(one["feeds"].as_array().map(Vec::len), Some(1), "{one:#}");
        assert_eq!(one["addresses"][0]["address"], "45.19.0.7");
        let text = host.denyset("hits").stdout;
        assert!(
            text.contains("40 46.0.0.9 of drop, in 46.0.0.0/24\n  f00:3: 46.0.0.0/24"),
            "{text}"
        );
    });
}

#[test]
fn a_sample_shows_shares_within_its_error_and_the_rule_counts_every_packet() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(&sampled(4)));
        host.feed("large", "45.0.0.0/24\n");
        host.feed("small", "45.1.0.0/24\n");
        let daemon = Daemon::start(&host);
        until(&daemon, &[0, 0]);
        until_hits(&daemon, &host, |told| told["listening"] == true);
        for _ in 0..500 {
            send(&mut probe, 3, "45.0.0.1");
            send(&mut probe, 1, "45.1.0.1");
        }
        // Of 2,000 packets about 500 are looked at: ten times the standard
        // deviation of that, 19, is never seen.
        let told =
            until_hits(&daemon, &host, |told| looked_at(told) > 300 && stopped(told) == 2_000);
        daemon.pause(Duration::from_millis(600));
        let told = if looked_at(&told) < 500 { hits(&host, &[]) } else { told };
        assert!(looked_at(&told) < 700, "{told:#}");
        assert_eq!(told["rules"][0]["packets-since"], 2_000);
        let [large, small] = [&told["feeds"][0], &told["feeds"][1]];
        assert_eq!((&large["feed"], &small["feed"]), (&"large".into(), &"small".into()));
        let share = large["share"].as_f64().expect("a number");
        assert!((55.0..95.0).contains(&share), "{told:#}");
        let about = large["packets"].as_u64().expect("a number");
        assert!((1_100..1_900).contains(&about), "{told:#}");
    });
}

#[test]
fn of_a_steady_stream_one_in_a_thousand_is_looked_at() {
    isolated(|| {
        let wire = Wire::new();
        let host = Host::with(&with(&sampled(1000)));
        host.feed("list", "45.0.0.0/24\n");
        let daemon = Daemon::start(&host);
        until(&daemon, &[0, 0]);
        until_hits(&daemon, &host, |told| told["listening"] == true);
        let sources: Vec<_> = (1..=64).map(|last| Ipv4Addr::new(45, 0, 0, last)).collect();
        let volley = Volley::over(&wire, &sources);
        volley.fire(400_000);
        // About 400, and ten times the standard deviation of that is never seen.
        let told =
            until_hits(&daemon, &host, |told| looked_at(told) > 200 && stopped(told) == 400_000);
        assert!(looked_at(&told) < 600, "{told:#}");
        drop(daemon);
    });
}

#[test]
fn a_feed_that_blocks_nothing_for_thirty_days_is_told_until_it_is_hit() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(&sampled(1)));
        host.feed("idle", "45.0.0.0/24\n");
        let daemon = Daemon::start(&host);
        until(&daemon, &[0, 0]);
        daemon.stop();
        let file = host.state().join("feeds/hits.json");
        let noted =
            "{\"idle\": {\"days\": 30, \"counted\": \"2026-01-01T00:00:00Z\", \"hit\": null}}";
        std::fs::write(&file, noted).expect("written");
        let daemon = Daemon::start(&host);
        let told = until_hits(&daemon, &host, |told| told["listening"] == true);
        assert_eq!(told["idle"][0]["feed"], "idle", "{told:#}");
        until(&daemon, &[0, 0]);
        send(&mut probe, 2, "45.0.0.1");
        let told = until_hits(&daemon, &host, |told| looked_at(told) == 2);
        assert_eq!(told["idle"], Value::Array(Vec::new()), "{told:#}");
        daemon.stop();
        let noted = std::fs::read_to_string(&file).expect("it is there");
        assert!(noted.contains("\"days\":0") && !noted.contains("\"hit\":null"), "{noted}");
    });
}

#[test]
fn a_group_that_somebody_else_listens_to_is_told() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let other = Listener::open(4_217).expect("nobody listens yet");
        let host = Host::with(&with(&sampled(1)));
        host.feed("list.txt", SortedPrefixes::of(&PEER_V4.to_string()).feed());
        let daemon = Daemon::start(&host);
        until(&daemon, &[0, 0]);
        daemon.wait_logged(&["WARN", "another program listens to group 4217"]);
        let told = hits(&host, &[]);
        assert_eq!(told["listening"], false, "{told:#}");
        let note = told["notes"][0].as_str().expect("a note");
        assert!(note.contains("another program listens to group 4217"), "{note}");
        // Packets are stopped and counted all the same.
        send(&mut probe, 3, &PEER_V4.to_string());
        until(&daemon, &[3, 0]);
        drop((daemon, other));
    });
}
