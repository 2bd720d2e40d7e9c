//! The table of web servers, the second half of question B.

use super::super::record::Findings;
use super::super::statistics::Spread;
use super::super::web as found;
use super::million::short_count;
use super::table::{cell, markdown, told};

const BEFORE: &str = "\
Each request comes from another address on a connection of its own; what the server's processes work
for it is told in microseconds more than the same server without a list. A hit is answered with 403
without the file. `in force`: from a new list beginning to be written, databases made included, until
its newcomer is refused. Each round asks from the same addresses: where a server remembers them, the most
of the spread is the look-up of an address that it has not met.

";

/// The table, or nothing if none was measured.
pub(super) fn table(findings: &Findings) -> String {
    let head = [
        "way",
        "addresses",
        "start, ms",
        "memory, MiB",
        "hit, us more",
        "miss, us more",
        "in force, ms",
        "wrong answers",
    ];
    let mut rows = Vec::new();
    for way in found::ways() {
        for size in findings.sizes() {
            let (name, start) = (way.name(), findings.find(way.name(), size, found::START));
            if start.is_none() {
                continue;
            }
            let cell = |metric| cell(findings.find(name, size, metric));
            let more = |metric| more(findings, [name, way.base()], size, metric);
            let wrong = findings.rounds(name, size, found::WRONG);
            let wrong = wrong.map_or("–".into(), |all| format!("{:.0}", all.iter().sum::<f64>()));
            rows.push(vec![
                name.to_owned(),
                short_count(size),
                cell(found::START),
                cell(found::MEMORY),
                more(found::HIT),
                more(found::MISS),
                cell(found::CHANGE),
                wrong,
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("{BEFORE}{}", markdown(&head.map(str::to_owned), &rows))
}

fn more(findings: &Findings, [name, base]: [&str; 2], size: u64, metric: &str) -> String {
    let rounds = |name| findings.rounds(name, size, metric);
    let (Some(own), Some(of_base)) = (rounds(name), rounds(base)) else { return "–".into() };
    if name == base {
        return Spread::of(own).map_or("–".into(), |all| format!("{} in all", told(all)));
    }
    Spread::of_differences(own, of_base).map_or("–".into(), told)
}
