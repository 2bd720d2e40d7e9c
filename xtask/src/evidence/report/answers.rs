//! The answers, a paragraph for each question, made of what was found: nothing is said
//! that was not measured in this very run.

use super::super::dropped;
use super::super::meters;
use super::super::million as found;
use super::super::ports;
use super::super::record::{Finding, Findings};
use super::super::stage::Stage;
use super::super::statistics::{Spread, short};
use super::super::web;
use super::million::{base_of, short_count};

/// The scene that the answer to question A is of: a flood of 40,000 a second.
const BESIDE: u64 = 40_000;

/// The answer, or nothing if too little was found.
pub(super) fn answer(stage: Stage, findings: &Findings) -> String {
    let answer = match stage {
        Stage::A => pool(findings),
        Stage::B => million(findings),
        Stage::C => Some(dropped(findings)),
        Stage::D => meters(findings),
        Stage::W => servers(findings),
    };
    answer.unwrap_or_default()
}

fn middle(findings: &Findings, variant: &str, size: u64, metric: &str) -> Option<f64> {
    Some(Spread::of(findings.rounds(variant, size, metric)?)?.middle)
}

/// The median of the ratios of two variants, and their least and most.
fn ratio(findings: &Findings, [one, base]: [&str; 2], size: u64, metric: &str) -> Option<Spread> {
    let rounds = |variant| findings.rounds(variant, size, metric);
    Spread::of_ratios(rounds(one)?, rounds(base)?)
}

fn pool(findings: &Findings) -> Option<String> {
    let mut parts = Vec::new();
    for variant in findings.variants().into_iter().filter(|variant| !variant.starts_with("none")) {
        let cost = ratio(findings, [variant, "none"], BESIDE, ports::JUNK_CPU)?.middle;
        let share = middle(findings, variant, BESIDE, ports::SHARE);
        let share =
            share.map_or(String::new(), |share| format!(", netfilter {share:.0} % of samples"));
        parts.push(format!("{variant}: {}x{share}", short(cost)));
    }
    let none = middle(findings, "none", BESIDE, ports::SHARE);
    let none = none.map_or(String::new(), |share| format!(" (without rules {share:.0} %)"));
    let alone = profile(findings, 0);
    Some(format!(
        "Beside 40,000 packets a second of junk, what a packet of it costs the host, to no filter{none}: {}.{alone}{}",
        parts.join("; "),
        tail(findings)
    ))
}

/// What netfilter has of the samples with requests alone, the figure that was complained of.
fn profile(findings: &Findings, scene: u64) -> String {
    let shares: Vec<_> = findings
        .variants()
        .into_iter()
        .filter_map(|variant| {
            let share = middle(findings, variant, scene, ports::SHARE)?;
            Some(format!("{variant} {share:.0} %"))
        })
        .collect();
    if shares.is_empty() {
        return String::new();
    }
    format!(" With requests alone netfilter had of the samples: {}.", shares.join("; "))
}

/// The tail with requests alone, the two that are the same included.
fn tail(findings: &Findings) -> String {
    let (metric, _) = ports::QUANTILES[3];
    let tails: Vec<_> = findings
        .variants()
        .into_iter()
        .filter_map(|variant| {
            Some(format!("{variant} {} ms", short(middle(findings, variant, 0, metric)?)))
        })
        .collect();
    if tails.is_empty() {
        return String::new();
    }
    format!(" Of the tail, p99.9 of requests alone: {}.", tails.join("; "))
}

/// The cheapest and the dearest packet, the shortest and the longest load, and who came
/// no further. The table to decide from has the rest.
fn million(findings: &Findings) -> Option<String> {
    let size = findings.sizes().into_iter().next_back()?;
    let loaded = |variant: &&str| findings.rounds(variant, size, found::LOAD).is_some();
    let ways = findings.variants().into_iter();
    let ways = ways.filter(|way| !way.starts_with("none") && !way.starts_with(found::BY_LENGTHS));
    let (done, ended): (Vec<_>, Vec<_>) = ways.partition(loaded);
    let figures = |of: &dyn Fn(&str) -> Option<f64>, unit: &str| -> Option<String> {
        let mut figures: Vec<_> = done.iter().filter_map(|way| Some((of(way)?, *way))).collect();
        figures.sort_by(|one, other| one.0.total_cmp(&other.0));
        let told = |(figure, way): &(f64, &str)| format!("{way} {}{unit}", short(*figure));
        let (first, last) = (figures.first()?, figures.last()?);
        Some(format!("from {} to {}", told(first), told(last)))
    };
    let load = figures(&|way| middle(findings, way, size, found::LOAD), " ms")?;
    let miss =
        figures(&|way| Some(ratio(findings, [way, base_of(way)], size, found::MISS)?.middle), "x")?;
    let mut text = format!(
        "With {} addresses the load takes {load}, and a packet of nobody on the list costs, to one without a \
         filter, {miss}.",
        short_count(size)
    );
    if !ended.is_empty() {
        text.push_str(" Not so far came: ");
        text.push_str(&ended.join("; "));
        text.push('.');
    }
    Some(text)
}

