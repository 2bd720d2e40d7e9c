//! The project's own chores, run as `cargo xtask`. Each prints what it does
//! and ends with exit code 0 only if all of it went well.

mod apart;
mod bench;
mod ci;
mod demo;
mod evidence;
mod fuzz;
mod measure;
mod million;
mod packages;
mod page;
mod real;
mod sim;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// How a chore fails: a message for a person.
type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own chores")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Everything a change must pass: formatting, lints, tidy, tests, docs, fuzzing, a million entries
    Ci,
    /// How fast it is, beside what others take for the same
    Bench(bench::Bench),
    /// A million addresses in the kernel, changed twenty times under packets, in a namespace of its own
    Demo(demo::Demo),
    /// Which way to keep a million addresses off a host, measured side by side
    Evidence(evidence::Evidence),
    /// What reads foreign bytes, under bytes that look for new code: each format, and netlink
    Fuzz(fuzz::Fuzz),
    /// The house rules that a program can check
    Tidy,
    /// The page of the gateway in a browser: pictures, and whether everybody can read it
    Page(page::Page),
    /// Random faults against the model of the kernel
    Sim(sim::Sim),
    /// What is promised at a million entries, with the release build
    Million(million::Million),
    /// Real feeds through the program, compared with what `ipset save` says
    Real(real::Real),
}

/// Where random numbers begin.
#[derive(Args, Clone, Copy)]
struct Seed {
    /// The same seed gives the same addresses
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_compiler() {
        return code;
    }
    let done = match Cli::parse().chore {
        Chore::Bench(bench) => bench.run(),
        Chore::Ci => ci::run(),
        Chore::Demo(demo) => demo.run(),
        Chore::Evidence(evidence) => evidence.run(),
        Chore::Fuzz(fuzz) => fuzz.run(),
        Chore::Tidy => tidy::run(),
        Chore::Page(page) => page.run(),
        Chore::Sim(sim) => sim.run(),
        Chore::Million(million) => million.run(),
        Chore::Real(real) => real.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
