//! Echo requests over a wire at a fixed pace, whose packets one processor handles while
//! the thread that sends them stays on another: how long packets wait for a processor,
//! whatever processes do there. What the thread itself has waited for a processor is
//! taken off.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, recv, sendto, socket};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::datagram::checksum;
use crate::moments::{Moments, go_first};
use crate::wire::{HERE_V4, INTERFACE, Wire};

/// An answer that is to come has come after this long, or is lost.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pings under way.
#[derive(Debug)]
pub struct Pings {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Waits>,
}

/// What pings have seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    /// How many were sent.
    pub sent: u64,
    /// The longest time from when one was sent to its answer.
    pub longest: Duration,
}

/// The processors that the calling thread may use.
///
/// # Panics
/// If it may not ask.
pub fn processors() -> Vec<usize> {
    let all = sched_getaffinity(None).expect("a thread may ask where it may run");
    (0..CpuSet::MAX_CPU).filter(|&processor| all.is_set(processor)).collect()
}

/// Lets the calling thread stay on one processor.
///
/// # Panics
/// If it may not use that.
pub fn stay_on(processor: usize) {
    let mut here = CpuSet::new();
    here.set(processor);
    sched_setaffinity(None, &here).expect("it may be used");
}

/// From now on this processor handles all packets that come over the wire of the calling
/// thread's network namespace (Documentation/networking/scaling.rst of the kernel, RPS).
///
/// # Errors
/// If `/sys` is not that of this namespace, or the kernel cannot.
pub fn steer(processor: usize) -> io::Result<()> {
    let mut words = vec![0_u32; processor / 32 + 1];
    words[processor / 32] = 1 << (processor % 32);
    let mask: Vec<_> = words.iter().rev().map(|word| format!("{word:08x}")).collect();
    fs::write(format!("/sys/class/net/{INTERFACE}/queues/rx-0/rps_cpus"), mask.join(","))
}

impl Pings {
    /// Begins to send, at this pace, from this processor.
    ///
    /// # Panics
    /// If there is no socket for it.
    pub fn start(wire: &Wire, pace: Duration, from: usize) -> Self {
        let raw = wire.beyond(|| socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP)));
        let raw = raw.expect("raw sockets need CAP_NET_RAW");
        set_socket_timeout(&raw, Timeout::Recv, Some(PATIENCE)).expect("it is not zero");
        let over = Arc::new(AtomicBool::new(false));
        let told = over.clone();
        let thread = thread::spawn(move || {
            stay_on(from);
            go_first();
            ping(&raw, pace, &told)
        });
        Self { over, thread }
    }

    /// Ends them, and tells what they have seen.
    ///
    /// # Panics
    /// If the thread did.
    pub fn stop(self) -> Waits {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it ends when told")
    }
}

fn ping(raw: &OwnedFd, pace: Duration, over: &AtomicBool) -> Waits {
    let mut waits = Waits::default();
    let mut moments = Moments::of(pace);
    let to = SocketAddr::new(IpAddr::from(HERE_V4), 0);
    while !over.load(Ordering::Relaxed) {
        moments.wait();
        let number = u16::try_from(waits.sent & 0xffff).expect("sixteen bits");
        let (waited, sent) = (waited_to_run(), Instant::now());
        sendto(raw, &request(number), SendFlags::empty(), &to).expect("it can be sent");
        waits.sent += 1;
        hear(raw, number);
        let took = sent.elapsed();
        if took > waits.longest {
            let of_it = waited_to_run().saturating_sub(waited);
            waits.longest = waits.longest.max(took.saturating_sub(of_it));
        }
    }
    waits
}

/// How long this thread has waited for its processor while it could have run: the second
/// number, see Documentation/scheduler/sched-stats of the kernel.
fn waited_to_run() -> Duration {
    let account = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = account.split(' ').nth(1).and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// An echo request (RFC 792).
fn request(number: u16) -> [u8; 8] {
    let mut packet = [8, 0, 0, 0, 0, 0, 0, 0];
    packet[6..8].copy_from_slice(&number.to_be_bytes());
    let sum = checksum(&[&packet]);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// Waits for the answer. One that never comes is as late as it was waited for.
fn hear(raw: &OwnedFd, number: u16) {
    let mut packet = [0; 128];
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        let Ok((_, length)) = recv(raw, &mut packet[..], RecvFlags::empty()) else { continue };
        // Behind a header of IPv4 without options: an answer is of type 0.
        let Some([0, 0, _, _, _, _, a, b]) = packet[..length].get(20..28) else { continue };
        if u16::from_be_bytes([*a, *b]) == number {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::namespace::isolated_with_mounts;
    use crate::witness::succeed;

    /// How many packets each processor has handled (`/proc/net/softnet_stat`).
    fn handled() -> Vec<u64> {
        let told = fs::read_to_string("/proc/net/softnet_stat").expect("/proc is mounted");
        let first = told.lines().filter_map(|line| line.split(' ').next());
        first.map(|count| u64::from_str_radix(count, 16).expect("a number")).collect()
    }

    #[test]
    fn pings_are_answered_by_the_processor_that_is_chosen() {
        isolated_with_mounts(|| {
            succeed("mount", &["-t", "sysfs", "sysfs", "/sys"]);
            let wire = Wire::new();
            let all = processors();
            let from = all[0];
            for &target in &all {
                steer(target).expect("packets can be steered");
                let before = handled();
                let pings = Pings::start(&wire, Duration::from_millis(1), from);
                let mut moments = Moments::of(Duration::from_millis(100));
                moments.wait();
                let waits = pings.stop();
                assert!(waits.sent > 0 && waits.longest < PATIENCE, "{waits:?}");
                let more = handled()[target] - before[target];
                assert!(more >= waits.sent, "{more} of {} on {target}", waits.sent);
            }
        });
    }
}
