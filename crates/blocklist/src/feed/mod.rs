//! Feeds: bytes in, prefixes out, with an account of every line that was not
//! an entry. Reading never fails; whether the result is fit to be used is for
//! the guards to say.

mod account;
mod addresses;
mod asked;
mod bare;
mod beside;
mod condition;
mod country;
mod csv;
mod describe;
mod detect;
mod disjoint;
mod doubt;
mod duration;
mod fields;
mod format;
mod formats;
mod gather;
mod json;
mod limits;
mod lines;
mod longest;
mod network;
mod options;
mod places;
mod precedence;
mod program;
mod prompt;
mod shape;
mod sources;
mod structure;
mod tally;
mod text;
mod tokens;
mod verdict;
mod visit;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

pub use account::LineTally;
pub use beside::BesideError;
pub use condition::{Condition, ConditionError};
pub use country::{CountryError, CountryRule};
pub use describe::{DescribedLine, Description, describe};
pub use detect::detect;
pub use doubt::{Doubt, Why};
pub use format::{Format, FormatChoice, UnknownFormat};
pub use json::{JsonPath, PathError};
pub use limits::Limits;
pub use network::{AsNumber, AsNumberError};
pub use options::{Column, Options};
pub use shape::Shape;
pub use sources::{Exemption, SourceLine, exemption_with, sources, sources_with};
pub use tally::{Promise, Reject, Tally};

use crate::Prefixes;
use visit::Visit as _;

/// What the bytes of a feed mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The format they were read in.
    pub format: Format,
    /// Every prefix of every entry that is for ever, as written but for host
    /// bits; ranges as the fewest prefixes. Prefixes inside others stay, unless
    /// the feed takes addresses out itself: then the addresses are right and
    /// nothing is inside anything.
    pub prefixes: Prefixes,
    /// The same of the entries that are not for ever, by how many seconds of
    /// their time remain, counted from when the feed was written.
    pub expiring: BTreeMap<u64, Prefixes>,
    /// The same of the entries of which the feed names the moment of their end,
    /// by that moment in seconds since 1970.
    pub ends: BTreeMap<u64, Prefixes>,
    /// The numbers.
    pub tally: Tally,
    /// What became of the lines.
    pub lines: LineTally,
    /// The first lines that are neither entries nor comments, at most
    /// [`Limits::rejects_kept`].
    pub rejects: Vec<Reject>,
    /// What the bytes look like as a whole.
    pub shape: Shape,
    /// What the file itself exempts, if it says of addresses what becomes of
    /// them: what its rules let in.
    pub exempted: Option<Prefixes>,
    /// Why nobody can tell what the file means, if so. What was read of it then
    /// is not to be used.
    pub doubt: Option<Doubt>,
}

impl Feed {
    /// What the feed names for a list that allows it: what its rules let in, or,
    /// if it has no rules, all that it lists for ever.
    pub fn allows(&self) -> &Prefixes {
        self.exempted.as_ref().unwrap_or(&self.prefixes)
    }

    /// The parts of it that are not for ever.
    pub fn ending(&self) -> impl Iterator<Item = &Prefixes> {
        self.expiring.values().chain(self.ends.values())
    }

    /// All that it names to be blocked, for ever or for a time.
    pub fn named(&self) -> Prefixes {
        Prefixes::union(self.ending().chain([&self.prefixes]))
    }
}

/// Reads a feed. Never fails and never panics, whatever the bytes are.
///
/// Text in UTF-16 with a byte order mark is made UTF-8 first, in memory of its own.
/// While it reads it takes four bytes for each IPv4 address and 16 for each IPv6
/// address, twice that for wider prefixes; to sort them takes two mebibytes at the
/// most. The result takes a byte more for each. Entries that are not for ever take
/// 48 bytes.
pub fn parse(bytes: &[u8], format: impl Into<FormatChoice>, limits: &Limits) -> Feed {
    parse_with(bytes, format, &Options::default(), limits)
}

/// As [`parse`], with what the configuration says about the feed.
pub fn parse_with(
    bytes: &[u8],
    format: impl Into<FormatChoice>,
    options: &Options,
    limits: &Limits,
) -> Feed {
    let bytes = &text::decoded(bytes)[..];
    let (format, mut gather) = begin(bytes, format.into(), options, limits, None);
    let shape = format.read(bytes, options, limits, &mut gather);
    gather.finish(format, shape)
}

/// As [`parse_with`], of a text that nobody needs any more, at a moment if anybody
/// knows it: an entry that the feed says ended by then is one whose time is over.
///
/// The text and what is sorted of it are never in memory both, and of a plain list
/// only a half of the text while the second half of it is read.
pub fn parse_at(
    bytes: Vec<u8>,
    format: impl Into<FormatChoice>,
    options: &Options,
    limits: &Limits,
    now: Option<SystemTime>,
) -> Feed {
    let decoded = match text::decoded(&bytes) {
        Cow::Owned(text) => Some(text),
        Cow::Borrowed(_) => None,
    };
    let bytes = decoded.unwrap_or(bytes);
    let since_1970 = |now: SystemTime| now.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = now.map(|now| since_1970(now).unwrap_or_default().as_secs());
    let (format, mut gather) = begin(&bytes, format.into(), options, limits, seconds);
    let shape = format.consume(bytes, options, limits, &mut gather);
    gather.finish(format, shape)
}

/// The format of a text that is decoded, and what is to hear what it says.
fn begin<'l>(
    bytes: &[u8],
    choice: FormatChoice,
    options: &Options,
    limits: &'l Limits,
    now: Option<u64>,
) -> (Format, gather::Gather<'l>) {
    let format = choice.for_bytes(bytes, options);
    let mut gather = gather::Gather::new(limits, choice != FormatChoice::Auto, now);
    if let Some(why) = asked::unheard(format, options) {
        let text = lines::first(lines::without_mark(bytes)).0;
        gather.doubt(visit::Line::At { number: 1, text }, why);
    }
    (format, gather)
}
