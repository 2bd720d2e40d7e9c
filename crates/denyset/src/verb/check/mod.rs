//! `denyset check`: configuration and feeds, judged as the daemon would judge
//! them, without a daemon and without any set. So it knows no earlier versions
//! to compare with; what is protected on this host it looks up.

mod age;
mod exports;
mod files;
mod kernel;
mod problems;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use std::time::{Duration, SystemTime};

use blocklist::{
    Address, Contributed, Feed, FeedName, Limits, PrefixSet, Protection, Refusal, compose, judge,
};

use intake::{Identity, Version};
use reconcile::miss_nanoseconds;

use super::facts;
use crate::cli;
use crate::exit::Exit;
use crate::progress::ProgressLine;
use crate::serve::Failure;
use crate::settings::protection;
use crate::view::{CheckView, CheckedFamily, CheckedFeed, CheckedList, RejectView, print};
use configuration::{Configuration, ListConfig};
use feedfiles::{Copies, FeedFile, Naming, Signature, Taken, TreeLimits, read_only, scan};
use files::NamedFiles;
use problems::Findings;
use reader::Eyes;

/// Does what the arguments say. `given` is the configuration file that was
/// asked for, if one was.
///
/// # Errors
/// The configuration, the feeds directory, standard output.
pub(super) fn run(
    arguments: &cli::Check,
    given: Option<&Path>,
    file: &Path,
) -> Result<Exit, Failure> {
    let view = if arguments.feeds.is_empty() {
        if arguments.reading != cli::ReadingArguments::default() {
            let message = "a `[[feed]]` table says how to read what is in feeds-dir; name a FEED";
            return Err(Failure::new(Exit::Usage, message));
        }
        let config = load(file)?;
        let reader = Eyes::of(&config);
        let protection = protection(&facts());
        let mut view = reader.look(|| directory(&config, &protection))?;
        let unread = view.feeds.iter().filter(|feed| feed.is_unread());
        let files = unread.map(|feed| config.daemon.feeds_dir.join(&feed.feed));
        view.problems.extend(files.filter_map(|file| reader.only_root_reads(&file)));
        view.remarks.extend(reader.remark);
        view.warnings = kernel::warnings(&config);
        view
    } else {
        let (config, problems) = files::config(given, file)?;
        let files =
            NamedFiles { config: &config, paths: &arguments.feeds, reading: &arguments.reading };
        let view = files.check(&protection(&facts()), problems);
        if arguments.explain { files.explained(view) } else { view }
    };
    print(&view, arguments.print.format)
        .map_err(|error| failure(format!("cannot write to standard output: {error}")))?;
    Ok(if view.is_good() { Exit::Success } else { Exit::Attention })
}

fn load(file: &Path) -> Result<Configuration, Failure> {
    Configuration::load(file).map_err(|error| Failure::new(Exit::Config, error.to_string()))
}

fn failure(message: String) -> Failure {
    Failure::new(Exit::Failure, message)
}

