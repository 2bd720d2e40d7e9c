//! What should be blocked: prefixes and their sets, feeds, lists, guards.
//!
//! Everything here is pure: bytes and numbers in, values out. It knows no
//! files, no clock, no network, no kernel, no threads and no environment;
//! what it needs of them arrives as an argument.

mod address;
mod family;
mod prefix;
mod prefix_set;

pub use address::Address;
pub use family::Family;
pub use prefix::{AnyPrefix, Prefix};
pub use prefix_set::{PrefixSet, Prefixes};
