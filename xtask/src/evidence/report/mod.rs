//! The report: questions, answers, tables and plots, made from what was found and
//! nothing else.

mod million;
mod table;
mod words;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::record::{Findings, Results};
use super::stage::Stage;
use crate::Failure;

/// Writes `REPORT.md` and its plots.
pub(super) fn write(results: &Results, place: &Path) -> Result<(), Failure> {
    fs::write(place.join("REPORT.md"), text(results))?;
    Ok(())
}

/// The whole report.
fn text(results: &Results) -> String {
    let mut text = String::from(words::HEAD);
    if let Some(findings) = results.stages.values().next() {
        text.push_str(&words::machine(findings));
    }
    for stage in [Stage::A, Stage::B, Stage::C, Stage::D] {
        let _ = write!(text, "\n## {stage:?}. {}\n\n", stage.question());
        match results.stages.get(&stage) {
            Some(findings) => text.push_str(&section(stage, findings)),
            None => text.push_str("Not run.\n"),
        }
    }
    text.push_str(words::METHOD);
    text
}

fn section(stage: Stage, findings: &Findings) -> String {
    let mut text = words::run(findings);
    match stage {
        Stage::C => {
            text.push_str(words::DROPPED);
            text.push_str(&table::dropped(findings));
        }
        Stage::B => {
            text.push_str(words::MILLION);
            text.push_str(&million::tables(findings));
        }
        Stage::A | Stage::D => {}
    }
    text
}
