//! The whole loop in a world that goes wrong: by every fault at every step of
//! the small cases, and by seed for as long as anybody likes.

mod configured;
mod random_run;
mod scenario;
mod site;
mod site_run;
mod world;

use std::fmt;

pub use random_run::{RunOptions, simulate};
pub(crate) use random_run::{put_fault_in_store, target};
pub use scenario::Scenario;
pub use site_run::simulate_site;
pub use world::ModelWay;
pub(crate) use world::{live, never, prefix, subject};

use crate::{ModelKernel, Violation};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// Requests that reached the kernel, or should have.
    pub requests: u64,
    /// Promises broken, in order. Empty is what everybody hopes for.
    pub violations: Vec<Violation>,
    /// The last requests before the end, for people.
    pub trace: Vec<String>,
    /// By which seed and steps the broken promise alone can be had again, if
    /// that is another run than the one that found it.
    pub again: Option<(u64, u64)>,
}

impl RunReport {
    pub(crate) fn of(kernel: &ModelKernel) -> Self {
        let machine = kernel.machine();
        Self {
            requests: machine.steps(),
            violations: machine.checker.violations().to_vec(),
            trace: machine.trace().map(str::to_owned).collect(),
            again: None,
        }
    }
}

impl fmt::Display for RunReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(out, "{line}")?;
        }
        for violation in &self.violations {
            writeln!(out, "{violation}")?;
        }
        write!(out, "{} requests, {} violations", self.requests, self.violations.len())
    }
}
