//! The kernel while a plan is carried out. Loading a large set takes a second
//! or more; when somebody takes our rules away meanwhile, they are put back
//! before the next op, and not only once all is done.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blocklist::AnyPrefix;
use reconcile::{
    Chunk, Kernel, KernelError, Members, Observe, Observed, Op, RuleSet, RulesFound, Series,
    SetHeader, SetName, SetPrefix, WriteOrder,
};

/// Whether somebody has done something to our rules since they were last
/// looked at.
#[derive(Clone, Debug, Default)]
pub struct Told(Arc<AtomicBool>);

impl Told {
    /// Something was done to them.
    pub fn tell(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether something was, of which nothing was said yet.
    pub(super) fn take(&self) -> bool {
        self.waits() && self.0.swap(false, Ordering::Relaxed)
    }

    /// The same, and it is still to be said.
    fn waits(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A kernel in which rules that are in force stay so.
pub(super) struct Keeping<'a, K> {
    kernel: &'a mut K,
    told: &'a Told,
    /// What is in force, one for each family at the most.
    rules: Vec<RuleSet>,
}

impl<'a, K: Kernel> Keeping<'a, K> {
    /// What was seen to be in force stays so.
    pub(super) fn new(kernel: &'a mut K, told: &'a Told, observed: &Observed) -> Self {
        let in_force = |seen: &&reconcile::RulesSeen| {
            let found = matches!(seen.found, Some(RulesFound::AsWanted(_)));
            found && !seen.wanted.rules().is_empty()
        };
        let rules = observed.rules.iter().filter(in_force).map(|seen| seen.wanted.clone());
        Self { kernel, told, rules: rules.collect() }
    }

    /// Puts back what somebody has taken away. What fails is seen and told by
    /// the look that follows every such news.
    fn put_back(&mut self) {
        if !self.told.take() {
            return;
        }
        for rules in &self.rules {
            match self.kernel.put_rules(rules) {
                Ok(false) => {}
                Ok(true) => tracing::warn!(
                    family = %rules.family(),
                    "somebody else changed the rules for {}, they were put back at once",
                    rules.family()
                ),
                Err(error) => tracing::debug!(%error, "rules could not be put back at once"),
            }
        }
    }
}

impl<K: Kernel> Observe for Keeping<'_, K> {
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        self.kernel.sets(prefix)
    }
    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        self.kernel.header(set)
    }
    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        self.kernel.members(set)
    }
    fn holds(&mut self, set: &SetName, members: &Members) -> Result<bool, KernelError> {
        self.kernel.holds(set, members)
    }
    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        self.kernel.absent(set, chunk)
    }
    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        self.kernel.matches(set, address)
    }
    fn rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        self.kernel.rules(wanted)
    }
}

impl<K: Kernel> Kernel for Keeping<'_, K> {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        self.put_back();
        self.kernel.execute(op)
    }

    fn execute_series(
        &mut self,
        series: &Series,
        from: usize,
        done: &mut dyn FnMut(&Op) -> ControlFlow<()>,
    ) -> Result<(), KernelError> {
        let (mut next, mut flow) = (from, ControlFlow::Continue(()));
        while next < series.len() && flow.is_continue() {
            self.put_back();
            let told = self.told;
            self.kernel.execute_series(series, next, &mut |op| {
                next += 1;
                flow = done(op);
                if told.waits() { ControlFlow::Break(()) } else { flow }
            })?;
        }
        Ok(())
    }

    fn order(&self, set: &SetHeader, members: &Members) -> WriteOrder {
        self.kernel.order(set, members)
    }

    fn put_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
        // From here on these are the ones that stay.
        self.rules.retain(|rules| rules.family() != wanted.family());
        let put = self.kernel.put_rules(wanted)?;
        if !wanted.rules().is_empty() {
            self.rules.push(wanted.clone());
        }
        Ok(put)
    }
}

#[cfg(test)]
mod tests {
    use blocklist::Family;
    use reconcile::{End, Hook, KernelErrorKind, RulesSeen, Stage, Verdict};

    use super::*;

    /// A kernel that only counts.
    #[derive(Default)]
    struct Counting {
        ops: usize,
        puts: Vec<Family>,
    }

