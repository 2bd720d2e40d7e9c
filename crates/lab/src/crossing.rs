//! Packets that cross from one namespace to another with whatever addresses,
//! ports and flags a test wants, and which of them arrive. Each carries a
//! number; those that are received are told by it.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketType, ipproto, recv, sendto, socket,
};

use crate::datagram::{Segment, segment};
use crate::packets::on_one_cpu;

/// A packet that is to arrive has arrived after this long, or never will.
const PATIENCE: Duration = Duration::from_secs(5);

/// What our numbers begin with, so that no packet of others is taken for ours.
const MAGIC: u64 = 0x6465_6e79 << 32;

/// What is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// UDP.
    Udp,
    /// TCP's first segment, with SYN.
    TcpOpening,
    /// A later one, with ACK.
    TcpLater,
}

impl Carrier {
    /// Whether it is TCP.
    pub fn is_tcp(self) -> bool {
        self != Self::Udp
    }
}

/// A packet to send.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// What it is.
    pub carrier: Carrier,
    /// Where it says that it comes from.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
}

/// Sends in one namespace and receives in another, packets of one family.
#[derive(Debug)]
pub struct Ferry {
    sender: OwnedFd,
    tcp: OwnedFd,
    udp: OwnedFd,
    sent: u64,
}

/// A socket to send packets of the family of `like`, in the namespace of the
/// calling thread.
///
/// # Panics
/// If it cannot be opened.
pub fn sender(like: IpAddr) -> OwnedFd {
    raw(like, ipproto::RAW)
}

/// Sockets that receive TCP and UDP of the family of `like`, whatever the
/// port, in the namespace of the calling thread.
///
/// # Panics
/// If they cannot be opened.
pub fn receivers(like: IpAddr) -> [OwnedFd; 2] {
    [ipproto::TCP, ipproto::UDP].map(|protocol| {
        let receiver = raw(like, protocol);
        set_socket_timeout(&receiver, Timeout::Recv, Some(PATIENCE)).expect("not zero");
        receiver
    })
}

fn raw(like: IpAddr, protocol: Protocol) -> OwnedFd {
    let domain = if like.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    socket(domain, SocketType::RAW, Some(protocol)).expect("raw sockets need CAP_NET_RAW")
}

impl Ferry {
    /// From where `sender` was opened to where `receivers` were.
    pub fn new(sender: OwnedFd, [tcp, udp]: [OwnedFd; 2]) -> Self {
        Self { sender, tcp, udp, sent: 0 }
    }

    /// Sends packets, then one of UDP and one of TCP that must arrive, and
    /// tells which of the first have arrived.
    ///
    /// # Panics
    /// If those that must arrive do not.
    pub fn cross(&mut self, packets: &[Crossing], fence: [Crossing; 2]) -> Vec<bool> {
        on_one_cpu(|| {
            let first = self.sent;
            for packet in packets.iter().chain(&fence) {
                self.send(packet);
            }
            let mut arrived = vec![false; packets.len() + fence.len()];
            for (at, fence) in fence.iter().enumerate() {
                let last = packets.len() + at;
                let socket = if fence.carrier.is_tcp() { &self.tcp } else { &self.udp };
                let begun = Instant::now();
                while !arrived[last] {
                    assert!(begun.elapsed() < PATIENCE, "{fence:?} did not arrive");
                    if let Some(at) = receive(socket).and_then(|number| number.checked_sub(first))
                        && let Some(arrived) = arrived.get_mut(usize::try_from(at).expect("few"))
                    {
                        *arrived = true;
                    }
                }
            }
            arrived.truncate(packets.len());
            arrived
        })
    }

    fn send(&mut self, packet: &Crossing) {
        let Crossing { carrier, from, to } = *packet;
        let kind = match carrier {
            Carrier::Udp => Segment::Udp,
            Carrier::TcpOpening => Segment::Tcp { flags: 0x02 },
            Carrier::TcpLater => Segment::Tcp { flags: 0x10 },
        };
        let bytes = segment(kind, from, to, MAGIC | self.sent);
        self.sent += 1;
        // A raw socket takes a port for a protocol and refuses most.
        match sendto(&self.sender, &bytes, SendFlags::empty(), &SocketAddr::new(to.ip(), 0)) {
            Ok(_) => {}
            // A rule at `output` says so to the sender.
            Err(Errno::PERM) => {}
            Err(error) => panic!("cannot send {packet:?}: {error}"),
        }
    }
}

/// The number of the next packet, `None` if it is none of ours.
fn receive(socket: &OwnedFd) -> Option<u64> {
    let mut bytes = [0; 256];
    let (_, length) = match recv(socket, &mut bytes[..], RecvFlags::empty()) {
        Ok(received) => received,
        Err(Errno::AGAIN | Errno::INTR) => return None,
        Err(error) => panic!("cannot receive: {error}"),
    };
    let number = bytes[..length].last_chunk().map(|chunk| u64::from_be_bytes(*chunk))?;
    (number & MAGIC == MAGIC && number >> 32 == MAGIC >> 32).then_some(number ^ MAGIC)
}
