//! What nobody can account for is not taken out: a state directory that is
//! lost, a copy that is, a slip in the configuration. It is said, and a person's
//! word lets it go. The kernel's own sets are the witness.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::program::{self, ProgramOutcome};
use lab::witness::{members, names, succeed};
use rustix::process::Signal;

use crate::{V4, V6, good, kernel_holds};

/// A host whose sets are full and whose daemon has stopped.
fn loaded(config: &Config) -> Host {
    let host = Host::with(config);
    host.feed("list.txt", good().feed());
    Daemon::start(&host).stop();
    kernel_holds(&good());
    host
}

fn lose_state(host: &Host) {
    fs::remove_dir_all(host.state()).expect("the state directory was there");
    fs::create_dir(host.state()).expect("a new one");
}

/// `accept --config` of the daemon that has this host's configuration.
fn accept_config(host: &Host) -> ProgramOutcome {
    let config = host.config().into_os_string();
    program::run(["-c".into(), config, "accept".into(), "--config".into()])
}

/// Asserts that the daemon does not call this good, and names `words`.
#[track_caller]
fn is_said(host: &Host, words: &[&str]) {
    let status = host.denyset_json("status").exits(1).json();
    let degraded = status["degraded"].to_string();
    assert!(words.iter().all(|word| degraded.contains(word)), "{words:?} in {degraded}");
}

/// The state directory is lost, and then the feed is `spoilt`.
fn check_lost(spoil: impl FnOnce(&Host) + Send, words: &[&str]) {
    isolated(|| {
        let host = loaded(&Config::default());
        lose_state(&host);
        spoil(&host);
        let daemon = Daemon::start(&host);
        kernel_holds(&good());
        is_said(&host, words);
        // It is no better known after another start.
        daemon.stop();
        let daemon = Daemon::start(&host);
        kernel_holds(&good());
        is_said(&host, words);
        // A good version ends it.
        let _ = fs::remove_file(host.feeds().join("list.txt"));
        host.feed("list.txt", good().feed());
        daemon.until("in sync", |status| status["in-sync"] == true);
        kernel_holds(&good());
    });
}

#[test]
fn a_lost_state_and_a_web_page_take_nothing_out() {
    check_lost(|host| host.feed("list.txt", "<html>\n"), &["list.txt", "held"]);
}

#[test]
fn a_lost_state_and_an_empty_feed_take_nothing_out() {
    check_lost(|host| host.feed("list.txt", ""), &["list.txt", "held"]);
}

#[test]
fn a_lost_state_and_a_feed_that_breaks_off_take_nothing_out() {
    check_lost(|host| host.feed("list.txt", "45.9.8.1\n45.9."), &["list.txt", "held"]);
}

#[test]
fn a_lost_state_and_a_link_in_the_feeds_place_take_nothing_out() {
    let spoil = |host: &Host| {
        host.remove_feed("list.txt");
        symlink("/etc/hostname", host.feeds().join("list.txt")).expect("a link");
    };
    check_lost(spoil, &["list.txt", "held"]);
}

#[test]
fn a_lost_state_and_a_deleted_feed_take_nothing_out() {
    check_lost(|host| host.remove_feed("list.txt"), &["drop", "held", "accept --config"]);
}

#[test]
fn a_feed_of_which_nothing_good_is_known_is_let_go_by_a_word() {
    isolated(|| {
        let host = loaded(&Config::default());
        lose_state(&host);
        host.feed("list.txt", "<html>\n");
        let _daemon = Daemon::start(&host);
        kernel_holds(&good());
        host.denyset("accept list.txt");
        kernel_holds(&SortedPrefixes::default());
    });
}

#[test]
fn what_a_lost_state_leaves_is_let_go_by_a_word() {
    isolated(|| {
        let host = loaded(&Config::default());
        lose_state(&host);
        host.remove_feed("list.txt");
        let _daemon = Daemon::start(&host);
        kernel_holds(&good());
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
    });
}

