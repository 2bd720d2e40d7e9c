//! Question C: of an address that is blocked in each of these ways, what still gets
//! through? Words, no figures.

mod cases;
mod probes;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::passage::Passage;
use lab::wire::{PEER_V4, PEER_V6};

use self::cases::{CASES, Case};
use self::probes::{Passed, Probes};
use super::Task;
use super::record::{Finding, Ledger};
use super::tool::{self, Trouble};

/// No command of a case takes longer.
const LIMIT: Duration = Duration::from_secs(20);

/// The column that says whether somebody else was cut off.
pub(super) const OTHERS: &str = "others";
/// The column of what is left when a neighbour has flushed all rules.
pub(super) const FLUSHED: &str = "after a flush of all rules";

/// The columns, in their order.
pub(super) fn columns() -> Vec<String> {
    let mut columns = probes::columns();
    columns.extend([OTHERS, FLUSHED].map(str::to_owned));
    columns
}

/// Looks at all ways that are asked for.
pub(super) fn run(task: &Task<'_>) -> Ledger {
    let mut ledger = Ledger::default();
    for case in CASES.iter().filter(|case| task.scope.wants(case.name)) {
        println!("  {}", case.name);
        let looked = catch_unwind(AssertUnwindSafe(|| isolated(|| look(case))));
        let looked = looked.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())));
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

fn look(case: &Case) -> Result<Vec<String>, Trouble> {
    let passage = Passage::new();
    for name in ["all", "default", "wire0", "inner0"] {
        run_lines(&[&format!("sysctl -qw net.ipv4.conf.{name}.rp_filter=0")])?;
    }
    let found = match case.denyset {
        None => look_at(case, &passage, || run_lines(case.block)),
        Some(rule) => with_denyset(case, &passage, rule),
    };
    let cleaned = run_lines(case.clean);
    let found = found?;
    cleaned.map(|()| found)
}

fn look_at(
    case: &Case,
    passage: &Passage,
    block: impl FnOnce() -> Result<(), Trouble>,
) -> Result<Vec<String>, Trouble> {
    // What cannot even be set up is not there to be looked at.
    run_lines(case.prepare).map_err(Trouble::into_missing)?;
    let broken = |error: std::io::Error| Trouble::Broken(format!("a probe: {error}"));
    let mut probes = Probes::open(passage).map_err(broken)?;
    block()?;
    let passed = probes.try_all().map_err(broken)?;
    let mut words: Vec<_> = passed.iter().map(|passed| word(passed.blocked).to_owned()).collect();
    words.push(others(&passed));
    for line in case.flush {
        // What is not there has nothing to be flushed.
        let _ = run_lines(&[line]);
    }
    let after = probes.try_one().map_err(broken)?;
    words.push(word(after.blocked).to_owned());
    Ok(words)
}

/// The daemon runs all the while.
fn with_denyset(case: &Case, passage: &Passage, rule: &str) -> Result<Vec<String>, Trouble> {
    let tables = format!(
        "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\nprotect = []\n[[rule]]\nlist = \"drop\"\n{rule}\n"
    );
    let host = Host::with(&Config { tables, ..Config::default() });
    host.feed("list.txt", "203.0.113.9\n2001:db8:ffff::9\n");
    let daemon = Daemon::start(&host);
    daemon.until_members("denyset-drop-v6", 1);
    let words = look_at(case, passage, || {
        host.feed("list.txt", format!("203.0.113.9\n2001:db8:ffff::9\n{PEER_V4}\n{PEER_V6}\n"));
        daemon.until_members("denyset-drop-v6", 2);
        Ok(())
    });
    daemon.stop();
    words
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
            let blocks = case.name == "none" || !case.block.is_empty() || case.denyset.is_some();
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
