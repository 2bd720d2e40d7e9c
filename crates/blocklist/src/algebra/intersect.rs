//! Intersection: the addresses that two sets have in common, however they are
//! written.

use crate::{Address, PrefixSet};

impl<A: Address> PrefixSet<A> {
    /// The addresses that are in this set and in `other`: of each pair of
    /// overlapping prefixes the smaller one. No prefix of the result lies
    /// inside another.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut common = Self::new();
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
        common.trimmed()
    }
}
