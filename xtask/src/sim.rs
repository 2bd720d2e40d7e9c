//! Long random runs against the model of the kernel: faults, crashes, foreign
//! hands, and every invariant after every request. The seed is printed first,
//! and the same seed and steps give the same run.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use std::collections::BTreeMap;

use netfilter_model::host::{HostKind, simulate_host};
use netfilter_model::simulation::{RunOptions, RunReport, simulate, simulate_site};

use crate::Failure;

#[derive(Args)]
pub(crate) struct Sim {
    /// Where random numbers begin; another one each time unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Steps of each run
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
    /// In a survey, hosts with rules of their own
    #[arg(long)]
    ruled: bool,
    /// In a survey, hosts whose sets are written in few prefix lengths
    #[arg(long, conflicts_with = "ruled")]
    few_lengths: bool,
    /// Instead, let so many hosts live for so many steps at the most, and list
    /// the different promises that are broken, each by its shortest run; with
    /// one host all that it did
    #[arg(long)]
    survey: Option<u64>,
}

/// A kind of run.
type Run = (&'static str, fn(u64, u64) -> RunReport);

const RUNS: [Run; 6] = [
    ("plans under faults and foreign hands", |seed, steps| {
        simulate(seed, steps, &RunOptions::default())
    }),
    ("plans under faults alone", |seed, steps| {
        simulate(seed, steps, &RunOptions { foreign_hands: false, ..RunOptions::default() })
    }),
    ("the state machine with its feeds", |seed, steps| {
        simulate_site(seed, steps, &RunOptions::default())
    }),
    ("a host with all that happens to it", |seed, steps| {
        simulate_host(HostKind::Plain, seed, steps)
    }),
    ("a host with rules of its own", |seed, steps| simulate_host(HostKind::Ruled, seed, steps)),
    ("a host with sets in few lengths", |seed, steps| {
        simulate_host(HostKind::FewLengths, seed, steps)
    }),
];

impl Sim {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let seed = match self.seed {
            Some(seed) => seed,
            // Few enough digits to be typed again.
            None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % 1_000_000,
        };
        if let Some(hosts) = self.survey {
            let kind = match (self.ruled, self.few_lengths) {
                (true, _) => HostKind::Ruled,
                (_, true) => HostKind::FewLengths,
                _ => HostKind::Plain,
            };
            survey(seed, hosts, self.steps.min(300), kind);
            return Ok(());
        }
        let again = format!("cargo xtask sim --seed {seed} --steps {}", self.steps);
        println!("{again}");
        for (name, run) in RUNS {
            let begun = Instant::now();
            let report = run(seed, self.steps);
            if !report.violations.is_empty() {
                println!("{report}");
                if let Some((seed, steps)) = report.again {
                    println!(
                        "alone: cargo xtask sim --survey 1 --seed {seed} --steps {steps} (or with --ruled, --few-lengths)"
                    );
                }
                return Err(format!("{name}: a promise is broken; again with: {again}").into());
            }
            let seconds = begun.elapsed().as_secs();
            println!("{name}: {} requests, no violation, {seconds} s", report.requests);
        }
        Ok(())
    }
}

/// Lists what goes wrong in the lives of many hosts, each kind once.
fn survey(seed: u64, hosts: u64, steps: u64, kind_of_host: HostKind) {
    let mut kinds: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    let mut broken = 0;
    for seed in seed..seed + hosts {
        let report = simulate_host(kind_of_host, seed, steps);
        let Some((_, steps)) = report.again else { continue };
        broken += 1;
        if hosts == 1 {
            println!("{report}");
        }
        for violation in &report.violations {
            let kind = kind(&violation.text);
            let entry = kinds.entry(kind).or_insert((steps, seed, 0));
            entry.2 += 1;
            if steps < entry.0 {
                (entry.0, entry.1) = (steps, seed);
            }
        }
    }
    println!("{broken} of {hosts} hosts break a promise");
    for (kind, (steps, seed, times)) in kinds {
        println!("{times:6} times, --seed {seed} --steps {steps}: {kind}");
    }
}

/// A complaint without the names and numbers in it.
fn kind(text: &str) -> String {
    let words = text.split(": ").next().unwrap_or_default().split(' ');
    let names = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    words.map(|word| if names(word) { "…" } else { word }).collect::<Vec<_>>().join(" ")
}
