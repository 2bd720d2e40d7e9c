//! Subtraction: the addresses of one set without those of another. Prefixes
//! that lose nothing stay as they are, so that few members change when few
//! addresses do.

use std::iter::Peekable;

use crate::{Address, Prefix, PrefixColumns, PrefixSet, range_prefixes};

impl<A: Address> PrefixSet<A> {
    /// The addresses of this set that are not in `other`.
    ///
    /// A prefix that loses no address stays, one that loses some is replaced by
    /// the fewest prefixes that hold the rest. No prefix of the result lies
    /// inside another.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        if other.is_empty() || self.intersect(other).is_empty() {
            return self.without_covered();
        }
        let mut left = PrefixColumns::with_capacity(self.len());
        let mut holes = other.uncovered().peekable();
        for prefix in self.uncovered() {
            while holes.next_if(|hole| hole.last() < prefix.first()).is_some() {}
            match holes.peek() {
                Some(hole) if hole.covers(prefix) => {}
                Some(&hole) if prefix.covers(hole) => carve(prefix, &mut holes, &mut left),
                _ => left.push(prefix),
            }
        }
        left.finish()
    }
}

/// Appends what is left of `prefix` beside the holes inside of it, and takes
/// those holes off the iterator.
fn carve<A: Address>(
    prefix: Prefix<A>,
    holes: &mut Peekable<impl Iterator<Item = Prefix<A>>>,
    left: &mut PrefixColumns<A>,
) {
    // Where the rest begins; `None` once a hole has reached the last address.
    let mut rest = Some(prefix.first());
    while let Some(hole) = holes.next_if(|&hole| prefix.covers(hole)) {
        if let (Some(first), Some(last)) = (rest, hole.first().previous()) {
            range_prefixes(first, last).for_each(|part| left.push(part));
        }
        rest = hole.last().next();
    }
    if let Some(first) = rest {
        range_prefixes(first, prefix.last()).for_each(|part| left.push(part));
    }
}
