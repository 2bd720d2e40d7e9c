//! This host's own addresses, gateways and resolvers are in no set, from the
//! moment that it has them, however late that is.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::host::Host;
use lab::members::SortedPrefixes;
use lab::namespace::{isolated, isolated_with_mounts};
use lab::witness::{ip, members, succeed};

use crate::{V4, V6, good};

/// How late a change of this host may be seen in the sets.
const SOON: Duration = Duration::from_secs(1);

/// Asserts that the sets come to be without `protected` soon after now, and
/// otherwise stay what the feeds say.
#[track_caller]
fn check(daemon: &Daemon, protected: &str) {
    let since = Instant::now();
    let want = good().without(&SortedPrefixes::of(protected));
    let holds = |set, ipv4| {
        members(set).without(&want).is_empty() && {
            let missing = want.family(ipv4).without(&members(set));
            missing.is_empty()
        }
    };
    daemon.until(&format!("without {protected}"), |_| holds(V4, true) && holds(V6, false));
    let late = since.elapsed();
    assert!(late < SOON, "after {late:?}; the log:\n{}", daemon.log().text());
    members(V4).expect(&want.family(true));
    members(V6).expect(&want.family(false));
    daemon.until("in sync", |status| status["in-sync"] == true);
}

fn network() {
    ip("link add here type veth peer name there");
    ip("link set here up");
    ip("link set there up");
}

fn feeding() -> Host {
    let host = Host::new();
    host.feed("list.txt", good().feed());
    host
}

#[test]
fn an_address_and_a_gateway_that_come_later_leave_the_sets() {
    isolated(|| {
        let host = feeding();
        network();
        let daemon = Daemon::start(&host);
        check(&daemon, "");
        ip("address add 45.9.8.1/24 dev here");
        check(&daemon, "45.9.8.1");
        ip("address add 2a01:4f8::1/64 dev here nodad");
        check(&daemon, "45.9.8.1 2a01:4f8::1");
        ip("route add default via 45.9.8.2 dev here");
        ip("-6 route add default proto ra via 2a01:4f8::2 dev here");
        check(&daemon, "45.9.8.1 2a01:4f8::1 45.9.8.2 2a01:4f8::2");
        ip("route replace default nexthop via 45.9.8.3 dev here nexthop via 45.9.8.4 dev here");
        check(&daemon, "45.9.8.1 2a01:4f8::1 45.9.8.3 45.9.8.4 2a01:4f8::2");
    });
}

#[test]
fn an_address_that_goes_away_is_blocked_again_and_the_log_says_so() {
    isolated(|| {
        let host = feeding();
        network();
        ip("address add 45.9.8.1/24 dev here");
        ip("address add 45.9.8.2/24 dev here");
        let daemon = Daemon::start(&host);
        check(&daemon, "45.9.8.1 45.9.8.2");
        let before = daemon.log().len();
        ip("address del 45.9.8.2/24 dev here");
        check(&daemon, "45.9.8.1");
        daemon.wait_logged_since(before, &["INFO", "this host has changed", "went", "45.9.8.2"]);
    });
}

#[test]
fn a_daemon_that_starts_before_the_network_protects_it_when_it_comes() {
    isolated(|| {
        let host = feeding();
        ip("link set lo down");
        let daemon = Daemon::start(&host);
        check(&daemon, "");
        ip("link set lo up");
        network();
        ip("address add 45.9.8.1/24 dev here");
        ip("route add default via 45.9.8.40 dev here");
        check(&daemon, "45.9.8.1 45.9.8.40");
        for (address, category) in [("45.9.8.1", "own"), ("45.9.8.40", "gateways")] {
            let why = host.denyset_json(&format!("why {address}")).exits(1).json();
            assert_eq!(why["verdict"], "allowed", "{why:#}");
            assert_eq!(why["lists"][0]["allow"]["protect"], category, "{why:#}");
            assert_eq!(why["kernel"], false, "{why:#}");
        }
        // And a reload does not forget it.
        host.denyset("reload").exits(0);
        check(&daemon, "45.9.8.1 45.9.8.40");
    });
}

