//! What the number of lengths of prefixes costs denyset, whose sets try each length that
//! they have: its weak side, as a table and a plot.

use std::path::Path;

use super::super::million::{BY_LENGTHS, BY_LENGTHS_SIZE, HIT, MISS};
use super::super::record::Findings;
use super::super::statistics::{Spread, short};
use super::curves::image;
use super::million::short_count;
use super::plot::{Frame, Line, Over, draw as draw_lines};
use super::table::{markdown, told};

const TITLE: &str = "What a packet costs more with denyset, by lengths of prefixes";
const FILE: &str = "lengths.svg";

/// Both, or nothing if too little was found.
pub(super) fn section(findings: &Findings, place: &Path) -> Result<String, crate::Failure> {
    let points = points(findings);
    let [Some(first), Some(last)] = [points.first(), points.last()] else {
        return Ok(String::new());
    };
    let rows = points
        .iter()
        .map(|(lengths, hit, miss)| vec![lengths.to_string(), told(*hit), told(*miss)])
        .collect::<Vec<_>>();
    let head = ["lengths", "hit, ns more", "miss, ns more"].map(str::to_owned);
    let more = (last.2.middle - first.2.middle) / f64::from(last.0 - first.0).max(1.0);
    let line = |name: &str, of: fn(&(u8, Spread, Spread)) -> f64, is_ours| Line {
        name: name.to_owned(),
        points: points.iter().map(|point| (f64::from(point.0), of(point))).collect(),
        breaks_at: None,
        is_ours,
    };
    let lines = [
        line("a packet of nobody on the list", |point| point.2.middle, true),
        line("a packet of one who is blocked", |point| point.1.middle, false),
    ];
    let over = Over::Linear(f64::from(last.0), "lengths of prefixes");
    draw_lines(&place.join(FILE), Frame { title: TITLE, unit: "ns", over }, &lines)?;
    Ok(format!(
        "### What lengths of prefixes cost denyset\n\nA set of `hash:net` is asked once for each length that is \
         in it. With {} entries, each length more cost a packet of nobody on the list {} ns. Up to \
         nine lengths, `/32` to `/24`, are equally common; of what is shorter there is one of each.\n\n{}{}",
        short_count(BY_LENGTHS_SIZE as u64),
        short(more),
        markdown(&head, &rows),
        image(TITLE, FILE)
    ))
}

/// By number of lengths, what a hit and a miss cost more than without a filter.
fn points(findings: &Findings) -> Vec<(u8, Spread, Spread)> {
    let size = BY_LENGTHS_SIZE as u64;
    let mut points: Vec<_> = findings
        .variants()
        .into_iter()
        .filter_map(|way| {
            let lengths = way.strip_prefix(BY_LENGTHS)?.parse().ok()?;
            let more = |metric| {
                let rounds = |way| findings.rounds(way, size, metric);
                Spread::of_differences(rounds(way)?, rounds("none")?)
            };
            Some((lengths, more(HIT)?, more(MISS)?))
        })
        .collect();
    points.sort_by_key(|point| point.0);
    points
}
