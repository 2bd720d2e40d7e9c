//! Reads the files that `compile` is given: any format, any path, standard
//! input. What is no feed ends the whole run; what is left out of one is said.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::SystemTime;

use blocklist::{
    Feed, FormatChoice, GuardPolicy, Limits, Options, Prefixes, Role, judge, parse_at,
};

use super::failure;
use crate::cli::ReadingArguments;
use crate::serve::Failure;
use crate::view::shown;
use configuration::limits::ENTRIES;
use feedfiles::{TreeLimits, complete_for_path, expand, read_path};

/// Rejected lines of one feed that are shown.
const REJECTS_SHOWN: usize = 3;

/// Reads one file and lets it pass if it is a feed. What a daemon compares
/// with an earlier version, and how much of the internet a feed may cover, is
/// left to whoever asked, and so is whether a feed may be empty.
pub(super) fn read(
    file: &Path,
    role: Role,
    reading: &ReadingArguments,
    allow_empty: bool,
) -> Result<Prefixes, Failure> {
    let limits = Limits { entries_max: ENTRIES.max, ..Limits::default() };
    let policy = GuardPolicy {
        coverage_percent_max: 100,
        entries_max: ENTRIES.max,
        ..GuardPolicy::default()
    };
    let name = name(file);
    let feed = take(file, reading, &limits)
        .map_err(|why| failure(format!("cannot read {name}: {why}")))?;
    // What a file lets in may be all that it says.
    let lets_in = feed.exempted.as_ref().is_some_and(|exempted| !exempted.is_empty());
    let policy =
        GuardPolicy { allow_empty: allow_empty || role == Role::Allow && lets_in, ..policy };
    judge(&feed, None, &policy, &Prefixes::new()).map_err(|refusals| {
        let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        failure(format!("{name} is no usable feed: {}", reasons.join("; ")))
    })?;
    report_rejects(&name, &feed);
    if role == Role::Allow
        && let Some(exempted) = feed.exempted
    {
        return Ok(exempted);
    }
    // What is only for a time is there now.
    Ok(feed.named())
}

/// What a file is called in messages.
pub(super) fn name(file: &Path) -> String {
    if is_stdin(file) { "standard input".into() } else { shown(&file.to_string_lossy()) }
}

/// Reads a file, or standard input for `-`.
fn take(file: &Path, reading: &ReadingArguments, limits: &Limits) -> Result<Feed, String> {
    let format = reading.choice(FormatChoice::Auto);
    let options = reading.over(Options::default());
    let bytes_max = TreeLimits::default().bytes_max;
    if !is_stdin(file) {
        let beside = file.parent().unwrap_or(Path::new(""));
        let feed = complete_for_path(&options, file, beside, bytes_max)
            .and_then(|options| read_path(file, format, &options, limits, bytes_max));
        return feed.map_err(|refusal| refusal.found);
    }
    let mut bytes = Vec::new();
    let taken = io::stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes);
    taken.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("more than {bytes_max} bytes"));
    }
    let bytes = expand(bytes, bytes_max).map_err(|refusal| refusal.found)?;
    let here = Path::new("");
    let options = complete_for_path(&options, here, here, bytes_max);
    let options = options.map_err(|refusal| refusal.found)?;
    Ok(parse_at(bytes, format, &options, limits, Some(SystemTime::now())))
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Says on standard error which lines are not in the result.
fn report_rejects(name: &str, feed: &Feed) {
    let rejected = feed.tally.rejected;
    if rejected == 0 {
        return;
    }
    // Standard error may be closed, which is no reason to fail.
    let mut error = io::stderr().lock();
    let _ = writeln!(error, "denyset: {name}: {rejected} lines are no entries and are left out");
    for reject in feed.rejects.iter().take(REJECTS_SHOWN) {
        let text = shown(&reject.text);
        let _ = writeln!(error, "denyset: {name}:{}: {}: {text}", reject.line, reject.reason);
    }
}
