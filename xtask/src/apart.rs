//! A chore that changes sets and rules runs apart from this machine's: the
//! process starts itself again in a network namespace of its own.

use std::env;
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::Failure;
use crate::measure::tool::{self, Trouble};

/// Set in the process that is apart.
const APART: &str = "DENYSET_XTASK_APART";

/// A command that runs `program` where it is root and has a network and
/// mounts of its own. Who is root already stays the same user.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("unshare");
    if !is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--net", "--mount", "--"]).arg(program);
    command
}

/// Whether this process is root, if only of a user namespace.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs `chore` with the release build of the program, apart. The build is
/// made here, where there is a network to fetch dependencies from.
pub(crate) fn with_release_binary(
    chore: impl FnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(binary) = env::var_os(APART) {
        lab::program::choose(Path::new(&binary).to_path_buf());
        lab::link::up("lo");
        return chore();
    }
    let binary = crate::workspace::release_binary()?;
    let mut again = command(env::current_exe()?);
    let status = again.args(env::args_os().skip(1)).env(APART, binary).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!(
            "{again:?} ended with {status}. If `unshare` is not permitted here, run this as root, \
             or allow user namespaces (`sysctl kernel.unprivileged_userns_clone=1`)"
        )
        .into()),
        Err(error) => Err(format!("cannot start `unshare` (package util-linux): {error}").into()),
    }
}

/// Keeps temporary files in memory from now on. Nobody else sees what is mounted here, and
/// it goes with the process, also if that is killed. `target`, where results go, stays.
pub(crate) fn files_in_memory(target: &Path) -> Result<(), Trouble> {
    if target.starts_with("/tmp") {
        return Err(Trouble::Broken("results are to go to /tmp".into()));
    }
    tool::run("mount -t tmpfs tmpfs /tmp", Duration::from_secs(10)).map(|_| ())
}
