//! Addresses to test with: random, public, the same for the same seed. What
//! no list may block, such as private networks, is never among them.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A small generator of random numbers, splitmix64 (Steele, Lea and Flood,
/// "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub struct RandomNumbers(u64);

impl RandomNumbers {
    /// The generator that begins at `seed`, which is printed: a failure can
    /// be had again by it.
    pub fn seeded(seed: u64) -> Self {
        println!("seed {seed}");
        Self::fixed(seed)
    }

    /// The same, where the seed never is another: nobody needs to be told.
    pub fn fixed(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below `limit`.
    ///
    /// # Panics
    /// If `limit` is zero.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    /// A public IPv4 address.
    pub fn ipv4(&mut self) -> Ipv4Addr {
        loop {
            let address = Ipv4Addr::from_bits((self.number() >> 32) as u32);
            if is_public(address) {
                return address;
            }
        }
    }

    /// A public IPv6 address, of `2a00::/12`.
    pub fn ipv6(&mut self) -> Ipv6Addr {
        let bits = u128::from(self.number()) << 64 | u128::from(self.number());
        Ipv6Addr::from_bits(0x2a00_u128 << 112 | bits >> 12)
    }

    /// `count` different addresses, one in `ipv6_every` of them IPv6 (none
    /// if it is zero).
    pub fn addresses(&mut self, count: usize, ipv6_every: usize) -> Vec<IpAddr> {
        let mut seen = HashSet::with_capacity(count);
        let mut addresses = Vec::with_capacity(count);
        while addresses.len() < count {
            let ipv6 = ipv6_every != 0 && addresses.len() % ipv6_every == 0;
            let address = if ipv6 { self.ipv6().into() } else { self.ipv4().into() };
            if seen.insert(address) {
                addresses.push(address);
            }
        }
        addresses
    }
}

/// Whether an address is neither special (RFC 6890) nor multicast.
fn is_public(address: Ipv4Addr) -> bool {
    match address.octets() {
        [0 | 10 | 127 | 224..=255, ..] => false,
        [100, second, ..] => second & 0xc0 != 64,
        [172, second, ..] => second & 0xf0 != 16,
        [169, 254, ..] | [192, 168 | 0, ..] | [198, 18 | 19 | 51, ..] | [203, 0, 113, _] => false,
        _ => true,
    }
}

/// A feed file of `addresses`, one to a line, in the order given.
pub fn feed(addresses: &[IpAddr]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(addresses.len() * 16);
    for address in addresses {
        writeln!(text, "{address}").expect("a string takes any text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_addresses_each_once() {
        let once = RandomNumbers::seeded(7).addresses(2000, 3);
        assert_eq!(once, RandomNumbers::seeded(7).addresses(2000, 3));
        assert_ne!(once, RandomNumbers::seeded(8).addresses(2000, 3));
        assert_eq!(once.iter().collect::<HashSet<_>>().len(), 2000);
        assert_eq!(once.iter().filter(|address| address.is_ipv6()).count(), 667);
    }

    #[test]
    fn splitmix64_gives_the_numbers_it_is_known_by() {
        let mut random = RandomNumbers::seeded(1_234_567);
        let got = [random.number(), random.number(), random.number()];
        assert_eq!(
            got,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }
}
