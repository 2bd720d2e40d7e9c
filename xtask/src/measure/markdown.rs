//! Tables of Markdown from what was found.

use super::ledger::Finding;
use super::statistics::{Spread, short};

/// A row of a table.
pub(crate) type Row = Vec<String>;

/// A table of these columns and rows.
pub(crate) fn markdown(head: &[String], rows: &[Row]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", " --- |".repeat(head.len()));
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{body}\n", line(head))
}

/// A finding in a cell.
pub(crate) fn cell(finding: Option<&Finding>) -> String {
    match finding {
        Some(Finding::Rounds(rounds)) => Spread::of(rounds).map_or("–".into(), told),
        Some(Finding::Seen(word)) => word.clone(),
        Some(Finding::Broke(why)) => format!("broke: {why}"),
        Some(Finding::NotRun(why)) => format!("not run: {why}"),
        None => "–".into(),
    }
}

/// The middle, and how far the rounds are apart.
pub(crate) fn told(spread: Spread) -> String {
    if spread.least.to_bits() == spread.most.to_bits() {
        short(spread.middle)
    } else {
        format!("{} [{}..{}]", short(spread.middle), short(spread.least), short(spread.most))
    }
}
