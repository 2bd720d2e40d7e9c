//! A host that passes packets on: a wire to a namespace outside, and another
//! to one inside, as a container has it.

use std::fs::{self, File};
use std::net::{Ipv4Addr, Ipv6Addr};

use rustix::thread::gettid;

use crate::link;
use crate::namespace::{isolated, run_in};
use crate::wire::{HERE_V4, HERE_V6, Wire};
use crate::witness::ip;

/// Two addresses inside.
pub const INSIDE_V4: [Ipv4Addr; 2] =
    [Ipv4Addr::new(198, 51, 100, 2), Ipv4Addr::new(198, 51, 100, 3)];
/// The same.
pub const INSIDE_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 2),
    Ipv6Addr::new(0x2001, 0xdb8, 2, 0, 0, 0, 0, 3),
];

/// The interface of the host towards inside.
pub const INNER: &str = "inner0";

/// What the host's side of the inner wire is called by those inside.
const GATE_V4: &str = "198.51.100.1";
const GATE_V6: &str = "2001:db8:2::1";

/// The two wires of a host in the middle, which is the namespace of the thread
/// that made this.
#[derive(Debug)]
pub struct Passage {
    outside: Wire,
    inside: File,
}

impl Passage {
    /// Makes the namespaces and the wires, and lets packets pass from one to
    /// the other.
    ///
    /// # Panics
    /// If any of it cannot be made.
    pub fn new() -> Self {
        let outside = Wire::new();
        let here = gettid().as_raw_nonzero();
        let inside = isolated(|| {
            ip(&format!("link add inside0 type veth peer name {INNER} netns {here}"));
            for address in INSIDE_V4 {
                ip(&format!("address add {address}/24 dev inside0"));
            }
            for address in INSIDE_V6 {
                ip(&format!("address add {address}/64 dev inside0 nodad"));
            }
            ip("link set inside0 up");
            ip(&format!("route add default via {GATE_V4}"));
            ip(&format!("-6 route add default via {GATE_V6}"));
            File::open("/proc/thread-self/ns/net").expect("a thread has a namespace")
        });
        ip(&format!("address add {GATE_V4}/24 dev {INNER}"));
        ip(&format!("address add {GATE_V6}/64 dev {INNER} nodad"));
        ip(&format!("link set {INNER} up"));
        for (key, value) in [
            ("ipv4/ip_forward", "1"),
            ("ipv6/conf/all/forwarding", "1"),
            // Else only the first answers of many are sent.
            ("ipv4/icmp_ratelimit", "0"),
            ("ipv6/icmp/ratelimit", "0"),
        ] {
            fs::write(format!("/proc/sys/net/{key}"), value).expect("a namespace of our own");
        }
        outside.beyond(|| {
            ip(&format!("route add 198.51.100.0/24 via {HERE_V4}"));
            ip(&format!("-6 route add 2001:db8:2::/64 via {HERE_V6}"));
        });
        link::until_running(INNER);
        run_in(&inside, || link::until_running("inside0"));
        Self { outside, inside }
    }

    /// The wire to the namespace outside.
    pub fn outside(&self) -> &Wire {
        &self.outside
    }

    /// Runs `body` in the namespace inside. Sockets that it opens stay there.
    ///
    /// # Panics
    /// If `body` does, or the namespace cannot be entered.
    pub fn inside<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        run_in(&self.inside, body)
    }
}

impl Default for Passage {
    fn default() -> Self {
        Self::new()
    }
}
