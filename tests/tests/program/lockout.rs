//! Nobody is locked out who is at work on the host, whatever a feed or the
//! configuration says, until a person says so.

use std::net::IpAddr;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::Members;
use lab::namespace::isolated;
use lab::session::Server;
use lab::wire::{PEER_V4, PEER_V6, Wire};
use lab::witness::members;

use crate::{V4, V6};

const LIST: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
const RULE: &str = "[[rule]]\nlist = \"drop\"\n";

/// Feeds of few lines may grow as they like.
fn with(guard: &str, tables: &str) -> Config {
    let guard = format!("growth-percent-max = 1000000\n{guard}");
    Config { guard, tables: tables.to_owned(), ..Config::default() }
}

/// What is in force before anybody is listed.
fn harmless() -> Members {
    Members::of("45.9.8.7 45.9.8.8 2a01:4f8::7")
}

/// The same, and this in the fourth line.
fn listing(prefix: &str) -> String {
    format!("45.9.8.7\n45.9.8.8\n2a01:4f8::7\n{prefix}\n")
}

/// Who comes from where, and is listed by which prefix.
fn people() -> [(IpAddr, &'static str); 2] {
    [(PEER_V4.into(), "192.0.2.3"), (PEER_V6.into(), "2001:db8:1::3")]
}

#[test]
fn a_feed_that_lists_who_is_at_work_waits_for_a_word() {
    isolated(|| {
        let wire = Wire::new();
        let server = Server::at(22);
        let host = Host::with(&with("", &format!("{LIST}{RULE}")));
        host.feed("list.txt", harmless().feed());
        let daemon = Daemon::start(&host);
        for (address, prefix) in people() {
            let mut session = server.let_in(&wire, address);
            host.feed("list.txt", listing(prefix));
            let feed = daemon.until_feed("list.txt", "refused");
            let refused = feed["refused"].as_str().unwrap_or_default();
            let want =
                format!("{address}, connected to port 22, would be blocked by list drop (line 4");
            assert!(refused.contains(&want), "{refused}");
            assert_eq!(feed["accept"], "denyset accept list.txt");
            assert!(session.is_alive());
            members(V4).expect(&harmless().family(true));
            members(V6).expect(&harmless().family(false));
            let accepted = host.denyset("accept list.txt");
            assert_eq!(accepted.code, 0, "{accepted:?}");
            assert!(!session.is_alive(), "{address} is blocked by a person's word");
            host.feed("list.txt", harmless().feed());
            daemon.until_members(V4, 2);
            daemon.until_members(V6, 1);
        }
        daemon.wait_logged(&[
            "WARN",
            "feed list.txt is refused",
            "192.0.2.3, connected to port 22",
        ]);
        daemon.wait_logged(&["WARN", "2001:db8:1::3, connected to port 22", "(protect-peers)"]);
        daemon.stop();
    });
}
