//! The kernel's ipsets in memory, with the rules that were measured on a real
//! one: what succeeds, what is refused, with which number, and what is left
//! after a refusal. It knows nothing of who asks, nor of any plan.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use blocklist::{AnyPrefix, Family};
use reconcile::{Capacity, SetName};

use crate::{Code, ModelReply, ModelRequest};

/// The longest name, in bytes, without the closing NUL.
const NAME_MAX: usize = 31;
/// Buckets of a new table at the least and at the most
/// (`net/netfilter/ipset/ip_set_hash_gen.h`).
const HASHSIZE_RANGE: std::ops::RangeInclusive<u32> = 64..=1 << 27;

/// The name of a set, which to the kernel is any bytes at all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RawName(pub Vec<u8>);

impl fmt::Debug for RawName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0.escape_ascii())
    }
}

impl fmt::Display for RawName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

impl From<&SetName> for RawName {
    fn from(name: &SetName) -> Self {
        Self(name.as_str().as_bytes().to_vec())
    }
}

impl From<&str> for RawName {
    fn from(name: &str) -> Self {
        Self(name.as_bytes().to_vec())
    }
}

/// What a set is and holds: that which a swap exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSet {
    /// `hash:net` and the like.
    pub type_name: String,
    /// The family it was created with, `None` for a type without.
    pub family: Option<Family>,
    /// Buckets and limit of members.
    pub capacity: Capacity,
    /// The start value of the hash.
    pub initval: u32,
    /// Whether members carry timeouts, counters, comments or the like.
    pub extensions: bool,
    /// The members.
    pub members: BTreeSet<AnyPrefix>,
}

impl RawSet {
    /// An empty `hash:net` as `ipset create` makes it, with a start value
    /// that nobody chose.
    pub fn hash_net(family: Family) -> Self {
        Self {
            type_name: "hash:net".to_owned(),
            family: Some(family),
            capacity: Capacity { hashsize: 1_024, maxelem: 65_536 },
            initval: 0x0bad_cafe,
            extensions: false,
            members: BTreeSet::new(),
        }
    }

    /// Whether a packet with this address matches, at any prefix length.
    pub fn matches(&self, address: AnyPrefix) -> bool {
        self.members.iter().any(|&member| covers(member, address))
    }

    /// What the kernel compares before a swap: which parts of a packet the
    /// type looks at, and the family.
    fn shape(&self) -> (&str, Option<Family>) {
        let parts = match self.type_name.as_str() {
            "bitmap:ip" => "hash:ip",
            other => other,
        };
        (parts, self.family)
    }

    fn add(&mut self, member: AnyPrefix, exclusive: bool) -> Result<(), Code> {
        self.takes(member)?;
        if self.members.contains(&member) {
            return if exclusive { Err(Code::MEMBER) } else { Ok(()) };
        }
        // Exact for tables of up to 1,024 buckets. The kernel counts greater
        // ones by region and lets a few more in.
        if self.members.len() >= self.capacity.maxelem as usize {
            return Err(Code::HASH_FULL);
        }
        self.members.insert(member);
        Ok(())
    }

    fn delete(&mut self, member: AnyPrefix, exclusive: bool) -> Result<(), Code> {
        self.takes(member)?;
        if !self.members.remove(&member) && exclusive {
            return Err(Code::MEMBER);
        }
        Ok(())
    }

    /// A prefix is tested for itself; an address alone is looked up at every
    /// length, as a packet is.
    fn test(&self, member: AnyPrefix) -> Result<bool, Code> {
        self.takes(member)?;
        if length(member) == member.family().bits() {
            return Ok(self.matches(member));
        }
        Ok(self.members.contains(&member))
    }

    fn takes(&self, member: AnyPrefix) -> Result<(), Code> {
        if self.family != Some(member.family()) {
            return Err(Code::PROTOCOL);
        }
        if length(member) == 0 { Err(Code::CIDR) } else { Ok(()) }
    }
}

/// Whether `inner` lies in `outer` or equals it.
pub fn covers(outer: AnyPrefix, inner: AnyPrefix) -> bool {
    match (outer, inner) {
        (AnyPrefix::V4(outer), AnyPrefix::V4(inner)) => outer.covers(inner),
        (AnyPrefix::V6(outer), AnyPrefix::V6(inner)) => outer.covers(inner),
        _ => false,
    }
}

/// Its length in bits.
pub(crate) fn length(prefix: AnyPrefix) -> u8 {
    match prefix {
        AnyPrefix::V4(prefix) => prefix.length(),
        AnyPrefix::V6(prefix) => prefix.length(),
    }
}

/// A place in the kernel's table of sets: what stays where it is when the
/// contents are swapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The contents.
    pub set: RawSet,
    /// How many rules and other sets refer to it.
    pub references: u32,
    /// How many readers are in the middle of it.
    pub dumps: u32,
}

/// All sets of one network namespace. A table never grows here: that costs
/// the kernel time and nothing else that anybody could notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelSets {
    slots: BTreeMap<RawName, Slot>,
}

/// A refusal, and in a batch the position of the member at which it stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelRefusal {
    /// The number.
    pub code: Code,
    /// The members before this one were done.
    pub position: Option<usize>,
}

