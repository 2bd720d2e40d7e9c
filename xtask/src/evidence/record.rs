//! What was found, round by round: a flat list that tables, plots and answers are
//! made from, and the file that keeps it. It knows nothing of how it was found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::stage::Stage;
use crate::Failure;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Which way of doing it.
    pub(super) variant: String,
    /// With how many addresses; 0 where that means nothing.
    pub(super) size: u64,
    /// What was looked at, with its unit last.
    pub(super) metric: String,
    /// What it was.
    pub(super) finding: Finding,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Finding {
    /// A figure of each round, in the order of the rounds.
    Rounds(Vec<f64>),
    /// It was tried, and did not work or not in time: a result.
    Broke(String),
    /// It was not tried, and why.
    NotRun(String),
    /// A word: passed or not, and what was seen.
    Seen(String),
}

/// Everything that one stage has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Findings {
    /// Whether it was the short form.
    pub(super) quick: bool,
    /// Whether only some variants were asked for.
    pub(super) partial: bool,
    /// Rounds of each figure.
    pub(super) rounds: usize,
    /// How long it took.
    pub(super) seconds: u64,
    /// The machine when it began, and the load when it ended.
    pub(super) machine: Machine,
    /// See [`Machine::load`].
    pub(super) load_after: String,
    /// What was found.
    pub(super) records: Vec<Record>,
}

/// The file of all results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    /// By stage; one that was not run is not there.
    pub(super) stages: BTreeMap<Stage, Findings>,
}

impl Results {
    /// Those of earlier runs, or none.
    pub(super) fn read(file: &Path) -> Result<Self, Failure> {
        match fs::read(file) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| format!("{} is none of ours: {error}", file.display()).into()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(format!("{}: {error}", file.display()).into()),
        }
    }

    /// Replaces the file.
    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let draft = file.with_extension("new");
        fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        Ok(fs::rename(draft, file)?)
    }
}

/// Where records are put as they come.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Vec<Record>);

impl Ledger {
    /// One more figure of this, in its next round.
    pub(super) fn figure(&mut self, variant: &str, size: u64, metric: &str, figure: f64) {
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
    pub(super) fn put(&mut self, variant: &str, size: u64, metric: &str, finding: Finding) {
        self.0.retain(|record| {
            record.variant != variant || record.size != size || record.metric != metric
        });
        let [variant, metric] = [variant, metric].map(str::to_owned);
        self.0.push(Record { variant, size, metric, finding });
    }

    /// The figure of the last round of this.
    pub(super) fn last(&self, variant: &str, size: u64, metric: &str) -> Option<f64> {
        let known = self.0.iter().find(|record| {
            record.variant == variant && record.size == size && record.metric == metric
        });
        match known.map(|record| &record.finding) {
            Some(Finding::Rounds(rounds)) => rounds.last().copied(),
            _ => None,
        }
    }

    /// All of them.
    pub(super) fn into_records(self) -> Vec<Record> {
        self.0
    }
}

impl Findings {
    /// What was found of this.
    pub(super) fn find(&self, variant: &str, size: u64, metric: &str) -> Option<&Finding> {
        let same = |record: &&Record| {
            record.variant == variant && record.size == size && record.metric == metric
        };
        self.records.iter().find(same).map(|record| &record.finding)
    }

    /// The figures of this, if there are any.
    pub(super) fn rounds(&self, variant: &str, size: u64, metric: &str) -> Option<&[f64]> {
        match self.find(variant, size, metric) {
            Some(Finding::Rounds(rounds)) => Some(rounds),
            _ => None,
        }
    }

    /// The variants, in the order in which they were first met.
    pub(super) fn variants(&self) -> Vec<&str> {
        let mut variants: Vec<&str> = Vec::new();
        for record in &self.records {
            if !variants.contains(&&*record.variant) {
                variants.push(&record.variant);
            }
        }
        variants
    }

    /// The numbers of addresses, from few to many.
    pub(super) fn sizes(&self) -> Vec<u64> {
        let mut sizes: Vec<_> = self.records.iter().map(|record| record.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }
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
