//! Two runs of the same beside each other: where their rounds overlap, and where they do
//! not. What has one round only has no spread; of that it is told by how much it differed.

use std::fmt::Write as _;

use super::super::meters;
use super::super::million as found;
use super::super::ports;
use super::super::record::{Finding, Findings, Results};
use super::super::stage::Stage;
use super::super::statistics::Spread;
use super::super::web;
use super::million::{base_of, short_count};
use super::table::{Row, markdown};

/// How many of those that do not agree are named in a cell.
const NAMED: usize = 6;

/// Two figures of one round each that differ by more are named.
const FAR: f64 = 1.5;

const BEFORE: &str = "\n## Two runs\n
What a second run on this machine found of the same, beside the one above. `agree`: the rounds of one overlap
those of the other. Costs of packets and of requests are compared as what they are to no filter. What was
measured once in a run has no spread: it agrees here if the two differ by less than half of the lesser.

";

/// What is compared of a stage, and how it is called.
const METRICS: [(Stage, &str, &str); 13] = [
    (Stage::A, ports::QUANTILES[0].0, "p50 of requests"),
    (Stage::A, ports::QUANTILES[2].0, "p99 of requests"),
    (Stage::A, ports::REQUEST_CPU, "CPU a request"),
    (Stage::A, ports::JUNK_CPU, "CPU a packet of junk"),
    (Stage::B, found::LOAD, "time to load"),
    (Stage::B, found::LOAD_CPU, "CPU to load"),
    (Stage::B, found::USER_MEMORY, "memory to load"),
    (Stage::B, found::HIT, "a hit"),
    (Stage::B, found::MISS, "a miss"),
    (Stage::B, found::THOUSAND, "a change of a thousand"),
    (Stage::W, web::MISS, "a request of nobody on the list"),
    (Stage::W, web::CHANGE, "a change in force"),
    (Stage::D, meters::QUANTILES[2].0, "p99 over a stall"),
];

/// A figure of both runs.
struct Pair {
    name: String,
    now: Spread,
    before: Spread,
    is_single: bool,
}

impl Pair {
    /// By how much the nearest of the one and of the other differ, 1 if they overlap.
    fn gap(&self) -> f64 {
        let apart = |low: f64, high: f64| if low > 0.0 { (high / low).max(1.0) } else { 1.0 };
        apart(self.now.most, self.before.least).max(apart(self.before.most, self.now.least))
    }

    fn agrees(&self) -> bool {
        self.gap() <= if self.is_single { FAR } else { 1.0 }
    }
}

/// The section, or a word on how it comes to be.
pub(super) fn section(results: &Results) -> String {
    let mut rows = Vec::new();
    for (stage, metric, name) in METRICS {
        let both = (results.stages.get(&stage), results.before.get(&stage));
        if let (Some(now), Some(before)) = both {
            rows.extend(row(stage, name, &pairs(stage, now, before, metric)));
        }
    }
    rows.extend(words(results));
    if rows.is_empty() {
        return "\n## Two runs\n\nThere was one only. A stage that is run again is compared with the run before it.\n"
            .into();
    }
    let head = ["stage", "what", "figures", "agree", "do not: this run, the other"];
    format!("{BEFORE}{}", markdown(&head.map(str::to_owned), &rows))
}

fn pairs(stage: Stage, now: &Findings, before: &Findings, metric: &str) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for record in now.records.iter().filter(|record| record.metric == metric) {
        let (way, size) = (&*record.variant, record.size);
        let base = base(stage, way);
        let spread = |findings: &Findings| {
            let own = findings.rounds(way, size, metric)?;
            match base.filter(|_| RATIOS.contains(&metric)) {
                Some(base) => Spread::of_ratios(own, findings.rounds(base, size, metric)?),
                None => Spread::of(own),
            }
        };
        // What is compared with itself says nothing.
        let says_something = !RATIOS.contains(&metric) || base != Some(way);
        if let (true, Some(now), Some(before)) = (says_something, spread(now), spread(before)) {
            let rounds = findings_rounds(record);
            let name = match size {
                0 => way.to_owned(),
                _ if stage == Stage::A => format!("{way}, {}", scene(size)),
                _ => format!("{way}, {}", short_count(size)),
            };
            pairs.push(Pair { name, now, before, is_single: rounds < 2 });
        }
    }
    pairs
}

