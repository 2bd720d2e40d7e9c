//! The invariants of the project as far as they concern ipsets, checked at
//! every request. It sees what the daemon was told and what the sets really
//! hold, and it excuses what nobody could have known: a foreign hand that
//! moved after the daemon last looked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use blocklist::{AnyPrefix, Prefixes};
use reconcile::{CHUNK_MAX, SetPrefix};

use crate::generations::Generations;
use crate::sets::{ModelSets, RawName, RawSet, Slot, covers};
use crate::{ModelRefusal, ModelReply, ModelRequest};

/// Which promise was broken. The numbers are those of the project's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// 1: a set that rules see holds one generation or is between two.
    WholeOrOld,
    /// 2: no destroy of a referenced set.
    NoDanglingRule,
    /// 3: only our sets are named, foreign ones stay as they are.
    OnlyOurs,
    /// 4: no removal before the first full picture.
    Gate,
    /// 5: bad input, and good input that is late, never opens.
    BadInput,
    /// 6: what must never be blocked is not.
    AllowWins,
    /// 7: in sync within two rounds once faults end, no shadow left.
    Converges,
    /// 8: nothing to do when in sync.
    Idle,
    /// 9: no add of a present member, no delete of an absent one.
    NoWaste,
    /// 10: every batch has its limit.
    Bounded,
}

/// A promise broken, when, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// At which request.
    pub step: u64,
    /// What happened.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "step {}: {:?}: {}", self.step, self.invariant, self.text)
    }
}

/// What the daemon was last told about a set.
#[derive(Clone, Copy, Debug)]
struct Seen {
    ours: bool,
    references: u32,
    /// A foreign hand has moved since.
    outdated: bool,
}

/// The watcher.
#[derive(Clone, Debug)]
pub struct Checker {
    prefix: SetPrefix,
    /// References by rules that are part of the world and stay.
    pub rules: BTreeMap<RawName, u32>,
    /// Addresses and prefixes that nothing of ours may ever cover.
    pub never: Vec<AnyPrefix>,
    /// What may have come to be never blocked: that leaves before the daemon
    /// has all feeds.
    pub excepted: Vec<AnyPrefix>,
    /// Whether the daemon has all feeds; the harness says so.
    pub feeds_complete: bool,
    kernel_seen: bool,
    seen: BTreeMap<RawName, Seen>,
    generations: BTreeMap<RawName, Generations>,
    /// Shadows that a foreign hand changed, and whether they were looked at
    /// since.
    tainted: BTreeMap<RawName, bool>,
    foreign: BTreeMap<RawName, RawSet>,
    /// Members written in vain, foreign hands or not.
    pub wasted: u64,
    /// Requests that change something.
    pub writes: u64,
    violations: Vec<Violation>,
}

impl Checker {
    /// Watches a daemon with this prefix.
    pub fn new(prefix: SetPrefix) -> Self {
        Self {
            prefix,
            rules: BTreeMap::new(),
            never: Vec::new(),
            excepted: Vec::new(),
            feeds_complete: true,
            kernel_seen: false,
            seen: BTreeMap::new(),
            generations: BTreeMap::new(),
            tainted: BTreeMap::new(),
            foreign: BTreeMap::new(),
            wasted: 0,
            writes: 0,
            violations: Vec::new(),
        }
    }

    /// What was broken so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Records a broken promise that only the harness can see.
    pub fn report(&mut self, step: u64, invariant: Invariant, text: String) {
        self.violations.push(Violation { invariant, step, text });
    }

    /// The daemon is to bring this live set to these members, from whatever
    /// it holds now.
    pub(crate) fn expect(
        &mut self,
        name: &RawName,
        members: BTreeSet<AnyPrefix>,
        sets: &ModelSets,
    ) {
        let held = sets.get(name).filter(|slot| self.is_ours(name, slot));
        let held = held.map(|slot| slot.set.members.clone());
        let generations = self.generations.entry(name.clone()).or_default();
        generations.allow(members);
        if let Some(held) = held {
            generations.start_from(held);
        }
    }

    /// The set is what it should be: older generations are over.
    pub fn settle(&mut self, name: &RawName) {
        if let Some(generations) = self.generations.get_mut(name) {
            generations.settle();
        }
    }

