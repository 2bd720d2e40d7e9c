//! What `apply`, `reload`, `resync`, `accept` and `teardown` print: what was
//! done to each set, and what was not and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean};
use super::plan::{RefusalView, RouteName};
use super::text::shown;

/// The document of the verbs that change something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct OutcomeView {
    /// Whether the kernel holds what it should hold now.
    pub in_sync: bool,
    /// The sets that were changed or could not be.
    pub sets: Vec<SetOutcome>,
    /// What the guards declined.
    pub refusals: Vec<RefusalView>,
    /// One sentence each on what else went wrong.
    pub problems: Vec<String>,
}

/// What was done to one set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SetOutcome {
    /// Its name in the kernel.
    pub set: String,
    /// How it was brought up to date.
    pub route: RouteName,
    /// Members added.
    pub added: u64,
    /// Members deleted.
    pub deleted: u64,
    /// Members that it has now.
    pub members: u64,
    /// Why it is not what it should be; `None` if it is.
    pub error: Option<String>,
}

impl fmt::Display for OutcomeView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", if self.in_sync { "in sync" } else { "not in sync" })?;
        if !self.sets.is_empty() {
            writeln!(out)?;
            self.table().fmt(out)?;
        }
        for SetOutcome { set, error, .. } in &self.sets {
            if let Some(error) = error {
                writeln!(out, "error: {}: {}", shown(set), shown(error))?;
            }
        }
        for problem in &self.problems {
            writeln!(out, "problem: {}", shown(problem))?;
        }
        self.refusals.iter().try_for_each(|refusal| refusal.fmt(out))
    }
}

impl OutcomeView {
    fn table(&self) -> Columns {
        let mut columns = Columns::new([
            ("set", Lean::Left),
            ("route", Lean::Left),
            ("added", Lean::Right),
            ("deleted", Lean::Right),
            ("members", Lean::Right),
            ("result", Lean::Left),
        ]);
        for set in &self.sets {
            let result = if set.error.is_some() { "failed" } else { "done" };
            columns.row([&set.set, &set.route, &set.added, &set.deleted, &set.members, &result]);
        }
        columns
    }
}
