//! What was found, round by round: a flat list of records that tables and plots are made
//! from, and how it is asked. It knows nothing of how anything was found.

use serde::{Deserialize, Serialize};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Which way of doing it.
    pub(crate) variant: String,
    /// With how many addresses; 0 where that means nothing.
    pub(crate) size: u64,
    /// What was looked at, with its unit last.
    pub(crate) metric: String,
    /// What it was.
    pub(crate) finding: Finding,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Finding {
    /// A figure of each round, in the order of the rounds.
    Rounds(Vec<f64>),
    /// It was tried, and did not work or not in time: a result.
    Broke(String),
    /// It was not tried, and why.
    NotRun(String),
    /// A word: passed or not, and what was seen.
    Seen(String),
}

/// Where records are put as they come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Vec<Record>);

impl Ledger {
    /// One more figure of this, in its next round.
    pub(crate) fn figure(&mut self, variant: &str, size: u64, metric: &str, figure: f64) {
        let known = self.0.iter_mut().find(|record| {
            record.variant == variant && record.size == size && record.metric == metric
        });
        match known.map(|record| &mut record.finding) {
            Some(Finding::Rounds(rounds)) => rounds.push(figure),
            // What broke in one round stays broken.
            Some(_) => {}
            None => self.put(variant, size, metric, Finding::Rounds(vec![figure])),
        }
    }

    /// What is no figure. It takes the place of figures before it.
    pub(crate) fn put(&mut self, variant: &str, size: u64, metric: &str, finding: Finding) {
        self.0.retain(|record| {
            record.variant != variant || record.size != size || record.metric != metric
        });
        let [variant, metric] = [variant, metric].map(str::to_owned);
        self.0.push(Record { variant, size, metric, finding });
    }

    /// All of them.
    pub(crate) fn records(&self) -> &[Record] {
        &self.0
    }

    /// All of them, taken out.
    pub(crate) fn into_records(self) -> Vec<Record> {
        self.0
    }
}

/// What was found of this.
pub(crate) fn find<'a>(
    records: &'a [Record],
    variant: &str,
    size: u64,
    metric: &str,
) -> Option<&'a Finding> {
    let same = |record: &&Record| {
        record.variant == variant && record.size == size && record.metric == metric
    };
    records.iter().find(same).map(|record| &record.finding)
}

/// The figures of this, if there are any.
pub(crate) fn rounds<'a>(
    records: &'a [Record],
    variant: &str,
    size: u64,
    metric: &str,
) -> Option<&'a [f64]> {
    match find(records, variant, size, metric) {
        Some(Finding::Rounds(rounds)) => Some(rounds),
        _ => None,
    }
}

/// The variants, in the order in which they were first met.
pub(crate) fn variants(records: &[Record]) -> Vec<&str> {
    once(records.iter().map(|record| &*record.variant))
}

/// What was looked at, in the order in which it was first met.
pub(crate) fn metrics(records: &[Record]) -> Vec<&str> {
    once(records.iter().map(|record| &*record.metric))
}

fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// The sizes, from few to many.
pub(crate) fn sizes(records: &[Record]) -> Vec<u64> {
    let mut sizes: Vec<_> = records.iter().map(|record| record.size).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_thing_gather_by_round_and_what_breaks_takes_their_place() {
        let mut ledger = Ledger::default();
        ledger.figure("set", 10, "load-ms", 1.0);
        ledger.figure("tree", 10, "load-ms", 5.0);
        ledger.figure("set", 10, "load-ms", 2.0);
        ledger.put("tree", 10, "load-ms", Finding::Broke("too deep".into()));
        ledger.figure("tree", 10, "load-ms", 6.0);
        let found: Vec<_> = ledger.into_records().into_iter().map(|one| one.finding).collect();
        assert_eq!(found, [Finding::Rounds(vec![1.0, 2.0]), Finding::Broke("too deep".into())]);
    }
}
