//! What must change in the rules. They are put as a whole, family by family,
//! and only where that shuts nobody out by mistake.

use crate::step::{ObjectPlan, Phase, PlannedStep, Step};
use crate::{
    Cost, Desired, Gate, Object, Observed, Obstacle, Policy, Reason, Route, Rule, RuleSet,
    RulesFound, Verdict,
};

/// The plan for the rules of every family that is looked after. Where there
/// are none and should be none, nothing is said of it.
pub(super) fn plan(desired: &Desired, observed: &Observed, policy: &Policy) -> Vec<ObjectPlan> {
    let planned = desired.rules.iter().filter_map(|wanted| {
        let object = Object::Rules(wanted.family());
        if let Some(RulesFound::AsWanted(_)) = observed.rules_found(wanted) {
            let none = wanted.rules().is_empty();
            return (!none).then(|| ObjectPlan::nothing(object, Reason::InSync, None));
        }
        Some(match obstacle(wanted, desired, policy) {
            Some(obstacle) => ObjectPlan::blocked(object, obstacle, None),
            None => put(object, wanted),
        })
    });
    planned.collect()
}

fn put(object: Object, wanted: &RuleSet) -> ObjectPlan {
    let steps = vec![PlannedStep { phase: Phase::Rule, step: Step::Put(wanted.clone()) }];
    ObjectPlan {
        object,
        route: Route::Put,
        reason: Reason::Rules,
        obstacle: None,
        cost: Cost::default(),
        steps,
        after: None,
        withheld: 0,
    }
}

/// Why rules must not be put now.
fn obstacle(wanted: &RuleSet, desired: &Desired, policy: &Policy) -> Option<Obstacle> {
    if policy.resting_rules.contains(&wanted.family()) {
        return Some(Obstacle::Resting);
    }
    let mut only = wanted.rules().iter().filter(|rule| rule.verdict == Verdict::AllowOnly);
    only.clone().next()?;
    if policy.gate == Gate::AddOnly {
        // Who may pass is not known yet.
        return Some(Obstacle::Gate);
    }
    let shut = only.find(|rule| !lets_anybody_through(rule, desired));
    let resting = wanted.rules().iter().any(|rule| policy.resting.contains(&rule.set));
    shut.map(|rule| Obstacle::Nobody(rule.set.clone())).or(resting.then_some(Obstacle::Resting))
}

/// Whether the list of a rule has any member, of either family.
fn lets_anybody_through(rule: &Rule, desired: &Desired) -> bool {
    let namesakes = desired.rules.iter().flat_map(RuleSet::rules);
    let mut sets = namesakes.filter(|other| other.name == rule.name).map(|other| &other.set);
    sets.any(|set| desired.sets.get(set).is_some_and(|target| !target.members.is_empty()))
}
