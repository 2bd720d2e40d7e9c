//! What `plan` prints: what `apply` would do, set by set, and what a guard
//! keeps it from doing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::columns::{Columns, Lean};
use super::text::{shown, write_accept};

/// The document of `plan`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlanView {
    /// Whether there is nothing to do.
    pub in_sync: bool,
    /// Every set that is ours or should be.
    pub sets: Vec<PlannedSet>,
    /// Rules to change, one sentence each.
    pub rules: Vec<String>,
    /// What the guards declined.
    pub refusals: Vec<RefusalView>,
    /// One sentence each on what lets packets through though all is as it should
    /// be.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What one set needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PlannedSet {
    /// Its name in the kernel.
    pub set: String,
    /// How it is brought up to date.
    pub route: RouteName,
    /// Members to add.
    pub add: u64,
    /// Members to delete.
    pub delete: u64,
    /// Members afterwards.
    pub members: u64,
    /// How many of them have which prefix length.
    #[serde(default)]
    pub lengths: BTreeMap<u8, u64>,
    /// About how many nanoseconds a packet is looked up whose address is in none
    /// of them.
    #[serde(default)]
    pub miss_ns: u64,
    /// About how many bytes of kernel memory it takes more until the old members are
    /// released.
    #[serde(default)]
    pub memory_bytes: u64,
    /// Why this route, a sentence.
    pub reason: String,
}

/// How a set is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteName {
    /// It is what it should be, or must not be touched.
    None,
    /// It is made.
    Create,
    /// Members are added and deleted.
    InPlace,
    /// A shadow is filled and swapped in.
    Swap,
    /// It is removed.
    Destroy,
    /// Rules are put in place, in one transaction.
    Put,
}

impl fmt::Display for RouteName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::None => "none",
            Self::Create => "create",
            Self::InPlace => "in-place",
            Self::Swap => "swap",
            Self::Destroy => "destroy",
            Self::Put => "put",
        })
    }
}

/// One change that a guard declined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RefusalView {
    /// The feed.
    pub feed: String,
    /// The guard, as its key in the configuration.
    pub guard: String,
    /// What it allows.
    pub expected: String,
    /// What it met.
    pub found: String,
    /// The command that lets the change through once, see
    /// [`super::accept_command`]; `None` if nothing does.
    pub accept: Option<String>,
}

impl fmt::Display for RefusalView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { feed, guard, expected, found, accept } = self;
        let [feed, expected, found] = [feed, expected, found].map(|text| shown(text));
        writeln!(out, "refused: {feed}: {guard}: {found}; allowed is {expected}")?;
        write_accept(accept.as_deref(), out)
    }
}

impl fmt::Display for PlanView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.in_sync { "in sync, nothing to do" } else { "changes are pending" };
        writeln!(out, "{verdict}")?;
        if !self.sets.is_empty() {
            writeln!(out)?;
            self.table().fmt(out)?;
        }
        for rule in &self.rules {
            writeln!(out, "rule: {}", shown(rule))?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {}", shown(warning))?;
        }
        self.refusals.iter().try_for_each(|refusal| refusal.fmt(out))
    }
}

impl PlanView {
    fn table(&self) -> Columns {
        let mut columns = Columns::new([
            ("set", Lean::Left),
            ("route", Lean::Left),
            ("add", Lean::Right),
            ("delete", Lean::Right),
            ("members", Lean::Right),
            ("lengths", Lean::Right),
            ("miss-ns", Lean::Right),
            ("reason", Lean::Left),
        ]);
        for set in &self.sets {
            let lengths = set.lengths.len();
            columns.row([
                &set.set,
                &set.route,
                &set.add,
                &set.delete,
                &set.members,
                &lengths,
                &set.miss_ns,
                &set.reason,
            ]);
        }
        columns
    }
}
