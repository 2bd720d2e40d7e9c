//! Which lines of a feed name an address: the same reading as for the prefixes,
//! done again with one question in mind, so that no line numbers need be kept.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::visit::{Line, Visit};
use super::{FormatChoice, Limits, Options, text};
use crate::{AnyPrefix, Entry, RejectReason};

/// A line of a feed that names an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// Its number, the first line being 1.
    pub line: u64,
    /// Its text with the comment, in the form of [`Reject::text`](crate::Reject).
    pub text: String,
    /// What the entry means: an address or prefix, or else `first-last`.
    pub prefix: String,
}

/// Every entry that covers `address`, in the order of the lines, at most
/// [`Limits::sources_kept`]. None if the feed itself takes the address out
/// again.
pub fn sources(
    bytes: &[u8],
    format: impl Into<FormatChoice>,
    limits: &Limits,
    address: IpAddr,
) -> Vec<SourceLine> {
    sources_with(bytes, format, &Options::default(), limits, address)
}

/// As [`sources`], for a feed read with options.
pub fn sources_with(
    bytes: &[u8],
    format: impl Into<FormatChoice>,
    options: &Options,
    limits: &Limits,
    address: IpAddr,
) -> Vec<SourceLine> {
    let search = Search::of(bytes, format.into(), options, limits, address);
    if search.exempted.is_some() { Vec::new() } else { search.found }
}

/// What a feed says of an address that it takes out of its own entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemption {
    /// The first line that takes it out.
    pub by: SourceLine,
    /// The entries that would cover it, as [`sources`] would name them.
    pub over: Vec<SourceLine>,
}

/// Where the feed itself takes `address` out, if it does.
pub fn exemption_with(
    bytes: &[u8],
    format: impl Into<FormatChoice>,
    options: &Options,
    limits: &Limits,
    address: IpAddr,
) -> Option<Exemption> {
    let search = Search::of(bytes, format.into(), options, limits, address);
    search.exempted.map(|by| Exemption { by, over: search.found })
}

/// The reading with the question, and what came of it.
struct Search<'a> {
    address: IpAddr,
    limits: &'a Limits,
    found: Vec<SourceLine>,
    /// Where the feed takes the address out.
    exempted: Option<SourceLine>,
    /// Whether the configuration names the format.
    decided: bool,
}

impl<'a> Search<'a> {
    fn of(
        bytes: &[u8],
        format: FormatChoice,
        options: &Options,
        limits: &'a Limits,
        address: IpAddr,
    ) -> Self {
        let address = address.to_canonical();
        let decided = format != FormatChoice::Auto;
        let mut search = Self { address, limits, found: Vec::new(), exempted: None, decided };
        let bytes = &text::decoded(bytes)[..];
        format.for_bytes(bytes, options).read(bytes, options, limits, &mut search);
        // Some formats tell at the end what they heard before.
        search.found.sort_by_key(|source| source.line);
        search
    }

    fn source(&self, line: Line<'_>, entry: Entry) -> SourceLine {
        let text = text::printable(line.text(), self.limits.text_bytes_max);
        SourceLine { line: line.number(), text, prefix: entry.range.to_string() }
    }
}

impl Visit for Search<'_> {
    #[inline]
    fn prefix(&mut self, line: Line<'_>, prefix: AnyPrefix, masked: bool) -> ControlFlow<()> {
        if prefix.contains(self.address) {
            return self.entry(line, Entry { range: prefix.into(), masked });
        }
        ControlFlow::Continue(())
    }

    fn entry(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        // With enough of them it goes on: an exception may still come.
        if entry.range.contains(self.address) && self.found.len() < self.limits.sources_kept {
            self.found.push(self.source(line, entry));
        }
        ControlFlow::Continue(())
    }

    fn lasting(&mut self, line: Line<'_>, entry: Entry, _: u64) -> ControlFlow<()> {
        self.entry(line, entry)
    }

    fn exception(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        // They need not be told in the order of the lines.
        let before = |found: &SourceLine| found.line <= line.number();
        if entry.range.contains(self.address) && !self.exempted.as_ref().is_some_and(before) {
            self.exempted = Some(self.source(line, entry));
        }
        ControlFlow::Continue(())
    }

    fn ignore(&mut self, _: Line<'_>) {}

    fn all_welcome(&mut self) {
        if !self.decided {
            self.exempted = std::mem::take(&mut self.found).into_iter().next();
        }
    }

    fn promise(&mut self, _: u64) {}

    fn reject(&mut self, _: Line<'_>, _: RejectReason) {}
}
