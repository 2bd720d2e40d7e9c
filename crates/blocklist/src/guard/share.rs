//! Shares in percent, compared exactly and shown with one decimal. Knows of
//! guards only that they ask.

use std::fmt;

use crate::{Address, Prefix, PrefixSet};

/// A part of a whole, which may be more than the whole. Both stay below 2^96,
/// so that a thousand times as much still fits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    pub part: u128,
    pub whole: u128,
}

impl Share {
    /// Whether it is more than `percent`. A part of nothing is not.
    pub(super) fn is_above(self, percent: u32) -> bool {
        self.part * 100 > self.whole * u128::from(percent)
    }
}

/// Rounded up, so that what is above a limit never looks like the limit.
impl fmt::Display for Share {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.part * 1_000).div_ceil(self.whole.max(1));
        write!(out, "{}.{} %", tenths / 10, tenths % 10)
    }
}

/// How much of `space` the addresses of `set` cover without those of `except`.
pub(super) fn share_of_prefix<A: Address>(
    set: &PrefixSet<A>,
    except: &PrefixSet<A>,
    space: Prefix<A>,
) -> Share {
    let excepted = set.intersect(except).address_count_in(space);
    let covered = set.address_count_in(space).without(excepted).to_u128();
    // A space of more than 2^64 addresses is counted in 2^64 parts, so that a
    // share of it can be multiplied.
    let free_bits = u32::from(A::BITS - space.length());
    let dropped = free_bits.saturating_sub(64);
    let whole = 1_u128 << (free_bits - dropped);
    Share { part: covered.map_or(whole, |count| count >> dropped), whole }
}
