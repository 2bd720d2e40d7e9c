//! Every real feed as `denyset check` reads it, in a table, and beside the
//! counts of somebody else: those of the directory's manifest, if it has one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lab::host::Host;
use lab::program;
use serde_json::Value;

use super::MANIFEST;
use crate::Failure;

/// Where the manifest counts fewer entries than the format has, and why.
const BEYOND: [(&str, u64, &str); 1] =
    [("stratus_apache_deny_list.txt", 3, "addresses cut short, which Apache takes for prefixes")];

/// Tables of countries. They are refused until somebody says which countries
/// count; with all of them named they come to what the manifest has.
const UNDECIDED: [&str; 2] = ["delegated-apnic-2010.txt", "digitalocean_geofeed.csv"];

/// What the manifest says of a file.
struct Counted {
    bytes: u64,
    ipv4: u64,
    ipv6: u64,
    duplicates: u64,
    algebra: Algebra,
}

/// What entries come to when they are joined: the fewest prefixes of each
/// family, and the addresses of IPv4.
#[derive(Debug, PartialEq, Eq)]
struct Algebra {
    ipv4: u64,
    ipv6: u64,
    ipv4_addresses: u64,
}

/// What `check` and `compile` say of one.
struct Found {
    name: String,
    format: String,
    ipv4: u64,
    ipv6: u64,
    duplicates: u64,
    exceptions: u64,
    ignored: u64,
    rejected: u64,
    /// Why it would be refused, and the first reject.
    words: Vec<String>,
    refused: bool,
    /// `None` of what is refused.
    algebra: Option<Algebra>,
}

