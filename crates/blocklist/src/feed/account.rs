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

/// Of each of some lines, a byte.
type Page = Box<[Came; PAGE_LINES]>;

/// The lines so far. Formats tell of them in any order, and of one line often.
#[derive(Default)]
pub(super) struct Account {
    /// The page of which something was said last, by its number. Mostly the next
    /// line is on it, too.
    open: Option<(u64, Page)>,
    /// All others with lines to be told of.
    pages: BTreeMap<u64, Page>,
}

impl Account {
    #[inline]
    pub(super) fn say(&mut self, line: Line<'_>, came: Came) {
        let number = line.number();
        let (page, at) = (number / PAGE_LINES as u64, number % PAGE_LINES as u64);
        if self.open.as_ref().is_none_or(|(open, _)| *open != page) {
            self.turn_to(page);
        }
        // The rest of a division fits.
        let at = usize::try_from(at).unwrap_or_default();
        if let Some((_, page)) = &mut self.open {
            page[at] = page[at].max(came);
        }
    }

    #[cold]
    fn turn_to(&mut self, page: u64) {
        let next = self.pages.remove(&page);
        let next = next.unwrap_or_else(|| Box::new([Came::Nothing; PAGE_LINES]));
        self.pages.extend(self.open.replace((page, next)));
    }

    /// The numbers. `entries` and `masked` are lines that nothing was said of
    /// here, all others of `lines` are of no account.
    pub(super) fn finish(&self, entries: u64, masked: u64, lines: u64) -> LineTally {
        let mut counts = [0; Came::Rejected as usize + 1];
        let open = self.open.iter().map(|(_, page)| page);
        for came in self.pages.values().chain(open).flat_map(|page| page.iter()) {
            counts[*came as usize] += 1;
        }
        let count = |came: Came| counts[came as usize];
        let mut tally = LineTally {
            other: count(Came::Other),
            left_out: count(Came::LeftOut),
            narrower: count(Came::Narrower),
            ended: count(Came::Ended),
            exempted: count(Came::Exempted),
            masked: masked + count(Came::Masked),
            entries: entries + count(Came::Entry),
            rejected: count(Came::Rejected),
        };
        tally.other += lines.saturating_sub(tally.sum());
        tally
    }
}
