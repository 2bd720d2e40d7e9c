//! The figures of the daemon, by the names and units that monitoring has for
//! such, made of the documents that it gives. What no document says is left out:
//! no figure is 0 because it is unknown.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::document::StatusDocument;
use super::hits::HitsDocument;
use super::sheet::{Durations, FigureSample, Figures, Sheet};

/// The states that a feed can be in.
const STATES: [&str; 4] = ["current", "refused", "stale", "gone"];

/// What the daemon has said of itself.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// The status; `None` if none was ever there.
    pub status: Option<Arc<StatusDocument>>,
    /// Whether the daemon says so now. What it has said before it ended is no
    /// word on whether anything is in sync.
    pub is_live: bool,
    /// What was hit.
    pub hits: Option<Arc<HitsDocument>>,
}

impl Figures for Readings {
    fn write(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        if let Some(status) = &self.status {
            whole(status, self.is_live, sheet)?;
            sets(status, sheet)?;
            rules(status, sheet)?;
            feeds(status, sheet)?;
            done(status, sheet)?;
            exports(status, sheet)?;
        }
        self.hits.as_ref().map_or(Ok(()), |hits| hit(hits, sheet))
    }
}

fn whole(status: &StatusDocument, is_live: bool, sheet: &mut Sheet<'_>) -> fmt::Result {
    sheet.gauge("denyset_up", "1 if the daemon answers.", &[(Vec::new(), u64::from(is_live))])?;
    if !is_live {
        return Ok(());
    }
    let one = |value| vec![(Vec::new(), value)];
    let count = |sentences: &[String]| one(sentences.len() as u64);
    sheet.gauge(
        "denyset_in_sync",
        "1 if the kernel holds what it should hold.",
        &one(u64::from(status.in_sync)),
    )?;
    sheet.gauge(
        "denyset_degraded",
        "How many things do not work as they should.",
        &count(&status.degraded),
    )?;
    sheet.gauge(
        "denyset_warnings",
        "How many things let packets through though all is as it should be.",
        &count(&status.warnings),
    )?;
    sheet.gauge(
        "denyset_generation",
        "The number of the desired state.",
        &one(status.generation),
    )?;
    let uptime = status.uptime_seconds.map(|seconds| (Vec::new(), seconds));
    let help = "For how long the daemon has been running.";
    sheet.gauge("denyset_uptime_seconds", help, &uptime.into_iter().collect::<Vec<_>>())
}

fn sets(status: &StatusDocument, sheet: &mut Sheet<'_>) -> fmt::Result {
    let labels = |list, family| vec![("list", list), ("family", family)];
    let of = |value: &dyn Fn(&super::SetFigures) -> Option<u64>| {
        let sets = status.sets.iter();
        sets.filter_map(|set| Some((labels(&*set.list, &*set.family), value(set)?)))
            .collect::<Vec<FigureSample<'_>>>()
    };
    let time = |seconds: Option<i64>| u64::try_from(seconds?).ok();
    sheet.gauge(
        "denyset_set_members",
        "How many members a set of the kernel has.",
        &of(&|set| Some(set.members)),
    )?;
    sheet.gauge(
        "denyset_set_last_applied_timestamp_seconds",
        "When a set was last changed.",
        &of(&|set| time(set.last_applied)),
    )?;
    sheet.gauge(
        "denyset_set_last_verified_timestamp_seconds",
        "When a set was last compared with what it should hold, member by member.",
        &of(&|set| time(set.last_verified)),
    )
}

fn rules(status: &StatusDocument, sheet: &mut Sheet<'_>) -> fmt::Result {
    let of = |value: &dyn Fn(&super::RuleFigures) -> Option<u64>| {
        let rules = status.rules.iter();
        rules
            .filter_map(|rule| {
                let family = status.sets.iter().find(|set| set.set == rule.set)?.family.as_str();
                Some((vec![("rule", rule.rule.as_str()), ("family", family)], value(rule)?))
            })
            .collect::<Vec<FigureSample<'_>>>()
    };
    sheet.gauge(
        "denyset_rule_in_place",
        "1 if a rule was last seen in the kernel, all of it as it should be.",
        &of(&|rule| Some(u64::from(rule.in_place))),
    )?;
    sheet.counter(
        "denyset_dropped_packets",
        "Packets that a rule has stopped.",
        &of(&|rule| rule.packets),
    )?;
    sheet.counter("denyset_dropped_bytes", "The bytes of these packets.", &of(&|rule| rule.bytes))
}

