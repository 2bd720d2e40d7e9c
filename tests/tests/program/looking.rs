//! The feeds directory is looked at again, whatever tells of changes and
//! whatever does not; and files that are never quiet are taken all the same.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::{isolated, isolated_with_mounts};
use lab::witness::{members, succeed};

use crate::{V4, good, kernel_holds};

fn host(daemon: &str) -> Host {
    let daemon = format!("settle-ms = 20\n{daemon}");
    Host::with(&Config { daemon, ..Config::default() })
}

fn has(last: u8) -> bool {
    members(V4).contains(([91, 201, 0, last].into(), 32))
}

#[test]
fn a_file_system_that_tells_nothing_is_looked_at_and_named() {
    isolated_with_mounts(|| {
        let host = host("scan-seconds = 1");
        let path = |name: &str| host.path(name);
        // Of its own, for some file systems cannot be layered.
        fs::create_dir(path("disk")).expect("a new directory");
        let tmpfs = ["-t", "tmpfs", "tmpfs"].map(OsStr::new);
        succeed("mount", &[&tmpfs[..], &[path("disk").as_os_str()]].concat());
        for layer in ["lower", "upper", "work"] {
            fs::create_dir(path("disk").join(layer)).expect("a new directory");
        }
        fs::write(path("disk/lower/bad.txt"), "91.201.0.1\n").expect("written");
        let disk = path("disk").display().to_string();
        let layers = format!("lowerdir={disk}/lower,upperdir={disk}/upper,workdir={disk}/work");
        let overlay = ["-t", "overlay", "-o", &layers, "overlay"].map(OsStr::new);
        succeed("mount", &[&overlay[..], &[host.feeds().as_os_str()]].concat());
        let daemon = Daemon::start(&host);
        assert!(has(1));
        fs::write(path("disk/lower/bad.txt"), "91.201.0.1\n91.201.0.2\n").expect("written below");
        daemon.until("seen", |_| has(2));
        let status = daemon.until("said", |status| status["remarks"] != serde_json::json!([]));
        let remark = status["remarks"][0].as_str().expect("a sentence");
        assert!(remark.contains("overlayfs") && remark.contains("every 1 s"), "{remark}");
        assert_eq!(status["degraded"], serde_json::json!([]), "{status}");
        daemon.wait_logged(&["overlayfs"]);
    });
}

#[test]
fn more_feeds_than_the_limit_stop_updates_until_some_are_gone() {
    isolated(|| {
        let mut host = host("scan-seconds = 2\nfeeds-max = 3");
        let host = &mut host;
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(host);
        for number in 0..4 {
            host.feed(&format!("more{number}.txt"), "91.201.0.1\n");
        }
        let status = daemon.until("too many", |status| {
            status["degraded"].to_string().contains("more than 3 feeds")
        });
        assert_eq!(status["in-sync"], true, "{status}");
        kernel_holds(&good());
        for number in 0..3 {
            host.remove_feed(&format!("more{number}.txt"));
        }
        daemon.until("well again", |status| status["degraded"] == serde_json::json!([]));
        daemon.until("updated", |_| has(1));
        daemon.assert_alive();
        let text = daemon.log().text();
        let told = text.lines().filter(|line| line.contains("more than 3 feeds")).count();
        assert_eq!(told, 1, "{text}");
    });
}

#[test]
fn fifty_thousand_files_are_one_line_in_the_log_and_heal_by_themselves() {
    isolated(|| {
        let host = host("scan-seconds = 2");
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let crowd = host.path("crowd");
        fs::create_dir(&crowd).expect("a new directory");
        for number in 0..50_000 {
            File::create(crowd.join(format!("{number}.txt"))).expect("an empty file");
        }
        fs::rename(&crowd, host.feeds().join("crowd")).expect("moved in");
        daemon.until("too many", |status| {
            status["degraded"].to_string().contains("more than 4096 feeds")
        });
        kernel_holds(&good());
        fs::rename(host.feeds().join("crowd"), &crowd).expect("moved away");
        host.feed("more.txt", "91.201.0.1\n");
        daemon.until("well again", |status| {
            status["degraded"] == serde_json::json!([]) && status["in-sync"] == true && has(1)
        });
        let lines = daemon.log().text().lines().count();
        assert!(lines < 60, "{lines} lines in the log");
    });
}