/// Prints the table of all files in a directory.
///
/// # Errors
/// A file is not read as its manifest has it.
pub(super) fn print(directory: &Path) -> Result<(), Failure> {
    let manifest = manifest(directory)?;
    let files = super::all_files(directory)?;
    let found = check(directory, &files)?;
    println!(
        "{:44} {:13} {:>7} {:>6} {:>6} {:>8} {:>7} {:>8}  beside the manifest",
        "file", "format", "ipv4", "ipv6", "twice", "exempted", "ignored", "rejected"
    );
    let mut wrong = Vec::new();
    for feed in &found {
        let beside = match manifest.get(&feed.name).map(|counted| compare(feed, counted)) {
            Some(Ok(same)) => same,
            Some(Err(differs)) => {
                wrong.push(format!("{}: {differs}", feed.name));
                "DIFFERENT".to_owned()
            }
            None => "not in it".to_owned(),
        };
        println!(
            "{:44} {:13} {:7} {:6} {:6} {:8} {:7} {:8}  {beside}",
            feed.name,
            feed.format,
            feed.ipv4,
            feed.ipv6,
            feed.duplicates,
            feed.exceptions,
            feed.ignored,
            feed.rejected
        );
        feed.words.iter().for_each(|words| println!("    {words}"));
    }
    let missing = manifest.keys().filter(|&name| found.iter().all(|feed| feed.name != *name));
    wrong.extend(missing.map(|name| format!("{name}: in the manifest and not in the directory")));
    let [ipv4, ipv6] = [|feed: &Found| feed.ipv4, |feed: &Found| feed.ipv6]
        .map(|count| found.iter().map(count).sum::<u64>());
    println!("{} files, {ipv4} entries of IPv4 and {ipv6} of IPv6", found.len());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

/// Says how a feed agrees with the manifest, or how it does not.
fn compare(feed: &Found, counted: &Counted) -> Result<String, String> {
    let undecided = UNDECIDED.contains(&&*feed.name);
    let by_name = feed.words.iter().any(|words| words.contains("`countries = ["));
    if feed.refused != (counted.bytes == 0 || undecided) || undecided && !by_name {
        return Err(format!("refused: {}", feed.words.join("; ")));
    }
    let beyond = BEYOND.iter().find(|(name, ..)| *name == feed.name);
    let more = beyond.map_or(0, |&(_, more, _)| more);
    let entries = feed.ipv4 + feed.ipv6 + feed.exceptions;
    let want = counted.ipv4 + counted.ipv6 + more;
    // Which family an exception is of the program does not say.
    let families = feed.exceptions > 0 || feed.ipv6 == counted.ipv6;
    if entries != want || !families || feed.duplicates != counted.duplicates {
        return Err(format!(
            "{} + {} entries and {} exceptions, {} twice, in place of {} + {} + {more}, {} twice",
            feed.ipv4,
            feed.ipv6,
            feed.exceptions,
            feed.duplicates,
            counted.ipv4,
            counted.ipv6,
            counted.duplicates
        ));
    }
    // The manifest knows nothing of exceptions, nor of what it has not read.
    let same_entries = feed.exceptions == 0 && beyond.is_none();
    if let Some(algebra) = feed.algebra.as_ref().filter(|_| same_entries)
        && *algebra != counted.algebra
    {
        return Err(format!("{algebra:?} in place of {:?}", counted.algebra));
    }
    Ok(match beyond {
        Some((_, more, why)) => format!("the same and {more} {why}"),
        None if undecided => "the same with countries named, and refused without".to_owned(),
        None if feed.refused => "the same: refused, for there is nothing in it".to_owned(),
        None if want == 0 => "the same: none".to_owned(),
        None if feed.exceptions > 0 => "the same, with the exempted ones".to_owned(),
        None => "the same".to_owned(),
    })
}

/// Asks the program.
fn check(directory: &Path, files: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let host = Host::new();
    let mut arguments: Vec<PathBuf> =
        ["check", "--format", "json", "--config"].map(Into::into).into();
    arguments.push(host.config());
    arguments.extend_from_slice(files);
    let answer = program::run(arguments).json();
    let feeds = answer["feeds"].as_array().ok_or("`check` lists feeds")?;
    let name = |file: &PathBuf| {
        let below = file.strip_prefix(directory).unwrap_or(file);
        below.to_string_lossy().into_owned()
    };
    assert_eq!(feeds.len(), files.len(), "every file is in the answer");
    let found = feeds.iter().zip(files).map(|(feed, file)| found(name(file), file, feed));
    found.collect()
}

fn found(name: String, file: &Path, feed: &Value) -> Result<Found, Failure> {
    let number = |key: &str| feed[key].as_u64().ok_or(format!("{name}: `check` has no {key}"));
    let refused = feed["refused"].as_str().map(|why| format!("refused: {why}"));
    let first = feed["rejects"]
        .get(0)
        .map(|reject| format!("line {}: {}: {}", reject["line"], reject["reason"], reject["text"]));
    Ok(Found {
        format: feed["format"].as_str().unwrap_or_default().to_owned(),
        ipv4: number("ipv4")?,
        ipv6: number("ipv6")?,
        duplicates: number("duplicates")?,
        exceptions: number("exceptions")?,
        ignored: number("ignored")?,
        rejected: number("rejected")?,
        refused: refused.is_some(),
        algebra: match (&refused, UNDECIDED.contains(&&*name)) {
            (None, _) => Some(algebra(file, &[])?),
            (Some(_), true) => Some(algebra(file, &["--countries", "*"])?),
            (Some(_), false) => None,
        },
        words: refused.into_iter().chain(first).collect(),
        name,
    })
}

fn algebra(file: &Path, reading: &[&str]) -> Result<Algebra, Failure> {
    let arguments = ["compile", "--count", "--format", "json"].map(Path::new);
    let reading = reading.iter().map(Path::new);
    let counts = program::run(arguments.into_iter().chain([file]).chain(reading)).exits(0).json();
    let number = |family: &str| counts[family]["members"].as_u64().ok_or("`compile` counts");
    let addresses = counts["ipv4"]["addresses"].as_str().ok_or("`compile` counts")?;
    Ok(Algebra { ipv4: number("ipv4")?, ipv6: number("ipv6")?, ipv4_addresses: addresses.parse()? })
}

/// The counts of the manifest, of the files that it has any of.
fn manifest(directory: &Path) -> Result<BTreeMap<String, Counted>, Failure> {
    let path = directory.join(MANIFEST);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = fs::read_to_string(path)?;
    let mut rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    let header = rows.next().ok_or("the manifest is empty")?;
    let mut counts = BTreeMap::new();
    for row in rows {
        let field = |name: &str| {
            let column = header.iter().position(|column| *column == name);
            column.and_then(|column| row.get(column).copied()).ok_or(format!("no column {name}"))
        };
        if field("v4")?.is_empty() {
            continue;
        }
        let number = |name: &str| -> Result<u64, Failure> { Ok(field(name)?.parse()?) };
        let counted = Counted {
            bytes: number("bytes")?,
            ipv4: number("v4")?,
            ipv6: number("v6")?,
            duplicates: number("dup")?,
            algebra: Algebra {
                ipv4: number("v4_min_cidrs")?,
                ipv6: number("v6_min_cidrs")?,
                ipv4_addresses: number("v4_addrs")?,
            },
        };
        counts.insert(field("file")?.to_owned(), counted);
    }
    Ok(counts)
}
