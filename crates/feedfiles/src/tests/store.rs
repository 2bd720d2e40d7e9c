//! What a state directory gives back, after good days and bad ones.

use std::fs;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use blocklist::{FeedName, Format, Guard, Limits, Options, Refusal, parse};

use super::super::{Copies, CopyError, Draft, Manner, Restored, Store, VersionId};
use super::{Home, name, obey_permissions, put, set_mode};

const TEXT: &str = "192.0.2.1\n198.51.100.0/24\n";

/// Plain, and said so.
const fn named(options: &Options) -> Manner<'_> {
    Manner { format: Format::Plain, detected: false, options }
}

fn lay_down(store: &Store, feed: &str, text: &str) -> Result<Draft, Refusal> {
    let parsed = parse(text.as_bytes(), Format::Plain, &Limits::default());
    let options = Options::default();
    let (manner, drafts) = (named(&options), store.drafts());
    let laid_down = drafts.lay_down(&name(feed), manner, text.as_bytes(), at(500));
    laid_down.map(|uncounted| uncounted.counted(parsed.tally))
}

fn keep(mut store: impl std::borrow::BorrowMut<Store>, feed: &str, text: &str) {
    let store = store.borrow_mut();
    let draft = lay_down(store, feed, text).expect("laid down");
    store.keep(draft, at(1_000)).expect("kept");
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn open(home: &Home) -> Store {
    Store::open(&home.state()).expect("a store")
}

fn restore(home: &Home) -> Restored {
    open(home).restore(&Limits::default(), |_| true).expect("restored")
}

fn files(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.state().join("feeds")).expect("a directory");
    let name = |entry: fs::DirEntry| entry.file_name().into_string().expect("text");
    let mut names: Vec<_> = entries.map(|entry| name(entry.expect("an entry"))).collect();
    names.sort();
    names
}

#[test]
fn what_is_kept_is_there_after_a_restart() {
    let home = Home::new();
    let long = format!("{}/x", "long".repeat(60));
    for feed in ["a", "sub/b", long.as_str()] {
        keep(open(&home), feed, TEXT);
    }
    let restored = restore(&home);
    assert!(restored.damaged.is_empty());
    assert_eq!(restored.feeds.len(), 3);
    for (feed, found) in &restored.feeds {
        let times = (found.written, found.accepted, found.gone);
        assert_eq!(times, (at(500), at(1_000), None), "{feed}");
        assert_eq!(found.feed, parse(TEXT.as_bytes(), Format::Plain, &Limits::default()));
        let copy = open(&home).copies().load(feed).expect("good").expect("there");
        assert_eq!(copy.bytes, TEXT.as_bytes());
    }
    assert_eq!(open(&home).copies().load(&name("c")).expect("good"), None);
}

#[test]
fn a_lower_limit_on_entries_does_not_cut_what_was_accepted() {
    let home = Home::new();
    keep(open(&home), "a", TEXT);
    let limits = Limits { entries_max: 1, ..Limits::default() };
    let restored = open(&home).restore(&limits, |_| true).expect("restored");
    assert_eq!(restored.feeds[&name("a")].feed.tally.entries, 2);
}

#[test]
fn a_draft_is_nothing_until_it_is_kept() {
    let home = Home::new();
    let mut store = open(&home);
    keep(&mut store, "a", TEXT);
    let draft = lay_down(&store, "a", "192.0.2.9\n").expect("laid down");
    assert_eq!(files(&home).len(), 2);
    assert!(
        store.copies().holds(&name("a"), named(&Options::default()), TEXT.as_bytes()).is_some()
    );
    drop(draft);
    assert_eq!(files(&home), ["a.feed"]);
    assert!(
        store.copies().holds(&name("a"), named(&Options::default()), TEXT.as_bytes()).is_some()
    );
    assert!(store.copies().holds(&name("a"), named(&Options::default()), b"192.0.2.9\n").is_none());
    assert!(
        store.copies().holds(&name("b"), named(&Options::default()), TEXT.as_bytes()).is_none()
    );
}

#[test]
fn what_a_killed_writer_has_left_is_swept() {
    let home = Home::new();
    let mut store = open(&home);
    keep(&mut store, "a", TEXT);
    // As after SIGKILL, nobody tidies up.
    std::mem::forget(lay_down(&store, "a", "192.0.2.9\n").expect("laid down"));
    assert_eq!(files(&home).len(), 2);
    assert_eq!(restore(&home).feeds.len(), 1);
    assert_eq!(files(&home), ["a.feed"]);
}

