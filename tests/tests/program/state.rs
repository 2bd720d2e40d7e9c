//! The state directory: what outlives the daemon and the host, and what
//! becomes of it when the disk does not cooperate.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use lab::daemon::Daemon;
use lab::generate::{RandomNumbers, feed};
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::{isolated, isolated_with_mounts};
use lab::trace::Trace;
use lab::witness::{ipset, names, succeed};
use serde_json::json;

use crate::{V4, V6, good, kernel_holds};

/// What the log says of a copy that cannot be believed.
const DAMAGED: &str = "a last good copy is damaged and not used";

/// The files below the state directory.
fn copies(host: &Host) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![host.state()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).expect("the state can be listed") {
            let path = entry.expect("and each of it").path();
            match path.is_dir() {
                // What is kept there for the next boot is no copy, nor is what
                // was written down of the lists.
                true if path.ends_with("boot") => {}
                false if path.ends_with("made-of.json") => {}
                true => directories.push(path),
                false => files.push(path),
            }
        }
    }
    files
}

/// How much fits on the disk of [`small_disk`].
const DISK_BYTES: usize = 1 << 20;

/// Puts the state directory on a small disk of its own, and returns the path
/// of a file beside it that may fill the disk.
fn small_disk(host: &Host) -> PathBuf {
    let disk = host.path("disk");
    fs::create_dir(&disk).expect("a new directory");
    let size = format!("size={DISK_BYTES}");
    let tmpfs = ["-t", "tmpfs", "-o", &size, "tmpfs"].map(AsRef::as_ref);
    succeed("mount", &[&tmpfs[..], &[disk.as_os_str()]].concat());
    let state = disk.join("state");
    fs::create_dir(&state).expect("a new directory");
    succeed("mount", &["--bind".as_ref(), state.as_os_str(), host.state().as_os_str()]);
    disk.join("filler")
}

/// As a reboot does: no daemon, no sets, the same files.
fn reboot(daemon: Daemon<'_>) {
    daemon.stop();
    for set in names() {
        ipset(&format!("destroy {set}"));
    }
}

#[test]
fn the_last_good_version_survives_a_reboot_with_a_bad_feed() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        reboot(Daemon::start(&host));
        host.feed("list.txt", "");
        let daemon = Daemon::start(&host);
        kernel_holds(&good());
        daemon.until_feed("list.txt", "refused");
    });
}

#[test]
fn a_feed_that_vanished_while_nobody_looked_is_still_in_force() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        for number in 0..4 {
            host.feed(&format!("more{number}.txt"), format!("91.201.0.{number}\n"));
        }
        reboot(Daemon::start(&host));
        host.remove_feed("list.txt");
        let daemon = Daemon::start(&host);
        daemon.until_feed("list.txt", "gone");
        assert_eq!(lab::witness::members(V6), good().family(false));
    });
}

#[test]
fn a_good_feed_is_enforced_though_the_disk_is_full_and_that_is_said() {
    isolated_with_mounts(|| {
        let host = Host::new();
        let filler = small_disk(&host);
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        kernel_holds(&good());
        let full = fs::write(&filler, vec![0; DISK_BYTES]).expect_err("it is larger than the rest");
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        // Not too much for the guards, but for the disk.
        let large: SortedPrefixes =
            RandomNumbers::seeded(41).addresses(380, 4).into_iter().collect();
        host.feed("list.txt", large.feed() + &format!("# {}\n", "x".repeat(99)).repeat(1000));
        let line = daemon.wait_logged(&["WARN", "would not survive a restart", "list.txt"]);
        assert!(line.contains("No space left"), "{line}");
        daemon.until_members(V4, large.family(true).len());
        kernel_holds(&large);
        let degraded = host.denyset_json("status").exits(1).json()["degraded"].to_string();
        assert!(degraded.contains("would not survive a restart"), "{degraded}");
        daemon.assert_alive();
        daemon.kill();
        // The copy that was there is whole, and the file is still there.
        let daemon = Daemon::start(&host);
        kernel_holds(&large);
        // With room again it is kept by itself.
        fs::remove_file(filler).expect("the filler is there");
        host.denyset("reload").exits(0);
        daemon.wait_logged(&["INFO", "there is a copy of feed list.txt again"]);
        kernel_holds(&large);
    });
}

#[test]
fn a_corrupt_last_good_copy_is_not_believed() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        daemon.stop();
        for file in copies(&host) {
            let mut bytes = fs::read(&file).expect("a copy can be read");
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&file, bytes).expect("and spoilt");
        }
        // The feed is bad by then, and nothing says what was good.
        host.feed("list.txt", "");
        let mut daemon = Daemon::start(&host);
        daemon.expect_error(DAMAGED);
        daemon.wait_logged(&["ERROR", DAMAGED, "list.txt"]);
        daemon.until_feed("list.txt", "refused");
        kernel_holds(&good());
        daemon.assert_alive();
        host.feed("list.txt", good().feed());
        daemon.until_feed("list.txt", "current");
        kernel_holds(&good());
    });
}

