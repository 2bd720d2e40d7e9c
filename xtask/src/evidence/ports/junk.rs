//! A flood beside those who are served: packets from all over to a port at which nobody
//! listens, at a pace, or as fast as one thread can.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lab::volley::Volley;

/// How often packets are sent: a pace is kept on average.
const BEAT: Duration = Duration::from_millis(1);

/// Sends until `over`, and tells how many packets were sent and what that worked, all
/// that became of them included.
pub(super) fn send(volley: &Volley, rate: u32, over: &AtomicBool) -> (u64, Duration) {
    let (begun, mut sent, mut worked) = (Instant::now(), 0_u64, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let owed = owed(begun.elapsed(), rate).saturating_sub(sent);
        // Who is behind never sends more than a hundredth of a second's packets at once.
        let now = u32::try_from(owed).unwrap_or(u32::MAX).min(rate / 100);
        if now > 0 {
            worked += volley.fire(now);
            sent += u64::from(now);
        }
        std::thread::park_timeout(BEAT);
    }
    (sent, worked)
}

fn owed(time: Duration, rate: u32) -> u64 {
    u64::try_from(time.as_micros() * u128::from(rate) / 1_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_so_many_packets_by_now() {
        assert_eq!(owed(Duration::from_millis(1), 40_000), 40);
        assert_eq!(owed(Duration::from_micros(2_500_010), 100_000), 250_001);
    }
}
