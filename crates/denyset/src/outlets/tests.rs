//! What other programs find, and what becomes of the folder.

use std::sync::Arc;

use blocklist::{List, PackedList, PrefixSet};
use reconcile::SetPrefix;
use tempfile::TempDir;

use super::*;
use crate::snapshot::{ListFacts, SetFacts};

/// A snapshot of one list that holds these addresses, and no IPv6.
fn snapshot(revision: u64, list: &str, hosts: Option<&[u32]>) -> Snapshot {
    let mut facts = SnapshotFacts::nothing();
    facts.prefix = SetPrefix::new("denyset-").expect("a prefix");
    facts.generation = revision;
    let list =
        List { name: list.to_owned(), feeds: Vec::new(), allow: Vec::new(), protect: Vec::new() };
    for family in Family::ALL {
        let members = match family {
            Family::Ipv4 => hosts.map(|hosts| Members::V4(PrefixSet::from_hosts(hosts.to_vec()))),
            Family::Ipv6 => hosts.map(|_| Members::none(family)),
        };
        let name = facts.prefix.live(&list.name, family).expect("a name");
        let desired = members.clone().unwrap_or_else(|| Members::none(family));
        let set = SetFacts { desired, members, seen: None, applied: None, verified: None };
        facts.sets.insert(name, set);
    }
    facts.lists.push(ListFacts { list: Arc::new(list), held: None });
    Snapshot { revision, facts }
}

fn files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a folder").map(|entry| entry.expect("an entry"));
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}

/// A folder `lists` that does not exist yet, and what is given there.
fn outlets() -> (TempDir, PathBuf, Outlets) {
    let parent = TempDir::new().expect("a folder");
    let directory = parent.path().join("lists");
    let outlets = Outlets::new(directory.clone());
    (parent, directory, outlets)
}

/// How many prefixes the file of a list has, and of which generation it is.
fn check(directory: &Path, name: &str, prefixes: u64, generation: u64) {
    let bytes = fs::read(directory.join(name)).expect("a file");
    let list = PackedList::new(bytes).expect("a packed list");
    assert_eq!((list.header().prefixes, list.header().generation), (prefixes, generation));
}

#[test]
fn a_list_is_given_whenever_it_changes_and_only_then() {
    let (_parent, directory, mut outlets) = outlets();
    outlets.give(&snapshot(1, "drop", Some(&[1, 3]))).expect("given");
    assert_eq!(files(&directory), ["drop.v4", "drop.v6", "status.json"]);
    check(&directory, "drop.v4", 2, 1);
    check(&directory, "drop.v6", 0, 1);
    outlets.give(&snapshot(2, "drop", Some(&[1, 3]))).expect("given");
    check(&directory, "drop.v4", 2, 1);
    outlets.give(&snapshot(3, "drop", Some(&[1, 3, 5]))).expect("given");
    check(&directory, "drop.v4", 3, 3);
    let mode = |name| fs::metadata(directory.join(name)).expect("it is there").permissions().mode();
    assert_eq!(mode("drop.v4") & 0o777, 0o640);
    assert_eq!(mode("") & 0o777, 0o750);
}

#[test]
fn a_list_on_its_way_is_of_the_generation_that_it_was_last() {
    let (_parent, directory, mut outlets) = outlets();
    let half_way = |revision, hosts: &[u32]| {
        let mut snapshot = snapshot(revision, "drop", Some(hosts));
        for set in snapshot.facts.sets.values_mut() {
            set.desired = Members::V4(PrefixSet::from_hosts(vec![1, 3, 5, 7]));
        }
        snapshot
    };
    outlets.give(&half_way(1, &[1])).expect("given");
    check(&directory, "drop.v4", 1, 0);
    outlets.give(&snapshot(2, "drop", Some(&[1, 3]))).expect("given");
    check(&directory, "drop.v4", 2, 2);
    outlets.give(&half_way(3, &[1, 3, 5])).expect("given");
    check(&directory, "drop.v4", 3, 2);
    outlets.give(&half_way(4, &[1, 3, 5, 7])).expect("given");
    check(&directory, "drop.v4", 4, 4);
}

#[test]
fn the_status_says_nothing_that_is_another_at_every_moment() {
    let (_parent, directory, mut outlets) = outlets();
    outlets.give(&snapshot(1, "drop", Some(&[1]))).expect("given");
    let status = fs::read(directory.join(STATUS)).expect("a file");
    let status: serde_json::Value = serde_json::from_slice(&status).expect("JSON");
    assert_eq!(status["generation"], 1, "{status}");
    assert!(status.get("uptime-seconds").is_none() && status.get("rules").is_none(), "{status}");
}

#[test]
fn what_is_not_known_stays_as_it_was() {
    let (_parent, directory, mut outlets) = outlets();
    outlets.give(&snapshot(1, "drop", Some(&[1, 3]))).expect("given");
    outlets.give(&snapshot(2, "drop", None)).expect("given");
    check(&directory, "drop.v4", 2, 1);
    // A process that has just begun knows nothing yet.
    let mut next = Outlets::new(directory.clone());
    next.give(&snapshot(1, "drop", None)).expect("given");
    check(&directory, "drop.v4", 2, 1);
}

#[test]
fn what_is_of_no_list_goes_and_so_does_what_was_never_finished() {
    let (_parent, directory, mut outlets) = outlets();
    outlets.give(&snapshot(1, "drop", Some(&[1]))).expect("given");
    fs::write(directory.join(".new-x"), "half").expect("written");
    for name in ["notes", "notes.v4"] {
        fs::write(directory.join(name), "of somebody").expect("written");
    }
    outlets.give(&snapshot(2, "more", Some(&[1]))).expect("given");
    assert_eq!(files(&directory), ["more.v4", "more.v6", "notes", "notes.v4", "status.json"]);
}

#[test]
fn what_somebody_has_removed_is_there_again() {
    let (_parent, directory, mut outlets) = outlets();
    outlets.give(&snapshot(1, "drop", Some(&[1]))).expect("given");
    fs::remove_dir_all(&directory).expect("removed");
    outlets.give(&snapshot(1, "drop", Some(&[1]))).expect("given");
    assert_eq!(files(&directory), ["drop.v4", "drop.v6", "status.json"]);
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_tried_again() {
    let (parent, directory, mut outlets) = outlets();
    fs::write(&directory, "in the way").expect("written");
    let why = outlets.give(&snapshot(1, "drop", Some(&[1]))).expect_err("it cannot be");
    assert!(why.contains(&*directory.to_string_lossy()), "{why}");
    fs::remove_file(&directory).expect("removed");
    outlets.give(&snapshot(2, "drop", Some(&[1]))).expect("given");
    check(&directory, "drop.v4", 1, 2);
    drop(parent);
    outlets.give(&snapshot(3, "drop", Some(&[1]))).expect_err("the folder around it is gone");
}
