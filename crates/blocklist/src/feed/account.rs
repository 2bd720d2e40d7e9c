//! What became of every line of a feed, each counted once. Knows no formats and
//! no addresses.

use std::collections::BTreeMap;

use super::visit::Line;

/// How many lines came to what. Their sum is the number of lines that are neither
/// blank nor a comment.
///
/// A line of which several things can be said counts for the last of them in the
/// order of the fields from [`Self::other`] to [`Self::rejected`]. A document is
/// made of lines as any file is: one line may have all its entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineTally {
    /// Headers, commands, brackets of documents, records of other kinds, and what
    /// was taken out again.
    pub other: u64,
    /// Rows and records that the configuration does not ask for.
    pub left_out: u64,
    /// Rules about a part of the host: a port, a path, an interface.
    pub narrower: u64,
    /// Entries whose time is over.
    pub ended: u64,
    /// Addresses that the feed takes out of what it names.
    pub exempted: u64,
    /// Entries whose host bits were cleared.
    pub masked: u64,
    /// All other entries.
    pub entries: u64,
    /// What is not what the format defines.
    pub rejected: u64,
}

impl LineTally {
    /// All lines.
    pub fn sum(&self) -> u64 {
        self.named().into_iter().map(|(_, lines)| lines).sum()
    }

    /// The numbers by their names in JSON, in the order in which they are shown.
    pub const fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("entries", self.entries),
            ("masked", self.masked),
            ("exempted", self.exempted),
            ("narrower", self.narrower),
            ("left-out", self.left_out),
            ("ended", self.ended),
            ("other", self.other),
            ("rejected", self.rejected),
        ]
    }
}

/// What one line came to, the least telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Came {
    Nothing,
    Other,
    LeftOut,
    Narrower,
    Ended,
    Exempted,
    Masked,
    Entry,
    Rejected,
}

/// So many lines are noted together.
const PAGE_LINES: usize = 1024;

/// The lines so far. Formats tell of them in any order, and of one line often.
#[derive(Default)]
pub(super) struct Account {
    /// Of each line, a byte, where there are lines to be told of.
    pages: BTreeMap<u64, Box<[Came; PAGE_LINES]>>,
}

impl Account {
    pub(super) fn say(&mut self, line: Line<'_>, came: Came) {
        let number = line.number();
        let (page, at) = (number / PAGE_LINES as u64, number % PAGE_LINES as u64);
        let page = self.pages.entry(page).or_insert_with(|| Box::new([Came::Nothing; PAGE_LINES]));
        // The rest of a division fits.
        let at = usize::try_from(at).unwrap_or_default();
        page[at] = page[at].max(came);
    }

    /// The numbers. `entries` and `masked` are lines that nothing was said of
    /// here, all others of `lines` are of no account.
    pub(super) fn finish(&self, entries: u64, masked: u64, lines: u64) -> LineTally {
        let mut tally = LineTally { masked, entries, ..LineTally::default() };
        for came in self.pages.values().flat_map(|page| page.iter()) {
            let count = match came {
                Came::Nothing => continue,
                Came::Other => &mut tally.other,
                Came::LeftOut => &mut tally.left_out,
                Came::Narrower => &mut tally.narrower,
                Came::Ended => &mut tally.ended,
                Came::Exempted => &mut tally.exempted,
                Came::Masked => &mut tally.masked,
                Came::Entry => &mut tally.entries,
                Came::Rejected => &mut tally.rejected,
            };
            *count += 1;
        }
        tally.other += lines.saturating_sub(tally.sum());
        tally
    }
}
