//! Which lines of a feed name an address: the same reading as for the prefixes,
//! done again with one question in mind, so that no line numbers need be kept.

use std::net::IpAddr;
use std::ops::ControlFlow;

use super::plain::{Line, Visit};
use super::{Format, Limits, plain, text};
use crate::{AnyPrefix, Entry, Prefix, RejectReason};

/// A line of a feed that names an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its number, the first line being 1.
    pub line: u64,
    /// Its text with the comment, in the form of [`Reject::text`](crate::Reject).
    pub text: String,
    /// What the entry means: an address or prefix, or else `first-last`.
    pub prefix: String,
}

/// Every entry that covers `address`, in the order of the lines, at most
/// [`Limits::sources_kept`].
pub fn sources(bytes: &[u8], format: Format, limits: &Limits, address: IpAddr) -> Vec<Source> {
    let mut search = Search { address: address.to_canonical(), limits, found: Vec::new() };
    match format {
        Format::Plain => plain::read(bytes, limits, &mut search),
    };
    search.found
}

struct Search<'a> {
    address: IpAddr,
    limits: &'a Limits,
    found: Vec<Source>,
}

impl Visit for Search<'_> {
    #[inline]
    fn prefix(&mut self, line: Line<'_>, prefix: Prefix<u32>, masked: bool) -> ControlFlow<()> {
        match self.address {
            IpAddr::V4(address) if prefix.contains(address.into()) => {
                self.entry(line, Entry { range: AnyPrefix::V4(prefix).into(), masked })
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn entry(&mut self, line: Line<'_>, entry: Entry) -> ControlFlow<()> {
        if !entry.range.contains(self.address) {
            return ControlFlow::Continue(());
        }
        if self.found.len() == self.limits.sources_kept {
            return ControlFlow::Break(());
        }
        let text = text::printable(line.text, self.limits.text_bytes_max);
        self.found.push(Source { line: line.number, text, prefix: entry.range.to_string() });
        ControlFlow::Continue(())
    }

    fn reject(&mut self, _: Line<'_>, _: RejectReason) {}
}
