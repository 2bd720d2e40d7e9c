//! Question C: of an address that is blocked in each of these ways, what still gets
//! through? Words, no figures.

mod cases;
mod probes;

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::passage::Passage;
use lab::wire::{PEER_V4, PEER_V6};

use self::cases::{CASES, Case, Keeper};
use self::probes::{Passed, Probes};
use super::Task;
use super::million::ways::programs::Running;
use super::record::{Finding, Ledger};
use super::tool::{self, Trouble};

/// No command of a case takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// The column that says whether somebody else was cut off.
pub(super) const OTHERS: &str = "others";
/// The column of what is left when a neighbour has flushed all rules.
pub(super) const FLUSHED: &str = "after a flush of all rules";
/// The column of what is left when the program behind it was killed.
pub(super) const KILLED: &str = "after its program was killed";

/// The columns, in their order.
pub(super) fn columns() -> Vec<String> {
    let mut columns = probes::columns();
    columns.extend([OTHERS, FLUSHED, KILLED].map(str::to_owned));
    columns
}

/// Looks at all ways that are asked for.
pub(super) fn run(task: &Task<'_>) -> Ledger {
    let mut ledger = Ledger::default();
    for case in CASES.iter().filter(|case| task.scope.wants(case.name)) {
        println!("  {}", case.name);
        let looked = look_apart(case, Blow::Flush).and_then(|mut words| {
            let killed = match case.keeper {
                Keeper::Nobody => "it has none".to_owned(),
                _ => look_apart(case, Blow::Kill)?.pop().unwrap_or_default(),
            };
            words.push(killed);
            Ok(words)
        });
        match looked {
            Ok(words) => {
                for (column, word) in columns().iter().zip(words) {
                    ledger.put(case.name, 0, column, Finding::Seen(word));
                }
            }
            Err(Trouble::Missing(why)) => {
                ledger.put(case.name, 0, OTHERS, Finding::NotRun(why));
            }
            Err(Trouble::Broken(why)) => ledger.put(case.name, 0, OTHERS, Finding::Broke(why)),
        }
    }
    ledger
}

/// What comes over a way after everything was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blow {
    /// A neighbour flushes all rules.
    Flush,
    /// The program behind it is killed.
    Kill,
}

/// Looks at a way in namespaces of its own: the words of all columns up to that of the
/// blow, which is the last.
fn look_apart(case: &Case, blow: Blow) -> Result<Vec<String>, Trouble> {
    let looked = catch_unwind(AssertUnwindSafe(|| isolated(|| look(case, blow))));
    looked.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())))
}

fn look(case: &Case, blow: Blow) -> Result<Vec<String>, Trouble> {
    let passage = Passage::new();
    for name in ["all", "default", "wire0", "inner0"] {
        run_lines(&[&format!("sysctl -qw net.ipv4.conf.{name}.rp_filter=0")])?;
    }
    let found = match case.keeper {
        Keeper::Nobody => look_at(case, &passage, || run_lines(case.block), || flush(case)),
        Keeper::Denyset(rule) => with_denyset(case, &passage, rule, blow),
        Keeper::Program(source, arguments) => {
            with_program(case, &passage, (source, arguments), blow)
        }
    };
    let cleaned = run_lines(case.clean);
    let found = found?;
    cleaned.map(|()| found)
}

fn flush(case: &Case) {
    for line in case.flush {
        // What is not there has nothing to be flushed.
        let _ = run_lines(&[line]);
    }
}

