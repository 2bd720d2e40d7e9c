//! Null routes, which drop what comes from an address only by a filter of the reverse
//! path, and rules of routing, which do so where the local table stands behind them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use lab::wire::INTERFACE;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{self, Effort, Trouble};
use super::{LIMIT, Way, joined, lines};

enum Routes {
    /// `ip route add blackhole` and `rp_filter=1`.
    Null,
    /// `ip rule add blackhole from`.
    Rules,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![Box::new(Routes::Null), Box::new(Routes::Rules)]
}

impl Routes {
    fn line(&self, verb: &str, address: Ipv4Addr) -> String {
        match self {
            Self::Null => format!("route {verb} blackhole {address}/32"),
            Self::Rules => format!("rule {verb} pref 500 blackhole from {address}/32"),
        }
    }
}

impl Way for Routes {
    fn name(&self) -> String {
        match self {
            Self::Null => "null routes, rp_filter=1",
            Self::Rules => "ip rule, local table behind",
        }
        .to_owned()
    }

    fn most(&self) -> Option<(usize, &'static str)> {
        match self {
            Self::Null => None,
            Self::Rules => Some((10_000, "each rule is compared with all before it")),
        }
    }

    fn is_quick(&self) -> bool {
        matches!(self, Self::Null)
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        match self {
            Self::Null => lines(&[
                "sysctl -qw net.ipv4.conf.all.rp_filter=1",
                &format!("sysctl -qw net.ipv4.conf.{INTERFACE}.rp_filter=1"),
            ])?,
            Self::Rules => lines(&["ip rule add pref 1000 table local", "ip rule del pref 0"])?,
        };
        let change = Change { leave: &[], come: listed, whole: Vec::new() };
        self.change(site, &change)
    }

    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        let added = change.come.iter().map(|&address| ("add", address));
        let deleted = change.leave.iter().map(|&address| ("del", address));
        let batch = joined(added.chain(deleted), |text, (verb, address)| {
            write!(text, "{}", self.line(verb, address))
        });
        let file = site.file("batch", batch)?;
        let line = format!("ip -batch {}", file.display());
        Ok(tool::run(&line, LIMIT)?.effort)
    }
}
