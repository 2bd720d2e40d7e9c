//! The log: where it goes, what of it, and the vocabulary of its fields.
//! A message names what it is about, why, and the way out, since the journal
//! shows nothing else; the same values are fields besides, and a field that is
//! not in [`FIELDS`] may not be used. What is logged, and when, is not known
//! here.

use std::io::{IsTerminal as _, stderr};
use std::os::unix::net::UnixDatagram;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// The variable that says what is logged, in the notation of
/// [`EnvFilter`]: `debug`, or `info,denyset::feeds=trace`.
pub const FILTER_VARIABLE: &str = "DENYSET_LOG";

/// Every field that a log line may have, and what it holds. In the journal
/// they are `F_` and the name in capitals.
pub const FIELDS: &[(&str, &str)] = &[
    ("absent", "members found missing from a set, a number"),
    ("action", "what the state machine wants done next"),
    ("added", "members added, a number"),
    ("address", "one address"),
    ("attempt", "which try this was, from 1"),
    ("bytes", "a size, in bytes"),
    ("came", "addresses that this host has now and had not"),
    ("chunks", "messages to the kernel, a number"),
    ("client", "the user id of a client of the control socket"),
    ("clients", "clients connected, a number"),
    ("column", "in a line of a file, from 1"),
    ("count", "how many, of what the message says"),
    ("deleted", "members deleted, a number"),
    ("duplicates", "entries that were there already, a number"),
    ("elapsed_ms", "how long it took, in milliseconds"),
    ("entries", "accepted entries as written, duplicates included, a number"),
    ("error", "what went wrong, a sentence"),
    ("expected", "what a guard allows"),
    ("family", "ipv4 or ipv6"),
    ("feed", "a feed's name"),
    ("feeds", "how many feeds"),
    ("file", "a path"),
    ("format", "a feed's format"),
    ("found", "what a guard met"),
    ("generation", "the number of a desired state"),
    ("guard", "the guard that refused, as its key"),
    ("ipv4", "IPv4 entries or members, a number"),
    ("ipv6", "IPv6 entries or members, a number"),
    ("key", "a key of the configuration"),
    ("kind", "of which kind it is, one word"),
    ("line", "of a file, from 1"),
    ("list", "a list's name"),
    ("lists", "how many lists"),
    ("masked", "entries whose host bits were cleared, a number"),
    ("members", "of a set, a number"),
    ("path", "a path"),
    ("pid", "a process id"),
    ("prefix", "an address with its prefix length"),
    ("protected", "addresses taken out by protect, a number"),
    ("reason", "why, a sentence"),
    ("references", "rules and sets that name a set, a number"),
    ("rejected", "lines that could not be read, a number"),
    ("retry_ms", "until the next try, in milliseconds"),
    ("route", "how a set is brought up to date, one word"),
    ("seconds", "a span of time, in seconds"),
    ("set", "a kernel set's name"),
    ("sets", "how many sets"),
    ("signal", "the name of a signal"),
    ("socket", "the path of the control socket"),
    ("stage", "what was being done when it failed"),
    ("state", "of a feed or a set, one word"),
    ("status", "the line that systemd shows"),
    ("uid", "a user id"),
    ("verb", "what a client asked for"),
    ("version", "of the program"),
    ("went", "addresses that this host had and has no more"),
    ("withdraw_seconds", "until a deleted feed is withdrawn"),
];

/// Where the system's log takes messages in, journald's as well (`syslog(3)`).
const SYSLOG: &str = "/dev/log";

/// Leaves word where nobody reads what this process writes. A system without a
/// log has nobody to tell.
pub fn leave_word(text: &str) {
    // `LOG_DAEMON` and `LOG_WARNING` (RFC 3164): three times eight, and four.
    let message = format!("<28>denyset: {text}");
    let told =
        UnixDatagram::unbound().and_then(|socket| socket.send_to(message.as_bytes(), SYSLOG));
    if let Err(error) = told {
        tracing::debug!(%error, "there is no log to leave word in");
    }
}

/// Starts to log: to the journal if that is what standard error is, to
/// standard error otherwise.
///
/// # Errors
/// If the process logs already.
pub fn start() -> Result<(), TryInitError> {
    let journal = is_journal().then(tracing_journald::layer).and_then(Result::ok);
    let text = journal.is_none().then(|| {
        tracing_subscriber::fmt::layer()
            .with_writer(stderr)
            .with_ansi(stderr().is_terminal())
            .with_target(false)
            .compact()
    });
    tracing_subscriber::registry().with(filter()).with(journal).with(text).try_init()
}

/// What is logged: `info`, or what the variable says as far as it can be
/// understood.
fn filter() -> EnvFilter {
    let wanted = std::env::var(FILTER_VARIABLE).unwrap_or_default();
    let default = tracing_subscriber::filter::LevelFilter::INFO.into();
    EnvFilter::builder().with_default_directive(default).parse_lossy(wanted)
}

/// Whether standard error is the stream that systemd connected to the
/// journal: it leaves device and inode in `JOURNAL_STREAM`, see
/// `systemd.exec(5)`, and the variable alone may be inherited.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stat) = rustix::fs::fstat(stderr()) else { return false };
    stream == format!("{}:{}", stat.st_dev, stat.st_ino)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::FIELDS;

    fn sources(below: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(below).expect("the sources are here") {
            let path = entry.expect("and can be listed").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }

    /// The names before `=` in the events of a source text, and those that
    /// stand alone as `%name`, `?name` or `name`.
    fn fields(source: &str) -> Vec<String> {
        let mut found = Vec::new();
        for level in ["error", "warn", "info", "debug", "trace"] {
            for (start, call) in source.match_indices(&format!("tracing::{level}!(")) {
                let rest = &source[start + call.len()..];
                let before_message = rest.split('"').next().unwrap_or_default();
                for argument in before_message.split(',').map(str::trim) {
                    let name = argument.split('=').next().unwrap_or_default().trim();
                    let name = name.trim_start_matches(['%', '?']);
                    if !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                    {
                        found.push(name.to_owned());
                    }
                }
            }
        }
        found
    }

    #[test]
    fn no_event_has_a_field_outside_of_the_vocabulary() {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
        for file in files {
            let source = fs::read_to_string(&file).expect("a source is text");
            for field in fields(&source) {
                let known = FIELDS.iter().any(|(name, _)| *name == field);
                assert!(known, "{}: `{field}` is not in FIELDS", file.display());
            }
        }
    }

    #[test]
    fn fields_of_an_event_are_found() {
        let source = concat!("tracing::", "info!(%feed, line = 3, ?set, \"a message, a = b\");");
        assert_eq!(fields(source), ["feed", "line", "set"]);
    }

    #[test]
    fn the_vocabulary_is_sorted_and_each_word_explained() {
        assert!(FIELDS.is_sorted_by(|(one, _), (other, _)| one < other));
        assert!(FIELDS.iter().all(|(_, meaning)| !meaning.is_empty()));
    }
}