/// What is told as a ratio to the same without a filter.
const RATIOS: [&str; 5] =
    [ports::QUANTILES[0].0, ports::REQUEST_CPU, ports::JUNK_CPU, found::HIT, found::MISS];

fn base(stage: Stage, way: &str) -> Option<&str> {
    match stage {
        Stage::A => Some("none"),
        Stage::B => Some(base_of(way)),
        Stage::C | Stage::D | Stage::W => None,
    }
}

fn findings_rounds(record: &super::super::record::Record) -> usize {
    match &record.finding {
        Finding::Rounds(rounds) => rounds.len(),
        _ => 0,
    }
}

fn scene(number: u64) -> String {
    let scene = ports::Scene::all().into_iter().find(|scene| scene.number() == number);
    scene.map(ports::Scene::name).unwrap_or_default()
}

fn row(stage: Stage, name: &str, pairs: &[Pair]) -> Option<Row> {
    if pairs.is_empty() {
        return None;
    }
    let mut apart: Vec<_> = pairs.iter().filter(|pair| !pair.agrees()).collect();
    apart.sort_by(|one, other| other.gap().total_cmp(&one.gap()));
    let mut text = String::new();
    for pair in apart.iter().take(NAMED) {
        let told = |spread: &Spread| super::table::told(*spread);
        // A string takes any text.
        let _ = write!(text, "{}: {}, {}; ", pair.name, told(&pair.now), told(&pair.before));
    }
    if apart.len() > NAMED {
        let _ = write!(text, "and {} more", apart.len() - NAMED);
    }
    Some(vec![
        format!("{stage:?}"),
        name.to_owned(),
        pairs.len().to_string(),
        (pairs.len() - apart.len()).to_string(),
        text.trim_end_matches("; ").to_owned(),
    ])
}

/// The words of question C.
fn words(results: &Results) -> Option<Row> {
    let (now, before) = (results.stages.get(&Stage::C)?, results.before.get(&Stage::C)?);
    let same = |record: &&super::super::record::Record| {
        before.find(&record.variant, record.size, &record.metric) == Some(&record.finding)
    };
    let apart: Vec<_> = now
        .records
        .iter()
        .filter(|record| !same(record))
        .map(|record| format!("{}, {}", record.variant, record.metric))
        .collect();
    let (all, agree) = (now.records.len(), now.records.len() - apart.len());
    Some(
        ["C", "words", &all.to_string(), &agree.to_string(), &apart.join("; ")]
            .map(str::to_owned)
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::record::Ledger;
    use super::*;

    fn run(misses: [f64; 2], load: f64) -> Findings {
        let mut ledger = Ledger::default();
        ledger.figure("set", 1_000, found::LOAD, load);
        for miss in misses {
            ledger.figure("none", 1_000, found::MISS, 1_000.0);
            ledger.figure("set", 1_000, found::MISS, miss);
        }
        Findings { records: ledger.into_records(), ..Findings::default() }
    }

    fn check(misses: [f64; 2], load: f64, want: &[&str]) {
        let results = Results {
            stages: [(Stage::B, run(misses, load))].into(),
            before: [(Stage::B, run([1_200.0, 1_300.0], 10.0))].into(),
        };
        let text = section(&results);
        for line in want {
            assert!(text.lines().any(|found| found == *line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn rounds_that_overlap_agree_and_others_are_named() {
        check(
            [1_250.0, 1_400.0],
            14.0,
            &["| B | a miss | 1 | 1 |  |", "| B | time to load | 1 | 1 |  |"],
        );
        check(
            [1_310.0, 1_400.0],
            16.0,
            &[
                "| B | a miss | 1 | 0 | set, 1,000: 1.35 [1.31..1.40], 1.25 [1.20..1.30] |",
                "| B | time to load | 1 | 0 | set, 1,000: 16.0, 10.0 |",
            ],
        );
        assert!(section(&Results::default()).contains("one only"));
    }

    #[test]
    fn what_gets_through_in_one_run_and_not_in_the_other_is_named() {
        let run = |word: &str| {
            let mut ledger = Ledger::default();
            ledger.put("set", 0, "IPv4 datagram", Finding::Seen(word.into()));
            Findings { records: ledger.into_records(), ..Findings::default() }
        };
        let results = Results {
            stages: [(Stage::C, run("dropped"))].into(),
            before: [(Stage::C, run("PASSES"))].into(),
        };
        assert!(section(&results).contains("| C | words | 1 | 0 | set, IPv4 datagram |"));
    }
}
