//! What share of the samples of a profile is in the functions of netfilter: the measure
//! of who asked first. The profile is of the processor's clock, as virtual machines
//! have no other, and of our own threads by their names.

use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::tool::{self, Trouble};

const LIMIT: Duration = Duration::from_secs(120);

/// Who sends, serves and receives: the receiver's part over veth runs in the sender.
const THREADS: &str = "ev-server,ev-client,ev-junk";

/// Functions of rules and of what they ask.
const NETFILTER: [&str; 9] = [
    "ipt_do_table",
    "nft_",
    "nf_",
    "xt_",
    "ip_set_",
    "hash_ip4_",
    "hash_net4_",
    "set_match",
    "iptable_",
];

/// A profile that is being made of the whole machine.
pub(super) struct Profile {
    recorder: JoinHandle<Result<(), Trouble>>,
    file: String,
}

impl Profile {
    /// Begins.
    pub(super) fn start(file: &Path, seconds: u64) -> Self {
        let file = file.display().to_string();
        let line = format!("perf record -q -a -e cpu-clock -F 999 -o {file} -- sleep {seconds}");
        let recorder = thread::spawn(move || tool::run(&line, LIMIT).map(drop));
        Self { recorder, file }
    }

    /// The share in percent of all functions of netfilter, and the largest of them.
    pub(super) fn finish(self) -> Result<(f64, String), Trouble> {
        let recorded = self.recorder.join();
        recorded.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())))?;
        let line = format!(
            "perf report -i {} --stdio --no-children --percentage relative --comms {THREADS} \
             -s symbol",
            self.file
        );
        Ok(share(&tool::run(&line, LIMIT)?.said))
    }
}

fn share(report: &str) -> (f64, String) {
    let mut all = 0.0;
    let mut largest = String::new();
    for line in report.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        let percent = words.next().and_then(|word| word.strip_suffix('%')?.parse::<f64>().ok());
        // `[k]` or `[.]`, then the symbol, and more columns on some machines.
        let (Some(percent), Some(symbol)) = (percent, words.nth(1)) else { continue };
        if NETFILTER.iter().any(|name| symbol.starts_with(name)) {
            if largest.is_empty() {
                largest = format!("{symbol} {percent:.1} %");
            }
            all += percent;
        }
    }
    (all, largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_that_of_all_functions_of_netfilter() {
        let report = "# Overhead  Symbol\n#\n    40.50%  [k] ipt_do_table   -  -\n    20.00%  [k] memcpy\n     \
                      1.50%  [k] nf_hook_slow\n\n";
        assert_eq!(share(report), (42.0, "ipt_do_table 40.5 %".to_owned()));
        assert_eq!(share(""), (0.0, String::new()));
    }
}
