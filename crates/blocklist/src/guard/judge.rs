//! Judges a new version of a feed by what is in it and by the version before.
//! Decides and gives reasons; what becomes of the feed is for others to do.

use std::borrow::Cow;

use super::complete::{cut_off, no_document, promised, says_that_it_is_empty};
use super::share::{Share, share_of_prefix};
use super::{Guard, GuardPolicy, JUDGED_FROM, Refusal};
use crate::{Doubt, Feed, Format, Prefix, Prefixes, Tally};

/// Whether a new version of a feed may replace the one in force.
///
/// `previous` is the tally of the last good version; a feed that never had one
/// is judged without the guards that compare. `protect` is what is taken out
/// of the feed anyway, and so does not count as covered.
///
/// A web page, a file that is no text and one that was read only in part get
/// one refusal: what the other guards would say follows from it.
///
/// # Errors
/// Every guard that declined, at least one.
pub fn judge(
    feed: &Feed,
    previous: Option<&Tally>,
    policy: &GuardPolicy,
    protect: &Prefixes,
) -> Result<(), Vec<Refusal>> {
    if let Some(refusal) = unusable(feed, policy) {
        return Err(vec![refusal]);
    }
    let nothing_to_lose = previous.is_none_or(|previous| previous.entries == 0);
    let previous = previous.map(Tally::distinct).filter(|&distinct| distinct >= JUDGED_FROM);
    let covered = if feed.ending().next().is_none() {
        Cow::Borrowed(&feed.prefixes)
    } else {
        Cow::Owned(feed.named())
    };
    let refusals: Vec<Refusal> = [
        empty(feed, nothing_to_lose, policy),
        promised(feed),
        cut_off(feed),
        rejected(feed, policy),
        entries(feed, policy),
        previous.and_then(|previous| shrunken(feed, previous, policy)),
        previous.and_then(|previous| grown(feed, previous, policy)),
        covering_ipv4(&covered, policy, protect),
        covering_ipv6(&covered, policy, protect),
    ]
    .into_iter()
    .flatten()
    .collect();
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

/// A refusal of files that are no lists, or of which not all was read.
fn unusable(feed: &Feed, policy: &GuardPolicy) -> Option<Refusal> {
    let Tally { entries, .. } = feed.tally;
    let refuse = |guard, expected: &str, found: String| {
        Some(Refusal { guard, expected: expected.to_owned(), found })
    };
    if feed.shape.utf16 {
        return refuse(Guard::Binary, "ASCII or UTF-8 text", "broken UTF-16 text".to_owned());
    }
    if feed.shape.binary {
        let found = "NUL bytes: binary data, or a file that a crash left incomplete";
        return refuse(Guard::Binary, "a text file", found.to_owned());
    }
    // Sections of Apache begin as markup does.
    let markup_begins = feed.shape.markup && feed.format != Format::Apache;
    if markup_begins && (entries == 0 || rejected(feed, policy).is_some()) {
        let found = format!("{}: it begins with `<`, and entries in it: {entries}", markup(feed));
        return refuse(Guard::Markup, "a list of addresses, or its `format` named", found);
    }
    if let Some(refusal) = no_document(feed) {
        return Some(refusal);
    }
    if let Some(Doubt { line, text, why }) = &feed.doubt {
        let found = format!("line {line}, `{text}`: {why}");
        return refuse(Guard::Meaning, "a file that means to block all that it names", found);
    }
    feed.shape.over_entries_max.then(|| Refusal {
        guard: Guard::Entries,
        expected: format!("at most {} entries", policy.entries_max),
        found: format!("more: reading stopped in line {}", feed.shape.lines),
    })
}

/// What a file that begins with `<` is.
fn markup(feed: &Feed) -> &'static str {
    const PAGE: [&str; 9] =
        ["<!doctype html", "<html", "<head", "<body", "<pre", "<p>", "<h1", "<title", "<div"];
    let first = feed.rejects.first().map_or("", |reject| reject.text.as_str()).to_ascii_lowercase();
    if PAGE.iter().any(|begin| first.starts_with(begin)) {
        "a web page"
    } else if first.starts_with("<?xml") {
        "XML that is no list"
    } else {
        "markup"
    }
}

