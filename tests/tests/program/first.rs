//! The first time that a rule comes into force, at a start or by `apply`: who is
//! at work on the host stays, until a person says so, and what was in force
//! before a boot comes back without a word.

use std::net::IpAddr;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::session::{Session, SessionServer};
use lab::wire::{FREE_V4, FREE_V6, PEER_V4, PEER_V6, Wire};
use lab::witness::{ipset, members, names, succeed};

/// Port 22 for the members of one list, and a rule that has nothing to do with
/// it.
const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"drop.txt\"]\n\
                      [[rule]]\nlist = \"drop\"\nudp-ports = [\"1-65535\"]\n\
                      [[list]]\nname = \"office\"\nfeeds = [\"office.txt\"]\n\
                      [[rule]]\nlist = \"office\"\nverdict = \"allow-only\"\ntcp-ports = [22]\n";

/// What a person says to it.
const WORD: &str = "accept --config";

fn host() -> Host {
    let daemon = "settle-ms = 20\nprobe-seconds = 1\non-stop = \"keep\"".into();
    let host = Host::with(&Config { daemon, tables: TABLES.to_owned(), ..Config::default() });
    host.feed("drop.txt", SortedPrefixes::of(&format!("{FREE_V4} {FREE_V6}")).feed());
    host.feed("office.txt", "198.51.100.7\n2001:db8:7::7\n");
    host
}

/// Two people at work, who are in no list.
fn people(wire: &Wire, server: &SessionServer) -> [Session; 2] {
    [PEER_V4.into(), PEER_V6.into()].map(|from: IpAddr| server.let_in(wire, from))
}

fn has_rule() -> [bool; 2] {
    let rules = succeed("nft", &["list", "ruleset"]);
    ["tcp dport 22", "udp dport"].map(|ports| rules.contains(ports))
}

/// What a boot leaves of the kernel's state.
fn boot() {
    succeed("nft", &["flush", "ruleset"]);
    for set in names() {
        ipset(&format!("destroy {set}"));
    }
}

#[test]
fn a_first_start_shuts_nobody_out_who_is_at_work_and_a_boot_puts_back_what_was_there() {
    isolated(|| {
        let wire = Wire::new();
        let server = SessionServer::at(22);
        let mut sessions = people(&wire, &server);
        let host = host();
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("would shut somebody out");
        for address in ["192.0.2.3", "2001:db8:1::3"] {
            let held = ["WARN", "list office is held", address, "connected to port 22", WORD];
            daemon.wait_logged(&held);
        }
        daemon.until("the other rule in place", |_| has_rule() == [false, true]);
        let status = daemon.status();
        assert_eq!(status["in-sync"], false, "{status:#}");
        assert!(status["degraded"].to_string().contains(WORD), "{status:#}");
        assert!(sessions.iter_mut().all(Session::is_alive));
        members("denyset-office-v4").expect(&SortedPrefixes::of("198.51.100.7"));
        host.denyset("reload").exits(0);
        assert_eq!(has_rule(), [false, true], "to ask for the same again is no word");
        host.denyset(WORD).exits(0);
        daemon.until("all rules in place", |status| status["in-sync"] == true);
        assert_eq!(has_rule(), [true, true]);
        assert!(!sessions.iter_mut().any(Session::is_alive), "by a person's word");
        daemon.stop();
        // Their connections stand for a while, and count for nothing now.
        boot();
        let daemon = Daemon::start(&host);
        daemon.until("all rules in place", |status| status["in-sync"] == true);
        assert_eq!(has_rule(), [true, true]);
        daemon.stop();
    });
}

#[test]
fn what_a_kill_has_left_in_force_is_taken_over_without_a_word() {
    isolated(|| {
        let wire = Wire::new();
        let server = SessionServer::at(22);
        let host = host();
        let daemon = Daemon::start(&host);
        daemon.until("all rules in place", |status| status["in-sync"] == true);
        daemon.kill();
        // Nothing but the kernel tells what was in force.
        std::fs::remove_dir_all(host.state().join("boot")).expect("it was there");
        assert!(!server.lets_in(&wire, PEER_V4.into(), false));
        let daemon = Daemon::start(&host);
        daemon.until("all rules in place", |status| status["in-sync"] == true);
        daemon.stop();
    });
}

#[test]
fn a_first_apply_shuts_nobody_out_and_takes_the_word_with_no_daemon() {
    isolated(|| {
        let wire = Wire::new();
        let server = SessionServer::at(22);
        let mut sessions = people(&wire, &server);
        let host = host();
        let apply = host.denyset("apply");
        assert_ne!(apply.code, 0, "{apply:?}");
        let told = format!("{apply:?}");
        for want in ["192.0.2.3, connected to port 22", "2001:db8:1::3", "denyset accept --config"]
        {
            assert!(told.contains(want), "{want}: {told}");
        }
        assert_eq!(has_rule(), [false, true]);
        assert!(sessions.iter_mut().all(Session::is_alive));
        host.denyset(WORD).exits(0);
        assert_eq!(has_rule(), [true, true]);
        assert!(!sessions.iter_mut().any(Session::is_alive));
        host.denyset(WORD).exits(2).complains(&["nothing"]);
        boot();
        host.denyset("apply").exits(0);
        assert_eq!(has_rule(), [true, true]);
    });
}

#[test]
fn a_client_who_is_at_work_stays_when_his_file_goes() {
    isolated(|| {
        let wire = Wire::new();
        let server = SessionServer::at(22);
        let daemon = "settle-ms = 20\nwithdraw-seconds = 1".into();
        let tables = "[[list]]\nname = \"office\"\nfeeds = [\"*\"]\n\
                      [[rule]]\nlist = \"office\"\nverdict = \"allow-only\"\ntcp-ports = [22]\n";
        let config = Config { daemon, tables: tables.to_owned(), ..Config::default() };
        let host = Host::with(&config);
        for (name, address) in [("a", "198.51.100.7"), ("b", "2001:db8:7::7"), ("c", "192.0.2.3")] {
            host.feed(name, format!("{address}\n"));
        }
        let daemon = Daemon::start(&host);
        daemon.until_members("denyset-office-v4", 2);
        let mut session = server.let_in(&wire, PEER_V4.into());
        host.remove_feed("c");
        daemon
            .until("held", |status| status["degraded"].to_string().contains("192.0.2.3, connect"));
        assert!(session.is_alive());
        members("denyset-office-v4").expect(&SortedPrefixes::of("198.51.100.7 192.0.2.3"));
        host.denyset(WORD).exits(0);
        daemon.until_members("denyset-office-v4", 1);
        assert!(!session.is_alive());
        daemon.stop();
    });
}
