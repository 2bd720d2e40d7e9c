//! Tables of Markdown from what was found.

use super::super::dropped;
use super::super::record::Findings;
pub(super) use crate::measure::markdown::{Row, cell, markdown, told};

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
