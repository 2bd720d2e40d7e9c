//! Makes the sets that a configuration names and the kernel lacks, and fills
//! those. A set that is there is left alone, whoever made it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Instant;

use configuration::Configuration;
use netfilter::Netfilter;
use reconcile::{
    Desired, Gate, KernelError, KernelErrorKind, Members, Object, Observed, Outcome, Part, Policy,
    Reason, SetName, Target, apply, plan,
};

use super::script::sets;
use crate::lock::{Lock, LockError};
use crate::remedy;
use crate::salt::salt;

/// Why a set is missing that should be there.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The kernel cannot, or we may not.
    #[error("{error}{remedy}", error = .0, remedy = remedy::of_kernel(.0))]
    Kernel(#[from] KernelError),
    /// Somebody else writes these sets, and has not made all of them.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// The sets that were made, and the right to fill them.
#[derive(Debug)]
pub struct Made {
    kernel: Netfilter,
    observed: Observed,
    policy: Policy,
    /// All that the configuration has.
    named: BTreeSet<SetName>,
    /// Those that were made.
    sets: BTreeSet<SetName>,
    /// `None` if nothing was missing.
    _lock: Option<Lock>,
}

/// Makes the sets of a configuration that are missing, all of them empty.
///
/// # Errors
/// [`PrepareError`]. Some sets may have been made all the same.
pub fn make(config: &Configuration) -> Result<Made, PrepareError> {
    let prefix = &config.kernel.set_prefix;
    let mut kernel = Netfilter::open()?;
    let observed = Observed::look(prefix, &mut kernel, None)?;
    let missing = |set: &SetName| !observed.sets.contains_key(set);
    let named: BTreeSet<_> = sets(config).collect();
    let sets: BTreeSet<_> = named.iter().filter(|set| missing(set)).cloned().collect();
    // What is not planned for is not touched, but this says so twice.
    let policy = Policy {
        gate: Gate::AddOnly,
        layout: config.kernel.layout,
        ..Policy::new(prefix.clone(), salt())
    };
    let lock = if sets.is_empty() { None } else { Some(Lock::take(prefix)?) };
    let mut made = Made { kernel, observed, policy, named, sets, _lock: lock };
    let empty = made.sets.iter().map(|set| (set.clone(), Target::of(Members::none(set.family()))));
    let desired = Desired { sets: empty.collect(), ..Desired::default() };
    let outcome = made.carry_out(&desired, None);
    for done in outcome.objects {
        match (done.object, done.result) {
            // Somebody has made it meanwhile, which is as good, but theirs.
            (Object::Set(set), Err(error)) if error.kind == KernelErrorKind::Exists => {
                made.sets.remove(&set);
            }
            (_, result) => result?,
        }
    }
    Ok(made)
}

impl Made {
    /// The sets that were made.
    pub fn sets(&self) -> &BTreeSet<SetName> {
        &self.sets
    }

    /// All sets of the configuration, and how many members each has.
    pub fn all(&self) -> impl Iterator<Item = (&SetName, u64)> {
        let seen = self.named.iter().filter_map(|set| self.observed.sets.get_key_value(set));
        seen.map(|(set, seen)| (set, u64::from(seen.header.elements)))
    }

    /// Fills sets that were made, the small ones first, and says which of them
    /// are filled when `until` has come. Each is filled whole or stays empty.
    pub(super) fn fill(&mut self, desired: &Desired, until: Instant) -> BTreeSet<SetName> {
        let ours = desired.sets.iter().filter(|(set, _)| self.sets.contains(*set));
        let desired = Desired {
            sets: ours.map(|(set, to)| (set.clone(), to.clone())).collect(),
            ..Desired::default()
        };
        self.carry_out(&desired, Some(until));
        // Whatever lengths they are written in.
        let left = plan(&desired, &self.observed, &self.policy);
        let filled = left.objects.iter().filter(|planned| planned.reason == Reason::InSync);
        filled.filter_map(|planned| planned.object.set().cloned()).collect()
    }

    fn carry_out(&mut self, desired: &Desired, until: Option<Instant>) -> Outcome {
        let plan = plan(desired, &self.observed, &self.policy);
        apply(&plan, Part::Urgent, &mut self.kernel, &mut self.observed, &mut |_| {
            let late = until.is_some_and(|until| Instant::now() >= until);
            if late { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
}
