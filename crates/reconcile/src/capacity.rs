//! How large a table must be so that it never resizes, and should be so that
//! packets find their way fast. A resize holds the kernel's ipset lock for the
//! whole rebuild, 120 ms for a million members, and with a second writer it
//! loses members.

use crate::Capacity;

/// The kernel's own default and our least: an empty set costs 8 KiB.
const HASHSIZE_MIN: u32 = 1 << 10;
/// The kernel refuses more than this (`HTABLE_SIZE` in `ip_set_hash_gen.h`).
const HASHSIZE_MAX: u32 = 1 << 27;
/// The kernel's own default.
const MAXELEM_MIN: u32 = 1 << 16;

impl Capacity {
    /// Room for `members` and a margin of growth.
    ///
    /// There are at least six buckets for five members, of which a packet then
    /// finds most empty. For a million that is 2^21, and a packet of a member
    /// costs 88 ns more than without a rule and another 281, where 2^20 take 141
    /// and 620, and 2^22 take 85 and 255 (`cargo xtask bench tables`,
    /// 2026-11-29). To fill any of the three takes the same time. A set of a
    /// million IPv4 addresses takes 17 MiB more than in 2^20 ([`Self::bytes`]).
    ///
    /// The limit of members is half as much again: the kernel first checks
    /// each region's share of it, and close to the limit every add sums up all
    /// regions.
    pub fn for_members(members: usize) -> Self {
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        let buckets = members.div_ceil(5).saturating_mul(6);
        let hashsize = buckets.checked_next_power_of_two().unwrap_or(HASHSIZE_MAX);
        Self {
            hashsize: hashsize.clamp(HASHSIZE_MIN, HASHSIZE_MAX),
            maxelem: members.saturating_add(members / 2).max(MAXELEM_MIN),
        }
    }

    /// Whether a table of this size takes `members` without a resize and
    /// without coming close to its limit.
    ///
    /// With buckets of twelve slots the expected number of overfull buckets
    /// stays below 0.2 while members are at most 1/0.6 of the buckets, up to
    /// 14 million members. That is twice as many as [`Self::for_members`] puts
    /// into them, so that of its tables only the smallest, which may have
    /// more members by far, can get too small before they come close to their limit.
    pub fn holds(self, members: usize) -> bool {
        let members = members as u64;
        let roomy = members * 3 <= u64::from(self.hashsize) * 5 || self.hashsize >= HASHSIZE_MAX;
        roomy && members + members / 10 <= u64::from(self.maxelem)
    }

    /// Whether the limit at least does not forbid `members`.
    pub fn permits(self, members: usize) -> bool {
        members as u64 <= u64::from(self.maxelem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_holds_what_it_was_made_for() {
        for members in [0, 1, 853, 854, 65_536, 1_000_000, 10_000_000, 223_000_000] {
            let capacity = Capacity::for_members(members);
            assert!(capacity.hashsize.is_power_of_two());
            assert!(capacity.holds(members), "{members} in {capacity:?}");
        }
    }

    #[test]
    fn a_million_members_get_the_table_that_was_measured() {
        let capacity = Capacity::for_members(1_000_000);
        assert_eq!(capacity, Capacity { hashsize: 1 << 21, maxelem: 1_500_000 });
        assert!(!capacity.holds(1_400_000), "too close to the limit");
        assert!(capacity.permits(1_400_000));
    }

    #[test]
    fn a_table_has_six_buckets_for_five_members_and_less_than_twelve() {
        for members in [860, 1_000, 5_000, 873_813, 873_814, 1_000_000, 10_000_000] {
            let buckets = Capacity::for_members(members).hashsize as usize;
            assert!((members * 6..members * 12 + 60).contains(&(buckets * 5)), "{members}");
        }
    }

    #[test]
    fn a_table_of_ours_grows_to_its_limit_before_its_buckets_are_too_few() {
        for members in [65_536, 436_906, 873_813, 1_000_000, 10_000_000] {
            let capacity = Capacity::for_members(members);
            let endless = Capacity { maxelem: u32::MAX, ..capacity };
            assert!(endless.holds(capacity.maxelem as usize), "{members}");
        }
    }
}
