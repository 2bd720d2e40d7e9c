//! `xdp-filter` of xdp-tools, in generic mode as veth has it here. A process for each
//! address, and a map of 10,000: it is measured as far as that goes.

use std::net::Ipv4Addr;

use lab::wire::INTERFACE;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{self, Effort, Trouble};
use super::{LIMIT, Way};

struct Xdp;

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![Box::new(Xdp)]
}

impl Way for Xdp {
    fn name(&self) -> String {
        "XDP, xdp-filter in generic mode".to_owned()
    }

    fn most(&self) -> Option<(usize, &'static str)> {
        Some((1_000, "it takes a process for each address, and its map ends at 10,000"))
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let line = format!("xdp-filter load -m skb -f ipv4 {INTERFACE}");
        // Without BPF, or without the right to it, there is nothing to be tried.
        let loaded = tool::run(&line, LIMIT).map_err(Trouble::into_missing)?.effort;
        let change = Change { leave: &[], come: listed, whole: Vec::new() };
        Ok(loaded.and(self.change(site, &change)?))
    }

    fn change(&self, _site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        let mut effort = Effort::default();
        let come = change.come.iter().map(|address| ("", address));
        let leave = change.leave.iter().map(|address| ("-r", address));
        for (remove, address) in come.chain(leave) {
            if effort.wall > LIMIT {
                return Err(Trouble::Broken(format!("no end after {} s", LIMIT.as_secs())));
            }
            let line = format!("xdp-filter ip {remove} -m src {address}");
            effort = effort.and(tool::run(&line, LIMIT)?.effort);
        }
        Ok(effort)
    }

    fn tear_down(&self, _site: &Site) {
        // Its maps are seen in the whole mount namespace; it fails if it was not loaded.
        let _ = tool::run(&format!("xdp-filter unload {INTERFACE}"), LIMIT);
    }
}