#[test]
fn a_damaged_copy_is_set_aside_and_never_used() {
    let check = |what: &str, damage: &dyn Fn(&fs::File, u64), is: fn(&CopyError) -> bool| {
        let home = Home::new();
        keep(open(&home), "a", TEXT);
        keep(open(&home), "b", TEXT);
        let path = home.state().join("feeds/a.feed");
        let file = fs::OpenOptions::new().write(true).open(path).expect("a file");
        damage(&file, file.metadata().expect("there").len());
        let restored = restore(&home);
        let names: Vec<_> = restored.feeds.keys().collect();
        assert_eq!(names, [&name("b")], "{what}");
        let [damaged] = restored.damaged.as_slice() else { panic!("{what}: {restored:?}") };
        assert_eq!(damaged.feed, Some(name("a")), "{what}");
        assert!(is(&damaged.error), "{what}: {damaged}");
        assert_eq!(files(&home), ["a.feed.corrupt", "b.feed"], "{what}");
        assert!(restore(&home).damaged.is_empty(), "{what}: told once");
    };
    let overwrite = |file: &fs::File, byte: u8, at: u64| {
        file.write_all_at(&[byte], at).expect("written");
    };
    let is_length = |error: &CopyError| matches!(error, CopyError::Length { .. });
    check("empty", &|file, _| file.set_len(0).expect("cut"), |error| {
        matches!(error, CopyError::Foreign)
    });
    check("cut", &|file, length| file.set_len(length - 1).expect("cut"), is_length);
    check("longer", &|file, length| overwrite(file, b'\n', length), is_length);
    check("a byte of the feed", &|file, length| overwrite(file, b'3', length - 2), |error| {
        matches!(error, CopyError::Checksum)
    });
    check("a byte of the header", &|file, _| overwrite(file, b'X', 40), |error| {
        matches!(error, CopyError::Header(_))
    });
    check("another version", &|file, _| overwrite(file, b'2', 13), |error| {
        matches!(error, CopyError::Foreign)
    });
    check(
        "zeros",
        &|file, length| {
            file.write_all_at(&vec![0; usize::try_from(length).expect("small")], 0)
                .expect("written");
        },
        |error| matches!(error, CopyError::Foreign),
    );
}

#[test]
fn a_copy_under_another_feeds_name_is_not_that_feeds() {
    let home = Home::new();
    keep(open(&home), "a", TEXT);
    let copies = home.state().join("feeds");
    fs::copy(copies.join("a.feed"), copies.join("b.feed")).expect("copied");
    let error = open(&home).copies().load(&name("b")).expect_err("misnamed");
    assert_eq!(error.to_string(), "it is a copy of a");
    let restored = restore(&home);
    assert_eq!(restored.feeds.keys().collect::<Vec<_>>(), [&name("a")]);
    assert_eq!(restored.damaged.len(), 1);
}

#[test]
fn what_is_no_file_among_the_copies_does_no_harm() {
    let home = Home::new();
    keep(open(&home), "a", TEXT);
    put("fifo", &home.state().join("feeds/b.feed"));
    put("link", &home.state().join("feeds/c.feed"));
    fs::create_dir(home.state().join("feeds/d.feed")).expect("a directory");
    let restored = restore(&home);
    assert_eq!((restored.feeds.len(), restored.damaged.len()), (1, 3));
}

#[test]
fn a_feed_that_is_gone_is_remembered_as_gone_until_it_is_back() {
    let home = Home::new();
    keep(open(&home), "a", TEXT);
    let gone = || restore(&home).feeds[&name("a")].gone;
    assert_eq!(gone(), None);
    open(&home).note_gone(&name("a"), Some(at(2_000))).expect("noted");
    assert_eq!(gone(), Some(at(2_000)));
    open(&home).note_gone(&name("a"), None).expect("noted");
    assert_eq!(gone(), None);
    open(&home).note_gone(&name("a"), Some(at(3_000))).expect("noted");
    open(&home).forget(&name("a")).expect("forgotten");
    open(&home).forget(&name("a")).expect("forgotten already");
    assert_eq!(files(&home), [] as [&str; 0]);
    fs::write(home.state().join("feeds/a.feed.gone"), "yesterday").expect("written");
    keep(open(&home), "a", TEXT);
    assert_eq!(gone(), None, "a note that is none");
}

#[test]
fn the_state_is_nobody_elses_business() {
    let home = Home::new();
    keep(open(&home), "a", TEXT);
    let check = |path: &str, want| {
        let found = fs::metadata(home.0.path().join(path)).expect("there");
        assert_eq!(found.permissions().mode() & 0o777, want, "{path}");
    };
    check("state", 0o700);
    check("state/feeds", 0o700);
    check("state/feeds/a.feed", 0o600);
}

