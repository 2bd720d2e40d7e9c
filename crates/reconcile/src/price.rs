//! What a change costs the kernel, told before it is made: its time, by the
//! way the change goes, and its memory.

use std::fmt;

use blocklist::Family;

use crate::Capacity;

/// What the kernel takes for a member of a new table that is filled in the
/// order of its buckets, in nanoseconds.
///
/// Both were measured on 2026-11-29 with a million members, Linux 6.18 (`cargo
/// xtask bench probe delta`, 5 rounds). Only how they compare matters.
const FILL_NS: u64 = 310;
/// For a member that is added to a table in use, or deleted from it, here and
/// there: a tenth of the table at once, half of them added.
const CHANGE_NS: u64 = 550;

/// Whether it takes less time to change so many members where they are than to
/// write all of a new set.
pub(crate) fn is_cheaper_in_place(added: usize, deleted: usize, after: usize) -> bool {
    CHANGE_NS * (added + deleted) as u64 <= FILL_NS * after as u64
}

/// Slots in a bucket at the most, as the kernel has it by default; it makes
/// room for two more at a time.
const SLOTS_MAX: u32 = 12;
/// Bytes of `struct hbucket` (`net/netfilter/ipset/ip_set_hash_gen.h`) before its slots.
const BUCKET_BYTES: u64 = 32;
/// What the kernel hands out for smaller requests, in bytes (`kmalloc-*` of
/// `/proc/slabinfo`).
const SLABS: [u64; 7] = [32, 64, 96, 128, 192, 256, 512];

impl Capacity {
    /// About how many bytes of kernel memory a set of this size takes with so
    /// many members: a pointer for each bucket, and buckets with room for as
    /// many as chance puts into them, each rounded up to what the kernel hands
    /// out. It is more than a set says of itself (`ipset list`, "Size in
    /// memory"), which leaves out the pointers and the rounding.
    pub fn bytes(self, family: Family, members: usize) -> u64 {
        let entry = match family {
            Family::Ipv4 => 8,
            Family::Ipv6 => 20,
        };
        let buckets = f64::from(self.hashsize.max(1));
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let share = members as f64 / buckets;
        // Poisson: how likely a bucket has so many.
        let mut likely = (-share).exp();
        let (mut rest, mut bytes) = (1.0 - likely, 0.0);
        for held in 1..=SLOTS_MAX {
            likely *= share / f64::from(held);
            // What is left over has no more room than the fullest.
            let these = if held == SLOTS_MAX { rest } else { likely };
            rest -= likely;
            let slots = u64::from(held.next_multiple_of(2));
            bytes += these * slab(BUCKET_BYTES + slots * entry);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a finite number of bytes, not negative"
        )]
        let buckets_bytes = (bytes * buckets) as u64;
        u64::from(self.hashsize) * 8 + buckets_bytes
    }
}

/// What the kernel hands out for a request of so many bytes.
fn slab(bytes: u64) -> f64 {
    let size = SLABS.into_iter().find(|&size| size >= bytes).unwrap_or(bytes);
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

/// Kernel memory that a change would take and that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// What it takes, in bytes.
    pub needed: u64,
    /// What is available on this host, in bytes, of which a quarter is left to
    /// others.
    pub available: u64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [needed, available] = [self.needed, self.available].map(|bytes| bytes >> 20);
        write!(
            out,
            "it takes {needed} MiB of kernel memory more for a time, and {available} MiB are \
             available, of which a quarter is left to others"
        )
    }
}

/// The memory that a plan may take, for all of its sets together.
#[derive(Debug)]
pub(crate) struct Room {
    /// `None` if it is not known.
    available: Option<u64>,
    taken: u64,
}

impl Room {
    pub(crate) fn new(available: Option<u64>) -> Self {
        Self { available, taken: 0 }
    }

    /// Whether there are so many bytes.
    pub(crate) fn has(&self, needed: u64) -> bool {
        self.lacks(needed).is_none()
    }

    /// Takes so many bytes, if there are as many.
    pub(crate) fn take(&mut self, needed: u64) -> Result<(), Shortage> {
        if let Some(shortage) = self.lacks(needed) {
            return Err(shortage);
        }
        self.taken += needed;
        Ok(())
    }

    fn lacks(&self, needed: u64) -> Option<Shortage> {
        let available = self.available?;
        let left = (available - available / 4).saturating_sub(self.taken);
        (needed > left).then_some(Shortage { needed, available })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(family: Family, members: usize, bytes_a_member: [u64; 2]) {
        let bytes = Capacity::for_members(members).bytes(family, members) / members as u64;
        let [least, most] = bytes_a_member;
        assert!((least..=most).contains(&bytes), "{bytes} bytes for each of {members} {family}");
    }

    #[test]
    fn the_memory_of_a_set_is_what_was_measured() {
        // By /proc/meminfo before and seconds after (SUnreclaim and VmallocUsed), Linux
        // 6.18, 2026-11-29, filled in the order of buckets: 70 and 97 bytes with a
        // million, 62 and 88 with ten. In no order the last is 93.
        check(Family::Ipv4, 1_000_000, [66, 71]);
        check(Family::Ipv6, 1_000_000, [92, 98]);
        check(Family::Ipv4, 10_000_000, [60, 63]);
        check(Family::Ipv6, 10_000_000, [86, 90]);
        let empty = Capacity::for_members(0);
        assert_eq!(empty.bytes(Family::Ipv4, 0), 8 * 1_024);
        // However full it is, it takes no more than its fullest buckets do.
        assert_eq!(empty.bytes(Family::Ipv4, 1 << 20), 1_024 * (8 + 128));
    }

    #[test]
    fn what_is_taken_by_one_set_is_not_there_for_the_next() {
        let mut room = Room::new(Some(400));
        assert_eq!(room.take(200), Ok(()));
        assert_eq!(room.take(101), Err(Shortage { needed: 101, available: 400 }));
        assert_eq!(room.take(100), Ok(()));
        assert_eq!(Room::new(None).take(u64::MAX), Ok(()));
    }
}
