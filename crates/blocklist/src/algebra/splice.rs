//! Splicing: what lies inside some blocks is taken out of a set, and something
//! else put there. What lies outside is copied in one piece after the other.

use std::ops::Range;

use crate::{Address, Prefix, PrefixColumns, PrefixSet};

impl<A: Address> PrefixSet<A> {
    /// The set with `inside` in the place of all its prefixes that lie inside
    /// `blocks`. No block lies inside another, no prefix of the set is wider
    /// than a block in it, and all of `inside` lies inside of blocks.
    #[must_use]
    pub(crate) fn replaced_in(&self, blocks: &Self, inside: &Self) -> Self {
        let mut whole = PrefixColumns::with_capacity(self.len() + inside.len());
        let (mut kept, mut next) = (0, 0);
        for block in blocks.iter() {
            let [old, new] =
                [(self, kept), (inside, next)].map(|(set, from)| set.within(block, from));
            whole.append_range(self, kept..old.start);
            whole.append_range(inside, new.clone());
            (kept, next) = (old.end, new.end);
        }
        whole.append(self, kept);
        debug_assert_eq!(next, inside.len(), "all of it lies in blocks");
        whole.finish()
    }

    /// The prefixes that lie inside `blocks`, none of which lies inside another
    /// or of a prefix of this set that is wider.
    pub(crate) fn inside(&self, blocks: &Self) -> Self {
        let (mut found, mut next) = (PrefixColumns::default(), 0);
        for block in blocks.iter() {
            let positions = self.within(block, next);
            next = positions.end;
            found.append_range(self, positions);
        }
        found.finish()
    }

    /// Where the prefixes stand that lie inside `block`; none of them stands
    /// before `from`, and none before it is wider than the block and holds it.
    fn within(&self, block: Prefix<A>, from: usize) -> Range<usize> {
        let start = self.seek(from, |prefix| prefix < block);
        start..self.seek(start, |prefix| prefix.first() <= block.last())
    }

    /// The first position from `from` on whose prefix does not come before what
    /// is sought. It is looked for in steps that double, as it is mostly near.
    pub(super) fn seek(&self, from: usize, comes_before: impl Fn(Prefix<A>) -> bool) -> usize {
        let (mut low, mut step) = (from, 1);
        while let Some(end) = low.checked_add(step).filter(|&end| end <= self.len()) {
            if !comes_before(self.at(end - 1)) {
                break;
            }
            (low, step) = (end, step * 2);
        }
        let mut high = (low + step).min(self.len());
        while low < high {
            let middle = low.midpoint(high);
            if comes_before(self.at(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
