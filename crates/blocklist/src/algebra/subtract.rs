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
        let own = self.without_covered();
        if other.is_empty() || own.intersect(other).is_empty() {
            return own;
        }
        let mut left = PrefixColumns::with_capacity(own.len());
        let mut holes = other.uncovered().peekable();
        let mut next = 0;
        while let Some(&hole) = holes.peek() {
            let reached = own.seek(next, |prefix| prefix.last() < hole.first());
            left.append_range(&own, next..reached);
            next = reached;
            if next == own.len() {
                break;
            }
            let prefix = own.at(next);
            if prefix.covers(hole) && prefix != hole {
                carve(prefix, &mut holes, &mut left);
                next += 1;
            } else {
                // All that begins in the hole ends in it.
                next = own.seek(next, |prefix| prefix.first() <= hole.last());
                holes.next();
            }
        }
        left.append(&own, next);
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
