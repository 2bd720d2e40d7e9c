//! Feeds as files: which there are, that they changed, what is in them, and
//! the last good copy of each.
//!
//! Here is all that touches the feeds directory and the state directory. What
//! a feed *means* is decided in `blocklist`; when to look, in the daemon.

mod beside;
mod copies;
mod copy;
mod draft;
mod expand;
mod filename;
mod limits;
mod lines;
mod links;
mod makeup;
mod mapped;
mod name;
mod quiet;
mod read;
mod rounds;
mod settle;
mod shelf;
mod signature;
mod silent;
mod store;
mod tree;
mod unfinished;
mod unwanted;
mod version;
mod walk;
mod watch;

pub use beside::beside;
pub use copies::{BadCopy, Copies, LastGood, Restored, RestoredFeed, StoreError};
pub use copy::{CopyError, CopyHeader};
pub use draft::{Draft, Drafts, Uncounted};
pub use expand::expand;
pub use limits::TreeLimits;
pub use lines::lines;
pub use makeup::MadeOf;
pub use mapped::OpenCopy;
pub use name::{NameRule, Naming, PassedOver, Shown};
pub use quiet::Quiet;
pub use read::{FeedFile, Taken, complete_for_path, describe_path, read, read_only, read_path};
pub use rounds::{Rounds, Sight};
pub use settle::Settle;
pub use shelf::Shelf;
pub use signature::Signature;
pub use silent::{SILENT_SCAN, Silent};
pub use store::Store;
pub use tree::{Ignored, ScanError, Tree, scan};
pub use unfinished::Unfinished;
pub use version::{Manner, VersionId};
pub use walk::Hindrance;
pub use watch::{Notice, WatchError, Watcher};

#[cfg(test)]
mod tests;
