//! The members of one kernel set, shared and never copied: a plan, the picture
//! of the kernel and the desired state hold the same columns.

use std::fmt;
use std::net::IpAddr;
use std::ops::Range;

use blocklist::{Address, AnyPrefix, Family, Prefix, PrefixSet, Prefixes};

use crate::WriteOrder;

/// Members in one op at the most. From 256 to 1,024 a message the kernel's
/// cost per member is flat, and it holds its lock for well under 1 ms.
pub const CHUNK_MAX: usize = 1_024;

/// The members of a set, of the one family that the set has.
#[derive(Clone, PartialEq, Eq)]
pub enum Members {
    /// Of a set with `family inet`.
    V4(PrefixSet<u32>),
    /// Of a set with `family inet6`.
    V6(PrefixSet<u128>),
}

/// How many of `ours` hold an address that none of `theirs` does.
fn lost<A: Address>(ours: &PrefixSet<A>, theirs: &PrefixSet<A>) -> u64 {
    let gone = ours.difference(theirs);
    let rest = gone.subtract(theirs);
    // What is left is of no two pieces that overlap. A piece of a member comes
    // right behind where the member would be; one that is wider, of a member
    // around it, right before.
    let leaves_some = |member: &Prefix<A>| {
        let (Ok(position) | Err(position)) = rest.position(*member);
        let behind = position < rest.len() && rest.at(position).first() <= member.last();
        let around = position.checked_sub(1).map(|before| rest.at(before));
        behind || around.is_some_and(|piece| piece.last() >= member.first())
    };
    gone.iter().filter(leaves_some).count() as u64
}

impl Members {
    /// No member.
    pub fn none(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self::V4(PrefixSet::new()),
            Family::Ipv6 => Self::V6(PrefixSet::new()),
        }
    }

    /// The prefixes of one family.
    pub fn of_family(family: Family, prefixes: Prefixes) -> Self {
        match family {
            Family::Ipv4 => prefixes.ipv4.into(),
            Family::Ipv6 => prefixes.ipv6.into(),
        }
    }

    /// The family of all of them.
    pub fn family(&self) -> Family {
        match self {
            Self::V4(_) => Family::Ipv4,
            Self::V6(_) => Family::Ipv6,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::V4(set) => set.len(),
            Self::V6(set) => set.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The member at `position` in sorted order.
    ///
    /// # Panics
    /// If `position` is not below [`Self::len`].
    pub fn at(&self, position: usize) -> AnyPrefix {
        match self {
            Self::V4(set) => set.at(position).into(),
            Self::V6(set) => set.at(position).into(),
        }
    }

    /// One after the other, sorted.
    pub fn iter(&self) -> impl Iterator<Item = AnyPrefix> + '_ {
        (0..self.len()).map(|position| self.at(position))
    }

    /// How many members there are of each prefix length that occurs.
    pub fn length_counts(&self) -> Vec<(u8, u64)> {
        match self {
            Self::V4(set) => set.length_counts(),
            Self::V6(set) => set.length_counts(),
        }
    }

    /// Whether exactly this prefix is a member.
    pub fn has(&self, member: AnyPrefix) -> bool {
        match (self, member) {
            (Self::V4(set), AnyPrefix::V4(prefix)) => set.position(prefix).is_ok(),
            (Self::V6(set), AnyPrefix::V6(prefix)) => set.position(prefix).is_ok(),
            _ => false,
        }
    }

    /// The shortest member that holds an address.
    pub fn covering(&self, address: IpAddr) -> Option<AnyPrefix> {
        match (self, address) {
            (Self::V4(set), IpAddr::V4(ip)) => set.covering(ip.into()).first().map(|&p| p.into()),
            (Self::V6(set), IpAddr::V6(ip)) => set.covering(ip.into()).first().map(|&p| p.into()),
            _ => None,
        }
    }

    /// Those members that hold one of these addresses, [`CHUNK_MAX`] at the most.
    #[must_use]
    pub fn holding(&self, addresses: &[IpAddr]) -> Self {
        let held = addresses.iter().filter_map(|&address| self.covering(address));
        Self::of_family(self.family(), held.take(CHUNK_MAX).collect())
    }

    /// Members of these that are not among `other`. Both are of one family;
    /// of another family nothing can be among them.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::V4(ours), Self::V4(theirs)) => ours.difference(theirs).into(),
            (Self::V6(ours), Self::V6(theirs)) => ours.difference(theirs).into(),
            _ => self.clone(),
        }
    }

    /// Both differences in one walk: members of these that are not among `other`,
    /// and those of `other` that are not among these.
    pub fn differences(&self, other: &Self) -> [Self; 2] {
        match (self, other) {
            (Self::V4(ours), Self::V4(theirs)) => ours.differences(theirs).map(Into::into),
            (Self::V6(ours), Self::V6(theirs)) => ours.differences(theirs).map(Into::into),
            _ => [self.clone(), other.clone()],
        }
    }

    /// How many members both have.
    pub fn count_in_common(&self, other: &Self) -> usize {
        match (self, other) {
            (Self::V4(ours), Self::V4(theirs)) => ours.count_in_common(theirs),
            (Self::V6(ours), Self::V6(theirs)) => ours.count_in_common(theirs),
            _ => 0,
        }
    }

    /// Whether both hold the same addresses, in whatever members.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::V4(ours), Self::V4(theirs)) => ours.holds_the_same(theirs),
            (Self::V6(ours), Self::V6(theirs)) => ours.holds_the_same(theirs),
            _ => false,
        }
    }

    /// How many of these members hold an address that is in none of `others`.
    /// One whose addresses stay in wider or narrower ones is not lost.
    pub fn lost_to(&self, others: &Self) -> u64 {
        match (self, others) {
            _ if self == others => 0,
            (Self::V4(ours), Self::V4(theirs)) => lost(ours, theirs),
            (Self::V6(ours), Self::V6(theirs)) => lost(ours, theirs),
            _ => self.len() as u64,
        }
    }

    /// Members of either. Of another family nothing is added.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self, other) {
            // Mostly they are one and the same, which is known at once.
            _ if self == other => self.clone(),
            (Self::V4(a), Self::V4(b)) => PrefixSet::union([a, b]).into(),
            (Self::V6(a), Self::V6(b)) => PrefixSet::union([a, b]).into(),
            _ => self.clone(),
        }
    }

    /// The members without these addresses: what a wider member holds besides
    /// stays, in narrower ones. The same members if there is nothing to be
    /// taken out.
    #[must_use]
    pub fn without(&self, never: &Prefixes) -> Self {
        match self {
            Self::V4(set) if !set.intersect(&never.ipv4).is_empty() => {
                set.subtract(&never.ipv4).into()
            }
            Self::V6(set) if !set.intersect(&never.ipv6).is_empty() => {
                set.subtract(&never.ipv6).into()
            }
            _ => self.clone(),
        }
    }

    /// The first so many in sorted order, and the others.
    #[must_use]
    pub fn split(&self, count: usize) -> (Self, Self) {
        match self {
            _ if self.len() <= count => (self.clone(), Self::none(self.family())),
            Self::V4(set) => (set.slice(0..count).into(), set.slice(count..set.len()).into()),
            Self::V6(set) => (set.slice(0..count).into(), set.slice(count..set.len()).into()),
        }
    }

    /// The members in pieces of at most [`CHUNK_MAX`], in sorted order.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        self.chunks_in(WriteOrder::SORTED)
    }

    /// The same in another order.
    ///
    /// # Panics
    /// If it is an order of fewer or more members.
    pub fn chunks_in(&self, order: WriteOrder) -> impl Iterator<Item = Chunk> + use<> {
        let members = self.clone();
        assert!(order.fits(members.len()), "an order of other members");
        let count = members.len().div_ceil(CHUNK_MAX);
        (0..count).map(move |number| Chunk::numbered(&members, &order, number))
    }
}

