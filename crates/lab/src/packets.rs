//! What a packet experiences: real packets with any source address, through
//! the real rules of this namespace, from `lo` to a socket.
//!
//! Raw sockets write the source address themselves. What `lo` loops back
//! keeps its route, so no check of the source stands between it and INPUT.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};
use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use crate::datagram::{LENGTH, datagram};
use crate::wire::{self, Wire};

/// A packet that is to arrive has arrived after this long, or never will.
const PATIENCE: Duration = Duration::from_secs(2);

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A socket received it.
    Delivered,
    /// A packet sent after it was received, it was not.
    Dropped,
}

/// A path for packets of one family.
#[derive(Debug)]
struct Path {
    raw: OwnedFd,
    receiver: UdpSocket,
    destination: SocketAddr,
    /// Whose packets always arrive.
    free: IpAddr,
}

impl Path {
    fn open(here: IpAddr, raw: OwnedFd, free: IpAddr) -> io::Result<Self> {
        let receiver = UdpSocket::bind((here, 0))?;
        receiver.set_read_timeout(Some(PATIENCE))?;
        let destination = receiver.local_addr()?;
        Ok(Self { raw, receiver, destination, free })
    }

    fn send(&self, source: IpAddr, number: u64) {
        let packet = datagram(source, self.destination, number);
        // A raw socket takes a port for a protocol and refuses most.
        let to = SocketAddr::new(self.destination.ip(), 0);
        let sent = sendto(&self.raw, &packet, SendFlags::empty(), &to);
        assert_eq!(sent, Ok(packet.len()), "cannot send a packet from {source}");
    }

    /// The number of the next packet, `None` if none comes.
    fn receive(&self) -> Option<u64> {
        let mut number = [0; LENGTH];
        // A wait with a limit is not begun anew by the kernel after a signal.
        let received = loop {
            match self.receiver.recv(&mut number) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                received => break received,
            }
        };
        match received {
            Ok(LENGTH) => Some(u64::from_be_bytes(number)),
            Ok(length) => panic!("received {length} bytes that nobody sent"),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("cannot receive: {error}"),
        }
    }
}

/// A socket that takes packets with any source address.
fn raw_socket(here: IpAddr) -> io::Result<OwnedFd> {
    let family = if here.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    Ok(socket(family, SocketType::RAW, Some(ipproto::RAW))?)
}

/// Sends packets and watches for them.
#[derive(Debug)]
pub struct PacketProbe {
    ipv4: Path,
    ipv6: Path,
    sent: u64,
}

impl PacketProbe {
    /// A probe in the namespace of the calling thread.
    ///
    /// # Panics
    /// If its sockets cannot be opened.
    pub fn new() -> Self {
        let open = |here| {
            let path = raw_socket(here).and_then(|raw| Path::open(here, raw, here));
            path.expect("raw and UDP sockets need CAP_NET_RAW and `lo`")
        };
        let ipv4 = open(Ipv4Addr::LOCALHOST.into());
        Self { ipv4, ipv6: open(Ipv6Addr::LOCALHOST.into()), sent: 0 }
    }

    /// A probe whose packets come over the wire, from the namespace beyond.
    /// Those from the neighbours there must arrive.
    ///
    /// # Panics
    /// If its sockets cannot be opened, or no packet arrives at all.
    pub fn over(wire: &Wire) -> Self {
        let open = |here: IpAddr, free: IpAddr| {
            let raw = wire.beyond(|| raw_socket(here));
            let path = raw.and_then(|raw| Path::open(here, raw, free));
            path.expect("raw and UDP sockets need CAP_NET_RAW")
        };
        let ipv4 = open(wire::HERE_V4.into(), wire::FREE_V4.into());
        let mut probe =
            Self { ipv4, ipv6: open(wire::HERE_V6.into(), wire::FREE_V6.into()), sent: 0 };
        // Each side learns who the other is before anything is timed.
        for free in [wire::FREE_V4.into(), wire::FREE_V6.into()] {
            assert_eq!(probe.fate(free), Fate::Delivered, "a packet from {free} over the wire");
        }
        probe
    }

    /// Sends one packet from `source` and tells what became of it.
    ///
    /// # Panics
    /// If packets from this host itself do not arrive, so nothing can be told.
    pub fn fate(&mut self, source: IpAddr) -> Fate {
        on_one_cpu(|| {
            let number = self.send(source);
            let free = self.path(source).free;
            let fence = self.send(free);
            let mut fate = Fate::Dropped;
            loop {
                match self.path(source).receive() {
                    Some(got) if got == number => fate = Fate::Delivered,
                    Some(got) if got == fence => return fate,
                    Some(_late) => {}
                    None => panic!("a packet from {free} was not delivered"),
                }
            }
        })
    }

    /// How many packets were sent.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// The port that its IPv4 packets go to.
    pub fn port(&self) -> u16 {
        self.ipv4.destination.port()
    }

    fn path(&self, source: IpAddr) -> &Path {
        if source.is_ipv4() { &self.ipv4 } else { &self.ipv6 }
    }

    fn send(&mut self, source: IpAddr) -> u64 {
        self.sent += 1;
        self.path(source).send(source, self.sent);
        self.sent
    }
}