impl From<Code> for ModelRefusal {
    fn from(code: Code) -> Self {
        Self { code, position: None }
    }
}

impl ModelSets {
    /// The set of this name.
    pub fn get(&self, name: &RawName) -> Option<&Slot> {
        self.slots.get(name)
    }

    /// The set of this name, to hold references or dumps on it.
    pub fn get_mut(&mut self, name: &RawName) -> Option<&mut Slot> {
        self.slots.get_mut(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&RawName, &Slot)> {
        self.slots.iter()
    }

    /// Does what is asked, or says why not.
    ///
    /// # Errors
    /// [`ModelRefusal`] with the number that the kernel answers with.
    pub fn serve(&mut self, request: &ModelRequest) -> Result<ModelReply, ModelRefusal> {
        match request {
            ModelRequest::Create { name, set, exclusive } => self.create(name, set, *exclusive),
            ModelRequest::Destroy { name, exclusive } => self.destroy(name, *exclusive),
            ModelRequest::Flush(name) => {
                self.existing(name)?.set.members.clear();
                Ok(ModelReply::Done)
            }
            ModelRequest::Rename { from, to } => self.rename(from, to),
            ModelRequest::Swap(first, second) => self.swap(first, second),
            ModelRequest::Add { name, members, exclusive } => {
                let set = &mut self.existing(name)?.set;
                in_order(members, |member| set.add(member, *exclusive))
            }
            ModelRequest::Delete { name, members, exclusive } => {
                let set = &mut self.existing(name)?.set;
                in_order(members, |member| set.delete(member, *exclusive))
            }
            ModelRequest::Test { name, members } => {
                let set = &self.existing(name)?.set;
                let tests = members.iter().map(|&member| set.test(member));
                Ok(ModelReply::Present(tests.collect::<Result<_, _>>()?))
            }
            ModelRequest::Names | ModelRequest::List => Ok(ModelReply::Sets(self.slots.clone())),
            ModelRequest::Header(name) | ModelRequest::Dump(name) => {
                let slot = self.existing(name)?.clone();
                Ok(ModelReply::Sets(BTreeMap::from([(name.clone(), slot)])))
            }
        }
    }

    fn existing(&mut self, name: &RawName) -> Result<&mut Slot, Code> {
        self.slots.get_mut(name).ok_or(Code::NO_SET)
    }

    fn create(
        &mut self,
        name: &RawName,
        set: &RawSet,
        exclusive: bool,
    ) -> Result<ModelReply, ModelRefusal> {
        if name.0.len() > NAME_MAX {
            return Err(Code::INVALID.into());
        }
        if self.slots.contains_key(name) {
            return if exclusive { Err(Code::NAME_TAKEN.into()) } else { Ok(ModelReply::Done) };
        }
        if set.capacity.hashsize > *HASHSIZE_RANGE.end() {
            return Err(Code::MEMORY.into());
        }
        let mut set = set.clone();
        let buckets = set.capacity.hashsize.max(*HASHSIZE_RANGE.start());
        set.capacity.hashsize = buckets.next_power_of_two();
        self.slots.insert(name.clone(), Slot { set, references: 0, dumps: 0 });
        Ok(ModelReply::Done)
    }

    fn destroy(&mut self, name: &RawName, exclusive: bool) -> Result<ModelReply, ModelRefusal> {
        match self.slots.get(name) {
            None if exclusive => return Err(Code::NO_SET.into()),
            Some(slot) if slot.references > 0 || slot.dumps > 0 => {
                return Err(Code::SET_BUSY.into());
            }
            _ => self.slots.remove(name),
        };
        Ok(ModelReply::Done)
    }

    fn rename(&mut self, from: &RawName, to: &RawName) -> Result<ModelReply, ModelRefusal> {
        let slot = self.existing(from)?;
        if slot.references > 0 || slot.dumps > 0 {
            return Err(Code::REFERENCED.into());
        }
        if self.slots.contains_key(to) {
            return Err(Code::SECOND_SET.into());
        }
        if let Some(slot) = self.slots.remove(from) {
            self.slots.insert(to.clone(), slot);
        }
        Ok(ModelReply::Done)
    }

    fn swap(&mut self, first: &RawName, second: &RawName) -> Result<ModelReply, ModelRefusal> {
        let one = self.slots.get(first).ok_or(Code::NO_SET)?;
        let other = self.slots.get(second).ok_or(Code::SECOND_SET)?;
        if one.set.shape() != other.set.shape() {
            return Err(Code::TYPE_MISMATCH.into());
        }
        if one.dumps > 0 || other.dumps > 0 {
            return Err(Code::SWAP_BUSY.into());
        }
        let (one, other) = (one.set.clone(), other.set.clone());
        self.existing(first)?.set = other;
        self.existing(second)?.set = one;
        Ok(ModelReply::Done)
    }
}

/// One after the other until the first that fails; those before it stay done.
fn in_order(
    members: &[AnyPrefix],
    mut each: impl FnMut(AnyPrefix) -> Result<(), Code>,
) -> Result<ModelReply, ModelRefusal> {
    for (position, &member) in members.iter().enumerate() {
        each(member).map_err(|code| ModelRefusal { code, position: Some(position) })?;
    }
    Ok(ModelReply::Done)
}
