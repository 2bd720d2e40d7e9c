//! In which order the members of a set are written. It decides how often the
//! kernel waits for its memory and nothing else: whatever the order is, each
//! member comes once, for there is no other way to make one.

use std::fmt;
use std::sync::Arc;

/// An order of the members of one set.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct WriteOrder(Option<Arc<Vec<u32>>>);

impl WriteOrder {
    /// As they stand, sorted by address.
    pub const SORTED: Self = Self(None);

    /// Group by group: `groups` says for each member in sorted order to which
    /// it belongs, counted from 0. Within a group they stay sorted.
    ///
    /// Takes four bytes a member, and about 5 ns.
    pub fn grouped(groups: &[u16]) -> Self {
        if u32::try_from(groups.len()).is_err() {
            return Self::SORTED;
        }
        let count = groups.iter().max().map_or(0, |&last| usize::from(last) + 1);
        // Where the next of each group goes.
        let mut next = vec![0_u32; count + 1];
        for &group in groups {
            next[usize::from(group) + 1] += 1;
        }
        for group in 1..=count {
            next[group] += next[group - 1];
        }
        let mut places = vec![0_u32; groups.len()];
        for (place, &group) in (0..).zip(groups) {
            let next = &mut next[usize::from(group)];
            places[*next as usize] = place;
            *next += 1;
        }
        Self(Some(Arc::new(places)))
    }

    /// These places and no others, one after the other.
    pub(crate) fn picked(places: Vec<u32>) -> Self {
        Self(Some(Arc::new(places)))
    }

    /// Which members come at these turns, by their places in sorted order;
    /// `None` if it is their turns.
    pub(crate) fn places(&self, turns: std::ops::Range<usize>) -> Option<&[u32]> {
        self.0.as_ref().map(|places| &places[turns])
    }

    /// Whether it is an order of so many members.
    pub(crate) fn fits(&self, members: usize) -> bool {
        self.0.as_ref().is_none_or(|places| places.len() == members)
    }
}

impl fmt::Debug for WriteOrder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(if self.0.is_some() { "grouped" } else { "sorted" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_member_comes_once_and_groups_one_after_the_other(
            groups in prop::collection::vec(0_u16..40, 0..300),
        ) {
            let order = WriteOrder::grouped(&groups);
            prop_assert!(order.fits(groups.len()));
            let places = order.places(0..groups.len()).expect("grouped");
            let key = |place: u32| (groups[place as usize], place);
            prop_assert!(places.is_sorted_by(|&one, &next| key(one) < key(next)));
        }
    }
}
