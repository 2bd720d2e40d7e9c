//! Our tables of rules in the model: put as a whole or not at all, and each
//! rule in them refers to its set. What packets would make of them is not
//! known here.

use std::collections::BTreeMap;

use blocklist::Family;
use reconcile::{RuleSet, RulesFound};

use super::Machine;
use crate::fault::Fault;
use crate::sets::RawName;
use crate::{Code, ModelRefusal, Trouble};

/// What is asked of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AboutRules {
    /// What stands where they should.
    Find,
    /// That they stand there, and no others.
    Put,
}

/// What comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulesReply {
    /// What was found.
    Found(RulesFound),
    /// Whether there was anything to do.
    Put(bool),
}

/// The tables of both families.
#[derive(Clone, Debug, Default)]
pub(super) struct ModelTables(BTreeMap<Family, RuleSet>);

impl ModelTables {
    /// How often rules of ours refer to each set.
    pub(super) fn references(&self) -> BTreeMap<RawName, u32> {
        let mut references = BTreeMap::new();
        for rule in self.0.values().flat_map(RuleSet::rules) {
            *references.entry(RawName::from(&rule.set)).or_default() += 1;
        }
        references
    }
}

impl Machine {
    /// The rules of a family that are in force.
    pub fn table(&self, family: Family) -> Option<&RuleSet> {
        self.tables.0.get(&family)
    }

    /// Somebody flushes all rules of the host.
    pub fn flush_rules(&mut self) {
        self.note("     ~ somebody else: flush ruleset".to_owned());
        self.replace_table(Family::Ipv4, None);
        self.replace_table(Family::Ipv6, None);
    }

    /// Somebody deletes our table of one family.
    pub fn flush_rules_of(&mut self, family: Family) {
        self.note(format!("     ~ somebody else: delete the table of {family}"));
        self.replace_table(family, None);
    }

    /// Does what is asked of rules, unless a fault has it otherwise. To a
    /// foreign hand all rules are one; what tears a dump is another generation.
    ///
    /// # Errors
    /// [`Trouble`], the kernel's own or that of a fault.
    pub fn serve_rules(
        &mut self,
        about: AboutRules,
        wanted: &RuleSet,
    ) -> Result<RulesReply, Trouble> {
        if self.crashed {
            return Err(Trouble::Silence);
        }
        self.step += 1;
        let fault = self.faults.at.remove(&self.step);
        if let Some(fault) = &fault {
            self.note(format!("     ! {fault:?}"));
        }
        let outcome = self.serve_rules_with(about, wanted, fault.as_ref());
        let (step, family, count) = (self.step, wanted.family(), wanted.rules().len());
        self.note(format!("{step:4} {about:?} {count} rules of {family}: {outcome:?}"));
        outcome
    }

    fn serve_rules_with(
        &mut self,
        about: AboutRules,
        wanted: &RuleSet,
        fault: Option<&Fault>,
    ) -> Result<RulesReply, Trouble> {
        let lost = match fault {
            None => None,
            Some(Fault::Refuse(code) | Fault::Partly { code, .. }) => {
                return Err(ModelRefusal::from(*code).into());
            }
            Some(Fault::LoseRequest) => return Err(Trouble::Silence),
            Some(Fault::TearDump) => return Err(Trouble::Torn),
            Some(Fault::CrashBefore) => {
                self.crashed = true;
                return Err(Trouble::Silence);
            }
            Some(Fault::Foreign(..)) => {
                self.flush_rules();
                None
            }
            Some(Fault::Reboot) => {
                self.reboot();
                None
            }
            Some(Fault::DelayReply) => Some(Trouble::Late),
            Some(Fault::Overrun) => Some(Trouble::Overrun),
            Some(Fault::LoseReply) => Some(Trouble::Silence),
            Some(Fault::CrashAfter) => {
                let _lost_with_the_daemon = self.perform_rules(about, wanted);
                self.crashed = true;
                return Err(Trouble::Silence);
            }
        };
        let done = self.perform_rules(about, wanted)?;
        lost.map_or(Ok(done), Err)
    }

    fn perform_rules(
        &mut self,
        about: AboutRules,
        wanted: &RuleSet,
    ) -> Result<RulesReply, Trouble> {
        let missing = |rule: &&reconcile::Rule| self.sets.get(&(&rule.set).into()).is_none();
        if about == AboutRules::Put && wanted.rules().iter().any(|rule| missing(&rule)) {
            return Err(ModelRefusal::from(Code::NO_SET).into());
        }
        let none = wanted.rules().is_empty();
        let there = self.table(wanted.family());
        let as_wanted = there.map_or(none, |there| there == wanted);
        let there_too =
            |rule: &&reconcile::Rule| there.is_some_and(|one| one.rules().contains(rule));
        let in_force = wanted.rules().iter().filter(there_too).cloned().collect();
        Ok(match (about, as_wanted) {
            (AboutRules::Find, true) => RulesReply::Found(RulesFound::AsWanted(Vec::new())),
            (AboutRules::Find, false) if there.is_none() => RulesReply::Found(RulesFound::Absent),
            (AboutRules::Find, false) => RulesReply::Found(RulesFound::Other(in_force)),
            (AboutRules::Put, true) => RulesReply::Put(false),
            (AboutRules::Put, false) => {
                self.replace_table(wanted.family(), (!none).then(|| wanted.clone()));
                RulesReply::Put(true)
            }
        })
    }

    /// One transaction: the new references are there before the old ones go.
    fn replace_table(&mut self, family: Family, rules: Option<RuleSet>) {
        let before = self.tables.references();
        match rules {
            Some(rules) => self.tables.0.insert(family, rules),
            None => self.tables.0.remove(&family),
        };
        for (name, count) in self.tables.references() {
            if let Some(slot) = self.sets.get_mut(&name) {
                slot.references += count;
            }
        }
        for (name, count) in before {
            if let Some(slot) = self.sets.get_mut(&name) {
                slot.references = slot.references.saturating_sub(count);
            }
        }
        self.tell_checker();
    }
}
