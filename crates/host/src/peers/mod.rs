//! Who is connected to the ports over which this host is administered: the
//! peers of established TCP connections to them, in both families.
//!
//! A look costs one pass of the kernel over its table of connections for each
//! port and family, some milliseconds, and is for threads that may wait.
//!
//! The kernel's table of tracked connections (conntrack) is not asked. Of a
//! connection that ends here it knows nothing that the sockets do not tell, and
//! it need not be there at all; what it knows besides are connections that are
//! passed on, by which some other machine or a container is administered. It may
//! hold a quarter of a million, and each look would go over them.

mod diag;
mod ssh;

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::limits::{PEERS_MAX, PORTS_MAX};

pub use diag::TcpSocket;
use diag::{DiagQuestion, sockets};

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionEnd {
    /// The other end, never in the IPv6 form of an IPv4 address.
    pub address: IpAddr,
    /// The port on this host.
    pub port: u16,
    /// The kernel's number of the connection. No other has it before the next
    /// boot (`sock_gen_cookie`, `net/core/sock_diag.c`).
    pub cookie: u64,
}

/// Over which ports this host is administered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerPorts {
    /// Port 22, and wherever a server of SSH listens as far as that can be
    /// found out.
    pub ssh: bool,
    /// These.
    pub ports: Vec<u16>,
}

/// The connections could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot see who is connected to this host: {0}")]
pub struct PeersError(pub String);

/// The connections that are established now to these ports, but for those that
/// never leave this host; sorted.
///
/// # Errors
/// [`PeersError`] if the kernel does not say it.
pub fn peers(of: &PeerPorts) -> Result<Vec<ConnectionEnd>, PeersError> {
    if !of.ssh && of.ports.is_empty() {
        return Ok(Vec::new());
    }
    let mut ports: BTreeSet<u16> = of.ports.iter().copied().collect();
    if of.ssh {
        ports.extend(ssh::ports(&sockets(DiagQuestion::Listening)?));
    }
    let mut peers = BTreeSet::new();
    for port in ports.into_iter().take(PORTS_MAX) {
        let connected = sockets(DiagQuestion::Connected { port })?;
        let remote = connected.into_iter().filter(|socket| !socket.remote.is_loopback());
        peers.extend(remote.map(|TcpSocket { local_port, remote, cookie, .. }| ConnectionEnd {
            address: remote,
            port: local_port,
            cookie,
        }));
    }
    Ok(peers.into_iter().take(PEERS_MAX).collect())
}
