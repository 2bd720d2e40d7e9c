//! What comes of reading a feed, good or bad.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use blocklist::{Format, Guard, Limits, Options, Refusal};

use super::super::{Hindrance, Naming, Store, Taken, TreeLimits, read_only, read_path, scan};
use super::{Home, ODDITIES, Reading, name, obey_permissions, put, set_mode};

/// Reads a feed without a state directory.
fn look(home: &Home, feed: &str, limits: &TreeLimits, quiet: Duration) -> Taken<()> {
    Reading { limits: limits.clone(), quiet, ..Reading::default() }.alone(home, feed)
}

fn check(home: &Home, feed: &str, guard: Guard, expected: &str, found: &str) {
    match look(home, feed, &TreeLimits::default(), Duration::ZERO) {
        Taken::Refused(refusal) => {
            let want = Refusal { guard, expected: expected.to_owned(), found: found.to_owned() };
            assert_eq!(refusal, want, "{feed}");
        }
        other => panic!("{feed}: {other:?}"),
    }
}

/// Reads a feed against a state directory.
fn keep(home: &Home, store: &Store, feed: &str) -> Taken {
    Reading::default().against(home, store, feed)
}

#[test]
fn a_feed_is_new_once_and_the_same_until_it_changes() {
    let home = Home::new();
    let mut store = Store::open(&home.state()).expect("a store");
    home.write("sub/a", "192.0.2.1\n");
    let read = |store: &Store, want: u64| match keep(&home, store, "sub/a") {
        Taken::New { feed, version, draft } => {
            assert_eq!(feed.tally.entries, want);
            let draft = draft.expect("room for a draft");
            assert_eq!(draft.version(), version);
            draft
        }
        other => panic!("{other:?}"),
    };
    drop(read(&store, 1));
    let draft = read(&store, 1);
    store.keep(draft, SystemTime::now()).expect("kept");
    assert!(matches!(keep(&home, &store, "sub/a"), Taken::Same(_)));
    home.write("sub/a", "192.0.2.1\n192.0.2.2\n");
    let draft = read(&store, 2);
    store.keep(draft, SystemTime::now()).expect("kept");
    assert!(matches!(keep(&home, &store, "sub/a"), Taken::Same(_)));
    let copy = store.copies().load(&name("sub/a")).expect("good").expect("there");
    assert_eq!(copy.bytes, b"192.0.2.1\n192.0.2.2\n");
    assert_eq!(copy.header.tally.entries, 2);
    home.write("sub/a", "192.0.2.1\n192.0.2.3\n");
    drop(read(&store, 2));
    store.forget(&name("sub/a")).expect("forgotten");
    drop(read(&store, 2));
}

#[test]
fn the_signature_is_the_one_that_the_scan_has_seen() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n");
    put("fifo", &home.feeds().join("b"));
    let limits = &TreeLimits::default();
    let scanned = scan(&home.feeds(), limits, &Naming::PLAIN).expect("a scan");
    let signature = |feed| Reading::default().of(&home, feed, |file| read_only(file).0);
    assert_eq!(signature("a"), Some(scanned.feeds[&name("a")]));
    assert_eq!(signature("b"), Some(scanned.obstructed[&name("b")]));
    assert_eq!(signature("c"), None);
}

#[test]
fn what_is_no_file_is_refused_and_not_opened() {
    let home = Home::new();
    for oddity in ODDITIES {
        put(oddity, &home.feeds().join(oddity));
    }
    fs::create_dir(home.feeds().join("directory")).expect("a directory");
    let check = |feed, found: &str| check(&home, feed, Guard::Readable, "a regular file", found);
    check("device", "a device");
    check("directory", "a directory");
    check("fifo", "a named pipe");
    check("link", &Hindrance::Leaving.to_string());
    check("loop", &Hindrance::Leaving.to_string());
    check("socket", "a socket");
}

#[test]
fn a_file_that_may_not_be_read_is_refused() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n");
    home.write("closed/b", "192.0.2.1\n");
    obey_permissions();
    set_mode(&home.feeds().join("a"), 0o000);
    set_mode(&home.feeds().join("closed"), 0o000);
    for feed in ["a", "closed/b"] {
        let found = "Permission denied (os error 13)";
        check(&home, feed, Guard::Readable, "a file that can be read", found);
    }
    set_mode(&home.feeds().join("closed"), 0o700);
}