/// Checks all that is in the feeds directory.
fn directory(config: &Configuration, protection: &Protection) -> Result<CheckView, Failure> {
    let limits = TreeLimits::with_feeds_max(config.daemon.feeds_max);
    let feeds_dir = &config.daemon.feeds_dir;
    // Whoever may not read the copies cannot know what is in force.
    let copies = Copies::open(&config.daemon.state_dir).ok().flatten();
    let kept = |feed: &FeedName| copies.as_ref().is_some_and(|copies| copies.has(feed));
    let meant = |feed: &FeedName| config.names(feed) || kept(feed);
    let naming = Naming { ignore: &config.daemon.ignore, meant: &meant };
    let mut found =
        scan(feeds_dir, &limits, &naming).map_err(|error| failure(error.to_string()))?;
    let mut progress = ProgressLine::begin("reading");
    let mut view = CheckView::default();
    let mut usable = BTreeMap::new();
    let beside: Vec<FeedName> =
        found.feeds.keys().filter(|name| config.is_beside(name)).cloned().collect();
    found.feeds.retain(|name, _| !beside.contains(name));
    let mut findings = problems::of(config, &found);
    findings.remarks.extend(beside.iter().map(problems::beside));
    let now = SystemTime::now();
    for (done, name) in found.feeds.keys().enumerate() {
        progress.at(done as u64, found.feeds.len() as u64);
        let parse = limits_for(config, name);
        let file = FeedFile {
            feeds_dir,
            name,
            format: config.format_for(name),
            options: &config.options_for(name),
            parse: &parse,
            limits: &limits,
            quiet: Duration::ZERO,
            impatient: false,
            unfinished: false,
        };
        let (signature, taken) = read_only(&file);
        let read = match taken {
            Taken::New { feed, .. } => Ok(*feed),
            Taken::Refused(refusal) => Err(refusal),
            // Deleted since the directory was read, and so no feed; and there
            // is no copy that it could be the same as.
            Taken::Vanished | Taken::Same(_) => continue,
        };
        let (checked, feed) = judged(config, protection, name, name.as_str(), read);
        view.feeds.push(checked);
        let written = signature.map_or(now, Signature::modified);
        let is_young = age::judge(config, name, written, now, &mut findings);
        let feed = feed.filter(|_| is_young);
        let in_force = feed
            .map(|feed| Version::new(Identity::default(), feed, written, now).contributed_at(now));
        usable.extend(in_force.map(|prefixes| (name.clone(), prefixes)));
    }
    drop(progress);
    view.lists = config.lists.iter().map(|list| composed(list, protection, &usable)).collect();
    let Findings { problems, remarks } = findings;
    (view.problems, view.remarks) = (problems, remarks);
    Ok(view)
}

/// How far a feed is read.
fn limits_for(config: &Configuration, name: &FeedName) -> Limits {
    Limits { entries_max: config.rules().guard_for(name).entries_max, ..Limits::default() }
}

/// A feed as `check` shows it, and itself if it may be used.
fn judged(
    config: &Configuration,
    protection: &Protection,
    name: &FeedName,
    shown_as: &str,
    read: Result<Feed, Refusal>,
) -> (CheckedFeed, Option<Feed>) {
    let feed = match read {
        Ok(feed) => feed,
        Err(refusal) => return (unread(shown_as, &refusal), None),
    };
    let protect = protection.of(&config.rules().protect_for(name));
    let verdict = judge(&feed, None, &config.rules().guard_for(name), &protect);
    let reject = |reject: &blocklist::Reject| RejectView {
        line: reject.line,
        text: reject.text.clone(),
        reason: reject.reason.to_string(),
    };
    let checked = CheckedFeed {
        feed: shown_as.to_owned(),
        format: feed.format.to_string(),
        entries: feed.tally.entries,
        ipv4: feed.tally.ipv4,
        ipv6: feed.tally.ipv6,
        duplicates: feed.tally.duplicates,
        masked: feed.tally.masked,
        expiring: feed.tally.expiring,
        exceptions: feed.tally.exceptions,
        ignored: feed.tally.ignored,
        rejected: feed.tally.rejected,
        lines: feed.lines.named().map(|(name, count)| (name.to_owned(), count)).to_vec(),
        explained: None,
        refused: verdict.as_ref().err().map(|refusals| reasons(refusals)),
        rejects: feed.rejects.iter().map(reject).collect(),
    };
    (checked, verdict.is_ok().then_some(feed))
}

/// A feed of which nothing is known but why.
fn unread(shown_as: &str, refusal: &Refusal) -> CheckedFeed {
    CheckedFeed {
        feed: shown_as.to_owned(),
        refused: Some(refusal.to_string()),
        ..CheckedFeed::default()
    }
}

fn reasons(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// A list of the feeds that may be used.
fn composed(
    list: &ListConfig,
    protection: &Protection,
    usable: &BTreeMap<FeedName, Contributed>,
) -> CheckedList {
    let protect = protection.of(&list.list.protect);
    let members = compose(&list.list, usable, &protect).members;
    CheckedList {
        list: list.list.name.clone(),
        ipv4: counted(&members.ipv4),
        ipv6: counted(&members.ipv6),
    }
}

/// The numbers of one set.
pub(super) fn counted<A: Address>(set: &PrefixSet<A>) -> CheckedFamily {
    let lengths = set.length_counts();
    CheckedFamily {
        members: set.len() as u64,
        addresses: set.address_count().to_string(),
        miss_ns: miss_nanoseconds(lengths.len()),
        lengths: lengths.into_iter().collect(),
    }
}
