//! Real feeds: a table of what each file of a directory is read as, and every
//! plain list among them through `denyset apply`, after which `ipset save` must
//! list exactly their union minus what is allowed. Those are read here by other
//! means than the program's.

mod table;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use lab::host::{Config, Host};
use lab::intervals::Intervals;
use lab::members::SortedPrefixes;
use lab::witness::{members, names};

use crate::{Failure, apart, workspace};

/// Names the directory, if it is not beside the checkout.
const VARIABLE: &str = "DENYSET_REAL_FEEDS";

/// Tab-separated, with a header: counts of the files by other means.
const MANIFEST: &str = "MANIFEST.tsv";

/// An allowed prefix in the configuration, one that real lists of bogons have.
const ALLOWED: &str = "10.1.0.0/16";

/// Of the first feed's entries, one in so many is allowed again.
const ALLOW_EVERY: usize = 1000;

#[derive(Args)]
pub(crate) struct Real {
    /// The directory
    feeds: PathBuf,
}

/// The directory of real feeds: the one that the environment names, or one
/// beside the checkout, if there is one.
pub(crate) fn directory() -> Option<PathBuf> {
    let beside = || Some(workspace::root().parent()?.join("shared").join("feeds"));
    env::var_os(VARIABLE).map(PathBuf::from).or_else(|| beside().filter(|path| path.is_dir()))
}

impl Real {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| {
            table::print(&self.feeds)?;
            compare(&self.feeds)
        })
    }
}

fn compare(directory: &Path) -> Result<(), Failure> {
    let host = Host::with(&config());
    let [mut all, mut allowed] = [const { Vec::new() }; 2];
    let mut feeds = 0;
    for (name, text) in plain_lists(directory)? {
        let entries = read(&text).ok_or("a plain list became another")?;
        if feeds == 0 {
            allowed.extend(entries.iter().step_by(ALLOW_EVERY));
        }
        println!("{name}: {} members", entries.len());
        all.extend(entries.iter());
        host.feed(&name, text);
        feeds += 1;
    }
    let [all, mut allowed]: [SortedPrefixes; 2] =
        [all, allowed].map(|list| list.into_iter().collect());
    host.feed("allow/some.txt", allowed.feed());
    allowed = allowed.iter().chain(SortedPrefixes::of(ALLOWED).iter()).collect();

    host.denyset("apply").exits(0);
    assert_eq!(names(), ["denyset-real-v4", "denyset-real-v6"]);
    for (set, ipv4) in [("denyset-real-v4", true), ("denyset-real-v6", false)] {
        let [union, allowed] = [&all, &allowed].map(|members| Intervals::of(members, ipv4));
        let want = union.without(&allowed);
        let saved = members(set);
        let found = Intervals::of(&saved, ipv4);
        if found != want {
            let [missing, extra] = [want.without(&found), found.without(&want)];
            return Err(format!(
                "{set}: {} addresses missing, {} too many",
                missing.count(),
                extra.count()
            )
            .into());
        }
        println!(
            "{set}: {} members are the {} addresses of {feeds} feeds",
            saved.len(),
            want.count()
        );
    }
    host.denyset("plan").exits(0);
    host.denyset("teardown").exits(0);
    assert!(names().is_empty(), "teardown leaves nothing");
    Ok(())
}

/// One list, from which nothing is taken but what is allowed.
fn config() -> Config {
    Config {
        guard: "coverage-percent-max = 100".into(),
        tables: format!(
            "[[list]]\nname = \"real\"\nfeeds = [\"*\"]\nallow = [\"allow/*\", \"{ALLOWED}\"]\n\
             protect = []"
        ),
        ..Config::default()
    }
}

/// The files of a directory and of those in it, by name, without the manifest.
fn all_files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = files(directory)?;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(all_files(&path)?);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The files of a directory, by name, without the manifest.
pub(crate) fn files(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() && path.file_name().is_some_and(|name| name != MANIFEST) {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// The files that have nothing but addresses, CIDRs and comments, by name.
fn plain_lists(directory: &Path) -> Result<Vec<(String, String)>, Failure> {
    let mut lists = Vec::new();
    for path in files(directory)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // What is not text is not plain.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if read(&text).is_some_and(|members| !members.is_empty()) {
            lists.push((name.to_owned(), text));
        }
    }
    match lists.len() {
        0 => Err(format!("there is no plain list in {}", directory.display()).into()),
        _ => Ok(lists),
    }
}

/// The members of a plain list, `None` if a line is anything else.
fn read(text: &str) -> Option<SortedPrefixes> {
    let entries = text.lines().map(|line| line.split(['#', ';']).next().unwrap_or_default().trim());
    entries.filter(|entry| !entry.is_empty()).map(lab::members::prefix).collect()
}
