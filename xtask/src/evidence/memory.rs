//! The kernel's memory: what it has taken for itself of the whole machine. Others take
//! and give back at the same time, so small differences say nothing.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often it is looked at while something goes on.
const GLANCE: Duration = Duration::from_millis(5);

/// What counts, of proc(5)'s meminfo.
const KINDS: [&str; 3] = ["SUnreclaim:", "VmallocUsed:", "Percpu:"];

/// In KiB.
pub(super) fn kernel_kib() -> f64 {
    counted(&fs::read_to_string("/proc/meminfo").unwrap_or_default())
}

/// The most of it until `over`, in KiB.
pub(super) fn watch(over: &AtomicBool) -> f64 {
    let mut most = kernel_kib();
    while !over.load(Ordering::Relaxed) {
        thread::park_timeout(GLANCE);
        most = most.max(kernel_kib());
    }
    most
}

fn counted(meminfo: &str) -> f64 {
    let lines = meminfo.lines().filter(|line| KINDS.iter().any(|kind| line.starts_with(kind)));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_cannot_give_back_counts() {
        let text = "MemTotal: 9 kB\nSReclaimable: 5 kB\nSUnreclaim:  30 kB\nVmallocUsed: 400 kB\nPercpu: 2 kB\n";
        assert!((counted(text) - 432.0).abs() < 1e-9);
    }
}
