//! Zero wrong addresses: hostile lines, what each must become, and what
//! `ipset`, `iprange` and `inet_aton(3)` make of it, all of it by running them.
//!
//! The lines are in `corpus.tsv`, which says how they are written.

mod addresses;
mod corpus;
mod denyset;
mod peers;

use std::collections::HashSet;

use lab::namespace::isolated_without_names;

use self::addresses::Addresses;
use self::corpus::{LOOKS_UP, PEERS, Row, rows, shown};

#[test]
fn the_corpus_has_hundreds_of_lines_each_once() {
    let rows = rows();
    let different: HashSet<_> = rows.iter().map(|row| &row.text).collect();
    let twice: Vec<_> = rows.windows(2).filter(|two| two[0].text == two[1].text).collect();
    assert_eq!(different.len(), rows.len(), "{} are there twice", twice.len());
    let (entries, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.entry().is_some());
    assert!(entries.len() >= 100, "{} are to be read", entries.len());
    assert!(others.len() >= 300, "{} are not", others.len());
}

#[test]
fn every_program_makes_of_a_line_what_the_corpus_says() {
    let rows = rows();
    let asked = isolated_without_names(|| peers::ask(&rows));
    let differ = rows.iter().zip(&asked).filter(|(row, asked)| row.peers != asked[..]);
    let differ: Vec<_> = differ.map(|(row, asked)| row.with(asked)).collect();
    assert!(
        differ.is_empty(),
        "{} rows are not as measured here with {}:\n{}",
        differ.len(),
        peers::versions(),
        shown(&differ)
    );
    print_table(&rows);
}

/// How much each program gets wrong, from the columns.
fn print_table(rows: &[Row]) {
    let (entries, others): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row.entry().is_some());
    println!("{} lines that are entries, {} that are none", entries.len(), others.len());
    println!(
        "{:9}  {:>5} {:>5} {:>5}  {:>7} {:>8} {:>9} {:>9}",
        "", "read", "lost", "wrong", "refused", "looks up", "addresses", "not there"
    );
    let line = |name: &str, column: &dyn Fn(&Row) -> &'static str| {
        let count = |rows: &[&Row], what: &dyn Fn(&Row, &str) -> bool| {
            rows.iter().filter(|row| what(row, column(row))).count()
        };
        let (read, wrong) = (count(&entries, &is_read), count(&entries, &is_wrong));
        let (guessed, looked_up) = (count(&others, &is_guess), count(&others, &is_lookup));
        println!(
            "{name:9}  {read:5} {:5} {wrong:5}  {:7} {looked_up:8} {guessed:9} {:9}",
            entries.len() - read - wrong,
            others.len() - guessed - looked_up,
            count(&others, &is_nowhere),
        );
    };
    line("denyset", &|row| row.denyset);
    for (position, name) in PEERS.into_iter().enumerate() {
        line(name, &|row| row.peers[position]);
    }
}

/// An entry that became exactly the addresses it names.
fn is_read(row: &Row, column: &str) -> bool {
    Some(column) == row.entry()
}

/// An entry that became addresses it does not name.
fn is_wrong(row: &Row, column: &str) -> bool {
    !Addresses::read(column).felt().without(&Addresses::read(row.denyset)).is_empty()
}

fn is_lookup(_: &Row, column: &str) -> bool {
    column == LOOKS_UP
}

/// What is no entry and became addresses all the same.
fn is_guess(_: &Row, column: &str) -> bool {
    !Addresses::read(column).is_empty()
}

/// The same, and the addresses do not even stand on the line.
fn is_nowhere(row: &Row, column: &str) -> bool {
    let text = String::from_utf8_lossy(&row.text).to_ascii_lowercase();
    let ends = Addresses::read(column).stretches();
    let ends: Vec<_> = ends.iter().flat_map(|stretch| stretch.split('-')).collect();
    let stands = |end: &&str| text.contains(end.split('/').next().unwrap_or(end));
    !ends.iter().all(stands)
}
