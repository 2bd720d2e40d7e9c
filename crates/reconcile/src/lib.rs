//! What must change in the kernel, in which order, and the carrying out.
//!
//! Desired and observed state go in, a plan comes out; the [`Kernel`] trait is
//! owned here and implemented elsewhere, so this crate cannot know which kernel
//! is behind it. Like `blocklist` it is pure: no files, no clock, no threads.

mod apply;
mod bypass;
mod capacity;
mod desired;
mod kernel;
mod layout;
mod members;
mod name;
mod object;
mod observed;
mod op;
mod order;
mod plan;
mod price;
mod probe;
mod rule;
mod series;
mod step;
mod verify;

pub use apply::{ObjectOutcome, Outcome, Part, Progress, apply};
pub use bypass::{Bypass, BypassKind};
pub use desired::{Desired, Target};
pub use kernel::{Kernel, KernelError, KernelErrorKind, Observe, Stage};
pub use layout::{LaidOut, MemberLayout, miss_nanoseconds};
pub use members::{CHUNK_MAX, Chunk, Members, Positions};
pub use name::{NameError, SET_NAME_MAX, SetName, SetPrefix};
pub use object::Object;
pub use observed::{
    Difference, DifferenceKind, Foreign, Observed, ObservedSet, SetHeader, Standing,
};
pub use op::{Capacity, Op, Presence, SetSpec};
pub use order::WriteOrder;
pub use plan::{Gate, Hold, Policy, Update, plan};
pub use price::Shortage;
pub use probe::{Drift, Found, Probe};
pub use rule::{
    Count, End, Hook, Interface, PortProtocol, Ports, RejectWith, Rule, RuleSet, RulesFound,
    RulesSeen, Sample, Verdict,
};
pub use series::Series;
pub use step::{Cost, ObjectPlan, Obstacle, Phase, Plan, PlannedStep, Reason, Route, Step};
