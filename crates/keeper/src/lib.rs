//! The one machine: what sources, configuration, host and kernel say on one
//! side, what is to be done on the other.
//!
//! Events set state, [`Keeper`] alone says what to do next. Time is passed in;
//! nothing here waits, reads or writes, and nothing is computed over members:
//! that is data too, for others to run.

mod clearance;
mod compose;
mod event;
mod held;
mod keeper;
mod kernel;
mod lists;
mod lockout;
mod proposal;
mod report;
mod settings;

pub use compose::{Basis, Compose, Composed, Trial, Tried};
pub use event::{Action, Converge, Converged, Event, Look, LookCause, Probed, WishOutcome};
pub use held::{Held, HoldReason};
pub use keeper::Keeper;
pub use kernel::{KernelState, SetTimes};
pub use lists::ListState;
pub use proposal::{Slip, SlipKind};
pub use report::Report;
pub use settings::Settings;
