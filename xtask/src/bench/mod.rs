//! Measurements, in time of the processor and as ratios within one run: the
//! machine may be busy with other things, and every other machine is another.
//! Nothing here fails for being slow; what is missed is said. Those of the suite
//! share a frame, which is in `suite`.

mod audit;
mod delta;
mod drop;
mod exports;
mod feeds;
mod gateway;
mod hits;
mod layout;
mod load;
mod memory;
mod probe;
mod release;
mod rules;
mod scale;
mod suite;
mod tables;
mod text;

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::{Args, Subcommand};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use rustix::time::{ClockId, clock_gettime};

use self::suite::Goal;
use crate::measure::statistics::{Spread, median};
use crate::{Failure, workspace};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Bench {
    #[command(flatten)]
    suite: suite::Suite,
    #[command(subcommand)]
    own: Option<Own>,
}

/// What has arguments of its own, and what is not of the suite.
#[derive(Subcommand)]
enum Own {
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
    /// What the type and the size of a table cost a packet
    Tables(tables::Tables),
}

impl Bench {
    /// Measures. What is measured in this process must be built as it is
    /// shipped, so it is built so and started again.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.own {
            Some(Own::Exports(exports)) => exports.run(),
            Some(Own::Gateway(gateway)) => gateway.run(),
            Some(Own::Hits(hits)) => hits.run(),
            Some(Own::Layout(layout)) => layout.run(),
            Some(Own::Rules(rules)) => rules.run(),
            Some(Own::Tables(tables)) => tables.run(),
            // Those before are measured from outside.
            Some(Own::Feeds(feeds)) => as_shipped(|| feeds.run()),
            None => as_shipped(|| self.suite.run()),
        }
    }
}

/// Does it in a process that is built as the program is shipped.
fn as_shipped(measure: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    if !cfg!(debug_assertions) {
        return measure();
    }
    let mut again = Command::new(workspace::cargo());
    again.args(["run", "--quiet", "--release", "--package", "xtask", "--"]);
    let status = again.args(env::args_os().skip(1)).status()?;
    if status.success() { Ok(()) } else { Err(format!("{again:?}: {status}").into()) }
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
    /// The median, in milliseconds.
    fn ms(&self) -> f64 {
        median(&self.all_ms())
    }

    /// How many times as long the other thing took: the median of the rounds.
    fn ratio(&self, other: &Self) -> f64 {
        let ratios = Spread::of_ratios(&other.all_ms(), &self.all_ms());
        ratios.map_or(f64::NAN, |ratios| ratios.middle)
    }

    /// All of them, in milliseconds.
    fn all_ms(&self) -> Vec<f64> {
        self.0.iter().map(|time| time.as_secs_f64() * 1e3).collect()
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

/// Says whether a promise is kept.
fn said(what: &str, found: f64, most: f64) {
    println!("  {}", Goal::at_most(what, Some(found), most));
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        bench: Bench,
    }

    #[test]
    fn names_are_of_the_suite_unless_the_first_word_has_arguments_of_its_own() {
        let check = |line: &str, own: bool, names: &[&str]| {
            let words = ["bench"].into_iter().chain(line.split_whitespace());
            let bench = Line::try_parse_from(words).expect("it is an invocation").bench;
            assert_eq!((bench.own.is_some(), bench.suite.words()), (own, names.to_vec()), "{line}");
        };
        check("", false, &[]);
        check("--rounds 3", false, &[]);
        check("load", false, &["load"]);
        check("load layout feeds --rounds 3", false, &["load", "layout", "feeds"]);
        check("--rounds 3 layout", false, &["layout"]);
        check("layout feeds.d --packets 1000", true, &[]);
        check("feeds --only text", true, &[]);
        check("hits --rounds 5", true, &[]);
    }
}
