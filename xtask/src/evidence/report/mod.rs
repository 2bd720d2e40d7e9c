//! The report: questions, answers, tables and plots, made from what was found and
//! nothing else.

mod answers;
mod curves;
mod decision;
mod lengths;
mod meters;
mod million;
mod ports;
mod table;
mod twice;
mod web;
mod words;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::record::{Findings, Results};
use super::stage::Stage;
use crate::Failure;
use crate::measure::plot;

/// Writes `REPORT.md` and its plots.
pub(super) fn write(results: &Results, place: &Path) -> Result<(), Failure> {
    let text = text(results, place)?;
    Ok(fs::write(place.join("REPORT.md"), text)?)
}

/// The whole report.
fn text(results: &Results, place: &Path) -> Result<String, Failure> {
    let mut text = String::from(words::HEAD);
    if let Some(findings) = results.stages.values().next() {
        text.push_str(&words::machine(findings));
    }
    let of = |stage| results.stages.get(&stage);
    text.push_str(&decision::section(of(Stage::B), of(Stage::W)));
    for stage in [Stage::A, Stage::B, Stage::W, Stage::C, Stage::D] {
        let _ = write!(text, "\n## {stage:?}. {}\n\n", stage.question());
        match of(stage) {
            Some(findings) => text.push_str(&section(stage, findings, place)?),
            None => text.push_str("Not run.\n"),
        }
    }
    text.push_str(&twice::section(results));
    text.push_str(words::METHOD);
    Ok(text)
}

fn section(stage: Stage, findings: &Findings, place: &Path) -> Result<String, Failure> {
    let mut text = words::run(findings);
    let answer = answers::answer(stage, findings);
    if !answer.is_empty() {
        let _ = write!(text, "**{answer}**\n\n");
    }
    match stage {
        Stage::C => {
            text.push_str(words::DROPPED);
            text.push_str(&table::dropped(findings));
        }
        Stage::B => {
            text.push_str(words::MILLION);
            text.push_str(&curves::draw(findings, place)?);
            text.push_str(&lengths::section(findings, place)?);
            text.push_str(&million::replaced(findings));
            text.push_str(&million::tables(findings));
        }
        Stage::A => {
            text.push_str(words::PORTS);
            text.push_str(&ports::draw_sockets(findings, place)?);
            text.push_str(&ports::tables(findings));
        }
        Stage::W => {
            text.push_str(&curves::draw_requests(findings, place)?);
            text.push_str(&web::table(findings));
        }
        Stage::D => {
            text.push_str(words::METERS);
            text.push_str(&meters::tables(findings));
        }
    }
    Ok(text)
}
