//! What rules have counted so far, by their names, so that a rule goes on
//! counting when it is put anew: changed, or after somebody else took it away.
//! It knows names and numbers, not what is counted.

use std::collections::BTreeMap;

use super::element::Counted;
use super::table::{Table, TableRule};

/// What the rules of one family had counted when they were last seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(BTreeMap<String, Counted>);

impl Memory {
    /// All rules are there: what they count is so, also if it is less.
    pub(crate) fn learn(&mut self, table: &Table) {
        self.0 = sums(table);
    }

    /// Some rules may be missing: nothing is known to have been counted less
    /// than before.
    pub(crate) fn learn_of_part(&mut self, table: &Table) {
        for (name, counted) in sums(table) {
            let known = self.0.entry(name).or_default();
            known.packets = known.packets.max(counted.packets);
            known.bytes = known.bytes.max(counted.bytes);
        }
    }

    /// From where each of these rules goes on, of which `counts` do count: a
    /// rule that is in `before` from its own numbers, and what else was counted
    /// under a name goes to the first rule of that name.
    pub(crate) fn carry(
        &self,
        wanted: &[TableRule],
        counts: impl Fn(usize) -> bool,
        before: &Table,
    ) -> Vec<Counted> {
        let same = |rule: &TableRule| before.rules.iter().find(|other| other.does(rule));
        let mut carried: Vec<_> = wanted
            .iter()
            .map(|rule| same(rule).map(TableRule::counted).unwrap_or_default())
            .collect();
        for (name, total) in &self.0 {
            let named = (0..wanted.len()).filter(|&at| counts(at) && wanted[at].comment == *name);
            let named: Vec<_> = named.collect();
            let Some(&first) = named.first() else { continue };
            let kept = named.iter().fold(Counted::default(), |sum, &at| sum.plus(carried[at]));
            carried[first] = carried[first].plus(Counted {
                packets: total.packets.saturating_sub(kept.packets),
                bytes: total.bytes.saturating_sub(kept.bytes),
            });
        }
        carried
    }
}

/// What all rules of a name have counted together.
pub(crate) fn sums(table: &Table) -> BTreeMap<String, Counted> {
    let mut sums = BTreeMap::<_, Counted>::new();
    for rule in &table.rules {
        let sum = sums.entry(rule.comment.clone()).or_default();
        *sum = sum.plus(rule.counted());
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::super::element::{ACCEPT, as_read, counter, verdict};
    use super::super::{Chain, element::DROP};
    use super::*;

    fn rule(name: &str, action: u32, packets: u64) -> TableRule {
        let expressions =
            as_read(&[counter(Counted { packets, bytes: packets * 10 }), verdict(action)]);
        TableRule { chain: Some(Chain::Input), comment: name.to_owned(), expressions }
    }

    /// Where rules `a`, `a` and `b` go on after these were there and something
    /// was known before.
    fn check(known: &[TableRule], before: &[TableRule], want: [u64; 3]) {
        let table =
            |rules: &[TableRule]| Table { chains: vec![Chain::Input], rules: rules.to_vec() };
        let mut memory = Memory::default();
        memory.learn(&table(known));
        memory.learn_of_part(&table(before));
        let wanted = [rule("a", DROP, 0), rule("a", ACCEPT, 0), rule("b", DROP, 0)];
        let carried = memory.carry(&wanted, |_| true, &table(before));
        let packets: Vec<_> = carried.iter().map(|counted| counted.packets).collect();
        assert_eq!(packets, want, "{known:?} {before:?}");
        assert!(carried.iter().all(|counted| counted.bytes == counted.packets * 10));
    }

    #[test]
    fn a_rule_goes_on_from_its_own_numbers_and_a_changed_one_from_those_of_its_name() {
        let all = [rule("a", DROP, 5), rule("a", ACCEPT, 7), rule("b", DROP, 1)];
        check(&[], &all, [5, 7, 1]);
        check(&all, &[], [12, 0, 1]);
        check(&all, &all[..1], [12, 0, 1]);
        check(&all[..1], &all, [5, 7, 1]);
        check(&[], &[rule("b", ACCEPT, 3), rule("c", DROP, 9)], [0, 0, 3]);
        check(&[], &[], [0, 0, 0]);
    }
}
