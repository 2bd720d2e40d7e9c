//! What must not move: a set that rules come to name at the last moment stays,
//! nobody hurries a kernel that refuses, and a daemon that can do nothing does
//! nothing.

use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::trace::Trace;
use lab::witness::{attempt, ipset, members, names};

use crate::{V4, good, kernel_holds};

/// The set of a second list.
const MORE: &str = "denyset-more-v4";

/// How long a call to the kernel is held up.
const LATE: &str = "delay_enter=700ms";

/// Commands to the kernel as strace prints them.
const RENAME: &str = "IPSET_CMD_RENAME";
const DELETE: &str = "IPSET_CMD_DEL";

/// A host with two lists of the same feed.
fn two_lists() -> Host {
    let tables = Config::default().tables + "\n[[list]]\nname = \"more\"\nfeeds = [\"*\"]";
    let host = Host::with(&Config { tables, ..Config::default() });
    host.feed("list.txt", good().feed());
    host
}

/// Tries to put a rule in that names the set of the second list.
fn rule() -> Result<String, String> {
    let line = "-w -A INPUT -m set --match-set denyset-more-v4 src -j DROP";
    attempt("iptables", &line.split(' ').collect::<Vec<_>>())
}

fn generation(daemon: &Daemon<'_>) -> u64 {
    daemon.status()["generation"].as_u64().expect("a number")
}

#[test]
fn to_take_a_list_out_changes_the_generation() {
    isolated(|| {
        let host = two_lists();
        let daemon = Daemon::start(&host);
        let before = generation(&daemon);
        host.configure(&Config::default());
        host.denyset("reload").exits(0);
        assert!(generation(&daemon) > before, "{}", daemon.status());
        assert_eq!(names(), [V4, crate::V6]);
        daemon.stop();
    });
}

/// The second list is taken out, and a rule comes to name its set when the
/// daemon is about to send `command` and not yet has. Whether the rule is in.
fn check_rule_at(command: &str, daemon: &mut Daemon<'_>, host: &Host) -> bool {
    let trace = Trace::attach(daemon.pid(), "kernel", "sendto", LATE);
    host.configure(&Config::default());
    daemon.signal(rustix::process::Signal::HUP);
    trace.wait(0, command);
    rule().is_ok()
}

#[test]
fn a_rule_between_the_look_and_the_end_of_a_set_keeps_the_set_and_its_members() {
    isolated(|| {
        let host = two_lists();
        let mut daemon = Daemon::start(&host);
        // Whether that is told depends on how long the rule is there.
        daemon.expect_error("rules or sets refer to it");
        assert!(check_rule_at(RENAME, &mut daemon, &host), "its name is still there");
        daemon.until("said", |status| status.to_string().contains("refer"));
        members(MORE).expect(&good().family(true));
        // It goes when the rule has gone.
        lab::witness::iptables("-F INPUT");
        daemon.until("gone", |_| names() == [V4, crate::V6]);
        kernel_holds(&good());
        daemon.assert_alive();
    });
}

#[test]
fn no_rule_can_name_a_set_that_is_being_emptied() {
    isolated(|| {
        let host = two_lists();
        let mut daemon = Daemon::start(&host);
        assert!(!check_rule_at(DELETE, &mut daemon, &host), "its name is gone");
        daemon.until("gone", |_| names() == [V4, crate::V6]);
        kernel_holds(&good());
        daemon.assert_alive();
    });
}

#[test]
fn nobody_who_asks_hurries_a_kernel_that_refuses() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the kernel");
        let trace = Trace::attach(daemon.pid(), "kernel", "sendto", "error=ENOMEM");
        let end = Instant::now() + Duration::from_secs(3);
        let mut asked = 0;
        while Instant::now() < end {
            host.denyset("resync");
            asked += 1;
        }
        let tried = trace.text().matches("INJECTED").count();
        drop(trace);
        // After 0.1 s, 0.2 s, 0.4 s and so on.
        assert!(asked > 10 && (1..=8).contains(&tried), "{asked} asked, {tried} tries");
        daemon.until("well again", |status| {
            status["in-sync"] == true && status["degraded"] == serde_json::json!([])
        });
    });
}

/// While nothing can be done, next to no time is spent.
fn check_rests(daemon: &Daemon<'_>) {
    let (begun, before) = (Instant::now(), daemon.cpu_time());
    let end = begun + Duration::from_secs(3);
    while Instant::now() < end {
        daemon.pause(end.saturating_duration_since(Instant::now()));
    }
    let used = daemon.cpu_time().saturating_sub(before);
    assert!(used < Duration::from_millis(100), "{used:?} of {:?}", begun.elapsed());
}

#[test]
fn a_daemon_whose_sets_are_held_rests() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        Daemon::start(&host).stop();
        // Nothing says any more what was in force.
        std::fs::remove_dir_all(host.state()).expect("the state directory was there");
        std::fs::create_dir(host.state()).expect("a new one");
        host.feed("list.txt", "<html>\n");
        let daemon = Daemon::start(&host);
        daemon.until("held", |status| status["degraded"].to_string().contains("held"));
        check_rests(&daemon);
        kernel_holds(&good());
    });
}

#[test]
fn a_daemon_whose_configuration_is_refused_rests() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        let tables = Config::default().tables.replace("\"*\"", "\"*.nets\"");
        host.configure(&Config { tables, ..Config::default() });
        host.denyset("reload").exits(78);
        check_rests(&daemon);
        kernel_holds(&good());
    });
}

#[test]
fn a_daemon_whose_kernel_refuses_rests() {
    isolated(|| {
        ipset("create denyset-drop-v4 hash:net comment");
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::spawn(&host);
        daemon.expect_error("cannot be brought to what it should be");
        daemon.wait_logged(&["ERROR", "denyset-drop-v4"]);
        check_rests(&daemon);
        members(V4).expect(&SortedPrefixes::default());
        // The same where it refuses all that is asked.
        daemon.expect_error("the kernel");
        let trace = Trace::attach(daemon.pid(), "kernel", "sendto", "error=ENOMEM");
        host.denyset("resync");
        check_rests(&daemon);
        drop(trace);
    });
}
