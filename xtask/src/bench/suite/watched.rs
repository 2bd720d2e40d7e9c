//! A daemon that is watched while it works: how it is configured for that.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use lab::daemon::Daemon;
use lab::host::Config;

use crate::Failure;
use crate::measure::tool::worked;

/// Quiet that it waits for in its feeds directory.
pub(in crate::bench) const SETTLE: Duration = Duration::from_millis(20);

/// Until a file is not taken for one that is being written, with that configuration.
pub(in crate::bench) const QUIET: Duration = Duration::from_millis(100);

/// One list of all feeds and what else is asked for, as much as these hold, with members
/// as they are in them.
pub(in crate::bench) fn config(more: &str) -> Config {
    Config {
        daemon: format!("settle-ms = {}\non-stop = \"remove\"", SETTLE.as_millis()),
        tables: format!("[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n{more}"),
        ..Config::default()
    }
}

/// A thread of it.
pub(in crate::bench) struct Thread {
    pub(in crate::bench) name: String,
    /// How often it has gone to sleep of its own accord (`status` of proc(5)).
    pub(in crate::bench) sleeps: u64,
    /// What it has worked.
    pub(in crate::bench) worked: Duration,
}

/// Its threads by their numbers. What one has done that has ended is not in them.
pub(in crate::bench) fn threads(daemon: &Daemon<'_>) -> Result<BTreeMap<u32, Thread>, Failure> {
    let mut threads = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{}/task", daemon.pid()))? {
        let task = task?.path();
        let number = task.file_name().and_then(|name| name.to_str()).ok_or("it has a number")?;
        let status = fs::read_to_string(task.join("status"))?;
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key));
        let name = value("Name:").ok_or("a thread has a name")?.trim().to_owned();
        let sleeps = value("voluntary_ctxt_switches:").ok_or("a thread has it")?.trim().parse()?;
        let worked = worked(&task.join("schedstat").to_string_lossy());
        threads.insert(number.parse()?, Thread { name, sleeps, worked });
    }
    Ok(threads)
}

/// How many bytes it has read from files so far (`rchar` of proc(5)'s io).
pub(in crate::bench) fn bytes_read(daemon: &Daemon<'_>) -> Result<u64, Failure> {
    let io = fs::read_to_string(format!("/proc/{}/io", daemon.pid()))?;
    let line = io.lines().find_map(|line| line.strip_prefix("rchar:"));
    Ok(line.ok_or("a process has it")?.trim().parse()?)
}
