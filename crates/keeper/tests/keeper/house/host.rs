//! A kernel in memory, no more than its sets: every op is done whole or fails
//! as the test has it. It knows nothing of lists.

use std::collections::{BTreeMap, BTreeSet};

use blocklist::{AnyPrefix, Family, Prefixes};
use reconcile::{
    Capacity, Chunk, Kernel, KernelError, KernelErrorKind, Members, Observe, Op, Presence,
    SetHeader, SetName, SetPrefix, Stage,
};

/// The sets of one host, and what is to go wrong with them.
#[derive(Default)]
pub(crate) struct Host {
    sets: BTreeMap<SetName, (SetHeader, BTreeSet<AnyPrefix>)>,
    /// Whatever is done at such a stage, to this set if one is named, fails.
    pub(crate) failing: Vec<(Stage, Option<SetName>, KernelErrorKind)>,
    /// The ops that were done, in order.
    pub(crate) ops: Vec<Op>,
    /// Somebody else has changed something since the last look.
    pub(crate) meddled: bool,
}

impl Host {
    /// The members of a set, `None` if it is not there.
    pub(crate) fn members(&self, set: &SetName) -> Option<&BTreeSet<AnyPrefix>> {
        self.sets.get(set).map(|(_, members)| members)
    }

    /// The names of all sets.
    pub(crate) fn names(&self) -> impl Iterator<Item = &SetName> {
        self.sets.keys()
    }

    /// Rules refer to a set so many times from now on.
    pub(crate) fn refer(&mut self, set: &SetName, times: u32) {
        self.sets.get_mut(set).expect("the set is there").0.references = times;
    }

    /// Somebody else changes a set.
    pub(crate) fn meddle(&mut self, set: &SetName, change: impl FnOnce(&mut BTreeSet<AnyPrefix>)) {
        change(&mut self.sets.get_mut(set).expect("the set is there").1);
        self.meddled = true;
    }

    /// Somebody else destroys a set.
    pub(crate) fn destroy(&mut self, set: &SetName) {
        self.sets.remove(set);
        self.meddled = true;
    }

    /// Somebody else has made a set with one of our names.
    pub(crate) fn squat(&mut self, set: &SetName) {
        let header = SetHeader {
            name: set.clone(),
            type_name: "hash:ip".to_owned(),
            family: Some(set.family()),
            capacity: Capacity::for_members(0),
            initval: None,
            extensions: false,
            references: 0,
            elements: 0,
        };
        self.sets.insert(set.clone(), (header, BTreeSet::new()));
        self.meddled = true;
    }

    /// Whatever is done at this stage fails from now on, or at none of them.
    pub(crate) fn fail(&mut self, stage: Stage, kind: KernelErrorKind) {
        self.failing.push((stage, None, kind));
    }

    /// Nothing fails any more.
    pub(crate) fn mend(&mut self) {
        self.failing.clear();
    }

    fn trouble(&self, stage: Stage, set: Option<&SetName>) -> Result<(), KernelError> {
        let hit = self.failing.iter().find(|(at, only, _)| {
            *at == stage && only.as_ref().is_none_or(|only| Some(only) == set)
        });
        let Some((_, _, kind)) = hit else { return Ok(()) };
        let object = set.map(Into::into);
        Err(KernelError { stage, object, kind: *kind, member: None, detail: String::new() })
    }
}

/// The members of one family among these.
pub(crate) fn members(family: Family, all: impl IntoIterator<Item = AnyPrefix>) -> Members {
    let all: Prefixes = all.into_iter().filter(|one| one.family() == family).collect();
    match family {
        Family::Ipv4 => all.ipv4.into(),
        Family::Ipv6 => all.ipv6.into(),
    }
}

