//! What programs find in a directory of theirs, when it is written, and what is
//! left alone.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;

use blocklist::List;
use reconcile::SetPrefix;
use tempfile::TempDir;

use super::*;
use crate::snapshot::{ListFacts, SetFacts};

/// A snapshot of one list that holds these addresses, and a prefix of IPv6.
fn snapshot(revision: u64, hosts: Option<&[u32]>) -> Snapshot {
    let mut facts = SnapshotFacts::nothing();
    facts.prefix = SetPrefix::new("denyset-").expect("a prefix");
    facts.generation = revision;
    let list =
        List { name: "drop".to_owned(), feeds: Vec::new(), allow: Vec::new(), protect: Vec::new() };
    for family in Family::ALL {
        let members = hosts.map(|hosts| match family {
            Family::Ipv4 => Members::V4(PrefixSet::from_hosts(hosts.to_vec())),
            Family::Ipv6 => Members::V6(PrefixSet::from_hosts(vec![1 << 96])),
        });
        let desired = members.clone().unwrap_or_else(|| Members::none(family));
        let set = SetFacts { desired, members, seen: None, applied: None, verified: None };
        facts.sets.insert(facts.prefix.live(&list.name, family).expect("a name"), set);
    }
    facts.lists.push(ListFacts { list: Arc::new(list), held: None });
    Snapshot { revision, facts }
}

/// The same while the kernel is on the way to it.
fn half_way(revision: u64, hosts: &[u32]) -> Snapshot {
    let mut snapshot = snapshot(revision, Some(hosts));
    for set in snapshot.facts.sets.values_mut() {
        set.desired = Members::none(Family::Ipv4);
    }
    snapshot
}

/// A directory, exports to one file in it, and the file.
fn exports(format: ExportFormat) -> (TempDir, PathBuf, Exports) {
    let directory = TempDir::new().expect("a directory");
    let path = directory.path().join("drop.txt");
    let mut exports = Exports::default();
    exports.configure(&[asked(format, &path)]);
    (directory, path, exports)
}

fn asked(format: ExportFormat, path: &Path) -> ExportConfig {
    ExportConfig {
        list: "drop".to_owned(),
        format,
        path: path.to_owned(),
        mode: 0o604,
        owner_group: None,
        min_interval: Duration::from_secs(30),
        at: configuration::Place::default(),
    }
}

#[track_caller]
fn check(path: &Path, want: &str) {
    assert_eq!(fs::read_to_string(path).expect("a file"), want);
}

fn names(directory: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(directory.path()).expect("a directory");
    let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> =
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_change_is_written_after_the_interval_and_others_meanwhile_with_it() {
    let (directory, path, mut exports) = exports(ExportFormat::Plain);
    let begun = Instant::now();
    let after = |seconds| begun + Duration::from_secs(seconds);
    let outcome = exports.give(&snapshot(1, Some(&[1])), begun);
    assert!(outcome.failures.is_empty() && outcome.again.is_none(), "{outcome:?}");
    assert_eq!(outcome.news[0].exported, Exported { prefixes: 2, left_out: 0 });
    let known = |outcome: &ExportOutcome| {
        let written = outcome.files[0].written.expect("it was written");
        (written.generation, written.exported.prefixes, outcome.files[0].failure.clone())
    };
    assert_eq!(known(&outcome), (1, 2, None));
    check(&path, "0.0.0.1\n0:1::\n");
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o604);
    assert_eq!(exports.give(&snapshot(2, Some(&[1, 2])), after(1)).again, Some(after(30)));
    assert_eq!(exports.give(&snapshot(3, Some(&[1, 3])), after(2)).again, Some(after(30)));
    check(&path, "0.0.0.1\n0:1::\n");
    exports.give(&snapshot(3, Some(&[1, 3])), after(30));
    check(&path, "0.0.0.1\n0.0.0.3\n0:1::\n");
    // What went and came back meanwhile is no change.
    assert_eq!(exports.give(&snapshot(4, Some(&[1])), after(31)).again, Some(after(60)));
    let outcome = exports.give(&snapshot(5, Some(&[1, 3])), after(32));
    assert_eq!((outcome.again, known(&outcome)), (None, (5, 3, None)));
    assert_eq!(names(&directory), ["drop.txt"]);
}

