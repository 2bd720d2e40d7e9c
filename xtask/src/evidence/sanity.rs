//! What must be so on every machine, however busy: else the meters are broken, or we
//! are. No bound on any time.

use super::dropped;
use super::meters;
use super::million;
use super::ports;
use super::record::{Finding, Findings, Results};
use super::stage::Stage;
use super::statistics::Spread;
use super::web;

/// Ways that ask one set, and ways that ask one address after the other.
const SETS: [&str; 2] = ["ipset hash:ip at INPUT", "denyset"];
const LINEAR: [&str; 2] = ["linear rules, iptables-legacy", "linear rules, iptables-nft"];
const POOL_SETS: [&str; 2] = ["one set, 8 rules by hand", "denyset, allow-only"];
const POOL_LINEAR: [&str; 2] = ["1,604 rules, iptables-legacy", "1,604 rules, iptables-nft"];

/// How far our generator of load and another program may be apart on the median of
/// the same requests, one after the other in the same second.
const GENERATORS_APART: f64 = 5.0;

/// What is not as it must be.
pub(super) fn breaches(results: &Results) -> Vec<String> {
    let mut breaches = Vec::new();
    for (stage, findings) in &results.stages {
        match stage {
            Stage::A => strangers(findings, &mut breaches),
            Stage::B => packets(findings, &mut breaches),
            Stage::C => words(findings, &mut breaches),
            Stage::W => answers(findings, &mut breaches),
            Stage::D => generators(findings, &mut breaches),
        }
    }
    breaches
}

/// One figure is to be below another, where both are there.
fn below(
    findings: &Findings,
    (set, linear): (&str, &str),
    size: u64,
    metric: &str,
    breaches: &mut Vec<String>,
) {
    let middle = |variant| Spread::of(findings.rounds(variant, size, metric)?).map(|of| of.middle);
    if let (Some(of_set), Some(of_linear)) = (middle(set), middle(linear))
        && of_set >= of_linear
    {
        breaches.push(format!("{set} does not beat {linear}: {metric} {of_set} to {of_linear}"));
    }
}

fn generators(findings: &Findings, breaches: &mut Vec<String>) {
    let middle = |who| Spread::of(findings.rounds(who, 0, meters::MEDIAN)?).map(|of| of.middle);
    if let (Some(ours), Some(theirs)) = (middle(meters::OURS), middle(meters::WRK))
        && (ours / theirs).max(theirs / ours) > GENERATORS_APART
    {
        breaches.push(format!("D: our generator finds {ours} ms where wrk finds {theirs} ms"));
    }
}

fn each<'a>(
    sets: &'a [&'a str],
    linear: &'a [&'a str],
) -> impl Iterator<Item = (&'a str, &'a str)> {
    sets.iter().flat_map(move |set| linear.iter().map(move |linear| (*set, *linear)))
}

fn strangers(findings: &Findings, breaches: &mut Vec<String>) {
    for variant in findings.variants() {
        if let Some(Finding::Seen(word)) = findings.find(variant, 0, ports::STRANGERS)
            && word.chars().next().is_some_and(char::is_uppercase)
        {
            breaches.push(format!("A: {variant}: a stranger was {word}"));
        }
    }
    for pair in each(&POOL_SETS, &POOL_LINEAR) {
        below(findings, pair, 40_000, ports::JUNK_CPU, breaches);
    }
}

fn packets(findings: &Findings, breaches: &mut Vec<String>) {
    for size in findings.sizes() {
        for variant in findings.variants() {
            let sum = |metric| findings.rounds(variant, size, metric).map(|all| all.iter().sum());
            let wrong: f64 = sum(million::WRONG).unwrap_or_default();
            if wrong > 0.0 {
                breaches.push(format!("B: {variant}, {size}: {wrong} packets met another fate"));
            }
            let leaked: f64 = sum(million::LEAKED).unwrap_or_default();
            if variant.starts_with("denyset") && leaked > 0.0 {
                breaches.push(format!("B: {variant}, {size}: {leaked} packets leaked"));
            }
        }
    }
    for pair in each(&SETS, &LINEAR) {
        below(findings, pair, 10_000, million::MISS, breaches);
    }
}

