//! Odd things in the feeds directory: what is no plain file is passed over or
//! refused with a message, and everything else goes on.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::{isolated, isolated_with_mounts};
use lab::witness::succeed;

use crate::{V4, V6, good, kernel_holds};

/// Puts something odd beside a good feed, and expects a log line with `words`
/// and a later feed to go through all the same.
fn check_beside(odd: impl FnOnce(&Host), words: &[&str]) {
    let host = Host::new();
    host.feed("list.txt", good().feed());
    let mut daemon = Daemon::start(&host);
    odd(&host);
    daemon.wait_logged(words);
    host.feed("more.txt", "91.201.0.1\n");
    daemon.until_members(V4, good().family(true).len() + 1);
    kernel_holds(&good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect());
    daemon.assert_alive();
    daemon.kill();
    // And at a start it is no other.
    let mut daemon = Daemon::start(&host);
    daemon.wait_logged(words);
    kernel_holds(&good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect());
    daemon.assert_alive();
}

/// Puts something odd in the place of a good feed, and expects the last good
/// version to stay.
fn check_instead(odd: impl FnOnce(&Host)) {
    let host = Host::new();
    host.feed("list.txt", good().feed());
    host.feed("more.txt", "91.201.0.1\n");
    let want = good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect();
    let mut daemon = Daemon::start(&host);
    host.remove_feed("list.txt");
    odd(&host);
    daemon.until("seen", |status| {
        let feeds = status["feeds"].as_array().into_iter().flatten();
        let list = feeds.filter(|feed| feed["feed"] == "list.txt").collect::<Vec<_>>();
        list.iter().any(|feed| feed["state"] == "refused" || feed["state"] == "gone")
    });
    kernel_holds(&want);
    daemon.assert_alive();
    daemon.kill();
    let mut daemon = Daemon::start(&host);
    kernel_holds(&want);
    daemon.assert_alive();
}

#[test]
fn a_fifo_is_passed_over_and_nobody_waits_for_it() {
    isolated(|| {
        let fifo = |name: &'static str| {
            move |host: &Host| {
                succeed("mkfifo", &[host.feeds().join(name)]);
            }
        };
        check_beside(fifo("pipe.txt"), &["pipe.txt", "a named pipe"]);
        check_instead(fifo("list.txt"));
    });
}

#[test]
fn a_socket_is_passed_over() {
    isolated(|| {
        let socket = |host: &Host| {
            UnixListener::bind(host.feeds().join("socket.txt")).expect("a socket can be made");
        };
        check_beside(socket, &["socket.txt", "a socket"]);
    });
}

#[test]
fn a_symbolic_link_that_leads_out_is_not_followed() {
    isolated(|| {
        let link = |name: &'static str| {
            move |host: &Host| {
                let target = host.path("elsewhere.txt");
                fs::write(&target, "91.202.0.1\n").expect("a file can be written");
                symlink(target, host.feeds().join(name)).expect("a link can be made");
            }
        };
        check_beside(link("link.txt"), &["link.txt", "a symbolic link"]);
        check_instead(link("list.txt"));
    });
}

#[test]
fn a_device_is_passed_over() {
    isolated_with_mounts(|| {
        // Nodes cannot be made in every user namespace, mounts can.
        check_beside(
            |host| {
                let place = host.feeds().join("device.txt");
                File::create(&place).expect("a place for the device");
                succeed("mount", &["--bind".as_ref(), OsStr::new("/dev/zero"), place.as_os_str()]);
                host.feed("nudge.tmp", "");
            },
            &["device.txt", "a device"],
        );
    });
}

#[test]
fn a_directory_in_place_of_a_feed_leaves_the_last_good_version() {
    isolated(|| {
        check_instead(|host| {
            fs::create_dir(host.feeds().join("list.txt")).expect("a directory can be made");
        });
    });
}

#[test]
fn forty_levels_of_directories_are_not_walked() {
    isolated(|| {
        let deep = |host: &Host| {
            let name = "d/".repeat(40) + "deep.txt";
            host.feed(&name, "91.203.0.1\n");
        };
        check_beside(deep, &["too deep"]);
    });
}

#[test]
fn a_name_that_is_not_utf_8_is_passed_over() {
    isolated(|| {
        let odd = |host: &Host| {
            let name = OsStr::from_bytes(b"fran\xe7ais.txt");
            fs::write(host.feeds().join(name), "91.204.0.1\n").expect("a file can be written");
        };
        check_beside(odd, &["fran", "not UTF-8"]);
    });
}

#[test]
fn a_name_with_control_characters_cannot_forge_the_log() {
    isolated(|| {
        let odd = |host: &Host| host.feed("a\n2026 ERROR forged.txt", "91.204.0.1\n");
        check_beside(odd, &["forged.txt"]);
    });
}

