//! Many clients at once: whatever they do, the others are answered, and the
//! daemon stays as it was.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, WATCHDOG};
use lab::flood::{Flood, Malice, ask, become_user};
use lab::generate::RandomNumbers;
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

/// Asks as root, without coming back if it is turned away.
#[track_caller]
fn ask_as_root(socket: &Path, request: &str) -> Value {
    let answer = ask(socket, request, SOON).expect("an answer in time");
    let answer: Value = serde_json::from_str(&answer).expect("JSON");
    assert!(answer["error"].is_null(), "{answer}");
    answer["ok"].clone()
}

/// Floods measure time, and are one at a time for it.
static FLOOD: Mutex<()> = Mutex::new(());

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

/// A daemon whom other users may ask, with no other flood beside it.
fn in_the_open(body: impl FnOnce(&Host, &Daemon<'_>, PathBuf) + Send) {
    if !has_other_users() {
        return;
    }
    let _alone = FLOOD.lock().unwrap_or_else(PoisonError::into_inner);
    isolated(|| {
        let host = open_host();
        let daemon = Daemon::start(&host);
        body(&host, &daemon, open_socket(&host));
        daemon.stop();
    });
}

/// The daemon under a flood of one kind.
fn check(malice: Malice) {
    in_the_open(|host, daemon, socket| {
        ask_as_root(&socket, STATUS);
        let (memory, cpu) = (daemon.memory_kib(), daemon.cpu_time());
        daemon.forget_memory_peak();
        let (begun, mut waits) = (Instant::now(), Vec::new());
        let flood = Flood::start(&socket, malice, CLIENTS, nobody());
        thread::scope(|scope| {
            let watchdog = scope.spawn(|| assert_alive_for(daemon, Duration::from_secs(4)));
            while !watchdog.is_finished() {
                for request in [STATUS, WHY] {
                    let begun = Instant::now();
                    ask_as_root(&socket, request);
                    waits.push(begun.elapsed());
                }
            }
        });
        host.denyset("status").exits(0);
        let used = daemon.cpu_time().saturating_sub(cpu).as_secs_f64();
        let share = used / begun.elapsed().as_secs_f64();
        let grown = daemon.memory_peak_kib().saturating_sub(memory);
        println!(
            "{malice:?}: {} attempts in {:?}, {share:.2} of a core, {grown} KiB; root asked {} \
             times and waited {:?} at the most",
            flood.attempts(),
            begun.elapsed(),
            waits.len(),
            waits.iter().max(),
        );
        drop(flood);
        // Where other tests take both cores one may be late by their doing.
        let late = waits.iter().filter(|&&wait| wait > SOON).count();
        assert!(late <= 1 && waits.len() >= 10, "root waited {waits:?}");
        assert!(share < 0.6, "{share:.2} of a core");
        assert!(grown < MEMORY_KIB_MAX, "{grown} KiB more than before");
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
    in_the_open(|_, _, socket| {
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
    });
}

#[test]
fn thirty_questions_over_a_million_entries_take_little_memory() {
    isolated(|| {
        let host = Host::new();
        let versions = Versions::new(RandomNumbers::seeded(21), 1_000_000);
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

#[test]
fn the_status_is_told_while_the_daemon_is_at_work() {
    isolated(|| {
        let host = Host::new();
        let versions = Versions::new(RandomNumbers::seeded(22), 300_000);
        host.feed("list.txt", versions.feed());
        let daemon = Daemon::spawn(&host);
        daemon.wait_logged(&["started"]);
        let socket = host.path("run/control.sock");
        let begun = Instant::now();
        let mut asked = 0;
        while ask_as_root(&socket, STATUS)["in-sync"] != true {
            asked += 1;
            assert!(begun.elapsed() < SOON * 60, "it never is in sync");
        }
        assert!(asked > 10, "it was asked {asked} times before");
        daemon.wait_ready();
        daemon.stop();
    });
}

#[test]
fn four_thousand_bad_feeds_are_a_few_lines_in_log_and_status() {
    isolated(|| {
        let host = Host::new();
        for number in 0..4_000 {
            host.feed(&format!("bad{number}.txt"), "<html>\n");
        }
        let daemon = Daemon::start(&host);
        let status = daemon.until("all feeds refused", |status| {
            let feeds = status["feeds"].as_array().into_iter().flatten();
            feeds.filter(|feed| feed["state"] == "refused").count() == 4_000
        });
        let degraded = status["degraded"].as_array().map_or(0, Vec::len);
        assert!((20..30).contains(&degraded), "{degraded} sentences");
        let text = host.denyset("status").exits(1).stdout.clone();
        assert!(text.lines().count() < 120, "{text}");
        daemon.wait_logged(&["WARN", "more feeds are refused"]);
        let before = daemon.log().len();
        assert!(before < 100, "{before} lines");
        // They are looked at again, and nothing new is to be said.
        host.denyset("apply");
        assert!(daemon.log().len() < before + 10, "{} lines", daemon.log().len());
    });
}
