//! The keeper's state as the documents that people and programs read.
//! Between what is and how it is written; it neither changes nor prints.

use blocklist::Refusal;
use intake::{Age, FeedState, Now};
use keeper::{Keeper, Why};
use reconcile::{ObjectOutcome, ObjectPlan, Observed, Obstacle, Plan, Route, SetHeader, Standing};

use crate::view::{
    self, FeedStatus, OutcomeView, PlanView, PlannedSet, RefusalView, SetStatus, StatusView,
    accept_command,
};

/// What the daemon holds.
pub fn status(keeper: &Keeper, now: Now) -> StatusView {
    StatusView {
        in_sync: keeper.in_sync(),
        degraded: degraded(keeper),
        remarks: Vec::new(),
        generation: keeper.generation(),
        uptime_seconds: now.monotonic.as_secs(),
        sets: sets(keeper),
        feeds: feeds(keeper),
    }
}

/// What came of a request that has set work off.
pub fn outcome(keeper: &Keeper, outcomes: &[ObjectOutcome]) -> OutcomeView {
    let sets = outcomes.iter().map(|outcome| {
        let set = outcome.object.set();
        let desired = set.and_then(|set| keeper.desired().sets.get(set));
        set_outcome(outcome, desired.map_or(0, |target| target.members.len() as u64))
    });
    OutcomeView {
        in_sync: keeper.in_sync(),
        sets: sets.collect(),
        refusals: refusals(keeper),
        problems: problems(keeper),
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
    let sets = outcome.objects.iter().map(|outcome| set_outcome(outcome, 0));
    OutcomeView {
        in_sync: problems.is_empty(),
        sets: sets.collect(),
        refusals: Vec::new(),
        problems,
    }
}

/// What a plan would do.
pub fn plan(keeper: &Keeper, plan: &Plan) -> PlanView {
    PlanView {
        in_sync: plan.is_in_sync(),
        sets: plan.objects.iter().map(planned).collect(),
        rules: Vec::new(),
        refusals: refusals(keeper),
    }
}

fn set_outcome(outcome: &ObjectOutcome, members: u64) -> view::SetOutcome {
    view::SetOutcome {
        set: name_of(&outcome.object),
        route: outcome.route.into(),
        added: outcome.added,
        deleted: outcome.deleted,
        members,
        error: outcome.result.as_ref().err().map(ToString::to_string),
    }
}

fn planned(plan: &ObjectPlan) -> PlannedSet {
    PlannedSet {
        set: name_of(&plan.object),
        route: plan.route.into(),
        add: plan.cost.added,
        delete: plan.cost.deleted,
        members: plan.members() as u64,
        reason: match &plan.obstacle {
            Some(Obstacle::Gate) => "kept until all feeds have been read".to_owned(),
            Some(obstacle) => obstacle.to_string(),
            None => plan.reason.to_string(),
        },
    }
}

fn name_of(object: &reconcile::Object) -> String {
    object.set().map_or_else(|| object.to_string(), ToString::to_string)
}

/// How a person ends what holds a list.
pub fn way_out(why: &Why) -> String {
    match why.feed() {
        Some(feed) => format!("mend the feed, or let it go: {}", accept_command(feed.as_str())),
        None if matches!(why, Why::Unread) => "it will be free when they have been".to_owned(),
        None => "if it is meant: denyset accept --config".to_owned(),
    }
}

/// Everything that is not as it should be, one sentence each.
fn degraded(keeper: &Keeper) -> Vec<String> {
    let feeds = keeper.intake().feeds();
    let refused = feeds.iter().filter_map(|(name, feed)| {
        let refusal = feed.refusals().first()?;
        Some(format!("feed {name} is refused: {refusal}"))
    });
    let unkept = feeds.iter().filter_map(|(name, feed)| {
        let refusal = feed.unkept.as_ref()?;
        Some(format!("feed {name} would not survive a restart: {refusal}"))
    });
    let aged = feeds.iter().filter_map(|(name, feed)| match feed.age {
        Age::Fresh => None,
        Age::Future => Some(format!("feed {name} was written in the future, its age is not known")),
        Age::Stale => Some(format!("feed {name} is older than its max-age, it stays in force")),
        Age::Dropped => Some(format!("feed {name} is older than its max-age, it is not in force")),
    });
    let feeds: Vec<_> = refused.chain(unkept).chain(aged).collect();
    let mut degraded = problems(keeper);
    let more = feeds.len().saturating_sub(DEGRADED_FEEDS_MAX);
    degraded.extend(feeds.into_iter().take(DEGRADED_FEEDS_MAX));
    degraded.extend((more > 0).then(|| format!("and {more} more feeds, see feeds")));
    degraded
}

/// Feeds that are named among what is not as it should be.
const DEGRADED_FEEDS_MAX: usize = 20;

/// The same without what concerns single feeds.
pub fn problems(keeper: &Keeper) -> Vec<String> {
    let intake = keeper.intake();
    let scan = intake.scan_failure().map(str::to_owned);
    let recall =
        intake.recall_failure().map(|reason| format!("state-dir cannot be read: {reason}"));
    let held = keeper.lists().iter().filter_map(|(list, state)| {
        let why = &state.held.as_ref()?.why;
        Some(format!("list {list} is held: {why}; {}", way_out(why)))
    });
    let lost = intake.unproven().filter_map(|(feed, state)| {
        let loss = state.loss.as_ref()?;
        Some(format!("feed {feed}: {loss}"))
    });
    let failures = keeper
        .kernel()
        .failures()
        .map(|(error, times)| format!("{error}; tried {times} times, the next time soon"));
    let blocked = keeper.kernel().blocked().map(|(object, why)| format!("{object}: {why}"));
    let world = scan.into_iter().chain(recall);
    world.chain(held).chain(lost).chain(failures).chain(blocked).collect()
}

/// Every refusal in force.
fn refusals(keeper: &Keeper) -> Vec<RefusalView> {
    let feeds = keeper.intake().feeds().iter();
    let all = feeds.flat_map(|(name, feed)| {
        feed.refusals().iter().map(|refusal| refused(name.as_str(), refusal))
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

fn sets(keeper: &Keeper) -> Vec<SetStatus> {
    let observed = keeper.kernel().observed();
    let prefix = keeper.settings().prefix.as_str();
    let sets = keeper.desired().sets.keys().map(|name| {
        let seen = observed.and_then(|observed| observed.sets.get(name));
        let times = keeper.kernel().times(name);
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

fn feeds(keeper: &Keeper) -> Vec<FeedStatus> {
    let states = keeper.intake().feeds().iter();
    states.map(|(name, feed)| feed_status(name.as_str(), feed)).collect()
}

fn feed_status(name: &str, feed: &FeedState) -> FeedStatus {
    let content = feed.version.as_ref();
    FeedStatus {
        feed: name.to_owned(),
        format: content.map_or_else(String::new, |content| content.format.to_string()),
        entries: content.map_or(0, |content| content.tally.entries),
        rejected: content.map_or(0, |content| content.tally.rejected),
        state: if feed.gone.is_some() {
            view::FeedState::Gone
        } else if !feed.refusals().is_empty() {
            view::FeedState::Refused
        } else if matches!(feed.age, Age::Fresh | Age::Future) {
            view::FeedState::Current
        } else {
            view::FeedState::Stale
        },
        since: feed.since.into(),
        refused: feed.refusals().first().map(ToString::to_string),
        // To accept is to accept all of it.
        accept: feed.can_be_accepted().then(|| accept_command(name)),
    }
}

impl From<Route> for view::Route {
    fn from(kind: Route) -> Self {
        match kind {
            Route::None => Self::None,
            Route::Create => Self::Create,
            Route::InPlace => Self::InPlace,
            Route::Swap => Self::Swap,
            Route::Destroy => Self::Destroy,
        }
    }
}
