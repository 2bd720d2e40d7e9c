//! Looks who is connected to the ports over which this host is administered,
//! whenever something is about to change that could lock them out.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use configuration::{Configuration, ProtectPeers};
use host::PeerPorts;
use intake::Peer;

/// How old a look may be when something is decided by it: what it decides about takes
/// longer to come into force.
const FRESH: Duration = Duration::from_millis(50);

/// The looks, and what went wrong with the last one.
#[derive(Clone, Debug, Default)]
pub struct Connections {
    trouble: Arc<Mutex<Option<String>>>,
}

impl Connections {
    /// Does something, and looks meanwhile who is connected, in a thread of its own
    /// if there can be one: a look goes over all processes and connections of the
    /// host. Where that was 50 ms ago when all is done, it looks again.
    pub fn look_beside<T>(
        &self,
        config: &Configuration,
        work: impl FnOnce() -> T,
    ) -> (T, Vec<Peer>) {
        let begun = Instant::now();
        thread::scope(|scope| {
            let look = thread::Builder::new().name("peers".to_owned());
            let look = look.spawn_scoped(scope, || self.look(config));
            let done = work();
            let seen = look.ok().and_then(|look| look.join().ok());
            let seen = seen.filter(|_| begun.elapsed() < FRESH);
            (done, seen.unwrap_or_else(|| self.look(config)))
        })
    }

    /// Who is connected now. If that cannot be seen nobody is, which is told
    /// once as long as it is so: a feed must not wait for it.
    pub fn look(&self, config: &Configuration) -> Vec<Peer> {
        let found = host::peers(&ports(&config.protect_peers));
        let trouble = found.as_ref().err().map(ToString::to_string);
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = trouble.as_ref().filter(|_| known.is_none()) {
            tracing::error!(error, "nobody is kept from being locked out: {error}");
        }
        *known = trouble;
        let peers = found.unwrap_or_default().into_iter();
        peers
            .map(|host::ConnectionEnd { address, port, cookie }| Peer {
                address,
                port,
                connection: cookie,
                named: None,
            })
            .collect()
    }

    /// Why the last look saw nobody, a sentence.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The addresses among these that are to be looked for in a feed, each once.
pub(super) fn addresses(peers: &[Peer], covered: impl Fn(IpAddr) -> bool) -> Vec<IpAddr> {
    let mut addresses: Vec<_> = peers.iter().map(|peer| peer.address).collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.retain(|&address| covered(address));
    addresses
}

fn ports(protect: &[ProtectPeers]) -> PeerPorts {
    let ports = protect.iter().filter_map(|one| match one {
        ProtectPeers::Port(port) => Some(*port),
        ProtectPeers::Ssh => None,
    });
    PeerPorts { ssh: protect.contains(&ProtectPeers::Ssh), ports: ports.collect() }
}