impl Default for PacketProbe {
    fn default() -> Self {
        Self::new()
    }
}

/// Packets on `lo` wait in a queue of the CPU they were sent on, so two sent
/// on one CPU arrive in order.
pub(crate) fn on_one_cpu<T>(body: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).expect("a thread may ask where it may run");
    let mut here = CpuSet::new();
    here.set(sched_getcpu());
    sched_setaffinity(None, &here).expect("a thread may stay where it is");
    let result = body();
    sched_setaffinity(None, &before).expect("a thread may go where it could before");
    result
}

/// What a stream of packets has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Packets sent, of both kinds.
    pub sent: u64,
    /// Packets received that should have been dropped.
    pub leaked: u64,
    /// Packets not received that should have been.
    pub wrongly_blocked: u64,
}

/// Packets without pause from addresses that are blocked and from ones that
/// are not, until stopped.
#[derive(Debug)]
pub struct Stream {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Seen>,
}

impl Stream {
    /// Begins to send from each of `blocked` and each of `free` in turn.
    ///
    /// # Panics
    /// If either is empty.
    pub fn start(blocked: Vec<IpAddr>, free: Vec<IpAddr>) -> Self {
        Self::of(PacketProbe::new, blocked, free)
    }

    /// As [`Self::start`], of packets that come over the wire.
    ///
    /// # Panics
    /// As [`Self::start`] and [`PacketProbe::over`].
    pub fn over(wire: &Wire, blocked: Vec<IpAddr>, free: Vec<IpAddr>) -> Self {
        let probe = PacketProbe::over(wire);
        Self::of(|| probe, blocked, free)
    }

    fn of(
        probe: impl FnOnce() -> PacketProbe + Send + 'static,
        blocked: Vec<IpAddr>,
        free: Vec<IpAddr>,
    ) -> Self {
        assert!(!blocked.is_empty() && !free.is_empty(), "a stream needs both kinds of address");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let sender = thread::spawn(move || {
            let (mut probe, mut seen) = (probe(), Seen::default());
            let before = probe.sent();
            while !stopped.load(Ordering::Relaxed) {
                round(&mut probe, &blocked, &free, &mut seen);
            }
            seen.sent = probe.sent() - before;
            seen
        });
        Self { stop, sender }
    }

    /// Stops and tells what was seen.
    ///
    /// # Panics
    /// If the sender did.
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.join().expect("the sender ends when told")
    }
}

/// One packet from every address. Each from a free one is waited for, so that
/// no queue overflows and a lost packet means a rule that dropped it.
fn round(probe: &mut PacketProbe, blocked: &[IpAddr], free: &[IpAddr], seen: &mut Seen) {
    for &source in blocked {
        probe.send(source);
    }
    for &source in free {
        let number = probe.send(source);
        loop {
            match probe.path(source).receive() {
                Some(got) if got == number => break,
                Some(_) => seen.leaked += 1,
                None => {
                    seen.wrongly_blocked += 1;
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::isolated;
    use crate::witness::{drop_from, ipset};

    fn check(probe: &mut PacketProbe, source: &str, want: Fate) {
        let source = source.parse().expect("an address");
        assert_eq!(probe.fate(source), want, "a packet from {source}");
    }

    #[test]
    fn a_packet_from_a_member_is_dropped_and_any_other_delivered() {
        isolated(|| {
            ipset("create x-v4 hash:net");
            ipset("create x-v6 hash:net family inet6");
            drop_from("x-v4");
            drop_from("x-v6");
            let mut probe = PacketProbe::new();
            check(&mut probe, "45.1.2.3", Fate::Delivered);
            check(&mut probe, "2a01:4f8::3", Fate::Delivered);
            ipset("add x-v4 45.1.2.0/24");
            ipset("add x-v6 2a01:4f8::/32");
            check(&mut probe, "45.1.2.3", Fate::Dropped);
            check(&mut probe, "45.1.3.3", Fate::Delivered);
            check(&mut probe, "2a01:4f8::3", Fate::Dropped);
            check(&mut probe, "2a01:4f9::3", Fate::Delivered);
        });
    }

    #[test]
    fn a_stream_sees_a_leak_and_a_wrongly_blocked_packet() {
        isolated(|| {
            ipset("create x-v4 hash:net");
            drop_from("x-v4");
            ipset("add x-v4 45.1.2.3");
            let [listed, other]: [IpAddr; 2] = [[45, 1, 2, 3].into(), [45, 1, 2, 4].into()];
            let quiet = Stream::start(vec![listed], vec![other]);
            // These take their time, and the stream runs meanwhile.
            ipset("add x-v4 45.1.2.9");
            ipset("del x-v4 45.1.2.9");
            let seen = quiet.stop();
            assert!(seen.sent > 0 && seen.leaked + seen.wrongly_blocked == 0, "{seen:?}");

            let mut seen = Seen::default();
            round(&mut PacketProbe::new(), &[other], &[other], &mut seen);
            assert_eq!((seen.leaked, seen.wrongly_blocked), (1, 0));
            round(&mut PacketProbe::new(), &[listed], &[listed], &mut seen);
            assert_eq!((seen.leaked, seen.wrongly_blocked), (1, 1));
        });
    }
}
