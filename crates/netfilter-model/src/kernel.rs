//! The model by typed ops: what `netfilter` is over netlink, without the
//! bytes in between.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blocklist::{Address, AnyPrefix, Family, PrefixSet};
use reconcile::{
    Chunk, Kernel, KernelError, KernelErrorKind, Members, Object, Observe, Op, Presence, RuleSet,
    RulesFound, SetHeader, SetName, SetPrefix, SetSpec, Stage, WriteOrder,
};

use crate::sets::{RawName, RawSet, Slot};
use crate::{AboutRules, Machine, ModelReply, ModelRequest, RulesReply, Trouble};

/// A kernel in memory. Clones are handles to the same one, as two sockets of
/// one host are.
#[derive(Clone, Debug)]
pub struct ModelKernel {
    machine: Arc<Mutex<Machine>>,
}

impl ModelKernel {
    /// An empty kernel, watched on behalf of a daemon with this prefix.
    pub fn new(prefix: SetPrefix) -> Self {
        Self { machine: Arc::new(Mutex::new(Machine::new(prefix))) }
    }

    /// The host behind it: its sets, its faults, its checker. A test that
    /// panicked while holding it leaves it usable.
    pub fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, request: &ModelRequest) -> Result<ModelReply, Trouble> {
        self.machine().serve(request)
    }

    fn slot(&self, request: &ModelRequest, name: &RawName) -> Result<Option<Slot>, Trouble> {
        match self.ask(request)? {
            ModelReply::Sets(mut sets) => Ok(sets.remove(name)),
            _ => Ok(None),
        }
    }
}

impl Observe for ModelKernel {
    fn sets(&mut self, prefix: &SetPrefix) -> Result<Vec<SetHeader>, KernelError> {
        let ModelReply::Sets(sets) =
            self.ask(&ModelRequest::List).map_err(|why| error(Stage::List, why))?
        else {
            return Ok(Vec::new());
        };
        let ours = sets
            .iter()
            .filter_map(|(name, slot)| prefix.recognise(&name.0).map(|name| header(name, slot)));
        Ok(ours.collect())
    }

