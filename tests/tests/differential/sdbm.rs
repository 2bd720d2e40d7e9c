//! A database of ours beside the one that Debian's `httxt2dbm` makes of the same
//! keys: both have the same pairs, and whoever goes the library's way (`getpage` in
//! `dbm/sdbm/sdbm.c` of apr-util) finds every key in either.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fs;
use std::path::Path;

use blocklist::{ExportFormat, Prefix, PrefixSet, SdbmFile, export, export_sdbm};
use lab::witness::{is_there, succeed};

use crate::Dice;

/// Bytes of a page.
const PAGE: usize = 1_024;

/// The two files.
struct Database {
    directory: Vec<u8>,
    pages: Vec<u8>,
}

impl Database {
    fn ours(set: &PrefixSet<u32>) -> Self {
        let mut ours = Self { directory: Vec::new(), pages: Vec::new() };
        let written = export_sdbm(set, &PrefixSet::new(), |file, at, bytes| {
            let file = match file {
                SdbmFile::Directory => &mut ours.directory,
                SdbmFile::Pages => &mut ours.pages,
            };
            let at = usize::try_from(at).expect("it is small");
            file.resize(file.len().max(at + bytes.len()), 0);
            file[at..at + bytes.len()].copy_from_slice(bytes);
            Ok::<_, Infallible>(())
        });
        assert!(written.is_ok(), "{written:?}");
        ours
    }

    /// That of `httxt2dbm`, from a text.
    fn theirs(text: &[u8], place: &Path) -> Self {
        let (from, to) = (place.join("text"), place.join("map"));
        fs::write(&from, text).expect("written");
        let arguments = ["-f", "SDBM", "-i", &from.to_string_lossy(), "-o", &to.to_string_lossy()];
        succeed("httxt2dbm", &arguments);
        let read = |ending| fs::read(to.with_extension(ending)).expect("it is there");
        Self { directory: read("dir"), pages: read("pag") }
    }

    /// The pairs of a page.
    fn pairs(&self, page: usize) -> Vec<(String, String)> {
        let page = self.pages.get(page * PAGE..(page + 1) * PAGE).unwrap_or(&[0; PAGE]);
        let number = |at: usize| usize::from(u16::from_ne_bytes([page[2 * at], page[2 * at + 1]]));
        let text = |from, to| String::from_utf8_lossy(&page[from..to]).into_owned();
        let mut end = PAGE;
        let pair = |at: usize| {
            let (key, value) = (number(at), number(at + 1));
            let pair = (text(key, end), text(value, key));
            end = value;
            pair
        };
        (1..number(0)).step_by(2).map(pair).collect()
    }

    fn all(&self) -> BTreeSet<(String, String)> {
        (0..self.pages.len().div_ceil(PAGE)).flat_map(|page| self.pairs(page)).collect()
    }

    /// The page where the library looks for a key.
    fn page_of(&self, key: &str) -> usize {
        let add = |hash: u64, byte: u8| hash.wrapping_mul(65_599).wrapping_add(byte.into());
        let hash = key.bytes().fold(0_u64, add);
        let has =
            |node: usize| self.directory.get(node / 8).is_some_and(|b| b >> (node % 8) & 1 == 1);
        let (mut node, mut bits) = (0, 0);
        while has(node) {
            node = 2 * node + if hash >> bits & 1 == 1 { 2 } else { 1 };
            bits += 1;
        }
        usize::try_from(hash & ((1 << bits) - 1)).expect("a page")
    }
}

fn check(set: &PrefixSet<u32>) {
    let mut text = Vec::new();
    let Ok(_) = export(ExportFormat::ApacheTxt, "drop", set, &PrefixSet::new(), |piece| {
        text.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    let place = tempfile::tempdir().expect("a directory");
    let (ours, theirs) = (Database::ours(set), Database::theirs(&text, place.path()));
    let all = theirs.all();
    assert_eq!(ours.all(), all);
    for pair in &all {
        for database in [&ours, &theirs] {
            assert!(database.pairs(database.page_of(&pair.0)).contains(pair), "{pair:?}");
        }
    }
}

#[test]
fn a_database_of_ours_has_what_the_one_of_apache_has() {
    assert!(is_there("httxt2dbm"), "package apache2-utils is not installed");
    let mut dice = Dice(7);
    for count in [1, 30, 60, 500, 20_000] {
        let mut prefix = || {
            let address = u32::try_from(dice.below(1 << 32)).expect("32 bits");
            let lengths = [8, 9, 15, 16, 20, 24, 25, 30, 32, 32, 32, 32];
            Prefix::containing(address, lengths[dice.below(lengths.len())])
        };
        check(&PrefixSet::from_unsorted((0..count).map(|_| prefix()).collect()));
    }
}
