//! Addresses as intervals: a second, plain way to say which addresses a list
//! has, to compare with what the program and the kernel make of it.

use std::net::IpAddr;

use crate::members::SortedPrefixes;

/// First and last address of a stretch, as numbers.
type Interval = (u128, u128);

/// Addresses of one family: stretches in order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Intervals(Vec<Interval>);

impl Intervals {
    /// The addresses of the members of one family.
    pub fn of(members: &SortedPrefixes, ipv4: bool) -> Self {
        let family = members.iter().filter(|(address, _)| address.is_ipv4() == ipv4);
        Self::from_unsorted(family.map(interval).collect())
    }

    fn from_unsorted(mut stretches: Vec<Interval>) -> Self {
        stretches.sort_unstable();
        let mut merged: Vec<Interval> = Vec::new();
        for (first, last) in stretches {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    /// The first and last address of each stretch, as numbers.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u128, u128)> + '_ {
        self.0.iter().copied()
    }

    /// These addresses and those.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self::from_unsorted([&*self.0, &*other.0].concat())
    }

    /// These addresses but not those.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for &(first, last) in &self.0 {
            let start = other.0.partition_point(|&(_, end)| end < first);
            let mut next = Some(first);
            for &(from, to) in other.0[start..].iter().take_while(|&&(from, _)| from <= last) {
                if let Some(begin) = next.filter(|&begin| begin < from) {
                    left.push((begin, from - 1));
                }
                next = to.checked_add(1);
            }
            left.extend(next.filter(|&begin| begin <= last).map(|begin| (begin, last)));
        }
        Self(left)
    }

    /// How many addresses there are; the highest number stands for all of IPv6.
    pub fn count(&self) -> u128 {
        self.0.iter().fold(0, |sum, (first, last)| sum.saturating_add(last - first + 1))
    }

    /// How many stretches there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no address.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Of first and last addresses, in any order, overlapping or not.
impl FromIterator<(u128, u128)> for Intervals {
    fn from_iter<I: IntoIterator<Item = (u128, u128)>>(stretches: I) -> Self {
        Self::from_unsorted(stretches.into_iter().collect())
    }
}

fn interval((address, length): (IpAddr, u8)) -> Interval {
    let (number, bits) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let host_bits = u32::from(bits - length);
    let hosts = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
    (number & !hosts, number | hosts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(these: &str, but_not: &str, want: &str) {
        for ipv4 in [true, false] {
            let [these, but_not, want] =
                [these, but_not, want].map(|text| Intervals::of(&SortedPrefixes::of(text), ipv4));
            assert_eq!(these.without(&but_not), want, "{these:?} without {but_not:?}");
        }
    }

    #[test]
    fn what_is_taken_out_is_out_and_the_rest_stays() {
        check("10.0.0.0/8 10.1.0.0/16", "", "10.0.0.0/8");
        check("10.0.0.0/30", "10.0.0.1", "10.0.0.0 10.0.0.2/31");
        check("10.0.0.0/31 10.0.0.2/31", "10.0.0.0/30", "");
        check("0.0.0.0/1 128.0.0.0/1", "128.0.0.0/1", "0.0.0.0/1");
        check("255.255.255.255 0.0.0.0", "255.255.255.255", "0.0.0.0");
        check("::/0", "8000::/1", "::/1");
        check("::/126 10.0.0.9", "::1 ::3", ":: ::2 10.0.0.9");
    }

    #[test]
    fn each_address_counts_once() {
        let count = |text| Intervals::of(&SortedPrefixes::of(text), true).count();
        assert_eq!(count("10.0.0.0/8 10.1.0.0/16 11.0.0.1"), (1 << 24) + 1);
    }
}
