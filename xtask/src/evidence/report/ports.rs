//! The tables of question A: one for each scene.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::super::ports as found;
use super::super::record::Findings;
use super::super::statistics::{Difference, NoiseFloor, Spread, short};
use super::curves::image;
use super::plot::{Frame, Line, Over, draw as draw_lines};
use super::table::{cell, markdown};
use crate::Failure;

const BASE: &str = "none";
const AGAIN: &str = "none, again";

/// All of them.
pub(super) fn tables(findings: &Findings) -> String {
    let mut text = String::new();
    let variants = findings.variants();
    let words = [found::STRANGERS, found::QUANTILES[0].0];
    let rows: Vec<_> = variants
        .iter()
        .map(|variant| {
            let found = words.iter().find_map(|metric| findings.find(variant, 0, metric));
            vec![(*variant).to_owned(), cell(found)]
        })
        .collect();
    text.push_str(&markdown(&["way", "a stranger"].map(str::to_owned), &rows));
    for scene in found::Scene::all() {
        let number = scene.number();
        if findings.rounds(BASE, number, found::QUANTILES[0].0).is_some() {
            let _ = writeln!(text, "### {}\n", scene.name());
            text.push_str(&of_scene(findings, number, scene.junk > 0));
        }
    }
    text
}

fn of_scene(findings: &Findings, number: u64, has_junk: bool) -> String {
    let mut columns: Vec<(&str, &str)> =
        found::QUANTILES.iter().map(|(metric, _)| (*metric, *metric)).collect();
    columns.extend([
        (found::ERRORS, "errors"),
        (found::TIMEOUTS, "timeouts"),
        (found::LATE, "sent late"),
        (found::REQUEST_CPU, "CPU a request, us"),
        (found::SOCKETS, "sockets, most"),
        (found::USER, "machine: user, %"),
        (found::SYSTEM, "system, %"),
        (found::SOFTIRQ, "softirq, %"),
    ]);
    if has_junk {
        columns.push((found::JUNK_SENT, "junk sent a second"));
        columns.push((found::JUNK_CPU, "CPU a packet of junk, ns"));
    }
    columns.push((found::SHARE, "netfilter, % of samples"));
    columns.push((found::LARGEST, "of it the largest"));
    let mut head = vec!["way".to_owned(), "ratio of p50".to_owned()];
    head.extend(columns.iter().map(|(_, name)| (*name).to_owned()));
    let rows: Vec<_> = findings
        .variants()
        .iter()
        .filter(|variant| findings.find(variant, number, found::REQUEST_CPU).is_some())
        .map(|variant| {
            let mut row = vec![(*variant).to_owned(), ratio(findings, variant, number)];
            row.extend(
                columns.iter().map(|(metric, _)| cell(findings.find(variant, number, metric))),
            );
            row
        })
        .collect();
    markdown(&head, &rows)
}

/// Sockets in use over the time of a round, the most of all rounds, beside the most junk
/// that was tried.
pub(super) fn draw_sockets(findings: &Findings, place: &Path) -> Result<String, Failure> {
    let scenes = found::Scene::all().into_iter().filter(|scene| !scene.keep_alive);
    let looked_at =
        |scene: &found::Scene| !sockets(findings, BASE, scene.number()).points.is_empty();
    let Some(scene) = scenes.rev().find(looked_at) else { return Ok(String::new()) };
    let lines: Vec<_> = findings
        .variants()
        .into_iter()
        .filter(|variant| *variant != AGAIN)
        .map(|variant| sockets(findings, variant, scene.number()))
        .filter(|line| line.points.len() > 1)
        .collect();
    let end = lines.iter().flat_map(|line| &line.points).map(|point| point.0).fold(0.0, f64::max);
    let title = format!("Sockets of TCP in use, at most: {}", scene.name());
    let frame = Frame { title: &title, unit: "sockets", over: Over::Linear(end, "seconds") };
    draw_lines(&place.join("sockets.svg"), frame, &lines)?;
    Ok(format!(
        "{}Four of them listen: where no more are in use for long, nothing piles up. Those that wait in TIME-WAIT \
         for their end are not in the plot, but in `sockets, most` below; they are of a minute, so of the rounds \
         before as well.\n\n",
        image(&title, "sockets.svg")
    ))
}

fn sockets(findings: &Findings, variant: &str, number: u64) -> Line {
    let looks = (0..100).map(|beat| Duration::from_millis(100 * beat));
    let points = looks.filter_map(|time| {
        let rounds = findings.rounds(variant, number, &found::in_use_after(time))?;
        Some((time.as_secs_f64(), Spread::of(rounds)?.most))
    });
    let is_ours = variant.starts_with("denyset");
    Line { name: variant.to_owned(), points: points.collect(), breaks_at: None, is_ours }
}

fn ratio(findings: &Findings, variant: &str, number: u64) -> String {
    let rounds = |variant| findings.rounds(variant, number, found::QUANTILES[0].0);
    let (Some(own), Some(base), Some(again)) = (rounds(variant), rounds(BASE), rounds(AGAIN))
    else {
        return "–".into();
    };
    let (Some(spread), Some(floor)) = (Spread::of_ratios(own, base), NoiseFloor::of(base, again))
    else {
        return "–".into();
    };
    match floor.judge(spread.middle) {
        Difference::WithinNoise => "=".into(),
        Difference::Factor(factor) => format!("{}x", short(factor)),
    }
}
