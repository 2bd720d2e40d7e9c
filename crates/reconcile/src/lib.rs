//! What must change in the kernel, in which order, and the carrying out.
//!
//! Desired and observed state go in, a plan comes out; the [`Kernel`] trait is
//! owned here and implemented elsewhere, so this crate cannot know which kernel
//! is behind it. Like `blocklist` it is pure: no files, no clock, no threads.

mod apply;
mod capacity;
mod desired;
mod kernel;
mod members;
mod name;
mod observed;
mod op;
mod plan;
mod probe;
mod reconciler;
mod route;
mod verify;

pub use apply::{Outcome, Progress, SetOutcome, apply};
pub use desired::Desired;
pub use kernel::{Kernel, KernelError, KernelErrorKind, Observe, Stage};
pub use members::{CHUNK_MAX, Chunk, Members};
pub use name::{NameError, SET_NAME_MAX, SetName, SetPrefix};
pub use observed::{Foreign, Observed, ObservedSet, SetHeader, Standing};
pub use op::{Capacity, Op, Presence, SetSpec};
pub use plan::{Gate, Policy, Update, plan};
pub use probe::{Drift, Found, Probe};
pub use reconciler::{
    Action, Age, Candidate, Compose, Content, Event, FeedRules, FeedState, Feeds, Fingerprint,
    KernelState, NotAcceptable, Now, Probed, ReadOrder, Reading, Reconciler, Report, Scan,
    SetTimes, Settings, WhenStale,
};
pub use route::{Obstacle, Plan, Reason, Route, RouteKind, SetPlan};
