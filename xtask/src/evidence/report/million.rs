//! The tables of question B: one to decide from, at the longest list that each way was
//! tried with, and one for each length.

use std::fmt::Write as _;

use super::super::million as found;
use super::super::record::{Finding, Findings};
use super::super::statistics::{Difference, NoiseFloor, Spread, short};
use super::table::{cell, markdown, told};

/// What the others are compared with, and the same again.
const BASE: &str = "none";
const AGAIN: &str = "none, again";

/// All of them.
pub(super) fn tables(findings: &Findings) -> String {
    let mut text = String::new();
    for size in findings.sizes() {
        let _ = writeln!(text, "### {} addresses\n", short_count(size));
        text.push_str(&of_size(findings, size));
    }
    text
}

/// The table to decide from: each way with the longest list that it took.
pub(super) fn decision(findings: &Findings) -> String {
    let head = [
        "way",
        "longest list",
        "load, ms",
        "memory to load, MiB",
        "kernel, MiB",
        "hit, ns more",
        "miss, ns more",
        "change 1,000, ms",
        "leaked meanwhile",
        "ends",
    ];
    let ways = findings.variants().into_iter().filter(|variant| {
        *variant != AGAIN
            && findings
                .sizes()
                .iter()
                .any(|size| findings.find(variant, *size, found::LOAD).is_some())
    });
    let rows = ways.map(|variant| {
        let loads = |size: &u64| findings.rounds(variant, *size, found::LOAD).is_some();
        let size = findings.sizes().into_iter().rev().find(loads).unwrap_or_default();
        let cell = |metric| cell(findings.find(variant, size, metric));
        let mut row = vec![variant.to_owned(), short_count(size), cell(found::LOAD)];
        row.extend([found::USER_MEMORY, found::KERNEL_MEMORY].map(cell));
        row.extend([found::HIT, found::MISS].map(|metric| more(findings, variant, size, metric)));
        row.extend([cell(found::THOUSAND), leaked(findings, variant, size)]);
        let next = findings.sizes().into_iter().find(|next| *next > size);
        row.push(match next.map(|next| (next, findings.find(variant, next, found::LOAD))) {
            Some((next, Some(Finding::Broke(why)))) => format!("at {}: {why}", short_count(next)),
            Some((_, Some(Finding::NotRun(why)))) => format!("not tried further: {why}"),
            _ => String::new(),
        });
        row
    });
    let (head, rows) = (head.map(str::to_owned), rows.collect::<Vec<_>>());
    format!("### Each way, with the longest list that it took\n\n{}", markdown(&head, &rows))
}

/// Packets of those who stayed blocked that got through during a change.
fn leaked(findings: &Findings, variant: &str, size: u64) -> String {
    let rounds = |metric| findings.rounds(variant, size, metric);
    match (rounds(found::LEAKED), rounds(found::SENT)) {
        (Some([leaked, ..]), Some([sent, ..])) => format!("{leaked} of {}", short(*sent)),
        _ => "–".into(),
    }
}

/// A length as it is said.
pub(super) fn short_count(size: u64) -> String {
    match size {
        1_000_000.. => format!("{} million", size / 1_000_000),
        0 => "none".to_owned(),
        _ => format!("{},000", size / 1_000),
    }
}

fn of_size(findings: &Findings, size: u64) -> String {
    let head = [
        "way",
        "load, ms",
        "of it CPU, ms",
        "memory to load, MiB",
        "kernel, MiB",
        "hit, ns more",
        "miss, ns more",
        "a packet, miss, to none",
        "change one, ms",
        "change 1,000, ms",
        "leaked meanwhile",
    ];
    let variants = findings.variants();
    let rows: Vec<_> = variants.iter().filter_map(|variant| row(findings, variant, size)).collect();
    let mut text = markdown(&head.map(str::to_owned), &rows);
    let wrong: Vec<_> = variants
        .iter()
        .filter_map(|variant| {
            let wrong: f64 = findings.rounds(variant, size, found::WRONG)?.iter().sum();
            (wrong > 0.0).then(|| format!("{variant}: {wrong}"))
        })
        .collect();
    if wrong.is_empty() {
        text.push_str("With nothing changing, every packet met the fate that the list says.\n\n");
    } else {
        let wrong = wrong.join("; ");
        let _ = writeln!(
            text,
            "Packets that met another fate than the list says: {wrong}.
"
        );
    }
    text
}

