//! What should be blocked: prefixes and their sets, feeds, lists, guards.
//!
//! Everything here is pure: bytes and numbers in, values out. It knows no
//! files, no clock, no network, no kernel, no threads and no environment;
//! what it needs of them arrives as an argument.

mod address;
mod algebra;
mod family;
mod prefix;
mod prefix_set;
mod prefixes;

pub use address::Address;
pub use algebra::{AddressCount, AddressRange, AnyRange, range_prefixes};
pub use family::Family;
pub use prefix::{AnyPrefix, Prefix};
pub use prefix_set::PrefixSet;
pub use prefixes::Prefixes;