/// Runs `body` where `/etc` is a copy of this machine's, without resolv.conf,
/// and `/run` is empty.
fn with_files(body: impl FnOnce(&Host) + Send) {
    isolated_with_mounts(|| {
        let host = feeding();
        let etc = host.path("etc");
        succeed("cp", &["-a".as_ref(), "/etc".as_ref(), etc.as_os_str()]);
        succeed("mount", &["--bind".as_ref(), etc.as_os_str(), "/etc".as_ref()]);
        succeed("mount", &["-t", "tmpfs", "none", "/run"]);
        fs::remove_file("/etc/resolv.conf").expect("this machine has one");
        body(&host);
    });
}

#[test]
fn a_resolver_that_is_written_later_leaves_the_sets() {
    with_files(|host| {
        let daemon = Daemon::start(host);
        check(&daemon, "");
        fs::write("/etc/resolv.conf", "nameserver 45.9.8.5\n").expect("written");
        check(&daemon, "45.9.8.5");
        fs::write("/etc/new", "nameserver 45.9.8.6\nnameserver 2a01:4f8::6\n").expect("written");
        fs::rename("/etc/new", "/etc/resolv.conf").expect("renamed");
        check(&daemon, "45.9.8.6 2a01:4f8::6");
    });
}

#[test]
fn the_resolvers_behind_a_stub_leave_the_sets_when_it_has_some() {
    with_files(|host| {
        symlink("../run/systemd/resolve/stub-resolv.conf", "/etc/resolv.conf").expect("a link");
        let daemon = Daemon::start(host);
        check(&daemon, "");
        fs::create_dir_all("/run/systemd/resolve").expect("a directory");
        let stub = "/run/systemd/resolve/stub-resolv.conf";
        fs::write(stub, "nameserver 127.0.0.53\n").expect("written");
        let upstream = "/run/systemd/resolve/resolv.conf";
        fs::write(upstream, "nameserver 45.9.8.7\nnameserver 2a01:4f8::7\n").expect("written");
        check(&daemon, "45.9.8.7 2a01:4f8::7");
    });
}

#[test]
fn what_cannot_be_found_out_is_said_and_does_not_open() {
    with_files(|host| {
        fs::write("/etc/resolv.conf", "nameserver 45.9.8.5\n").expect("written");
        let mut daemon = Daemon::start(host);
        daemon.expect_error("cannot read this host's resolvers");
        check(&daemon, "45.9.8.5");
        fs::write("/etc/new", "#".repeat(100_000)).expect("written");
        fs::rename("/etc/new", "/etc/resolv.conf").expect("renamed");
        daemon.wait_logged(&["ERROR", "cannot read this host's resolvers: /etc/resolv.conf"]);
        check(&daemon, "45.9.8.5");
        let degraded = daemon.status()["degraded"].to_string();
        assert!(degraded.contains("/etc/resolv.conf"), "{degraded}");
        fs::write("/etc/resolv.conf", "nameserver 45.9.8.6\n").expect("written");
        daemon.wait_logged(&["INFO", "this host is known and followed again"]);
        check(&daemon, "45.9.8.6");
        assert_eq!(daemon.status()["degraded"], serde_json::json!([]));
    });
}

#[test]
fn apply_plan_and_check_look_once() {
    with_files(|host| {
        fs::write("/etc/resolv.conf", "nameserver 45.9.8.5\n").expect("written");
        network();
        ip("address add 45.9.8.1/24 dev here");
        ip("route add default via 45.9.8.2 dev here");
        let check = host.denyset_json("check").exits(0).json();
        assert_eq!(
            check["lists"][0]["ipv4"]["members"],
            good().family(true).len() - 3,
            "{check:#}"
        );
        host.denyset("apply").exits(0);
        members(V4).expect(
            &good().without(&SortedPrefixes::of("45.9.8.1 45.9.8.2 45.9.8.5")).family(true),
        );
        host.denyset("plan").exits(0);
        ip("address del 45.9.8.1/24 dev here");
        host.denyset("plan").exits(3);
    });
}
