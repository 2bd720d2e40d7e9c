//! Evidence: which way to keep a million addresses off a host, measured on the
//! reader's own machine, in network namespaces of its own. What was found goes into
//! `target/evidence`: `REPORT.md`, its plots, and every round in `results.json`.
//!
//! The stages know nothing of each other: they fill ledgers, and the report is made
//! from what these hold. Nothing fails for being slow; a way that breaks is a result.

mod dial;
mod dropped;
mod lists;
mod machine;
mod memory;
mod meters;
mod million;
mod ports;
mod record;
mod report;
mod sanity;
mod site;
mod stage;
mod statistics;
mod tool;
mod web;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use self::machine::Machine;
use self::record::{Findings, Ledger, Results};
use self::stage::{Scope, Stage};
use crate::{Failure, apart, workspace};

#[derive(Args)]
pub(crate) struct Evidence {
    /// Fewer sizes, fewer rounds: a look in three minutes
    #[arg(long)]
    quick: bool,
    /// Rounds of each figure (3 if quick, else 5)
    #[arg(long)]
    rounds: Option<usize>,
    /// Stages by their letters, and variants by parts of their names; else all
    /// stages that are not done
    #[arg(value_name = "A|B|C|D|W|NAME")]
    what: Vec<String>,
}

/// What a stage is told.
struct Task<'a> {
    scope: &'a Scope,
    quick: bool,
    rounds: usize,
}

impl Evidence {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| self.gather())
    }

    /// Runs the stages, and writes down what is known after each of them.
    fn gather(&self) -> Result<(), Failure> {
        let target = workspace::target()?;
        // A short look does not take the place of a long one.
        let place = target.join(if self.quick { "evidence/quick" } else { "evidence" });
        fs::create_dir_all(&place)?;
        make_room(&target);
        let scope = Scope::new(&self.what);
        let rounds = self.rounds.unwrap_or(if self.quick { 3 } else { 5 }).max(1);
        let file = place.join("results.json");
        let mut results = Results::read(&file)?;
        for stage in Stage::ALL.into_iter().filter(|&stage| scope.has(stage)) {
            let done = results.stages.get(&stage).is_some_and(|done| !done.partial);
            if done && !scope.insists_on(stage) {
                println!("{stage:?}: done before; `cargo xtask evidence {stage:?}` does it again");
                continue;
            }
            println!("{stage:?}: {}", stage.question());
            let task = Task { scope: &scope, quick: self.quick, rounds };
            let Some(found) = measure(stage, &task) else { continue };
            // Somebody may have run another stage meanwhile.
            results = Results::read(&file)?;
            results.stages.insert(stage, found);
            results.write(&file)?;
        }
        report::write(&results, &place)?;
        println!("see {}", place.join("REPORT.md").display());
        match &sanity::breaches(&results)[..] {
            [] => Ok(()),
            breaches => Err(breaches.join("\n").into()),
        }
    }
}

/// Runs a stage; nothing if it has no variant that is asked for.
fn measure(stage: Stage, task: &Task<'_>) -> Option<Findings> {
    let (machine, begun) = (Machine::here(), Instant::now());
    let ledger: Ledger = match stage {
        Stage::C => dropped::run(task),
        Stage::B => million::run(task),
        Stage::W => web::run(task),
        Stage::A => ports::run(task),
        Stage::D => meters::run(task),
    };
    let records = ledger.into_records();
    let seconds = begun.elapsed().as_secs();
    println!("{stage:?}: {seconds} s");
    (!records.is_empty()).then(|| Findings {
        quick: task.quick,
        partial: task.scope.is_partial(),
        rounds: task.rounds,
        seconds,
        machine,
        load_after: machine::load(),
        records,
    })
}

/// What this process mounts nobody else sees, and it goes with the process, also if
/// that is killed: a place for temporary files, and one for programs of XDP.
fn make_room(target: &Path) {
    let mut mounts = vec!["mount -t bpf bpf /sys/fs/bpf"];
    if !target.starts_with("/tmp") {
        mounts.push("mount -t tmpfs tmpfs /tmp");
    }
    for mount in mounts {
        // Without them, files stay if this is killed, and XDP says why it is not run.
        if let Err(trouble) = tool::run(mount, Duration::from_secs(10)) {
            println!("  {}", trouble.why());
        }
    }
}
