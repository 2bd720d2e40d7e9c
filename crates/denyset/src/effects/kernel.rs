//! What touches the kernel. One at a time: whoever has this value is the one
//! writer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use netfilter::Netfilter;
use reconcile::{
    Desired, Event, KernelError, Observed, Plan, Policy, Probe, Probed, Progress, SetPrefix,
};

/// A wish to end early, and how far the work has come, for other threads.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    wanted: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Halt {
    /// Asks that the plan under way end after the op under way.
    pub fn ask(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// The progress of the plan under way, `None` if there is none.
    pub fn progress(&self) -> Option<Progress> {
        let total = self.total.load(Ordering::Relaxed);
        (total > 0).then(|| Progress { written: self.written.load(Ordering::Relaxed), total })
    }

    fn note(&self, progress: Progress) {
        self.written.store(progress.written, Ordering::Relaxed);
        self.total.store(progress.total, Ordering::Relaxed);
    }
}

/// The connection to the kernel.
pub struct KernelEffects {
    prefix: SetPrefix,
    kernel: Netfilter,
    halt: Halt,
}

impl KernelEffects {
    /// Connects, and finds out whether this kernel can do what is needed.
    ///
    /// # Errors
    /// [`KernelError`] of kind `Unsupported`, `Denied` and others.
    pub fn open(prefix: SetPrefix, halt: Halt) -> Result<Self, KernelError> {
        Ok(Self { prefix, kernel: Netfilter::open()?, halt })
    }

    /// Observes all sets with our prefix.
    pub fn observe(&mut self) -> Event {
        Event::Observed(Observed::look(&self.prefix, &mut self.kernel))
    }

    /// Carries out a plan. `shown` hears of every step.
    pub fn apply(
        &mut self,
        plan: &Plan,
        mut observed: Observed,
        shown: &mut dyn FnMut(Progress),
    ) -> Event {
        let halt = self.halt.clone();
        let mut pace = |progress| {
            halt.note(progress);
            shown(progress);
            let wanted = halt.wanted.load(Ordering::Relaxed);
            if wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let outcome = reconcile::apply(plan, &mut self.kernel, &mut observed, &mut pace);
        halt.note(Progress { written: 0, total: 0 });
        Event::Applied { outcome, observed }
    }

    /// Removes every set of ours that no rule refers to. The event tells what
    /// came of it, as after a plan.
    pub fn remove_all(&mut self, policy: &Policy) -> Event {
        let observed = match self.observe() {
            Event::Observed(Ok(observed)) => observed,
            failed => return failed,
        };
        let plan = reconcile::plan(&Desired::default(), &observed, policy);
        self.apply(&plan, observed, &mut |_| ())
    }

    /// Probes sets, and measures what counting their members cost.
    pub fn probe(&mut self, probes: &[Probe]) -> Event {
        let looks = probes.iter().map(|probe| {
            let begun = Instant::now();
            let result = probe.look(&mut self.kernel);
            let counted_in = probe.count.then(|| begun.elapsed());
            Probed { set: probe.set().clone(), result, counted_in }
        });
        Event::Probed(looks.collect())
    }
}
