//! Many clients at once: whatever they do, the others are answered, and the
//! daemon stays as it was.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, WATCHDOG};
use lab::flood::{Flood, Malice, ask, become_user};
use lab::generate::Random;
use lab::host::Host;
use lab::namespace::isolated;
use lab::versions::Versions;
use serde_json::Value;

use crate::{NOBODY, V4, good, has_other_users};

const STATUS: &str = r#"{"verb":"status"}"#;
const WHY: &str = r#"{"verb":"why","address":"45.9.8.7"}"#;

/// Hostile clients.
const CLIENTS: usize = 100;
/// How long anybody else may have to wait.
const SOON: Duration = Duration::from_secs(1);
/// What the daemon may take more of, in KiB.
const MEMORY_KIB_MAX: u64 = 8 * 1024;

/// A host whose control socket is open to the group of other users.
fn open_host() -> Host {
    let host = Host::new();
    set_permissions(host.path(""), Permissions::from_mode(0o755)).expect("it is ours");
    host.feed("list.txt", good().feed());
    host
}

fn open_socket(host: &Host) -> PathBuf {
    let socket = host.path("run/control.sock");
    chown(&socket, None, Some(nobody())).expect("root may");
    socket
}

fn nobody() -> u32 {
    NOBODY.parse().expect("a number")
}

/// Asks as root; the answer, and how long it took.
#[track_caller]
fn ask_as_root(socket: &Path, request: &str) -> Value {
    let begun = Instant::now();
    let answer = ask(socket, request, SOON).expect("an answer in time");
    assert!(begun.elapsed() <= SOON, "root waited {:?} for {answer}", begun.elapsed());
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert!(answer["error"].is_null(), "{answer}");
    answer["ok"].clone()
}

/// Signs of life come so often that the service manager is content.
#[track_caller]
fn assert_alive_for(daemon: &Daemon<'_>, time: Duration) {
    daemon.wait_notified("WATCHDOG=1");
    let begun = Instant::now();
    let mut last = begun;
    while begun.elapsed() < time {
        daemon.wait_notified("WATCHDOG=1");
        assert!(last.elapsed() < WATCHDOG, "no sign of life for {:?}", last.elapsed());
        last = Instant::now();
    }
}

/// The daemon under a flood of one kind.
fn check(malice: Malice) {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = open_host();
        let daemon = Daemon::start(&host);
        let socket = open_socket(&host);
        ask_as_root(&socket, STATUS);
        let (memory, cpu) = (daemon.memory_kib(), daemon.cpu_time());
        daemon.forget_memory_peak();
        let begun = Instant::now();
        let flood = Flood::start(&socket, malice, CLIENTS, nobody());
        thread::scope(|scope| {
            let watchdog = scope.spawn(|| assert_alive_for(&daemon, Duration::from_secs(4)));
            while !watchdog.is_finished() {
                ask_as_root(&socket, STATUS);
                ask_as_root(&socket, WHY);
            }
        });
        host.denyset("status").exits(0);
        let used = daemon.cpu_time().saturating_sub(cpu).as_secs_f64();
        let share = used / begun.elapsed().as_secs_f64();
        let grown = daemon.memory_peak_kib().saturating_sub(memory);
        println!(
            "{malice:?}: {} attempts in {:?}, {share:.2} of a core, {grown} KiB",
            flood.attempts(),
            begun.elapsed()
        );
        drop(flood);
        assert!(share < 0.6, "{share:.2} of a core");
        assert!(grown < MEMORY_KIB_MAX, "{grown} KiB more than before");
        daemon.stop();
    });
}

#[test]
fn clients_that_hang_up_keep_nobody_out() {
    check(Malice::HangsUp(STATUS));
}

#[test]
fn clients_that_ask_and_hang_up_keep_nobody_out() {
    check(Malice::HangsUp(WHY));
}

#[test]
fn clients_that_ask_for_the_status_without_end_keep_nobody_out() {
    check(Malice::AsksWithoutEnd(STATUS));
}

#[test]
fn clients_that_ask_why_without_end_keep_nobody_out() {
    check(Malice::AsksWithoutEnd(WHY));
}

#[test]
fn clients_that_never_read_keep_nobody_out() {
    check(Malice::NeverReads(STATUS));
}

#[test]
fn clients_that_never_write_keep_nobody_out() {
    check(Malice::NeverWrites);
}

#[test]
fn clients_that_write_slowly_keep_nobody_out() {
    check(Malice::WritesSlowly);
}

#[test]
fn another_user_of_the_group_is_let_in_beside_a_crowd() {
    if !has_other_users() {
        return;
    }
    isolated(|| {
        let host = open_host();
        let daemon = Daemon::start(&host);
        let socket = open_socket(&host);
        set_permissions(&socket, Permissions::from_mode(0o666)).expect("root may");
        let _flood = Flood::start(&socket, Malice::NeverWrites, CLIENTS, nobody());
        let other = thread::spawn(move || {
            become_user(nobody() - 1);
            for _ in 0..50 {
                let begun = Instant::now();
                let answer = ask(&socket, STATUS, SOON).expect("an answer in time");
                assert!(answer.starts_with("{\"ok\""), "{answer}");
                assert!(begun.elapsed() <= SOON, "{:?}", begun.elapsed());
            }
        });
        other.join().expect("it was let in each time");
        daemon.stop();
    });
}

#[test]
fn thirty_questions_over_a_million_entries_take_little_memory() {
    isolated(|| {
        let host = Host::new();
        let versions = Versions::new(Random::seeded(21), 1_000_000);
        host.feed("list.txt", versions.feed());
        let daemon = Daemon::start(&host);
        daemon.until_members(V4, versions.counts()[0]);
        let socket = host.path("run/control.sock");
        let address = versions.listed()[0];
        let request = format!(r#"{{"verb":"why","address":"{address}"}}"#);
        let memory = daemon.memory_kib();
        daemon.forget_memory_peak();
        let begun = Instant::now();
        let askers: Vec<_> = (0..30)
            .map(|_| {
                let (socket, request) = (socket.clone(), request.clone());
                thread::spawn(move || ask(&socket, &request, SOON * 60).expect("an answer"))
            })
            .collect();
        for asker in askers {
            let answer: Value =
                serde_json::from_str(&asker.join().expect("it asked")).expect("JSON");
            let sources = &answer["ok"]["lists"][0]["sources"];
            assert_eq!(answer["ok"]["verdict"], "blocked", "{answer}");
            assert!(sources[0]["line"].as_u64() > Some(0), "{answer}");
            assert_eq!(answer["ok"]["notes"], serde_json::json!([]), "{answer}");
        }
        let grown = daemon.memory_peak_kib().saturating_sub(memory);
        println!("thirty questions: {:?}, {grown} KiB more", begun.elapsed());
        assert!(grown <= 16 * 1024, "{grown} KiB more than {memory} KiB");
        daemon.stop();
    });
}
