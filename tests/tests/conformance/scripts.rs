//! What a script is made of, and scripts made at random.

use std::collections::BTreeSet;

use blocklist::{AnyPrefix, Family, Prefix};
use netfilter_model::{Random, members, prefixes};
use reconcile::{Capacity, Chunk, Op, Presence, SetName, SetPrefix, SetSpec};

/// One thing that is done, to the kernel and to the models alike.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// By us.
    Op(Op),
    /// By somebody else: a `list:set` takes the set in.
    Refer(SetName),
    /// And lets it go.
    Release(SetName),
    /// A listing of the set begins and does not go on. It must not fit into
    /// the first part.
    HoldDump(SetName),
    /// All such listings are given up.
    LetGo,
    /// `ipset create … hash:ip`.
    Squat(SetName),
    /// `ipset create … hash:net`.
    SquatAlike(SetName),
    /// `ipset create … hash:net counters`, with our mark on it.
    SquatExtended(SetName),
}

/// The prefix of all sets here.
pub(crate) fn prefix() -> SetPrefix {
    SetPrefix::new("denyset-").expect("a good prefix")
}

/// A live set.
pub(crate) fn a_set(family: Family) -> SetName {
    prefix().live("drop", family).expect("a good name")
}

/// A shadow.
pub(crate) fn shadow(number: u32, family: Family) -> SetName {
    prefix().shadow(number, family)
}

/// A set to be created.
pub(crate) fn spec(name: &SetName, hashsize: u32, maxelem: u32) -> SetSpec {
    let initval = prefix().initval(4_711, name.family());
    SetSpec { name: name.clone(), capacity: Capacity { hashsize, maxelem }, initval }
}

/// These members in one chunk.
///
/// # Panics
/// If they are too many for one.
pub(crate) fn a_chunk(family: Family, list: &[AnyPrefix]) -> Chunk {
    let set: BTreeSet<_> = list.iter().copied().collect();
    let members = members(family, &set);
    let all = 0..members.len();
    Chunk::new(members, all).expect("few enough members")
}

/// So many IPv4 addresses.
pub(crate) fn world(count: u32) -> Vec<AnyPrefix> {
    (0..count).map(|number| Prefix::host(0x0a00_0000 + number).into()).collect()
}

/// So many steps at random, among few sets and few members.
pub(crate) fn random_script(random: &mut Random, steps: usize) -> Vec<Step> {
    (0..steps).map(|_| random_step(random)).collect()
}

fn random_step(random: &mut Random) -> Step {
    let family = *random.pick(&Family::ALL);
    let names = [a_set(family), shadow(0, family), shadow(1, family)];
    let set = random.pick(&names).clone();
    let chunk = a_chunk(family, &prefixes(random, family, 6));
    match random.below(20) {
        0..4 => {
            let capacity = [(64, 4), (100, 65_536), (1_024, 7)];
            let &(hashsize, maxelem) = random.pick(&capacity);
            Step::Op(Op::Create(spec(&set, hashsize, maxelem)))
        }
        4..7 => Step::Op(Op::Add { set, chunk, presence: Presence::New }),
        7..10 => Step::Op(Op::Add { set, chunk, presence: Presence::Any }),
        10..13 => Step::Op(Op::Delete { set, chunk }),
        13..16 => Step::Op(Op::Swap { shadow: set, live: random.pick(&names).clone() }),
        16 => Step::Op(Op::Flush(set)),
        17 => Step::Op(Op::Destroy(set)),
        18 => Step::Refer(set),
        _ => Step::Release(set),
    }
}