#[test]
fn what_is_not_there_has_vanished() {
    let home = Home::new();
    home.write("file", "192.0.2.1\n");
    for feed in ["a", "a/b", "file/b"] {
        let reading = look(&home, feed, &TreeLimits::default(), Duration::ZERO);
        assert!(matches!(reading, Taken::Vanished), "{feed}: {reading:?}");
    }
    fs::remove_dir_all(home.feeds()).expect("removed");
    let reading = look(&home, "file", &TreeLimits::default(), Duration::ZERO);
    assert!(matches!(reading, Taken::Vanished), "{reading:?}");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let home = Home::new();
    home.write("a", &"192.0.2.1\n".repeat(10));
    let limits = TreeLimits { bytes_max: 100, ..TreeLimits::default() };
    assert!(matches!(look(&home, "a", &limits, Duration::ZERO), Taken::New { .. }));
    // Sparse: a terabyte that takes no room.
    let huge = fs::File::create(home.feeds().join("huge")).expect("a file");
    huge.set_len(1 << 40).expect("a size");
    let (expected, found) = ("at most 1073741824 bytes", "1099511627776 bytes");
    check(&home, "huge", Guard::Readable, expected, found);
}

#[test]
fn a_file_that_changed_just_now_is_left_to_whoever_writes_it() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n");
    let limits = TreeLimits::default();
    let reading = look(&home, "a", &limits, Duration::from_secs(3_600));
    assert!(
        matches!(&reading, Taken::Refused(refusal) if refusal.guard == Guard::Stable),
        "{reading:?}"
    );
    assert!(matches!(look(&home, "a", &limits, Duration::ZERO), Taken::New { .. }));
}

#[test]
fn a_file_that_a_person_names_may_be_anything_with_an_end() {
    let home = Home::new();
    home.write("a", "192.0.2.1\n192.0.2.2\n");
    let link = home.feeds().join("link");
    std::os::unix::fs::symlink("a", &link).expect("a link");
    let read = |path: &Path, bytes_max| {
        read_path(path, Format::Plain.into(), &Options::default(), &Limits::default(), bytes_max)
            .map(|feed| feed.tally.entries)
            .map_err(|refusal| refusal.found)
    };
    assert_eq!(read(&link, 20), Ok(2));
    assert_eq!(read(&link, 19), Err("more than 19 bytes".to_owned()));
    assert_eq!(read(Path::new("/dev/null"), 20), Ok(0));
    assert_eq!(read(Path::new("/dev/zero"), 20), Err("more than 20 bytes".to_owned()));
    assert_eq!(read(&home.feeds(), 20), Err("is a directory".to_owned()));
    let missing = read(&home.feeds().join("missing"), 20).expect_err("nothing there");
    assert!(missing.starts_with("No such file"), "{missing}");
}

#[test]
fn what_a_link_leads_to_is_read_if_it_is_beneath() {
    let home = Home::new();
    home.write("..v1/a", "192.0.2.1\n192.0.2.2\n");
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, home.feeds().join(name)).expect("a link");
    };
    link("..v1", "..data");
    link("..data/a", "a");
    link("..data", "sub");
    for feed in ["a", "sub/a"] {
        match look(&home, feed, &TreeLimits::default(), Duration::ZERO) {
            Taken::New { feed, .. } => assert_eq!(feed.tally.entries, 2),
            other => panic!("{feed}: {other:?}"),
        }
    }
    link("/etc", "out");
    link("nothing", "dangling");
    let refused = |feed, why: Hindrance| {
        check(&home, feed, Guard::Readable, "a regular file", &why.to_string());
    };
    refused("out/passwd", Hindrance::Leaving);
    refused("dangling", Hindrance::Dangling);
}

#[test]
fn a_file_that_its_writer_has_open_is_taken_only_as_far_as_it_was_added_to() {
    let home = Home::new();
    let mut store = Store::open(&home.state()).expect("a store");
    let taken = |store: &Store, unfinished, impatient| {
        Reading { impatient, unfinished, ..Reading::default() }.against(&home, store, "a")
    };
    let check = |taken: Taken, want: Option<u64>| match taken {
        Taken::New { feed, draft, .. } => {
            assert_eq!(Some(feed.tally.entries), want);
            Some(draft.expect("room"))
        }
        Taken::Refused(refusal) => {
            assert_eq!((refusal.guard, None), (Guard::Stable, want), "{refusal}");
            None
        }
        other => panic!("{other:?}"),
    };
    home.write("a", "192.0.2.1\n192.0.2.2\n");
    check(taken(&store, true, false), None);
    let draft = check(taken(&store, false, false), Some(2)).expect("a draft");
    store.keep(draft, SystemTime::now()).expect("kept");
    // Somebody adds to it, and is in the middle of a line.
    home.write("a", "192.0.2.1\n192.0.2.2\n192.0.2.3\n192.0.2.");
    check(taken(&store, true, false), None);
    check(taken(&store, true, true), Some(3));
    // Somebody writes it anew, slowly.
    home.write("a", "198.51.100.1\n198.51.100.2\n198.51.100.3\n");
    check(taken(&store, true, true), None);
    home.write("a", "192.0.2.1\n");
    check(taken(&store, true, true), None);
    check(taken(&store, false, false), Some(1));
}
