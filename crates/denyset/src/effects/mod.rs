//! Carries out what the reconciler wants done, by blocking the caller: the
//! kernel's part and the feeds' part. The daemon calls it from threads of its
//! own, the one-shot verbs from the only one they have. Nothing is decided here.

mod around;
mod available;
mod feeds;
mod keeping;
mod kernel;
mod peers;
mod recalled;

pub use around::bypasses;
pub use feeds::{FeedEffects, Scanned};
pub use keeping::Told;
pub use kernel::{Halt, KernelEffects, planned};
pub use peers::Connections;