fn look_at(
    case: &Case,
    passage: &Passage,
    block: impl FnOnce() -> Result<(), Trouble>,
    blow: impl FnOnce(),
) -> Result<Vec<String>, Trouble> {
    // What cannot even be set up is not there to be looked at.
    run_lines(case.prepare).map_err(Trouble::into_missing)?;
    let broken = |error: std::io::Error| Trouble::Broken(format!("a probe: {error}"));
    let mut probes = Probes::open(passage).map_err(broken)?;
    block()?;
    let passed = probes.try_all().map_err(broken)?;
    let mut words: Vec<_> = passed.iter().map(|passed| word(passed.blocked).to_owned()).collect();
    words.push(others(&passed));
    blow();
    let after = probes.try_one().map_err(broken)?;
    let lost = if after.other { "" } else { ", and everybody else" };
    words.push(format!("{}{lost}", word(after.blocked)));
    Ok(words)
}

/// The daemon runs all the while, unless it is killed.
fn with_denyset(
    case: &Case,
    passage: &Passage,
    rule: &str,
    blow: Blow,
) -> Result<Vec<String>, Trouble> {
    let tables = format!(
        "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nprotect = []\n[[rule]]\nlist = \"drop\"\n{rule}\n"
    );
    let host = Host::with(&Config { tables, ..Config::default() });
    host.feed("list.txt", "203.0.113.9\n2001:db8:ffff::9\n");
    let daemon = RefCell::new(Some(Daemon::start(&host)));
    let members = |count| {
        daemon.borrow().iter().for_each(|daemon| {
            daemon.until_members("denyset-drop-v6", count);
        });
    };
    members(1);
    let block = || {
        host.feed("list.txt", format!("203.0.113.9\n2001:db8:ffff::9\n{PEER_V4}\n{PEER_V6}\n"));
        members(2);
        Ok(())
    };
    let words = look_at(case, passage, block, || match blow {
        Blow::Flush => flush(case),
        Blow::Kill => daemon.borrow_mut().take().into_iter().for_each(Daemon::kill),
    });
    daemon.take().into_iter().for_each(Daemon::stop);
    words
}

/// The program is started to block.
fn with_program(
    case: &Case,
    passage: &Passage,
    (source, arguments): (&str, &[&str]),
    blow: Blow,
) -> Result<Vec<String>, Trouble> {
    let host = Host::new();
    let place = host.path(".");
    Running::build(&place, source)?;
    let failed = |error: std::io::Error| Trouble::Broken(format!("its list: {error}"));
    fs::write(place.join("changes"), format!("+{PEER_V4}\n")).map_err(failed)?;
    let running = RefCell::new(None);
    let block = || {
        let mut program = Running::start(&place, arguments)?;
        program.answer().map_err(Trouble::into_missing)?;
        running.replace(Some(program));
        run_lines(case.block)
    };
    look_at(case, passage, block, || match blow {
        Blow::Flush => flush(case),
        Blow::Kill => drop(running.take()),
    })
}

fn run_lines(lines: &[&str]) -> Result<(), Trouble> {
    for line in lines {
        let line = line.replace("PEER4", &PEER_V4.to_string());
        tool::run(&line.replace("PEER6", &PEER_V6.to_string()), LIMIT)?;
    }
    Ok(())
}

fn word(got_through: bool) -> &'static str {
    if got_through { "PASSES" } else { "dropped" }
}

/// Whether the one who is not blocked was let through everywhere.
fn others(passed: &[Passed]) -> String {
    let lost = passed.iter().filter(|passed| !passed.other).count();
    if lost == 0 { "pass".into() } else { format!("LOST in {lost} of {}", passed.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_something_that_blocks() {
        let names: Vec<_> = CASES.iter().map(|case| case.name).collect();
        for (at, case) in CASES.iter().enumerate() {
            assert!(!names[..at].contains(&case.name), "{} stands twice", case.name);
            let blocks =
                case.name == "none" || !case.block.is_empty() || case.keeper != Keeper::Nobody;
            assert!(blocks, "{}", case.name);
        }
    }

    #[test]
    fn who_is_not_blocked_and_lost_is_counted() {
        let passed = |other| Passed { blocked: false, other };
        assert_eq!(others(&[passed(true), passed(true)]), "pass");
        assert_eq!(others(&[passed(true), passed(false)]), "LOST in 1 of 2");
    }
}
