//! Prefix sets of both families side by side, for everything that is said
//! about addresses without naming a family.

use std::net::IpAddr;

use crate::{AnyPrefix, Lengths, PrefixSet};

/// One prefix set of each family.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prefixes {
    /// The IPv4 prefixes.
    pub ipv4: PrefixSet<u32>,
    /// The IPv6 prefixes.
    pub ipv6: PrefixSet<u128>,
}

impl Prefixes {
    /// No prefix.
    pub fn new() -> Self {
        Self { ipv4: PrefixSet::new(), ipv6: PrefixSet::new() }
    }

    /// How many prefixes there are in both families.
    pub fn len(&self) -> usize {
        self.ipv4.len() + self.ipv6.len()
    }

    /// Whether there is none in either family.
    pub fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty()
    }

    /// All prefixes, IPv4 first, each family sorted.
    pub fn iter(&self) -> impl Iterator<Item = AnyPrefix> + Clone + '_ {
        let ipv6 = self.ipv6.iter().map(AnyPrefix::V6);
        self.ipv4.iter().map(AnyPrefix::V4).chain(ipv6)
    }

    /// Whether any prefix holds `address`.
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.ipv4.contains(address.into()),
            IpAddr::V6(address) => self.ipv6.contains(address.into()),
        }
    }

    /// All prefixes that hold `address`, shortest first.
    pub fn covering(&self, address: IpAddr) -> Vec<AnyPrefix> {
        match address {
            IpAddr::V4(ip) => self.ipv4.covering(ip.into()).into_iter().map(Into::into).collect(),
            IpAddr::V6(ip) => self.ipv6.covering(ip.into()).into_iter().map(Into::into).collect(),
        }
    }

    /// See [`PrefixSet::union`].
    pub fn union<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        let all: Vec<&Self> = all.into_iter().collect();
        Self {
            ipv4: PrefixSet::union(all.iter().map(|prefixes| &prefixes.ipv4)),
            ipv6: PrefixSet::union(all.iter().map(|prefixes| &prefixes.ipv6)),
        }
    }

    /// See [`PrefixSet::union_of`].
    pub fn union_of(all: impl IntoIterator<Item = Self>) -> Self {
        let (ipv4, ipv6): (Vec<_>, Vec<_>) =
            all.into_iter().map(|Self { ipv4, ipv6 }| (ipv4, ipv6)).unzip();
        Self { ipv4: PrefixSet::union_of(ipv4), ipv6: PrefixSet::union_of(ipv6) }
    }

    /// See [`PrefixSet::without_covered`].
    #[must_use]
    pub fn without_covered(&self) -> Self {
        Self { ipv4: self.ipv4.without_covered(), ipv6: self.ipv6.without_covered() }
    }

    /// See [`PrefixSet::in_few_lengths`]; no lengths are kept.
    #[must_use]
    pub fn in_few_lengths(&self, extra_percent_max: u32) -> Self {
        let kept = Lengths::default();
        let ipv4 = self.ipv4.in_few_lengths(extra_percent_max, &kept);
        let ipv6 = self.ipv6.in_few_lengths(extra_percent_max, &kept);
        Self {
            ipv4: ipv4.unwrap_or_else(|| self.ipv4.clone()),
            ipv6: ipv6.unwrap_or_else(|| self.ipv6.clone()),
        }
    }

    /// See [`PrefixSet::aggregate`].
    #[must_use]
    pub fn aggregate(&self) -> Self {
        Self { ipv4: self.ipv4.aggregate(), ipv6: self.ipv6.aggregate() }
    }

    /// See [`PrefixSet::subtract`].
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        Self { ipv4: self.ipv4.subtract(&other.ipv4), ipv6: self.ipv6.subtract(&other.ipv6) }
    }

    /// See [`PrefixSet::intersect`].
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self { ipv4: self.ipv4.intersect(&other.ipv4), ipv6: self.ipv6.intersect(&other.ipv6) }
    }

    /// See [`PrefixSet::difference`].
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self { ipv4: self.ipv4.difference(&other.ipv4), ipv6: self.ipv6.difference(&other.ipv6) }
    }
}

impl FromIterator<AnyPrefix> for Prefixes {
    fn from_iter<I: IntoIterator<Item = AnyPrefix>>(prefixes: I) -> Self {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for prefix in prefixes {
            match prefix {
                AnyPrefix::V4(prefix) => ipv4.push(prefix),
                AnyPrefix::V6(prefix) => ipv6.push(prefix),
            }
        }
        Self { ipv4: PrefixSet::from_unsorted(ipv4), ipv6: PrefixSet::from_unsorted(ipv6) }
    }
}
