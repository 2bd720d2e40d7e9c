//! Whom a list can shut out of this host, and who must not be: those who
//! administer it, and what it cannot do without. It knows ports and addresses,
//! not how anybody is kept out.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use blocklist::Protect;

/// Somebody who is connected to a port over which this host is administered.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// From where; an IPv4 address never in its IPv6 form.
    pub address: IpAddr,
    /// To which TCP port of this host.
    pub port: u16,
    /// The number of the connection, which no other has.
    pub connection: u64,
    /// Where the feed that is read together with this look names the address, if
    /// it does: `line 3, 192.0.2.0/24`.
    pub named: Option<String>,
}

/// Whom a list shuts out, by the TCP ports of this host that they cannot reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shuts {
    /// Its members, from these ports. All ports stand for all there is.
    pub members: Vec<RangeInclusive<u16>>,
    /// Whoever is not a member, from these.
    pub others: Vec<RangeInclusive<u16>>,
}

impl Shuts {
    /// A list of which nothing else is known: its members, from everything.
    pub fn by_default() -> Self {
        Self { members: vec![0..=u16::MAX], others: Vec::new() }
    }

    /// A list that shuts nobody out: no rule asks it.
    pub fn nobody() -> Self {
        Self { members: Vec::new(), others: Vec::new() }
    }

    /// Whether it shuts somebody out who is a member, or is not.
    pub fn shuts_out(&self, is_member: bool, who: Who) -> bool {
        let ports = if is_member { &self.members } else { &self.others };
        ports.iter().any(|range| match who {
            Who::Peer(port) => range.contains(&port),
            // The host's own addresses come in over `lo`, which is never filtered: a
            // rule that lets only members in needs none of them.
            Who::Host(Protect::Own) if !is_member => false,
            Who::Host(_) => *range == (0..=u16::MAX),
        })
    }
}

/// Who must not be shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Whoever is connected to this port.
    Peer(u16),
    /// What this host is or needs: its own addresses, its gateways, its
    /// resolvers.
    Host(Protect),
}

impl Who {
    /// What of the host nobody is to be cut off from.
    pub const OF_HOST: [Protect; 3] = [Protect::Own, Protect::Gateways, Protect::Resolvers];
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(port) => write!(out, "connected to port {port}"),
            Self::Host(Protect::Gateways) => out.write_str("a default gateway"),
            Self::Host(Protect::Resolvers) => out.write_str("a resolver"),
            Self::Host(_) => out.write_str("an address of this host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shuts: &Shuts, is_member: bool, who: Who, want: bool) {
        assert_eq!(shuts.shuts_out(is_member, who), want, "{shuts:?} {is_member} {who}");
    }

    #[test]
    fn who_is_shut_out_depends_on_membership_and_port() {
        let gateway = Who::Host(Protect::Gateways);
        let all = Shuts::by_default();
        check(&all, true, Who::Peer(22), true);
        check(&all, true, gateway, true);
        check(&all, false, Who::Peer(22), false);
        let web = Shuts { members: vec![80..=80, 8_000..=8_100], others: Vec::new() };
        check(&web, true, Who::Peer(22), false);
        check(&web, true, Who::Peer(8_022), true);
        check(&web, true, gateway, false);
        let office = Shuts { members: Vec::new(), others: vec![22..=22] };
        check(&office, true, Who::Peer(22), false);
        check(&office, false, Who::Peer(22), true);
        check(&office, false, gateway, false);
    }
}
