//! Sets of nftables itself, of addresses or of intervals, filled by `nft -f`.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::super::super::lists::{Change, Family};
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::{Way, feed};

struct Nftables {
    /// Intervals, in place of addresses.
    intervals: bool,
    family: Family,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    [(false, Family::V4), (true, Family::V4), (false, Family::V6)]
        .into_iter()
        .map(|(intervals, family)| -> Box<dyn Way> { Box::new(Nftables { intervals, family }) })
        .collect()
}

impl Nftables {
    /// The family as rules and tables name it.
    fn ip(&self) -> &'static str {
        if self.family == Family::V4 { "ip" } else { "ip6" }
    }

    fn elements(&self, addresses: &[Ipv4Addr]) -> String {
        let mut text = String::with_capacity(addresses.len() * 16);
        for &address in addresses {
            // A string takes any text.
            let _ = write!(text, "{},", self.family.of(address));
        }
        text
    }
}

impl Way for Nftables {
    fn name(&self) -> String {
        let kind = if self.intervals { "intervals" } else { "addresses" };
        format!("nft set, {kind}{}", self.family.mark())
    }

    fn family(&self) -> Family {
        self.family
    }

    fn is_quick(&self) -> bool {
        !self.intervals && self.family == Family::V4
    }

    fn replaces(&self) -> bool {
        self.is_quick()
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let flags = if self.intervals { "flags interval;" } else { "" };
        let (ip, kind) = (self.ip(), if self.family == Family::V4 { "ipv4" } else { "ipv6" });
        let text = format!(
            "table {ip} bad {{\n set listed {{ type {kind}_addr; {flags} elements = {{ {} }} }}\n \
             chain input {{ type filter hook input priority 0; {ip} saddr @listed drop; }}\n}}\n",
            self.elements(listed)
        );
        feed(site, "nft -f -", &text)
    }

    /// In one transaction.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        let mut text = String::new();
        for (verb, addresses) in [("add", change.come), ("delete", change.leave)] {
            if !addresses.is_empty() {
                let (ip, elements) = (self.ip(), self.elements(addresses));
                let _ = writeln!(text, "{verb} element {ip} bad listed {{ {elements} }}");
            }
        }
        feed(site, "nft -f -", &text)
    }

    fn replace(&self, site: &Site, whole: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let (ip, elements) = (self.ip(), self.elements(whole));
        let text =
            format!("flush set {ip} bad listed\nadd element {ip} bad listed {{ {elements} }}\n");
        feed(site, "nft -f -", &text)
    }
}
