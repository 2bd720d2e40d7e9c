//! The suite: what all of its benchmarks share. Each is told how much there is to do,
//! fills a page with figures round by round, and says afterwards what of its promises is
//! kept; the page goes to `target/bench` as Markdown, as a plot and as it is.

mod beforehand;
mod goal;
mod input;
pub(super) mod meters;
mod name;
mod ours;
mod page;
pub(super) mod peers;
mod sheet;
mod took;
pub(super) mod watched;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;

pub(super) use self::beforehand::{BEFOREHAND, sent};
pub(super) use self::goal::Goal;
pub(super) use self::input::{Input, Kind};
pub(super) use self::meters::FLOOR;
use self::meters::Meters;
use self::name::Name;
pub(super) use self::ours::{OURS, Session};
pub(super) use self::page::{Page, Plot};
use self::sheet::{Run, write_index};
pub(super) use self::took::{Took, ms};
use crate::measure::tool::{self, Trouble};
use crate::{Failure, apart, workspace};

/// Rounds of each figure, unless it is asked for others.
const ROUNDS: usize = 5;
/// Above so many members a few rounds must do: each takes minutes.
const MANY: usize = 2_000_000;
/// So many, then.
const FEW_ROUNDS: usize = 3;

#[derive(Args)]
pub(super) struct Suite {
    /// Benchmarks of the suite; all of them without a name
    #[arg(value_enum, value_name = "NAME")]
    names: Vec<Name>,
    /// Rounds of each figure, 5 unless it is quick
    #[arg(long)]
    rounds: Option<usize>,
    /// Where the meters are that say how fast it could be: programs in C
    #[arg(long, value_name = "DIR")]
    meters: Option<PathBuf>,
    /// Members of a set, where only one number is measured: a million unless it is quick
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..))]
    members: Option<u32>,
    /// Few members and few rounds, to see whether it runs through
    #[arg(long)]
    quick: bool,
}

/// A way of others by its name.
pub(super) type Way<'a, T> = (&'a str, &'a (dyn Fn() -> Result<T, Trouble> + Sync));

/// What a benchmark is told.
pub(super) struct Task {
    /// Rounds of each figure.
    pub(super) rounds: usize,
    /// Members of a set, where only one number is measured.
    pub(super) members: usize,
    /// Whether it is to see whether it runs through.
    pub(super) quick: bool,
    /// What says how fast it could be.
    pub(super) meters: Meters,
}

impl Suite {
    /// Measures what is asked for, apart from this machine's sets and rules.
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| {
            let target = workspace::target()?;
            let place = target.join(if self.quick { "bench/quick" } else { "bench" });
            fs::create_dir_all(&place)?;
            if let Err(trouble) = apart::files_in_memory(&target) {
                println!("files are on a disk: {}", trouble.why());
            }
            let task = self.task(&target);
            let all = if self.names.is_empty() { Name::ALL } else { &self.names };
            for name in all {
                measured(*name, &task, &place)?;
            }
            println!("see {}", place.join("REPORT.md").display());
            Ok(())
        })
    }

    /// The names that are asked for.
    #[cfg(test)]
    pub(super) fn words(&self) -> Vec<&'static str> {
        self.names.iter().map(|name| name.word()).collect()
    }

    fn task(&self, target: &Path) -> Task {
        let members = self.members.unwrap_or(if self.quick { 20_000 } else { 1_000_000 });
        Task {
            rounds: self.rounds.unwrap_or(if self.quick { 2 } else { ROUNDS }).max(1),
            members: members as usize,
            quick: self.quick,
            meters: Meters::new(self.meters.as_deref(), target),
        }
    }
}

impl Task {
    /// Rounds with so many members.
    pub(super) fn rounds_of(&self, members: usize) -> usize {
        if members > MANY { self.rounds.min(FEW_ROUNDS) } else { self.rounds }
    }
}

/// Runs one benchmark and writes down what is known then. What it breaks on is said.
fn measured(name: Name, task: &Task, place: &Path) -> Result<(), Failure> {
    println!("{}: {}", name.word(), name.question());
    let mut page = Page::default();
    let mut run = Run::begun(name.word(), task.rounds);
    let done = catch_unwind(AssertUnwindSafe(|| name.measure(task, &mut page)));
    run.ends();
    match done {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => page.note(format!("It broke: {failure}")),
        Err(_) => page.note("It panicked; what it said is on the terminal.".into()),
    }
    page.judged_by(run.clock());
    name.judge(task, &mut page);
    run.write(name, &page, place)?;
    write_index(place)
}

/// Lets time pass: for the kernel, which gives memory back after it has said that a set
/// is gone, and for files, which are taken for unfinished for a moment.
pub(super) fn pass(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
}

/// Until the memory of a set of a million is free again that was destroyed.
pub(super) const FREED: Duration = Duration::from_millis(300);

/// No program takes longer.
pub(super) const LIMIT: Duration = Duration::from_secs(900);

/// Runs a program to its end, words apart by blanks.
pub(super) fn program(line: &str) -> Result<Took, Trouble> {
    Ok(tool::run(line, LIMIT)?.effort.into())
}

#[cfg(test)]
mod tests {
    use lab::namespace::isolated;

    use super::*;

    #[test]
    fn a_benchmark_leaves_a_page_that_says_what_was_not_run() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let place = place.path();
        isolated(|| {
            let meters = Meters::new(Some(&place.join("none")), place);
            let task = Task { rounds: 1, members: 2_000, quick: true, meters };
            for name in [Name::Load, Name::Delta, Name::Audit] {
                measured(name, &task, place).map_err(|failure| failure.to_string())?;
            }
            Ok::<_, String>(())
        })
        .expect("pages can be written");
        for (name, row) in [("load", "| denyset |"), ("delta", "| denyset |")] {
            let page = fs::read_to_string(place.join(format!("{name}.md"))).expect("a page");
            let broke = page.lines().find(|line| line.starts_with("It "));
            assert_eq!(broke, None, "{name}");
            assert!(page.contains(row), "{page}");
            assert!(page.contains("not run: nlm.c: there is no directory of meters"), "{page}");
            assert!(place.join(format!("{name}.svg")).is_file(), "{name}");
        }
        let index = fs::read_to_string(place.join("REPORT.md")).expect("an index");
        assert!(index.contains("## [load](load.md)") && index.contains("## scale\n\nNot run."));
    }
}
