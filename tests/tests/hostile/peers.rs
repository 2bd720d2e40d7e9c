//! What other programs make of a line, by running them: `ipset restore` and
//! `iprange` as scripts use them, and `inet_aton(3)`, on which both are built.

use std::path::Path;
use std::process::Output;
use std::thread;

use lab::members::SortedPrefixes;
use lab::witness::{SavedSet, fed, saved, succeed};

use crate::addresses::Addresses;
use crate::corpus::{ERROR, LOOKS_UP, NOTHING, Row, feed};

/// How many programs run at a time. `iprange` sleeps for a second when it has
/// asked for a name, so that most of them only wait.
const AT_A_TIME: usize = 256;

const INET_ATON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile/inet_aton.c");

/// What each peer makes of each row. Leaves one set for each row behind, so it
/// wants a network namespace of its own, and one without names.
pub(crate) fn ask(rows: &[Row]) -> Vec<[String; 3]> {
    let columns = [ipset(rows), iprange(rows), inet_aton(rows)];
    let mut columns = columns.map(Vec::into_iter);
    let mut row = || columns.each_mut().map(|column| column.next().expect("an answer to each row"));
    rows.iter().map(|_| row()).collect()
}

/// The versions that the columns are of, for whoever finds a difference.
pub(crate) fn versions() -> String {
    // `iprange --version` prints it and fails.
    let first = |program, option| {
        let said = fed(program, &[option], b"").stdout;
        String::from_utf8_lossy(&said).lines().next().unwrap_or_default().to_owned()
    };
    [first("ipset", "version"), first("iprange", "--version"), first("ldd", "--version")].join(", ")
}

/// Each row is added to a set of its own, which is of the family that a colon
/// in the text suggests.
fn ipset(rows: &[Row]) -> Vec<String> {
    let create = |(position, row): (usize, &Row)| {
        let family = if row.text.contains(&b':') { "inet6" } else { "inet" };
        format!("create {} hash:net family {family}\n", set(position))
    };
    let create: String = rows.iter().enumerate().map(create).collect();
    let created = fed("ipset", &["restore"], create.as_bytes());
    assert!(created.status.success(), "{created:?}");
    let said = of_each(rows, |position, row| {
        let line = [format!("add {} ", set(position)).as_bytes(), &row.text, b"\n"].concat();
        fed("ipset", &["restore"], &line)
    });
    // By their names, and so in the order of the rows.
    let mut sets = saved();
    sets.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(sets.len(), said.len(), "a set for each row");
    let meaning = |(said, set): (&Output, &SavedSet)| {
        column(&Addresses::of(&set.members), said, "resolving to")
    };
    said.iter().zip(&sets).map(meaning).collect()
}

fn set(position: usize) -> String {
    format!("row-{position:05}")
}

fn iprange(rows: &[Row]) -> Vec<String> {
    let said =
        of_each(rows, |_, row| fed::<&str>("iprange", &[], &[&row.text[..], b"\n"].concat()));
    let meaning = |said: &Output| {
        let prefixes = SortedPrefixes::of(&String::from_utf8_lossy(&said.stdout));
        column(&Addresses::of(&prefixes), said, "DNS: ")
    };
    said.iter().map(meaning).collect()
}

/// What was made of a row: addresses, whatever was said of them; else whether
/// a name was looked up, which the program says when there is none.
fn column(addresses: &Addresses, said: &Output, looked_up: &str) -> String {
    let complaint = String::from_utf8_lossy(&said.stderr);
    if !addresses.is_empty() {
        addresses.to_string()
    } else if complaint.contains(looked_up) {
        LOOKS_UP.into()
    } else if !said.status.success() || !complaint.is_empty() {
        ERROR.into()
    } else {
        NOTHING.into()
    }
}

/// Through a small program, as Rust has no safe way to call it.
fn inet_aton(rows: &[Row]) -> Vec<String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let program = directory.path().join("inet_aton");
    let arguments = ["-Wall", "-Wextra", "-Werror", "-o"].map(Path::new);
    succeed("cc", &[&arguments[..], &[&program, Path::new(INET_ATON)]].concat());
    let program = program.to_str().expect("a temporary path is text");
    let said = fed::<&str>(program, &[], &feed(rows));
    assert!(said.status.success(), "{said:?}");
    let text = String::from_utf8(said.stdout).expect("addresses are text");
    let column: Vec<_> = text.lines().map(str::to_owned).collect();
    assert_eq!(column.len(), rows.len(), "an answer to each row");
    column
}

/// Asks about all rows, many at a time, and returns the answers in order.
fn of_each<T: Send>(rows: &[Row], ask: impl Fn(usize, &Row) -> T + Sync) -> Vec<T> {
    thread::scope(|scope| {
        let ask = &ask;
        let share = |first: usize| {
            scope.spawn(move || {
                let share = rows.iter().enumerate().skip(first).step_by(AT_A_TIME);
                share.map(|(position, row)| ask(position, row)).collect::<Vec<_>>().into_iter()
            })
        };
        let workers: Vec<_> = (0..AT_A_TIME).map(share).collect();
        let mut shares: Vec<_> =
            workers.into_iter().map(|worker| worker.join().expect("no answer fails")).collect();
        let next = |position: usize| shares[position % AT_A_TIME].next().expect("its answer");
        (0..rows.len()).map(next).collect()
    })
}
