//! Where the addresses of a list come from. Each source has at most one version
//! in force; how it is known and kept is a matter of its kind.

use std::fmt;

use blocklist::FeedName;

/// A source of addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A file in the feeds directory.
    Feed(FeedName),
    /// The temporary entries that clients of this host have made.
    Bans,
    /// What other hosts of the same administrator say.
    Fleet,
}

impl fmt::Display for Source {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(feed) => write!(out, "feed {feed}"),
            Self::Bans => out.write_str("bans"),
            Self::Fleet => out.write_str("fleet"),
        }
    }
}
