//! What of an address still gets through: datagrams, connections, fragments, what is
//! passed on, in both families. A probe sends from the address that is to be blocked
//! and from one that is not, and knows nothing of how it is blocked.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use lab::passage::{INSIDE_V4, INSIDE_V6, Passage};
use lab::wire::{FREE_V4, FREE_V6, HERE_V4, HERE_V6, PEER_V4, PEER_V6};

use super::super::dial::dial;

/// What must get through has done so after this long.
const PATIENCE: Duration = Duration::from_secs(3);
/// What is blocked had this long: a packet over this wire takes microseconds.
const MOMENT: Duration = Duration::from_millis(100);

/// A way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// A datagram to a socket of this host.
    Datagram,
    /// A new connection.
    Connection,
    /// Bytes on a connection that was there before.
    OpenConnection,
    /// A datagram that this host passes on.
    Forwarded,
    /// A datagram in several fragments.
    Fragments,
}

impl Entry {
    const ALL: [Self; 5] =
        [Self::Datagram, Self::Connection, Self::OpenConnection, Self::Forwarded, Self::Fragments];

    fn name(self) -> &'static str {
        match self {
            Self::Datagram => "datagram",
            Self::Connection => "new connection",
            Self::OpenConnection => "open connection",
            Self::Forwarded => "forwarded",
            Self::Fragments => "fragments",
        }
    }
}

/// The columns of the table, in their order.
pub(super) fn columns() -> Vec<String> {
    let families = [4, 6].into_iter();
    families
        .flat_map(|family| Entry::ALL.map(|entry| format!("IPv{family} {}", entry.name())))
        .collect()
}

/// The sockets of one family.
struct Family {
    /// Who is to be blocked.
    peer: IpAddr,
    /// Who is not.
    free: IpAddr,
    here: UdpSocket,
    inside: UdpSocket,
    listener: TcpListener,
    /// From the peer and from the other: the near ends, then the far ends.
    open: [(TcpStream, TcpStream); 2],
    senders: [UdpSocket; 2],
}

/// All ways in.
pub(super) struct Probes<'a> {
    passage: &'a Passage,
    families: [Family; 2],
}

/// What was seen of one way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Passed {
    /// Whether the one to be blocked got through.
    pub(super) blocked: bool,
    /// Whether the other did.
    pub(super) other: bool,
}

impl<'a> Probes<'a> {
    /// Opens everything, with nothing blocked yet.
    pub(super) fn open(passage: &'a Passage) -> io::Result<Self> {
        let v4 = [HERE_V4, INSIDE_V4[0], PEER_V4, FREE_V4].map(IpAddr::from);
        let v6 = [HERE_V6, INSIDE_V6[0], PEER_V6, FREE_V6].map(IpAddr::from);
        Ok(Self { passage, families: [Family::open(passage, v4)?, Family::open(passage, v6)?] })
    }

    /// Tries all of them, in the order of [`columns`].
    pub(super) fn try_all(&mut self) -> io::Result<Vec<Passed>> {
        let mut all = Vec::new();
        for family in &mut self.families {
            for entry in Entry::ALL {
                all.push(family.attempt(self.passage, entry)?);
            }
        }
        Ok(all)
    }

    /// Tries datagrams of IPv4 alone.
    pub(super) fn try_one(&mut self) -> io::Result<Passed> {
        self.families[0].attempt(self.passage, Entry::Datagram)
    }
}

impl Family {
    fn open(passage: &Passage, [here, inside, peer, free]: [IpAddr; 4]) -> io::Result<Self> {
        let listener = TcpListener::bind((here, 0))?;
        let to = listener.local_addr()?;
        let outside = passage.outside();
        let pair = |from: IpAddr| -> io::Result<(TcpStream, TcpStream)> {
            let far = outside.beyond(|| dial(from, to, PATIENCE))?;
            Ok((listener.accept()?.0, far))
        };
        let open = [pair(peer)?, pair(free)?];
        listener.set_nonblocking(true)?;
        let [one, other] = [peer, free].map(|from| outside.beyond(|| UdpSocket::bind((from, 0))));
        Ok(Self {
            peer,
            free,
            here: UdpSocket::bind((here, 0))?,
            inside: passage.inside(|| UdpSocket::bind((inside, 0)))?,
            listener,
            open,
            senders: [one?, other?],
        })
    }

    fn attempt(&mut self, passage: &Passage, entry: Entry) -> io::Result<Passed> {
        match entry {
            Entry::Datagram => self.datagrams(&self.here, 8),
            Entry::Fragments => self.datagrams(&self.here, 4_000),
            Entry::Forwarded => self.datagrams(&self.inside, 8),
            Entry::Connection => {
                let to = self.listener.local_addr()?;
                let connects =
                    |from, patience| passage.outside().beyond(|| dial(from, to, patience)).is_ok();
                let blocked = connects(self.peer, MOMENT);
                Ok(Passed { blocked, other: connects(self.free, PATIENCE) })
            }
            Entry::OpenConnection => {
                let [one, other] = &mut self.open;
                let blocked = carries(one, MOMENT)?;
                Ok(Passed { blocked, other: carries(other, PATIENCE)? })
            }
        }
    }

    /// Sends from the one and then from the other, and waits for that.
    fn datagrams(&self, receiver: &UdpSocket, length: usize) -> io::Result<Passed> {
        let to: SocketAddr = receiver.local_addr()?;
        for sender in &self.senders {
            // A rule may say to the sender that it was not let through.
            let _ = sender.send_to(&vec![7; length], to);
        }
        let mut passed = Passed { blocked: false, other: false };
        receiver.set_read_timeout(Some(PATIENCE))?;
        let mut bytes = vec![0; 8_192];
        while let Ok((_, from)) = receiver.recv_from(&mut bytes) {
            passed.blocked |= from.ip() == self.peer;
            passed.other |= from.ip() == self.free;
            if passed.other {
                receiver.set_read_timeout(Some(MOMENT / 5))?;
            }
            if passed.blocked && passed.other {
                break;
            }
        }
        Ok(passed)
    }
}

/// Whether a byte comes over a connection.
fn carries((near, far): &mut (TcpStream, TcpStream), patience: Duration) -> io::Result<bool> {
    near.set_read_timeout(Some(patience))?;
    Ok(far.write_all(b"x").is_ok() && matches!(near.read(&mut [0; 16]), Ok(1..)))
}
