//! `denyset compile`: feeds in, the fewest prefixes with the same addresses
//! out. It needs no configuration, no daemon and no privileges, and prints
//! either the whole result or nothing.

mod output;

use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;

use blocklist::{Feed, FormatChoice, GuardPolicy, Limits, Options, Prefixes, judge, parse};

use crate::cli::{self, Compile, Output};
use crate::config::limits::ENTRIES;
use crate::control::Failure;
use crate::exit::Exit;
use crate::feeds::{TreeLimits, expand, read_path};
use crate::progress::Progress;
use crate::view::shown;

use output::{Form, Sets};

/// Bytes gathered before they are written.
const BUFFER_BYTES: usize = 1 << 20;

/// Rejected lines of one feed that are shown.
const REJECTS_SHOWN: usize = 3;

/// Does what the arguments say.
///
/// # Errors
/// A feed that cannot be read or is none; standard output.
pub(super) fn run(arguments: &Compile) -> Result<Exit, Failure> {
    let mut progress = Progress::begin("reading");
    let total = (arguments.feeds.len() + arguments.allow.len()) as u64;
    let mut done = 0;
    let mut unite = |files: &[std::path::PathBuf]| {
        let mut feeds = Vec::with_capacity(files.len());
        for file in files {
            progress.at(done, total);
            feeds.push(read(file)?);
            done += 1;
        }
        Ok::<_, Failure>(Prefixes::union(&feeds))
    };
    let denied = unite(&arguments.feeds)?;
    let allowed = unite(&arguments.allow)?;
    drop(progress);

    let prefixes = denied.subtract(&allowed).aggregate();
    let sets = Sets { name: &arguments.name, family: arguments.family, prefixes: &prefixes };
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let written = sets.write(form(arguments), &mut out).and_then(|()| out.flush());
    match written {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Success),
        Err(error) => Err(failure(format!("cannot write to standard output: {error}"))),
        Ok(()) => Ok(Exit::Success),
    }
}

fn form(arguments: &Compile) -> Form {
    match (arguments.format, arguments.output) {
        (cli::Format::Json, _) => Form::Json,
        (cli::Format::Text, Output::Plain) => Form::Plain,
        (cli::Format::Text, Output::Ipset) => Form::Ipset,
        (cli::Format::Text, Output::Nft) => Form::Nft,
    }
}

/// Reads one file and lets it pass if it is a feed. What a daemon compares
/// with an earlier version, and how much of the internet a feed may cover, is
/// left to whoever asked.
fn read(file: &Path) -> Result<Prefixes, Failure> {
    let limits = Limits { entries_max: ENTRIES.max, ..Limits::default() };
    let policy = GuardPolicy {
        coverage_percent_max: 100,
        entries_max: ENTRIES.max,
        ..GuardPolicy::default()
    };
    let name =
        if is_stdin(file) { "standard input".into() } else { shown(&file.to_string_lossy()) };
    let feed = take(file, &limits).map_err(|why| failure(format!("cannot read {name}: {why}")))?;
    judge(&feed, None, &policy, &Prefixes::new()).map_err(|refusals| {
        let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        failure(format!("{name} is no usable feed: {}", reasons.join("; ")))
    })?;
    report_rejects(&name, &feed);
    // What is only for a time is there now.
    Ok(Prefixes::union(feed.expiring.values().chain([&feed.prefixes])))
}

/// Reads a file, or standard input for `-`.
fn take(file: &Path, limits: &Limits) -> Result<Feed, String> {
    let bytes_max = TreeLimits::default().bytes_max;
    if !is_stdin(file) {
        let feed = read_path(file, FormatChoice::Auto, &Options::default(), limits, bytes_max);
        return feed.map_err(|refusal| refusal.found);
    }
    let mut bytes = Vec::new();
    let taken = io::stdin().lock().take(bytes_max + 1).read_to_end(&mut bytes);
    taken.map_err(|error| error.to_string())?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("more than {bytes_max} bytes"));
    }
    let bytes = expand(bytes, bytes_max).map_err(|refusal| refusal.found)?;
    Ok(parse(&bytes, FormatChoice::Auto, limits))
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

fn failure(message: String) -> Failure {
    Failure::new(Exit::Failure, message)
}