/// Writes to a feed as long as `work` runs.
fn meanwhile(write: impl FnMut() + Send, work: impl FnOnce()) {
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let ended = AtomicBool::new(false);
    let mut write = write;
    thread::scope(|scope| {
        let ended = &ended;
        scope.spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                write();
                thread::yield_now();
            }
        });
        // Also if it panics.
        let _end = End(ended);
        work();
    });
}

#[test]
fn a_feed_that_is_added_to_without_a_pause_is_taken_up_in_whole_lines() {
    isolated(|| {
        let daemon = "settle-ms = 100\nsettle-max-seconds = 1".into();
        let guard = "growth-percent-max = 1000000\nshrink-percent-max = 100".into();
        let host = Host::with(&Config { daemon, guard, ..Config::default() });
        host.feed("list.txt", good().feed());
        host.feed("bans.txt", "91.201.0.1\n");
        let daemon = Daemon::start(&host);
        let open = OpenOptions::new().append(true).open(host.feeds().join("bans.txt"));
        let mut file = open.expect("the feed is there");
        let mut count = 0_u32;
        // Half a line at a time, and never closed.
        let add = move || {
            let [_, high, middle, low] = count.to_be_bytes();
            write!(file, "46.{high}.").expect("written");
            writeln!(file, "{middle}.{low}").expect("written");
            count += 1;
        };
        meanwhile(add, || {
            // Nobody dumps a set meanwhile, which would keep it busy.
            let entries = |status: &serde_json::Value, name: &str| {
                let mut feeds = status["feeds"].as_array().into_iter().flatten();
                let feed = feeds.find(|feed| feed["feed"] == name);
                feed.and_then(|feed| feed["entries"].as_u64()).unwrap_or_default()
            };
            let mut before = 1;
            for _ in 0..3 {
                let status =
                    daemon.until("taken up", |status| entries(status, "bans.txt") > before);
                before = entries(&status, "bans.txt");
            }
            // And the other one as fast as ever.
            host.feed("list.txt", "91.201.0.9\n");
            daemon.until("updated", |status| entries(status, "list.txt") == 1);
        });
        // Half a line would have been rejected.
        assert!(!daemon.log().text().contains("rejected=1"), "{}", daemon.log().text());
    });
}

#[test]
fn a_new_feed_that_takes_long_to_arrive_is_in_force_as_far_as_it_is_there_and_that_is_said() {
    isolated(|| {
        let host = host("settle-max-seconds = 1\nscan-seconds = 1");
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let mut file = File::create(host.feeds().join("new.txt")).expect("it can be written");
        write!(file, "91.201.0.1\n91.201.0.2\n91.201.").expect("written");
        let status = daemon.until("said", |status| status["remarks"] != serde_json::json!([]));
        let want = "feed new.txt is still being written to, what it has so far is in force";
        assert_eq!(status["remarks"], serde_json::json!([want]), "{status}");
        assert_eq!(status["degraded"], serde_json::json!([]), "{status}");
        daemon.until("taken", |_| has(2));
        assert!(!has(3));
        let text = host.denyset("status");
        assert!(text.exits(0).stdout.contains(want), "{}", text.stdout);
        writeln!(file, "0.3").expect("written");
        drop(file);
        daemon.until("whole", |status| status["remarks"] == serde_json::json!([]) && has(3));
        daemon.stop();
    });
}

#[test]
fn half_of_a_feed_that_is_written_anew_slowly_is_never_in_force() {
    isolated(|| {
        let host = host("settle-max-seconds = 1\nscan-seconds = 1");
        let old = good();
        host.feed("list.txt", old.feed());
        let daemon = Daemon::start(&host);
        // As a download does that writes where the feed is: a good part comes,
        // and then nothing for a while.
        let mut new: Vec<_> = good().feed().lines().map(str::to_owned).collect();
        new.insert(0, "91.201.0.1".into());
        let (part, rest) = new.split_at(new.len() * 3 / 4);
        let mut file = File::create(host.feeds().join("list.txt")).expect("it can be written");
        writeln!(file, "{}", part.join("\n")).expect("written");
        // Others are not kept waiting.
        host.feed("more.txt", "91.202.0.1\n");
        daemon.until_members(V4, old.family(true).len() + 1);
        daemon.until_feed("list.txt", "refused");
        kernel_holds(&old.iter().chain(SortedPrefixes::of("91.202.0.1").iter()).collect());
        writeln!(file, "{}", rest.join("\n")).expect("written");
        drop(file);
        daemon.until_members(V4, old.family(true).len() + 2);
    });
}