#[test]
fn a_file_that_changes_while_it_is_read_is_taken_once_it_rests() {
    isolated(|| {
        let daemon = "settle-ms = 20\nsettle-max-seconds = 1".to_owned();
        let host = Host::with(&Config { daemon, ..Config::default() });
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        // Large enough that its reading takes a while.
        let addresses: SortedPrefixes =
            RandomNumbers::seeded(31).addresses(350, 4).into_iter().collect();
        let comment = format!("# {}\n", "x".repeat(1000)).repeat(20_000);
        host.feed("list.txt", addresses.feed() + &comment);
        let rests = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let open = OpenOptions::new().write(true).open(host.feeds().join("list.txt"));
                let mut file = open.expect("the feed is there");
                while !rests.load(Ordering::Relaxed) {
                    file.seek(SeekFrom::End(-2)).expect("a place in the file");
                    file.write_all(b"y\n").expect("the file can be written");
                }
            });
            // Also if nothing is refused the writer ends, and so does the test.
            let feed = catch_unwind(AssertUnwindSafe(|| daemon.until_feed("list.txt", "refused")));
            rests.store(true, Ordering::Relaxed);
            let feed = feed.unwrap_or_else(|panic| resume_unwind(panic));
            let reason = feed["refused"].as_str().expect("a refusal has a reason");
            assert!(reason.contains("stable"), "{reason}");
        });
        kernel_holds(&good());
        daemon.until_feed("list.txt", "current");
        kernel_holds(&addresses);
    });
}

#[test]
fn a_feed_written_in_place_is_taken_when_its_writer_is_done() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let more: SortedPrefixes =
            good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect();
        host.overwrite_feed("list.txt", more.feed());
        daemon.until_members(V4, more.family(true).len());
        kernel_holds(&more);
    });
}

#[test]
fn a_feed_saved_by_an_editor_is_never_seen_as_gone() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let more: SortedPrefixes =
            good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect();
        // As vim does it: a swap file, the old version moved aside, a new file.
        host.overwrite_feed(".list.txt.swp", "b0VIM");
        let path = |name: &str| host.feeds().join(name);
        fs::rename(path("list.txt"), path("list.txt~")).expect("the feed can be moved");
        host.overwrite_feed("list.txt", more.feed());
        host.remove_feed("list.txt~");
        host.remove_feed(".list.txt.swp");
        daemon.until_members(V4, more.family(true).len());
        kernel_holds(&more);
        assert!(daemon.log().wait(0, &["gone"], Instant::now()).is_none(), "nothing was gone");
    });
}

#[test]
fn a_thousand_feeds_that_come_at_once_are_all_taken() {
    isolated(|| {
        let host = Host::new();
        let daemon = Daemon::start(&host);
        let addresses = RandomNumbers::seeded(32).addresses(1000, 4);
        for (number, address) in addresses.iter().enumerate() {
            host.feed(&format!("list{number}.txt"), format!("{address}\n"));
        }
        let all: SortedPrefixes = addresses.into_iter().collect();
        daemon.until_members(V4, all.family(true).len());
        daemon.until_members(V6, all.family(false).len());
        kernel_holds(&all);
    });
}

#[test]
fn a_deleted_feed_is_withdrawn_after_its_time_and_not_before() {
    isolated(|| {
        let daemon = "settle-ms = 20\nwithdraw-seconds = 2".into();
        let host = Host::with(&Config { daemon, ..Config::default() });
        host.feed("list.txt", good().feed());
        for number in 0..4 {
            host.feed(&format!("more{number}.txt"), format!("91.201.0.{number}\n"));
        }
        let daemon = Daemon::start(&host);
        host.remove_feed("more0.txt");
        daemon.until_feed("more0.txt", "gone");
        daemon.wait_logged(&["gone", "more0.txt"]);
        assert!(lab::witness::members(V4).contains(([91, 201, 0, 0].into(), 32)));
        daemon.wait_logged(&["withdrawn", "more0.txt"]);
        daemon.until_members(V4, good().family(true).len() + 3);
        assert!(!lab::witness::members(V4).contains(([91, 201, 0, 0].into(), 32)));
    });
}

#[test]
fn losing_most_feeds_at_once_is_a_refusal_and_no_withdrawal() {
    isolated(|| {
        let daemon = "settle-ms = 20\nwithdraw-seconds = 0\nprobe-seconds = 1".into();
        let host = Host::with(&Config { daemon, ..Config::default() });
        let names: Vec<_> = (0..8).map(|number| format!("part{number}.txt")).collect();
        let mut all = Vec::new();
        for (number, name) in names.iter().enumerate() {
            host.feed(name, format!("91.201.0.{number}\n"));
            all.push(format!("91.201.0.{number}"));
        }
        let all = SortedPrefixes::of(&all.join(" "));
        let mut daemon = Daemon::start(&host);
        kernel_holds(&all);
        fs::rename(host.feeds(), host.path("away")).expect("the directory can be moved");
        daemon.until("degraded", |status| status["degraded"] != serde_json::json!([]));
        kernel_holds(&all);
        daemon.assert_alive();
        // An empty one in its place is no better.
        fs::create_dir(host.feeds()).expect("a new directory can be made");
        daemon.until("refused", |status| {
            let feeds = status["feeds"].as_array().into_iter().flatten();
            feeds.filter(|feed| feed["state"] == "refused" || feed["state"] == "gone").count() == 8
        });
        kernel_holds(&all);
        fs::remove_dir(host.feeds()).expect("it is empty");
        fs::rename(host.path("away"), host.feeds()).expect("the directory can be moved back");
        daemon.until("well again", |status| status["degraded"] == serde_json::json!([]));
        // It is watched again.
        host.feed("part0.txt", "91.201.0.99\n");
        daemon.until("updated", |status| {
            status["in-sync"] == true && {
                lab::witness::members(V4).contains(([91, 201, 0, 99].into(), 32))
            }
        });
    });
}
