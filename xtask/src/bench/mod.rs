//! Measurements, in time of the processor and as ratios within one run: the
//! machine may be busy with other things, and every other machine is another.
//! Nothing here fails for being slow; what is missed is said.

mod exports;
mod feeds;
mod gateway;
mod hits;
mod layout;
mod rules;
mod text;

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::{Args, Subcommand};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use rustix::time::{ClockId, clock_gettime};

use crate::{Failure, workspace};

#[derive(Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Writing lists for other programs, beside `httxt2dbm`, and nginx loading one
    Exports(exports::Exports),
    /// Reading feeds, beside `iprange` and the libraries for JSON and CSV
    Feeds(feeds::Feeds),
    /// Requests to the gateway, beside a look-up server in C
    Gateway(gateway::Gateway),
    /// Updates under a flood of packets that are looked at
    Hits(hits::Hits),
    /// What the prefix lengths of a set cost a packet
    Layout(layout::Layout),
    /// What a rule costs a packet, beside rules of iptables
    Rules(rules::Rules),
}

impl Bench {
    /// Measures. What is measured in this process must be built as it is
    /// shipped, so it is built so and started again.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        // These are measured from outside.
        match &self.what {
            What::Exports(exports) => return exports.run(),
            What::Gateway(gateway) => return gateway.run(),
            What::Hits(hits) => return hits.run(),
            What::Layout(layout) => return layout.run(),
            What::Rules(rules) => return rules.run(),
            What::Feeds(_) => {}
        }
        if cfg!(debug_assertions) {
            let mut again = Command::new(workspace::cargo());
            again.args(["run", "--quiet", "--release", "--package", "xtask", "--"]);
            let status = again.args(env::args_os().skip(1)).status()?;
            return if status.success() {
                Ok(())
            } else {
                Err(format!("{again:?}: {status}").into())
            };
        }
        match &self.what {
            What::Feeds(feeds) => feeds.run(),
            What::Exports(exports) => exports.run(),
            What::Gateway(gateway) => gateway.run(),
            What::Hits(hits) => hits.run(),
            What::Layout(layout) => layout.run(),
            What::Rules(rules) => rules.run(),
        }
    }
}

/// How long a processor works on `work`, which stays on this thread. Time in
/// which others had the processor does not count.
fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = processor_time();
    std::hint::black_box(work());
    processor_time().saturating_sub(begun)
}

fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).expect("it is not negative")
}

/// The same of a program that has one thread, from its start to its end.
fn time_program(command: &mut Command) -> Duration {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let child = child.as_mut().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(Pid::from_child(child)), ended).expect("it is a child");
    // The kernel keeps account until somebody has taken note of the end: the
    // first number is nanoseconds, see its Documentation/scheduler/sched-stats.
    let account = fs::read_to_string(format!("/proc/{}/schedstat", child.id()));
    let status = child.wait().expect("it has ended");
    assert!(status.success(), "{command:?} ended with {status}");
    let account = account.expect("it has ended and was not forgotten");
    let nanoseconds = account.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

/// The times of several things, each measured once a round, in turns: what
/// disturbs one disturbs the others too.
fn rounds<const N: usize>(rounds: usize, work: [&dyn Fn() -> Duration; N]) -> [Times; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (times, work) in times.iter_mut().zip(work) {
            times.push(work());
        }
    }
    times.map(Times)
}

/// The times of one thing, round by round.
struct Times(Vec<Duration>);

impl Times {
    /// The median.
    fn median(&self) -> Duration {
        let mut times = self.0.clone();
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// In milliseconds.
    fn ms(&self) -> f64 {
        self.median().as_secs_f64() * 1e3
    }

    /// How many times as long the other thing took: the median of the rounds.
    fn ratio(&self, other: &Self) -> f64 {
        let mut ratios: Vec<f64> =
            self.0.iter().zip(&other.0).map(|(a, b)| b.as_secs_f64() / a.as_secs_f64()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

/// What all threads of a process have worked so far. The first number is
/// nanoseconds, see Documentation/scheduler/sched-stats of the kernel.
fn worked(pid: u32) -> Result<Duration, Failure> {
    let mut all = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let account = fs::read_to_string(task?.path().join("schedstat"))?;
        all += account.split(' ').next().ok_or("an account has numbers")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(all))
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_unstable_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Says whether a promise is kept.
fn said(what: &str, found: f64, most: f64) {
    let word = if found <= most { "kept" } else { "MISSED" };
    println!("  {word}: {found:.2} {what}, promised is {most:.2} at the most");
}
