//! The documents of the verbs that plan, change and remove.

use std::collections::BTreeMap;

use blocklist::{FeedName, Refusal};
use reconcile::{
    Members, ObjectOutcome, ObjectPlan, Observed, Obstacle, Plan, SetHeader, Standing,
    miss_nanoseconds,
};

use super::{problems, ways_around};
use crate::snapshot::SnapshotFacts;
use crate::view::{
    OutcomeView, PlanView, PlannedSet, RefusalView, RouteName, SetOutcome, accept_command,
};

impl OutcomeView {
    /// What came of a request that has set work off.
    pub fn of(facts: &SnapshotFacts, outcomes: &[ObjectOutcome]) -> Self {
        let sets = outcomes.iter().map(|outcome| {
            let set = outcome.object.set().and_then(|set| facts.sets.get(set));
            set_outcome(
                outcome,
                set.map_or(0, |set| set.members.as_ref().unwrap_or(&set.desired).len() as u64),
            )
        });
        Self {
            in_sync: facts.in_sync,
            sets: sets.collect(),
            refusals: refusals(facts),
            problems: problems(facts),
        }
    }

    /// What came of removing everything that is ours.
    pub fn of_removal(outcome: &reconcile::Outcome, left: &Observed) -> Self {
        let left = left.sets.values().filter(|set| set.standing == Standing::Ours);
        let problems: Vec<_> = left
            .map(|set| {
                let SetHeader { name, references, .. } = &set.header;
                format!(
                    "set {name} is left, {references} rules or sets refer to it: remove them, then \
                     tear down again"
                )
            })
            .collect();
        let sets = outcome.objects.iter().map(|outcome| set_outcome(outcome, 0));
        Self { in_sync: problems.is_empty(), sets: sets.collect(), refusals: Vec::new(), problems }
    }
}

impl PlanView {
    /// What a plan would do.
    pub fn of(facts: &SnapshotFacts, plan: &Plan) -> Self {
        let sets = plan.objects.iter().filter(|planned| planned.object.set().is_some());
        let rules = plan.objects.iter().filter(|planned| planned.object.set().is_none());
        let rules = rules.map(|planned| {
            let reason = planned.obstacle.as_ref().map(ToString::to_string);
            let reason = reason.unwrap_or_else(|| planned.reason.to_string());
            format!("{}: {}: {reason}", planned.object, planned.route)
        });
        Self {
            in_sync: plan.is_in_sync(),
            sets: sets.map(planned).collect(),
            rules: rules.collect(),
            refusals: refusals(facts),
            warnings: ways_around(
                &facts.surroundings.bypasses,
                &facts.rules.iter().flat_map(|seen| seen.wanted.rules()),
            ),
        }
    }
}

impl RefusalView {
    /// A refusal of a feed, with the command that lets it through.
    pub fn of(feed: &FeedName, refusal: &Refusal) -> Self {
        Self {
            feed: feed.to_string(),
            guard: refusal.guard.key().to_owned(),
            expected: refusal.expected.clone(),
            found: refusal.found.clone(),
            accept: refusal.guard.can_be_accepted().then(|| accept_command(feed.as_str())),
        }
    }
}

/// Every refusal in force.
fn refusals(facts: &SnapshotFacts) -> Vec<RefusalView> {
    let feeds = facts.feeds.iter();
    let all = feeds.flat_map(|(name, feed)| {
        feed.refusals.iter().map(|refusal| RefusalView::of(name, refusal))
    });
    all.collect()
}

fn set_outcome(outcome: &ObjectOutcome, members: u64) -> SetOutcome {
    SetOutcome {
        set: name_of(&outcome.object),
        route: outcome.route.into(),
        added: outcome.added,
        deleted: outcome.deleted,
        members,
        error: outcome.result.as_ref().err().map(ToString::to_string),
    }
}

fn planned(plan: &ObjectPlan) -> PlannedSet {
    let lengths: BTreeMap<_, _> = plan.after.iter().flat_map(Members::length_counts).collect();
    PlannedSet {
        set: name_of(&plan.object),
        route: plan.route.into(),
        add: plan.cost.added,
        delete: plan.cost.deleted,
        members: plan.members() as u64,
        miss_ns: miss_nanoseconds(lengths.len()),
        lengths,
        memory_bytes: plan.cost.memory,
        reason: match (&plan.obstacle, plan.shortage) {
            (Some(Obstacle::Gate), _) => "kept until all feeds have been read".to_owned(),
            (Some(obstacle), _) => obstacle.to_string(),
            (None, Some(shortage)) => format!("{}, but {shortage}", plan.reason),
            (None, None) => plan.reason.to_string(),
        },
    }
}

fn name_of(object: &reconcile::Object) -> String {
    object.set().map_or_else(|| object.to_string(), ToString::to_string)
}

impl From<reconcile::Route> for RouteName {
    fn from(kind: reconcile::Route) -> Self {
        match kind {
            reconcile::Route::None => Self::None,
            reconcile::Route::Create => Self::Create,
            reconcile::Route::InPlace => Self::InPlace,
            reconcile::Route::Swap => Self::Swap,
            reconcile::Route::Destroy => Self::Destroy,
            reconcile::Route::Put => Self::Put,
        }
    }
}
