//! What is known of lists when their files come, change, are damaged and go.

use std::fs;
use std::path::Path;

use blocklist::{Format, Limits, pack, parse};
use tempfile::TempDir;

use super::*;

struct House {
    place: TempDir,
    folder: Folder,
    known: Knowledge,
}

impl House {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let folder = Folder::new(place.path().join("lists"));
        fs::create_dir(place.path().join("lists")).expect("a directory");
        Self { place, folder, known: Knowledge::default() }
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let draft = self.place.path().join("draft");
        fs::write(&draft, bytes).expect("written");
        fs::rename(&draft, self.path(name)).expect("renamed");
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.place.path()).join("lists").join(name)
    }

    fn status(&self, lists: &[&str]) {
        let sets = lists.iter().flat_map(|list| ["ipv4", "ipv6"].map(|family| (list, family)));
        let sets: Vec<_> = sets
            .map(|(list, family)| {
                serde_json::json!({"list": list, "family": family,
                    "last-verified": "2023-11-14T22:13:20Z"})
            })
            .collect();
        self.put("status.json", serde_json::json!({ "sets": sets }).to_string());
    }

    /// Looks, and says how this address stands after that.
    fn check(&mut self, address: &str, names: &[&str], want: &str) {
        if let Some(known) = self.folder.look() {
            self.known = known;
        }
        let address = address.parse().expect("an address");
        let found = match self.known.standing(address, names, 0) {
            AddressStanding::Listed(list) => list.name.clone(),
            AddressStanding::Unlisted => "-".to_owned(),
            AddressStanding::Unknown(gap) => gap.to_string(),
        };
        assert_eq!(found, want, "{address} of {names:?}, {:?}", self.known.troubles);
    }
}

/// The two files of these prefixes.
fn packed(prefixes: &str, made: u64) -> [Vec<u8>; 2] {
    let parsed = parse(prefixes.as_bytes(), Format::Plain, &Limits::default());
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    let put = |bytes: &mut Vec<u8>, piece: &[u8]| {
        bytes.extend_from_slice(piece);
        Ok::<_, std::convert::Infallible>(())
    };
    let Ok(_) = pack(&parsed.prefixes.ipv4, 1, made, |piece| put(&mut ipv4, piece));
    let Ok(_) = pack(&parsed.prefixes.ipv6, 1, made, |piece| put(&mut ipv6, piece));
    [ipv4, ipv6]
}

#[test]
fn an_address_is_on_the_first_list_that_has_it() {
    let mut house = House::new();
    house.check("192.0.2.1", &[], "no list that refuses anybody was there so far");
    let [ipv4, ipv6] = packed("45.0.0.0/8\n2a00::/16\n", 1);
    house.put("b.v4", &ipv4);
    // Nothing says what it is for.
    house.check("45.1.1.1", &[], "no list that refuses anybody was there so far");
    house.check("45.1.1.1", &["b"], "b");
    house.status(&["a", "b"]);
    house.check("45.1.1.1", &[], "b");
    house.check("2a00::1", &[], "list b was not there so far for ipv6");
    house.put("b.v6", &ipv6);
    house.check("2a00::1", &[], "b");
    house.check("::ffff:45.1.1.1", &[], "b");
    house.check("46.1.1.1", &[], "-");
    let [ipv4, ipv6] = packed("45.1.0.0/16\n46.0.0.0/8\n", 1);
    house.put("a.v4", &ipv4);
    house.put("a.v6", &ipv6);
    house.check("45.1.1.1", &[], "a");
    house.check("45.1.1.1", &["b"], "b");
    house.check("46.1.1.1", &["b"], "-");
    house.check("46.1.1.1", &["none"], "no list none was there so far");
    // What is unknown of one list does not hide the other.
    house.check("46.1.1.1", &["none", "a"], "a");
    house.check("47.1.1.1", &["none", "a"], "no list none was there so far");
}