    /// No list has this set any more: it may go.
    pub fn release(&mut self, name: &RawName) {
        self.generations.remove(name);
    }

    /// The daemon is a new one and knows nothing.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
        self.kernel_seen = false;
    }

    /// All sets are gone.
    pub(crate) fn reboot(&mut self) {
        self.rules.clear();
        self.foreign.clear();
        self.tainted.clear();
        self.generations.values_mut().for_each(Generations::settle);
        self.seen.values_mut().for_each(|seen| seen.outdated = true);
    }

    /// Somebody else has changed the set of this name, which held these
    /// members before.
    pub(crate) fn foreign_hand(
        &mut self,
        name: &RawName,
        before: &BTreeSet<AnyPrefix>,
        sets: &ModelSets,
    ) {
        if let Some(seen) = self.seen.get_mut(name) {
            seen.outdated = true;
        }
        self.remember_foreign(sets);
        match sets.get(name) {
            Some(slot) if self.is_ours(name, slot) => {
                self.tainted.insert(name.clone(), false);
                if let Some(generations) = self.generations.get_mut(name) {
                    generations.disturb(before, slot.set.members.clone());
                }
            }
            _ => drop(self.tainted.remove(name)),
        }
    }

    /// Foreign sets that stand where ours should.
    pub(crate) fn squatted(&self, sets: &ModelSets) -> Vec<RawName> {
        let ours = |name: &RawName| self.prefix.recognise(&name.0).is_some();
        let squatted = sets.iter().filter(|(name, slot)| ours(name) && !self.is_ours(name, slot));
        squatted.map(|(name, _)| name.clone()).collect()
    }

    /// Whether a set is ours by name, type, family and mark.
    pub fn is_ours(&self, name: &RawName, slot: &Slot) -> bool {
        let Some(known) = self.prefix.recognise(&name.0) else { return false };
        slot.set.type_name == "hash:net"
            && slot.set.family == Some(known.family())
            && !slot.set.extensions
            && self.prefix.marks(slot.set.initval, known.family())
    }

    fn is_shadow(&self, name: &RawName) -> bool {
        self.prefix.recognise(&name.0).is_some_and(|name| name.is_shadow())
    }

    fn remember_foreign(&mut self, sets: &ModelSets) {
        let foreign = sets.iter().filter(|(name, slot)| !self.is_ours(name, slot));
        self.foreign = foreign.map(|(name, slot)| (name.clone(), slot.set.clone())).collect();
    }

    /// Judges what is about to be done.
    pub(crate) fn before(&mut self, step: u64, request: &ModelRequest, sets: &ModelSets) {
        let mut objections = Vec::new();
        let reads_members = matches!(request, ModelRequest::Dump(_)).then(|| request.name());
        for name in request.changes().into_iter().chain(reads_members.flatten()) {
            if self.touches_foreign(request, name, sets) {
                objections.push((Invariant::OnlyOurs, format!("{request} names a foreign set")));
            }
        }
        if self.passes_gate(request, sets) {
            objections.push((Invariant::Gate, format!("{request} before the first full picture")));
        }
        match request {
            ModelRequest::Destroy { name, .. } => objections.extend(self.check_destroy(name)),
            ModelRequest::Flush(name) => objections.extend(self.check_flush(name)),
            ModelRequest::Add { members, .. } => objections.extend(self.check_add(members)),
            ModelRequest::Swap(shadow, live) => {
                objections.extend(self.check_swap(shadow, live, sets));
            }
            _ => {}
        }
        objections.extend(self.check_batch(request, sets));
        for (invariant, text) in objections {
            self.report(step, invariant, text);
        }
    }

    /// Whether the set is somebody else's, and the daemon could know it.
    fn touches_foreign(&self, request: &ModelRequest, name: &RawName, sets: &ModelSets) -> bool {
        if self.prefix.recognise(&name.0).is_none() {
            return true;
        }
        if matches!(request, ModelRequest::Create { exclusive: true, .. }) {
            return false;
        }
        let foreign = sets.get(name).is_some_and(|slot| !self.is_ours(name, slot));
        foreign && !self.seen.get(name).is_some_and(|seen| seen.ours && seen.outdated)
    }

    /// Whether this takes away what may not be taken yet: anything before the
    /// kernel was seen, and addresses that rules see before the feeds were.
    fn passes_gate(&self, request: &ModelRequest, sets: &ModelSets) -> bool {
        let held = |name| sets.get(name).map(|slot| &slot.set.members);
        // A packet knows addresses, not members.
        let excepted: Prefixes = self.excepted.iter().copied().collect();
        let opens = |old: &BTreeSet<AnyPrefix>, new: &BTreeSet<AnyPrefix>| {
            let [old, new]: [Prefixes; 2] = [old, new].map(|all| all.iter().copied().collect());
            !old.subtract(&new).subtract(&excepted).is_empty()
        };
        let removes = match request {
            ModelRequest::Delete { name, members, .. } => {
                let stays = held(name).map(|held| {
                    held.iter().filter(|one| !members.contains(one)).copied().collect()
                });
                let opens = held(name).zip(stays).is_some_and(|(old, new)| opens(old, &new));
                !self.kernel_seen || !self.is_shadow(name) && opens
            }
            ModelRequest::Destroy { name, .. } | ModelRequest::Flush(name) => {
                !self.kernel_seen || !self.is_shadow(name)
            }
            ModelRequest::Swap(shadow, live) => {
                held(shadow).zip(held(live)).is_some_and(|(new, old)| opens(old, new))
            }
            _ => false,
        };
        let disturbed = |name| self.outdated(name) || self.tainted.contains_key(name);
        let excused = request.changes().into_iter().any(disturbed);
        removes && !excused && !(self.kernel_seen && self.feeds_complete)
    }

    /// Whether a foreign hand moved since the daemon looked at the set.
    fn outdated(&self, name: &RawName) -> bool {
        self.seen.get(name).is_some_and(|seen| seen.outdated)
    }

    fn check_destroy(&self, name: &RawName) -> Option<(Invariant, String)> {
        let known = self.seen.get(name).is_some_and(|seen| seen.references > 0);
        let referenced = known && self.rules.contains_key(name);
        let text = format!("destroy {name}, though rules were seen to refer to it");
        referenced.then_some((Invariant::NoDanglingRule, text))
    }

    /// To flush what a rule refers to is to open it.
    fn check_flush(&self, name: &RawName) -> Option<(Invariant, String)> {
        let wanted = self.generations.contains_key(name);
        let opens = !self.is_shadow(name) && (wanted || self.rules.contains_key(name));
        opens.then(|| (Invariant::WholeOrOld, format!("flush of {name}, which rules may see")))
    }

    fn check_add(&self, members: &[AnyPrefix]) -> Option<(Invariant, String)> {
        let hits = |&&member: &&AnyPrefix| self.never.iter().any(|&one| covers(member, one));
        let hit = members.iter().find(hits)?;
        Some((Invariant::AllowWins, format!("{hit} covers what must never be blocked")))
    }

    /// A shadow that was looked at after a foreign hand had changed it, and
    /// that does not even count as many members as it should.
    fn check_swap(
        &self,
        shadow: &RawName,
        live: &RawName,
        sets: &ModelSets,
    ) -> Option<(Invariant, String)> {
        let known = self.tainted.get(shadow) == Some(&true);
        let held = sets.get(shadow)?.set.members.len();
        let wanted = self.generations.get(live)?.newest()?.len();
        let text = format!("{shadow} is swapped in with {held} members instead of {wanted}");
        (known && held != wanted).then_some((Invariant::WholeOrOld, text))
    }

    fn check_batch(
        &mut self,
        request: &ModelRequest,
        sets: &ModelSets,
    ) -> Option<(Invariant, String)> {
        let (name, members, adding) = match request {
            ModelRequest::Add { name, members, .. } => (name, members, true),
            ModelRequest::Delete { name, members, .. } => (name, members, false),
            _ => return None,
        };
        if members.is_empty() || members.len() > CHUNK_MAX {
            let text = format!("a batch of {} members", members.len());
            return Some((Invariant::Bounded, text));
        }
        let held = &sets.get(name)?.set.members;
        let wasted: Vec<_> = members.iter().filter(|one| held.contains(one) == adding).collect();
        self.wasted += wasted.len() as u64;
        let excused = self.tainted.contains_key(name) || self.outdated(name);
        let first = wasted.first().filter(|_| !excused)?;
        let text = format!("{} of {} in vain, the first {first}", wasted.len(), members.len());
        Some((Invariant::NoWaste, format!("{text}: {request}")))
    }

    /// Judges what has become of it.
    pub(crate) fn after(
        &mut self,
        step: u64,
        request: &ModelRequest,
        outcome: &Result<ModelReply, ModelRefusal>,
        sets: &ModelSets,
    ) {
        if !request.changes().is_empty() {
            self.writes += 1;
            self.check_foreign(step, request, sets);
        }
        self.learn(request, outcome, sets);
        for name in request.changes() {
            let Some(slot) = sets.get(name) else { continue };
            let Some(generations) = self.generations.get(name) else { continue };
            let objection = generations.objection(&slot.set.members);
            if let Some(objection) = objection.filter(|_| self.is_ours(name, slot)) {
                let text = format!("{name} after {request}: {objection}");
                self.report(step, Invariant::WholeOrOld, text);
            }
        }
    }

    fn check_foreign(&mut self, step: u64, request: &ModelRequest, sets: &ModelSets) {
        let raced = request.changes().into_iter().any(|name| self.outdated(name));
        let before = std::mem::take(&mut self.foreign);
        self.remember_foreign(sets);
        if before != self.foreign && !raced {
            let text = format!("{request} changed a foreign set");
            self.report(step, Invariant::OnlyOurs, text);
        }
    }

    /// Follows what the daemon can know now.
    fn learn(
        &mut self,
        request: &ModelRequest,
        outcome: &Result<ModelReply, ModelRefusal>,
        sets: &ModelSets,
    ) {
        match (request, outcome) {
            (ModelRequest::List, Ok(ModelReply::Sets(all))) => {
                self.kernel_seen = true;
                self.seen.clear();
                for (name, slot) in all {
                    self.see(name, slot);
                }
            }
            (ModelRequest::Names, Ok(ModelReply::Sets(all))) => {
                self.kernel_seen = true;
                self.seen.retain(|name, _| all.contains_key(name));
            }
            // A dump shows members; whose they are, headers say.
            (ModelRequest::Dump(name), Ok(_)) => {
                if let Some(generations) = self.generations.get_mut(name) {
                    generations.read();
                }
            }
            (ModelRequest::Header(name), Ok(ModelReply::Sets(one))) => {
                if let Some(slot) = one.get(name) {
                    self.see(name, slot);
                }
            }
            (ModelRequest::Create { name, .. }, Ok(_)) => {
                let fresh = Seen { ours: true, references: 0, outdated: false };
                self.seen.insert(name.clone(), fresh);
                self.tainted.remove(name);
                if let Some(generations) = self.generations.get_mut(name) {
                    generations.read();
                    generations.start_from(BTreeSet::new());
                }
            }
            (ModelRequest::Destroy { name, .. }, Ok(_)) => {
                self.seen.remove(name);
                self.tainted.remove(name);
            }
            (ModelRequest::Rename { from, to }, Ok(_)) => {
                if let Some(seen) = self.seen.remove(from) {
                    self.seen.insert(to.clone(), seen);
                }
                if let Some(tainted) = self.tainted.remove(from) {
                    self.tainted.insert(to.clone(), tainted);
                }
            }
            (ModelRequest::Swap(shadow, live), Ok(_)) => {
                let (one, other) = (self.tainted.remove(shadow), self.tainted.remove(live));
                if let Some(generations) = self.generations.get_mut(live) {
                    generations.read();
                }
                if let (Some(seen), Some(slot)) = (one, sets.get(live)) {
                    self.tainted.insert(live.clone(), seen);
                    if let Some(generations) = self.generations.get_mut(live) {
                        generations.disturb(&BTreeSet::new(), slot.set.members.clone());
                    }
                }
                self.tainted.extend(other.map(|seen| (shadow.clone(), seen)));
            }
            _ => {}
        }
    }

    fn see(&mut self, name: &RawName, slot: &Slot) {
        let (ours, references) = (self.is_ours(name, slot), slot.references);
        self.seen.insert(name.clone(), Seen { ours, references, outdated: false });
        if let Some(looked_at) = self.tainted.get_mut(name) {
            *looked_at = true;
        }
    }
}
