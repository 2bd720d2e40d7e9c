//! Everything that a change must pass, in the order in which it fails
//! fastest. Stops at the first failure and says which step it was.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::{Failure, apart, packages, real, tidy, workspace};

/// A step: its name, and what to do. What it returns are its closing lines.
type Step = (&'static str, fn() -> Result<Vec<String>, Failure>);

/// How cargo starts a chore: as `cargo xtask` does, but with the features that
/// the whole workspace has. Those of one package alone would build a second
/// time much of what is there from the tests.
const CHORE: [&str; 5] = ["run", "--quiet", "--bin", "xtask", "--"];

/// How many tests of a program run at once, to its harness.
const THREADS: &str = "RUST_TEST_THREADS";

const STEPS: &[Step] = &[
    ("fmt", || cargo(&["fmt", "--all", "--check"])),
    ("clippy", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("tidy", || tidy::run().map(|()| Vec::new())),
    ("build the tests", build),
    ("tests", test),
    ("the page", page),
    ("docs", docs),
    // Every target from its corpus. Most of the step's time is the build.
    ("fuzz", || chore(&["fuzz", "--seconds", "2"])),
    ("sim", || chore(&["sim", "--seed", "1"])),
    ("demo", || chore(&["demo"])),
    // That it runs through, and what must be so on every machine; no bound on time.
    ("evidence", || chore(&["evidence", "--quick", "A", "B", "C", "D"])),
    ("a million entries", || chore(&["million"])),
    ("real feeds", real_feeds),
];

/// Runs all steps.
pub(crate) fn run() -> Result<(), Failure> {
    let begun = Instant::now();
    packages::ensure()?;
    let mut closing = Vec::new();
    for (name, step) in STEPS {
        println!("\n==> {name}");
        let start = Instant::now();
        let lines = step().map_err(|failure| format!("ci stopped at step `{name}`: {failure}"))?;
        closing.push(format!("{name}: good, {} s", start.elapsed().as_secs()));
        closing.extend(lines.into_iter().map(|line| format!("    {line}")));
    }
    println!("\n==> all of it");
    for line in closing {
        println!("{line}");
    }
    println!("ci: all steps good in {} s", begun.elapsed().as_secs());
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<Vec<String>, Failure> {
    run_command(Command::new(workspace::cargo()).args(arguments))
}

/// Builds outside of any namespace, where dependencies can be fetched.
fn build() -> Result<Vec<String>, Failure> {
    cargo(&["build", "--workspace", "--bins"])?;
    cargo(&["test", "--workspace", "--no-run"])
}

/// All tests: as root each makes a namespace of its own, else the whole run
/// is in a user namespace in which it may.
fn test() -> Result<Vec<String>, Failure> {
    let cargo = workspace::cargo();
    let mut tests = if apart::is_root() { Command::new(cargo) } else { apart::command(cargo) };
    tests.args(["test", "--workspace"]).current_dir(workspace::root()).stdout(Stdio::piped());
    if env::var_os(THREADS).is_none() {
        tests.env(THREADS, threads().to_string());
    }
    let mut child = tests.spawn()?;
    let output = child.stdout.take().ok_or("standard output is a pipe")?;
    let mut closing = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if line.starts_with("test result:") && !line.contains(" 0 passed; 0 failed; 0 ignored") {
            closing.push(line);
        }
    }
    match child.wait()? {
        status if status.success() => Ok(closing),
        status => Err(format!("{tests:?} ended with {status}").into()),
    }
}

/// Most of the tests wait more than they work: for a daemon, a client, a clock.
fn threads() -> usize {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    processors + processors.div_ceil(2)
}

/// Where the tests are, for it needs a network of its own as they do.
fn page() -> Result<Vec<String>, Failure> {
    let cargo = workspace::cargo();
    let mut page = if apart::is_root() { Command::new(cargo) } else { apart::command(cargo) };
    run_command(page.args(CHORE).arg("page"))
}

fn docs() -> Result<Vec<String>, Failure> {
    let mut docs = Command::new(workspace::cargo());
    docs.args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    run_command(docs.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Real feeds are no part of the checkout, so this step may have none.
fn real_feeds() -> Result<Vec<String>, Failure> {
    let said = match real::directory() {
        Some(directory) => {
            let path = directory.to_str().ok_or("the directory of real feeds has an odd name")?;
            chore(&["real", path])?;
            "a directory of real feeds beside the checkout was used"
        }
        None => "there is no directory of real feeds beside the checkout: nothing was compared",
    };
    println!("{said}");
    Ok(vec![said.to_owned()])
}

/// Another chore, in a process of its own: it moves into a namespace. Started by
/// cargo, because the file of this program may have been replaced: `cargo xtask
/// ci` was built with the features of one package.
fn chore(arguments: &[&str]) -> Result<Vec<String>, Failure> {
    cargo(&[&CHORE, arguments].concat())
}

fn run_command(command: &mut Command) -> Result<Vec<String>, Failure> {
    match command.current_dir(workspace::root()).status()? {
        status if status.success() => Ok(Vec::new()),
        status => Err(format!("{command:?} ended with {status}").into()),
    }
}
