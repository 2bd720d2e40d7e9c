//! What must change: for every set the one way to get from what is observed to
//! what is desired. Total and deterministic; an empty plan means in sync.

use std::collections::BTreeSet;

use crate::{
    CHUNK_MAX, Capacity, Desired, Members, Observed, ObservedSet, Obstacle, Plan, Reason, Route,
    SetName, SetPlan, SetPrefix, SetSpec, Standing,
};

/// How an existing set is brought to new members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Update {
    /// In place while the change is small and the table is large enough,
    /// by a swap otherwise.
    #[default]
    Auto,
    /// Always by a swap.
    Swap,
    /// In place unless the kernel's limit of members forbids it.
    InPlace,
}

/// Whether anything may be taken out of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The picture of the feeds is complete.
    Open,
    /// It is not: members and sets are added, none is removed.
    AddOnly,
}

/// What a plan may do.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whose sets these are.
    pub prefix: SetPrefix,
    /// How sets are updated.
    pub update: Update,
    /// Whether anything may be removed.
    pub gate: Gate,
    /// Unpredictable bits for the hashes of new sets.
    pub salt: u64,
    /// Sets to which members may be added but from which none may be taken,
    /// because a feed that may stand behind them is lost.
    pub held: BTreeSet<SetName>,
    /// Sets to leave alone this time, because they failed a moment ago.
    pub resting: BTreeSet<SetName>,
}

impl Policy {
    /// The policy of a complete picture and default update.
    pub fn new(prefix: SetPrefix, salt: u64) -> Self {
        let (held, resting) = (BTreeSet::new(), BTreeSet::new());
        Self { prefix, update: Update::Auto, gate: Gate::Open, salt, held, resting }
    }

    /// The description of a set to be created for `members`. The salt of each
    /// is different, so that a list of colliding entries found for one set
    /// does not fit the next.
    fn spec(&self, name: SetName, members: usize) -> SetSpec {
        let bytes = name.as_str().bytes();
        let mixed = bytes.fold(self.salt, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        });
        let [a, b, ..] = mixed.to_be_bytes();
        let initval = self.prefix.initval(u16::from_be_bytes([a, b]), name.family());
        SetSpec { name, capacity: Capacity::for_members(members), initval }
    }
}

/// Says what must change to get from `observed` to `desired`.
pub fn plan(desired: &Desired, observed: &Observed, policy: &Policy) -> Plan {
    let mut planner = Planner { observed, policy, shadows: 0 };
    let wanted = desired.sets.iter().map(|(set, target)| planner.wanted(set, target));
    let mut sets: Vec<_> = wanted.collect();
    let unwanted = observed.sets.iter().filter(|(set, _)| !desired.sets.contains_key(*set));
    sets.extend(unwanted.filter_map(|(set, seen)| planner.unwanted(set, seen)));
    sets.sort_by(|a, b| a.set.cmp(&b.set));
    Plan { sets }
}

/// What the planning of one set needs to know of the others: which names of
/// shadows are free.
struct Planner<'a> {
    observed: &'a Observed,
    policy: &'a Policy,
    /// The number of the next shadow to try.
    shadows: u32,
}

impl Planner<'_> {
    /// The plan for a set that should be there.
    fn wanted(&mut self, set: &SetName, desired: &Members) -> SetPlan {
        let planned = |route, reason, members| SetPlan { set: set.clone(), route, reason, members };
        let blocked = |obstacle| planned(Route::Blocked(obstacle), Reason::Blocked, desired.len());
        if self.policy.resting.contains(set) {
            return blocked(Obstacle::Resting);
        }
        let Some(seen) = self.observed.sets.get(set) else {
            let route = Route::Create {
                live: self.policy.spec(set.clone(), 0),
                shadow: (!desired.is_empty()).then(|| self.shadow(desired)),
                target: desired.clone(),
            };
            return planned(route, Reason::Missing, desired.len());
        };
        if let Standing::Foreign(foreign) = &seen.standing {
            return blocked(Obstacle::Foreign(foreign.clone()));
        }
        let held = self.policy.held.contains(set);
        let gate = if held { Gate::AddOnly } else { self.policy.gate };
        let target = match (gate, &seen.members) {
            (Gate::Open, _) => desired.clone(),
            (Gate::AddOnly, Some(before)) => before.union(desired),
            (Gate::AddOnly, None) => return blocked(Obstacle::Gate),
        };
        let members = target.len();
        let (route, reason) = self.existing(seen, target);
        planned(route, reason, members)
    }

    /// The route for a set of ours that is there.
    fn existing(&mut self, seen: &ObservedSet, target: Members) -> (Route, Reason) {
        let Some(before) = &seen.members else {
            let shadow = self.shadow(&target);
            return (Route::Swap { shadow, target, before: None }, Reason::Unread);
        };
        if *before == target {
            return (Route::None, Reason::InSync);
        }
        let (add, delete) = (target.difference(before), before.difference(&target));
        let peak = before.len() + add.len();
        let small = add.len() + delete.len() <= CHUNK_MAX.max(target.len() / 2);
        let capacity = seen.header.capacity;
        let reason = match self.policy.update {
            Update::Swap => Reason::Configured,
            Update::InPlace if capacity.permits(peak) => Reason::Configured,
            _ if !small => Reason::LargeChange,
            _ if !capacity.holds(peak) => Reason::Capacity,
            _ => Reason::SmallChange,
        };
        let in_place = match reason {
            Reason::Configured => self.policy.update == Update::InPlace,
            other => other == Reason::SmallChange,
        };
        if in_place {
            return (Route::InPlace { add, delete, target }, reason);
        }
        let shadow = self.shadow(&target);
        (Route::Swap { shadow, target, before: Some(before.clone()) }, reason)
    }

    /// The plan for a set that no list asks for, `None` if it is not ours.
    fn unwanted(&self, set: &SetName, seen: &ObservedSet) -> Option<SetPlan> {
        if seen.standing != Standing::Ours {
            return None;
        }
        let references = seen.header.references;
        let obstacle = if self.policy.gate == Gate::AddOnly {
            Some(Obstacle::Gate)
        } else if self.policy.resting.contains(set) {
            Some(Obstacle::Resting)
        } else {
            (references > 0).then_some(Obstacle::Referenced(references))
        };
        let reason = match (&obstacle, set.is_shadow()) {
            (Some(_), _) => Reason::Blocked,
            (None, true) => Reason::Orphan,
            (None, false) => Reason::Unlisted,
        };
        let elements = seen.header.elements;
        let route = obstacle.map_or(Route::Destroy { elements }, Route::Blocked);
        Some(SetPlan { set: set.clone(), route, reason, members: 0 })
    }

    /// A shadow for these members, under a name that nobody has.
    fn shadow(&mut self, members: &Members) -> SetSpec {
        loop {
            let name = self.policy.prefix.shadow(self.shadows, members.family());
            self.shadows += 1;
            if !self.observed.sets.contains_key(&name) {
                return self.policy.spec(name, members.len());
            }
        }
    }
}
