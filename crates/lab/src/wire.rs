//! A wire to another namespace: packets that come over it have come from
//! outside, as those on `lo` never do.

use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};

use rustix::thread::gettid;

use crate::link;
use crate::namespace::{isolated, run_in};
use crate::witness::fed;

/// The address of this side.
pub const HERE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The same.
pub const HERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);
/// An address of the other side that no test lists.
pub const FREE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
/// The same.
pub const FREE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 2);
/// An address of the other side for tests to list.
pub const PEER_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 3);
/// The same.
pub const PEER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 3);

/// The interface of this side.
pub const INTERFACE: &str = "wire0";

/// A pair of interfaces, one in the namespace of the thread that made it, one
/// in a namespace beyond that lives as long as this and its sockets.
#[derive(Debug)]
pub struct Wire {
    beyond: File,
}

impl Wire {
    /// Makes a namespace and the wire to it. Everything that this side does
    /// not know is routed over it.
    ///
    /// # Panics
    /// If one of them cannot be made.
    pub fn new() -> Self {
        let here = gettid().as_raw_nonzero();
        let beyond = isolated(|| {
            link::pair("beyond0", INTERFACE, here.get());
            for address in [FREE_V4, PEER_V4] {
                link::address("beyond0", address.into(), 24);
            }
            for address in [FREE_V6, PEER_V6] {
                link::address("beyond0", address.into(), 64);
            }
            link::up("beyond0");
            File::open("/proc/thread-self/ns/net").expect("a thread has a namespace")
        });
        link::address(INTERFACE, HERE_V4.into(), 24);
        link::address(INTERFACE, HERE_V6.into(), 64);
        link::up(INTERFACE);
        // Else a host that checks where packets come from would drop them.
        link::default_route(INTERFACE);
        link::until_running(INTERFACE);
        run_in(&beyond, || link::until_running("beyond0"));
        Self { beyond }
    }

    /// Runs `body` in the namespace beyond. Sockets that it opens stay there.
    ///
    /// # Panics
    /// If `body` does, or the namespace cannot be entered.
    pub fn beyond<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        run_in(&self.beyond, body)
    }
}

/// Sends each datagram to a port once more, and what is sent so again, as often
/// as the kernel lets packets beget packets (`NF_RECURSION_LIMIT`,
/// `net/netfilter/nf_dup_netdev.c`): one that is copied costs a fraction of one
/// that is sent.
const MULTIPLY: &str = "table netdev multiply {\n\
    chain out { type filter hook egress device beyond0 priority 0; udp dport 9 dup to beyond0 \
     dup to beyond0\n}\n}\n";

impl Wire {
    /// From now on every datagram to port 9 arrives several times.
    ///
    /// # Panics
    /// If `nft` cannot have it so.
    pub fn multiply(&self) {
        let made = self.beyond(|| fed("nft", &["-f", "-"], MULTIPLY.as_bytes()));
        assert!(made.status.success(), "{made:?}");
    }

    /// How many packets have come over it.
    ///
    /// # Panics
    /// If the system does not say.
    pub fn received(&self) -> u64 {
        let told = fs::read_to_string("/proc/thread-self/net/dev").expect("/proc is mounted");
        let line = told.lines().find_map(|line| line.trim().strip_prefix("wire0:"));
        // Bytes, packets and so on, received first.
        let packets = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        packets.expect("the interface is listed")
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::new()
    }
}