fn feeds(status: &StatusDocument, sheet: &mut Sheet<'_>) -> fmt::Result {
    let of = |value: &dyn Fn(&super::FeedFigures) -> Option<u64>| {
        let feeds = status.feeds.iter();
        feeds
            .filter_map(|feed| Some((vec![("feed", &*feed.feed)], value(feed)?)))
            .collect::<Vec<FigureSample<'_>>>()
    };
    let by_state = status.feeds.iter().flat_map(|feed| {
        STATES.map(|state| {
            (vec![("feed", &*feed.feed), ("state", state)], u64::from(feed.state == state))
        })
    });
    sheet.gauge(
        "denyset_feed_state",
        "1 for the state that a feed is in, 0 for the others.",
        &by_state.collect::<Vec<_>>(),
    )?;
    let refused = status.feeds.iter().filter(|feed| feed.refused.is_some()).count();
    sheet.gauge(
        "denyset_feeds_refused",
        "Feeds whose file is refused now; the last good version is in force.",
        &[(Vec::new(), refused as u64)],
    )?;
    sheet.gauge(
        "denyset_feed_last_good_timestamp_seconds",
        "Since when the version of a feed that is in force is the one in force.",
        &of(&|feed| u64::try_from(feed.last_good?).ok()),
    )?;
    sheet.gauge(
        "denyset_feed_entries",
        "Entries of the version of a feed that is in force.",
        &of(&|feed| Some(feed.entries)),
    )?;
    sheet.gauge(
        "denyset_feed_rejected_lines",
        "Lines that could not be read of the version of a feed that is in force.",
        &of(&|feed| Some(feed.rejected)),
    )
}

fn done(status: &StatusDocument, sheet: &mut Sheet<'_>) -> fmt::Result {
    let refusals = status.refusals.iter();
    let refusals = refusals
        .map(|of| (vec![("feed", of.feed.as_str()), ("guard", of.guard.as_str())], of.count));
    sheet.counter(
        "denyset_refusals",
        "Versions of a feed that a guard has refused, and configurations.",
        &refusals.collect::<Vec<_>>(),
    )?;
    let Some(applies) = &status.applies else { return Ok(()) };
    sheet.histogram(
        "denyset_apply_duration_seconds",
        "How long changes of the kernel took.",
        &Durations {
            count: applies.count,
            total: Duration::from_micros(applies.total_us),
            within: applies
                .within
                .iter()
                .map(|within| (Duration::from_millis(within.ms), within.count))
                .collect(),
        },
    )
}

fn exports(status: &StatusDocument, sheet: &mut Sheet<'_>) -> fmt::Result {
    let of = |value: &dyn Fn(&super::ExportFigures) -> Option<u64>| {
        let exports = status.exports.iter();
        exports
            .filter_map(|export| {
                let labels = vec![
                    ("path", &*export.path),
                    ("list", &*export.list),
                    ("format", &*export.format),
                ];
                Some((labels, value(export)?))
            })
            .collect::<Vec<FigureSample<'_>>>()
    };
    sheet.gauge(
        "denyset_export_failed",
        "1 if the file of an export cannot be written as it should be.",
        &of(&|export| Some(u64::from(export.failed.is_some()))),
    )?;
    sheet.gauge(
        "denyset_export_last_written_timestamp_seconds",
        "When the file of an export was last written.",
        &of(&|export| u64::try_from(export.last_written?).ok()),
    )?;
    sheet.gauge(
        "denyset_export_prefixes",
        "Prefixes in the file of an export.",
        &of(&|export| export.entries),
    )?;
    sheet.gauge(
        "denyset_export_left_out_prefixes",
        "Prefixes of IPv6 that the form of an export cannot carry.",
        &of(&|export| export.left_out),
    )
}

