//! Events and actions as they stand in a trace. One of four files that know the
//! interface of the state machine.

use blocklist::FeedName;
use intake::{Answer, Order, Reading};
use keeper::{Action, Event};

/// The event as it stands in a trace.
pub(super) fn event_name(event: &Event) -> String {
    match event {
        Event::Files(answer) | Event::Read(_, answer) => answer_name(answer),
        Event::Composed(composed) => {
            let members = composed.targets.iter().map(|target| target.members.len());
            format!("composed {}: {} members", composed.list, members.sum::<usize>())
        }
        Event::Tried(tried) => format!("tried: {:?}", tried.losses),
        Event::Observed(_, result) => format!("observed: {}", result.is_ok()),
        Event::Converged(converged) => {
            let objects = &converged.outcome.objects;
            let failed = objects.iter().filter(|object| object.result.is_err()).count();
            format!("converged, {} done, {failed} failed", objects.len())
        }
        Event::Probed(_, probed) => format!("probed {}", probed.len()),
        Event::WrittenDown(_) => "written down".to_owned(),
        Event::FilesChanged
        | Event::HostIs(_)
        | Event::Proposed { .. }
        | Event::Accept(..)
        | Event::AcceptLosses(_)
        | Event::RulesChanged
        | Event::Resync
        | Event::Tick => "told".to_owned(),
    }
}

fn answer_name(answer: &Answer) -> String {
    match answer {
        Answer::Recalled(_, Ok(recalled)) => format!(
            "recalled {:?}, lost {:?}, blank {}",
            recalled.versions.keys().map(FeedName::as_str).collect::<Vec<_>>(),
            recalled.lost.keys().map(FeedName::as_str).collect::<Vec<_>>(),
            recalled.blank
        ),
        Answer::Recalled(_, Err(reason)) => format!("recalled nothing: {reason}"),
        Answer::Scanned(_, result) => format!("scanned: {}", result.is_ok()),
        Answer::Read { feed, reading, .. } => match reading {
            Reading::Same(id) => format!("{feed} is the same: version {}", id.0[0]),
            Reading::New { id, refusals, .. } if refusals.is_empty() => {
                format!("{feed} is good: version {}", id.0[0])
            }
            Reading::New { id, .. } => format!("{feed} is refused: version {}", id.0[0]),
            Reading::Refused(refusal) => format!("{feed} cannot be read: {}", refusal.found),
            Reading::Vanished => format!("{feed} has vanished"),
        },
        Answer::Kept { feed, result, .. } => format!("kept {feed}: {}", result.is_ok()),
    }
}

/// The action as it stands in a trace.
pub(super) fn action_name(action: &Action) -> String {
    match action {
        Action::Files(order) => match order {
            Order::Recall(..) => "recall".to_owned(),
            Order::Scan(_) => "scan".to_owned(),
            Order::Read(_, order) => format!("read {}", order.feed),
            Order::Keep(_, feed, _) => format!("keep {feed}"),
            Order::Discard(_) => "discard a copy".to_owned(),
            Order::Forget(feed) => format!("forget {feed}"),
            Order::NoteGone(feed, since) => format!("note {feed} gone: {}", since.is_some()),
            Order::NoteRewritten(feed, ..) => format!("note {feed} rewritten"),
        },
        Action::WriteDown(_, lists) => format!("write down: {lists:?}"),
        Action::Compose(work) => {
            let feeds: Vec<_> = work.feeds.keys().map(FeedName::as_str).collect();
            format!("compose {} of {}", work.list.name, feeds.join(" "))
        }
        Action::Try(_) => "try".to_owned(),
        Action::Observe(..) => "observe".to_owned(),
        Action::Converge(_) => "converge".to_owned(),
        Action::Probe(..) => "probe".to_owned(),
        Action::Report(_) | Action::WakeAt(_) | Action::Reply(..) => "tell".to_owned(),
    }
}