fn servers(findings: &Findings) -> Option<String> {
    let size = findings.sizes().into_iter().next_back()?;
    let mut parts = Vec::new();
    for way in web::ways().iter().filter(|way| way.name() != way.base()) {
        let rounds = |name| findings.rounds(name, size, web::MISS);
        let (Some(own), Some(base)) = (rounds(way.name()), rounds(way.base())) else { continue };
        let more = Spread::of_differences(own, base)?.middle;
        let change = middle(findings, way.name(), size, web::CHANGE);
        let change =
            change.map_or(String::new(), |ms| format!(", in force after {} ms", short(ms)));
        parts.push(format!("{} {more:+.0} us{change}", way.name()));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "With {} addresses, what a request of nobody on the list costs more than without one, and when a \
             change is in force: {}.",
            short_count(size),
            parts.join("; ")
        )
    })
}

fn dropped(findings: &Findings) -> String {
    let columns = dropped::columns();
    let entries = &columns[..columns.len() - 3];
    let tight = |variant: &&str| {
        entries.iter().all(|entry| {
            matches!(findings.find(variant, 0, entry), Some(Finding::Seen(word)) if word == "dropped")
        })
    };
    let variants = findings.variants();
    let all: Vec<_> = variants.into_iter().filter(tight).collect();
    let lasting = |variant: &&str| matches!(findings.find(variant, 0, dropped::FLUSHED), Some(Finding::Seen(word)) if word == "dropped");
    let kept: Vec<_> = all.iter().copied().filter(lasting).collect();
    format!(
        "Nothing of a blocked address gets through, in either family, with: {}. Of these a flush of all \
         rules survive: {}.",
        all.join("; "),
        kept.join("; ")
    )
}

fn meters(findings: &Findings) -> Option<String> {
    let p99 = |who| middle(findings, who, 0, "p99-ms");
    let floor = |what| middle(findings, what, 0, meters::FLOOR);
    Some(format!(
        "Over a stall of 500 ms an open loop tells a p99 of {} ms, a closed one {} ms of the same \
         server. Two equal things differed by a factor of up to {} in the cost of a packet and {} in \
         the median of requests: what is less is not told apart here.",
        short(p99(meters::OPEN)?),
        short(p99(meters::CLOSED)?),
        short(floor(meters::PACKET)?),
        short(floor(meters::REQUEST)?)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::super::record::Ledger;
    use super::*;

    fn check(stage: Stage, fill: impl FnOnce(&mut Ledger), want: &str) {
        let mut ledger = Ledger::default();
        fill(&mut ledger);
        let findings = Findings { records: ledger.into_records(), ..Findings::default() };
        assert_eq!(answer(stage, &findings), want);
    }

    #[test]
    fn an_answer_says_what_was_loaded_and_what_was_not() {
        check(
            Stage::B,
            |ledger| {
                for (variant, load, miss) in
                    [("none", 0.0, 1_000.0), ("tree", 9_000.0, 1_900.0), ("set", 300.0, 1_200.0)]
                {
                    ledger.figure(variant, 1_000_000, found::LOAD, load);
                    ledger.figure(variant, 1_000_000, found::MISS, miss);
                }
                ledger.put("linear", 1_000_000, found::LOAD, Finding::Broke("late".into()));
            },
            "With 1 million addresses the load takes from set 300 ms to tree 9000 ms, and a packet of nobody on \
             the list costs, to one without a filter, from set 1.20x to tree 1.90x. Not so far came: linear.",
        );
    }

    #[test]
    fn without_figures_there_is_no_answer() {
        check(Stage::B, |_| {}, "");
        check(Stage::D, |ledger| ledger.figure(meters::OPEN, 0, "p99-ms", 480.0), "");
    }
}
