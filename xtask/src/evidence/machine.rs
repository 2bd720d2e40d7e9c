//! The machine that figures are of: what it is and how busy. No name of it, no path
//! on it.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use serde::{Deserialize, Serialize};

/// Programs whose version matters, and how they are asked for it.
const PROGRAMS: [(&str, &str); 11] = [
    ("ipset", "--version"),
    ("iptables-legacy", "--version"),
    ("iptables-nft", "--version"),
    ("nft", "--version"),
    ("ip", "-V"),
    ("perf", "--version"),
    ("wrk", "--version"),
    ("nginx", "-v"),
    ("apache2", "-v"),
    ("haproxy", "-v"),
    ("xdp-filter", "--version"),
];

/// What the kernel says of weaknesses of the processor.
const WEAKNESSES: &str = "/sys/devices/system/cpu/vulnerabilities";

/// A machine, and how busy it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Machine {
    /// The day, in UTC.
    pub(super) day: String,
    /// Of its processors.
    pub(super) model: String,
    /// How many of them.
    pub(super) processors: usize,
    /// In MiB.
    pub(super) memory_mib: u64,
    /// Its release.
    pub(super) kernel: String,
    /// Whether it is a guest of another.
    pub(super) is_guest: bool,
    /// Against weaknesses of the processor, by their names.
    pub(super) mitigations: BTreeMap<String, String>,
    /// Of programs, the first line of what they say; "missing" if they are.
    pub(super) versions: BTreeMap<String, String>,
    /// The averages of the load over 1, 5 and 15 minutes.
    pub(super) load: String,
    /// How many percent of the time since it started the host of it took away.
    pub(super) stolen_percent: f64,
}

impl Machine {
    /// This one, now.
    pub(super) fn here() -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let [model, flags] = ["model name", "flags"].map(|key| field(&cpuinfo, key));
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let memory = memory.split(' ').next().and_then(|kib| kib.parse::<u64>().ok());
        let names = fs::read_dir(WEAKNESSES).into_iter().flatten().flatten();
        let mitigations = names.filter_map(|entry| {
            let state = read(entry.path().to_str()?).trim().to_owned();
            (state != "Not affected").then(|| (entry.file_name().to_string_lossy().into(), state))
        });
        let versions = PROGRAMS.map(|(name, ask)| (name.to_owned(), version(name, ask)));
        Self {
            day: today(),
            model,
            processors: thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory.unwrap_or_default() / 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            is_guest: flags.split(' ').any(|flag| flag == "hypervisor"),
            mitigations: mitigations.collect(),
            versions: versions.into_iter().collect(),
            load: load(),
            stolen_percent: stolen(&read("/proc/stat")),
        }
    }

    /// Whether others had more of it than one processor when this began.
    pub(super) fn is_busy(&self) -> bool {
        let minute = self.load.split(' ').next().and_then(|load| load.parse::<f64>().ok());
        minute.is_none_or(|minute| minute > 1.0)
    }
}

/// The averages of the load of now.
pub(super) fn load() -> String {
    read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of `key: value`, of the first line with that key.
fn field(text: &str, key: &str) -> String {
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    let mut values = pairs.filter(|(found, _)| found.trim() == key);
    values.next().map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// What the time that was stolen is of all time, by the first line of proc(5)'s stat.
fn stolen(stat: &str) -> f64 {
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    let all: f64 = ticks.iter().take(8).sum();
    if all == 0.0 { 0.0 } else { ticks.get(7).copied().unwrap_or_default() / all * 100.0 }
}

fn version(program: &str, ask: &str) -> String {
    let mut command = Command::new(program);
    let output = command.arg(ask).stdin(Stdio::null()).output();
    let Ok(output) = output else { return "missing".into() };
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().find(|line| line.chars().any(|c| c.is_ascii_digit()));
    line.unwrap_or("of unknown version").trim().to_owned()
}

fn today() -> String {
    let output = Command::new("date").args(["-u", "+%F"]).output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_described_by_what_it_says_of_itself() {
        let here = Machine::here();
        assert!(!here.kernel.is_empty() && here.processors > 0 && here.memory_mib > 0);
        assert_eq!(here.load.split(' ').count(), 3);
        assert_eq!(field("a : 1\nbc\t: x y\n", "bc"), "x y");
        assert!((stolen("cpu  10 0 20 60 0 0 0 10 0 0\n") - 10.0).abs() < 1e-9);
    }
}