#[test]
fn a_file_that_says_the_same_already_is_left_as_it_is() {
    let (_directory, path, mut exports) = exports(ExportFormat::Plain);
    exports.give(&snapshot(1, Some(&[1])), Instant::now());
    let inode = fs::metadata(&path).expect("a file").ino();
    let mut next = Exports::default();
    next.configure(&[asked(ExportFormat::Plain, &path)]);
    let outcome = next.give(&snapshot(1, Some(&[1])), Instant::now());
    assert!(outcome.news.is_empty() && outcome.failures.is_empty(), "{outcome:?}");
    assert_eq!(fs::metadata(&path).expect("a file").ino(), inode);
    let other = ExportConfig { mode: 0o640, ..asked(ExportFormat::Plain, &path) };
    next.configure(&[other]);
    assert_eq!(next.give(&snapshot(1, Some(&[1])), Instant::now()).news.len(), 1);
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn what_is_not_known_or_on_its_way_stays_as_it_was() {
    let (_directory, path, mut exports) = exports(ExportFormat::Plain);
    let begun = Instant::now();
    let after = |seconds| begun + Duration::from_secs(seconds);
    exports.give(&snapshot(0, Some(&[])), begun);
    assert!(!path.exists(), "before the feeds were read nothing is known");
    exports.give(&snapshot(1, Some(&[1])), begun);
    assert_eq!(exports.give(&snapshot(2, None), after(40)).again, None);
    assert_eq!(exports.give(&half_way(3, &[2]), after(40)).again, Some(after(50)));
    check(&path, "0.0.0.1\n0:1::\n");
    // The kernel does not get there: then what it has.
    exports.give(&half_way(3, &[2]), after(50));
    check(&path, "0.0.0.2\n0:1::\n");
}

#[test]
fn nginx_is_not_left_what_it_made_of_the_file_before() {
    let (directory, path, mut exports) = exports(ExportFormat::NginxGeo);
    fs::write(directory.path().join("drop.txt.bin"), "old").expect("written");
    let outcome = exports.give(&snapshot(1, Some(&[1, 2])), Instant::now());
    assert_eq!(outcome.news[0].exported, Exported { prefixes: 2, left_out: 1 });
    check(&path, "0.0.0.1-0.0.0.2 1;\n");
    assert_eq!(names(&directory), ["drop.txt"]);
}

#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let (directory, path, mut exports) = exports(ExportFormat::Plain);
    let now = Instant::now();
    let target = directory.path().join("target");
    fs::write(&target, "of somebody").expect("written");
    symlink(&target, &path).expect("a link");
    let outcome = exports.give(&snapshot(1, Some(&[1])), now);
    assert!(outcome.failures[0].contains("no regular file"), "{outcome:?}");
    assert_eq!(outcome.again, Some(now + AGAIN));
    check(&target, "of somebody");
    fs::remove_file(&path).expect("removed");
    fs::create_dir(&path).expect("a directory");
    assert_eq!(exports.give(&snapshot(1, Some(&[1])), now).failures.len(), 1);
    fs::remove_dir(&path).expect("removed");
    assert!(exports.give(&snapshot(1, Some(&[1])), now).failures.is_empty());
    check(&path, "0.0.0.1\n0:1::\n");
    assert_eq!(names(&directory), ["drop.txt", "target"]);
}

