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
/// address, twice that for wider prefixes; to sort IPv4 takes as much again. The
/// result takes the same memory. Entries that are not for ever take 48 bytes.
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
    parsed(bytes, format.into(), options, limits, None)
}

/// As [`parse_with`], at a moment: an entry that the feed says ended by then is
/// one whose time is over.
pub fn parse_at(
    bytes: &[u8],
    format: impl Into<FormatChoice>,
    options: &Options,
    limits: &Limits,
    now: SystemTime,
) -> Feed {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    parsed(bytes, format.into(), options, limits, Some(seconds))
}

fn parsed(
    bytes: &[u8],
    choice: FormatChoice,
    options: &Options,
    limits: &Limits,
    now: Option<u64>,
) -> Feed {
    let bytes = &text::decoded(bytes)[..];
    let format = choice.for_bytes(bytes, options);
    let mut gather = gather::Gather::new(limits, choice != FormatChoice::Auto, now);
    if let Some(why) = asked::unheard(format, options) {
        let text = lines::first(lines::without_mark(bytes)).0;
        gather.doubt(visit::Line::At { number: 1, text }, why);
    }
    let shape = format.read(bytes, options, limits, &mut gather);
    gather.finish(format, shape)
}
