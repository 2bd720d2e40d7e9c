//! What the rules have counted. It changes with every packet, so it is no part
//! of the snapshot: whoever asks reads it beside.

use std::collections::BTreeMap;

use blocklist::Family;
use reconcile::Count;

/// What rules had counted at one moment, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts(BTreeMap<(Family, String), Count>);

impl RuleCounts {
    /// Takes in what was read of the rules of one family.
    pub fn insert(&mut self, family: Family, counts: impl IntoIterator<Item = Count>) {
        self.0.extend(counts.into_iter().map(|count| ((family, count.rule.clone()), count)));
    }

    /// What a rule has counted, `None` if it is not known.
    pub fn of(&self, family: Family, rule: &str) -> Option<&Count> {
        self.0.get(&(family, rule.to_owned()))
    }
}
