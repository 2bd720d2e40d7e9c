//! What the verbs print: the documents whose keys other programs hold on to,
//! and the same as text for people, made from the documents and nothing else.
//! Daemon and client exchange them, so they know neither's insides; how they
//! are made of the daemon's facts stands apart, in `facts`.

mod check;
mod columns;
mod compile;
mod exports;
mod facts;
mod hits;
mod moment;
mod outcome;
mod overlap;
mod plan;
mod prepared;
mod status;
#[cfg(test)]
mod tests;
mod text;
mod why;

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

pub use check::{
    CheckView, CheckedFamily, CheckedFeed, CheckedList, ExplainedLine, ExplainedView, RejectView,
};
pub use compile::{CompareView, ComparedFamily, ComparedPair, CountView};
pub use exports::{AppliesView, AppliesWithin, ExportStatus, RefusalCount};
pub use facts::{
    HitsWish, lasting_status, nobody_asks, problems, rule_statuses, status_line, way_out,
    ways_around,
};
pub use hits::{AddressHits, FeedHits, HitsView, IdleFeed, PrefixHits, RuleHits};
pub use moment::Moment;
pub use outcome::{OutcomeView, SetOutcome};
pub use overlap::{FamilyOverlap, FeedOverlap, ListOverlap, OverlapView, PairOverlap};
pub use plan::{PlanView, PlannedSet, RefusalView, RouteName};
pub use prepared::{PreparedSet, PreparedView};
pub use status::{FeedStatus, FileStanding, RuleStatus, SetStatus, StatusView};
pub use text::{accept_command, refused, shown};
pub use why::{AddressVerdict, AllowView, ListAnswer, RuleAnswer, SourceView, WhyView};

use crate::cli::Format;

/// Prints a document to standard output, as the person asked for it.
///
/// # Errors
/// Those of standard output. A reader that has gone is not one.
pub fn print(view: &(impl Serialize + Display), format: Format) -> io::Result<()> {
    write(&mut io::stdout().lock(), view, format).or_else(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(error),
    })
}

/// Writes a document and the end of its last line.
///
/// # Errors
/// Those of `out`.
pub fn write(
    out: &mut impl Write,
    view: &(impl Serialize + Display),
    format: Format,
) -> io::Result<()> {
    match format {
        Format::Text => write!(out, "{view}")?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, view)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()
}
