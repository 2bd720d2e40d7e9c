//! Rules and sets as the real programs load them, and as we read them: the same
//! file, and packets from every address that it names and from those beside it.
//! An address is blocked by what was loaded, whatever it sends, exactly if we list
//! it.
//!
//! Some files are written by hand, each for a case that is easily got wrong, and
//! others are made up from the same parts, by a fixed seed. The packets are UDP to
//! two ports: where a file has a rule about a port, it is one of them. Web servers
//! are asked for pages.

mod apache;
mod ipset;
mod iptables;
mod nft;
mod nginx;
mod sdbm;
mod web;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use blocklist::{AnyRange, Feed, Format, FormatChoice, Limits, parse, parse_entry};
use lab::packets::{Fate, PacketProbe};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("less than the limit")
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// One of few prefixes, so that they meet one another.
    fn prefix(&mut self) -> String {
        let length = 28 + self.below(5);
        let address = Ipv4Addr::from(0xc000_0200 | u32::try_from(self.below(16)).expect("small"));
        let host = u32::MAX.checked_shl(32 - u32::try_from(length).expect("small")).unwrap_or(0);
        format!("{}/{length}", Ipv4Addr::from(u32::from(address) & host))
    }
}

/// The addresses that a text names: the first and the last of each entry, and
/// those before and behind it.
fn named(text: &str) -> BTreeSet<IpAddr> {
    let apart = |c: char| !(c.is_ascii_hexdigit() || ".:/".contains(c));
    let entries = text.split(apart).filter_map(|word| parse_entry(word.as_bytes()).ok());
    let ends = entries.flat_map(|entry| match entry.range {
        AnyRange::V4(range) => {
            let (first, last) = (range.first(), range.last());
            let all = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
            all.map(|address| IpAddr::from(Ipv4Addr::from(address)))
        }
        AnyRange::V6(range) => {
            let (first, last) = (range.first(), range.last());
            let all = [first.wrapping_sub(1), first, last, last.wrapping_add(1)];
            all.map(|address| IpAddr::from(Ipv6Addr::from(address)))
        }
    });
    // What no packet can come from says nothing.
    ends.filter(|address| match address {
        IpAddr::V4(address) => (1..=223).contains(&address.octets()[0]) && !address.is_loopback(),
        IpAddr::V6(address) => address.segments()[0] & 0xe000 == 0x2000,
    })
    .collect()
}

fn lists(feed: &Feed, address: IpAddr) -> bool {
    feed.prefixes.contains(address) || feed.expiring.values().any(|set| set.contains(address))
}

/// Packets to two ports.
struct Ports([PacketProbe; 2]);

impl Ports {
    fn new() -> Self {
        Self([PacketProbe::new(), PacketProbe::new()])
    }

    /// The text of a file, with the port that rules may be about instead of `PORT`.
    fn in_place(&self, text: &str) -> String {
        text.replace("PORT", &self.0[0].port().to_string())
    }

    /// Whether nothing arrives of what an address sends.
    fn drop_all(&mut self, address: IpAddr) -> bool {
        self.0.iter_mut().all(|probe| probe.fate(address) == Fate::Dropped)
    }
}

/// Asks packets and the reader about a file that was loaded. Read without the
/// name of its format it is the same, or in doubt.
fn compare(format: Format, text: &str, ports: &mut Ports) {
    compare_but(format, text, &[], ports);
}

/// The same of a file that drops also these, which we leave out.
fn compare_but(format: Format, text: &str, left_out: &[&str], ports: &mut Ports) {
    compare_with(format, text, left_out, |address| ports.drop_all(address));
}

/// The same, of what `blocks` blocks.
fn compare_with(
    format: Format,
    text: &str,
    left_out: &[&str],
    mut blocks: impl FnMut(IpAddr) -> bool,
) {
    let feed = parse(text.as_bytes(), format, &Limits::default());
    assert_eq!((&feed.rejects, &feed.doubt), (&Vec::new(), &None), "{text}");
    let found = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
    assert!(found.doubt.is_some() || found.prefixes == feed.prefixes, "{text}");
    let named = named(text).into_iter();
    let other: Vec<_> = named.filter(|&address| lists(&feed, address) != blocks(address)).collect();
    assert!(!other.iter().any(|&address| lists(&feed, address)), "{other:?} by\n{text}");
    let other: Vec<_> = other.iter().map(ToString::to_string).collect();
    assert_eq!(other, left_out, "these are dropped and not listed:\n{text}");
}
