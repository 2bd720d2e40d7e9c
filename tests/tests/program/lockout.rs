//! Nobody is locked out who is at work on the host, whatever a feed or the
//! configuration says, until a person says so.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::session::{Session, SessionServer};
use lab::trace::Trace;
use lab::wire::{FREE_V4, FREE_V6, PEER_V4, PEER_V6, Wire};
use lab::witness::{ip, ipset, members, names};

use serde_json::Value;

use crate::{V4, V6};

const LIST: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";
const RULE: &str = "[[rule]]\nlist = \"drop\"\n";
/// Only who is in the list reaches port 22.
const ONLY: &str = "verdict = \"allow-only\"\ntcp-ports = [22]\n";

/// Feeds of few lines may grow as they like.
fn with(guard: &str, tables: &str) -> Config {
    let guard = format!("growth-percent-max = 1000000\n{guard}");
    Config { guard, tables: tables.to_owned(), ..Config::default() }
}

/// What is in force before anybody is listed.
fn harmless() -> SortedPrefixes {
    SortedPrefixes::of("45.9.8.7 45.9.8.8 2a01:4f8::7")
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
        let server = SessionServer::at(22);
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

#[test]
fn a_reload_that_would_lock_out_who_is_at_work_is_refused_with_the_place() {
    isolated(|| {
        let wire = Wire::new();
        let server = SessionServer::at(22);
        let drop = "[[list]]\nname = \"drop\"\nfeeds = [\"list.txt\"]\n";
        let web = "[[list]]\nname = \"web\"\nfeeds = [\"more.txt\"]\n[[rule]]\nlist = \"web\"\n";
        let host = Host::with(&with("", &format!("{drop}{RULE}{web}tcp-ports = [80]\n")));
        host.feed("list.txt", harmless().feed());
        host.feed("more.txt", format!("{PEER_V4}\n{PEER_V6}\n"));
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        let mut sessions =
            [PEER_V4.into(), PEER_V6.into()].map(|address: IpAddr| server.let_in(&wire, address));
        for (tables, want) in [
            (
                format!("{drop}{RULE}{web}name = \"ssh\"\n{ONLY}").replace("more.txt", "list.txt"),
                "would be shut out, for it is not in list web",
            ),
            (format!("{LIST}{RULE}{web}tcp-ports = [80]\n"), "would be blocked by list drop"),
            (format!("{drop}{RULE}{web}"), "would be blocked by list web"),
        ] {
            host.configure(&with("", &tables));
            let reload = host.denyset("reload");
            assert_eq!(reload.code, 78, "{reload:?}");
            for address in ["192.0.2.3", "2001:db8:1::3"] {
                reload.complains(&[address, "connected to port 22", want, "denyset.toml:"]);
            }
            reload.complains(&["denyset accept --config"]);
            assert!(sessions.iter_mut().all(Session::is_alive), "{tables}");
        }
        host.denyset("accept --config").exits(0);
        assert!(!sessions.iter_mut().any(Session::is_alive), "by a person's word");
        daemon.stop();
    });
}

#[test]
fn only_the_ports_that_are_named_are_asked_and_none_if_there_are_none() {
    isolated(|| {
        let wire = Wire::new();
        let host = Host::with(&with("protect-peers = [2222]", &format!("{LIST}{RULE}")));
        host.feed("list.txt", harmless().feed());
        let daemon = Daemon::start(&host);
        let sessions = [(22, FREE_V4.into()), (2222, PEER_V4.into()), (2222, FREE_V6.into())];
        let servers = [22, 2222].map(SessionServer::at);
        let _held = sessions.map(|(port, from): (u16, IpAddr)| {
            servers[usize::from(port != 22)].let_in(&wire, from)
        });
        host.feed("list.txt", listing(&PEER_V4.to_string()));
        let feed = daemon.until_feed("list.txt", "refused");
        let refused = feed["refused"].as_str().unwrap_or_default();
        assert!(refused.contains("192.0.2.3, connected to port 2222"), "{refused}");
        host.feed("list.txt", listing(&FREE_V4.to_string()));
        daemon.until_members(V4, 3);
        host.configure(&with("protect-peers = []", &format!("{LIST}{RULE}")));
        host.denyset("reload").exits(0);
        host.feed("list.txt", listing(&PEER_V4.to_string()));
        daemon.until("blocked", |_| members(V4).feed().contains("192.0.2.3"));
        daemon.stop();
    });
}

#[test]
fn a_gateway_that_nothing_protects_is_not_cut_off_without_a_word() {
    isolated(|| {
        let wire = Wire::new();
        ip("route replace default via 192.0.2.2");
        ip("route replace default via 2001:db8:1::2");
        let list = format!("{LIST}protect = [\"loopback\"]\n{RULE}");
        let host = Host::with(&with("", &list));
        host.feed("list.txt", harmless().feed());
        let daemon = Daemon::start(&host);
        for gateway in [IpAddr::from(FREE_V4), FREE_V6.into()] {
            host.feed("list.txt", listing(&gateway.to_string()));
            daemon.until("refused", |status| {
                let refused = status["feeds"][0]["refused"].as_str().unwrap_or_default();
                refused.contains(&format!("{gateway}, a default gateway, would be"))
            });
        }
        host.denyset("accept list.txt").exits(0);
        daemon.until_members(V6, 2);
        daemon.stop();
        drop(wire);
    });
}

/// A configuration that blocks whoever is at work, who has no connection that
/// the guard could see: it is he who has to confirm.
fn locking_out() -> Config {
    with("protect-peers = []", &format!("{LIST}{RULE}"))
}

/// A host with nothing but a harmless list in force, and the locking
/// configuration on its disk.
fn about_to_lock_out() -> Host {
    let host = Host::with(&with("", "[[list]]\nname = \"drop\"\nfeeds = [\"list.txt\"]\n"));
    host.feed("list.txt", harmless().feed());
    host.feed("more.txt", format!("{PEER_V4}\n{PEER_V6}\n"));
    host
}

/// Waits until what locks out is in force, or is not.
#[track_caller]
fn until_locked_out(daemon: &Daemon<'_>, locked: bool) {
    daemon.until("as it was", |status| {
        let held = [V4, V6].map(|set| members(set).feed());
        let blocks = [held[0].contains("192.0.2.3"), held[1].contains("2001:db8:1::3")];
        let ruled = status["rules"].as_array().is_some_and(|rules| !rules.is_empty());
        blocks == [locked; 2] && ruled == locked && status["in-sync"] == true
    });
}

/// What the status says that is not as it should be.
fn degraded(daemon: &Daemon<'_>) -> String {
    daemon.status()["degraded"].to_string()
}

#[test]
fn what_a_reload_has_changed_returns_unless_somebody_confirms() {
    isolated(|| {
        let wire = Wire::new();
        let mut session = SessionServer::at(22).let_in(&wire, PEER_V4.into());
        let host = about_to_lock_out();
        let daemon = Daemon::start(&host);
        until_locked_out(&daemon, false);
        assert!(!host.denyset("confirm").exits(2).stderr.is_empty());
        host.configure(&locking_out());
        host.denyset("reload --confirm 1").exits(0);
        assert!(!session.is_alive(), "it locks out");
        daemon.wait_logged(&["WARN", "not confirmed in time"]);
        until_locked_out(&daemon, false);
        assert!(session.recovers(), "it was put back");
        assert!(degraded(&daemon).contains("was not confirmed in time"), "{}", degraded(&daemon));
        host.denyset("confirm").exits(2).complains(&["too late", "denyset reload"]);
        // Somebody means it.
        host.denyset("reload --confirm 600").exits(0);
        until_locked_out(&daemon, true);
        assert!(degraded(&daemon).contains("waits for `denyset confirm` until 20"));
        assert!(daemon.status()["confirm-until"].to_string().starts_with("\"20"));
        host.denyset("confirm").exits(0);
        assert_eq!(degraded(&daemon), "[]");
        assert_eq!(daemon.status()["confirm-until"], Value::Null);
        until_locked_out(&daemon, true);
        drop(daemon);
    });
}

#[test]
fn what_nobody_has_confirmed_returns_though_the_daemon_was_killed() {
    isolated(|| {
        let host = about_to_lock_out();
        let daemon = Daemon::start(&host);
        until_locked_out(&daemon, false);
        host.configure(&locking_out());
        host.denyset("reload --confirm 3").exits(0);
        daemon.kill();
        assert!(members(V4).feed().contains("192.0.2.3"), "a dead daemon opens nothing");
        let daemon = Daemon::start(&host);
        daemon.wait_logged(&["WARN", "not confirmed in time"]);
        until_locked_out(&daemon, false);
        daemon.stop();
    });
}

#[test]
fn a_start_goes_by_the_configuration_of_before_when_the_time_has_run_out() {
    isolated(|| {
        let host = about_to_lock_out();
        let daemon = Daemon::start(&host);
        until_locked_out(&daemon, false);
        host.configure(&locking_out());
        host.denyset("reload --confirm 600").exits(0);
        daemon.kill();
        // As after a boot that took longer: another boot, and a later time of day.
        let note = host.state().join("confirm/unconfirmed.json");
        run_out(&note);
        for set in [V4, V6] {
            ipset(&format!("flush {set}"));
        }
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the configuration was not confirmed in time");
        until_locked_out(&daemon, false);
        let degraded = degraded(&daemon);
        assert!(degraded.contains("`denyset reload` puts it into force"), "{degraded}");
        // It stays so over another start.
        daemon.stop();
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the configuration was not confirmed in time");
        until_locked_out(&daemon, false);
        host.denyset("reload").exits(0);
        until_locked_out(&daemon, true);
        assert!(!note.exists());
        daemon.stop();
    });
}

#[test]
fn a_boot_makes_no_sets_of_what_was_not_confirmed_in_time() {
    isolated(|| {
        let host = about_to_lock_out();
        let daemon = Daemon::start(&host);
        let tables = format!("{LIST}[[list]]\nname = \"more\"\nfeeds = [\"more.txt\"]\n");
        host.configure(&with("protect-peers = []", &tables));
        host.denyset("reload --confirm 600").exits(0);
        assert_eq!(names().len(), 4);
        daemon.kill();
        for set in names() {
            ipset(&format!("destroy {set}"));
        }
        run_out(&host.state().join("confirm/unconfirmed.json"));
        host.denyset("prepare").exits(0);
        assert_eq!(names(), [V4, V6]);
        assert!(!members(V4).feed().contains("192.0.2.3"));
    });
}

#[test]
fn a_word_on_one_change_forgets_no_other_that_comes_meanwhile() {
    isolated(|| {
        let host = about_to_lock_out();
        let daemon = Daemon::start(&host);
        let note = host.state().join("confirm/unconfirmed.json");
        host.configure(&locking_out());
        host.denyset("reload --confirm 600").exits(0);
        let trace = Trace::attach(daemon.pid(), "store", "unlink", "delay_enter=2s");
        thread::scope(|scope| {
            scope.spawn(|| drop(host.denyset("confirm").exits(0).stdout.clone()));
            trace.wait(0, "unconfirmed.json");
            host.denyset("reload --confirm 601").exits(0);
        });
        drop(trace);
        assert!(note.exists(), "the second one waits for a word");
        assert!(degraded(&daemon).contains("waits for `denyset confirm` until"));
        let trace = Trace::attach(daemon.pid(), "store", "unlink", "error=EIO");
        host.denyset("confirm").exits(2).complains(&["not confirmed", "say it again"]);
        drop(trace);
        assert!(degraded(&daemon).contains("waits for `denyset confirm` until"));
        host.denyset("confirm").exits(0);
        assert!(!note.exists());
        daemon.stop();
    });
}

#[test]
fn a_word_that_comes_too_late_sees_to_it_that_the_one_before_is_back() {
    isolated(|| {
        let host = about_to_lock_out();
        let note = host.state().join("confirm/unconfirmed.json");
        host.denyset("apply").exits(0);
        host.configure(&locking_out());
        host.denyset("apply --confirm 600").exits(0);
        until_applied(true);
        // The process that was left behind has gone with a boot, and time with it.
        run_out(&note);
        host.denyset("confirm").exits(2).complains(&["too late", "is in force again"]);
        until_applied(false);
        assert!(!note.exists());
    });
}

/// Makes a note one of another boot, whose time is over.
fn run_out(note: &Path) {
    let text = fs::read_to_string(note).expect("it stands there");
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    value["boot"] = "another".into();
    value["until"] = value["written"].clone();
    fs::write(note, value.to_string()).expect("written");
}

/// Waits until what locks out is in force, with no daemon to ask.
#[track_caller]
fn until_applied(locked: bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while members(V4).feed().contains("192.0.2.3") != locked {
        assert!(Instant::now() < deadline, "never {locked}");
    }
}

#[test]
fn what_apply_has_changed_returns_though_it_was_killed() {
    isolated(|| {
        let wire = Wire::new();
        let mut session = SessionServer::at(22).let_in(&wire, PEER_V6.into());
        let host = about_to_lock_out();
        host.denyset("apply").exits(0);
        assert!(session.is_alive());
        host.configure(&locking_out());
        let mut apply = lab::program::command()
            .args(["apply", "--confirm", "2", "--config"])
            .arg(host.config())
            .stdout(Stdio::null())
            .spawn()
            .expect("it can be started");
        until_applied(true);
        // It may have ended by itself.
        let _ = apply.kill();
        apply.wait().expect("it was started");
        until_applied(false);
        assert!(session.recovers(), "it was put back");
        // Until somebody says otherwise it stays so.
        let again = host.denyset("apply");
        again.exits(0).complains(&["was not confirmed in time", "denyset confirm"]);
        until_applied(false);
        host.denyset("confirm").exits(2).complains(&["too late", "denyset apply"]);
        host.denyset("apply").exits(0);
        until_applied(true);
    });
}

#[test]
fn what_apply_has_changed_stays_when_somebody_confirms_and_else_the_next_one_puts_it_back() {
    isolated(|| {
        let host = about_to_lock_out();
        let note = host.state().join("confirm/unconfirmed.json");
        // Before the first configuration there was nothing, which returns.
        host.denyset("apply --confirm 600").exits(0);
        host.denyset("confirm").exits(0);
        assert!(!note.exists());
        host.denyset("apply").exits(0);
        host.configure(&locking_out());
        host.denyset("apply --confirm 600").exits(0);
        until_applied(true);
        host.denyset("apply").exits(0);
        until_applied(true);
        // The process that was left behind has gone with a boot, and time with it.
        run_out(&note);
        host.denyset("apply").exits(0).complains(&["was not confirmed in time"]);
        until_applied(false);
        host.denyset("apply --confirm 600").exits(0);
        until_applied(true);
        host.denyset("confirm").exits(0);
        host.denyset("apply").exits(0);
        until_applied(true);
    });
}
