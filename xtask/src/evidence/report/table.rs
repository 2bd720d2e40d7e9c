//! Tables of Markdown from what was found.

use super::super::dropped;
use super::super::record::{Finding, Findings};
use super::super::statistics::{Spread, short};

/// A row of a table.
pub(super) type Row = Vec<String>;

/// A table of these columns and rows.
pub(super) fn markdown(head: &[String], rows: &[Row]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", " --- |".repeat(head.len()));
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{body}\n", line(head))
}

/// A finding in a cell.
pub(super) fn cell(finding: Option<&Finding>) -> String {
    match finding {
        Some(Finding::Rounds(rounds)) => Spread::of(rounds).map_or("–".into(), told),
        Some(Finding::Seen(word)) => word.clone(),
        Some(Finding::Broke(why)) => format!("broke: {why}"),
        Some(Finding::NotRun(why)) => format!("not run: {why}"),
        None => "–".into(),
    }
}

/// The middle, and how far the rounds are apart.
pub(super) fn told(spread: Spread) -> String {
    if spread.least.to_bits() == spread.most.to_bits() {
        short(spread.middle)
    } else {
        format!("{} [{}..{}]", short(spread.middle), short(spread.least), short(spread.most))
    }
}

/// Question C: a row for each way, a column for each way in.
pub(super) fn dropped(findings: &Findings) -> String {
    let columns = dropped::columns();
    let mut head = vec!["way".to_owned()];
    head.extend(columns.iter().cloned());
    let row = |variant: &&str| {
        let mut row = vec![(*variant).to_owned()];
        row.extend(columns.iter().map(|column| cell(findings.find(variant, 0, column))));
        row
    };
    let rows: Vec<_> = findings.variants().iter().map(row).collect();
    markdown(&head, &rows)
}
