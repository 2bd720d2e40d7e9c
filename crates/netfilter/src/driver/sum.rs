//! Whether a set holds exactly the members that it should, told by a sum over
//! both: the kernel's go by once, in whatever order they come, and are never
//! all in memory.

use std::hash::{BuildHasher, RandomState};

use blocklist::{Address, AnyPrefix, Prefix, PrefixSet};
use reconcile::Members;

use crate::SetEntry;

/// The numbers that make this process's sums, which nobody else knows: no two
/// lists can be made to have the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys([u64; 3]);

/// A sum over members that does not depend on their order. Two sets of the same
/// number of members that are not the same have the same sum once in 2^64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MemberSum {
    count: u64,
    sum: u64,
}

impl Keys {
    /// Others each time.
    pub(super) fn random() -> Self {
        let random = RandomState::new();
        Self([0, 1, 2].map(|number| random.hash_one(number)))
    }

    fn member<A: Address>(&self, member: Prefix<A>) -> u64 {
        let address = member.first().to_u128();
        #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
        let (upper, lower) = ((address >> 64) as u64, address as u64);
        let Self([first, second, third]) = *self;
        let mixed = fold(upper ^ first, lower ^ second);
        fold(mixed ^ u64::from(member.length()), third)
    }
}

impl MemberSum {
    /// That of these members. Takes about 3 ns each.
    pub(super) fn of(members: &Members, keys: &Keys) -> Self {
        fn sum<A: Address>(members: &PrefixSet<A>, keys: &Keys) -> u64 {
            members.iter().fold(0, |sum, member| sum.wrapping_add(keys.member(member)))
        }
        let sum = match members {
            Members::V4(members) => sum(members, keys),
            Members::V6(members) => sum(members, keys),
        };
        Self { count: members.len() as u64, sum }
    }

    /// Adds what the kernel has shown. What is no plain prefix is in none of our
    /// sets: it counts, and so too much is counted or its sum lacks a member.
    pub(super) fn add(&mut self, entry: SetEntry, keys: &Keys) {
        self.count += 1;
        self.sum = self.sum.wrapping_add(match entry {
            SetEntry::Member(AnyPrefix::V4(prefix)) => keys.member(prefix),
            SetEntry::Member(AnyPrefix::V6(prefix)) => keys.member(prefix),
            SetEntry::Other => 0,
        });
    }
}

/// Both halves of the product.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "its two halves")]
    let halves = ((product >> 64) as u64, product as u64);
    halves.0 ^ halves.1
}

#[cfg(test)]
mod tests {
    use blocklist::Prefixes;

    use super::*;

    fn entries(texts: &[&str]) -> Vec<SetEntry> {
        texts.iter().map(|text| SetEntry::Member(text.parse().expect("a prefix"))).collect()
    }

    /// Whether what the kernel shows has the sum of these members.
    fn check(members: &[&str], shown: &[SetEntry], same: bool) {
        let members: Prefixes =
            members.iter().map(|text| text.parse::<AnyPrefix>().expect("a prefix")).collect();
        let members: Members =
            if members.ipv6.is_empty() { members.ipv4.into() } else { members.ipv6.into() };
        let keys = Keys::random();
        let mut sum = MemberSum::default();
        for &entry in shown {
            sum.add(entry, &keys);
        }
        assert_eq!(sum == MemberSum::of(&members, &keys), same, "{members:?}, {shown:?}");
    }

    #[test]
    fn the_order_does_not_matter_and_every_member_does() {
        let ours = ["10.0.0.0/8", "10.0.0.0/9", "192.0.2.1", "192.0.2.2"];
        let others = ["192.0.2.2", "10.0.0.0/9", "192.0.2.1", "10.0.0.0/8"];
        check(&ours, &entries(&others), true);
        check(&ours, &entries(&others[..3]), false);
        for another in ["192.0.2.3", "192.0.2.2/31", "10.0.0.0/8", "0.0.0.0/1"] {
            check(&ours, &entries(&["10.0.0.0/8", "10.0.0.0/9", "192.0.2.1", another]), false);
        }
        let strange = [&entries(&ours[..3])[..], &[SetEntry::Other]].concat();
        check(&ours, &strange, false);
        check(&ours, &[&entries(&ours)[..], &[SetEntry::Other]].concat(), false);
        check(&["2001:db8::/32", "2001:db8::1"], &entries(&["2001:db8::1", "2001:db8::/32"]), true);
        check(
            &["2001:db8::/32", "2001:db8::1"],
            &entries(&["2001:db8::2", "2001:db8::/32"]),
            false,
        );
        check(&[], &[], true);
    }
}
