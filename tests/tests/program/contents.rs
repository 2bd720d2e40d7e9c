//! Bad contents of a feed: each leaves the last good version in force, with a
//! clear message, over a restart too, and the daemon alive.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;

use crate::{V4, good, kernel_holds};

/// Spoils a feed that was good, and expects a refusal that has all of `words`.
fn check(spoil: impl FnOnce(&Host) + Send, words: &[&str]) {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let mut daemon = Daemon::start(&host);
        daemon.until_members(V4, good().family(true).len());
        spoil(&host);
        assert_refused(&mut daemon, words);
        daemon.kill();

        // Nothing of this is forgotten by a restart.
        let mut daemon = Daemon::start(&host);
        assert_refused(&mut daemon, words);

        // What is good again goes through, and nothing needs a hand.
        host.feed("list.txt", good().feed());
        daemon.until_feed("list.txt", "current");
        kernel_holds(&good());
    });
}

fn assert_refused(daemon: &mut Daemon<'_>, words: &[&str]) {
    let feed = daemon.until_feed("list.txt", "refused");
    let reason = feed["refused"].as_str().expect("a refusal has a reason");
    for word in words {
        assert!(reason.contains(word), "`{word}` is not in: {reason}");
    }
    daemon.wait_logged(&["WARN", "feed list.txt is refused"]);
    let status = daemon.status();
    assert_eq!(status["in-sync"], true, "the last good version is what is wanted");
    let degraded = status["degraded"].to_string();
    assert!(degraded.contains("list.txt"), "the status says so at its top: {degraded}");
    kernel_holds(&good());
    daemon.assert_alive();
}

fn check_content(content: impl AsRef<[u8]> + Send, words: &[&str]) {
    check(|host| host.feed("list.txt", content), words);
}

#[test]
fn an_empty_file_is_refused() {
    check_content("", &["an empty file", "allow-empty"]);
}

#[test]
fn a_file_of_comments_is_refused() {
    check_content("# nothing today\n\n; nor tomorrow\n", &["none in 3 lines", "allow-empty"]);
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = good().feed();
    check_content(&whole[..whole.len() / 3], &["gone", "shrink-percent-max"]);
}

#[test]
fn a_web_page_is_refused() {
    let page = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body>\n\
                <h1>Bad Gateway</h1>\n<p>Your address is\n45.9.8.77\n</p></body></html>\n";
    check_content(page, &["a web page"]);
}

#[test]
fn an_answer_in_json_is_refused() {
    let words = ["a server's error message", "document"];
    check_content("{\"error\": \"rate limit exceeded\"}\n", &words);
}

#[test]
fn a_single_line_of_a_hundred_megabytes_is_refused() {
    check_content(vec![b'1'; 100 << 20], &["line"]);
}

#[test]
fn binary_noise_is_refused() {
    let mut random = RandomNumbers::seeded(21);
    let noise: Vec<u8> = (0..1 << 18).flat_map(|_| random.number().to_be_bytes()).collect();
    check_content(noise, &["binary"]);
}

#[test]
fn a_file_of_zeroes_as_a_crash_leaves_it_is_refused() {
    check_content(vec![0; 4096], &["NUL", "binary"]);
}

#[test]
fn broken_text_in_utf_16_is_refused() {
    let text = format!("\u{feff}{}", good().feed());
    let mut bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.truncate(bytes.len() - 1);
    check_content(bytes, &["UTF-16"]);
}

#[test]
fn a_list_of_host_names_is_refused() {
    check_content("www.example\nmail.example\n".repeat(25), &["at least one entry"]);
}

#[test]
fn too_many_bad_lines_are_refused_and_the_first_is_shown() {
    let text = good().feed() + &"010.0.0.1\n".repeat(40);
    check_content(text, &["rejected-percent-max", "010.0.0.1"]);
}

#[test]
fn a_feed_that_covers_half_of_the_internet_is_refused() {
    check_content(good().feed() + "128.0.0.0/1\n", &["coverage-percent-max"]);
}

#[test]
fn a_feed_that_explodes_is_refused() {
    let addresses = RandomNumbers::seeded(22).addresses(20_000, 4);
    check_content(lab::generate::feed(&addresses), &["growth-percent-max"]);
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    check(
        |host| {
            let draft = host.path("closed");
            fs::write(&draft, good().feed()).expect("a draft can be written");
            fs::set_permissions(&draft, fs::Permissions::from_mode(0o000)).expect("and closed");
            fs::rename(&draft, host.feeds().join("list.txt")).expect("and put in place");
        },
        &["readable", "ermission denied"],
    );
}

#[test]
fn a_file_that_does_not_say_whom_it_blocks_is_refused() {
    let columns = "45.9.8.1,91.200.4.4\n45.9.8.2,91.200.7.7\n".repeat(20);
    check_content(columns, &["line 1", "column"]);
    check_content(good().feed() + "!45.9.8.7\n", &["exception", "format"]);
}

#[test]
fn what_a_named_format_has_settled_is_in_doubt_again_without_it() {
    isolated(|| {
        let named = |keys: &str| {
            let tables = format!("{}\n[[feed]]\nmatch = \"*\"\n{keys}", Config::default().tables);
            Config { tables, ..Config::default() }
        };
        let host = Host::with(&named("format = \"table\"\ncolumn = 2"));
        host.feed("list.txt", "91.200.4.4,45.9.8.1\n91.200.7.7,45.9.8.2\n");
        let daemon = Daemon::start(&host);
        let both = SortedPrefixes::of("45.9.8.1 45.9.8.2");
        daemon.until_members(V4, 2);
        kernel_holds(&both);
        host.configure(&named("optional = false"));
        host.denyset("reload").exits(0);
        daemon.until_feed("list.txt", "refused");
        kernel_holds(&both);
        host.configure(&named("format = \"table\"\ncolumn = 1\nshrink-percent-max = 100"));
        host.denyset("reload").exits(0);
        daemon.until_feed("list.txt", "current");
        daemon.until_members(V4, 2);
        kernel_holds(&SortedPrefixes::of("91.200.4.4 91.200.7.7"));
    });
}

#[test]
fn what_a_guard_refused_goes_through_once_it_is_accepted() {
    isolated(|| {
        let host = Host::new();
        host.feed("list.txt", good().feed());
        let daemon = Daemon::start(&host);
        let few: SortedPrefixes = good().iter().take(20).collect();
        host.feed("list.txt", few.feed());
        let refused = daemon.until_feed("list.txt", "refused");
        kernel_holds(&good());
        // The log and the status have the very command.
        let command = refused["accept"].as_str().expect("something lets it through");
        daemon.wait_logged(&["WARN", "is refused", command]);
        let said = host.denyset("status").exits(1).stdout.clone();
        assert!(said.contains(command), "`{command}` is not in: {said}");
        host.denyset(command.strip_prefix("denyset ").expect("of this program")).exits(0);
        daemon.until_feed("list.txt", "current");
        kernel_holds(&few);
        // Once, not from now on.
        host.feed("list.txt", good().feed());
        daemon.until_members(V4, good().family(true).len());
        host.feed("list.txt", few.feed());
        daemon.until_feed("list.txt", "refused");
        kernel_holds(&good());
        // And not what cannot be meant.
        host.feed("list.txt", [0; 100]);
        let status = daemon.until("refused as binary", |status| {
            status["feeds"][0]["refused"].as_str().is_some_and(|reason| reason.contains("binary"))
        });
        assert!(status["feeds"][0]["accept"].is_null(), "nothing lets it through: {status:#}");
        host.denyset("accept list.txt").exits(2);
    });
}
