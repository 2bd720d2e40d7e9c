//! Looks who is connected to the ports over which this host is administered,
//! whenever something is about to change that could lock them out.

use std::net::IpAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use configuration::ProtectPeers;
use host::{ConnectionEnd, PeerPorts, PeersError};
use intake::Peer;

/// How old a look may be when something is decided by it: what it decides about takes
/// longer to come into force.
const FRESH: Duration = Duration::from_millis(50);
/// After so long another one is begun, as long as the work lasts that it is to decide
/// about.
const NEW: Duration = Duration::from_millis(25);

/// How a look is made.
type Find = fn(&PeerPorts) -> Result<Vec<ConnectionEnd>, PeersError>;

/// The looks, the last one of them, and what went wrong with it.
#[derive(Clone, Debug)]
pub struct Connections {
    find: Find,
    trouble: Arc<Mutex<Option<String>>>,
    last: Arc<Mutex<Option<Seen>>>,
}

/// Who was connected to which ports, and since when nobody has looked.
#[derive(Clone, Debug)]
struct Seen {
    begun: Instant,
    ports: PeerPorts,
    peers: Vec<Peer>,
}

/// As the kernel tells of them.
impl Default for Connections {
    fn default() -> Self {
        Self::found_by(host::peers)
    }
}

impl Connections {
    fn found_by(find: Find) -> Self {
        Self { find, trouble: Arc::default(), last: Arc::default() }
    }

    /// Does something, and looks meanwhile who is connected, in a thread of its own
    /// if there can be one: a look goes over all processes and connections of the
    /// host, and where many files and lists are taken in at once they share it. It
    /// is repeated as long as that takes, so that none is old when all is done.
    pub fn look_beside<T>(
        &self,
        protect: &[ProtectPeers],
        work: impl FnOnce() -> T,
    ) -> (T, Vec<Peer>) {
        let ports = ports(protect);
        let done = thread::scope(|scope| {
            // Whoever looks hears by the sender's end that all is done.
            let (working, done) = mpsc::channel::<()>();
            let look = || {
                let done = done;
                loop {
                    if self.seen(&ports, NEW).is_none() {
                        self.look_at(&ports);
                    }
                    if done.recv_timeout(NEW) != Err(RecvTimeoutError::Timeout) {
                        break;
                    }
                }
            };
            // Without a thread, and if it comes to grief, somebody looks afterwards.
            let looks = thread::Builder::new().name("peers".to_owned()).spawn_scoped(scope, look);
            let came = work();
            drop(working);
            drop(looks.map(thread::ScopedJoinHandle::join));
            came
        });
        (done, self.seen(&ports, FRESH).unwrap_or_else(|| self.look_at(&ports)))
    }

    /// Who was connected at the last look, unless that is longer ago or was for
    /// other ports.
    fn seen(&self, ports: &PeerPorts, since: Duration) -> Option<Vec<Peer>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |seen: &&Seen| seen.begun.elapsed() < since && seen.ports == *ports;
        last.as_ref().filter(fits).map(|seen| seen.peers.clone())
    }

    /// Who is connected now. If that cannot be seen nobody is, which is told
    /// once as long as it is so: a feed must not wait for it.
    pub fn look(&self, protect: &[ProtectPeers]) -> Vec<Peer> {
        self.look_at(&ports(protect))
    }

    fn look_at(&self, ports: &PeerPorts) -> Vec<Peer> {
        let begun = Instant::now();
        let found = (self.find)(ports);
        self.tell(found.as_ref().err().map(ToString::to_string));
        let peers = found.unwrap_or_default().into_iter();
        let peers: Vec<_> = peers
            .map(|ConnectionEnd { address, port, cookie }| Peer {
                address,
                port,
                connection: cookie,
                named: None,
            })
            .collect();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.begun < begun) {
            *last = Some(Seen { begun, ports: ports.clone(), peers: peers.clone() });
        }
        peers
    }

    fn tell(&self, trouble: Option<String>) {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = trouble.as_ref().filter(|_| known.is_none()) {
            tracing::error!(error, "nobody is kept from being locked out: {error}");
        }
        *known = trouble;
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

#[cfg(test)]
mod tests {
    use super::*;

    const SSH: [ProtectPeers; 1] = [ProtectPeers::Ssh];

    /// Looks of one test: when each of them began.
    type Looks = Mutex<Vec<Instant>>;

    /// Somebody is connected who has the number of the look.
    fn look(looks: &Looks) -> Vec<ConnectionEnd> {
        let mut looks = looks.lock().expect("no look has failed");
        looks.push(Instant::now());
        let address = "192.0.2.1".parse().expect("an address");
        vec![ConnectionEnd { address, port: 22, cookie: looks.len() as u64 }]
    }

    #[test]
    fn what_decides_is_no_older_than_fifty_milliseconds_when_all_is_done() {
        static LOOKS: Looks = Mutex::new(Vec::new());
        let connections = Connections::found_by(|_| Ok(look(&LOOKS)));
        for took in [0, 30, 130] {
            let work = || {
                thread::sleep(Duration::from_millis(took));
                Instant::now()
            };
            let (done, peers) = connections.look_beside(&SSH, work);
            let number = usize::try_from(peers[0].connection).expect("few");
            let begun = LOOKS.lock().expect("no look has failed")[number - 1];
            assert!(begun + FRESH > done, "{:?} old after {took} ms", done - begun);
        }
    }

    #[test]
    fn many_who_ask_at_once_share_a_look_and_other_ports_are_looked_at_anew() {
        static LOOKS: Looks = Mutex::new(Vec::new());
        let looks = || LOOKS.lock().expect("no look has failed").len();
        let connections = Connections::found_by(|_| Ok(look(&LOOKS)));
        let begun = Instant::now();
        for _ in 0..100 {
            connections.look_beside(&SSH, || ());
        }
        let most = begun.elapsed().as_millis() / NEW.as_millis() + 1;
        assert!(looks() as u128 <= most, "{} looks, {most} at the most", looks());
        let before = looks();
        connections.look_beside(&[ProtectPeers::Port(2_222)], || ());
        assert!(looks() > before);
    }
}
