//! What touches the kernel. One at a time: whoever has this value is the one
//! writer.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::available::available;
use super::keeping::{Keeping, Told};
use blocklist::Family;
use keeper::{Converge, Converged, Look, LookCause, Probed};
use netfilter::Netfilter;
use reconcile::{
    Desired, Kernel as _, KernelError, Observed, Outcome, Part, Plan, Policy, Probe, Progress,
    RuleSet, SetPrefix,
};

/// Between two messages of work that nobody waits for, each of which takes the
/// kernel about as long: others have at least half of the processor, and of the
/// lock that all users of ipset share.
const BREATH: Duration = Duration::from_micros(200);

/// A wish to end early, and how far the work has come, for other threads.
#[derive(Clone, Debug, Default)]
pub struct Halt {
    wanted: Arc<AtomicBool>,
    /// Whether something has come since work began that nobody waits for.
    hurried: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
}

impl Halt {
    /// Asks that the plan under way end after the op under way.
    pub fn ask(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// Says that somebody may wait for the work under way, whatever it is.
    pub fn hurry(&self) {
        self.hurried.store(true, Ordering::Relaxed);
    }

    /// Says that nobody waits for the work that is handed over next.
    pub fn relax(&self) {
        self.hurried.store(false, Ordering::Relaxed);
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

/// What has to be done, as far as this host has the memory for it.
pub fn planned(converge: &mut Converge) -> Plan {
    converge.policy.available = available();
    converge.plan()
}

/// The connection to the kernel.
pub struct KernelEffects {
    prefix: SetPrefix,
    kernel: Netfilter,
    halt: Halt,
    told: Told,
}

impl KernelEffects {
    /// Connects, and finds out whether this kernel can do what is needed.
    ///
    /// # Errors
    /// [`KernelError`] of kind `Unsupported`, `Denied` and others.
    pub fn open(prefix: SetPrefix, halt: Halt) -> Result<Self, KernelError> {
        Ok(Self { prefix, kernel: Netfilter::open()?, halt, told: Told::default() })
    }

    /// Where to say that somebody has done something to our rules.
    pub fn told(&self) -> Told {
        self.told.clone()
    }

    /// Observes all sets with our prefix, and compares them with what is
    /// thought to be there.
    ///
    /// # Errors
    /// The [`KernelError`] of listing them.
    pub fn observe(
        &mut self,
        known: Option<&Observed>,
        cause: LookCause,
    ) -> Result<Look, KernelError> {
        let at_leisure = cause == LookCause::Audit;
        self.kernel.take_time(at_leisure.then(|| self.halt.hurried.clone()));
        let mut observed = Observed::look(&self.prefix, &mut self.kernel, known)?;
        let rules = known.iter().flat_map(|known| &known.rules).map(|seen| &seen.wanted);
        observed.look_for_rules(rules, &mut self.kernel);
        Ok(Look::new(observed, known))
    }

    /// Brings the kernel nearer to what is desired: all that rules could
    /// notice, or else a piece of what nobody waits for. `shown` hears of every
    /// step.
    pub fn converge(
        &mut self,
        mut converge: Converge,
        shown: &mut dyn FnMut(Progress),
    ) -> Converged {
        let plan = planned(&mut converge);
        let part = if plan.is_urgent() { Part::Urgent } else { Part::Later };
        let Converge { ticket, mut observed, .. } = converge;
        // What is read back now, somebody waits for.
        self.kernel.take_time(None);
        let halt = self.halt.wanted.clone();
        let outcome = self.carry_out(&plan, part, &mut observed, &mut |progress| {
            shown(progress);
            let wanted = halt.load(Ordering::Relaxed);
            if wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        Converged { ticket, plan, outcome, observed }
    }

    fn carry_out(
        &mut self,
        plan: &Plan,
        part: Part,
        observed: &mut Observed,
        shown: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Outcome {
        let halt = self.halt.clone();
        let mut pace = |progress| {
            halt.note(progress);
            if part == Part::Later {
                thread::sleep(BREATH);
            }
            shown(progress)
        };
        let mut kernel = Keeping::new(&mut self.kernel, &self.told, observed);
        let outcome = reconcile::apply(plan, part, &mut kernel, observed, &mut pace);
        halt.note(Progress { written: 0, total: 0 });
        outcome
    }

    /// Removes our rules, then every set of ours that no other rule refers to,
    /// and says what came of it and what is left.
    ///
    /// # Errors
    /// The [`KernelError`] of listing them, or of removing the rules.
    pub fn remove_all(&mut self, policy: &Policy) -> Result<(Outcome, Observed), KernelError> {
        for family in Family::ALL {
            self.kernel.put_rules(&RuleSet::new(&self.prefix, family, []))?;
        }
        let mut observed = Observed::look(&self.prefix, &mut self.kernel, None)?;
        let plan = reconcile::plan(&Desired::default(), &observed, policy);
        // Whoever asked for a halt asks for this.
        let mut to_the_end = |_| ControlFlow::Continue(());
        let outcome = self.carry_out(&plan, Part::Urgent, &mut observed, &mut to_the_end);
        // Their names are gone; now their memory, one after the other.
        loop {
            let rest = reconcile::plan(&Desired::default(), &observed, policy);
            let later = self.carry_out(&rest, Part::Later, &mut observed, &mut to_the_end);
            if later.objects.iter().all(|object| object.result.is_err()) {
                return Ok((outcome, observed));
            }
        }
    }

    /// Probes sets, and measures what counting their members cost.
    pub fn probe(&mut self, probes: &[Probe]) -> Vec<Probed> {
        let looks = probes.iter().map(|probe| {
            let begun = Instant::now();
            let result = probe.look(&mut self.kernel);
            let counted_in = probe.count.then(|| begun.elapsed());
            Probed { set: probe.set().clone(), result, counted_in }
        });
        looks.collect()
    }
}