#[test]
fn what_is_damaged_or_gone_changes_nothing_but_what_is_said() {
    let mut house = House::new();
    let [ipv4, ipv6] = packed("45.0.0.0/8\n", 1);
    house.put("drop.v4", &ipv4);
    house.put("drop.v6", &ipv6);
    house.status(&["drop"]);
    house.check("45.1.1.1", &[], "drop");
    assert!(house.known.troubles.is_empty(), "{:?}", house.known.troubles);
    let mut spoilt = ipv4.clone();
    *spoilt.last_mut().expect("it has bytes") ^= 1;
    let cases: [(&[u8], &str); 4] = [
        (b"", "it does not begin as"),
        (&spoilt, "its checksum is not"),
        (&ipv4[..ipv4.len() - 1], "and by its header"),
        (&ipv6, "its family is another"),
    ];
    for (bytes, want) in cases {
        house.put("drop.v4", bytes);
        house.check("45.1.1.1", &[], "drop");
        assert!(house.known.troubles.concat().contains(want), "{:?}", house.known.troubles);
    }
    // Nor does a file that is cut or written over where it is.
    house.put("drop.v4", &ipv4);
    house.check("45.1.1.1", &[], "drop");
    fs::write(house.path("drop.v4"), vec![7; ipv4.len()]).expect("written");
    house.check("45.1.1.1", &[], "drop");
    fs::remove_dir_all(house.path("")).expect("removed");
    house.check("45.1.1.1", &[], "drop");
    assert_eq!(house.known.troubles.len(), 3, "{:?}", house.known.troubles);
    fs::create_dir(house.path("")).expect("made");
    house.check("45.1.1.1", &[], "drop");
    let [other, _] = packed("46.0.0.0/8\n", 2);
    house.put("drop.v4", &other);
    house.put("drop.v6", &ipv6);
    house.status(&["drop"]);
    house.check("45.1.1.1", &[], "-");
    assert!(house.known.troubles.is_empty(), "{:?}", house.known.troubles);
}

#[test]
fn a_list_goes_when_the_daemon_says_that_there_is_none() {
    let mut house = House::new();
    let [ipv4, ipv6] = packed("45.0.0.0/8\n", 1);
    for list in ["old", "drop"] {
        house.put(&format!("{list}.v4"), &ipv4);
        house.put(&format!("{list}.v6"), &ipv6);
    }
    house.status(&["old", "drop"]);
    house.check("45.1.1.1", &["old"], "old");
    for family in ["v4", "v6"] {
        fs::remove_file(house.path(&format!("old.{family}"))).expect("removed");
    }
    house.check("45.1.1.1", &["old"], "old");
    assert_eq!(house.known.troubles.len(), 2, "{:?}", house.known.troubles);
    house.put("status.json", "{");
    house.check("45.1.1.1", &["old"], "old");
    house.status(&["drop"]);
    house.check("45.1.1.1", &["old"], "no list old was there so far");
    assert!(house.known.troubles.is_empty(), "{:?}", house.known.troubles);
}

#[test]
fn what_is_too_old_is_not_answered_from() {
    let mut house = House::new();
    let [ipv4, ipv6] = packed("45.0.0.0/8\n", 1_000);
    house.put("drop.v4", &ipv4);
    house.put("drop.v6", &ipv6);
    house.check("45.1.1.1", &["drop"], "drop");
    let stands = |known: &Knowledge, oldest| {
        let address = "45.1.1.1".parse().expect("an address");
        matches!(known.standing(address, &["drop"], oldest), AddressStanding::Listed(_))
    };
    assert!(stands(&house.known, 1_000) && !stands(&house.known, 1_001));
    // The daemon has compared since.
    house.status(&["drop"]);
    house.check("45.1.1.1", &[], "drop");
    assert!(stands(&house.known, 1_700_000_000) && !stands(&house.known, 1_700_000_001));
}

#[test]
fn nobody_is_refused_for_being_on_a_list_of_those_who_are_let_in() {
    let mut house = House::new();
    let [ipv4, ipv6] = packed("45.0.0.0/8\n", 1);
    for name in ["drop", "office"] {
        house.put(&format!("{name}.v4"), &ipv4);
        house.put(&format!("{name}.v6"), &ipv6);
    }
    let status = r#"{"sets": [{"list": "office", "family": "ipv4", "admits": true},
        {"list": "office", "family": "ipv6", "admits": true}]}"#;
    house.put("status.json", status);
    house.check("45.1.1.1", &[], "no list that refuses anybody was there so far");
    house.check("45.1.1.1", &["office"], "office");
    house.status(&["drop", "office"]);
    house.check("45.1.1.1", &[], "drop");
}