#[test]
fn without_a_daemon_a_lost_state_takes_nothing_out_either() {
    isolated(|| {
        let host = loaded(&Config::default());
        lose_state(&host);
        host.feed("list.txt", "<html>\n");
        for _ in 0..2 {
            let outcome = host.denyset_json("apply").json();
            assert_eq!(outcome["in-sync"], false, "{outcome}");
            kernel_holds(&good());
        }
        host.feed("list.txt", good().feed());
        host.denyset("apply").exits(0);
        kernel_holds(&good());
    });
}

#[test]
fn a_lost_copy_and_a_bad_feed_take_nothing_out() {
    isolated(|| {
        let host = loaded(&Config::default());
        fs::remove_file(host.state().join("feeds/list.txt.feed")).expect("there was a copy");
        host.feed("list.txt", "<html>\n");
        let _daemon = Daemon::start(&host);
        kernel_holds(&good());
        is_said(&host, &["list.txt", "gone from state-dir", "held"]);
    });
}

#[test]
fn what_must_never_be_blocked_leaves_a_set_that_is_held() {
    isolated(|| {
        let host = loaded(&Config::default());
        lose_state(&host);
        host.feed("list.txt", "<html>\n");
        let daemon = Daemon::start(&host);
        kernel_holds(&good());
        let tables = Config::default().tables + "\nallow = [\"45.9.8.7\"]";
        host.configure(&Config { tables, ..Config::default() });
        host.denyset("reload").exits(0);
        let want = good().without(&SortedPrefixes::of("45.9.8.7"));
        // Not in sync, so that only the number can be waited for.
        daemon.until("one member less", |status| {
            let sets = status["sets"].as_array().into_iter().flatten();
            let members: u64 = sets.filter_map(|set| set["members"].as_u64()).sum();
            members == want.len() as u64
        });
        kernel_holds(&want);
        is_said(&host, &["held"]);
        let log = daemon.log().text();
        assert!(!log.contains("the kernel holds what the feeds say"), "{log}");
    });
}

/// Where the configuration says `text`, as messages begin that tell it.
fn place(host: &Host, text: &str) -> String {
    let config = fs::read_to_string(host.config()).expect("the configuration is there");
    let at = config.find(text).expect("it says that");
    let line = config[..at].matches('\n').count() + 1;
    let column = at - config[..at].rfind('\n').map_or(0, |newline| newline + 1) + 1;
    format!("{}:{line}:{column}: ", host.config().display())
}

/// A list whose glob was mistyped.
fn mistyped() -> Config {
    let tables = Config::default().tables.replace("\"*\"", "\"*.nets\"");
    Config { tables, ..Config::default() }
}

#[test]
fn a_mistyped_glob_is_refused_at_a_reload_and_can_be_accepted() {
    isolated(|| {
        let host = loaded(&Config::default());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        host.configure(&mistyped());
        host.denyset("check").exits(1);
        let place = place(&host, "\"*.nets\"");
        host.denyset("reload").exits(78).complains(&[&place, "list drop", "accept --config"]);
        kernel_holds(&good());
        let refused = format!("reload refused: {place}list drop would lose");
        is_said(&host, &[&refused, "accept --config"]);
        daemon.wait_logged(&["ERROR", "the new configuration is refused", &place]);
        daemon.wait_notified(&format!("STATUS={refused}"));
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
        host.denyset("status").exits(0);
        daemon.assert_alive();
    });
}

#[test]
fn a_word_on_a_refused_configuration_lets_no_other_one_through() {
    isolated(|| {
        let host = loaded(&Config::default());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        host.configure(&mistyped());
        host.denyset("reload").exits(78);
        let tables = Config::default().tables.replace("\"*\"", "\"another\"");
        host.configure(&Config { tables, ..Config::default() });
        accept_config(&host).exits(78).complains(&["drop", "accept --config"]);
        kernel_holds(&good());
        // That one was seen to be refused now.
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
    });
}

#[test]
fn a_mistyped_glob_is_refused_at_a_hangup_and_mended_by_the_next() {
    isolated(|| {
        let host = loaded(&Config::default());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        host.configure(&mistyped());
        daemon.signal(Signal::HUP);
        daemon.wait_logged(&["ERROR", "the new configuration is refused", "drop"]);
        kernel_holds(&good());
        host.configure(&Config::default());
        daemon.signal(Signal::HUP);
        daemon.until("in sync again", |status| {
            status["in-sync"] == true && status["degraded"].as_array().is_some_and(Vec::is_empty)
        });
        kernel_holds(&good());
    });
}

