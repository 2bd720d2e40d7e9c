//! What must change: for every set the one way to get from what is observed to
//! what is desired. Total and deterministic; an empty plan means in sync.

mod rules;
mod turnover;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use blocklist::Family;

use self::turnover::Turnover;
use crate::price::{Room, is_cheaper_in_place};
use crate::step::{Cost, ObjectPlan, Phase, PlannedStep, Step};
use crate::{
    CHUNK_MAX, Capacity, Desired, LaidOut, MemberLayout, Members, Object, Observed, ObservedSet,
    Obstacle, Plan, Reason, Route, SetName, SetPrefix, SetSpec, Standing, Target,
};

/// How an existing set is brought to new members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Update {
    /// In place while that takes less time than a new table, or nothing but
    /// members are missing, or there is no memory for a second table, and the one
    /// that is there is large enough; by a swap otherwise.
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

/// How a set is kept from what is desired, because less is known than when its
/// members were put in. What must never be in it leaves it all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hold {
    /// It loses nothing: something that may stand behind its members is lost.
    AddOnly,
    /// It gains nothing either: an exception is lost, and anything new might be
    /// what that would have kept out.
    Frozen,
}

/// What a plan may do.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whose sets these are.
    pub prefix: SetPrefix,
    /// How sets are updated.
    pub update: Update,
    /// In how many lengths their members are written.
    pub layout: MemberLayout,
    /// Whether anything may be removed.
    pub gate: Gate,
    /// Unpredictable bits for the hashes of new sets.
    pub salt: u64,
    /// Sets that are held, and how.
    pub held: BTreeMap<SetName, Hold>,
    /// Sets to leave alone this time, because they failed a moment ago.
    pub resting: BTreeSet<SetName>,
    /// Families whose rules to leave alone, for the same reason.
    pub resting_rules: BTreeSet<Family>,
    /// Sets whose rules would shut somebody out who must not be: they are not
    /// put, and stay if they are there.
    pub unclear: BTreeSet<SetName>,
    /// Bytes of memory that are available on this host, if that is known. What
    /// takes more than three quarters of them is not begun.
    pub available: Option<u64>,
    /// Addresses that many packets come from or go to, the most frequent first, of
    /// sets that have such: where protection is missing, their members come first.
    pub frequent: BTreeMap<SetName, Vec<IpAddr>>,
}

impl Policy {
    /// The policy of a complete picture, default update and exact layout.
    pub fn new(prefix: SetPrefix, salt: u64) -> Self {
        let (held, resting) = (BTreeMap::new(), BTreeSet::new());
        let (resting_rules, unclear) = (BTreeSet::new(), BTreeSet::new());
        let (update, layout, gate) = (Update::Auto, MemberLayout::Exact, Gate::Open);
        let (available, frequent) = (None, BTreeMap::new());
        Self {
            prefix,
            update,
            layout,
            gate,
            salt,
            held,
            resting,
            resting_rules,
            unclear,
            available,
            frequent,
        }
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

    /// How a set is held, the gate counted in.
    fn hold(&self, set: &SetName) -> Option<Hold> {
        let gate = (self.gate == Gate::AddOnly).then_some(Hold::AddOnly);
        gate.max(self.held.get(set).copied())
    }

    /// What a set is brought to, from what was seen of it. `None` if what is in
    /// it has to stay and is not known.
    fn after(&self, set: &SetName, target: &Target, seen: Option<&ObservedSet>) -> Option<Members> {
        match (self.hold(set), seen.map(|seen| seen.members.as_ref())) {
            (None, _) | (Some(Hold::AddOnly), None) => Some(target.members.clone()),
            (Some(Hold::Frozen), None) => Some(Members::none(set.family())),
            (Some(_), Some(None)) => None,
            (Some(Hold::AddOnly), Some(Some(before))) => {
                Some(before.without(&target.never).union(&target.members))
            }
            (Some(Hold::Frozen), Some(Some(before))) => Some(before.without(&target.never)),
        }
    }
}

/// Says what must change to get from `observed` to `desired`. Compares all
/// members, so it takes some milliseconds a million.
pub fn plan(desired: &Desired, observed: &Observed, policy: &Policy) -> Plan {
    let rules = rules::plan(desired, observed, policy);
    let changing = rules.iter().filter(|planned| !planned.steps.is_empty());
    let changing = changing.map(|planned| planned.object.clone()).collect();
    let room = Room::new(policy.available);
    let mut planner = Planner { observed, policy, shadows: 0, changing, room };
    let wanted = desired.sets.iter().map(|(set, target)| planner.wanted(set, target));
    let mut objects: Vec<_> = wanted.collect();
    let unwanted = observed.sets.iter().filter(|(set, _)| !desired.sets.contains_key(*set));
    objects.extend(unwanted.filter_map(|(set, seen)| planner.unwanted(set, seen)));
    objects.extend(rules);
    objects.sort_by(|a, b| a.object.cmp(&b.object));
    Plan { objects }
}

/// What the planning of one set needs to know of the others: which names of
/// shadows are free.
struct Planner<'a> {
    observed: &'a Observed,
    policy: &'a Policy,
    /// The number of the next shadow to try.
    shadows: u32,
    /// The rules that are put by this plan.
    changing: BTreeSet<Object>,
    room: Room,
}

