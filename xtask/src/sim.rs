//! Long random runs against the model of the kernel: faults, crashes, foreign
//! hands, and every invariant after every request. The seed is printed first,
//! and the same seed and steps give the same run.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use netfilter_model::simulation::{Options, Report, simulate, simulate_site};

use crate::Failure;

#[derive(Args)]
pub(crate) struct Sim {
    /// Where random numbers begin; another one each time unless given
    #[arg(long)]
    seed: Option<u64>,
    /// Steps of each run
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    steps: u64,
}

/// A kind of run.
type Run = (&'static str, fn(u64, u64) -> Report);

const RUNS: [Run; 3] = [
    ("plans under faults and foreign hands", |seed, steps| {
        simulate(seed, steps, &Options::default())
    }),
    ("plans under faults alone", |seed, steps| {
        simulate(seed, steps, &Options { foreign_hands: false, ..Options::default() })
    }),
    ("the state machine with its feeds", |seed, steps| {
        simulate_site(seed, steps, &Options::default())
    }),
];

impl Sim {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let seed = match self.seed {
            Some(seed) => seed,
            // Few enough digits to be typed again.
            None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() % 1_000_000,
        };
        let again = format!("cargo xtask sim --seed {seed} --steps {}", self.steps);
        println!("{again}");
        for (name, run) in RUNS {
            let begun = Instant::now();
            let report = run(seed, self.steps);
            if !report.violations.is_empty() {
                println!("{report}");
                return Err(format!("{name}: a promise is broken; again with: {again}").into());
            }
            let seconds = begun.elapsed().as_secs();
            println!("{name}: {} requests, no violation, {seconds} s", report.requests);
        }
        Ok(())
    }
}
