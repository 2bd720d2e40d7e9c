//! Whether a feed came whole, as far as it tells itself: by a count in its
//! header or trailer, and by how its last line ends.

use super::{Guard, Refusal};
use crate::{Feed, RejectReason, Shape, Tally};

/// A refusal of a feed with fewer entries than it says it has.
///
/// Every format that has promises counts entries as written, so there is no
/// tolerance. A rejected line counts as there: how many of those may be is
/// another guard's question. More entries than promised are no sign of a loss.
pub(super) fn promised(feed: &Feed) -> Option<Refusal> {
    let Tally { entries, rejected, promised, .. } = feed.tally;
    let promised = promised?.entries;
    (entries.saturating_add(rejected) < promised).then(|| {
        let end = if feed.shape.unfinished_line { ", and a last line without an end" } else { "" };
        Refusal {
            guard: Guard::Promise,
            expected: format!("the {promised} entries that the feed says it has"),
            found: format!("{entries}{end}"),
        }
    })
}

/// A refusal of a feed that seems to have been cut off in its last line.
pub(super) fn cut_off(feed: &Feed) -> Option<Refusal> {
    (feed.shape.torn_line && feed.tally.entries > 0).then(|| {
        let last = feed.rejects.iter().find(|reject| reject.line == feed.shape.lines);
        let text = last.map_or_else(String::new, |last| format!(": `{}`", last.text));
        Refusal {
            guard: Guard::Truncated,
            expected: "a last line that is an entry or has an end".to_owned(),
            found: format!("that line {} breaks off{text}", feed.shape.lines),
        }
    })
}

/// A refusal of a document that is an error message, or only a part.
pub(super) fn no_document(feed: &Feed) -> Option<Refusal> {
    let (expected, reason) = match feed.shape {
        Shape { error_document: true, .. } => ("a list", RejectReason::ErrorDocument),
        Shape { broken_document: true, .. } => ("a whole document", RejectReason::Json),
        _ => return None,
    };
    let place = feed.rejects.iter().find(|reject| reject.reason == reason);
    let place = place.map_or_else(String::new, |r| format!(" in line {}, `{}`", r.line, r.text));
    Some(Refusal {
        guard: Guard::Document,
        expected: expected.to_owned(),
        found: format!("{reason}{place}"),
    })
}

/// Whether the feed is empty by its own account.
pub(super) fn says_that_it_is_empty(feed: &Feed) -> bool {
    let Tally { entries, rejected, promised, .. } = feed.tally;
    entries == 0 && rejected == 0 && promised.is_some_and(|promised| promised.entries == 0)
}
