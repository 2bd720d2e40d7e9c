//! A tree of chains: each asks for some bits of the address, and goes on to the chain
//! of those who share them. Where only one address is left, its rule stands at once.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::{Way, feed};

struct Tree {
    backend: &'static str,
    /// How many bits each chain asks for.
    bits: u32,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    let mut ways: Vec<Box<dyn Way>> = Vec::new();
    for backend in ["legacy", "nft"] {
        for bits in [1, 2, 4, 8] {
            ways.push(Box::new(Tree { backend, bits }));
        }
    }
    ways
}

impl Way for Tree {
    fn name(&self) -> String {
        format!("tree of chains, {}-ary, iptables-{}", 1 << self.bits, self.backend)
    }

    fn is_quick(&self) -> bool {
        self.bits == 4 && self.backend == "legacy"
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let program = format!("iptables-{}-restore -w", self.backend);
        feed(site, &program, &rules(listed, self.bits))
    }

    /// Where the tree changes nobody keeps account of: it is made anew.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        self.load(site, &change.whole)
    }
}

/// What `iptables-restore` is fed with.
fn rules(listed: &[Ipv4Addr], bits: u32) -> String {
    let mut sorted: Vec<u32> = listed.iter().map(|&address| address.into()).collect();
    sorted.sort_unstable();
    let (mut chains, mut rules) = (String::new(), String::new());
    branch("INPUT", &sorted, 0, bits, &mut chains, &mut rules);
    format!("*filter\n:INPUT ACCEPT\n{chains}{rules}COMMIT\n")
}

/// The rules of one chain, whose addresses share their first `known` bits, and those of
/// all chains below it.
fn branch(
    chain: &str,
    sorted: &[u32],
    known: u32,
    bits: u32,
    chains: &mut String,
    rules: &mut String,
) {
    let length = (known + bits).min(32);
    let network = |address: u32| address >> (32 - length) << (32 - length);
    for group in sorted.chunk_by(|one, other| network(*one) == network(*other)) {
        // A string takes any text.
        if let [one] = group {
            let _ = writeln!(rules, "-A {chain} -s {} -j DROP", Ipv4Addr::from(*one));
            continue;
        }
        let from = network(group[0]);
        let below = format!("n{from:08x}-{length}");
        let _ = writeln!(chains, ":{below} - [0:0]");
        let _ = writeln!(rules, "-A {chain} -s {}/{length} -g {below}", Ipv4Addr::from(from));
        branch(&below, group, length, bits, chains, rules);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_branches_only_where_addresses_part() {
        let listed = ["10.0.0.1", "10.0.0.2", "192.0.2.1"].map(|one| one.parse().expect("one"));
        let want = "*filter\n:INPUT ACCEPT\n\
            :n0a000000-8 - [0:0]\n:n0a000000-16 - [0:0]\n:n0a000000-24 - [0:0]\n\
            -A INPUT -s 10.0.0.0/8 -g n0a000000-8\n\
            -A n0a000000-8 -s 10.0.0.0/16 -g n0a000000-16\n\
            -A n0a000000-16 -s 10.0.0.0/24 -g n0a000000-24\n\
            -A n0a000000-24 -s 10.0.0.1 -j DROP\n\
            -A n0a000000-24 -s 10.0.0.2 -j DROP\n\
            -A INPUT -s 192.0.2.1 -j DROP\nCOMMIT\n";
        assert_eq!(rules(&listed, 8), want);
    }
}