    impl Observe for Counting {
        fn sets(&mut self, _prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
            Ok(Vec::new())
        }
        fn header(&mut self, _set: &SetName) -> Result<Option<SetHeader>, KernelError> {
            Ok(None)
        }
        fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
            Err(KernelError::new(Stage::Dump, set, KernelErrorKind::NotFound))
        }
        fn absent(&mut self, _set: &SetName, _chunk: &Chunk) -> Result<usize, KernelError> {
            Ok(0)
        }
        fn matches(&mut self, _set: &SetName, _address: AnyPrefix) -> Result<bool, KernelError> {
            Ok(false)
        }
    }

    impl Kernel for Counting {
        fn execute(&mut self, _op: &Op) -> Result<(), KernelError> {
            self.ops += 1;
            Ok(())
        }
        fn put_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
            self.puts.push(wanted.family());
            Ok(true)
        }
    }

    /// Rules of a family, as they are known to be.
    fn seen(family: Family, found: Option<RulesFound>) -> RulesSeen {
        let prefix = SetPrefix::new("x-").expect("fits");
        let set = prefix.live("drop", family).expect("fits");
        let rule = reconcile::Rule {
            name: "drop".to_owned(),
            set,
            end: End::Source,
            hook: Hook::Prerouting,
            verdict: Verdict::Drop,
            ports: Vec::new(),
            interfaces: Vec::new(),
            new_only: false,
            sample: None,
        };
        RulesSeen { wanted: RuleSet::new(&prefix, family, [rule]), found }
    }

    #[test]
    fn between_two_ops_what_was_in_force_is_put_back_once_for_every_news() {
        let there = seen(Family::Ipv4, Some(RulesFound::AsWanted(Vec::new())));
        let gone = seen(Family::Ipv6, Some(RulesFound::Absent));
        let flush = Op::Flush(there.wanted.rules()[0].set.clone());
        let new = gone.wanted.clone();
        let observed = Observed { rules: vec![there, gone], ..Observed::default() };
        let (mut counting, told) = (Counting::default(), Told::default());
        let mut kernel = Keeping::new(&mut counting, &told, &observed);
        let flushes = |kernel: &mut Keeping<'_, _>| kernel.execute(&flush).expect("it can");
        flushes(&mut kernel);
        told.tell();
        told.tell();
        flushes(&mut kernel);
        flushes(&mut kernel);
        // What was put meanwhile stays as well.
        kernel.put_rules(&new).expect("it can");
        told.tell();
        flushes(&mut kernel);
        let (four, six) = (Family::Ipv4, Family::Ipv6);
        assert_eq!(counting.puts, [four, six, four, six]);
        assert_eq!(counting.ops, 4);
    }

    /// Some news come after the second op of a series of five, and it is told to end
    /// behind one of them, or not.
    fn check_series(end_behind: Option<usize>, ops: usize, puts: usize) {
        let there = seen(Family::Ipv4, Some(RulesFound::AsWanted(Vec::new())));
        let set = there.wanted.rules()[0].set.clone();
        let observed = Observed { rules: vec![there], ..Observed::default() };
        let (mut counting, told) = (Counting::default(), Told::default());
        let mut kernel = Keeping::new(&mut counting, &told, &observed);
        let hosts: blocklist::PrefixSet<u32> = (0..5_000).map(blocklist::Prefix::host).collect();
        let series = Series::delete(&set, &hosts.into(), WriteOrder::SORTED);
        let (mut heard, mut next) = (Vec::new(), 0);
        let mut hear = |op: &Op| {
            next += 1;
            heard.push(op.clone());
            if next == 2 {
                told.tell();
            }
            if Some(next) == end_behind {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        kernel.execute_series(&series, 0, &mut hear).expect("it can");
        assert_eq!(heard, series.ops(0).take(ops).collect::<Vec<_>>());
        assert_eq!((counting.ops, counting.puts.len()), (ops, puts));
    }

    #[test]
    fn in_the_middle_of_a_series_rules_are_put_back_and_it_goes_on_where_it_was() {
        check_series(None, 5, 1);
        check_series(Some(4), 4, 1);
        // What comes with the end is put back by whatever is done next.
        check_series(Some(2), 2, 0);
        check_series(Some(1), 1, 0);
    }
}