#[test]
fn a_mistyped_glob_holds_full_sets_at_a_start_until_it_is_accepted() {
    isolated(|| {
        let host = loaded(&Config::default());
        host.configure(&mistyped());
        for _ in 0..2 {
            let daemon = Daemon::start(&host);
            kernel_holds(&good());
            is_said(&host, &["drop", "held", "accept --config"]);
            daemon.stop();
        }
        let _daemon = Daemon::start(&host);
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
    });
}

#[test]
fn an_exception_whose_glob_matches_nothing_any_more_is_missed() {
    isolated(|| {
        let with = |allow: &str| {
            let tables = Config::default().tables + &format!("\nallow = [\"{allow}\"]");
            Config { tables, ..Config::default() }
        };
        let host = Host::with(&with("allow/*"));
        fs::create_dir(host.feeds().join("allow")).expect("a folder");
        host.feed("allow/office", "45.9.8.7\n");
        host.feed("list.txt", good().feed());
        let want = good().without(&SortedPrefixes::of("45.9.8.7"));
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        kernel_holds(&want);
        host.configure(&with("alow/*"));
        host.denyset("reload")
            .exits(78)
            .complains(&[&place(&host, "\"alow/*\""), "accept --config"]);
        kernel_holds(&want);
        daemon.stop();
        // The same at a start: whom it kept out stays out.
        let _daemon = Daemon::start(&host);
        kernel_holds(&want);
        is_said(&host, &["alow/*", "held"]);
    });
}

/// The same host, but with files that are no feeds by its configuration.
fn ignoring(globs: &str) -> Config {
    let daemon = format!("{}\nignore = [{globs}]", Config::default().daemon);
    Config { daemon, ..Config::default() }
}

#[test]
fn to_ignore_what_lists_are_made_of_is_refused_and_can_be_accepted() {
    isolated(|| {
        let host = loaded(&Config::default());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        host.configure(&ignoring("\"**\""));
        let place = place(&host, "\"**\"");
        host.denyset("reload").exits(78).complains(&[&place, "list drop would lose"]);
        kernel_holds(&good());
        is_said(&host, &["reload refused", &place, "accept --config"]);
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
        host.denyset("status").exits(0);
        // What is a feed again comes back.
        host.configure(&Config::default());
        host.denyset("reload").exits(0);
        kernel_holds(&good());
        daemon.assert_alive();
    });
}

#[test]
fn to_ignore_an_exception_is_refused() {
    isolated(|| {
        let tables = Config::default().tables + "\nallow = [\"allow/*\"]";
        let host = Host::with(&Config { tables: tables.clone(), ..Config::default() });
        fs::create_dir(host.feeds().join("allow")).expect("a folder");
        host.feed("allow/office", "45.9.8.7\n");
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        daemon.expect_error("the new configuration is refused");
        host.configure(&Config { tables, ..ignoring("\"allow\"") });
        host.denyset("reload").exits(78).complains(&[&place(&host, "\"allow/*\""), "no feed"]);
        kernel_holds(&good().without(&SortedPrefixes::of("45.9.8.7")));
        daemon.assert_alive();
    });
}

#[test]
fn to_ignore_what_makes_up_little_is_done() {
    isolated(|| {
        let host = loaded(&Config::default());
        host.feed("more.txt", "91.201.0.1\n");
        let daemon = Daemon::start(&host);
        daemon.until_members(V4, good().family(true).len() + 1);
        host.configure(&ignoring("\"more.*\""));
        host.denyset("reload").exits(0);
        kernel_holds(&good());
        daemon.stop();
    });
}

#[test]
fn sets_that_are_full_of_what_is_ignored_at_a_start_are_held() {
    isolated(|| {
        let host = loaded(&Config::default());
        host.configure(&ignoring("\"**\""));
        let _daemon = Daemon::start(&host);
        kernel_holds(&good());
        is_said(&host, &["drop", "held", "accept --config"]);
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
    });
}

