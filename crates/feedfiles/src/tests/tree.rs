//! What a scan finds in a feeds directory, and what it makes of the rest.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use blocklist::{FeedName, Glob};

use super::super::{Hindrance, Naming, ScanError, Tree, TreeLimits, scan};
use super::{Home, ODDITIES, name, obey_permissions, put, set_mode};

fn look(home: &Home) -> Tree {
    scan(&home.feeds(), &TreeLimits::default(), &Naming::PLAIN).expect("a scan")
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
            &format!("link: {}", Hindrance::Leaving),
            &format!("loop: {}", Hindrance::Leaving),
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
    let fails = |path: &Path| scan(path, &limits, &Naming::PLAIN).expect_err("no scan");
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
    check(&scan(&link, &TreeLimits::default(), &Naming::PLAIN).expect("a scan"), &["a"], &[]);
}

#[test]
fn more_than_the_limits_allow_is_an_error_and_not_a_part_of_it() {
    let home = Home::new();
    for feed in ["a", "b", "c/d", "e/f", "x.tmp"] {
        home.write(feed, "192.0.2.1\n");
    }
    let all = TreeLimits { feeds_max: 4, directories_max: 3, names_max: 7, ..Default::default() };
    scan(&home.feeds(), &all, &Naming::PLAIN).expect("exactly as many as there may be");
    let check = |limits: TreeLimits, what| {
        let error = scan(&home.feeds(), &limits, &Naming::PLAIN).expect_err("too many").to_string();
        assert!(error.contains(what), "{error}");
    };
    check(TreeLimits { feeds_max: 3, ..all.clone() }, "holds more than 3 feeds");
    check(TreeLimits { directories_max: 2, ..all.clone() }, "holds more than 2 directories");
    check(TreeLimits { names_max: 6, ..all.clone() }, "holds more than 6 names");
}

/// What is passed over, with the rule.
fn passed_over(found: &Tree) -> Vec<String> {
    found.passed_over.iter().map(|passed| format!("{}: {}", passed.path, passed.rule)).collect()
}

#[test]
fn leftovers_are_no_feeds_unless_somebody_means_them() {
    let home = Home::new();
    for file in ["bad.txt", "x", "old/a", "lone.txt.1", "a.bak/b", "drop.save"] {
        home.write(file, "192.0.2.1\n");
    }
    for leftover in ["bad.txt.1", "sedA1b2C3", "x.old", "old/a.bak"] {
        home.write(leftover, "192.0.2.1\n");
    }
    home.write("4913", "");
    let found = look(&home);
    let feeds = ["a.bak/b", "bad.txt", "drop.save", "lone.txt.1", "old/a", "x"];
    check(&found, &feeds, &[]);
    let passed = passed_over(&found);
    assert_eq!(passed.len(), 5, "{passed:?}");
    assert!(passed[1].starts_with("bad.txt.1: its name is that of a file of wget"), "{passed:?}");
    home.write("4913", "192.0.2.1\n");
    let meant = |feed: &FeedName| feed.as_str() == "x.old";
    let naming = Naming { meant: &meant, ..Naming::PLAIN };
    let found = scan(&home.feeds(), &TreeLimits::default(), &naming).expect("a scan");
    let feeds = ["4913", "a.bak/b", "bad.txt", "drop.save", "lone.txt.1", "old/a", "x", "x.old"];
    check(&found, &feeds, &[]);
}

#[test]
fn what_the_configuration_ignores_is_no_feed_and_no_obstruction() {
    let home = Home::new();
    home.write("README.md", "read me");
    home.write("old/deep/a", "192.0.2.1\n");
    home.write("a", "192.0.2.1\n");
    put("fifo", &home.feeds().join("pipe"));
    let globs = ["*.md", "old", "pipe"].map(|glob| Glob::new(glob).expect("a glob"));
    let naming = Naming { ignore: &globs, meant: &|_| true };
    let found = scan(&home.feeds(), &TreeLimits::default(), &naming).expect("a scan");
    check(&found, &["a"], &[]);
    let want = [
        "README.md: daemon.ignore has \"*.md\"",
        "old: daemon.ignore has \"old\"",
        "pipe: daemon.ignore has \"pipe\"",
    ];
    assert_eq!(passed_over(&found), want);
}

fn link(home: &Home, target: &str, name: &str) {
    std::os::unix::fs::symlink(target, home.feeds().join(name)).expect("a link");
}

#[test]
fn links_that_stay_beneath_are_followed_as_in_a_config_map() {
    let home = Home::new();
    home.write("..v1/bad.txt", "192.0.2.1\n");
    home.write("..v1/allow/own", "192.0.2.1\n");
    link(&home, "..v1", "..data");
    link(&home, "..data/bad.txt", "bad.txt");
    link(&home, "..data/allow", "allow");
    let found = look(&home);
    check(&found, &["allow/own", "bad.txt"], &[]);
    let directories = ["", "..v1", "..v1/allow"].map(PathBuf::from);
    assert_eq!(found.directories, directories);
    for point in ["..data", "..v1/bad.txt", "bad.txt"] {
        assert!(found.waypoints.contains(Path::new(point)), "{point}: {found:?}");
    }
    // The swap is one rename, and every feed is another then.
    home.write("..v2/bad.txt", "192.0.2.1\n");
    home.write("..v2/allow/own", "192.0.2.1\n");
    link(&home, "..v2", "..data_tmp");
    let path = |name: &str| home.feeds().join(name);
    fs::rename(path("..data_tmp"), path("..data")).expect("swapped");
    let after = look(&home);
    for feed in ["allow/own", "bad.txt"] {
        assert_ne!(after.feeds[&name(feed)], found.feeds[&name(feed)], "{feed}");
    }
}

#[test]
fn links_that_lead_nowhere_good_obstruct_the_feed_of_their_name() {
    let home = Home::new();
    home.write("sub/a", "192.0.2.1\n");
    home.write("../outside", "192.0.2.1\n");
    link(&home, "../outside", "out");
    link(&home, "nothing", "dangling");
    link(&home, "round", "round");
    link(&home, "sub", "twice");
    link(&home, ".", "sub/up");
    link(&home, "/dev/null", "null");
    let found = look(&home);
    let leaving = Hindrance::Leaving;
    check(
        &found,
        &["sub/a"],
        &[
            "dangling: a symbolic link to nothing",
            &format!("null: {leaving}"),
            &format!("out: {leaving}"),
            "round: a symbolic link that leads in a circle",
            "sub/up: a symbolic link to a directory that is looked into anyway",
            "twice: a symbolic link to a directory that is looked into anyway",
        ],
    );
    let obstructed: Vec<_> = found.obstructed.keys().map(ToString::to_string).collect();
    assert_eq!(obstructed, ["dangling", "null", "out", "round"]);
}

#[test]
fn a_file_is_the_same_under_another_name_and_no_other_file_is() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n");
    let path = |name: &str| home.feeds().join(name);
    let file = |name: &str| {
        let [device, file, ..] = look(&home).feeds[&super::name(name)].numbers();
        (device, file)
    };
    let before = file("a");
    fs::rename(path("a"), path("b")).expect("renamed");
    assert_eq!(file("b"), before);
    // Often the number of the deleted file is given out again at once.
    fs::remove_file(path("b")).expect("deleted");
    home.write("a", "192.0.2.1\n");
    assert_ne!(file("a"), before);
}
