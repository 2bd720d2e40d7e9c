//! The tables of question B: one for each length of a list, and one of what the second
//! list costs while it takes the place of the first.

use std::fmt::Write as _;

use super::super::million as found;
use super::super::record::Findings;
use super::super::statistics::{Difference, NoiseFloor, Spread, short};
use super::table::{cell, markdown, told};

/// What the others are compared with, and the same again.
const BASE: &str = "none";
pub(super) const AGAIN: &str = "none, again";
const BASE_V6: &str = "none, IPv6";

/// What a way is compared with.
pub(super) fn base_of(way: &str) -> &'static str {
    if way.ends_with(", IPv6") { BASE_V6 } else { BASE }
}

/// All of them.
pub(super) fn tables(findings: &Findings) -> String {
    let mut text = String::new();
    for size in findings.sizes() {
        let _ = writeln!(text, "### {} addresses\n", short_count(size));
        text.push_str(&of_size(findings, size));
    }
    text
}

/// What it takes to put another list in the place of the whole, at each length.
pub(super) fn replaced(findings: &Findings) -> String {
    let head = [
        "way",
        "addresses",
        "in force, ms",
        "kernel at most meanwhile, MiB more",
        "program, MiB",
        "leaked meanwhile",
    ];
    let mut rows = Vec::new();
    for size in findings.sizes() {
        for way in findings.variants() {
            if findings.find(way, size, found::REPLACE).is_none() {
                continue;
            }
            let cell = |metric| cell(findings.find(way, size, metric));
            let mut row = vec![way.to_owned(), short_count(size)];
            row.extend([found::REPLACE, found::REPLACE_KERNEL, found::REPLACE_USER].map(cell));
            let metrics = [found::REPLACE_LEAKED, found::REPLACE_SENT];
            row.push(leaked(findings, way, size, metrics));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("{REPLACED}{}", markdown(&head.map(str::to_owned), &rows))
}

const REPLACED: &str = "\
### Another list in the place of the whole

Who fills a second set beside the first needs memory for both until the first is gone. Of the new list a
sixteenth to a half was on the old one; those keep sending. What the kernel had at most is looked at 200 times a
second, of the whole machine; what it had already given back to itself counts for nothing.

";

/// Packets of those who stayed blocked that got through during a change.
fn leaked(findings: &Findings, variant: &str, size: u64, [leaked, sent]: [&str; 2]) -> String {
    let rounds = |metric| findings.rounds(variant, size, metric);
    match (rounds(leaked), rounds(sent)) {
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
    let mut variants = findings.variants();
    // They have a table of their own.
    variants.retain(|variant| !variant.starts_with(found::BY_LENGTHS));
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
    let is_base = variant == base_of(variant) || variant == AGAIN;
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
        leaked(findings, variant, size, [found::LEAKED, found::SENT]),
    ])
}

/// What a packet costs more than without a filter, or all of it if it is without.
fn more(findings: &Findings, variant: &str, size: u64, metric: &str) -> String {
    let rounds = |variant| findings.rounds(variant, size, metric);
    let (Some(own), Some(base)) = (rounds(variant), rounds(base_of(variant))) else {
        return "–".into();
    };
    if variant == base_of(variant) {
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
    let (Some(own), Some(base)) = (rounds(variant), rounds(base_of(variant))) else {
        return "–".into();
    };
    match judged(findings, own, base, size, found::MISS) {
        Some(Difference::Factor(factor)) => format!("{}x", short(factor)),
        Some(Difference::WithinNoise) => "=".into(),
        None => "–".into(),
    }
}

/// Whether the one differs from the other by no more than the same from itself.
pub(super) fn is_within_noise(
    findings: &Findings,
    own: &[f64],
    base: &[f64],
    size: u64,
    metric: &str,
) -> bool {
    judged(findings, own, base, size, metric) == Some(Difference::WithinNoise)
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
        Findings { records: ledger.into_records(), ..Findings::default() }
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
}