#[test]
fn sets_that_are_full_of_what_is_too_old_by_a_new_age_at_a_start_are_held() {
    isolated(|| {
        let host = loaded(&Config::default());
        let tables = Config::default().tables
            + "\n[[feed]]\nmatch = \"*\"\nmax-age = \"1m\"\nwhen-stale = \"drop\"\n";
        let file = fs::File::options().append(true).open(host.feeds().join("list.txt"));
        let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
        file.and_then(|file| file.set_modified(hour_ago)).expect("a time of a file");
        // It changed a moment ago, so it is not read at once.
        let daemon = "settle-ms = 500".into();
        host.configure(&Config { daemon, tables, ..Config::default() });
        let _daemon = Daemon::start(&host);
        kernel_holds(&good());
        is_said(&host, &["drop", "held", "age", "accept --config"]);
        accept_config(&host).exits(0);
        kernel_holds(&SortedPrefixes::default());
    });
}

#[test]
fn what_was_ignored_counts_for_a_configuration_that_takes_it_in() {
    isolated(|| {
        let tables = Config::default().tables.replace("\"*\"", "\"list.*\"");
        assert_ne!(tables, Config::default().tables, "another glob");
        let host = loaded(&Config { tables: tables.clone(), ..ignoring("\"new.*\"") });
        host.feed("new.txt", good().feed());
        let daemon = Daemon::start(&host);
        let tables = tables.replace("\"list.*\"", "\"new.*\"");
        host.configure(&Config { tables, ..Config::default() });
        host.denyset("reload").exits(0);
        kernel_holds(&good());
        daemon.stop();
    });
}

#[test]
fn a_list_that_is_taken_out_was_meant() {
    isolated(|| {
        let host = loaded(&Config::default());
        let _daemon = Daemon::start(&host);
        host.configure(&Config { tables: String::new(), ..Config::default() });
        host.denyset("reload").exits(0);
        assert!(!names().iter().any(|name| name == V4 || name == V6), "{:?}", names());
    });
}

#[test]
fn a_small_loss_after_a_lost_state_waits_as_long_as_a_deleted_feed_does() {
    isolated(|| {
        let daemon = "settle-ms = 20\nwithdraw-seconds = 2".to_owned();
        let host = loaded(&Config { daemon, ..Config::default() });
        lose_state(&host);
        let fewer = good().without(&SortedPrefixes::of("45.9.8.7"));
        host.feed("list.txt", fewer.feed());
        let daemon = Daemon::start(&host);
        assert!(members(V4).len() >= fewer.family(true).len());
        daemon.until_members(V4, fewer.family(true).len());
        kernel_holds(&fewer);
        daemon.until("in sync", |status| status["in-sync"] == true);
    });
}

#[test]
fn lifetimes_count_from_the_last_writing_after_a_restart_too() {
    isolated(|| {
        let host = Host::new();
        let save = "create b hash:ip timeout 7200\nadd b 91.1.0.2 timeout 3600\n";
        host.feed("b.txt", save);
        let file = host.feeds().join("b.txt");
        let touch = |ago| succeed("touch", &["-d".as_ref(), ago, file.as_os_str()]);
        touch("2 hours ago".as_ref());
        let daemon = Daemon::start(&host);
        kernel_holds(&SortedPrefixes::default());
        let copies = host.state().join("feeds");
        // The same bytes again: an hour begins.
        touch("now".as_ref());
        let noted = |_: &_| {
            let names = fs::read_dir(&copies).expect("the copies").map(|name| name.expect("one"));
            names.into_iter().any(|name| name.file_name().to_string_lossy().ends_with(".written"))
        };
        daemon.until("noted", noted);
        let entry = SortedPrefixes::of("91.1.0.2");
        daemon.until_members(V4, entry.len());
        daemon.stop();
        // What is noted is all that tells: the file is bad, and its time old.
        host.feed("b.txt", "<html>\n");
        let daemon = Daemon::start(&host);
        kernel_holds(&entry);
        daemon.stop();
    });
}
