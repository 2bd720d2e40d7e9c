//! Entries with a lifetime and a time of day that is wrong for a while, or that
//! goes on while no daemon runs.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::wall::Wall;
use lab::witness::members;

use crate::{V4, kernel_holds};

/// One entry for an hour, one for ever.
const SAVE: &str = "create b hash:ip timeout 0\nadd b 91.1.0.1\nadd b 91.1.0.2 timeout 3600\n";

fn whole() -> SortedPrefixes {
    SortedPrefixes::of("91.1.0.1 91.1.0.2")
}

fn rest() -> SortedPrefixes {
    SortedPrefixes::of("91.1.0.1")
}

/// A host with entries that end, and the clock that its daemon goes by.
fn host() -> (Host, Wall) {
    let daemon = "settle-ms = 20\nprobe-seconds = 1".into();
    let host = Host::with(&Config { daemon, ..Config::default() });
    host.feed("b.txt", SAVE);
    let wall = Wall::right(&host.path("."));
    (host, wall)
}

#[test]
fn what_ended_by_a_clock_that_was_ahead_comes_back_with_the_right_time() {
    isolated(|| {
        let (host, wall) = host();
        let daemon = Daemon::start_by(&host, &wall);
        kernel_holds(&whole());
        for hours in [2, 48] {
            wall.set_ahead(hours * 60);
            daemon.until_members(V4, 1);
            kernel_holds(&rest());
            wall.set_ahead(0);
            daemon.until_members(V4, 2);
            kernel_holds(&whole());
        }
        daemon.wait_logged(&["the clock was set ahead by 7"]);
        daemon.wait_logged(&["the clock was set back by 7"]);
        daemon.stop();
    });
}

/// The daemon is started with the clock at each time of `minutes`, and each
/// time finds `want`, also if its `feed` is another by then.
fn check_restarts(feed: Option<&str>, minutes: &[(u32, SortedPrefixes)]) {
    isolated(|| {
        let (host, wall) = host();
        Daemon::start_by(&host, &wall).stop();
        kernel_holds(&whole());
        if let Some(feed) = feed {
            host.feed("b.txt", feed);
        }
        for (ahead, want) in minutes {
            wall.set_ahead(*ahead);
            let daemon = Daemon::start_by(&host, &wall);
            daemon.until("as wanted", |_| members(V4) == want.family(true));
            daemon.stop();
        }
    });
}

#[test]
fn lifetimes_go_on_over_restarts_and_never_start_again() {
    check_restarts(None, &[(40, whole()), (58, whole()), (61, rest()), (62, rest())]);
}

#[test]
fn the_copy_of_a_feed_that_is_bad_by_now_has_the_lifetimes_of_its_file() {
    let minutes = [(40, whole()), (58, whole()), (61, rest()), (62, rest())];
    check_restarts(Some("<html>\n"), &minutes);
}

#[test]
fn a_start_by_a_clock_that_is_ahead_ends_nothing_for_good() {
    check_restarts(None, &[(120, rest()), (1, whole())]);
    check_restarts(Some("<html>\n"), &[(120, rest()), (1, whole())]);
}

#[test]
fn lifetimes_that_end_one_by_one_are_summed_up_in_the_log() {
    isolated(|| {
        let host = Host::new();
        // From the second one on, that they end while the daemon runs.
        let adds = (2..=6).map(|end| format!("add b 91.1.0.{end} timeout {end}\n"));
        let save = adds.fold(SAVE.to_owned(), |save, add| save + &add);
        let daemon = Daemon::start(&host);
        host.feed("b.txt", save);
        daemon.until("all in force", |_| members(V4).len() >= 5);
        let before = daemon.log().len();
        daemon.until("all ended", |_| members(V4).len() <= 2);
        let text = daemon.log().text();
        let lines: Vec<_> = text.lines().skip(before).collect();
        assert_eq!(lines.len(), 1, "{lines:#?}");
        assert!(lines[0].contains("lifetimes in list drop have ended"), "{lines:?}");
        // What is news is told as ever.
        let more = SortedPrefixes::of("91.1.0.1 91.1.0.9 91.1.0.10");
        host.feed("b.txt", more.feed());
        daemon.until_members(V4, 3);
        let news = ["list drop has new members", "set denyset-drop-v4 was changed"];
        for line in news.into_iter().chain(["the kernel holds what the feeds say"]) {
            daemon.wait_logged_since(before, &[line]);
        }
        daemon.stop();
    });
}
