//! Sets of `ipset`, asked by one rule, wherever that stands.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::super::super::lists::{Change, Family, prefix};
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::{Way, feed, joined, lines};

/// A rule that asks a set.
const INPUT: &str = "iptables-legacy -w -A INPUT -m set --match-set bad src -j DROP";
const INPUT_NFT: &str = "iptables-nft -w -A INPUT -m set --match-set bad src -j DROP";
const INPUT_V6: &str = "ip6tables-legacy -w -A INPUT -m set --match-set bad src -j DROP";
const NEW: &str =
    "iptables-legacy -w -A INPUT -m conntrack --ctstate NEW -m set --match-set bad src -j DROP";
const RAW: &str = "iptables-legacy -w -t raw -A PREROUTING -m set --match-set bad src -j DROP";
const CONNTRACK: &str =
    "iptables-legacy -w -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT";

struct Ipset {
    name: &'static str,
    kind: &'static str,
    rules: &'static [&'static str],
    update: Update,
    /// Prefixes of nine lengths in place of addresses.
    lengths: bool,
    family: Family,
}

/// How a list of many changes is put.
enum Update {
    /// What has changed, in place.
    Differences,
    /// All of it into another set, which takes the first one's place.
    Swap,
    /// All of it, into the set that was emptied before.
    Flush,
}

const PLAIN: Ipset = Ipset {
    name: "ipset hash:ip at INPUT",
    kind: "hash:ip",
    rules: &[INPUT],
    update: Update::Differences,
    lengths: false,
    family: Family::V4,
};

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![
        Box::new(PLAIN),
        Box::new(Ipset { name: "ipset hash:ip, iptables-nft", rules: &[INPUT_NFT], ..PLAIN }),
        Box::new(Ipset {
            name: "ipset hash:ip in raw, by swap",
            rules: &[RAW],
            update: Update::Swap,
            ..PLAIN
        }),
        Box::new(Ipset {
            name: "ipset hash:ip, flushed and filled",
            update: Update::Flush,
            ..PLAIN
        }),
        Box::new(Ipset {
            name: "ipset hash:ip behind conntrack",
            rules: &[CONNTRACK, INPUT],
            ..PLAIN
        }),
        Box::new(Ipset { name: "ipset hash:ip, new connections only", rules: &[NEW], ..PLAIN }),
        Box::new(Ipset { name: "ipset hash:net, one length", kind: "hash:net", ..PLAIN }),
        Box::new(Ipset {
            name: "ipset hash:net, nine lengths",
            kind: "hash:net",
            lengths: true,
            ..PLAIN
        }),
        Box::new(Ipset {
            name: "ipset hash:ip at INPUT, IPv6",
            rules: &[INPUT_V6],
            family: Family::V6,
            ..PLAIN
        }),
    ]
}

impl Ipset {
    fn entry(&self, address: Ipv4Addr) -> String {
        if self.lengths {
            let (network, length) = prefix(address);
            format!("{network}/{length}")
        } else {
            self.family.of(address).to_string()
        }
    }

    /// A set and all of its members, as `ipset restore` reads it.
    fn filled(&self, set: &str, listed: &[Ipv4Addr]) -> String {
        let members =
            joined(listed, |text, &address| write!(text, "add {set} {}", self.entry(address)));
        format!("{}{members}", self.created(set, listed.len()))
    }

    fn created(&self, set: &str, length: usize) -> String {
        let (size, most) = (length.next_power_of_two(), length + length / 10 + 2_000);
        let family = if self.family == Family::V4 { "inet" } else { "inet6" };
        format!("create {set} {} family {family} hashsize {size} maxelem {most}\n", self.kind)
    }

    fn whole(&self, site: &Site, whole: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let text = if matches!(self.update, Update::Swap) {
            format!("{}swap bad next\ndestroy next\n", self.filled("next", whole))
        } else {
            let filled = self.filled("bad", whole);
            let members = filled.split_once('\n').map_or("", |(_, members)| members);
            format!("flush bad\n{members}")
        };
        feed(site, "ipset -exist restore", &text)
    }
}

impl Way for Ipset {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn is_quick(&self) -> bool {
        self.name == PLAIN.name || matches!(self.update, Update::Flush)
    }

    fn family(&self) -> Family {
        self.family
    }

    fn replaces(&self) -> bool {
        !matches!(self.update, Update::Differences)
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        // Of prefixes some stand for several addresses.
        let effort = feed(site, "ipset -exist restore", &self.filled("bad", listed))?;
        Ok(effort.and(lines(self.rules)?))
    }

    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        if let ([], [one]) = (change.leave, change.come) {
            return lines(&[&format!("ipset add bad {}", self.family.of(*one))]);
        }
        if !matches!(self.update, Update::Differences) {
            return self.replace(site, &change.whole);
        }
        let come = change.come.iter().map(|&address| ("add", address));
        let leave = change.leave.iter().map(|&address| ("del", address));
        let text = joined(come.chain(leave), |text, (verb, address)| {
            write!(text, "{verb} bad {}", self.entry(address))
        });
        feed(site, "ipset -exist restore", &text)
    }

    fn replace(&self, site: &Site, whole: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        self.whole(site, whole)
    }
}