impl Planner<'_> {
    /// The plan for a set that should be there.
    fn wanted(&mut self, set: &SetName, target: &Target) -> ObjectPlan {
        let blocked =
            |obstacle| ObjectPlan::blocked(set.into(), obstacle, Some(target.members.clone()));
        if self.policy.resting.contains(set) {
            return blocked(Obstacle::Resting);
        }
        let seen = self.observed.sets.get(set);
        if let Some(Standing::Foreign(foreign)) = seen.map(|seen| &seen.standing) {
            return blocked(Obstacle::Foreign(foreign.clone()));
        }
        let Some(after) = self.policy.after(set, target, seen) else {
            return blocked(Obstacle::Gate);
        };
        let laid_out = LaidOut { layout: self.policy.layout, source: after };
        let after = laid_out.members(seen);
        let laid_out = Some(laid_out);
        let Some(seen) = seen else {
            return ObjectPlan { laid_out, ..self.missing(set, after) };
        };
        let held = self.policy.hold(set).is_some();
        let withheld = if held { after.lost_to(&target.members) } else { 0 };
        ObjectPlan { laid_out, withheld, ..self.existing(set, seen, after) }
    }

    /// The plan for a set that is not there.
    fn missing(&mut self, set: &SetName, after: Members) -> ObjectPlan {
        let spec = self.policy.spec(set.clone(), after.len());
        let create = Step::Create(spec.clone());
        let mut steps = vec![PlannedStep { phase: Phase::Establish, step: create }];
        let members = after.len() as u64;
        let mut cost = Cost { added: members, deleted: 0, written: members, memory: 0 };
        if !after.is_empty() {
            cost.memory = table_bytes(&after);
            // No rule can name it yet, and one that comes sees more of it than nothing.
            let fill = Step::Fill { set: set.clone(), members: after.clone() };
            let verify = Step::Verify { spec, members: after.clone() };
            let bring = [fill, verify].map(|step| PlannedStep { phase: Phase::Bring, step });
            steps.extend(bring);
        }
        ObjectPlan {
            route: Route::Create,
            cost,
            steps,
            shortage: self.room.take(cost.memory).err(),
            ..ObjectPlan::nothing(set.into(), Reason::Missing, Some(after))
        }
    }

    /// The plan for a set of ours that is there.
    fn existing(&mut self, set: &SetName, seen: &ObservedSet, after: Members) -> ObjectPlan {
        let Some(before) = &seen.members else {
            let cost = Cost { added: after.len() as u64, ..Cost::default() };
            return self.swapped(set, Reason::Unread, cost, after);
        };
        if *before == after {
            return ObjectPlan::nothing(set.into(), Reason::InSync, Some(after));
        }
        let turnover = Turnover::between(before, &after);
        let [added, deleted] = turnover.counts();
        let changed = Cost {
            added: added as u64,
            deleted: deleted as u64,
            written: (added + deleted) as u64,
            memory: grown(seen.header.capacity, before, added),
        };
        let peak = before.len() + added;
        let (route, reason) = match self.route(seen, peak, after.len(), [added, deleted]) {
            (Route::Swap, reason) if self.swaps(seen, peak, &after) => {
                let gone = Some(turnover.sample_of_gone());
                return ObjectPlan { gone, ..self.swapped(set, reason, changed, after) };
            }
            (Route::Swap, _) => (Route::InPlace, Reason::Memory),
            in_place => in_place,
        };
        let gone = Some(turnover.sample_of_gone());
        let [add, delete] = turnover.listed();
        let mut steps = Vec::new();
        let frequent = self.policy.frequent.get(set).filter(|_| reason == Reason::OnlyAdded);
        let first = frequent.map(|addresses| add.holding(addresses));
        let again = first.as_ref().map_or(0, Members::len) as u64;
        for members in first.into_iter().chain([add]).filter(|members| !members.is_empty()) {
            let step = Step::Add { set: set.clone(), members };
            steps.push(PlannedStep { phase: Phase::Bring, step });
        }
        if !delete.is_empty() {
            let step = Step::Delete { set: set.clone(), members: delete };
            steps.push(PlannedStep { phase: Phase::Delete, step });
        }
        ObjectPlan {
            route,
            cost: Cost { written: changed.written + again, ..changed },
            steps,
            gone,
            shortage: self.room.take(changed.memory).err(),
            ..ObjectPlan::nothing(set.into(), reason, Some(after))
        }
    }

    /// Whether a set that should be swapped is: it is unless there is no memory
    /// for it, and the table that is there has room for all that would be in it.
    fn swaps(&self, seen: &ObservedSet, peak: usize, after: &Members) -> bool {
        let may_not = self.policy.update == Update::Auto && seen.header.capacity.holds(peak);
        !may_not || self.room.has(table_bytes(after))
    }

    /// In place or by a swap, and why. `peak` is the most members that the set
    /// would hold on its way in place.
    fn route(
        &self,
        seen: &ObservedSet,
        peak: usize,
        after: usize,
        [added, deleted]: [usize; 2],
    ) -> (Route, Reason) {
        let capacity = seen.header.capacity;
        let small = added + deleted <= CHUNK_MAX || is_cheaper_in_place(added, deleted, after);
        match self.policy.update {
            Update::Swap => (Route::Swap, Reason::Configured),
            Update::InPlace if capacity.permits(peak) => (Route::InPlace, Reason::Configured),
            // Each is in force as soon as it is written, and none goes.
            _ if deleted == 0 && !small && capacity.holds(peak) => {
                (Route::InPlace, Reason::OnlyAdded)
            }
            _ if !small => (Route::Swap, Reason::LargeChange),
            _ if !capacity.holds(peak) => (Route::Swap, Reason::Capacity),
            _ => (Route::InPlace, Reason::SmallChange),
        }
    }

    fn swapped(&mut self, set: &SetName, reason: Reason, cost: Cost, after: Members) -> ObjectPlan {
        let steps = self.swap(set, &after);
        let memory = table_bytes(&after);
        ObjectPlan {
            route: Route::Swap,
            cost: Cost { written: after.len() as u64, memory, ..cost },
            steps,
            shortage: self.room.take(memory).err(),
            ..ObjectPlan::nothing(set.into(), reason, Some(after))
        }
    }

    /// The steps that let rules see `members` in a set that is there.
    fn swap(&mut self, live: &SetName, members: &Members) -> Vec<PlannedStep> {
        let spec = self.policy.spec(self.shadow(members.family()), members.len());
        let (shadow, members) = (spec.name.clone(), members.clone());
        let steps = [
            Step::Create(spec.clone()),
            Step::Fill { set: shadow.clone(), members: members.clone() },
            Step::Verify { spec, members },
            Step::Swap { shadow, live: live.clone() },
        ];
        steps.into_iter().map(|step| PlannedStep { phase: Phase::Bring, step }).collect()
    }

    /// The plan for a set that no list asks for, `None` if it is not ours.
    fn unwanted(&mut self, set: &SetName, seen: &ObservedSet) -> Option<ObjectPlan> {
        if seen.standing != Standing::Ours {
            return None;
        }
        // What was swapped out lately is not waited with: it is seen by nobody.
        let replaced = set.is_shadow() && seen.members.is_some();
        let references = seen.header.references;
        if references > 0 && self.changing.contains(&Object::Rules(set.family())) {
            // Perhaps by the rules that go with this plan. The next one knows.
            return None;
        }
        let obstacle = match () {
            () if self.policy.resting.contains(set) => Some(Obstacle::Resting),
            () if replaced => None,
            () if self.policy.gate == Gate::AddOnly => Some(Obstacle::Gate),
            () => (references > 0).then_some(Obstacle::Referenced(references)),
        };
        if let Some(obstacle) = obstacle {
            return Some(ObjectPlan::blocked(set.into(), obstacle, None));
        }
        let (phase, reason) = match (set.is_shadow(), replaced) {
            (true, true) => (Phase::Release, Reason::Replaced),
            (true, false) => (Phase::Sweep, Reason::Orphan),
            (false, _) => (Phase::Release, Reason::Unlisted),
        };
        let mut steps = Vec::new();
        let mut name = set.clone();
        if !set.is_shadow() {
            let shadow = self.shadow(set.family());
            let step = Step::Retire { set: set.clone(), shadow: shadow.clone() };
            steps.push(PlannedStep { phase: Phase::Retire, step });
            name = shadow;
        }
        let (shadow, members) = (name.clone(), seen.members.clone());
        let end = [Step::Release { shadow, members }, Step::Destroy(name)];
        steps.extend(end.map(|step| PlannedStep { phase, step }));
        let gone = if set.is_shadow() { 0 } else { u64::from(seen.header.elements) };
        Some(ObjectPlan {
            route: Route::Destroy,
            cost: Cost { deleted: gone, ..Cost::default() },
            steps,
            ..ObjectPlan::nothing(set.into(), reason, None)
        })
    }

    /// A name for a shadow that nobody has.
    fn shadow(&mut self, family: Family) -> SetName {
        loop {
            let name = self.policy.prefix.shadow(self.shadows, family);
            self.shadows += 1;
            if !self.observed.sets.contains_key(&name) {
                return name;
            }
        }
    }
}

/// The bytes of kernel memory that a new table with these members takes.
fn table_bytes(members: &Members) -> u64 {
    Capacity::for_members(members.len()).bytes(members.family(), members.len())
}

/// The bytes that a table takes more with these members in it as well.
fn grown(capacity: Capacity, before: &Members, added: usize) -> u64 {
    let bytes = |members| capacity.bytes(before.family(), members);
    bytes(before.len() + added).saturating_sub(bytes(before.len()))
}