/// What of a feed without entries its lines came to, if that explains it.
fn hint(feed: &Feed) -> String {
    let lines = &feed.lines;
    let told = [
        (lines.exempted, "exempted"),
        (lines.narrower, "about a part of the host"),
        (lines.left_out, "left out by `where` or `select`"),
        (lines.ended, "whose time is over"),
    ];
    let told = told.iter().filter(|(lines, _)| *lines > 0);
    let mut told: Vec<String> = told.map(|(lines, what)| format!("{lines} {what}")).collect();
    if feed.exempted.is_some() || !told.is_empty() {
        told.push("if it should block, name a `format`, or a `select` of what blocks".to_owned());
    }
    if told.is_empty() { String::new() } else { format!(" ({})", told.join(", ")) }
}

/// A feed that was never anything else and says so itself may be empty: a list
/// of networks by number has no addresses.
fn empty(feed: &Feed, nothing_to_lose: bool, policy: &GuardPolicy) -> Option<Refusal> {
    let may_be = policy.allow_empty || nothing_to_lose && says_that_it_is_empty(feed);
    (feed.tally.entries == 0 && !may_be).then(|| Refusal {
        guard: Guard::Empty,
        expected: "at least one entry".to_owned(),
        found: match feed.shape.lines {
            0 => "an empty file".to_owned(),
            lines => format!("none in {lines} lines{}", hint(feed)),
        },
    })
}

fn rejected(feed: &Feed, policy: &GuardPolicy) -> Option<Refusal> {
    let Tally { entries, rejected, .. } = feed.tally;
    let share = Share { part: rejected.into(), whole: u128::from(rejected) + u128::from(entries) };
    share.is_above(policy.rejected_percent_max).then(|| {
        let first = feed.rejects.first().map_or_else(String::new, |reject| {
            format!("; the first is line {}, `{}`: {}", reject.line, reject.text, reject.reason)
        });
        Refusal {
            guard: Guard::Rejected,
            expected: format!("at most {} % of the lines rejected", policy.rejected_percent_max),
            found: format!("{rejected} of {} ({share}){first}", share.whole),
        }
    })
}

fn entries(feed: &Feed, policy: &GuardPolicy) -> Option<Refusal> {
    (feed.tally.entries > policy.entries_max).then(|| Refusal {
        guard: Guard::Entries,
        expected: format!("at most {} entries", policy.entries_max),
        found: feed.tally.entries.to_string(),
    })
}

/// Becoming empty is left to the guard that has it in its name.
fn shrunken(feed: &Feed, previous: u64, policy: &GuardPolicy) -> Option<Refusal> {
    let percent = policy.shrink_percent_max;
    let now = feed.tally.distinct();
    let lost = Share { part: previous.saturating_sub(now).into(), whole: previous.into() };
    (now > 0 && lost.is_above(percent)).then(|| Refusal {
        guard: Guard::Shrink,
        expected: format!("at most {percent} % of the last good version's {previous} entries gone"),
        found: format!("{now} entries left ({lost} gone)"),
    })
}

fn grown(feed: &Feed, previous: u64, policy: &GuardPolicy) -> Option<Refusal> {
    let percent = policy.growth_percent_max;
    let now = feed.tally.distinct();
    let gained = Share { part: now.saturating_sub(previous).into(), whole: previous.into() };
    gained.is_above(percent).then(|| Refusal {
        guard: Guard::Growth,
        expected: format!(
            "at most {percent} % more than the last good version's {previous} entries"
        ),
        found: format!("{now} entries ({gained} more)"),
    })
}

fn covering_ipv4(covered: &Prefixes, policy: &GuardPolicy, protect: &Prefixes) -> Option<Refusal> {
    let all = Prefix::containing(0, 0);
    let share = share_of_prefix(&covered.ipv4, &protect.ipv4, all);
    let percent = policy.coverage_percent_max;
    share.is_above(percent).then(|| Refusal {
        guard: Guard::Coverage,
        expected: format!("at most {percent} % of the IPv4 addresses covered"),
        found: share.to_string(),
    })
}

fn covering_ipv6(covered: &Prefixes, policy: &GuardPolicy, protect: &Prefixes) -> Option<Refusal> {
    let global_unicast = Prefix::containing(0x2000 << 112, 3);
    let share = share_of_prefix(&covered.ipv6, &protect.ipv6, global_unicast);
    let percent = policy.coverage_percent_max;
    share.is_above(percent).then(|| Refusal {
        guard: Guard::Coverage,
        expected: format!("at most {percent} % of the IPv6 addresses in {global_unicast} covered"),
        found: share.to_string(),
    })
}
