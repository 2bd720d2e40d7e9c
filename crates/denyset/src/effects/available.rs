//! How much memory the host has left: what is asked before the kernel is made to
//! hold a set twice.

use std::fs;

/// How many bytes this host has left before it has to swap or to kill, as the
/// kernel estimates it (`MemAvailable`, proc(5)). `None` where `/proc` does not
/// say so.
pub(super) fn available() -> Option<u64> {
    in_meminfo(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn in_meminfo(text: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = rest.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::in_meminfo;

    #[test]
    fn what_is_available_is_told_in_kib() {
        let text = "MemTotal:       24681756 kB\nMemAvailable:     500 kB\n";
        assert_eq!(in_meminfo(text), Some(512_000));
        for text in ["", "MemFree: 500 kB\n", "MemAvailable: 500\n", "MemAvailable: -1 kB\n"] {
            assert_eq!(in_meminfo(text), None, "{text}");
        }
    }
}
