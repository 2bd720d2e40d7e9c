//! denyset held to its column: each line by itself through the library, in
//! every surrounding, and all of them through the built program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use blocklist::{Feed, Format, Limits, parse};
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::members::prefix;
use lab::program;
use serde_json::Value;

use crate::addresses::Addresses;
use crate::corpus::{NOTHING, REJECT, Row, feed, rows, shown};

/// Lines that are an entry of a plain feed and, alone in a file, as well
/// something else: whoever means them names the format.
const ASKED_ABOUT: [&str; 4] = [
    "192.0.2.0/24;SBL000001",
    "192.0.2.3 - 192.0.2.9;seven",
    "2001:db8::/32;SBL000002",
    "192.0.2.1;192.0.2.2",
];

/// More than enough bytes for the short way through a line.
const PADDING: &str = "# a comment before or after the line\n";

/// Reads the row as a line of a plain feed, and says what differs from its
/// column.
fn check(row: &Row, before: &str, after: &str) -> Option<String> {
    let bytes = [before.as_bytes(), &row.text, after.as_bytes()].concat();
    let feed = parse(&bytes, Format::Plain, &Limits::default());
    let (made, rejects) = (made(&feed), feed.rejects.len());
    let expected = if row.reason().is_some() { row.lines() } else { 0 };
    let differs = made != row.denyset || rejects != expected;
    differs.then(|| {
        let Row { number, escaped, denyset, .. } = row;
        format!("{number}: {escaped} before {after:?}: {made} ({rejects} rejects), not {denyset}")
    })
}

/// What a column says of this.
fn made(feed: &Feed) -> String {
    let members = feed.prefixes.iter().map(|prefix| prefix.to_string());
    let members: SortedPrefixes = members.map(|text| prefix(&text).expect("a prefix")).collect();
    match feed.rejects.first() {
        Some(reject) if members.is_empty() => format!("{REJECT}{}", reject.reason),
        Some(reject) => format!("{} and {REJECT}{}", Addresses::of(&members), reject.reason),
        None if members.is_empty() => NOTHING.into(),
        None => Addresses::of(&members).to_string(),
    }
}

#[test]
fn a_line_becomes_what_the_corpus_says_whatever_stands_around_it() {
    let ends = ["", "\n", "\r\n", "\r"].map(str::to_owned);
    let more = ["\n", "\r\n", "\r"].map(|end| format!("{end}{PADDING}"));
    let rows = rows();
    let differ = rows.iter().flat_map(|row| {
        ends.iter().chain(&more).filter_map(move |after| check(row, PADDING, after))
    });
    let differ: Vec<_> = differ.collect();
    assert!(differ.is_empty(), "{} times:\n{}", differ.len(), shown(&differ));
}

/// A directory without feeds, where every file is a plain feed.
fn host() -> Host {
    let tables = "[[feed]]\nmatch = \"*\"\nformat = \"plain\"";
    Host::with(&Config { tables: tables.into(), ..Config::default() })
}

/// `check` shows the first twenty rejects of a feed.
const ROWS_IN_A_FEED: usize = 20;

#[test]
fn the_program_accounts_for_every_line() {
    let (host, rows) = (host(), rows());
    // A line of its own before each part, so that a byte order mark is not at
    // the beginning of the file, where it may be.
    let parts = rows.chunks(ROWS_IN_A_FEED);
    let content = |part: &[Row]| [PADDING.as_bytes(), &feed(part)].concat();
    let files: Vec<_> = parts.clone().map(|part| write(&host, &content(part))).collect();
    let mut arguments = vec!["check".into(), "--format".into(), "json".into()];
    arguments.extend(["--config".into(), host.config()]);
    arguments.extend(files);
    // Many of the parts are refused as a whole.
    let answer = program::run(arguments).exits(1).json();
    let feeds = answer["feeds"].as_array().expect("a list of feeds");
    assert_eq!(feeds.len(), parts.len(), "{answer:#}");
    for (part, feed) in parts.zip(feeds) {
        account(part, feed);
    }
}

