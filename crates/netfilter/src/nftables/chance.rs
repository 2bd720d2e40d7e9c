//! Picks one packet in so many, at the least cost to all others.
//!
//! Only what a rule is about to stop comes here, and still it should not cost.
//! A random number takes the kernel about a hundred nanoseconds a packet
//! (`get_random_u32()`), the time of day a good half of that. So where few are
//! picked the time goes first: only packets that come in one of 256 equal parts of
//! it draw a number, and the number decides. A counter of packets
//! (`nft_numgen.c`) would be cheaper still, on one processor: all write to it.

use netlink_packet_netfilter::nftables::{MetaKey, Operator};

use super::element::{Element, compare, is, keep_bits, meta};

/// Parts of the time of which one counts, where it is asked at all: they take
/// eight bits of it.
const PARTS: u32 = 256;

/// The lowest of these bits. Clocks may tick in steps of a hundred nanoseconds
/// (`HV_CLOCK_HZ`, `drivers/clocksource/hyperv_timer.c`), so that the bits below
/// are not as random as they look; and two packets in a row are hardly ever in the
/// same part.
const LOWEST_BIT: u32 = 8;

/// What holds for one packet in `one_in`, which is more than one. At least half of
/// the decision is left to the number: what comes in step with the time is picked
/// a little too often or too seldom then, and never always.
pub(super) fn one_in(one_in: u32) -> Vec<Element> {
    let parts = if one_in / 2 >= PARTS { PARTS } else { 1 };
    let mut conditions = Vec::new();
    if parts > 1 {
        let mask = u64::from(parts - 1) << LOWEST_BIT;
        conditions.push(meta(MetaKey::TimeNs));
        // As the kernel has it in a register. Four bytes are compared without a
        // call (`nft_bitwise_fast_eval()`, `nft_cmp_fast_eval()`); they are the
        // lower ones where the lower ones come first.
        let (mask, none) = (mask.to_ne_bytes(), 0_u64.to_ne_bytes());
        let width = if cfg!(target_endian = "little") { 4 } else { 8 };
        conditions.extend([keep_bits(&mask[..width]), is(&none[..width])]);
    }
    // What is loaded is as random byte by byte as it is as a number.
    let below = (1_u64 << 32) * u64::from(parts) / u64::from(one_in);
    let below = u32::try_from(below).expect("half of it at the most");
    conditions.push(meta(MetaKey::PseudoRandom));
    conditions.push(compare(Operator::LessThan, &below.to_be_bytes()));
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_asked_where_few_are_picked() {
        let conditions = [2, 511, 512, 1_000, u32::MAX].map(|count| one_in(count).len());
        assert_eq!(conditions, [2, 2, 5, 5, 5]);
    }
}
