//! Evidence: which way to keep a million addresses off a host, measured on the
//! reader's own machine, in network namespaces of its own. What was found goes into
//! `target/evidence`: `REPORT.md`, its plots, and every round in `results.json`.
//!
//! The stages know nothing of each other: they fill ledgers, and the report is made
//! from what these hold. Nothing fails for being slow; a way that breaks is a result.

mod dial;
mod dropped;
pub(crate) mod lists;
mod memory;
mod meters;
mod million;
mod ports;
mod record;
mod report;
mod sanity;
mod site;
mod stage;
mod web;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;

use self::machine::{Machine, Ticks};
use self::record::{Findings, Ledger, Results, Spell};
use self::stage::{Scope, Stage};
use crate::measure::{machine, statistics, tool};
use crate::{Failure, apart, workspace};

#[derive(Args)]
pub(crate) struct Evidence {
    /// Fewer sizes, fewer rounds: a look in three minutes
    #[arg(long)]
    quick: bool,
    /// Rounds of each figure (2 or 3 if quick, else 4 or 5)
    #[arg(long)]
    rounds: Option<usize>,
    /// Stages by their letters, numbers of addresses, and variants by parts of their
    /// names; else all that is not done
    #[arg(value_name = "A|B|C|D|W|1000|NAME")]
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
        let scope = Scope::new(&self.what);
        // A short look does not take the place of a long one, nor does a part that of all.
        let place = target.join(match (self.quick, scope.is_partial()) {
            (true, _) => "evidence/quick",
            (false, true) => "evidence/part",
            (false, false) => "evidence",
        });
        fs::create_dir_all(&place)?;
        make_room(&target);
        let file = place.join("results.json");
        if scope.is_partial() {
            Results::default().write(&file)?;
        }
        let mut results = Results::read(&file)?;
        for stage in Stage::ALL.into_iter().filter(|&stage| scope.has(stage)) {
            println!("{stage:?}: {}", stage.question());
            let rounds = self.rounds.unwrap_or(stage.rounds(self.quick)).max(1);
            let task = Task { scope: &scope, quick: self.quick, rounds };
            for size in stage.sizes(self.quick).into_iter().filter(|&size| scope.has_size(size)) {
                if results.has(stage, size.unwrap_or_default() as u64) && !scope.insists_on(stage) {
                    println!("  done before; `cargo xtask evidence {stage:?}` does it again");
                    continue;
                }
                let Some(found) = measure(stage, size, &task, results.stages.get(&stage)) else {
                    continue;
                };
                // Somebody may have run another stage meanwhile.
                results = Results::read(&file)?;
                results.take(stage, found);
                results.write(&file)?;
            }
        }
        report::write(&results, &place)?;
        println!("see {}", place.join("REPORT.md").display());
        match &sanity::breaches(&results)[..] {
            [] => Ok(()),
            breaches => Err(breaches.join("\n").into()),
        }
    }
}

/// Runs a stage, or the part of it with so many addresses; nothing if it has no variant
/// that is asked for. What it has found of others before, it may look at.
fn measure(
    stage: Stage,
    size: Option<usize>,
    task: &Task<'_>,
    before: Option<&Findings>,
) -> Option<Findings> {
    let (machine, ticks, begun) = (Machine::here(), Ticks::now(), Instant::now());
    let of_lists = size.unwrap_or_default();
    let ledger: Ledger = match stage {
        Stage::C => dropped::run(task),
        Stage::B => million::run(task, of_lists, before),
        Stage::W => web::run(task, of_lists),
        Stage::A => ports::run(task),
        Stage::D => meters::run(task),
    };
    let records = ledger.into_records();
    let seconds = begun.elapsed().as_secs();
    let spell = Spell { size: of_lists as u64, seconds, others_percent: ticks.others_since() };
    println!("{stage:?}: {seconds} s, others had {:.0} % meanwhile", spell.others_percent);
    (!records.is_empty()).then(|| Findings {
        quick: task.quick,
        partial: task.scope.is_partial(),
        rounds: task.rounds,
        machine,
        spells: vec![spell],
        records,
    })
}

/// A place for temporary files, and one for programs of XDP; both go with this process.
fn make_room(target: &Path) {
    let bpf = tool::run("mount -t bpf bpf /sys/fs/bpf", Duration::from_secs(10)).map(|_| ());
    // Without them, files stay if this is killed, and XDP says why it is not run.
    for trouble in [bpf, apart::files_in_memory(target)].into_iter().filter_map(Result::err) {
        println!("  {}", trouble.why());
    }
}