fn write(host: &Host, content: &[u8]) -> PathBuf {
    let count = std::fs::read_dir(host.path("")).expect("a directory").count();
    let path = host.path(&format!("part-{count:03}"));
    std::fs::write(&path, content).expect("a file can be written");
    path
}

/// Compares the numbers and the rejects of a part with its rows.
fn account(part: &[Row], feed: &Value) {
    assert_eq!(feed["format"], "plain");
    let entries: usize = part.iter().filter(|row| row.entry().is_some()).map(Row::lines).sum();
    assert_eq!(feed["entries"], entries, "{feed:#}");
    let mut want = BTreeMap::new();
    let mut number = 1;
    for row in part {
        for line in lines(&row.text) {
            number += 1;
            want.extend(row.reason().filter(|_| !line.is_empty()).map(|reason| (number, reason)));
        }
    }
    assert_eq!(feed["rejected"], want.len(), "{feed:#}");
    let rejects = feed["rejects"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let got: BTreeMap<_, _> = rejects
        .map(|reject| (reject["line"].as_u64().expect("a number"), text(&reject["reason"])))
        .collect();
    let got: BTreeMap<_, _> = got.iter().map(|(line, reason)| (*line, reason.as_str())).collect();
    assert_eq!(got, want);
}

/// The lines of a row as the program counts them: the end that the feed gives
/// it makes one of a carriage return before it.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.strip_suffix(b"\r").unwrap_or(text).split(|&byte| byte == b'\r')
}

/// What the program prints of a file whose format nobody names, `None` if it
/// refuses to guess what the file means.
fn compiled(host: &Host, content: &[u8]) -> Option<String> {
    let file = write(host, content);
    let outcome = program::run(["compile".as_ref(), file.as_os_str()]);
    std::fs::remove_file(&file).expect("it was written");
    if outcome.stderr.contains("(meaning)") {
        outcome.exits(2);
        assert_eq!(outcome.stdout, "");
        return None;
    }
    outcome.exits(0);
    Some(outcome.stdout)
}

#[test]
fn the_program_compiles_an_entry_to_the_addresses_it_names_or_asks_for_its_format() {
    let host = host();
    let mut asked = Vec::new();
    for row in rows() {
        // A feed with NUL bytes is refused as a whole.
        let Some(entry) = row.entry().filter(|_| !row.text.contains(&0)) else { continue };
        match compiled(&host, &feed([&row])) {
            Some(printed) => {
                let made = Addresses::of(&SortedPrefixes::of(&printed)).to_string();
                assert_eq!(made, entry, "{}: {}", row.number, row.escaped);
            }
            None => asked.push(row.escaped),
        }
    }
    assert_eq!(asked, ASKED_ABOUT);
}

#[test]
fn no_line_that_is_no_entry_becomes_an_address() {
    let host = host();
    // Enough good lines that the feed is not refused for the bad one.
    let good = "192.0.2.1\n".repeat(200);
    // As above.
    let fit = |row: &Row| row.entry().is_none() && !row.text.contains(&0);
    for row in rows().into_iter().filter(fit) {
        let content = [good.as_bytes(), &feed([&row])].concat();
        if let Some(printed) = compiled(&host, &content) {
            assert_eq!(printed, "192.0.2.1\n", "{}: {}", row.number, row.escaped);
        }
    }
}

#[test]
fn a_feed_with_nul_bytes_is_refused_as_a_whole() {
    let host = host();
    let rows = rows();
    let content = feed(rows.iter().filter(|row| row.text.contains(&0)));
    let content = ["192.0.2.1\n".repeat(20_000).as_bytes(), &content].concat();
    let outcome = program::run(["compile".as_ref(), write(&host, &content).as_os_str()]);
    outcome.exits(2).complains(&["NUL"]);
    assert_eq!(outcome.stdout, "");
}
