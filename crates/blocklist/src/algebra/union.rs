//! Union: every prefix of several sets, each once. It compares prefixes as they
//! are written and looks at no address inside them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;

use crate::{Address, PrefixColumns, PrefixSet};

impl<A: Address> PrefixSet<A> {
    /// The prefixes of all `sets`, each once. Prefixes inside others stay; see
    /// [`Self::without_covered`].
    ///
    /// Sets are merged in pairs, the two smallest first, so that few prefixes
    /// are moved often.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self
    where
        Self: 'a,
    {
        Self::union_of(sets.into_iter().cloned())
    }

    /// The same of sets that are not used any more.
    pub fn union_of(sets: impl IntoIterator<Item = Self>) -> Self {
        merge_all(sets.into_iter().filter(|set| !set.is_empty()).collect())
    }
}

fn merge_all<A: Address>(mut sets: Vec<PrefixSet<A>>) -> PrefixSet<A> {
    let mut smallest: BinaryHeap<_> =
        sets.iter().enumerate().map(|(position, set)| (Reverse(set.len()), position)).collect();
    while let Some((_, one)) = smallest.pop() {
        let one = mem::take(&mut sets[one]);
        let Some((_, position)) = smallest.pop() else { return one };
        let other = mem::take(&mut sets[position]);
        let merged = merge(&one, &other);
        smallest.push((Reverse(merged.len()), position));
        sets[position] = merged;
    }
    PrefixSet::new()
}

/// Which of two sets has the next prefix is as good as random, so a jump that
/// depends on it would be mispredicted: there is none.
#[expect(clippy::needless_bitwise_bool, reason = "the lazy ones are jumps")]
fn merge<A: Address>(one: &PrefixSet<A>, other: &PrefixSet<A>) -> PrefixSet<A> {
    let [ones, others] = [one.addresses(), other.addresses()];
    let [one_lengths, other_lengths] = [one.lengths(), other.lengths()];
    let room = ones.len() + others.len();
    let mut addresses = vec![A::MIN; room];
    let mut lengths = vec![0; room];
    let (mut i, mut j, mut filled) = (0, 0, 0);
    for (address, length) in addresses.iter_mut().zip(&mut lengths) {
        let (Some(&a), Some(&b)) = (ones.get(i), others.get(j)) else { break };
        let (a_length, b_length) = (one_lengths[i], other_lengths[j]);
        let same = a == b;
        let from_one = (a < b) | (same & (a_length <= b_length));
        let from_other = (b < a) | (same & (b_length <= a_length));
        *address = if from_one { a } else { b };
        *length = if from_one { a_length } else { b_length };
        i += usize::from(from_one);
        j += usize::from(from_other);
        filled += 1;
    }
    addresses.truncate(filled);
    lengths.truncate(filled);
    let mut merged = PrefixColumns { addresses, lengths };
    merged.append(one, i);
    merged.append(other, j);
    merged.finish()
}