#[test]
fn a_state_directory_that_cannot_be_says_which_and_why() {
    let home = Home::new();
    let fails = |path: &str| {
        let error = Store::open(&home.0.path().join(path)).expect_err("no store").to_string();
        assert!(error.contains(path), "{error}");
        error
    };
    assert!(fails("missing/state").starts_with("cannot create state-dir "));
    fs::write(home.0.path().join("file"), "").expect("written");
    assert!(fails("file").contains("Not a directory"));
}

#[test]
fn whoever_only_reads_leaves_everything_as_it_is() {
    let home = Home::new();
    assert!(Copies::open(&home.state()).expect("none yet").is_none());
    assert!(!home.state().exists());
    let store = open(&home);
    let _draft = lay_down(&store, "a", TEXT).expect("laid down");
    fs::write(home.state().join("feeds/b.feed"), "damaged").expect("written");
    let before = files(&home);
    let copies = Copies::open(&home.state()).expect("opened").expect("there");
    assert_eq!(copies.restore(&Limits::default(), |_| true).expect("restored").damaged.len(), 1);
    assert_eq!(files(&home), before);
}

#[test]
fn a_copy_that_cannot_be_read_now_is_neither_damaged_nor_set_aside() {
    let home = Home::new();
    keep(open(&home), "a", TEXT);
    keep(open(&home), "b", TEXT);
    obey_permissions();
    let path = home.state().join("feeds/a.feed");
    set_mode(&path, 0o000);
    let restored = restore(&home);
    assert_eq!(restored.feeds.keys().collect::<Vec<_>>(), [&name("b")]);
    assert!(restored.damaged.is_empty(), "{restored:?}");
    assert_eq!(restored.unread[0].feed, Some(name("a")));
    assert_eq!(files(&home), ["a.feed", "b.feed"]);
    set_mode(&path, 0o600);
    assert_eq!(restore(&home).feeds.len(), 2);
}

#[test]
fn a_file_written_again_without_a_change_keeps_its_lifetimes_over_a_restart() {
    let home = Home::new();
    let mut store = open(&home);
    keep(&mut store, "a", TEXT);
    let version = restore(&home).feeds[&name("a")].version;
    let later = at(700) + Duration::from_nanos(5);
    let mut note = |version, written| {
        store.note_rewritten(&name("a"), version, written).expect("noted");
        restore(&home).feeds[&name("a")].written
    };
    assert_eq!(note(version, later), later);
    assert_eq!(note(version, at(400)), at(500), "never earlier than the copy");
    let other = VersionId { crc32: !version.crc32, ..version };
    assert_eq!(note(other, later), at(500), "about another version");
    store.forget(&name("a")).expect("forgotten");
    assert_eq!(files(&home), [] as [&str; 0]);
}

/// Puts a copy there as it was written before headers knew `select`, `where`
/// and the columns of ends and lengths, and a note beside it that its file was
/// written again.
fn put_early_copy(home: &Home, format: Format, text: &str) {
    let crc32 = crc32fast::hash(text.as_bytes());
    let header = format!(
        "{{\"feed\":\"a\",\"format\":\"{format}\",\"column\":null,\"path\":null,\
         \"written\":\"1970-01-01T00:08:20Z\",\"accepted\":\"1970-01-01T00:16:40Z\",\
         \"bytes\":{},\"crc32\":{crc32},\"entries\":2,\"ipv4\":2,\"ipv6\":0,\
         \"duplicates\":0,\"rejected\":0,\"masked\":0}}\n",
        text.len()
    );
    let header_crc32 = crc32fast::hash(header.as_bytes());
    let copy = format!("denyset-feed 1 {:08x} {header_crc32:08x}\n{header}{text}", header.len());
    let reading = crc32fast::hash(format!("[\"{format}\",null,null]").as_bytes());
    let note = format!("{} {crc32:08x} {reading:08x} 1970-01-01T00:11:40Z\n", text.len());
    drop(open(home));
    fs::write(home.state().join("feeds/a.feed"), copy).expect("written");
    fs::write(home.state().join("feeds/a.feed.written"), note).expect("written");
}

