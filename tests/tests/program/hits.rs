//! Hits: what rules count, what feeds have in common, and what is said of it.

use std::ffi::OsStr;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::Members;
use lab::namespace::isolated;
use lab::packets::{Fate, Probe};
use lab::program::run;
use lab::wire::{PEER_V4, PEER_V6, Wire};
use lab::witness::succeed;
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
        let mut probe = Probe::over(&wire);
        let mut hit = || {
            for peer in [PEER_V4.into(), PEER_V6.into()] {
                assert_eq!(probe.fate(peer), Fate::Dropped, "{peer}");
            }
        };
        let host = Host::with(&with(&format!("{LIST}{RULE}")));
        host.feed("list.txt", Members::of(&format!("{PEER_V4} {PEER_V6}")).feed());
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