/// Says how many, not which: a million lines help nobody.
impl fmt::Debug for Members {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} members", self.len(), self.family())
    }
}

impl From<PrefixSet<u32>> for Members {
    fn from(set: PrefixSet<u32>) -> Self {
        Self::V4(set)
    }
}

impl From<PrefixSet<u128>> for Members {
    fn from(set: PrefixSet<u128>) -> Self {
        Self::V6(set)
    }
}

/// At most [`CHUNK_MAX`] members that come one after the other in some order:
/// what one message carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Chunk {
    members: Members,
    order: WriteOrder,
    /// When they come in that order.
    turns: Range<usize>,
}

impl Chunk {
    /// The members at `positions` in sorted order. `None` if there are more
    /// than [`CHUNK_MAX`] or not so many members.
    pub fn new(members: Members, positions: Range<usize>) -> Option<Self> {
        let fits = positions.len() <= CHUNK_MAX && positions.end <= members.len();
        fits.then_some(Self { members, order: WriteOrder::SORTED, turns: positions })
    }

    /// Of the chunks of all members in an order of theirs, the one with this number,
    /// counted from 0.
    pub(crate) fn numbered(members: &Members, order: &WriteOrder, number: usize) -> Self {
        let start = number * CHUNK_MAX;
        let turns = start..members.len().min(start + CHUNK_MAX);
        Self { members: members.clone(), order: order.clone(), turns }
    }

    /// At most so many members, evenly spread over all of them; with each `turn`
    /// others, until each has had its own. `None` if there is none.
    pub fn spread(members: &Members, most: usize, turn: usize) -> Option<Self> {
        let most = most.min(CHUNK_MAX).min(members.len());
        if most == 0 {
            return None;
        }
        let stride = members.len().div_ceil(most);
        let places = (turn % stride..members.len()).step_by(stride);
        let places: Vec<u32> = places.filter_map(|place| place.try_into().ok()).collect();
        let turns = 0..places.len();
        Some(Self { members: members.clone(), order: WriteOrder::picked(places), turns })
    }

    /// The members that this is a part of.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// Which of them these are, by their positions.
    pub fn positions(&self) -> Positions<'_> {
        match self.order.places(self.turns.clone()) {
            None => Positions::Run(self.turns.clone()),
            Some(places) => Positions::Picked(places),
        }
    }

    /// The position of the one that comes at this turn of the chunk, counted
    /// from 0.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn position(&self, turn: usize) -> usize {
        match self.positions() {
            Positions::Run(run) => run.start + turn,
            Positions::Picked(places) => places[turn] as usize,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.turns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = AnyPrefix> + '_ {
        (0..self.len()).map(|turn| self.members.at(self.position(turn)))
    }
}

/// Where the members of a chunk stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Positions<'a> {
    /// Side by side.
    Run(Range<usize>),
    /// Here and there.
    Picked(&'a [u32]),
}

impl fmt::Debug for Chunk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?} of {:?}, {:?}", self.turns, self.members, self.order)
    }
}
