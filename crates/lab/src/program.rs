//! The built program: where it is, and one run of it from start to end.
//!
//! Everything runs with the one capability that the service has. So the
//! tests, root as they are, cannot do what the service could not.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// How long a verb may take before it is killed, in seconds.
const PATIENCE_S: &str = "120";

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says which binary is the program, instead of one built on first use.
///
/// # Panics
/// If it was said, or the program used, before.
pub fn choose(binary: PathBuf) {
    let chosen = PROGRAM.set(binary);
    assert!(chosen.is_ok(), "the program was in use already: {PROGRAM:?}");
}

/// The program's binary. Unless chosen, cargo is asked to build it, once in
/// each process, with the profile and into the directory of this executable.
///
/// # Panics
/// If it cannot be built.
pub fn binary() -> &'static Path {
    PROGRAM.get_or_init(|| build_beside("denyset"))
}

/// Builds a program with the profile and into the directory of this executable,
/// and returns its path.
pub(crate) fn build_beside(program: &str) -> PathBuf {
    let us = env::current_exe().expect("a process knows its executable");
    let profile = profile_of(&us);
    let target = profile.parent().expect("a profile's directory is in the target directory");
    build_program(program, target, profile.ends_with("release"))
}

/// The directory of the profile that an executable was built with: programs lie in
/// it, tests in `deps` below it.
fn profile_of(executable: &Path) -> &Path {
    let place = executable.parent().expect("an executable is in a directory");
    if place.ends_with("deps") { place.parent().unwrap_or(place) } else { place }
}

/// Builds the program into `target`, and returns its path.
///
/// # Panics
/// If cargo fails; it has said why on standard error.
pub fn build(target: &Path, release: bool) -> PathBuf {
    build_program("denyset", target, release)
}

/// Builds the program of this name, which is that of its package too: as it is
/// shipped for a release, else with what the tests of the workspace were built
/// with, for that is there already.
///
/// # Panics
/// If cargo fails; it has said why on standard error.
pub fn build_program(program: &str, target: &Path, release: bool) -> PathBuf {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let packages: &[&str] = if release { &["--package", program] } else { &["--workspace"] };
    cargo
        .args(["build", "--quiet", "--bin", program])
        .args(packages)
        .args(["--message-format", "json-render-diagnostics"])
        .args(release.then_some("--release"))
        .arg("--manifest-path")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .stderr(Stdio::inherit());
    let output = cargo.output().unwrap_or_else(|error| panic!("cannot start cargo: {error}"));
    assert!(output.status.success(), "{cargo:?} failed, {}", output.status);
    let messages = String::from_utf8(output.stdout).expect("cargo prints JSON");
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("{cargo:?} names no executable"))
}

/// A command that becomes the program: user root, but of the capabilities
/// `CAP_NET_ADMIN` alone, and killed with the thread that started it.
pub fn command() -> Command {
    let mut command = Command::new("setpriv");
    confine(&mut command);
    command
}

/// The same, and its system calls `call` fail with `error`, `ENOSYS` for
/// instance, from its first one on.
pub fn failing(call: &str, error: &str) -> Command {
    let mut command = Command::new("strace");
    // Not as its parent: who is started is the program.
    command.args(["-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e"]);
    command.args([format!("trace={call}").as_str(), "-e"]);
    command.args([format!("inject={call}:error={error}").as_str(), "setpriv"]);
    confine(&mut command);
    command
}

fn confine(command: &mut Command) {
    command
        .args(["--bounding-set=-all,+net_admin", "--inh-caps=-all", "--no-new-privs"])
        .args(["--pdeathsig", "KILL", "--"])
        .arg(binary())
        .env_remove("NOTIFY_SOCKET")
        .env_remove("DENYSET_LOG")
        .stdin(Stdio::null());
}

/// Runs the program with `arguments` to its end.
///
/// # Panics
/// If it cannot be started, or takes more than two minutes.
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> ProgramOutcome {
    let mut command = Command::new("timeout");
    command.args(["--kill-after", "5", PATIENCE_S, "setpriv"]);
    confine(&mut command);
    command.args(arguments);
    let Output { status, stdout, stderr } = command.output().expect("`timeout` can be started");
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let code = status.code().unwrap_or_else(|| panic!("{command:?}: {status}\n{stderr}"));
    assert_ne!(code, 124, "{command:?} did not end within {PATIENCE_S} s\n{stderr}");
    ProgramOutcome { code, stdout, stderr }
}

/// What a run of the program left.
#[derive(Clone, Debug)]
pub struct ProgramOutcome {
    /// Its exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl ProgramOutcome {
    /// Asserts the exit code.
    ///
    /// # Panics
    /// If it is another; with everything that the program said.
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        let Self { code: got, stdout, stderr } = self;
        assert_eq!(*got, code, "exit code\nstandard output: {stdout}\nstandard error: {stderr}");
        self
    }

    /// Asserts that standard error has each of `words`.
    ///
    /// # Panics
    /// If one is missing.
    #[track_caller]
    pub fn complains(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
        self
    }

    /// Standard output as the one JSON document that it must be.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        let Self { stdout, stderr, .. } = self;
        serde_json::from_str(stdout).unwrap_or_else(|error| panic!("{error}: {stdout}\n{stderr}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_and_programs_know_where_they_were_built() {
        let check = |executable: &str, want: &str| {
            assert_eq!(profile_of(Path::new(executable)), Path::new(want));
        };
        check("/a/target/debug/deps/program-0f1e", "/a/target/debug");
        check("/a/target/debug/xtask", "/a/target/debug");
        check("/a/target/release/xtask", "/a/target/release");
    }
}
