//! The lists and the feeds, a row each, and what is refused.

use std::collections::BTreeMap;

use figures::{FeedFigures, HitsDocument, SetFigures, StatusDocument};
use maud::{Markup, html};

use super::words::{ago, counted, moment};

/// Feeds that have a row: those that need somebody first.
const FEEDS_MAX: usize = 500;
/// Refusals that are shown.
const REFUSED_MAX: usize = 50;

/// Each set of each list.
pub(super) fn lists(status: &StatusDocument, now: u64) -> Markup {
    html! {
        section aria-labelledby="lists" {
            h2 id="lists" { "Lists" }
            div.scroll tabindex="0" role="group" aria-label="Table of lists" {
                table aria-labelledby="lists" {
                    thead { tr {
                        th scope="col" { "List" }
                        th scope="col" { "Family" }
                        th.number scope="col" { "Members" }
                        th.number scope="col" { "Packets dropped" }
                        th scope="col" { "Changed" }
                        th scope="col" { "Compared" }
                    } }
                    tbody {
                        @for set in &status.sets {
                            tr {
                                td.name { (set.list) }
                                td { (set.family) }
                                td.number { (counted(set.members)) }
                                td.number { (dropped(status, set)) }
                                td { (time(set.last_applied, now)) }
                                td { (time(set.last_verified, now)) }
                            }
                        }
                        @if status.sets.is_empty() { tr { td colspan="6" { "none" } } }
                    }
                }
            }
        }
    }
}

/// What all rules have stopped that ask this set.
fn dropped(status: &StatusDocument, set: &SetFigures) -> String {
    let rules = status.rules.iter().filter(|rule| rule.set == set.set);
    let packets: Vec<_> = rules.filter_map(|rule| rule.packets).collect();
    if packets.is_empty() { "–".to_owned() } else { counted(packets.iter().sum()) }
}

/// What the guards have refused, with the line to copy that lets it through.
pub(super) fn refused(status: &StatusDocument) -> Markup {
    let refused = status.feeds.iter().filter_map(|feed| Some((feed, feed.refused.as_ref()?)));
    let refused: Vec<_> = refused.collect();
    html! {
        @if !refused.is_empty() {
            section aria-labelledby="refused" {
                h2 id="refused" { "Refused" }
                dl {
                    @for (feed, why) in refused.iter().take(REFUSED_MAX) {
                        dt { (feed.feed) }
                        dd {
                            (why) ". The last good version is in force."
                            @if let Some(accept) = &feed.accept {
                                " If it is meant:"
                                pre tabindex="0" { (accept) }
                            }
                        }
                    }
                }
                @if refused.len() > REFUSED_MAX {
                    p.dim { "and " (refused.len() - REFUSED_MAX) " more" }
                }
            }
        }
    }
}

/// Each feed.
pub(super) fn feeds(status: &StatusDocument, hits: Option<&HitsDocument>, now: u64) -> Markup {
    let mut shares: BTreeMap<&str, f64> = BTreeMap::new();
    for hit in hits.into_iter().flat_map(|hits| &hits.feeds) {
        // By several rules, the largest: shares of different packets do not add up.
        let share = shares.entry(&hit.feed).or_default();
        *share = share.max(hit.share);
    }
    let mut feeds: Vec<_> = status.feeds.iter().collect();
    feeds.sort_by_key(|feed| feed.state == "current");
    html! {
        section aria-labelledby="feeds" {
            h2 id="feeds" { "Feeds" }
            div.scroll tabindex="0" role="group" aria-label="Table of feeds" {
                table aria-labelledby="feeds" {
                    thead { tr {
                        th scope="col" { "Feed" }
                        th scope="col" { "State" }
                        th scope="col" { "In force since" }
                        th scope="col" { "Format" }
                        th.number scope="col" { "Entries" }
                        th.number scope="col" { "Rejected" }
                        th scope="col" { "Share of hits" }
                    } }
                    tbody {
                        @for feed in feeds.iter().take(FEEDS_MAX) {
                            (row(feed, shares.get(&*feed.feed).copied(), now))
                        }
                        @if feeds.is_empty() { tr { td colspan="7" { "none" } } }
                    }
                }
            }
            @if feeds.len() > FEEDS_MAX {
                p.dim { "and " (feeds.len() - FEEDS_MAX) " more; denyset status names all" }
            }
        }
    }
}

fn row(feed: &FeedFigures, share: Option<f64>, now: u64) -> Markup {
    html! {
        tr {
            td.name { (feed.feed) }
            td { span class={"word " (feed.state)} { (feed.state) } }
            td { (time(feed.last_good, now)) }
            td { (feed.format) }
            td.number { (counted(feed.entries)) }
            td.number { (counted(feed.rejected)) }
            td {
                @if let Some(share) = share {
                    meter min="0" max="100" value=(format!("{share:.1}"))
                        aria-label={"share of hits of " (feed.feed)} {}
                    " " (format!("{share:.1} %"))
                } @else { "–" }
            }
        }
    }
}

fn time(seconds: Option<i64>, now: u64) -> Markup {
    html! {
        @match seconds {
            Some(then) => time datetime=(moment(then)) title=(moment(then)) { (ago(seconds, now)) },
            None => "–",
        }
    }
}