#[test]
fn a_copy_from_before_the_later_options_stays_in_force_with_its_lifetimes() {
    let check = |format: Format, text: &str, prefixes: &[&str], doubted: bool| {
        let home = Home::new();
        put_early_copy(&home, format, text);
        let Restored { feeds, damaged, unread } = restore(&home);
        assert!(damaged.is_empty() && unread.is_empty(), "{format}: {damaged:?} {unread:?}");
        let found = &feeds[&name("a")];
        let shown: Vec<_> = found.feed.prefixes.iter().map(|prefix| prefix.to_string()).collect();
        assert_eq!(shown, prefixes, "{format}");
        assert_eq!(found.feed.doubt.is_some(), doubted, "{format}: {:?}", found.feed.doubt);
        assert_eq!((found.accepted, found.written), (at(1_000), at(700)), "{format}");
        let options = Options::default();
        let store = open(&home);
        let manners = [true, false].map(|detected| Manner { format, detected, options: &options });
        let held = manners.map(|manner| store.copies().holds(&name("a"), manner, text.as_bytes()));
        assert_eq!(held, [None, None], "{format}: the file is read anew and judged");
    };
    check(Format::Plain, TEXT, &["192.0.2.1", "198.51.100.0/24"], false);
    // What is refused today was good then; it holds what it names until the
    // feed has a version that is good today.
    let sets = "add one 192.0.2.1\nadd two 192.0.2.9\n";
    check(Format::Ipset, sets, &["192.0.2.1", "192.0.2.9"], true);
    let foreign = "192.0.2.1\n!192.0.2.7\n192.0.2.9\n";
    check(Format::Plain, foreign, &["192.0.2.1", "192.0.2.9"], false);
}

#[test]
fn what_nobody_wants_for_thirty_days_goes() {
    let home = Home::new();
    let long = format!("{}/x", "long".repeat(60));
    for feed in ["wanted", "unwanted", "back", long.as_str()] {
        keep(open(&home), feed, TEXT);
    }
    open(&home).note_gone(&name("unwanted"), Some(at(1))).expect("noted");
    open(&home).note_gone(&name("wanted"), Some(at(1))).expect("noted");
    let mut store = open(&home);
    let own = lay_down(&store, "wanted", "192.0.2.9\n").expect("laid down");
    for file in ["x.feed.corrupt", "y.feed.gone", ".candidate-0-7"] {
        fs::write(home.state().join("feeds").join(file), "").expect("written");
    }
    let mut look = |day: u64| {
        // One that comes back to a list begins anew.
        let wanted = |feed: &FeedName| match feed.as_str() {
            "wanted" => true,
            "back" => day == 20,
            _ => false,
        };
        store.clear_unwanted(wanted, at(day * 86_400)).expect("cleared")
    };
    for day in 1..30 {
        assert_eq!(look(day), [] as [&str; 0], "day {day}");
        assert_eq!(look(day), [] as [&str; 0], "twice on day {day}");
    }
    let removed = look(30);
    assert_eq!(removed.len(), 5, "{removed:?}");
    drop(own);
    assert_eq!(files(&home), [".unwanted", "back.feed", "wanted.feed", "wanted.feed.gone"]);
    assert_eq!(look(49), [] as [&str; 0]);
    assert_eq!(restore(&home).feeds.len(), 2);
}

/// Set in the process that has a tiny disk.
const HAS_A_TINY_DISK: &str = "DENYSET_TEST_TINY_DISK";

#[test]
fn a_full_disk_is_a_refusal_and_the_last_good_copy_stays() {
    if let Some(disk) = std::env::var_os(HAS_A_TINY_DISK) {
        return fill(Path::new(&disk));
    }
    let disk = tempfile::tempdir().expect("a directory");
    let path = module_path!().split_once("::").expect("a crate and a path").1;
    let test = "a_full_disk_is_a_refusal_and_the_last_good_copy_stays";
    // A mount namespace of its own, as root or in a user namespace.
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(r#"mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@""#)
        .arg(disk.path())
        .arg(std::env::current_exe().expect("this test"))
        .args(["--exact", &format!("{path}::{test}"), "--nocapture"])
        .env(HAS_A_TINY_DISK, disk.path())
        .output()
        .expect("unshare runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "with a tiny disk: {told}");
    assert!(told.contains("the disk was full"), "the test did not run there: {told}");
}

fn fill(disk: &Path) {
    let mut store = Store::open(disk).expect("a store");
    keep(&mut store, "a", TEXT);
    let large = "192.0.2.1\n".repeat(10_000);
    let refusal = lay_down(&store, "a", &large).expect_err("no room");
    assert_eq!(refusal.guard, Guard::Kept);
    assert!(
        refusal.found.starts_with("state-dir cannot take it: No space left"),
        "{}",
        refusal.found
    );
    let names = || fs::read_dir(disk.join("feeds")).expect("a directory").count();
    assert_eq!(names(), 1, "nothing half written is left");
    assert!(
        store.copies().holds(&name("a"), named(&Options::default()), TEXT.as_bytes()).is_some()
    );
    keep(&mut store, "b", TEXT);
    assert_eq!(names(), 2, "what fits is kept");
    eprintln!("the disk was full");
}
