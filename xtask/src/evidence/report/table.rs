//! Tables of Markdown from what was found.

use super::super::dropped;
use super::super::record::{Finding, Findings};

/// A table of these columns and rows.
pub(super) fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", " --- |".repeat(head.len()));
    let body: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{body}\n", line(head))
}

/// Question C: a row for each way, a column for each way in.
pub(super) fn dropped(findings: &Findings) -> String {
    let columns = dropped::columns();
    let mut head = vec!["way".to_owned()];
    head.extend(columns.iter().cloned());
    let row = |variant: &&str| {
        let mut row = vec![(*variant).to_owned()];
        row.extend(columns.iter().map(|column| match findings.find(variant, 0, column) {
            Some(Finding::Seen(word)) => word.clone(),
            Some(Finding::Broke(why)) => format!("broke: {why}"),
            Some(Finding::NotRun(why)) => format!("not run: {why}"),
            Some(Finding::Rounds(_)) | None => "–".to_owned(),
        }));
        row
    };
    let rows: Vec<_> = findings.variants().iter().map(row).collect();
    markdown(&head, &rows)
}