impl Observe for Host {
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        self.trouble(Stage::List, None)?;
        let ours = self.sets.iter().filter(|(name, _)| name.as_str().starts_with(prefix.as_str()));
        Ok(ours.map(|(_, (header, members))| counted(header, members)).collect())
    }

    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        self.trouble(Stage::List, Some(set))?;
        Ok(self.sets.get(set).map(|(header, members)| counted(header, members)))
    }

    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        self.trouble(Stage::Dump, Some(set))?;
        let missing = || KernelError::new(Stage::Dump, set, KernelErrorKind::NotFound);
        let (_, held) = self.sets.get(set).ok_or_else(missing)?;
        Ok(members(set.family(), held.iter().copied()))
    }

    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        self.trouble(Stage::Test, Some(set))?;
        let missing = || KernelError::new(Stage::Test, set, KernelErrorKind::NotFound);
        let (_, members) = self.sets.get(set).ok_or_else(missing)?;
        Ok(chunk.iter().filter(|one| !members.contains(one)).count())
    }

    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        Ok(self.sets.get(set).is_some_and(|(_, members)| members.contains(&address)))
    }
}

impl Kernel for Host {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        let stage = stage(op);
        self.trouble(stage, Some(op.set()))?;
        let error = |kind| Err(KernelError::new(stage, op.set(), kind));
        let there = |set: &SetName| self.sets.contains_key(set);
        match op {
            Op::Create(spec) if there(&spec.name) => return error(KernelErrorKind::Exists),
            Op::Create(spec) => {
                let header = SetHeader {
                    name: spec.name.clone(),
                    type_name: "hash:net".to_owned(),
                    family: Some(spec.family()),
                    capacity: spec.capacity,
                    initval: Some(spec.initval),
                    extensions: false,
                    references: 0,
                    elements: 0,
                };
                self.sets.insert(spec.name.clone(), (header, BTreeSet::new()));
            }
            Op::Add { set, chunk, presence } => {
                let Some((_, members)) = self.sets.get_mut(set) else {
                    return error(KernelErrorKind::NotFound);
                };
                for member in chunk.iter() {
                    if !members.insert(member) && *presence == Presence::New {
                        return error(KernelErrorKind::Exists);
                    }
                }
            }
            Op::Delete { set, chunk } => {
                let Some((_, members)) = self.sets.get_mut(set) else {
                    return error(KernelErrorKind::NotFound);
                };
                members.retain(|member| !chunk.iter().any(|gone| gone == *member));
            }
            Op::Swap { shadow, live } => return self.swap(op, shadow, live),
            Op::Retire { set, shadow } => {
                if self.sets.get(set).is_some_and(|(header, _)| header.references > 0) {
                    return error(KernelErrorKind::Busy);
                }
                let Some((mut header, members)) = self.sets.remove(set) else {
                    return error(KernelErrorKind::NotFound);
                };
                header.name = shadow.clone();
                self.sets.insert(shadow.clone(), (header, members));
            }
            Op::Flush(set) => match self.sets.get_mut(set) {
                Some((_, members)) => members.clear(),
                None => return error(KernelErrorKind::NotFound),
            },
            Op::Destroy(set) => drop(self.sets.remove(set)),
        }
        self.ops.push(op.clone());
        Ok(())
    }
}

impl Host {
    fn swap(&mut self, op: &Op, shadow: &SetName, live: &SetName) -> Result<(), KernelError> {
        let (Some(mut first), Some(mut second)) =
            (self.sets.get(shadow).cloned(), self.sets.get(live).cloned())
        else {
            return Err(KernelError::new(Stage::Swap, live, KernelErrorKind::NotFound));
        };
        std::mem::swap(&mut first.0.name, &mut second.0.name);
        std::mem::swap(&mut first.0.references, &mut second.0.references);
        self.sets.insert(live.clone(), first);
        self.sets.insert(shadow.clone(), second);
        self.ops.push(op.clone());
        Ok(())
    }
}

fn counted(header: &SetHeader, members: &BTreeSet<AnyPrefix>) -> SetHeader {
    let elements = u32::try_from(members.len()).expect("few members");
    SetHeader { elements, ..header.clone() }
}

fn stage(op: &Op) -> Stage {
    match op {
        Op::Create(_) => Stage::Create,
        Op::Add { .. } => Stage::Add,
        Op::Delete { .. } => Stage::Delete,
        Op::Swap { .. } => Stage::Swap,
        Op::Retire { .. } => Stage::Retire,
        Op::Flush(_) => Stage::Flush,
        Op::Destroy(_) => Stage::Destroy,
    }
}
