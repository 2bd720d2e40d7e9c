//! What the readers of all formats have in common: lines, and somebody who
//! wants to hear what they mean. Knows neither side's purposes.

use std::ops::ControlFlow;

use super::Why;
use super::places::Places;
use crate::{AnyPrefix, Entry, RejectReason};

/// A line as it stands in the file.
#[derive(Clone, Copy)]
pub(super) enum Line<'a> {
    /// A line that was counted to.
    At { number: u64, text: &'a [u8] },
    /// The line around a place in a document, to be found when somebody asks:
    /// almost nobody does.
    Around { places: &'a Places<'a>, at: usize },
}

impl<'a> Line<'a> {
    /// The first is 1.
    #[inline]
    pub(super) fn number(self) -> u64 {
        match self {
            Self::At { number, .. } => number,
            Self::Around { places, at } => places.number(at),
        }
    }

    /// With or without its end. Of a format without lines, the part of the text
    /// that an entry was read from.
    #[inline]
    pub(super) fn text(self) -> &'a [u8] {
        match self {
            Self::At { text, .. } => text,
            Self::Around { places, at } => places.around(at),
        }
    }
}

/// Whoever wants to know what a feed says. To break ends the reading.
pub(super) trait Visit {
    /// An entry of the kind that almost all are of.
    fn prefix(&mut self, line: Line<'_>, prefix: AnyPrefix, masked: bool) -> ControlFlow<()>;

    /// Any other entry.
    fn entry(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()>;

    /// An entry for so many seconds from when the feed was written.
    fn lasting(&mut self, line: Line<'_>, entry: Entry, seconds: u64) -> ControlFlow<()>;

    /// An entry until a moment that the feed names, in seconds since 1970.
    fn until(&mut self, line: Line<'_>, entry: Entry, _: u64) -> ControlFlow<()> {
        self.entry(line, entry)
    }

    /// Addresses that the feed itself takes out of what its entries name.
    fn exception(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()>;

    /// Something that the format defines and that is no entry: a header, a
    /// record of another kind, a rule that lets packets through.
    fn ignore(&mut self, line: Line<'_>);

    /// A row or record that the configuration does not ask for.
    fn left_out(&mut self, line: Line<'_>) {
        self.ignore(line);
    }

    /// A rule about a part of the host: a port, a path, an interface.
    fn narrower(&mut self, line: Line<'_>) {
        self.ignore(line);
    }

    /// An entry whose time is over.
    fn ended(&mut self, line: Line<'_>) {
        self.ignore(line);
    }

    /// The feed says that it has so many entries.
    fn promise(&mut self, entries: u64);

    /// Something that is not what the format defines.
    fn reject(&mut self, line: Line<'_>, reason: RejectReason);

    /// The feed says of addresses what becomes of them: its exceptions are what
    /// it lets in.
    fn rules(&mut self) {}

    /// All that the feed names is welcome: it is a list of whom not to block.
    fn all_welcome(&mut self) {}

    /// Something from which on nobody can tell what the feed means.
    fn doubt(&mut self, _: Line<'_>, _: Why) {}

    /// Whether another doubt changes nothing, so that nobody need find words.
    fn is_in_doubt(&self) -> bool {
        false
    }

    /// Something of the format that is perhaps no entry, or else what comes of
    /// reading it as one.
    fn read_unless(
        &mut self,
        ignored: bool,
        line: Line<'_>,
        entry: impl FnOnce() -> Result<Entry, RejectReason>,
    ) -> ControlFlow<()> {
        if ignored {
            self.ignore(line);
            ControlFlow::Continue(())
        } else {
            self.read(line, entry())
        }
    }

    /// What came of reading an entry.
    fn read(&mut self, line: Line<'_>, entry: Result<Entry, RejectReason>) -> ControlFlow<()> {
        match entry {
            Ok(entry) => self.entry(line, entry),
            Err(reason) => {
                self.reject(line, reason);
                ControlFlow::Continue(())
            }
        }
    }
}
