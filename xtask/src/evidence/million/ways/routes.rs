//! Null routes, which drop what comes from an address only by a filter of the reverse
//! path, and rules of routing, which do so where the local table stands behind them.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use lab::wire::INTERFACE;

use super::super::super::lists::{Change, Family};
use super::super::super::site::Site;
use super::super::super::tool::{self, Effort, Trouble};
use super::{LIMIT, Way, joined, lines};

enum Routes {
    /// `ip route add blackhole` and `rp_filter=1`.
    Null,
    /// `ip -6 route add blackhole`, and a rule that asks for the way back: the kernel has
    /// no filter of the reverse path for IPv6.
    NullV6,
    /// `ip rule add blackhole from`.
    Rules,
}

/// The rule for IPv6, and where it stands.
const REVERSE_PATH: &str = "table ip6 reverse { chain early {\n\
    type filter hook prerouting priority -300; fib saddr . iif oif missing drop;\n}\n}\n";

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![Box::new(Routes::Null), Box::new(Routes::NullV6), Box::new(Routes::Rules)]
}

impl Routes {
    fn line(&self, verb: &str, address: Ipv4Addr) -> String {
        match self {
            Self::Null => format!("route {verb} blackhole {address}/32"),
            Self::NullV6 => format!("route {verb} blackhole {}/128", Family::V6.of(address)),
            Self::Rules => format!("rule {verb} pref 500 blackhole from {address}/32"),
        }
    }
}

impl Way for Routes {
    fn name(&self) -> String {
        match self {
            Self::Null => "null routes, rp_filter=1",
            Self::NullV6 => "null routes, nft fib oif missing, IPv6",
            Self::Rules => "ip rule, local table behind",
        }
        .to_owned()
    }

    fn family(&self) -> Family {
        if matches!(self, Self::NullV6) { Family::V6 } else { Family::V4 }
    }

    fn most(&self) -> Option<(usize, &'static str)> {
        match self {
            Self::Null => None,
            Self::NullV6 => Some((100_000, "that of IPv4 tells how it goes on")),
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
            Self::NullV6 => {
                let file = site.file("reverse.nft", REVERSE_PATH)?;
                // Who is not on the list must have a way back.
                let back = format!("ip -6 route add default dev {INTERFACE}");
                lines(&[&format!("nft -f {}", file.display()), &back])?
            }
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
        let family = if self.family() == Family::V6 { "-6 " } else { "" };
        let line = format!("ip {family}-batch {}", file.display());
        Ok(tool::run(&line, LIMIT)?.effort)
    }
}
