//! Difference: the prefixes that only one of two sets has. It compares prefixes
//! as they are written and looks at no address inside them.

use crate::{Address, PrefixColumns, PrefixSet};

impl<A: Address> PrefixSet<A> {
    /// The prefixes of this set that `other` does not have exactly so: what
    /// must be added to a kernel set with the members `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut left = PrefixColumns::default();
        let (mut i, mut j) = (0, 0);
        while i < self.len() && j < other.len() {
            let (a, b) = (self.at(i), other.at(j));
            if a < b {
                left.push(a);
            }
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
        left.append(self, i);
        left.finish()
    }
}
