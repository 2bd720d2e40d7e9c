//! The machine that figures are of: what it is and how busy. No name of it, no path
//! on it.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;

use serde::{Deserialize, Serialize};

/// Programs whose version matters, and how they are asked for it.
const PROGRAMS: [(&str, &str); 12] = [
    ("ipset", "--version"),
    ("iptables-legacy", "--version"),
    ("iptables-nft", "--version"),
    ("nft", "--version"),
    ("ip", "-V"),
    ("iprange", "--version"),
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
pub(crate) struct Machine {
    /// The day, in UTC.
    pub(crate) day: String,
    /// Of its processors.
    pub(crate) model: String,
    /// How many of them.
    pub(crate) processors: usize,
    /// In MiB.
    pub(crate) memory_mib: u64,
    /// Its release.
    pub(crate) kernel: String,
    /// Whether it is a guest of another.
    pub(crate) is_guest: bool,
    /// Against weaknesses of the processor, by their names.
    pub(crate) mitigations: BTreeMap<String, String>,
    /// Of programs, the first line of what they say; "missing" if they are.
    pub(crate) versions: BTreeMap<String, String>,
    /// How many percent of the time since it started the host of it took away.
    pub(crate) stolen_percent: f64,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here() -> Self {
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
            stolen_percent: stolen(&read("/proc/stat")),
        }
    }
}

/// What the processors have done so far, in hundredths of a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ticks {
    all: f64,
    busy: f64,
    ours: f64,
}

impl Ticks {
    /// Up to now.
    pub(crate) fn now() -> Self {
        Self::of(&read("/proc/stat"), &read("/proc/self/stat"))
    }

    /// By proc(5)'s stat of the machine and of this process.
    fn of(machine: &str, process: &str) -> Self {
        let numbers = |text: &str| -> Vec<f64> {
            text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        let classes = numbers(machine.lines().next().unwrap_or_default());
        let all: f64 = classes.iter().take(8).sum();
        let idle: f64 = classes.iter().skip(3).take(2).sum();
        // The state, a letter, is no number; four are its own and its children's time.
        let of_process = numbers(process.rsplit(')').next().unwrap_or_default());
        Self { all, busy: all - idle, ours: of_process.iter().skip(10).take(4).sum() }
    }

    /// How many percent of the processors have since been at work for others, threads of
    /// the kernel included.
    pub(crate) fn others_since(self) -> f64 {
        self.others(Self::now())
    }

    fn others(self, now: Self) -> f64 {
        let others = (now.busy - self.busy) - (now.ours - self.ours);
        (others / (now.all - self.all).max(1.0) * 100.0).max(0.0)
    }
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
        assert_eq!(field("a : 1\nbc\t: x y\n", "bc"), "x y");
        assert!((stolen("cpu  10 0 20 60 0 0 0 10 0 0\n") - 10.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_idle_and_not_ours_is_of_others() {
        let process = |ours: u32| format!("7 (a b) S 1 7 7 0 -1 4 1 1 1 1 {ours} 5 6 7 20 0");
        let before = Ticks::of("cpu  10 0 20 60 0 0 0 10 0 0\n", &process(10));
        let after = Ticks::of("cpu  50 0 40 90 10 0 0 10 0 0\n", &process(50));
        // Of a hundred ticks sixty were busy, and forty of those were ours.
        assert!((before.others(after) - 20.0).abs() < 1e-9, "{before:?} {after:?}");
    }
}