fn answers(findings: &Findings, breaches: &mut Vec<String>) {
    for record in findings.records.iter().filter(|record| record.metric == web::WRONG) {
        if let Finding::Rounds(rounds) = &record.finding
            && rounds.iter().any(|wrong| *wrong > 0.0)
        {
            breaches.push(format!("W: {}, {}: wrong answers", record.variant, record.size));
        }
    }
}

fn words(findings: &Findings, breaches: &mut Vec<String>) {
    for variant in findings.variants() {
        for column in dropped::columns() {
            let Some(Finding::Seen(word)) = findings.find(variant, 0, &column) else { continue };
            let is_whole = word != "PASSES" && !word.contains("everybody else");
            let is_leak = variant == "denyset" && !is_whole;
            let is_loss = word.starts_with("LOST");
            if is_leak || is_loss {
                breaches.push(format!("C: {variant}, {column}: {word}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Ledger;
    use super::*;

    fn check(stage: Stage, fill: impl FnOnce(&mut Ledger), want: &[&str]) {
        let mut ledger = Ledger::default();
        fill(&mut ledger);
        let findings = Findings { records: ledger.into_records(), ..Findings::default() };
        let results = Results { stages: [(stage, findings)].into(), ..Results::default() };
        assert_eq!(breaches(&results), want);
    }

    #[test]
    fn a_leak_of_ours_is_a_breach_and_one_of_others_is_not() {
        let fill = |variant: &'static str| {
            move |ledger: &mut Ledger| ledger.figure(variant, 10_000, million::LEAKED, 3.0)
        };
        check(Stage::B, fill("ipset hash:ip, flushed and filled"), &[]);
        check(Stage::B, fill("denyset"), &["B: denyset, 10000: 3 packets leaked"]);
    }

    #[test]
    fn a_set_that_does_not_beat_linear_rules_is_a_breach() {
        let fill = |set: f64| {
            move |ledger: &mut Ledger| {
                ledger.figure("denyset", 10_000, million::MISS, set);
                ledger.figure("linear rules, iptables-nft", 10_000, million::MISS, 20_000.0);
            }
        };
        check(Stage::B, fill(2_000.0), &[]);
        let why = "denyset does not beat linear rules, iptables-nft: miss-ns 20001 to 20000";
        check(Stage::B, fill(20_001.0), &[why]);
    }

    #[test]
    fn a_generator_that_is_far_from_another_is_a_breach() {
        let fill = |ours: f64| {
            move |ledger: &mut Ledger| {
                ledger.figure(meters::OURS, 0, meters::MEDIAN, ours);
                ledger.figure(meters::WRK, 0, meters::MEDIAN, 0.1);
            }
        };
        check(Stage::D, fill(0.3), &[]);
        check(Stage::D, fill(0.6), &["D: our generator finds 0.6 ms where wrk finds 0.1 ms"]);
        check(Stage::D, fill(0.01), &["D: our generator finds 0.01 ms where wrk finds 0.1 ms"]);
    }

    #[test]
    fn who_is_let_in_or_lost_against_the_rules_is_a_breach() {
        let seen = |word: &str| Finding::Seen(word.to_owned());
        check(
            Stage::A,
            |ledger| ledger.put("denyset, allow-only", 0, ports::STRANGERS, seen("LET IN")),
            &["A: denyset, allow-only: a stranger was LET IN"],
        );
        let column = dropped::columns()[0].clone();
        check(
            Stage::C,
            |ledger| {
                ledger.put("denyset", 0, &column, seen("PASSES"));
                ledger.put("none", 0, &column, seen("PASSES"));
                ledger.put("none", 0, dropped::OTHERS, seen("LOST in 1 of 10"));
            },
            &["C: denyset, IPv4 datagram: PASSES", "C: none, others: LOST in 1 of 10"],
        );
    }
}
