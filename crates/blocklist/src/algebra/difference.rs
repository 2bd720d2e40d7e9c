//! Difference: the prefixes that only one of two sets has. It compares prefixes
//! as they are written and looks at no address inside them.

use std::cmp::Ordering;

use crate::{Address, PrefixColumns, PrefixSet};

/// Prefixes that are compared at once where both sets have gone on alike.
const RUN: usize = 64;
/// So many that are the same one after the other let expect more.
const ALIKE: usize = 8;

impl<A: Address> PrefixSet<A> {
    /// The prefixes of this set that `other` does not have exactly so: what
    /// must be added to a kernel set with the members `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        let mut left = PrefixColumns::default();
        self.compare(other, |position| left.push(self.at(position)), |_| {});
        left.finish()
    }

    /// Both differences in one walk: what only this set has, and what only
    /// `other` has. Sets that are mostly the same are walked as fast as memory
    /// is read.
    pub fn differences(&self, other: &Self) -> [Self; 2] {
        if self.is_empty() || other.is_empty() {
            return [self.clone(), other.clone()];
        }
        let [mut ours, mut theirs] = [(); 2].map(|()| PrefixColumns::default());
        self.compare(
            other,
            |position| ours.push(self.at(position)),
            |position| theirs.push(other.at(position)),
        );
        [ours, theirs].map(PrefixColumns::finish)
    }

    /// How many prefixes both sets have. Sets that have little in common are
    /// counted in a quarter of the time that their differences take: nothing
    /// here has to be guessed by the processor but the end.
    pub fn count_in_common(&self, other: &Self) -> usize {
        let (mut i, mut j, mut common) = (0, 0, 0);
        let (ours, theirs) = (self.addresses(), other.addresses());
        let (our_lengths, their_lengths) = (self.lengths(), other.lengths());
        while i < ours.len() && j < theirs.len() {
            let order = ours[i].cmp(&theirs[j]).then(our_lengths[i].cmp(&their_lengths[j]));
            common += usize::from(order.is_eq());
            (i, j) = (i + usize::from(order.is_le()), j + usize::from(order.is_ge()));
        }
        common
    }

    /// Tells, in sorted order, where each prefix stands that only this set has,
    /// and where each that only `other` has.
    fn compare(&self, other: &Self, mut ours: impl FnMut(usize), mut theirs: impl FnMut(usize)) {
        let (mut i, mut j, mut alike) = (0, 0, 0);
        while i < self.len() && j < other.len() {
            if alike >= ALIKE && self.run(i).is_some_and(|run| other.run(j) == Some(run)) {
                (i, j) = (i + RUN, j + RUN);
                continue;
            }
            match self.at(i).cmp(&other.at(j)) {
                Ordering::Less => {
                    ours(i);
                    (i, alike) = (i + 1, 0);
                }
                Ordering::Greater => {
                    theirs(j);
                    (j, alike) = (j + 1, 0);
                }
                Ordering::Equal => (i, j, alike) = (i + 1, j + 1, alike + 1),
            }
        }
        (i..self.len()).for_each(ours);
        (j..other.len()).for_each(theirs);
    }

    /// The columns of as many prefixes as are compared at once.
    fn run(&self, start: usize) -> Option<(&[A], &[u8])> {
        let addresses = self.addresses().get(start..start + RUN)?;
        Some((addresses, &self.lengths()[start..start + RUN]))
    }
}
