//! Somebody means harm to the rules, or the machine goes wrong at the worst
//! moment: they are there in the end, and nothing is left open meanwhile that
//! need not be.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::kills::in_force;
use lab::namespace::isolated;
use lab::packets::{Fate, PacketProbe};
use lab::trace::Trace;
use lab::versions::Versions;
use lab::wire::{PEER_V4, PEER_V6, Wire};
use lab::witness::{ip, succeed};
use serde_json::Value;

const LIST: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
const RULE: &str = "[[rule]]\nlist = \"drop\"\n";

/// Probes are off: only what is told brings rules back.
fn with(tables: &str) -> Config {
    let daemon = "settle-ms = 20\nprobe-seconds = 3600\non-stop = \"keep\"".into();
    Config { daemon, tables: tables.to_owned(), ..Config::default() }
}

fn nft(line: &str) -> String {
    succeed("nft", &line.split_whitespace().collect::<Vec<_>>())
}

fn until_in_place(daemon: &Daemon<'_>) {
    daemon.until("in place", |status| {
        let rules = status["rules"].as_array();
        status["in-sync"] == true
            && rules.is_some_and(|rules| rules.iter().all(|rule| rule["in-place"] == true))
    });
}

/// How many of our tables there are.
fn tables() -> usize {
    nft("list tables").matches(" denyset").count()
}

#[test]
fn whoever_flushes_without_end_while_a_list_changes_is_outlasted() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let mut versions = Versions::new(RandomNumbers::seeded(5), 20_000);
        let host = Host::with(&with(&format!("{LIST}{RULE}")));
        host.feed("list.txt", versions.feed());
        let daemon = Daemon::start(&host);
        until_in_place(&daemon);
        let before = daemon.log().len();
        let over = AtomicBool::new(false);
        let flushes = thread::scope(|scope| {
            // The same namespace: it belongs to the thread that made it.
            let flusher = scope.spawn(|| {
                let mut flushes = 0;
                while !over.load(Ordering::Relaxed) {
                    nft("flush ruleset");
                    flushes += 1;
                }
                flushes
            });
            for percent in [60, 1, 60, 1, 60] {
                versions.change(percent);
                host.feed("list.txt", versions.feed());
                for (set, count) in lab::kills::SETS.into_iter().zip(versions.counts()) {
                    daemon.until("the members", |status| members_of(status, set) == count as u64);
                }
            }
            over.store(true, Ordering::Relaxed);
            flusher.join().expect("it ends when told")
        });
        let begun = Instant::now();
        let listed = versions.listed();
        while listed.iter().any(|&source| probe.fate(source) == Fate::Delivered) {
            assert!(begun.elapsed() < Duration::from_secs(3), "packets go on arriving");
        }
        println!("{flushes} flushes; blocked again {:?} after the last", begun.elapsed());
        until_in_place(&daemon);
        in_force(&daemon, &versions);
        let lines = daemon.log().len() - before;
        assert!(flushes > 10 && lines < 20 * flushes + 100, "{lines} lines for {flushes} flushes");
        daemon.stop();
    });
}

fn members_of(status: &Value, set: &str) -> u64 {
    let sets = status["sets"].as_array().into_iter().flatten();
    let found = sets.into_iter().find(|found| found["set"] == set);
    found.and_then(|found| found["members"].as_u64()).unwrap_or_default()
}

#[test]
fn a_kill_between_the_two_families_leaves_one_and_the_next_start_puts_the_other() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = Host::with(&with(LIST));
        host.feed("list.txt", format!("{PEER_V4}\n{PEER_V6}\n"));
        let daemon = Daemon::start(&host);
        host.configure(&with(&format!("{LIST}{RULE}")));
        let trace = Trace::attach(daemon.pid(), "kernel", "sendto", "delay_enter=150ms");
        daemon.signal(rustix::process::Signal::HUP);
        let deadline = Instant::now() + Duration::from_secs(30);
        while tables() == 0 {
            assert!(Instant::now() < deadline, "no table: {}", trace.text());
        }
        daemon.kill();
        drop(trace);
        assert_eq!(tables(), 1, "one family each is one transaction");
        let fates = [PEER_V4.into(), PEER_V6.into()].map(|from: IpAddr| probe.fate(from));
        assert_ne!(fates[0], fates[1], "{fates:?}");
        let daemon = Daemon::start(&host);
        until_in_place(&daemon);
        for from in [IpAddr::from(PEER_V4), PEER_V6.into()] {
            assert_eq!(probe.fate(from), Fate::Dropped, "{from}");
        }
        daemon.stop();
    });
}

#[test]
fn what_is_told_and_gets_lost_is_looked_for() {
    isolated(|| {
        let host = Host::with(&with(&format!("{LIST}{RULE}")));
        host.feed("list.txt", format!("{PEER_V4}\n"));
        let daemon = Daemon::start(&host);
        until_in_place(&daemon);
        // The kernel had no room for what it had to say.
        let trace = Trace::attach(daemon.pid(), "rules", "recvfrom", "error=ENOBUFS:when=1");
        nft("flush ruleset");
        trace.wait(0, "INJECTED");
        until_in_place(&daemon);
        let deadline = Instant::now() + Duration::from_secs(10);
        while tables() < 2 {
            assert!(Instant::now() < deadline, "not put again: {}", trace.text());
        }
        drop(trace);
        // And it still hears.
        nft("delete table ip6 denyset");
        while tables() < 2 {
            assert!(Instant::now() < deadline, "not put again");
        }
        daemon.stop();
    });
}

#[test]
fn a_rule_for_an_interface_that_has_another_name_now_is_told_of() {
    isolated(|| {
        let wire = Wire::new();
        let host = Host::with(&with(&format!("{LIST}{RULE}interfaces = [\"wire0\"]\n")));
        host.feed("list.txt", format!("{PEER_V4}\n"));
        let check = |document: &Value, want: bool| {
            let told = document["warnings"].to_string();
            assert_eq!(told.contains("not there"), want, "{document:#}");
        };
        check(&host.denyset_json("check").json(), false);
        for line in ["link set wire0 down", "link set wire0 name uplink", "link set uplink up"] {
            ip(line);
        }
        let document = host.denyset_json("check").json();
        check(&document, true);
        assert!(document["warnings"].to_string().contains("lo, uplink"), "{document:#}");
        let daemon = Daemon::start(&host);
        daemon.until("told", |status| status["warnings"].to_string().contains("not there"));
        daemon.stop();
        drop(wire);
    });
}

#[test]
fn ten_thousand_rules_are_refused_with_their_number() {
    isolated(|| {
        let host = Host::with(&with(&format!("{LIST}{}", RULE.repeat(10_000))));
        host.denyset("check").exits(78).complains(&["10000", "rule"]);
        assert_eq!(nft("list ruleset"), "");
    });
}
