//! Feeds: bytes in, prefixes out, with an account of every line that was not
//! an entry. Reading never fails; whether the result is fit to be used is for
//! the guards to say.

mod bare;
mod format;
mod gather;
mod limits;
mod plain;
mod shape;
mod sources;
mod tally;
mod text;

pub use format::{Format, UnknownFormat};
pub use limits::Limits;
pub use shape::Shape;
pub use sources::{Source, sources};
pub use tally::{Reject, Tally};

use crate::Prefixes;

/// What the bytes of a feed mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// The format they were read in.
    pub format: Format,
    /// Every prefix of every entry, as written but for host bits; ranges as
    /// the fewest prefixes. Prefixes inside others stay.
    pub prefixes: Prefixes,
    /// The numbers.
    pub tally: Tally,
    /// The first lines that are neither entries nor comments, at most
    /// [`Limits::rejects_kept`].
    pub rejects: Vec<Reject>,
    /// What the bytes look like as a whole.
    pub shape: Shape,
}

/// Reads a feed. Never fails and never panics, whatever the bytes are.
///
/// Beside the result it takes eight bytes for each IPv4 entry and 32 for each
/// IPv6 entry while it reads, and as much again while it sorts.
pub fn parse(bytes: &[u8], format: Format, limits: &Limits) -> Feed {
    let mut gather = gather::Gather::new(limits);
    let shape = match format {
        Format::Plain => plain::read(bytes, limits, &mut gather),
    };
    let (prefixes, tally, rejects) = gather.finish();
    Feed { format, prefixes, tally, rejects, shape }
}
