//! One host in memory: its sets, the faults in store for it, the rules that
//! refer to its sets, the foreign hands, and the checker that watches. Both
//! ways in, by typed ops and by bytes, end here.

mod tables;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use blocklist::{AnyPrefix, Family};
use reconcile::SetPrefix;

use crate::fault::{Fault, FaultTarget, Faults, Hand, intruder, squatter};
use crate::sets::{ModelSets, RawName};
use crate::{Checker, ModelRefusal, ModelReply, ModelRequest, Trouble};

use tables::ModelTables;
pub use tables::{AboutRules, RulesReply};

/// Lines of history that are kept for a report.
const TRACE_MAX: usize = 3_000;

/// A host with one kernel and at most one daemon.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The kernel's sets.
    pub sets: ModelSets,
    /// What is still to go wrong.
    pub faults: Faults,
    /// Watches every request.
    pub checker: Checker,
    /// References by rules, beside those that foreign hands took.
    rules: BTreeMap<RawName, u32>,
    /// The rules of our own.
    tables: ModelTables,
    /// References and dumps that foreign hands hold, to be let go of.
    held: Vec<(RawName, Hand)>,
    hands: u64,
    crashed: bool,
    step: u64,
    trace: VecDeque<String>,
}

impl Machine {
    /// A host without sets, on which a daemon with this prefix is about to run.
    pub fn new(prefix: SetPrefix) -> Self {
        Self {
            sets: ModelSets::default(),
            faults: Faults::default(),
            checker: Checker::new(prefix),
            rules: BTreeMap::new(),
            tables: ModelTables::default(),
            held: Vec::new(),
            hands: 0,
            crashed: false,
            step: 0,
            trace: VecDeque::new(),
        }
    }

    /// How many requests there have been.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Whether the daemon was killed by a fault. Nothing it asks is answered
    /// until [`Self::start_daemon`].
    pub fn crashed(&self) -> bool {
        self.crashed
    }

    /// A new daemon, which has seen nothing yet.
    pub fn start_daemon(&mut self) {
        self.crashed = false;
        self.checker.forget();
        self.note("-- the daemon starts".to_owned());
    }

    /// The last requests and what became of them, oldest first.
    pub fn trace(&self) -> impl Iterator<Item = &str> {
        self.trace.iter().map(String::as_str)
    }

    /// Adds a line to the trace.
    pub fn note(&mut self, line: String) {
        if self.trace.len() == TRACE_MAX {
            self.trace.pop_front();
        }
        self.trace.push_back(line);
    }

    /// Lets a rule refer to a set. False if there is no such set.
    pub fn add_rule(&mut self, name: &RawName) -> bool {
        let Some(slot) = self.sets.get_mut(name) else { return false };
        slot.references += 1;
        *self.rules.entry(name.clone()).or_default() += 1;
        self.tell_checker();
        true
    }

    /// Drops all rules that refer to a set.
    pub fn drop_rules(&mut self, name: &RawName) {
        let count = self.rules.remove(name).unwrap_or_default();
        if let Some(slot) = self.sets.get_mut(name) {
            slot.references -= count;
        }
        self.tell_checker();
    }

    /// Tells the checker which sets rules refer to.
    fn tell_checker(&mut self) {
        let mut rules = self.rules.clone();
        for (name, count) in self.tables.references() {
            *rules.entry(name).or_default() += count;
        }
        self.checker.rules = rules;
    }

    /// The daemon is to bring this live set to these members, from whatever
    /// it holds now.
    pub fn expect(&mut self, name: &RawName, members: BTreeSet<AnyPrefix>) {
        self.checker.expect(name, members, &self.sets);
    }

    /// No more faults; foreign hands let go of what they hold and take away
    /// what they put in the place of our sets. Rules stay on the sets that
    /// are `wanted`.
    pub fn end_faults(&mut self, wanted: &BTreeSet<RawName>) {
        self.note("-- faults end".to_owned());
        self.faults.at.clear();
        for (name, hand) in std::mem::take(&mut self.held) {
            let Some(slot) = self.sets.get_mut(&name) else { continue };
            match hand {
                Hand::Refer => slot.references = slot.references.saturating_sub(1),
                _ => slot.dumps = slot.dumps.saturating_sub(1),
            }
        }
        let unwanted = self.rules.keys().filter(|name| !wanted.contains(name));
        for name in unwanted.cloned().collect::<Vec<_>>() {
            self.drop_rules(&name);
        }
        for name in self.checker.squatted(&self.sets) {
            self.drop_rules(&name);
            // Who wants his set to go sees to it that nothing asks it.
            if self.tables.references().contains_key(&name) {
                self.flush_rules();
            }
            let request = ModelRequest::Destroy { name: name.clone(), exclusive: false };
            drop(self.sets.serve(&request));
            self.checker.foreign_hand(&name, &BTreeSet::new(), &self.sets);
        }
    }

    /// Does what is asked, unless a fault has it otherwise.
    ///
    /// # Errors
    /// [`Trouble`], the kernel's own or that of a fault.
    pub fn serve(&mut self, request: &ModelRequest) -> Result<ModelReply, Trouble> {
        if self.crashed {
            return Err(Trouble::Silence);
        }
        self.step += 1;
        let fault = self.faults.at.remove(&self.step);
        if let Some(fault) = &fault {
            self.note(format!("     ! {fault:?}"));
        }
        let outcome = self.serve_with(request, fault);
        let line = match &outcome {
            Ok(ModelReply::Done) => "done".to_owned(),
            Ok(ModelReply::Present(present)) => {
                format!("{} are there", present.iter().filter(|there| **there).count())
            }
            Ok(ModelReply::Sets(sets)) => format!("{} sets", sets.len()),
            Err(trouble) => format!("{trouble:?}"),
        };
        self.note(format!("{:4} {request}: {line}", self.step));
        outcome
    }

