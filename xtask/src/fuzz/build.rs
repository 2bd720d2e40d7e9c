//! Builds the targets, instrumented by the stable compiler: the passes of LLVM
//! that libFuzzer needs are in it, only the short name for them is not.
//!
//! Cargo knows flags for all crates or for none, so the compiler is started by
//! this program, which takes them away from the crates that need none.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use super::target::Target;
use crate::{Failure, workspace};

/// What cargo-fuzz passes too, see
/// <https://clang.llvm.org/docs/SanitizerCoverage.html>: a counter for each edge, a
/// table of where they are, and calls with the operands of comparisons.
const FLAGS: [&str; 6] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// The crates that foreign bytes go through, and the targets. Not the one that
/// reads CSV: it makes tables for each reader, which would take most of the time.
const INSTRUMENTED: [&str; 16] = [
    "blocklist",
    "host",
    "netfilter",
    "netlink_packet_core",
    "netlink_packet_netfilter",
    "netlink_packet_sock_diag",
    "serde_json",
    "feed",
    "detection",
    "answers",
    "listing",
    "packed",
    "peers",
    "query",
    "rules",
    "shown",
];

/// Set where this program is started in place of the compiler.
const COMPILER: &str = "DENYSET_XTASK_COMPILER";

/// Targets that were built, and where what comes of running them is kept.
pub(super) struct Built {
    folder: PathBuf,
    host: String,
}

/// Builds all programs.
pub(super) fn all() -> Result<Built, Failure> {
    let built = Built { folder: workspace::target()?.join("fuzz"), host: host()? };
    let mut cargo = Command::new(workspace::cargo());
    // With a target named, build scripts and macros get no flags at all.
    cargo.args(["build", "--locked", "--release", "--bins", "--target", &built.host]);
    cargo.arg("--manifest-path").arg(workspace::root().join("tests/fuzz/Cargo.toml"));
    cargo.arg("--target-dir").arg(&built.folder);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    cargo.env("RUSTC_WRAPPER", env::current_exe()?).env(COMPILER, "1");
    match cargo.status()? {
        status if status.success() => Ok(built),
        status => Err(format!(
            "{cargo:?} ended with {status}. It needs a C++ compiler (package build-essential); if \
             the lock file is behind, run `cargo update --workspace` in tests/fuzz"
        )
        .into()),
    }
}

/// If this process is to be the compiler: becomes it, its program and arguments
/// being the arguments here.
pub(crate) fn as_compiler() -> Option<ExitCode> {
    env::var_os(COMPILER)?;
    let mut given = env::args_os().skip(1);
    let mut compiler = Command::new(given.next()?);
    let arguments: Vec<OsString> = given.collect();
    let name = arguments.iter().skip_while(|argument| *argument != "--crate-name").nth(1);
    let instrumented = name.is_none_or(|name| INSTRUMENTED.iter().any(|known| name == known));
    let is_flag = |argument: &OsString| FLAGS.iter().any(|flag| argument == flag);
    compiler.args(arguments.iter().filter(|argument| instrumented || !is_flag(argument)));
    match compiler.status() {
        Ok(status) if status.success() => Some(ExitCode::SUCCESS),
        Ok(_) => Some(ExitCode::FAILURE),
        Err(error) => {
            eprintln!("error: {compiler:?}: {error}");
            Some(ExitCode::FAILURE)
        }
    }
}

/// What the compiler calls this machine.
fn host() -> Result<String, Failure> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("-vV").output()?;
    let said = String::from_utf8(output.stdout)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("`rustc -vV` names no host")?.to_owned())
}

impl Built {
    pub(super) fn program(&self, target: &Target) -> PathBuf {
        self.folder.join(&self.host).join("release").join(target.program)
    }

    /// Where a run writes the inputs that reached new code.
    pub(super) fn scratch(&self, target: &Target) -> PathBuf {
        self.folder.join("scratch").join(target.name)
    }

    /// Where a smaller corpus is made.
    pub(super) fn merged(&self, target: &Target) -> PathBuf {
        self.folder.join("merged").join(target.name)
    }

    /// Where inputs are kept that failed.
    pub(super) fn failures(&self, target: &Target) -> PathBuf {
        self.folder.join("failures").join(target.name)
    }

    /// What the target said.
    pub(super) fn log(&self, target: &Target) -> PathBuf {
        self.failures(target).join("log")
    }
}