    fn header(&mut self, set: &SetName) -> Result<Option<SetHeader>, KernelError> {
        let name = RawName::from(set);
        match self.slot(&ModelRequest::Header(name.clone()), &name) {
            Ok(slot) => Ok(slot.map(|slot| header(set.clone(), &slot))),
            Err(why) => match error(Stage::List, why).about(set) {
                error if error.kind == KernelErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    fn members(&mut self, set: &SetName) -> Result<Members, KernelError> {
        let name = RawName::from(set);
        let slot = self.slot(&ModelRequest::Dump(name.clone()), &name);
        let slot = slot.map_err(|why| error(Stage::Dump, why).about(set))?;
        match slot {
            Some(slot) if plain(&slot.set, set.family()) => {
                Ok(members(set.family(), &slot.set.members))
            }
            Some(_) => Err(KernelError::new(Stage::Dump, set, KernelErrorKind::Mismatch)),
            None => Err(KernelError::new(Stage::Dump, set, KernelErrorKind::NotFound)),
        }
    }

    fn absent(&mut self, set: &SetName, chunk: &Chunk) -> Result<usize, KernelError> {
        let present = self.test(set, chunk.iter().collect())?;
        Ok(present.iter().filter(|present| !**present).count())
    }

    fn matches(&mut self, set: &SetName, address: AnyPrefix) -> Result<bool, KernelError> {
        let first = match address {
            AnyPrefix::V4(prefix) => AnyPrefix::host(prefix.first().to_ip()),
            AnyPrefix::V6(prefix) => AnyPrefix::host(prefix.first().to_ip()),
        };
        let present = self.test(set, vec![first])?;
        Ok(present == [true])
    }

    fn rules(&mut self, wanted: &RuleSet) -> Result<RulesFound, KernelError> {
        match self.ask_rules(AboutRules::Find, Stage::List, wanted)? {
            RulesReply::Found(found) => Ok(found),
            RulesReply::Put(_) => Ok(RulesFound::Other(Vec::new())),
        }
    }
}

impl ModelKernel {
    fn ask_rules(
        &self,
        about: AboutRules,
        stage: Stage,
        wanted: &RuleSet,
    ) -> Result<RulesReply, KernelError> {
        let reply = self.machine().serve_rules(about, wanted);
        reply.map_err(|why| KernelError {
            object: Some(Object::Rules(wanted.family())),
            ..error(stage, why)
        })
    }

    fn test(&self, set: &SetName, members: Vec<AnyPrefix>) -> Result<Vec<bool>, KernelError> {
        let request = ModelRequest::Test { name: set.into(), members };
        match self.ask(&request).map_err(|why| error(Stage::Test, why).about(set))? {
            ModelReply::Present(present) => Ok(present),
            _ => Ok(Vec::new()),
        }
    }
}

impl Kernel for ModelKernel {
    fn execute(&mut self, op: &Op) -> Result<(), KernelError> {
        // Nothing to do is no message.
        if let Op::Add { chunk, .. } | Op::Delete { chunk, .. } = op
            && chunk.is_empty()
        {
            return Ok(());
        }
        let (stage, request) = translate(op);
        match self.ask(&request) {
            Ok(_) => Ok(()),
            Err(why) => {
                let mut error = error(stage, why).about(op.set());
                if let (Trouble::Refused(refusal), ModelRequest::Add { members, .. }) =
                    (why, &request)
                {
                    error.member = refusal.position.and_then(|at| members.get(at).copied());
                }
                Err(error)
            }
        }
    }

    /// Any order is as good as another, so it is never the sorted one.
    fn order(&self, _: &SetHeader, members: &Members) -> WriteOrder {
        let groups: Vec<_> = (0..members.len()).map(|place| u16::from(place % 3 == 0)).collect();
        WriteOrder::grouped(&groups)
    }

    fn put_rules(&mut self, wanted: &RuleSet) -> Result<bool, KernelError> {
        let reply = self.ask_rules(AboutRules::Put, Stage::Put, wanted)?;
        Ok(reply == RulesReply::Put(true))
    }
}

/// The op as one message.
fn translate(op: &Op) -> (Stage, ModelRequest) {
    match op {
        Op::Create(spec) => (
            Stage::Create,
            ModelRequest::Create { name: (&spec.name).into(), set: raw(spec), exclusive: true },
        ),
        Op::Add { set, chunk, presence } => {
            let (members, exclusive) = (chunk.iter().collect(), *presence == Presence::New);
            (Stage::Add, ModelRequest::Add { name: set.into(), members, exclusive })
        }
        Op::Delete { set, chunk } => {
            let members = chunk.iter().collect();
            (Stage::Delete, ModelRequest::Delete { name: set.into(), members, exclusive: false })
        }
        Op::Swap { shadow, live } => (Stage::Swap, ModelRequest::Swap(shadow.into(), live.into())),
        Op::Retire { set, shadow } => {
            (Stage::Retire, ModelRequest::Rename { from: set.into(), to: shadow.into() })
        }
        Op::Flush(set) => (Stage::Flush, ModelRequest::Flush(set.into())),
        Op::Destroy(set) => {
            (Stage::Destroy, ModelRequest::Destroy { name: set.into(), exclusive: false })
        }
    }
}

fn raw(spec: &SetSpec) -> RawSet {
    RawSet { capacity: spec.capacity, initval: spec.initval, ..RawSet::hash_net(spec.family()) }
}

fn header(name: SetName, slot: &Slot) -> SetHeader {
    SetHeader {
        name,
        type_name: slot.set.type_name.clone(),
        family: slot.set.family,
        capacity: slot.set.capacity,
        initval: Some(slot.set.initval),
        extensions: slot.set.extensions,
        references: slot.references,
        elements: u32::try_from(slot.set.members.len()).unwrap_or(u32::MAX),
    }
}

/// Whether the set is a `hash:net` of this family, extensions or not.
fn plain(set: &RawSet, family: Family) -> bool {
    set.type_name == "hash:net" && set.family == Some(family)
}

/// Members as the rest of the project holds them.
pub fn members(family: Family, held: &BTreeSet<AnyPrefix>) -> Members {
    match family {
        Family::Ipv4 => {
            let only = held.iter().filter_map(|&member| match member {
                AnyPrefix::V4(prefix) => Some(prefix),
                AnyPrefix::V6(_) => None,
            });
            only.collect::<PrefixSet<_>>().into()
        }
        Family::Ipv6 => {
            let only = held.iter().filter_map(|&member| match member {
                AnyPrefix::V6(prefix) => Some(prefix),
                AnyPrefix::V4(_) => None,
            });
            only.collect::<PrefixSet<_>>().into()
        }
    }
}

fn error(stage: Stage, why: Trouble) -> KernelError {
    let (kind, detail) = match why {
        Trouble::Refused(refusal) => (refusal.code.kind(), format!("error {}", refusal.code.0)),
        Trouble::Silence | Trouble::Late | Trouble::Overrun => {
            (KernelErrorKind::Unknown, String::new())
        }
        Trouble::Torn => (KernelErrorKind::Changed, String::new()),
    };
    KernelError { stage, object: None, kind, member: None, detail }
}

trait About {
    fn about(self, set: &SetName) -> Self;
}

impl About for KernelError {
    fn about(mut self, set: &SetName) -> Self {
        self.object = Some(set.into());
        self
    }
}
