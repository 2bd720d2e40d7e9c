//! Intersection: the addresses that two sets have in common, however they are
//! written.

use crate::{Address, PrefixColumns, PrefixSet};

/// With so many times fewer prefixes, each is looked up among the others.
const FEW: usize = 32;

impl<A: Address> PrefixSet<A> {
    /// The addresses that are in this set and in `other`: of each pair of
    /// overlapping prefixes the smaller one. No prefix of the result lies
    /// inside another.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (few, many) = if self.len() < other.len() { (self, other) } else { (other, self) };
        if few.len().saturating_mul(FEW) < many.len() {
            return many.look_up(few);
        }
        self.walk_with(other)
    }

    /// One walk over both.
    fn walk_with(&self, other: &Self) -> Self {
        let mut common = PrefixColumns::default();
        let (mut ours, mut theirs) = (self.uncovered(), other.uncovered());
        let (mut next_ours, mut next_theirs) = (ours.next(), theirs.next());
        while let (Some(a), Some(b)) = (next_ours, next_theirs) {
            if a.covers(b) {
                common.push(b);
            } else if b.covers(a) {
                common.push(a);
            }
            // The one that ends first can meet nothing further.
            if a.last() < b.last() {
                next_ours = ours.next();
            } else {
                next_theirs = theirs.next();
            }
        }
        common.finish()
    }

    /// A search for each of `few`.
    fn look_up(&self, few: &Self) -> Self {
        let mut common = PrefixColumns::default();
        for prefix in few.uncovered() {
            let around = self.covering(prefix.first());
            if around.first().is_some_and(|around| around.covers(prefix)) {
                common.push(prefix);
                continue;
            }
            let (Ok(start) | Err(start)) = self.position(prefix);
            let inside = self.range(start..self.len());
            for inner in inside.take_while(|inner| inner.first() <= prefix.last()) {
                if common.last().is_none_or(|before| !before.covers(inner)) {
                    common.push(inner);
                }
            }
        }
        common.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Prefix;

    fn set(most: usize) -> impl Strategy<Value = PrefixSet<u32>> {
        let prefix = (any::<u16>(), 17..=32_u8)
            .prop_map(|(bits, length)| Prefix::containing(u32::from(bits), length));
        prop::collection::vec(prefix, 0..most).prop_map(PrefixSet::from_unsorted)
    }

    proptest! {
        #[test]
        fn a_few_looked_up_are_what_a_walk_finds(few in set(6), many in set(400)) {
            prop_assert_eq!(many.look_up(&few), many.walk_with(&few));
        }
    }
}
