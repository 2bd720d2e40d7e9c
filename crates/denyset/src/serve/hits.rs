//! `hits`: what was counted, and the lines that the most frequent addresses are
//! owed to, from the last good copies and as far as a while reaches.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use blocklist::FeedName;
use feedfiles::Copies;

use super::why;
use crate::hits::HitTally;
use crate::snapshot::{RuleCounts, SnapshotFacts};
use crate::view::{HitsView, HitsWish};

/// So long lines are looked for. A feed of a million lines takes some
/// milliseconds for each address.
const LINES_WITHIN: Duration = Duration::from_secs(3);

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HitsQuestion {
    pub(super) rule: Option<String>,
    pub(super) feed: Option<FeedName>,
    pub(super) top: usize,
}

/// Answers, and blocks the thread for it.
pub(super) fn answer(
    facts: &SnapshotFacts,
    copies: Option<&Copies>,
    tally: &HitTally,
    counts: &RuleCounts,
    question: &HitsQuestion,
) -> HitsView {
    let HitsQuestion { rule, feed, top } = question;
    let wish = HitsWish { rule: rule.as_deref(), feed: feed.as_ref(), top: *top };
    let mut view = HitsView::of(facts, tally, counts, wish);
    let begun = Instant::now();
    let feeds = facts.in_force(SystemTime::now());
    for hit in &mut view.addresses {
        if begun.elapsed() > LINES_WITHIN {
            view.notes.push("not all lines were looked for; ask `denyset why ADDRESS`".to_owned());
            break;
        }
        let of_rule = tally.rules.iter().find(|((_, name), _)| *name == hit.rule);
        let list = of_rule
            .and_then(|(_, rule)| facts.lists.iter().find(|list| list.list.name == rule.list));
        let (Some(list), Ok(address)) = (list, hit.address.parse::<IpAddr>()) else { continue };
        let (sources, notes) = why::lines(facts, copies, &feeds, &list.list, address);
        hit.sources = sources;
        for note in notes {
            if !view.notes.contains(&note) {
                view.notes.push(note);
            }
        }
    }
    view
}