    fn serve_with(
        &mut self,
        request: &ModelRequest,
        fault: Option<Fault>,
    ) -> Result<ModelReply, Trouble> {
        match fault {
            None => Ok(self.perform(request)?),
            Some(Fault::Refuse(code)) => Err(ModelRefusal::from(code).into()),
            Some(Fault::Partly { done, code }) => {
                let part = request.cut(done);
                if done > 0 && part != *request {
                    self.perform(&part)?;
                    return Err(ModelRefusal { code, position: Some(done) }.into());
                }
                Err(ModelRefusal::from(code).into())
            }
            Some(Fault::LoseReply) => {
                drop(self.perform(request));
                Err(Trouble::Silence)
            }
            Some(Fault::DelayReply) => {
                drop(self.perform(request));
                Err(Trouble::Late)
            }
            Some(Fault::Overrun) => {
                drop(self.perform(request));
                Err(Trouble::Overrun)
            }
            Some(Fault::LoseRequest) => Err(Trouble::Silence),
            Some(Fault::TearDump) => {
                let reply = self.perform(request)?;
                if matches!(request, ModelRequest::Dump(_)) {
                    Err(Trouble::Torn)
                } else {
                    Ok(reply)
                }
            }
            Some(Fault::CrashBefore) => {
                self.crashed = true;
                Err(Trouble::Silence)
            }
            Some(Fault::CrashAfter) => {
                drop(self.perform(request));
                self.crashed = true;
                Err(Trouble::Silence)
            }
            Some(Fault::Foreign(hand, target)) => {
                if let Some(name) = target.resolve(request) {
                    self.foreign(&hand, &name);
                }
                Ok(self.perform(request)?)
            }
            Some(Fault::Reboot) => {
                self.reboot();
                Ok(self.perform(request)?)
            }
        }
    }

    fn perform(&mut self, request: &ModelRequest) -> Result<ModelReply, ModelRefusal> {
        self.checker.before(self.step, request, &self.sets);
        let outcome = self.sets.serve(request);
        self.checker.after(self.step, request, &outcome, &self.sets);
        outcome
    }

    /// The kernel is another one: no set, no rule is left.
    pub fn reboot(&mut self) {
        self.sets = ModelSets::default();
        self.rules.clear();
        self.tables = ModelTables::default();
        self.held.clear();
        self.checker.reboot();
        self.note("-- the kernel is another one".to_owned());
    }

    /// How often somebody else has changed a set.
    pub fn hands(&self) -> u64 {
        self.hands
    }

    /// Somebody else changes a set.
    pub fn foreign(&mut self, hand: &Hand, name: &RawName) {
        self.hands += 1;
        self.note(format!("     ~ somebody else: {hand:?} {name}"));
        let destroy = ModelRequest::Destroy { name: name.clone(), exclusive: false };
        let before = self.held_by(name);
        let (slot_family, first) = match self.sets.get(name) {
            Some(slot) => (slot.set.family, slot.set.members.first().copied()),
            None => (None, None),
        };
        let family = slot_family.unwrap_or(Family::Ipv4);
        let (name, exclusive) = (name.clone(), false);
        let done = match hand {
            Hand::Destroy => self.sets.serve(&destroy),
            Hand::Flush => self.sets.serve(&ModelRequest::Flush(name.clone())),
            Hand::Add => {
                let members = vec![intruder(family)];
                self.sets.serve(&ModelRequest::Add { name: name.clone(), members, exclusive })
            }
            Hand::DeleteFirst => {
                let members = first.into_iter().collect();
                self.sets.serve(&ModelRequest::Delete { name: name.clone(), members, exclusive })
            }
            Hand::Rename => {
                let to = RawName::from("renamed-by-somebody");
                let done =
                    self.sets.serve(&ModelRequest::Rename { from: name.clone(), to: to.clone() });
                self.checker.foreign_hand(&to, &BTreeSet::new(), &self.sets);
                done
            }
            Hand::Squat => self.sets.serve(&destroy).and_then(|_| {
                let set = squatter(family);
                self.sets.serve(&ModelRequest::Create { name: name.clone(), set, exclusive: true })
            }),
            Hand::Refer | Hand::HoldDump => {
                self.hold(hand, &name);
                return;
            }
        };
        if done.is_ok() {
            self.checker.foreign_hand(&name, &before, &self.sets);
        }
    }

    fn held_by(&self, name: &RawName) -> BTreeSet<AnyPrefix> {
        self.sets.get(name).map_or_else(BTreeSet::new, |slot| slot.set.members.clone())
    }

    fn hold(&mut self, hand: &Hand, name: &RawName) {
        let Some(slot) = self.sets.get_mut(name) else { return };
        match hand {
            Hand::Refer => slot.references += 1,
            _ => slot.dumps += 1,
        }
        self.held.push((name.clone(), hand.clone()));
    }

    /// A foreign set appears, by any name and of any kind. Replaces one that
    /// is there.
    pub fn put_foreign(&mut self, name: &RawName, set: &crate::RawSet) {
        let before = self.held_by(name);
        drop(self.sets.serve(&ModelRequest::Destroy { name: name.clone(), exclusive: false }));
        let set = set.clone();
        drop(self.sets.serve(&ModelRequest::Create { name: name.clone(), set, exclusive: true }));
        self.checker.foreign_hand(name, &before, &self.sets);
    }
}

/// The set a fault names, for a target that is known by name.
impl From<&RawName> for FaultTarget {
    fn from(name: &RawName) -> Self {
        Self::Named(name.clone())
    }
}
