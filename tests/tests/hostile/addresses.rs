//! Addresses of both families as the corpus writes them: stretches with a
//! blank between them, a stretch as an address, a prefix or `first-last`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lab::intervals::Intervals;
use lab::members::SortedPrefixes;
use lab::members::prefix;

/// `::ffff:0:0/96`: what these name are IPv4 addresses, which no IPv6 packet
/// has.
const MAPPED: (u128, u128) = (0xffff << 32, (0x1_0000 << 32) - 1);

/// Addresses, however many prefixes they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Addresses {
    ipv4: Intervals,
    ipv6: Intervals,
}

impl Addresses {
    /// The addresses of prefixes.
    pub(crate) fn of(members: &SortedPrefixes) -> Self {
        let [ipv4, ipv6] = [true, false].map(|ipv4| Intervals::of(members, ipv4));
        Self { ipv4, ipv6 }
    }

    /// The addresses that a column has; none, if it has a word there.
    pub(crate) fn read(column: &str) -> Self {
        let mut read = Self::default();
        for stretch in column.split(' ') {
            let ends = match stretch.split_once('-') {
                Some((first, last)) => [first, last].map(prefix),
                None => [prefix(stretch); 2],
            };
            let [Some(first), Some(last)] = ends else { return Self::default() };
            let [first, last] = [first, last].map(|end| Self::of(&[end].into_iter().collect()));
            let between = |first: &Intervals, last: &Intervals| {
                first.iter().zip(last.iter()).map(|((first, _), (_, last))| (first, last)).collect()
            };
            read.ipv4 = read.ipv4.with(&between(&first.ipv4, &last.ipv4));
            read.ipv6 = read.ipv6.with(&between(&first.ipv6, &last.ipv6));
        }
        read
    }

    /// Those that are not in `other`.
    pub(crate) fn without(&self, other: &Self) -> Self {
        Self { ipv4: self.ipv4.without(&other.ipv4), ipv6: self.ipv6.without(&other.ipv6) }
    }

    /// Those that a packet can have.
    pub(crate) fn felt(&self) -> Self {
        let mapped = Self { ipv4: Intervals::default(), ipv6: [MAPPED].into_iter().collect() };
        self.without(&mapped)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ipv4.is_empty() && self.ipv6.is_empty()
    }

    /// Each stretch as it is written.
    pub(crate) fn stretches(&self) -> Vec<String> {
        let ipv4 = |address| {
            let address = u32::try_from(address).expect("an IPv4 address has 32 bits");
            IpAddr::from(Ipv4Addr::from_bits(address))
        };
        let ipv6 = |address| IpAddr::from(Ipv6Addr::from_bits(address));
        let ipv4 = self.ipv4.iter().map(|stretch| written(stretch, 32, ipv4));
        ipv4.chain(self.ipv6.iter().map(|stretch| written(stretch, 128, ipv6))).collect()
    }
}

fn written((first, last): (u128, u128), bits: u32, ip: impl Fn(u128) -> IpAddr) -> String {
    let hosts = first ^ last;
    let is_prefix = hosts & hosts.wrapping_add(1) == 0 && first & hosts == 0;
    match bits - hosts.count_ones() {
        length if is_prefix && length == bits => ip(first).to_string(),
        length if is_prefix => format!("{}/{length}", ip(first)),
        _ => format!("{}-{}", ip(first), ip(last)),
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.stretches().join(" "))
    }
}

#[test]
fn what_is_read_is_written_the_same() {
    for text in [
        "192.0.2.1",
        "192.0.2.0/24",
        "192.0.2.3-192.0.2.9",
        "0.0.0.0/0",
        "192.0.2.1 198.51.100.1 2001:db8::/32",
        "::/0",
        "2001:db8::1-2001:db8::9",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        assert_eq!(Addresses::read(text).to_string(), text);
    }
    assert_eq!(Addresses::read("192.0.2.0-192.0.2.255").to_string(), "192.0.2.0/24");
    assert!(Addresses::read("error").is_empty());
    assert!(Addresses::read("::ffff:c000:201").felt().is_empty());
}
