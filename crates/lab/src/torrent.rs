//! As many packets as one thread can send, over a wire, each from another
//! made-up address of one network.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sendto, socket};

use crate::datagram::datagram;
use crate::wire::{HERE_V4, Wire};

/// What a step through all addresses of a network adds, modulo its size: a
/// large odd number meets all of them in an order that looks like none.
const STRIDE: u32 = 0x9e_3779;

/// A torrent under way.
#[derive(Debug)]
pub struct Torrent {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<u64>,
}

impl Torrent {
    /// Begins to send from the addresses that begin with this byte.
    ///
    /// # Panics
    /// If there is no socket for it.
    pub fn start(wire: &Wire, first: u8) -> Self {
        let raw = wire.beyond(|| socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::RAW)));
        let raw = raw.expect("raw sockets need CAP_NET_RAW");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let sender = thread::spawn(move || {
            let to = SocketAddr::new(HERE_V4.into(), 0);
            let (mut sent, mut rest) = (0, 0_u32);
            while !stopped.load(Ordering::Relaxed) {
                rest = rest.wrapping_add(STRIDE) & 0xff_ffff;
                let source = Ipv4Addr::from(u32::from(first) << 24 | rest);
                let packet = datagram(source.into(), SocketAddr::new(HERE_V4.into(), 9), sent);
                // A full queue takes nothing more for a moment.
                sent += u64::from(sendto(&raw, &packet, SendFlags::empty(), &to).is_ok());
            }
            sent
        });
        Self { stop, sender }
    }

    /// Ends it, and tells how many packets were sent.
    ///
    /// # Panics
    /// If the sender did.
    pub fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.join().expect("the sender ends when told")
    }
}
