//! A rule for each address, one after the other, by either program of iptables.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{Effort, Trouble};
use super::{Way, feed, joined, lines};

struct Linear {
    backend: &'static str,
    quick_too: bool,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![
        Box::new(Linear { backend: "legacy", quick_too: true }),
        Box::new(Linear { backend: "nft", quick_too: true }),
    ]
}

impl Way for Linear {
    fn name(&self) -> String {
        format!("linear rules, iptables-{}", self.backend)
    }

    fn is_quick(&self) -> bool {
        self.quick_too
    }

    fn most(&self) -> Option<(usize, &'static str)> {
        Some((100_000, "at 100,000 a packet costs hundreds of microseconds already"))
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let rules = joined(listed, |text, address| write!(text, "-A INPUT -s {address} -j DROP"));
        let text = format!("*filter\n:INPUT ACCEPT\n{rules}COMMIT\n");
        feed(site, &format!("iptables-{}-restore -w", self.backend), &text)
    }

    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        match (change.leave, change.come) {
            ([], [one]) => {
                lines(&[&format!("iptables-{} -w -A INPUT -s {one} -j DROP", self.backend)])
            }
            _ => self.load(site, &change.whole),
        }
    }
}
