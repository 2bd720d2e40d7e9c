//! The kernel's ipsets in memory, with faults, crashes and foreign writers,
//! and a checker that holds every request against the project's invariants.
//!
//! Two ways lead in: typed ops ([`ModelKernel`], as `reconcile` gives them)
//! and netlink bytes ([`Loopback`]). Nothing that is shipped may depend on this crate.

mod checker;
mod code;
mod fault;
mod generations;
pub mod host;
mod kernel;
mod loopback;
mod machine;
mod random;
mod request;
mod sets;
pub mod simulation;
mod universe;

pub use checker::{Checker, Invariant, Violation};
pub use code::Code;
pub use fault::{Fault, FaultTarget, Faults, Hand, intruder};
pub use kernel::{ModelKernel, members};
pub use loopback::Loopback;
pub use machine::{AboutRules, Machine, RulesReply};
pub use random::Random;
pub use request::{ModelReply, ModelRequest, Trouble};
pub use sets::{ModelRefusal, ModelSets, RawName, RawSet, Slot, covers};
pub use universe::{prefixes, universe};
