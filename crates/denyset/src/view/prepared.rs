//! What `prepare` prints: the sets that rules may name, which of them were
//! made, and what they hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean};
use super::text::shown;

/// The document of `prepare`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PreparedView {
    /// Every set that a list has. All of them exist.
    pub sets: Vec<PreparedSet>,
    /// One sentence each on what keeps a set empty, or the daemon from
    /// starting.
    pub problems: Vec<String>,
}

/// One set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PreparedSet {
    /// Its name in the kernel.
    pub set: String,
    /// Whether it was not there before.
    pub made: bool,
    /// How many members it has.
    pub members: u64,
}

impl fmt::Display for PreparedView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut columns =
            Columns::new([("set", Lean::Left), ("members", Lean::Right), ("made", Lean::Left)]);
        for PreparedSet { set, made, members } in &self.sets {
            columns.row([set, members, &if *made { "now" } else { "before" }]);
        }
        if !self.sets.is_empty() {
            columns.fmt(out)?;
        }
        self.problems.iter().try_for_each(|problem| writeln!(out, "problem: {}", shown(problem)))
    }
}
