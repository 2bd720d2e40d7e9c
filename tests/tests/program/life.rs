//! A daemon's life: ready, reload, stop, a second one, and what is left in
//! the kernel when it ends.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::witness::{drop_from, names};
use rustix::process::Signal;

use crate::{V4, V6, good, kernel_holds};

fn on_stop(what: &str) -> Host {
    let daemon = format!("settle-ms = 20\non-stop = \"{what}\"");
    let host = Host::with(&Config { daemon, ..Config::default() });
    host.feed("list.txt", good().feed());
    host
}

#[test]
fn a_stop_leaves_the_sets_in_force() {
    isolated(|| {
        for signal in [Signal::TERM, Signal::INT] {
            let host = on_stop("keep");
            let mut daemon = Daemon::start(&host);
            daemon.signal(signal);
            daemon.wait_notified("STOPPING=1");
            assert_eq!(daemon.wait().code(), Some(0));
            kernel_holds(&good());
        }
    });
}

#[test]
fn a_stop_removes_the_sets_if_so_configured() {
    isolated(|| {
        let host = on_stop("remove");
        Daemon::start(&host).stop();
        assert!(names().is_empty(), "{:?}", names());
    });
}

#[test]
fn a_stop_does_not_remove_a_set_that_a_rule_names() {
    isolated(|| {
        let host = on_stop("remove");
        let mut daemon = Daemon::start(&host);
        drop_from(V4);
        daemon.expect_error("not everything could be removed");
        daemon.stop();
        assert_eq!(names(), [V4]);
        lab::witness::members(V4).expect(&good().family(true));
    });
}

#[test]
fn the_next_start_adopts_what_is_there() {
    isolated(|| {
        let host = on_stop("keep");
        Daemon::start(&host).stop();
        let daemon = Daemon::start(&host);
        let status = daemon.until_members(V4, good().family(true).len());
        assert_eq!(status["sets"][0]["last-applied"], serde_json::Value::Null, "{status:#}");
        kernel_holds(&good());
    });
}

#[test]
fn a_list_that_is_no_longer_configured_goes_and_nothing_else() {
    isolated(|| {
        let two =
            "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[list]]\nname = \"old\"\nfeeds = [\"*\"]";
        let host = Host::with(&Config { tables: two.into(), ..Config::default() });
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        assert_eq!(names(), [V4, V6, "denyset-old-v4", "denyset-old-v6"]);
        host.configure(&Config::default());
        daemon.signal(Signal::HUP);
        daemon.wait_notified("RELOADING=1");
        daemon.wait_ready();
        daemon.until("swept", |_| names() == [V4, V6]);
        kernel_holds(&good());
    });
}

#[test]
fn a_reload_takes_a_new_list_and_says_reloading_and_ready() {
    isolated(|| {
        let host = on_stop("keep");
        let daemon = Daemon::start(&host);
        let tables = format!(
            "{}\n[[list]]\nname = \"more\"\nfeeds = [\"more/*\"]",
            Config::default().tables
        );
        host.configure(&Config { tables, ..Config::default() });
        host.feed("more/a.txt", "91.201.0.1\n");
        daemon.signal(Signal::HUP);
        let reloading = daemon.wait_notified("RELOADING=1");
        assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
        daemon.wait_ready();
        daemon.until_members("denyset-more-v4", 1);
        lab::witness::members("denyset-more-v4").expect(&SortedPrefixes::of("91.201.0.1"));
        kernel_holds(&good());
    });
}

#[test]
fn the_service_manager_is_told_what_is_held() {
    isolated(|| {
        let host = on_stop("keep");
        let daemon = Daemon::spawn(&host);
        let ready = daemon.wait_notified("READY=1");
        assert!(ready.contains("STATUS="), "{ready}");
        host.feed("more.txt", "91.201.0.1\n");
        daemon.wait_notified("STATUS=");
    });
}

#[test]
fn without_a_timer_of_the_kernels_all_happens_in_its_time() {
    isolated(|| {
        let host = on_stop("keep");
        let daemon = Daemon::start_failing(&host, "timerfd_settime", "EINVAL");
        for _ in 0..3 {
            daemon.wait_notified("WATCHDOG=1");
        }
        host.feed("more.txt", "91.201.0.1\n");
        daemon.wait_notified("STATUS=");
    });
}

#[test]
fn signs_of_life_come_as_long_as_the_watchdog_wants_them() {
    isolated(|| {
        let host = on_stop("keep");
        let daemon = Daemon::start(&host);
        for _ in 0..3 {
            daemon.wait_notified("WATCHDOG=1");
        }
    });
}

#[test]
fn a_second_daemon_refuses_to_start_and_names_the_first() {
    isolated(|| {
        let host = on_stop("keep");
        let first = Daemon::start(&host);
        let pid = first.pid().to_string();
        host.denyset("run").exits(2).complains(&["process", &pid]);
        kernel_holds(&good());
        // It is the sets that are locked, not the files.
        let other = on_stop("keep");
        other.denyset("run").exits(2).complains(&["process", &pid]);
        first.kill();
        Daemon::start(&other).stop();
    });
}

#[test]
fn daemons_with_other_prefixes_live_side_by_side() {
    isolated(|| {
        let one = on_stop("keep");
        let kernel = "set-prefix = \"other-\"".into();
        let two = Host::with(&Config { kernel, ..Config::default() });
        two.feed("list.txt", "91.201.0.1\n");
        let (first, second) = (Daemon::start(&one), Daemon::start(&two));
        kernel_holds(&good());
        lab::witness::members("other-drop-v4").expect(&SortedPrefixes::of("91.201.0.1"));
        second.stop();
        two.denyset("teardown").exits(0);
        assert_eq!(names(), [V4, V6]);
        first.stop();
    });
}
