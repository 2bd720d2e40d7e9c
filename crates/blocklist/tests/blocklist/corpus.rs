//! Small files as administrators and other programs write them, each with its
//! exact outcome: what is read of it, or which guard refuses it and which keys of
//! the configuration the refusal names.
//!
//! `outcomes.tsv` has five columns with tabs between them: the name of a file in
//! `files/`; `deny` if it is a feed, `allow` if it is used to take addresses out;
//! options as in a `[[feed]]`, `key=value` with `; ` between them, or `-`; the
//! format it is read in; the outcome, which is the prefixes with blanks between
//! them, or `refused`, the guard, and the keys that are named.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use blocklist::{
    Column, Format, FormatChoice, GuardPolicy, Limits, Options, Prefixes, judge, parse_at,
};

/// Keys that decide what a file means, in backticks as messages have them.
const KEYS: [&str; 9] = [
    "format",
    "column",
    "last-column",
    "length-column",
    "select",
    "where",
    "path",
    "countries",
    "asns",
];

/// When the files are read, in seconds since 1970: in November 2026.
const NOW: u64 = 1_795_910_400;

struct Case<'a> {
    file: &'a str,
    allow: bool,
    options: &'a str,
    format: &'a str,
    outcome: &'a str,
}

impl<'a> Case<'a> {
    fn of(line: &'a str) -> Self {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap_or_else(|| panic!("five columns: {line}"));
        let (file, role, options, format, outcome) = (next(), next(), next(), next(), next());
        assert!(matches!(role, "deny" | "allow"), "{line}");
        Self { file, allow: role == "allow", options, format, outcome }
    }

    /// The options as the configuration would have them.
    fn configured(&self) -> (FormatChoice, Options) {
        let (mut choice, mut options) = (FormatChoice::Auto, Options::default());
        for option in self.options.split("; ").filter(|option| *option != "-") {
            let (key, value) = option.split_once('=').expect("key=value");
            let column = || {
                let number = value.parse().map(Column::Number);
                Some(number.unwrap_or_else(|_| Column::Name(value.to_owned())))
            };
            match key {
                "format" => choice = value.parse::<Format>().expect("a format").into(),
                "column" => options.column = column(),
                "last-column" => options.last_column = column(),
                "length-column" => options.length_column = column(),
                "path" => options.path = Some(value.to_owned()),
                "select" => options.select.push(value.to_owned()),
                "countries" => options.countries.push(value.parse().expect("a country")),
                "asns" => options.asns.push(value.parse().expect("a network")),
                "where" => options.conditions.push(value.parse().expect("a condition")),
                _ => panic!("no option: {option}"),
            }
        }
        (choice, options)
    }

    /// The format that the file is read in, and what comes of it.
    fn found(&self, bytes: &[u8]) -> (String, String) {
        let (choice, options) = self.configured();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        let feed = parse_at(bytes.to_vec(), choice, &options, &Limits::default(), Some(now));
        let format = feed.format.to_string();
        let lets_in = feed.exempted.as_ref().is_some_and(|exempted| !exempted.is_empty());
        let allow_empty = self.allow && lets_in;
        let policy =
            GuardPolicy { allow_empty, coverage_percent_max: 100, ..GuardPolicy::default() };
        let outcome = match judge(&feed, None, &policy, &Prefixes::new()) {
            Err(refusals) => {
                let text: String = refusals.iter().map(|refusal| refusal.found.as_str()).collect();
                let named = KEYS.into_iter().filter(|key| {
                    text.contains(&format!("`{key}`")) || text.contains(&format!("`{key} = "))
                });
                let words = ["refused", refusals[0].guard.key()].into_iter().chain(named);
                words.collect::<Vec<_>>().join(" ")
            }
            Ok(()) if self.allow => shown(feed.allows()),
            Ok(()) => shown(&feed.named()),
        };
        (format, outcome)
    }
}

fn shown(prefixes: &Prefixes) -> String {
    let shown: Vec<String> = prefixes.aggregate().iter().map(|prefix| prefix.to_string()).collect();
    shown.join(" ")
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn table() -> String {
    fs::read_to_string(directory().join("outcomes.tsv")).expect("outcomes.tsv")
}

fn cases(table: &str) -> impl Iterator<Item = Case<'_>> {
    table.lines().filter(|line| !line.starts_with('#')).map(Case::of)
}

#[test]
fn every_file_has_exactly_its_outcome() {
    let mut wrong = Vec::new();
    let table = table();
    for case in cases(&table) {
        let bytes = fs::read(directory().join("files").join(case.file)).expect(case.file);
        let (format, outcome) = case.found(&bytes);
        if (format.as_str(), outcome.as_str()) != (case.format, case.outcome) {
            wrong.push(format!("{} ({}): {format}\t{outcome}", case.file, case.options));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases(&table).count(),
        wrong.join("\n")
    );
}

#[test]
fn every_file_is_in_the_table_and_there_are_enough() {
    let table = table();
    let named: BTreeSet<String> = cases(&table).map(|case| case.file.to_owned()).collect();
    let files = fs::read_dir(directory().join("files")).expect("files");
    let there: BTreeSet<String> =
        files.map(|entry| entry.expect("a file").file_name().to_string_lossy().into()).collect();
    assert_eq!(there, named);
    assert!(there.len() >= 150, "{}", there.len());
    let of = |format: &Format| cases(&table).filter(|case| case.format == format.name()).count();
    let few: Vec<_> = Format::ALL.iter().filter(|format| of(format) < 3).collect();
    assert!(few.is_empty(), "fewer than three files: {few:?}");
}