/// A host that takes in what is in folders as well, and looks every second.
fn deep_host() -> Host {
    let daemon = "settle-ms = 20\nscan-seconds = 1".into();
    let tables = Config::default().tables.replace("\"*\"", "\"**\"");
    let host = Host::with(&Config { daemon, tables, ..Config::default() });
    host.feed("list.txt", good().feed());
    host.feed("sub/more.txt", "91.201.0.1\n");
    host
}

/// Changes that nothing tells of are seen by looking, and it is said that they
/// are not told, by `words`. What is below a directory is seen too.
fn check_untold(call: &str, error: &str, words: &str) {
    isolated(|| {
        let host = deep_host();
        let mut daemon = Daemon::start_failing(&host, call, error);
        daemon.expect_error("changes may be noticed late");
        assert!(has(1));
        host.feed("sub/more.txt", "91.201.0.2\n");
        daemon.until("seen", |_| has(2) && !has(1));
        host.feed("new.txt", "91.201.0.3\n");
        daemon.until("seen too", |_| has(3));
        let degraded = host.denyset_json("status").exits(1).json()["degraded"].to_string();
        let late = "changes in feeds-dir may be seen only every 1 s";
        assert!(degraded.contains(late) && degraded.contains(words), "{degraded}");
        daemon.wait_logged(&["ERROR", "changes may be noticed late", words]);
        let text = daemon.log().text();
        let told = text.lines().filter(|line| line.contains("changes may be noticed late")).count();
        assert_eq!(told, 1, "{text}");
        daemon.assert_alive();
        daemon.stop();
    });
}

#[test]
fn where_watches_are_used_up_changes_are_seen_by_looking() {
    check_untold("inotify_add_watch", "ENOSPC", "max_user_watches");
}

#[test]
fn where_there_can_be_no_watcher_changes_are_seen_by_looking() {
    check_untold("inotify_init1", "EMFILE", "max_user_instances");
}

#[test]
fn a_kernel_that_cannot_keep_paths_beneath_a_directory_follows_no_links() {
    isolated(|| {
        let host = deep_host();
        let daemon = Daemon::start_failing(&host, "openat2", "ENOSYS");
        assert!(has(1));
        host.denyset("status").exits(0);
        host.feed("sub/more.txt", "91.201.0.2\n");
        daemon.until("seen", |_| has(2) && !has(1));
        // Nothing says where a link leads, so none is followed, and it is said.
        symlink("sub/more.txt", host.feeds().join("link.txt")).expect("a link");
        let feed = daemon.until_feed("link.txt", "refused");
        assert!(feed["refused"].to_string().contains("openat2"), "{feed}");
        host.feed("list.txt", "91.201.0.9\n".to_owned() + &good().feed());
        daemon.until("seen all the same", |_| has(9) && has(2));
        daemon.stop();
    });
}

#[test]
fn a_mount_that_vanishes_is_a_refusal_and_its_return_is_seen() {
    isolated_with_mounts(|| {
        let host = host("scan-seconds = 1\nwithdraw-seconds = 0");
        let mount = || {
            let tmpfs = ["-t", "tmpfs", "tmpfs"].map(OsStr::new);
            succeed("mount", &[&tmpfs[..], &[host.feeds().as_os_str()]].concat());
            host.overwrite_feed("list.txt", good().feed());
            host.overwrite_feed("more.txt", "91.201.0.1\n");
        };
        mount();
        let want = good().iter().chain(SortedPrefixes::of("91.201.0.1").iter()).collect();
        let daemon = Daemon::start(&host);
        succeed("umount", &["--lazy".as_ref(), host.feeds().as_os_str()]);
        let feed = daemon.until_feed("list.txt", "gone");
        assert!(feed["refused"].to_string().contains("at most half"), "{feed}");
        kernel_holds(&want);
        mount();
        host.overwrite_feed("more.txt", "91.201.0.2\n");
        daemon.until("updated", |_| has(2));
    });
}

#[test]
fn what_is_written_under_another_name_is_seen_by_looking() {
    isolated(|| {
        let host = host("scan-seconds = 1");
        let daemon = Daemon::start(&host);
        let elsewhere = host.path("elsewhere");
        fs::write(&elsewhere, "91.201.0.1\n").expect("written");
        fs::hard_link(&elsewhere, host.feeds().join("hard.txt")).expect("linked");
        daemon.until("seen", |_| has(1));
        // The watch is on the directory of the other name, which tells nobody.
        fs::write(&elsewhere, "91.201.0.1\n91.201.0.2\n").expect("written");
        daemon.until("seen again", |_| has(2));
    });
}
