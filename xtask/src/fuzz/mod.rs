//! Every target of `tests/fuzz` for a bounded time, each from its own corpus.
//! Which formats there are says the crate that reads them, so that a new one is
//! a target at once and fails until it has a sample.

mod build;
mod corpus;
mod process;
mod target;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use clap::Args;

use self::build::Built;
pub(crate) use self::build::as_compiler;
use self::target::Target;
use crate::Failure;

#[derive(Args)]
pub(crate) struct Fuzz {
    /// Names of formats, or `detection`, `answers`, `listing`, `packed`, `peers`, `query`,
    /// `rules`, `shown`; all targets unless given
    targets: Vec<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How many run at a time
    #[arg(long, default_value = "2")]
    jobs: NonZero<usize>,
    /// Put what reached new code into the committed corpus, and make that small
    #[arg(long)]
    keep: bool,
    /// Run only this input, which failed before
    #[arg(long, requires = "targets")]
    input: Option<PathBuf>,
}

impl Fuzz {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let targets = target::chosen(&self.targets)?;
        for target in &targets {
            corpus::check(target)?;
        }
        let built = build::all()?;
        match &self.input {
            Some(input) => targets.iter().try_for_each(|target| target.reproduce(&built, input)),
            None => self.each(&built, &targets),
        }
    }

    /// Runs the targets, so many at a time, to the end of all of them.
    fn each(&self, built: &Built, targets: &[Target]) -> Result<(), Failure> {
        let (waiting, failed) = (Mutex::new(targets.iter()), Mutex::new(Vec::new()));
        let next = || waiting.lock().expect("no thread panics with it").next();
        thread::scope(|scope| {
            for _ in 0..self.jobs.get() {
                scope.spawn(|| {
                    while let Some(target) = next() {
                        match self.one(built, target) {
                            Ok(line) => println!("{:<14} {line}", target.name),
                            Err(failure) => {
                                println!("{:<14} FAILED: {failure}", target.name);
                                let mut failed = failed.lock().expect("no thread panics with it");
                                failed.push(target.name);
                            }
                        }
                    }
                });
            }
        });
        let failed = failed.into_inner()?;
        if !failed.is_empty() {
            return Err(format!("fuzz: failed: {}", failed.join(", ")).into());
        }
        let size = corpus::bytes_of_all()?;
        println!("fuzz: {} targets good, corpus of {} KiB", targets.len(), size.div_ceil(1024));
        if size > corpus::BYTES_MAX {
            return Err(format!("the corpus has more than {} bytes", corpus::BYTES_MAX).into());
        }
        Ok(())
    }

    fn one(&self, built: &Built, target: &Target) -> Result<String, Failure> {
        let line = target.run(built, self.seconds)?;
        if !self.keep {
            return Ok(line);
        }
        target.merge(built)?;
        let (files, bytes) = corpus::keep(target, &built.merged(target))?;
        Ok(format!("{line}; {files} inputs of {bytes} bytes kept"))
    }
}
