//! A set of prefixes in compact columns: five bytes a prefix for IPv4,
//! seventeen for IPv6. The columns and their order are known here and to the
//! algebra beside it, nowhere else.

use std::ops::Range;
use std::sync::Arc;

use crate::algebra::{sort, sort_addresses};
use crate::{Address, Prefix};

/// Prefixes of one family, sorted by first address then by length, each once.
///
/// It is a set of *prefixes*, as a kernel set is: `10.0.0.0/8` and
/// `10.1.0.0/16` may stand side by side. What treats it as a set of
/// *addresses* says so.
///
/// It never changes, and a clone shares its columns. What is made of a set and
/// is no different is a clone of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PrefixSet<A> {
    columns: Arc<PrefixColumns<A>>,
}

/// A set that is being made: prefixes come in sorted order, each once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct PrefixColumns<A> {
    /// First addresses, ascending.
    pub(crate) addresses: Vec<A>,
    /// The length of the prefix at the same position.
    pub(crate) lengths: Vec<u8>,
}

impl<A: Address> PrefixColumns<A> {
    /// Nothing yet, and room for `capacity` prefixes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self { addresses: Vec::with_capacity(capacity), lengths: Vec::with_capacity(capacity) }
    }

    /// Appends a prefix that sorts after all present ones.
    ///
    /// # Panics
    /// In debug builds, if it does not.
    pub(crate) fn push(&mut self, prefix: Prefix<A>) {
        debug_assert!(self.last().is_none_or(|last| last < prefix), "out of order");
        self.addresses.push(prefix.first());
        self.lengths.push(prefix.length());
    }

    /// Appends the prefixes that `other` has at `start` and after, all of
    /// which sort after the present ones.
    pub(crate) fn append(&mut self, other: &PrefixSet<A>, start: usize) {
        self.append_range(other, start..other.len());
    }

    /// Appends the prefixes that `other` has at these positions, all of which
    /// sort after the present ones.
    pub(crate) fn append_range(&mut self, other: &PrefixSet<A>, positions: Range<usize>) {
        self.addresses.extend_from_slice(&other.addresses()[positions.clone()]);
        self.lengths.extend_from_slice(&other.lengths()[positions]);
    }

    /// The last prefix.
    pub(crate) fn last(&self) -> Option<Prefix<A>> {
        Some(Prefix::from_columns(*self.addresses.last()?, *self.lengths.last()?))
    }

    /// Takes the last prefix off.
    pub(crate) fn pop(&mut self) -> Option<Prefix<A>> {
        Some(Prefix::from_columns(self.addresses.pop()?, self.lengths.pop()?))
    }

    /// The set. Room that would not be used any more is given back, if it is
    /// worth the copying: sets live long.
    pub(crate) fn finish(mut self) -> PrefixSet<A> {
        if self.addresses.capacity() > self.addresses.len() + self.addresses.len() / 8 {
            self.addresses.shrink_to_fit();
            self.lengths.shrink_to_fit();
        }
        PrefixSet { columns: Arc::new(self) }
    }
}

impl<A: Address> PrefixSet<A> {
    /// The set without a prefix.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set of `prefixes`, given in any order and with repetitions.
    pub fn from_unsorted(mut prefixes: Vec<Prefix<A>>) -> Self {
        sort(&mut prefixes);
        prefixes.dedup();
        let lengths = prefixes.iter().map(|prefix| prefix.length()).collect();
        // The addresses take the place of the prefixes, in the same memory.
        let addresses = prefixes.into_iter().map(Prefix::first).collect();
        PrefixColumns { addresses, lengths }.finish()
    }

    /// The set of single addresses, given in any order and with repetitions.
    pub fn from_hosts(mut hosts: Vec<A>) -> Self {
        sort_addresses(&mut hosts);
        hosts.dedup();
        let lengths = vec![A::BITS; hosts.len()];
        PrefixColumns { addresses: hosts, lengths }.finish()
    }

    /// First addresses, ascending.
    #[inline]
    pub(crate) fn addresses(&self) -> &[A] {
        &self.columns.addresses
    }

    /// The length of the prefix at the same position.
    #[inline]
    pub(crate) fn lengths(&self) -> &[u8] {
        &self.columns.lengths
    }

    /// How many prefixes there are.
    pub fn len(&self) -> usize {
        self.addresses().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.addresses().is_empty()
    }

    /// The prefix at `position` in sorted order.
    ///
    /// # Panics
    /// If `position` is not below [`Self::len`].
    #[inline]
    pub fn at(&self, position: usize) -> Prefix<A> {
        Prefix::from_columns(self.addresses()[position], self.lengths()[position])
    }

    /// The last prefix in sorted order.
    pub fn last(&self) -> Option<Prefix<A>> {
        self.len().checked_sub(1).map(|position| self.at(position))
    }

    /// All prefixes in sorted order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Prefix<A>> + Clone + '_ {
        self.range(0..self.len())
    }

    /// The prefixes at the given positions.
    ///
    /// # Panics
    /// If the range does not lie within the set.
    pub fn range(
        &self,
        positions: Range<usize>,
    ) -> impl ExactSizeIterator<Item = Prefix<A>> + Clone + '_ {
        let addresses = &self.addresses()[positions.clone()];
        let lengths = &self.lengths()[positions];
        addresses
            .iter()
            .zip(lengths)
            .map(|(&address, &length)| Prefix::from_columns(address, length))
    }

    /// The set of the prefixes at the given positions.
    ///
    /// # Panics
    /// If the range does not lie within the set.
    #[must_use]
    pub fn slice(&self, positions: Range<usize>) -> Self {
        let addresses = self.addresses()[positions.clone()].to_vec();
        PrefixColumns { addresses, lengths: self.lengths()[positions].to_vec() }.finish()
    }

    /// Where exactly this prefix stands, or `Err` of where it would.
    ///
    /// # Errors
    /// The position at which the prefix would have to be inserted.
    pub fn position(&self, prefix: Prefix<A>) -> Result<usize, usize> {
        let addresses = self.addresses();
        let start = addresses.partition_point(|&address| address < prefix.first());
        let same = addresses[start..].iter().take_while(|&&a| a == prefix.first()).count();
        self.lengths()[start..start + same]
            .binary_search(&prefix.length())
            .map(|offset| start + offset)
            .map_err(|offset| start + offset)
    }
}

impl<A: Address> FromIterator<Prefix<A>> for PrefixSet<A> {
    fn from_iter<I: IntoIterator<Item = Prefix<A>>>(prefixes: I) -> Self {
        Self::from_unsorted(prefixes.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `steps` numbers with repetitions, in no order.
    fn check<A: Address>(address: impl Fn(u128) -> A, steps: u128) {
        let numbers =
            (0..steps).map(|step| (step % (steps / 2 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let hosts: Vec<A> = numbers.map(address).collect();
        let want: PrefixSet<A> = hosts.iter().map(|&host| Prefix::host(host)).collect();
        assert_eq!(PrefixSet::from_hosts(hosts), want, "{steps}");
        assert!(want.addresses().is_sorted_by(|one, next| one < next), "{steps}");
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
    fn hosts_in_any_order_are_the_set_of_their_prefixes() {
        for steps in [0, 1, 2, 100, 3_000] {
            check(|number| number as u32, steps);
            check(|number| number, steps);
        }
    }
}
