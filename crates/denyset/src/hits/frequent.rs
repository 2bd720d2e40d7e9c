//! The most frequent of a stream of keys in bounded memory (Metwally, Agrawal,
//! El Abbadi, *Efficient Computation of Frequent and Top-k Elements in Data
//! Streams*, 2005, "space-saving"): whatever comes more often than one in so
//! many as there are places is in the table, and by how much its count may be
//! too high is known.

use std::collections::{BTreeMap, BTreeSet};

/// How often something came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frequency {
    /// At the most.
    pub count: u64,
    /// By how much that may be too high.
    pub error: u64,
}

/// A table of so many places at the most.
#[derive(Clone, Debug)]
pub struct Frequent<K> {
    places: usize,
    counts: BTreeMap<K, Frequency>,
    /// The same, the rarest first.
    order: BTreeSet<(u64, K)>,
}

impl<K: Ord + Clone> Frequent<K> {
    /// An empty table.
    pub fn new(places: usize) -> Self {
        Self { places, counts: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Something came. In a full table, something new takes the place of the
    /// rarest, and its count.
    pub fn add(&mut self, key: K) {
        let mut frequency = Frequency::default();
        if let Some(known) = self.counts.get(&key) {
            frequency = *known;
            self.order.remove(&(known.count, key.clone()));
        } else if self.counts.len() >= self.places
            && let Some((count, rarest)) = self.order.pop_first()
        {
            self.counts.remove(&rarest);
            frequency = Frequency { count, error: count };
        }
        frequency.count += 1;
        self.order.insert((frequency.count, key.clone()));
        self.counts.insert(key, frequency);
    }

    /// The most frequent first.
    pub fn iter(&self) -> impl Iterator<Item = (&K, Frequency)> {
        self.order.iter().rev().filter_map(|(_, key)| Some((key, *self.counts.get(key)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(places: usize, stream: impl IntoIterator<Item = u32>, want: &[(u32, u64, u64)]) {
        let mut table = Frequent::new(places);
        stream.into_iter().for_each(|key| table.add(key));
        let found: Vec<_> = table.iter().map(|(key, f)| (*key, f.count, f.error)).collect();
        assert_eq!(found, want);
        assert!(table.counts.len() <= places && table.order.len() == table.counts.len());
    }

    #[test]
    fn a_table_with_room_counts_exactly() {
        check(3, [], &[]);
        check(3, [7, 5, 7, 7, 5, 9], &[(7, 3, 0), (5, 2, 0), (9, 1, 0)]);
    }

    #[test]
    fn what_is_new_takes_the_place_of_the_rarest_and_its_count() {
        check(2, [1, 1, 2, 3], &[(3, 2, 1), (1, 2, 0)]);
        check(1, [1, 2, 3], &[(3, 3, 2)]);
    }

    #[test]
    fn whatever_is_frequent_stays_under_a_flood_of_what_is_not() {
        let mut table = Frequent::new(64);
        let flood =
            (0..20_000_u32).map(|step| 1_000 + step.wrapping_mul(2_654_435_761) % 1_000_000);
        for (step, key) in flood.enumerate() {
            table.add(key);
            if step % 20 == 0 {
                table.add(7);
            }
        }
        let (key, found) = table.iter().next().expect("something came");
        assert_eq!(*key, 7);
        assert!(found.count - found.error <= 1_000 && found.count >= 1_000, "{found:?}");
        assert_eq!(table.counts.len(), 64);
    }
}
