//! The tables of question D.

use super::super::meters as found;
use super::super::record::Findings;
use super::table::{cell, markdown};

/// All of them.
pub(super) fn tables(findings: &Findings) -> String {
    let mut head = vec!["who measures a stall of 500 ms".to_owned()];
    head.extend(found::QUANTILES.map(|(metric, _)| metric.to_owned()));
    let row = |variant: &str| {
        let cells =
            found::QUANTILES.iter().map(|(metric, _)| cell(findings.find(variant, 0, metric)));
        std::iter::once(variant.to_owned()).chain(cells).collect()
    };
    let rows: Vec<_> = [found::OPEN, found::OPEN_SENT, found::CLOSED].map(row).into();
    let mut text = markdown(&head, &rows);
    let pairs = |head: [&str; 2], metric: &str, variants: &[&str]| {
        let row =
            |variant: &&str| vec![(*variant).to_owned(), cell(findings.find(variant, 0, metric))];
        markdown(&head.map(str::to_owned), &variants.iter().map(row).collect::<Vec<_>>())
    };
    text.push_str(&pairs(
        ["the same twice", "largest factor"],
        found::FLOOR,
        &[found::PACKET, found::REQUEST],
    ));
    let mut beside = vec![found::OURS, found::WRK];
    if findings.find("beside wrk", 0, found::MEDIAN).is_some() {
        beside.push("beside wrk");
    }
    text.push_str(&pairs(["who asks", "p50, ms"], found::MEDIAN, &beside));
    text
}
