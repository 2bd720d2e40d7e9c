//! Sets of nftables itself, of addresses or of intervals, filled by `nft -f`.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::{Way, feed};

struct Nftables {
    /// Intervals, in place of addresses.
    intervals: bool,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![Box::new(Nftables { intervals: false }), Box::new(Nftables { intervals: true })]
}

impl Way for Nftables {
    fn name(&self) -> String {
        if self.intervals { "nft set, intervals" } else { "nft set, addresses" }.to_owned()
    }

    fn is_quick(&self) -> bool {
        !self.intervals
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let flags = if self.intervals { "flags interval;" } else { "" };
        let text = format!(
            "table ip bad {{\n set listed {{ type ipv4_addr; {flags} elements = {{ {} }} }}\n \
             chain input {{ type filter hook input priority 0; ip saddr @listed drop; }}\n}}\n",
            elements(listed)
        );
        feed(site, "nft -f -", &text)
    }

    /// In one transaction.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        let mut text = String::new();
        for (verb, addresses) in [("add", change.come), ("delete", change.leave)] {
            if !addresses.is_empty() {
                // A string takes any text.
                let _ =
                    writeln!(text, "{verb} element ip bad listed {{ {} }}", elements(addresses));
            }
        }
        feed(site, "nft -f -", &text)
    }
}

fn elements(addresses: &[Ipv4Addr]) -> String {
    let mut text = String::with_capacity(addresses.len() * 16);
    for address in addresses {
        let _ = write!(text, "{address},");
    }
    text
}
