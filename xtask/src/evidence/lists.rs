//! The addresses that are blocked, those that are not, and what changes.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lab::generate::RandomNumbers;

/// Addresses that packets come from, of each kind.
const SOURCES: usize = 65_536;

/// A step through a list that meets every place before it meets one again, if it
/// shares no factor with its length, in an order that looks like none.
const STRIDE: usize = 7_368_787;

/// How many lengths the prefixes of a list have that is made of prefixes, from the
/// longest on.
const LENGTHS: u8 = 9;

/// The shortest prefix that [`with_lengths`] makes, for the last of a list.
const SHORTEST: u8 = 8;

/// A list, and what comes after it.
pub(crate) struct Lists {
    /// Who is blocked, in random order.
    pub(crate) listed: Vec<Ipv4Addr>,
    /// Who becomes so.
    pub(super) newcomers: Vec<Ipv4Addr>,
    /// Some of the list who stay.
    pub(crate) staying: Vec<Ipv4Addr>,
    /// Some who never are, nor are in a prefix of the list.
    pub(crate) others: Vec<Ipv4Addr>,
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
    pub(crate) fn new(length: usize) -> Self {
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
        let mut prefixes: HashSet<_> =
            listed.iter().chain(&newcomers).map(|&a| prefix(a)).collect();
        prefixes.extend(with_lengths(&listed, u8::MAX).into_iter().take(LAST_ONES));
        let others = fresh(SOURCES, &|address| {
            (SHORTEST..=32).all(|bits| !prefixes.contains(&shortened(address, bits)))
        });
        let first = length.min(1_000) / 2;
        let staying = scattered(&listed[first..], SOURCES.min(length / 2));
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

    /// Another list, as long as this, which has of it who was among [`Self::staying`].
    pub(super) fn another(&self) -> Vec<Ipv4Addr> {
        let mut random = RandomNumbers::seeded(2012);
        let mut known: HashSet<_> = [&self.listed[..], &self.others].concat().into_iter().collect();
        let mut whole = self.staying.clone();
        while whole.len() < self.listed.len() {
            let address = random.ipv4();
            if known.insert(address) {
                whole.push(address);
            }
        }
        whole
    }
}

/// A family of addresses. Lists are made of IPv4; each address of it has one of IPv6
/// that stands for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// As it is.
    V4,
    /// The address is the second half of a network of 64 bits.
    V6,
}

impl Family {
    /// Who stands for this address.
    pub(super) fn of(self, address: Ipv4Addr) -> IpAddr {
        match self {
            Self::V4 => address.into(),
            Self::V6 => v6(address).into(),
        }
    }

    /// What is added to a name.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::V4 => "",
            Self::V6 => ", IPv6",
        }
    }
}

/// The address of IPv6 that stands for one of IPv4.
pub(super) fn v6(address: Ipv4Addr) -> Ipv6Addr {
    let network = 0x2a00_0001_u64 << 32 | u64::from(u32::from(address));
    Ipv6Addr::from(u128::from(network) << 64 | 1)
}

/// The prefix that stands for an address in a list of prefixes, of one of nine lengths.
pub(super) fn prefix(address: Ipv4Addr) -> (Ipv4Addr, u8) {
    // Any number will do that has nothing to do with the order of addresses.
    let number = u32::from(address).wrapping_mul(0x9e37_79b1) >> 16;
    let shorter = u8::try_from(number % u32::from(LENGTHS)).unwrap_or_default();
    shortened(address, 32 - shorter)
}

/// How many prefixes [`with_lengths`] makes that are shorter than those of [`prefix`].
const LAST_ONES: usize = (32 - LENGTHS - SHORTEST + 1) as usize;

/// A list of prefixes of so many lengths. Up to nine are common; of what is shorter there
/// is one of each at its head, as otherwise nobody would be left.
pub(crate) fn with_lengths(listed: &[Ipv4Addr], lengths: u8) -> Vec<(Ipv4Addr, u8)> {
    let common = lengths.clamp(1, LENGTHS);
    let rare = usize::from(lengths - common).min(LAST_ONES);
    let head = listed.iter().take(rare).zip((SHORTEST..=32 - LENGTHS).rev());
    let head = head.map(|(&address, bits)| shortened(address, bits));
    let rest = listed.iter().skip(rare).map(|&address| {
        let (_, bits) = prefix(address);
        shortened(address, 32 - (32 - bits) % common)
    });
    head.chain(rest).collect()
}

fn shortened(address: Ipv4Addr, bits: u8) -> (Ipv4Addr, u8) {
    let beyond = u32::from(32 - bits);
    ((u32::from(address) >> beyond << beyond).into(), bits)
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
    fn another_list_has_of_this_one_who_stays_and_nobody_else() {
        let lists = Lists::new(2_000);
        let another: HashSet<_> = lists.another().into_iter().collect();
        assert_eq!(another.len(), 2_000);
        let both = lists.listed.iter().filter(|address| another.contains(address)).count();
        assert_eq!(both, lists.staying.iter().collect::<HashSet<_>>().len());
        assert!(lists.staying.iter().all(|address| another.contains(address)));
        assert!(!lists.others.iter().any(|address| another.contains(address)));
    }

    #[test]
    fn prefixes_have_as_many_lengths_as_are_asked_for_and_contain_nobody_else() {
        assert_eq!(shortened([198, 51, 100, 255].into(), 24), ([198, 51, 100, 0].into(), 24));
        let lists = Lists::new(2_000);
        for lengths in [1, 3, 9, 17, 25] {
            let all: HashSet<_> = with_lengths(&lists.listed, lengths).into_iter().collect();
            let seen: HashSet<_> = all.iter().map(|(_, bits)| bits).collect();
            assert_eq!(seen.len(), usize::from(lengths));
            for &other in &lists.others {
                assert!((8..=32).all(|bits| !all.contains(&shortened(other, bits))), "{other}");
            }
        }
    }

    #[test]
    fn each_address_has_one_of_the_other_family() {
        let address = Ipv4Addr::new(198, 51, 100, 7);
        assert_eq!(Family::V6.of(address).to_string(), "2a00:1:c633:6407::1");
        assert_eq!(Family::V4.of(address).to_string(), "198.51.100.7");
    }
}