#[test]
fn a_truncated_or_empty_copy_is_not_believed() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        for length in [0, 1, 100] {
            reboot(Daemon::start(&host));
            for file in copies(&host) {
                fs::OpenOptions::new()
                    .write(true)
                    .open(&file)
                    .and_then(|file| file.set_len(length))
                    .expect("a copy can be cut");
            }
            let mut daemon = Daemon::start(&host);
            daemon.expect_error(DAMAGED);
            daemon.wait_logged(&["ERROR", DAMAGED, "list.txt"]);
            kernel_holds(&good());
            daemon.until_feed("list.txt", "current");
        }
    });
}

#[test]
fn a_state_directory_that_cannot_be_written_is_said_to_be_so() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        daemon.stop();
        fs::remove_dir_all(host.state()).expect("the state can be removed");
        fs::write(host.state(), "in the way").expect("and a file put in its place");
        let outcome = host.denyset("run");
        outcome.exits(2).complains(&["state"]);
        kernel_holds(&good());
    });
}

#[test]
fn a_good_feed_is_enforced_though_state_dir_is_read_only_and_that_is_said() {
    isolated_with_mounts(|| {
        let host = Host::new();
        small_disk(&host);
        host.feed("list.txt", good().feed());
        Daemon::start(&host).stop();
        succeed("mount", &["-o", "remount,bind,ro", &host.state().to_string_lossy()]);
        let daemon = Daemon::start(&host);
        let more: SortedPrefixes =
            good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect();
        host.feed("list.txt", more.feed());
        daemon.until_members(V4, more.family(true).len());
        kernel_holds(&more);
        let status = daemon.until("said", |status| status["degraded"] != serde_json::json!([]));
        assert!(status["degraded"].to_string().contains("list.txt"), "{status}");
    });
}

#[test]
fn a_read_only_state_dir_that_never_had_a_copy_does_not_end_the_start() {
    isolated_with_mounts(|| {
        let host = Host::new();
        small_disk(&host);
        host.feed("list.txt", good().feed());
        let state = host.state();
        let remount = |options: &str| {
            succeed("mount", &["-o", &format!("remount,bind,{options}"), &state.to_string_lossy()]);
        };
        remount("ro");
        let daemon = Daemon::start(&host);
        kernel_holds(&good());
        daemon.wait_logged(&["WARN", "nothing would survive a restart", "Read-only file system"]);
        let status = host.denyset_json("status").exits(1).json();
        assert_eq!(status["in-sync"], true, "{status}");
        let degraded = status["degraded"].to_string();
        assert!(degraded.contains("list.txt would not survive a restart"), "{degraded}");
        let more: SortedPrefixes =
            good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect();
        host.feed("list.txt", more.feed());
        daemon.until_members(V4, more.family(true).len());
        daemon.stop();
        host.denyset("apply").exits(0);
        kernel_holds(&more);
        // Mended, and read again.
        let daemon = Daemon::start(&host);
        remount("rw");
        host.denyset("reload").exits(0);
        daemon.until("kept", |status| status["degraded"] == serde_json::json!([]));
        assert_eq!(copies(&host).len(), 1, "{:?}", copies(&host));
        let why = host.denyset_json("why 91.201.0.1").exits(0).json();
        assert_eq!(why["lists"][0]["sources"][0]["feed"], "list.txt", "{why}");
        daemon.stop();
    });
}

#[test]
fn a_disk_that_hangs_is_said_to_hang() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let trace = Trace::attach(daemon.pid(), "store", "fsync", "delay_enter=60s");
        host.feed("more.txt", "91.201.0.1\n");
        trace.wait(0, "fsync");
        let status = daemon.until("said", |status| status["degraded"] != json!([]));
        let degraded = status["degraded"].to_string();
        let path = host.state().display().to_string();
        assert!(degraded.contains(&path) && degraded.contains("since"), "{degraded}");
        kernel_holds(&good());
        drop(trace);
        daemon.until_members(V4, good().family(true).len() + 1);
        daemon.until("kept", |status| status["degraded"] == json!([]));
        daemon.stop();
    });
}

#[test]
fn the_state_holds_one_copy_of_each_feed_and_no_leftovers() {
    isolated(|| {
        let host =
            Host::with(&Config { guard: "shrink-percent-max = 100".into(), ..Config::default() });
        for number in 0..3 {
            host.feed(&format!("list{number}.txt"), good().feed());
        }
        let daemon = Daemon::start(&host);
        for round in 0..5 {
            let addresses = RandomNumbers::seeded(round).addresses(60, 4);
            host.feed("list0.txt", feed(&addresses));
            let all: SortedPrefixes = addresses
                .into_iter()
                .collect::<SortedPrefixes>()
                .iter()
                .chain(good().iter())
                .collect();
            daemon.until_members(V4, all.family(true).len());
        }
        // What is being written is written by then.
        daemon.stop();
        assert_eq!(copies(&host).len(), 3, "{:?}", copies(&host));
    });
}
