//! The addresses that are blocked, those that are not, and what changes.

use std::collections::HashSet;
use std::net::Ipv4Addr;

use lab::generate::RandomNumbers;

/// Addresses that packets come from, of each kind.
const SOURCES: usize = 65_536;

/// A step through a list that meets every place before it meets one again, if it
/// shares no factor with its length, in an order that looks like none.
const STRIDE: usize = 7_368_787;

/// How many prefixes of a list with lengths change by length, from the longest on.
pub(super) const LENGTHS: u8 = 9;

/// A list, and what comes after it.
pub(super) struct Lists {
    /// Who is blocked, in random order.
    pub(super) listed: Vec<Ipv4Addr>,
    /// Who becomes so.
    pub(super) newcomers: Vec<Ipv4Addr>,
    /// Some of the list who stay.
    pub(super) staying: Vec<Ipv4Addr>,
    /// Some who never are, nor are in a prefix of the list.
    pub(super) others: Vec<Ipv4Addr>,
}

/// What changes.
pub(super) struct Change<'a> {
    /// Who is no longer blocked.
    pub(super) leave: &'a [Ipv4Addr],
    /// Who is from now on.
    pub(super) come: &'a [Ipv4Addr],
    /// Everybody who is then.
    pub(super) whole: Vec<Ipv4Addr>,
}

impl Lists {
    /// A list of this length.
    pub(super) fn new(length: usize) -> Self {
        let mut random = RandomNumbers::seeded(2011);
        let mut known = HashSet::with_capacity(length);
        let mut fresh = |count: usize, is_good: &dyn Fn(Ipv4Addr) -> bool| {
            let mut addresses = Vec::with_capacity(count);
            while addresses.len() < count {
                let address = random.ipv4();
                if is_good(address) && known.insert(address) {
                    addresses.push(address);
                }
            }
            addresses
        };
        let listed = fresh(length, &|_| true);
        let newcomers = fresh(1_000, &|_| true);
        let prefixes: HashSet<_> =
            listed.iter().chain(&newcomers).enumerate().map(|(at, &a)| prefix(at, a)).collect();
        let others = fresh(SOURCES, &|address| {
            (0..LENGTHS.into()).all(|at| !prefixes.contains(&prefix(at, address)))
        });
        let first = length.min(1_000) / 2;
        let staying = scattered(&listed[first..], SOURCES);
        Self { listed, newcomers, staying, others }
    }

    /// Nobody leaves, one comes.
    pub(super) fn one(&self) -> Change<'_> {
        let come = &self.newcomers[..1];
        Change { leave: &[], come, whole: [&self.listed[..], come].concat() }
    }

    /// After [`Self::one`], half a thousand leave and as many come, or half the list if
    /// it is shorter.
    pub(super) fn thousand(&self) -> Change<'_> {
        let leave = &self.listed[..self.listed.len().min(1_000) / 2];
        let come = &self.newcomers[1..=leave.len()];
        let stay = [&self.listed[leave.len()..], &self.newcomers[..1]].concat();
        Change { leave, come, whole: [&stay, come].concat() }
    }
}

/// The prefix that stands for the address at this place of a list with lengths.
pub(super) fn prefix(at: usize, address: Ipv4Addr) -> (Ipv4Addr, u8) {
    let shorter = u8::try_from(at % usize::from(LENGTHS)).unwrap_or_default();
    let bits = u32::from(address) >> shorter << shorter;
    (bits.into(), 32 - shorter)
}

/// As many of these as there are or are asked for, from all over.
fn scattered(all: &[Ipv4Addr], count: usize) -> Vec<Ipv4Addr> {
    (0..count.min(all.len())).map(|at| all[at * STRIDE % all.len()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_and_who_comes_make_the_whole_of_the_next_list() {
        let lists = Lists::new(1_000);
        let before: HashSet<_> = lists.one().whole.into_iter().collect();
        let change = lists.thousand();
        let mut after = before.clone();
        assert!(change.leave.iter().all(|address| after.remove(address)));
        assert!(change.come.iter().all(|&address| after.insert(address)));
        assert_eq!(after, change.whole.iter().copied().collect());
        assert_eq!((change.leave.len(), change.come.len(), change.whole.len()), (500, 500, 1_001));
        assert!(lists.staying.iter().all(|address| after.contains(address)));
        assert!(!lists.others.iter().any(|address| after.contains(address)));
    }

    #[test]
    fn prefixes_are_of_nine_lengths_and_contain_nobody_else() {
        let address = Ipv4Addr::new(198, 51, 100, 255);
        assert_eq!(prefix(0, address), (address, 32));
        assert_eq!(prefix(8, address), (Ipv4Addr::new(198, 51, 100, 0), 24));
        assert_eq!(prefix(9, address), (address, 32));
        let lists = Lists::new(2_000);
        let all: HashSet<_> =
            lists.listed.iter().enumerate().map(|(at, &a)| prefix(at, a)).collect();
        for &other in &lists.others {
            assert!((0..9).all(|at| !all.contains(&prefix(at, other))), "{other}");
        }
    }
}
