//! What a scan finds in a feeds directory, and what it makes of the rest.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::super::{Hindrance, ScanError, Tree, TreeLimits, scan};
use super::{Home, ODDITIES, name, obey_permissions, put, set_mode};

fn look(home: &Home) -> Tree {
    scan(&home.feeds(), &TreeLimits::default()).expect("a scan")
}

/// The names of the feeds, and what is ignored with the reason, in order.
fn check(found: &Tree, feeds: &[&str], ignored: &[&str]) {
    let names: Vec<_> = found.feeds.keys().map(ToString::to_string).collect();
    assert_eq!(names, feeds);
    let words: Vec<_> = found.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(words, ignored);
}

#[test]
fn feeds_are_found_in_all_directories_and_leftovers_are_not() {
    let home = Home::new();
    for feed in ["drop.txt", "allow/own", "a/b/c/deep", "drüben"] {
        home.write(feed, "192.0.2.1\n");
    }
    for leftover in [".hidden", "a~", "a.tmp", "a.part", "a.swp", ".git/config", "x.tmp/inside"] {
        home.write(leftover, "192.0.2.1\n");
    }
    let found = look(&home);
    check(&found, &["a/b/c/deep", "allow/own", "drop.txt", "drüben"], &[]);
    let directories = ["", "a", "a/b", "a/b/c", "allow"].map(PathBuf::from);
    assert_eq!(found.directories, directories);
    assert_eq!(found.unreadable, [] as [&str; 0]);
}

#[test]
fn an_empty_directory_is_a_good_scan() {
    assert_eq!(look(&Home::new()).directories, [PathBuf::new()]);
}

#[test]
fn a_signature_changes_with_the_file_and_only_then() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n");
    home.write("b", "192.0.2.1\n");
    let before = look(&home).feeds;
    assert_eq!(look(&home).feeds, before);
    home.write("b", "192.0.2.1\n192.0.2.2\n");
    fs::write(home.feeds().join("c.tmp"), "192.0.2.1\n").expect("written");
    fs::rename(home.feeds().join("c.tmp"), home.feeds().join("a")).expect("renamed");
    let after = look(&home).feeds;
    for feed in ["a", "b"] {
        assert_ne!(after[&name(feed)], before[&name(feed)], "{feed}");
    }
}

#[test]
fn what_is_no_file_is_named_and_obstructs_the_feed_of_its_name() {
    let home = Home::new();
    home.write("good", "192.0.2.1\n");
    for oddity in ODDITIES {
        put(oddity, &home.feeds().join(oddity));
    }
    let found = look(&home);
    check(
        &found,
        &["good"],
        &[
            "device: a device",
            "fifo: a named pipe",
            "link: a symbolic link, which is not followed",
            "loop: a symbolic link, which is not followed",
            "socket: a socket",
        ],
    );
    assert_eq!(found.obstructed.keys().map(ToString::to_string).collect::<Vec<_>>(), ODDITIES);
    assert_eq!(found.unreadable, ["device/", "fifo/", "link/", "loop/", "socket/"]);
}

#[test]
fn names_that_no_feed_can_have_are_shown_without_harm() {
    let home = Home::new();
    fs::write(home.feeds().join(OsStr::from_bytes(b"caf\xe9.txt")), "").expect("written");
    fs::write(home.feeds().join("a\nb"), "").expect("written");
    let found = look(&home);
    assert!(found.feeds.is_empty());
    let paths: Vec<_> = found.ignored.iter().map(|ignored| ignored.path.as_str()).collect();
    assert_eq!(paths, ["a\\nb", "caf\\xe9.txt"]);
    assert!(matches!(found.ignored[0].reason, Hindrance::Name(_)));
    assert_eq!(found.ignored[1].reason, Hindrance::NotUtf8);
}

#[test]
fn forty_levels_of_directories_end_at_the_sixteenth() {
    let home = Home::new();
    let deep: Vec<_> = (1..=40).map(|level| level.to_string()).collect();
    home.write(&format!("{}/feed", deep.join("/")), "192.0.2.1\n");
    home.write(&format!("{}/feed", deep[..15].join("/")), "192.0.2.1\n");
    let found = look(&home);
    let (fifteen, sixteen) = (deep[..15].join("/"), deep[..16].join("/"));
    check(
        &found,
        &[&format!("{fifteen}/feed")],
        &[&format!("{sixteen}: a directory too deep inside others")],
    );
    assert_eq!(found.unreadable, [format!("{sixteen}/")]);
}

#[test]
fn nothing_is_known_of_feeds_below_a_directory_that_cannot_be_read() {
    let home = Home::new();
    home.write("open/a", "192.0.2.1\n");
    home.write("closed/b", "192.0.2.1\n");
    home.write("listed/c", "192.0.2.1\n");
    obey_permissions();
    set_mode(&home.feeds().join("closed"), 0o000);
    set_mode(&home.feeds().join("listed"), 0o444);
    let found = look(&home);
    check(
        &found,
        &["open/a"],
        &[
            "closed: it cannot be read: Permission denied (os error 13)",
            "listed: it cannot be read: Permission denied (os error 13)",
        ],
    );
    assert_eq!(found.unreadable, ["closed/", "listed/"]);
    set_mode(&home.feeds().join("closed"), 0o700);
    set_mode(&home.feeds().join("listed"), 0o700);
}

#[test]
fn a_feeds_directory_that_is_none_is_an_error_of_its_own_kind() {
    let home = Home::new();
    let limits = TreeLimits::default();
    let fails = |path: &Path| scan(path, &limits).expect_err("no scan");
    let missing = home.0.path().join("missing");
    assert_eq!(fails(&missing), ScanError::Missing { path: missing });
    home.write("file", "192.0.2.1\n");
    let file = home.feeds().join("file");
    assert_eq!(fails(&file), ScanError::NotADirectory { path: file });
    obey_permissions();
    set_mode(&home.feeds(), 0o000);
    let closed = fails(&home.feeds());
    assert!(matches!(closed, ScanError::Unreadable { .. }), "{closed}");
    set_mode(&home.feeds(), 0o700);
}

#[test]
fn the_feeds_directory_itself_may_be_a_link() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n");
    let link = home.0.path().join("link");
    std::os::unix::fs::symlink(home.feeds(), &link).expect("a link");
    check(&scan(&link, &TreeLimits::default()).expect("a scan"), &["a"], &[]);
}

#[test]
fn more_than_the_limits_allow_is_an_error_and_not_a_part_of_it() {
    let home = Home::new();
    for feed in ["a", "b", "c/d", "e/f", "x.tmp"] {
        home.write(feed, "192.0.2.1\n");
    }
    let all = TreeLimits { feeds_max: 4, directories_max: 3, names_max: 7, ..Default::default() };
    scan(&home.feeds(), &all).expect("exactly as many as there may be");
    let check = |limits: TreeLimits, what| {
        let error = scan(&home.feeds(), &limits).expect_err("too many").to_string();
        assert!(error.contains(what), "{error}");
    };
    check(TreeLimits { feeds_max: 3, ..all.clone() }, "holds more than 3 feeds");
    check(TreeLimits { directories_max: 2, ..all.clone() }, "holds more than 2 directories");
    check(TreeLimits { names_max: 6, ..all.clone() }, "holds more than 6 names");
}
