//! Signals at every moment, and configurations that are refused: nothing of
//! either ends the daemon, and what was refused is said until it is mended.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::Duration;

use lab::daemon::Daemon;
use lab::generate::{RandomNumbers, feed};
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::witness::{names, succeed};
use rustix::process::Signal;

use crate::{V4, good, kernel_holds};

/// A daemon that is held up in the middle of its start, and the end of a pipe
/// from which it reads its configuration.
fn starting(host: &Host) -> (Daemon<'_>, File, Vec<u8>) {
    let config = fs::read(host.config()).expect("the configuration is there");
    fs::remove_file(host.config()).expect("it was there");
    succeed("mkfifo", &[host.config()]);
    let daemon = Daemon::spawn(host);
    // Waits until the daemon reads.
    let pipe = File::options().write(true).open(host.config()).expect("a pipe");
    (daemon, pipe, config)
}

/// One more list.
fn more() -> Config {
    let tables = Config::default().tables + "\n[[list]]\nname = \"more\"\nfeeds = [\"more/*\"]";
    Config { tables, ..Config::default() }
}

#[test]
fn a_hangup_during_the_start_is_done_after_it() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let (daemon, mut pipe, config) = starting(&host);
        for _ in 0..3 {
            daemon.signal(Signal::HUP);
        }
        fs::remove_file(host.config()).expect("the pipe was there");
        host.configure(&more());
        pipe.write_all(&config).expect("the daemon reads");
        drop(pipe);
        daemon.wait_ready();
        daemon.until("reloaded", |_| names().iter().any(|name| name == "denyset-more-v4"));
        daemon.until_members(V4, good().family(true).len());
        daemon.stop();
    });
}

#[test]
fn to_be_told_to_end_during_the_start_is_no_failure() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let (mut daemon, mut pipe, config) = starting(&host);
        daemon.signal(Signal::TERM);
        pipe.write_all(&config).expect("the daemon reads");
        drop(pipe);
        assert_eq!(daemon.wait().code(), Some(0), "{}", daemon.log().text());
    });
}

#[test]
fn a_storm_of_hangups_passes() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", feed(&RandomNumbers::seeded(3).addresses(300_000, 0)));
        let daemon = Daemon::spawn(&host);
        // It can be asked from then on.
        daemon.wait_logged(&["started"]);
        for _ in 0..300 {
            daemon.signal(Signal::HUP);
        }
        daemon.until_members(V4, 300_000);
        assert!(daemon.memory_kib() < 200_000, "{} KiB", daemon.memory_kib());
        assert!(daemon.log().len() < 1_500, "{} lines", daemon.log().len());
        daemon.stop();
    });
}

#[test]
fn of_reloads_that_overlap_the_last_one_wins() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", feed(&RandomNumbers::seeded(3).addresses(50_000, 0)));
        let daemon = Daemon::start(&host);
        for _ in 0..20 {
            // The copies of a list that is new are read meanwhile.
            host.configure(&more());
            daemon.signal(Signal::HUP);
            host.configure(&Config::default());
            host.denyset("reload").exits(0);
            daemon.until("the last one", |_| names().len() == 2);
            // Or the daemon waits until somebody hears how it is.
            for _ in 0..8 {
                daemon.pause(Duration::ZERO);
            }
        }
        daemon.stop();
    });
}

#[test]
fn a_refused_reload_is_said_until_a_good_one() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is bad");
        let bad = Config { guard: "shrink-percent-max = 101".into(), ..Config::default() };
        host.configure(&bad);
        daemon.signal(Signal::HUP);
        let place = format!("reload refused: {}:", host.config().display());
        let told = daemon.wait_notified(&format!("STATUS={place}"));
        assert!(told.contains("guard.shrink-percent-max: 101 is out of range"), "{told}");
        daemon.wait_logged(&["ERROR", "stays in force: ", "guard.shrink-percent-max"]);
        // Everybody who asks hears it, though the file is still bad.
        let status = host.denyset("status");
        status.exits(1);
        assert!(status.stdout.contains(&place), "{}", status.stdout);
        host.denyset("why 45.9.8.7").exits(0);
        host.denyset("resync").exits(0);
        host.denyset("reload").exits(78).complains(&["denyset.toml:", "101 is out of range"]);
        let degraded = daemon.status()["degraded"].to_string();
        assert!(degraded.contains("until a good reload"), "{degraded}");
        kernel_holds(&good());

        host.configure(&Config::default());
        daemon.signal(Signal::HUP);
        daemon.until("good again", |status| {
            status["degraded"] == serde_json::json!([]) && status["in-sync"] == true
        });
        host.denyset("status").exits(0);
        daemon.stop();
    });
}

#[test]
fn whoever_knows_the_socket_needs_no_configuration() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let config = fs::read(host.config()).expect("the configuration is there");
        let socket = host.path("run/control.sock").display().to_string();
        for text in ["= =", "[daemon]\n"] {
            host.write_config(text);
            host.denyset(&format!("status --socket {socket}")).exits(0);
            host.denyset(&format!("why 45.9.8.7 --socket {socket}")).exits(0);
        }
        fs::remove_file(host.config()).expect("it was there");
        host.denyset(&format!("status --socket {socket}")).exits(0);
        // Nobody is at the place that is looked for by default.
        host.denyset("status").exits(78).complains(&["no daemon answers", "No such file"]);
        fs::write(host.config(), config).expect("it can be written");
        daemon.stop();
        host.denyset("status").exits(2).complains(&["no daemon answers", "systemctl start"]);
    });
}
