//! Union: every prefix of several sets, each once. It compares prefixes as they
//! are written and looks at no address inside them.

use std::borrow::Cow;

use crate::{Address, PrefixSet};

impl<A: Address> PrefixSet<A> {
    /// The prefixes of all `sets`, each once. Prefixes inside others stay; see
    /// [`Self::without_covered`].
    ///
    /// Sets are merged in pairs, then the results in pairs: the cost grows with
    /// the logarithm of their number.
    pub fn union<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self
    where
        Self: 'a,
    {
        merge_all(sets.into_iter().map(Cow::Borrowed))
    }

    /// The same of sets that are not used any more: a single one is not copied.
    pub fn union_of(sets: impl IntoIterator<Item = Self>) -> Self {
        merge_all(sets.into_iter().map(Cow::Owned))
    }
}

fn merge_all<'a, A: Address>(sets: impl Iterator<Item = Cow<'a, PrefixSet<A>>>) -> PrefixSet<A> {
    let mut sets: Vec<_> = sets.filter(|set| !set.is_empty()).collect();
    while sets.len() > 1 {
        let mut pairs = sets.into_iter();
        let mut merged = Vec::new();
        while let Some(one) = pairs.next() {
            merged.push(match pairs.next() {
                Some(other) => Cow::Owned(merge(&one, &other)),
                None => one,
            });
        }
        sets = merged;
    }
    sets.pop().map(Cow::into_owned).unwrap_or_default().trimmed()
}

fn merge<A: Address>(one: &PrefixSet<A>, other: &PrefixSet<A>) -> PrefixSet<A> {
    let mut merged = PrefixSet::with_capacity(one.len() + other.len());
    let (mut i, mut j) = (0, 0);
    while i < one.len() && j < other.len() {
        let (a, b) = (one.at(i), other.at(j));
        merged.push(a.min(b));
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    merged.append(one, i);
    merged.append(other, j);
    merged
}
