//! How many sockets of TCP a host has in use, looked at now and then: what piles up when
//! packets or answers are late.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often.
const BEAT: Duration = Duration::from_millis(100);

/// What was seen once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// How long after the first.
    pub(super) after: Duration,
    /// Those that somebody holds.
    pub(super) in_use: u64,
    /// Those that wait for their end, in TIME-WAIT.
    pub(super) waiting: u64,
}

/// What was seen so long after the beginning, as it is kept.
pub(in super::super) fn in_use_after(time: Duration) -> String {
    format!("sockets-in-use-after-{}-ms", time.as_millis())
}

/// Looks until `over`, at the sockets of the namespace of the calling thread.
pub(super) fn watch(over: &AtomicBool) -> Vec<Look> {
    let (begun, mut looks, mut due) = (Instant::now(), Vec::new(), Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        if let Some(left) = due.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
            continue;
        }
        let text = fs::read_to_string("/proc/thread-self/net/sockstat").unwrap_or_default();
        let [in_use, waiting] = counted(&text);
        looks.push(Look { after: due, in_use, waiting });
        // One that comes too late is left out, so that all rounds look at the same moments.
        while due <= begun.elapsed() {
            due += BEAT;
        }
    }
    looks
}

/// `inuse` and `tw` of the line of TCP, see proc(5).
fn counted(sockstat: &str) -> [u64; 2] {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP: ")).unwrap_or_default();
    let words: Vec<_> = line.split(' ').collect();
    let value = |name| words.iter().position(|word| *word == name).and_then(|at| words.get(at + 1));
    ["inuse", "tw"].map(|name| value(name).and_then(|word| word.parse().ok()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_in_use_and_those_that_wait_are_counted() {
        let text =
            "sockets: used 9\nTCP: inuse 5 orphan 0 tw 7 alloc 9 mem 1\nUDP: inuse 3 mem 0\n";
        assert_eq!(counted(text), [5, 7]);
        assert_eq!(counted(""), [0, 0]);
    }
}
