//! What our rules have counted, for whoever asks. It is read by itself too, on
//! whatever socket, since it says nothing of whether rules are as they should
//! be.

use reconcile::{Count, KernelError, Rule, RuleSet};

use super::Netfilter;
use super::rules::listing;
use crate::nftables::{FoundTable, Table, sums};
use crate::{ExchangeFailure, Transport};

impl<T: Transport> Netfilter<T> {
    /// What each of these rules has counted since it was first put, 0 for one
    /// that is not there. One listing of our own table, and nothing else.
    ///
    /// # Errors
    /// [`KernelError`]; of kind `Unsupported` if the kernel has no `nf_tables`.
    pub fn rule_counts(&mut self, wanted: &RuleSet) -> Result<Vec<Count>, KernelError> {
        let family = wanted.family();
        let look = |failure: ExchangeFailure| listing(&failure, family);
        let table = match self.look(wanted.prefix(), family).map_err(look)? {
            FoundTable::Ours { table, .. } => table,
            FoundTable::Absent | FoundTable::Foreign => Table::default(),
        };
        Ok(counts(wanted, &table))
    }
}

/// What each of our rules has stopped: the sum over the kernel's.
pub(super) fn counts(wanted: &RuleSet, table: &Table) -> Vec<Count> {
    let sums = sums(table);
    let count = |rule: &Rule| {
        let counted = sums.get(&rule.name).copied().unwrap_or_default();
        Count { rule: rule.name.clone(), packets: counted.packets, bytes: counted.bytes }
    };
    wanted.rules().iter().map(count).collect()
}
