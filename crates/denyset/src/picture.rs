//! The reconciler's state as the documents that people and programs read.
//! Between what is and how it is written; it neither changes nor prints.

use blocklist::Refusal;
use reconcile::{
    Age, FeedState, Now, Observed, Obstacle, Plan, Reconciler, Route, RouteKind, SetHeader,
    SetOutcome, SetPlan, Standing,
};

use crate::view::{
    self, FeedStatus, OutcomeView, PlanView, PlannedSet, RefusalView, SetStatus, StatusView,
    accept_command,
};

/// What the daemon holds.
pub fn status(reconciler: &Reconciler, now: Now) -> StatusView {
    StatusView {
        in_sync: reconciler.in_sync(),
        degraded: degraded(reconciler),
        generation: reconciler.generation(),
        uptime_seconds: now.monotonic.as_secs(),
        sets: sets(reconciler),
        feeds: feeds(reconciler),
    }
}

/// What came of a request that has set work off.
pub fn outcome(reconciler: &Reconciler, outcomes: &[SetOutcome]) -> OutcomeView {
    let sets = outcomes.iter().map(|outcome| {
        let desired = reconciler.desired().sets.get(&outcome.set);
        set_outcome(outcome, desired.map_or(0, |members| members.len() as u64))
    });
    OutcomeView {
        in_sync: reconciler.in_sync(),
        sets: sets.collect(),
        refusals: refusals(reconciler),
        problems: problems(reconciler),
    }
}

/// What came of removing everything that is ours.
pub fn removal(outcome: &reconcile::Outcome, left: &Observed) -> OutcomeView {
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
    let sets = outcome.sets.iter().map(|outcome| set_outcome(outcome, 0));
    OutcomeView {
        in_sync: problems.is_empty(),
        sets: sets.collect(),
        refusals: Vec::new(),
        problems,
    }
}

/// What a plan would do.
pub fn plan(reconciler: &Reconciler, plan: &Plan) -> PlanView {
    PlanView {
        in_sync: plan.is_empty(),
        sets: plan.sets.iter().map(planned).collect(),
        rules: Vec::new(),
        refusals: refusals(reconciler),
    }
}

fn set_outcome(outcome: &SetOutcome, members: u64) -> view::SetOutcome {
    view::SetOutcome {
        set: outcome.set.to_string(),
        route: outcome.route.into(),
        added: outcome.added,
        deleted: outcome.deleted,
        members,
        error: outcome.result.as_ref().err().map(ToString::to_string),
    }
}

fn planned(set: &SetPlan) -> PlannedSet {
    PlannedSet {
        set: set.set.to_string(),
        route: set.route.kind().into(),
        add: set.route.added(),
        delete: set.route.deleted(),
        members: set.members as u64,
        reason: match &set.route {
            Route::Blocked(Obstacle::Gate) => "kept until all feeds have been read".to_owned(),
            Route::Blocked(obstacle) => obstacle.to_string(),
            _ => set.reason.to_string(),
        },
    }
}

/// Everything that is not as it should be, one sentence each.
fn degraded(reconciler: &Reconciler) -> Vec<String> {
    let refused = reconciler.feeds().states().iter().filter_map(|(name, feed)| {
        let refusal = feed.refusals.first()?;
        Some(format!("feed {name} is refused: {refusal}"))
    });
    let aged = reconciler.feeds().states().iter().filter_map(|(name, feed)| match feed.age {
        Age::Fresh => None,
        Age::Stale => Some(format!("feed {name} is older than its max-age, it stays in force")),
        Age::Dropped => Some(format!("feed {name} is older than its max-age, it is not in force")),
    });
    problems(reconciler).into_iter().chain(refused).chain(aged).collect()
}

/// The same without the refusals of feeds.
pub fn problems(reconciler: &Reconciler) -> Vec<String> {
    let scan = reconciler.feeds().scan_failure().map(str::to_owned);
    let held = reconciler.held().map(|list| {
        format!("list {} loses nothing until all its feeds have a good version", list.name)
    });
    scan.into_iter().chain(held).chain(reconciler.kernel().troubles()).collect()
}

/// Every refusal in force.
fn refusals(reconciler: &Reconciler) -> Vec<RefusalView> {
    let feeds = reconciler.feeds().states().iter();
    let all = feeds.flat_map(|(name, feed)| {
        feed.refusals.iter().map(|refusal| refused(name.as_str(), refusal))
    });
    all.collect()
}

/// A refusal of a feed, with the command that lets it through.
pub fn refused(feed: &str, refusal: &Refusal) -> RefusalView {
    RefusalView {
        feed: feed.to_owned(),
        guard: refusal.guard.key().to_owned(),
        expected: refusal.expected.clone(),
        found: refusal.found.clone(),
        accept: refusal.guard.can_be_accepted().then(|| accept_command(feed)),
    }
}

fn sets(reconciler: &Reconciler) -> Vec<SetStatus> {
    let observed = reconciler.kernel().observed();
    let prefix = reconciler.settings().prefix.as_str();
    let sets = reconciler.desired().sets.keys().map(|name| {
        let seen = observed.and_then(|observed| observed.sets.get(name));
        let times = reconciler.kernel().times(name);
        let family = name.family();
        let list = name.as_str().strip_prefix(prefix).unwrap_or_default();
        SetStatus {
            set: name.to_string(),
            list: list.strip_suffix(&format!("-{}", family.suffix())).unwrap_or(list).to_owned(),
            family: family.to_string(),
            members: seen.map_or(0, |set| u64::from(set.header.elements)),
            references: seen.map_or(0, |set| set.header.references),
            last_applied: times.applied.map(Into::into),
            last_verified: times.verified.map(Into::into),
        }
    });
    sets.collect()
}

fn feeds(reconciler: &Reconciler) -> Vec<FeedStatus> {
    let states = reconciler.feeds().states().iter();
    states.map(|(name, feed)| feed_status(name.as_str(), feed)).collect()
}

fn feed_status(name: &str, feed: &FeedState) -> FeedStatus {
    let content = feed.in_force.as_ref();
    FeedStatus {
        feed: name.to_owned(),
        format: content.map_or_else(String::new, |content| content.format.to_string()),
        entries: content.map_or(0, |content| content.tally.entries),
        rejected: content.map_or(0, |content| content.tally.rejected),
        state: if feed.gone.is_some() {
            view::FeedState::Gone
        } else if !feed.refusals.is_empty() {
            view::FeedState::Refused
        } else if feed.age == Age::Fresh {
            view::FeedState::Current
        } else {
            view::FeedState::Stale
        },
        since: feed.since.into(),
        refused: feed.refusals.first().map(ToString::to_string),
        // To accept is to accept all of it.
        accept: (!feed.refusals.is_empty()
            && feed.refusals.iter().all(|refusal| refusal.guard.can_be_accepted()))
        .then(|| accept_command(name)),
    }
}

impl From<RouteKind> for view::Route {
    fn from(kind: RouteKind) -> Self {
        match kind {
            RouteKind::None => Self::None,
            RouteKind::Create => Self::Create,
            RouteKind::InPlace => Self::InPlace,
            RouteKind::Swap => Self::Swap,
            RouteKind::Destroy => Self::Destroy,
        }
    }
}
