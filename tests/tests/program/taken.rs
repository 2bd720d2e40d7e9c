//! What others do to our rules: the kernel tells of it, and what was taken
//! away is back before anybody looks for it. Probes are off here, so that only
//! the telling can be what brings them back.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::packets::{Fate, PacketProbe};
use lab::wire::{FREE_V4, FREE_V6, PEER_V4, PEER_V6, Wire};
use lab::witness::succeed;
use serde_json::Value;

const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n";

/// The gap that is promised, and what a busy machine may add to it.
const GAP_MAX: Duration = Duration::from_secs(3);

fn host() -> Host {
    let daemon = "settle-ms = 20\nprobe-seconds = 3600".into();
    let host = Host::with(&Config { daemon, tables: TABLES.into(), ..Config::default() });
    host.feed("list.txt", format!("{PEER_V4}\n{PEER_V6}\n"));
    host
}

fn nft(line: &str) -> String {
    succeed("nft", &line.split_whitespace().collect::<Vec<_>>())
}

/// In how many families the rules are in place.
fn families_in_place(status: &Value) -> usize {
    let rules = status["rules"].as_array();
    rules.into_iter().flatten().filter(|rule| rule["in-place"] == true).count()
}

/// How long packets from the addresses that are listed arrived.
fn gap(probe: &mut PacketProbe) -> Duration {
    let begun = Instant::now();
    for listed in [IpAddr::from(PEER_V4), PEER_V6.into()] {
        while probe.fate(listed) == Fate::Delivered {
            assert!(begun.elapsed() < GAP_MAX, "packets from {listed} go on arriving");
        }
    }
    begun.elapsed()
}

#[test]
fn what_others_take_away_of_our_rules_is_back_at_once() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let host = host();
        let mut daemon = Daemon::start(&host);
        daemon.until("in place", |status| families_in_place(status) == 2);
        let mut longest = Duration::ZERO;
        for line in [
            "flush ruleset",
            "delete table ip denyset",
            "delete table ip6 denyset",
            "flush chain ip denyset prerouting",
            "insert rule ip denyset prerouting accept",
            "insert rule ip6 denyset prerouting accept",
            "add table ip denyset { flags dormant; }",
            "add chain ip6 denyset theirs",
        ] {
            let before = daemon.log().len();
            nft(line);
            longest = longest.max(gap(&mut probe));
            daemon.wait_logged_since(before, &["WARN", "somebody else changed set", "rules"]);
            daemon.wait_logged_since(before, &["rules were put"]);
            daemon.until("in place", |status| families_in_place(status) == 2);
            for free in [IpAddr::from(FREE_V4), FREE_V6.into()] {
                assert_eq!(probe.fate(free), Fate::Delivered, "{free} after {line}");
            }
        }
        println!("the longest gap after somebody else's change: {longest:?}");
        daemon.assert_alive();
    });
}

#[test]
fn what_others_do_in_their_own_tables_is_nobodys_business() {
    isolated(|| {
        let host = host();
        let daemon = Daemon::start(&host);
        daemon.until("in place", |status| families_in_place(status) == 2);
        let before = daemon.log().len();
        for _ in 0..20 {
            nft("add table inet theirs");
            nft("add chain inet theirs input { type filter hook input priority 0; }");
            nft("delete table inet theirs");
        }
        let status = daemon.until("as before", |status| status["in-sync"] == true);
        assert_eq!(families_in_place(&status), 2);
        assert_eq!(daemon.log().len(), before, "nothing is said of it");
    });
}

#[test]
fn a_table_of_our_name_that_is_not_ours_is_left_alone_and_named() {
    isolated(|| {
        nft("add table ip denyset");
        nft("add chain ip denyset prerouting { type filter hook prerouting priority raw; }");
        let theirs = nft("list table ip denyset");
        let host = host();
        let daemon = Daemon::spawn(&host);
        daemon.wait_logged(&["WARN", "does not bear our mark"]);
        let status = daemon.until("half", |status| families_in_place(status) == 1);
        assert_eq!(status["in-sync"], false);
        assert_eq!(nft("list table ip denyset"), theirs);
        // Once it is out of the way, ours takes its place.
        nft("delete table ip denyset");
        daemon.until("in place", |status| families_in_place(status) == 2);
    });
}