fn hit(hits: &HitsDocument, sheet: &mut Sheet<'_>) -> fmt::Result {
    let feeds = hits.feeds.iter();
    let feeds = feeds.map(|hit| (vec![("feed", &*hit.feed), ("rule", &*hit.rule)], hit.samples));
    sheet.counter(
        "denyset_feed_hits_sampled",
        "Packets that were looked at and that a feed has asked to be stopped.",
        &feeds.collect::<Vec<_>>(),
    )?;
    let lost = hits.listening.then_some((Vec::new(), hits.lost));
    sheet.counter(
        "denyset_samples_lost",
        "Packets that were to be looked at and came too late.",
        &lost.into_iter().collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TextForm, exposition};

    fn check(is_live: bool, status: &str, want: &[&str], never: &[&str]) {
        let status = StatusDocument::read(status.as_bytes()).expect("a document");
        let hits = HitsDocument {
            feeds: vec![crate::FeedHitFigures {
                feed: "a".into(),
                rule: "drop".into(),
                samples: 7,
                share: 1.0,
            }],
            ..HitsDocument::default()
        };
        let all = Readings { status: Some(Arc::new(status)), is_live, hits: Some(Arc::new(hits)) };
        let text = exposition(vec![Box::new(all)], TextForm::OpenMetrics);
        for line in want {
            assert!(text.lines().any(|found| found == *line), "{line} in {text}");
        }
        for word in never {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }

    #[test]
    fn what_is_said_is_a_figure_and_what_is_not_is_none() {
        check(
            true,
            r#"{"in-sync": true, "generation": 9, "degraded": ["a", "b"],
              "sets": [{"set": "x-v4", "list": "x", "family": "ipv4", "members": 3,
                        "last-applied": "1970-01-01T00:00:07Z", "last-verified": null}],
              "rules": [{"rule": "drop", "set": "x-v4", "in-place": true, "packets": 5}],
              "feeds": [{"feed": "a", "state": "stale", "entries": 4, "rejected": 1,
                         "last-good": "1970-01-01T00:01:00Z"}],
              "exports": [{"path": "/e", "list": "x", "format": "plain", "entries": 3,
                           "failed": "full"}],
              "refusals": [{"feed": "a", "guard": "shrink-percent-max", "count": 2}],
              "applies": {"count": 3, "total-us": 1500000,
                          "within": [{"ms": 1, "count": 1}, {"ms": 500, "count": 2}]}}"#,
            &[
                "denyset_in_sync 1",
                "denyset_degraded 2",
                "denyset_generation 9",
                r#"denyset_set_members{list="x",family="ipv4"} 3"#,
                r#"denyset_set_last_applied_timestamp_seconds{list="x",family="ipv4"} 7"#,
                r#"denyset_rule_in_place{rule="drop",family="ipv4"} 1"#,
                r#"denyset_dropped_packets_total{rule="drop",family="ipv4"} 5"#,
                r#"denyset_feed_state{feed="a",state="stale"} 1"#,
                r#"denyset_feed_state{feed="a",state="current"} 0"#,
                r#"denyset_feed_last_good_timestamp_seconds{feed="a"} 60"#,
                r#"denyset_feed_entries{feed="a"} 4"#,
                r#"denyset_feed_rejected_lines{feed="a"} 1"#,
                "denyset_feeds_refused 0",
                r#"denyset_refusals_total{feed="a",guard="shrink-percent-max"} 2"#,
                "denyset_apply_duration_seconds_sum 1.5",
                "denyset_apply_duration_seconds_count 3",
                r#"denyset_apply_duration_seconds_bucket{le="0.001"} 1"#,
                r#"denyset_apply_duration_seconds_bucket{le="0.5"} 2"#,
                r#"denyset_apply_duration_seconds_bucket{le="+Inf"} 3"#,
                r#"denyset_export_failed{path="/e",list="x",format="plain"} 1"#,
                r#"denyset_export_prefixes{path="/e",list="x",format="plain"} 3"#,
                r#"denyset_feed_hits_sampled_total{feed="a",rule="drop"} 7"#,
            ],
            &["last_verified", "uptime", "dropped_bytes", "samples_lost", "last_written"],
        );
    }

    #[test]
    fn what_was_said_by_a_daemon_that_has_ended_is_not_said_to_be_so() {
        check(
            false,
            r#"{"in-sync": true, "sets": [{"list": "x", "family": "ipv4", "members": 3}]}"#,
            &["denyset_up 0", r#"denyset_set_members{list="x",family="ipv4"} 3"#],
            &["in_sync", "generation", "apply_duration"],
        );
    }
}
