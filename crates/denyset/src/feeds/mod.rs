//! Feeds as files: which there are, that they changed, what is in them, and
//! the last good copy of each.
//!
//! Here is all that touches the feeds directory and the state directory. What
//! a feed *means* is decided in `blocklist`; when to look, in the daemon.

mod name;
mod settle;
mod watch;

pub use settle::Settle;
pub use watch::{Notice, WatchError, Watcher};