#[test]
fn a_file_that_goes_is_written_again_and_a_directory_that_is_gone_is_said() {
    let (directory, path, mut exports) = exports(ExportFormat::Plain);
    let begun = Instant::now();
    exports.give(&snapshot(1, Some(&[1])), begun);
    fs::remove_file(&path).expect("removed");
    let later = begun + Duration::from_secs(30);
    assert_eq!(exports.give(&snapshot(1, Some(&[1])), later).news.len(), 1);
    drop(directory);
    let outcome = exports.give(&snapshot(2, Some(&[2])), later + Duration::from_secs(30));
    let why = format!("{} cannot be written: No such file", path.display());
    assert!(outcome.failures[0].starts_with(&why), "{outcome:?}");
    let file = &outcome.files[0];
    assert!(file.failure.as_ref().is_some_and(|why| why.starts_with("No such file")), "{file:?}");
    assert_eq!(file.written.expect("it was").generation, 1, "what was there is told all the same");
}

#[test]
fn a_group_that_is_not_there_is_said() {
    let (directory, path, mut exports) = exports(ExportFormat::Plain);
    let group = Some("no-such-group".to_owned());
    exports.configure(&[ExportConfig { owner_group: group, ..asked(ExportFormat::Plain, &path) }]);
    let outcome = exports.give(&snapshot(1, Some(&[1])), Instant::now());
    assert!(outcome.failures[0].ends_with("there is no group no-such-group in /etc/group"));
    assert!(names(&directory).is_empty());
}

#[test]
fn both_files_of_a_database_change_by_one_link() {
    let (directory, path, mut exports) = exports(ExportFormat::ApacheSdbm);
    let begun = Instant::now();
    let after = |seconds| begun + Duration::from_secs(seconds);
    let read = || ["map.dir", "map.pag"].map(|name| fs::read(path.join(name)).expect("a file"));
    let outcome = exports.give(&snapshot(1, Some(&[1, 2])), begun);
    assert!(outcome.failures.is_empty(), "{outcome:?}");
    assert_eq!(outcome.news[0].exported, Exported { prefixes: 2, left_out: 1 });
    assert_eq!(fs::read_link(&path).expect("a link"), Path::new(".drop.txt.denyset-1"));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("map.pag"))), (0o705, 0o604));
    let first = read();
    let many: Vec<u32> = (0..5_000).collect();
    exports.give(&snapshot(2, Some(&many)), after(30));
    assert_eq!(fs::read_link(&path).expect("a link"), Path::new(".drop.txt.denyset-2"));
    assert_ne!(read(), first);
    // Whoever had opened one of the old files finds the other one still.
    let old =
        ["map.dir", "map.pag"].map(|name| directory.path().join(".drop.txt.denyset-1").join(name));
    assert_eq!(old.map(|file| fs::read(file).expect("it is there")), first);
    assert_eq!(names(&directory), [".drop.txt.denyset-1", ".drop.txt.denyset-2", "drop.txt"]);
    // What is there already is not written again.
    let inode = fs::metadata(path.join("map.pag")).expect("a file").ino();
    let mut next = Exports::default();
    next.configure(&[asked(ExportFormat::ApacheSdbm, &path)]);
    assert!(next.give(&snapshot(2, Some(&many)), after(31)).news.is_empty());
    assert_eq!(fs::metadata(path.join("map.pag")).expect("a file").ino(), inode);
    exports.give(&snapshot(3, Some(&[1, 2])), after(60));
    assert_eq!(read(), first);
}

#[test]
fn what_is_no_link_of_ours_is_not_replaced_by_a_database() {
    let (directory, path, mut exports) = exports(ExportFormat::ApacheSdbm);
    let now = Instant::now();
    symlink("elsewhere", &path).expect("a link");
    let outcome = exports.give(&snapshot(1, Some(&[1])), now);
    assert!(outcome.failures[0].ends_with("the link that is there leads elsewhere"), "{outcome:?}");
    fs::remove_file(&path).expect("removed");
    fs::write(&path, "of somebody").expect("written");
    let outcome = exports.give(&snapshot(1, Some(&[1])), now);
    assert!(outcome.failures[0].ends_with("what is there is no link"), "{outcome:?}");
    check(&path, "of somebody");
    assert_eq!(names(&directory), ["drop.txt"]);
}
