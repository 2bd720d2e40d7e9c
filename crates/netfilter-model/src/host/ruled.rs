//! Rules of our own on the host: what each list has, what others do to them, and
//! how they must stand in the end. A run has them or has none, so that a seed
//! without them is the same as ever.

use std::sync::Arc;

use blocklist::{Family, Prefixes};
use intake::Shuts;
use reconcile::{End, Hook, Observed, PortProtocol, Ports, Rule, RuleSet, Verdict};

use super::configuration::HostConfiguration;
use super::{Host, SimulatedDaemon};
use crate::Invariant;
use crate::simulation::{live, prefix};

/// The list that only its members pass by, on one port.
const ONLY: &str = "edge";
/// The list that no rule of ours asks.
const UNRULED: &str = "x";

/// Of a hundred steps, in how many somebody does something to the rules.
const MEDDLES_PERCENT: usize = 4;
/// How often that is told at once; else a probe finds it.
const TOLD_PERCENT: usize = 70;

impl HostConfiguration {
    /// The same, with rules.
    pub(super) fn with_rules(&self) -> Arc<Self> {
        Arc::new(Self { ruled: true, ..self.clone() })
    }

    /// The rules of both families.
    pub(super) fn filter(&self) -> Vec<RuleSet> {
        if !self.ruled {
            return Vec::new();
        }
        let of = |family| {
            let lists = self.lists.keys().filter(|list| *list != UNRULED);
            RuleSet::new(&prefix(), family, lists.map(|list| rule(list, family)))
        };
        Family::ALL.map(of).into()
    }

    /// Whom the list shuts out that lets its members in.
    pub(super) fn shuts(&self) -> Option<(String, Shuts)> {
        let shuts = Shuts { members: Vec::new(), others: vec![22..=22] };
        (self.ruled && self.lists.contains_key(ONLY)).then(|| (ONLY.to_owned(), shuts))
    }
}

fn rule(list: &str, family: Family) -> Rule {
    let only = list == ONLY;
    let ssh = Ports { transport: PortProtocol::Tcp, range: 22..=22 };
    Rule {
        name: list.to_owned(),
        set: live(list, family),
        end: End::Source,
        hook: if only { Hook::Input } else { Hook::Prerouting },
        verdict: if only { Verdict::AllowOnly } else { Verdict::Drop },
        ports: only.then_some(ssh).into_iter().collect(),
        interfaces: Vec::new(),
        new_only: false,
        sample: None,
    }
}

/// Looks for the rules that were looked for before, as whoever observes does.
pub(super) fn look(
    observed: &mut Observed,
    seen: Option<&Observed>,
    kernel: &mut impl reconcile::Observe,
) {
    let rules = seen.iter().flat_map(|seen| &seen.rules).map(|seen| &seen.wanted);
    observed.look_for_rules(rules, kernel);
}

impl Host {
    /// Now and then somebody flushes all rules, or deletes a table of ours.
    pub(super) fn meddle_with_rules(&mut self) {
        if !self.configuration.ruled || !self.random.chance(MEDDLES_PERCENT) {
            return;
        }
        if self.random.chance(50) {
            self.kernel.machine().flush_rules();
        } else {
            let family = *self.random.pick(&Family::ALL);
            self.kernel.machine().flush_rules_of(family);
        }
        if self.random.chance(TOLD_PERCENT) {
            self.tell(SimulatedDaemon::rules_changed);
        }
    }

    /// What stands in the tables of ours.
    pub(super) fn tables(&self) -> Vec<RuleSet> {
        let machine = self.kernel.machine();
        Family::ALL.into_iter().filter_map(|family| machine.table(family).cloned()).collect()
    }

    /// Holds what a plan has made of the rules against what was there: what is
    /// wanted and was there is there. Others may have had a hand in it where they
    /// may.
    pub(super) fn judge_change(&self, before: &[RuleSet], wanted: &[RuleSet]) {
        if self.chances.kernel_faults || self.chances.foreign_hands {
            return;
        }
        let rules = |sets: &[RuleSet]| -> Vec<Rule> {
            sets.iter().flat_map(|one| one.rules().iter().cloned()).collect()
        };
        let (before, wanted, after) = (rules(before), rules(wanted), rules(&self.tables()));
        let gone = before.iter().find(|rule| wanted.contains(rule) && !after.contains(rule));
        if let Some(rule) = gone {
            let text = format!("a plan takes away a rule that is wanted: {rule:?}");
            self.report(Invariant::WholeOrOld, text);
        }
    }

    /// Whether a rule that lets only members in waits, since there are none.
    pub(super) fn a_rule_waits(&self, running: &HostConfiguration) -> bool {
        let rules = running.filter();
        rules.iter().flat_map(RuleSet::rules).any(|rule| self.may_wait(rule))
    }

    fn may_wait(&self, rule: &Rule) -> bool {
        let held = self.held();
        let nobody = held.get(&rule.name).is_none_or(Prefixes::is_empty);
        rule.verdict == Verdict::AllowOnly && nobody
    }

    /// What is wrong with the rules when all faults have ended.
    pub(super) fn rules_complaints(&self, running: &HostConfiguration) -> Vec<String> {
        let tables = self.tables();
        let mut complaints = Vec::new();
        for wanted in running.filter() {
            let family = wanted.family();
            let found = tables.iter().find(|found| found.family() == family);
            let found = found.map(RuleSet::rules).unwrap_or_default();
            let lacks = |rule: &&Rule| !found.contains(rule) && !self.may_wait(rule);
            if let Some(rule) = wanted.rules().iter().find(lacks) {
                complaints.push(format!("a rule is not there: {} of {family}", rule.name));
            }
            if let Some(rule) = found.iter().find(|rule| !wanted.rules().contains(rule)) {
                complaints.push(format!("a rule is left over: {} of {family}", rule.name));
            }
        }
        complaints
    }
}
