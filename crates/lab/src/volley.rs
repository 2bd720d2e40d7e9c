//! Packets over a wire whose cost is measured: what the processor worked for each
//! of them, from the call that sends it to where it ends on this side.
//!
//! A packet over a pair of veth interfaces is received by the thread that sends
//! it, before the call returns: what the other side does with it counts as this
//! thread's time, unless the kernel accounts for interrupts apart
//! (`CONFIG_IRQ_TIME_ACCOUNTING`).

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};
use rustix::time::{ClockId, clock_gettime};

use crate::datagram::datagram;
use crate::packets::on_one_cpu;
use crate::wire::{HERE_V4, HERE_V6, Wire};

/// Packets from many addresses, made beforehand.
#[derive(Debug)]
pub struct Volley {
    raw: OwnedFd,
    to: IpAddr,
    packets: Vec<Vec<u8>>,
}

impl Volley {
    /// A packet from each of these addresses, all of one family, to a port at which
    /// nobody listens.
    ///
    /// # Panics
    /// If there is no socket to send them, no address, or more than one family.
    pub fn over<A: Copy + Into<IpAddr>>(wire: &Wire, sources: &[A]) -> Self {
        let first = sources.first().copied().expect("a volley comes from somewhere");
        let (family, to) = match first.into() {
            IpAddr::V4(_) => (AddressFamily::INET, IpAddr::from(HERE_V4)),
            IpAddr::V6(_) => (AddressFamily::INET6, IpAddr::from(HERE_V6)),
        };
        // Whoever opens one for this protocol writes the header himself, see raw(7).
        let raw = wire.beyond(|| socket(family, SocketType::RAW, Some(ipproto::RAW)));
        let raw = raw.expect("raw sockets need CAP_NET_RAW");
        let port = SocketAddr::new(to, 9);
        let packets = sources.iter().map(|&source| datagram(source.into(), port, 0));
        Self { raw, to, packets: packets.collect() }
    }

    /// Sends so many of them, one after the other and over again, and tells for
    /// how long a processor has worked on it.
    ///
    /// # Panics
    /// If one cannot be sent.
    pub fn fire(&self, count: u32) -> Duration {
        // A raw socket takes a port for a protocol and refuses most.
        let to = SocketAddr::new(self.to, 0);
        on_one_cpu(|| {
            let begun = worked();
            for packet in self.packets.iter().cycle().take(count as usize) {
                let sent = sendto(&self.raw, packet, SendFlags::empty(), &to);
                assert_eq!(sent, Ok(packet.len()), "every packet is sent");
            }
            worked().saturating_sub(begun)
        })
    }
}

/// For how long a processor has worked on this thread.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("it is not negative")
}
