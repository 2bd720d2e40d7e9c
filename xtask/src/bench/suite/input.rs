//! What is put into sets: random members of one kind, the same for the same seed, as
//! members, as a feed and as the meters read them.

use std::fmt::{self, Write as _};

use blocklist::{AnyPrefix, Family, Prefix, PrefixSet};
use lab::generate::RandomNumbers;
use reconcile::Members;

/// What the members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Kind {
    /// Addresses of IPv4.
    HostsV4,
    /// Prefixes of IPv4, of nine lengths.
    MixedV4,
    /// Addresses of IPv6.
    HostsV6,
    /// Prefixes of IPv6, of five lengths.
    MixedV6,
}

impl Kind {
    /// As it is said.
    pub(in crate::bench) fn name(self) -> &'static str {
        match self {
            Self::HostsV4 => "IPv4",
            Self::MixedV4 => "IPv4, nine lengths",
            Self::HostsV6 => "IPv6",
            Self::MixedV6 => "IPv6, five lengths",
        }
    }

    /// Of the members.
    pub(in crate::bench) fn family(self) -> Family {
        match self {
            Self::HostsV4 | Self::MixedV4 => Family::Ipv4,
            Self::HostsV6 | Self::MixedV6 => Family::Ipv6,
        }
    }

    /// Whether all members are single addresses.
    pub(in crate::bench) fn is_hosts(self) -> bool {
        matches!(self, Self::HostsV4 | Self::HostsV6)
    }
}

/// Members of one kind.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Input {
    kind: Kind,
    members: Members,
}

impl Input {
    /// About so many: what comes twice, or lies in another, counts once.
    pub(in crate::bench) fn new(kind: Kind, count: usize, seed: u64) -> Self {
        let mut random = RandomNumbers::fixed(seed);
        let members = match kind {
            Kind::HostsV4 => hosts_v4(&mut random, count),
            Kind::HostsV6 => {
                PrefixSet::from_hosts((0..count).map(|_| random.ipv6().to_bits()).collect()).into()
            }
            Kind::MixedV4 => {
                let prefix = |at: usize, random: &mut RandomNumbers| {
                    let shorter = u8::try_from(at % 9).unwrap_or_default();
                    Prefix::containing(random.ipv4().to_bits(), 32 - shorter)
                };
                let all = (0..count).map(|at| prefix(at, &mut random)).collect();
                PrefixSet::from_unsorted(all).without_covered().into()
            }
            Kind::MixedV6 => {
                let prefix = |at: usize, random: &mut RandomNumbers| {
                    Prefix::containing(random.ipv6().to_bits(), [128, 64, 56, 48, 60][at % 5])
                };
                let all = (0..count).map(|at| prefix(at, &mut random)).collect();
                PrefixSet::from_unsorted(all).without_covered().into()
            }
        };
        Self { kind, members }
    }

    /// These members.
    pub(in crate::bench) fn of(kind: Kind, members: Members) -> Self {
        Self { kind, members }
    }

    /// Of what kind they are.
    pub(in crate::bench) fn kind(&self) -> Kind {
        self.kind
    }

    /// The members.
    pub(in crate::bench) fn members(&self) -> &Members {
        &self.members
    }

    /// As many of these as are asked for, from all over, and the others.
    pub(in crate::bench) fn split(&self, count: usize) -> [Self; 2] {
        let step = (self.members.len() / count.max(1)).max(1);
        let is_picked = |at: usize| at.is_multiple_of(step) && at / step < count;
        let part = |picked: bool| {
            let places = (0..self.members.len()).filter(|&at| is_picked(at) == picked);
            Self {
                kind: self.kind,
                members: gathered(self.kind, places.map(|at| self.members.at(at))),
            }
        };
        [part(true), part(false)]
    }

    /// These and those.
    pub(in crate::bench) fn with(&self, others: &Self) -> Self {
        Self { kind: self.kind, members: self.members.union(&others.members) }
    }

    /// All of them in an order that looks like none, each with what `line` makes of it.
    pub(in crate::bench) fn lines(
        &self,
        line: impl Fn(&mut String, AnyPrefix) -> fmt::Result,
    ) -> String {
        let mut text = String::with_capacity(self.members.len() * 20);
        for at in self.shuffled() {
            // A string takes any text.
            let _ = line(&mut text, self.members.at(at));
        }
        text
    }

    /// As a feed.
    pub(in crate::bench) fn feed(&self) -> String {
        self.lines(|text, member| writeln!(text, "{member}"))
    }

    /// As the meters read them: an address as it is on the wire, and of IPv4 its length
    /// and three bytes more.
    pub(in crate::bench) fn binary(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.members.len() * 16);
        for at in self.shuffled() {
            match self.members.at(at) {
                AnyPrefix::V4(prefix) => {
                    bytes.extend(prefix.first().to_be_bytes());
                    bytes.extend([prefix.length(), 0, 0, 0]);
                }
                AnyPrefix::V6(prefix) => bytes.extend(prefix.first().to_be_bytes()),
            }
        }
        bytes
    }

    /// All places, in random order.
    fn shuffled(&self) -> Vec<usize> {
        let mut random = RandomNumbers::fixed(11);
        let mut places: Vec<_> = (0..self.members.len()).collect();
        for last in (1..places.len()).rev() {
            let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or_default();
            places.swap(last, other);
        }
        places
    }
}

fn hosts_v4(random: &mut RandomNumbers, count: usize) -> Members {
    PrefixSet::from_hosts((0..count).map(|_| random.ipv4().to_bits()).collect()).into()
}

fn gathered(kind: Kind, members: impl Iterator<Item = AnyPrefix>) -> Members {
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for member in members {
        match member {
            AnyPrefix::V4(prefix) => ipv4.push(prefix),
            AnyPrefix::V6(prefix) => ipv6.push(prefix),
        }
    }
    match kind.family() {
        Family::Ipv4 => PrefixSet::from_unsorted(ipv4).into(),
        Family::Ipv6 => PrefixSet::from_unsorted(ipv6).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_of_their_kind_and_the_same_again() {
        for (kind, lengths) in
            [(Kind::HostsV4, 1), (Kind::MixedV4, 9), (Kind::HostsV6, 1), (Kind::MixedV6, 5)]
        {
            let input = Input::new(kind, 2_000, 7);
            let members = input.members();
            assert_eq!(members.family(), kind.family());
            assert_eq!(members.length_counts().len(), lengths, "{kind:?}");
            assert!((1_900..=2_000).contains(&members.len()), "{kind:?}");
            assert_eq!(members, Input::new(kind, 2_000, 7).members());
            assert_eq!(input.feed().lines().count(), members.len());
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let input = Input::new(Kind::HostsV4, 1_000, 7);
        let [some, rest] = input.split(100);
        assert_eq!(
            (some.members().len(), rest.members().len()),
            (100, input.members().len() - 100)
        );
        assert_eq!(some.with(&rest).members(), input.members());
    }
}
