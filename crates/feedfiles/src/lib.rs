//! Feeds as files: which there are, that they changed, what is in them, and
//! the last good copy of each.
//!
//! Here is all that touches the feeds directory and the state directory. What
//! a feed *means* is decided in `blocklist`; when to look, in the daemon.

mod copies;
mod copy;
mod expand;
mod filename;
mod limits;
mod name;
mod read;
mod scan;
mod settle;
mod signature;
mod store;
mod tree;
mod watch;

pub use copies::{Copies, Damaged, LastGood, Restored, RestoredFeed, StoreError};
pub use copy::{CopyError, CopyHeader};
pub use expand::expand;
pub use limits::TreeLimits;
pub use name::Shown;
pub use read::{FeedFile, Reading, read, read_only, read_path};
pub use scan::{Ignored, Scan, ScanError, scan};
pub use settle::Settle;
pub use signature::Signature;
pub use store::{Candidate, Store};
pub use tree::Obstacle;
pub use watch::{Notice, WatchError, Watcher};

#[cfg(test)]
mod tests;
