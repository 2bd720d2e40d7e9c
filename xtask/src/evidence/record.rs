//! What was found, round by round: a flat list that tables, plots and answers are
//! made from, and the file that keeps it. It knows nothing of how it was found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::stage::Stage;
use crate::Failure;
use crate::measure::ledger;
pub(super) use crate::measure::ledger::{Finding, Ledger, Record};

/// Everything that one stage has found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Findings {
    /// Whether it was the short form.
    pub(super) quick: bool,
    /// Whether only some variants were asked for.
    pub(super) partial: bool,
    /// Rounds of each figure.
    pub(super) rounds: usize,
    /// The machine when it began.
    pub(super) machine: Machine,
    /// When it was at work: once, or once for each number of addresses.
    pub(super) spells: Vec<Spell>,
    /// What was found.
    pub(super) records: Vec<Record>,
}

/// A time of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Spell {
    /// With how many addresses; 0 where that means nothing.
    pub(super) size: u64,
    /// How long it took.
    pub(super) seconds: u64,
    /// How many percent of the processors others had meanwhile.
    pub(super) others_percent: f64,
}

/// The file of all results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Results {
    /// By stage; one that was not run is not there.
    pub(super) stages: BTreeMap<Stage, Findings>,
    /// What the run before had found of the same, as far as there was one.
    #[serde(default)]
    pub(super) before: BTreeMap<Stage, Findings>,
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

    /// Whether this was found already.
    pub(super) fn has(&self, stage: Stage, size: u64) -> bool {
        let found = self.stages.get(&stage).filter(|found| !found.partial);
        found.is_some_and(|found| found.spells.iter().any(|spell| spell.size == size))
    }

    /// Takes in what one spell of work has found. What was known of the same before is
    /// kept beside it.
    pub(super) fn take(&mut self, stage: Stage, found: Findings) {
        let of_now = |size: u64| found.spells.iter().any(|spell| spell.size == size);
        let mut rest = self.stages.remove(&stage).unwrap_or_default();
        let mut before = Findings { records: Vec::new(), spells: Vec::new(), ..rest.clone() };
        before.records = rest.records.extract_if(.., |record| of_now(record.size)).collect();
        before.spells = rest.spells.extract_if(.., |spell| of_now(spell.size)).collect();
        if matches!(stage, Stage::A | Stage::C | Stage::D) {
            // They are of one piece, whatever stands in the place of the size.
            before.records.append(&mut rest.records);
        }
        if !before.records.is_empty() {
            before.join(self.before.remove(&stage));
            self.before.insert(stage, before);
        }
        let mut found = found;
        found.join(Some(rest));
        self.stages.insert(stage, found);
    }

    /// Replaces the file.
    pub(super) fn write(&self, file: &Path) -> Result<(), Failure> {
        let draft = file.with_extension("new");
        fs::write(&draft, serde_json::to_vec_pretty(self)?)?;
        Ok(fs::rename(draft, file)?)
    }
}

impl Findings {
    /// Adds what another knows of other sizes.
    fn join(&mut self, other: Option<Self>) {
        let Some(mut other) = other else { return };
        let known: Vec<_> = self.spells.iter().map(|spell| spell.size).collect();
        other.records.retain(|record| !known.contains(&record.size) && !known.contains(&0));
        other.spells.retain(|spell| !known.contains(&spell.size));
        self.records.append(&mut other.records);
        self.spells.append(&mut other.spells);
        self.records.sort_by_key(|record| record.size);
        self.spells.sort_by_key(|spell| spell.size);
    }

    /// What was found of this.
    pub(super) fn find(&self, variant: &str, size: u64, metric: &str) -> Option<&Finding> {
        ledger::find(&self.records, variant, size, metric)
    }

    /// The figures of this, if there are any.
    pub(super) fn rounds(&self, variant: &str, size: u64, metric: &str) -> Option<&[f64]> {
        ledger::rounds(&self.records, variant, size, metric)
    }

    /// The variants, in the order in which they were first met.
    pub(super) fn variants(&self) -> Vec<&str> {
        ledger::variants(&self.records)
    }

    /// The numbers of addresses, from few to many.
    pub(super) fn sizes(&self) -> Vec<u64> {
        ledger::sizes(&self.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_again_keeps_what_was_known_of_it_beside_it() {
        let found = |size, figure: f64| {
            let mut ledger = Ledger::default();
            ledger.figure("set", size, "load-ms", figure);
            let spells = vec![Spell { size, seconds: 1, others_percent: 0.0 }];
            Findings { spells, records: ledger.into_records(), ..Findings::default() }
        };
        let figures = |findings: &Findings| {
            let rounds = |size| findings.rounds("set", size, "load-ms").map(<[f64]>::to_vec);
            [rounds(10), rounds(100)]
        };
        let mut results = Results::default();
        for (size, figure) in [(100, 1.0), (10, 2.0), (10, 3.0)] {
            results.take(Stage::B, found(size, figure));
        }
        assert_eq!(figures(&results.stages[&Stage::B]), [Some(vec![3.0]), Some(vec![1.0])]);
        assert_eq!(figures(&results.before[&Stage::B]), [Some(vec![2.0]), None]);
        results.take(Stage::B, found(100, 4.0));
        assert_eq!(figures(&results.before[&Stage::B]), [Some(vec![2.0]), Some(vec![1.0])]);
        assert!(results.has(Stage::B, 10) && !results.has(Stage::B, 1_000));
    }
}