fn row(findings: &Findings, variant: &str, size: u64) -> Option<Vec<String>> {
    let cell = |metric: &str| cell(findings.find(variant, size, metric));
    findings.find(variant, size, found::LOAD)?;
    let more = |metric| more(findings, variant, size, metric);
    let is_base = variant == BASE || variant == AGAIN;
    let [load, cpu, user, one, thousand] = if is_base {
        ["–"; 5].map(str::to_owned)
    } else {
        [found::LOAD, found::LOAD_CPU, found::USER_MEMORY, found::ONE, found::THOUSAND].map(cell)
    };
    Some(vec![
        variant.to_owned(),
        load,
        cpu,
        user,
        cell(found::KERNEL_MEMORY),
        more(found::HIT),
        more(found::MISS),
        ratio(findings, variant, size),
        one,
        thousand,
        leaked(findings, variant, size),
    ])
}

/// What a packet costs more than without a filter, or all of it if it is without.
fn more(findings: &Findings, variant: &str, size: u64, metric: &str) -> String {
    let rounds = |variant| findings.rounds(variant, size, metric);
    let (Some(own), Some(base)) = (rounds(variant), rounds(BASE)) else { return "–".into() };
    if variant == BASE {
        return Spread::of(own).map_or("–".into(), |all| format!("{} in all", told(all)));
    }
    let difference = Spread::of_differences(own, base).map_or("–".into(), told);
    match judged(findings, own, base, size, metric) {
        Some(Difference::WithinNoise) => format!("= ({difference})"),
        _ => difference,
    }
}

fn ratio(findings: &Findings, variant: &str, size: u64) -> String {
    let rounds = |variant| findings.rounds(variant, size, found::MISS);
    let (Some(own), Some(base)) = (rounds(variant), rounds(BASE)) else { return "–".into() };
    match judged(findings, own, base, size, found::MISS) {
        Some(Difference::Factor(factor)) => format!("{}x", short(factor)),
        Some(Difference::WithinNoise) => "=".into(),
        None => "–".into(),
    }
}

fn judged(
    findings: &Findings,
    own: &[f64],
    base: &[f64],
    size: u64,
    metric: &str,
) -> Option<Difference> {
    let again = findings.rounds(AGAIN, size, metric)?;
    let floor = NoiseFloor::of(base, again)?;
    Some(floor.judge(Spread::of_ratios(own, base)?.middle))
}

#[cfg(test)]
mod tests {
    use super::super::super::machine::Machine;
    use super::super::super::record::Ledger;
    use super::*;

    fn findings() -> Findings {
        let mut ledger = Ledger::default();
        for (variant, misses) in [
            (BASE, [1_000.0, 1_020.0]),
            (AGAIN, [1_010.0, 1_000.0]),
            ("set", [1_005.0, 1_015.0]),
            ("tree", [3_000.0, 3_060.0]),
        ] {
            for miss in misses {
                ledger.figure(variant, 1_000, found::LOAD, 5.0);
                ledger.figure(variant, 1_000, found::MISS, miss);
            }
        }
        ledger.put("tree", 10_000, found::LOAD, Finding::Broke("Too many links".into()));
        Findings {
            quick: true,
            partial: false,
            rounds: 2,
            seconds: 0,
            machine: Machine::default(),
            load_after: String::new(),
            records: ledger.into_records(),
        }
    }

    #[test]
    fn what_differs_by_no_more_than_noise_is_printed_as_none() {
        let findings = findings();
        let check = |variant: &str, want: &str| {
            assert_eq!(ratio(&findings, variant, 1_000), want, "{variant}");
        };
        check("set", "=");
        check("tree", "3.00x");
        assert_eq!(more(&findings, "tree", 1_000, found::MISS), "2020 [2000..2040]");
        assert_eq!(more(&findings, "set", 1_000, found::MISS), "= (0.00 [-5.00..5.00])");
    }

    #[test]
    fn where_a_way_ends_the_table_says_why() {
        let table = decision(&findings());
        let row = table.lines().find(|line| line.starts_with("| tree |")).expect("a row");
        assert!(row.contains("| 1,000 |") && row.contains("at 10,000: Too many links"), "{row}");
        assert!(!table.contains(AGAIN));
    }
}
