//! Programs of others, run with a limit on their time: how long they take, what
//! they work and how much memory they have at most. What does not end in time is
//! ended, and that is a result.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// Where iptables locks: the lock of the machine is none of our business, and in a
/// user namespace it cannot be had.
const XTABLES_LOCK: &str = "/tmp/denyset-evidence-xtables.lock";

/// How often the memory of a program is looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not there to be tried.
    Missing(String),
    /// It was tried, and refused or did not end in time.
    Broken(String),
}

impl Trouble {
    /// In words.
    pub(crate) fn why(&self) -> &str {
        match self {
            Self::Missing(why) | Self::Broken(why) => why,
        }
    }

    /// The same, as of something that is not there.
    pub(crate) fn into_missing(self) -> Self {
        match self {
            Self::Missing(why) | Self::Broken(why) => Self::Missing(why),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.why())
    }
}

impl std::error::Error for Trouble {}

/// What a program took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Effort {
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// What it worked, in user space and in the kernel; of several threads, and with what
    /// it has started and waited for, in hundredths of a second.
    pub(crate) cpu: Duration,
    /// The most memory that it was seen with.
    pub(crate) memory_kib: u64,
}

impl Effort {
    /// This, and then that.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
            memory_kib: self.memory_kib.max(other.memory_kib),
        }
    }
}

/// A program's end.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    pub(crate) effort: Effort,
    pub(crate) said: String,
}

/// Runs `line`, words apart by blanks.
pub(crate) fn run(line: &str, limit: Duration) -> Result<Ended, Trouble> {
    finish(&mut command(line), None, limit)
}

/// The same with this file as its standard input.
pub(crate) fn run_with(line: &str, input: &Path, limit: Duration) -> Result<Ended, Trouble> {
    finish(&mut command(line), Some(input), limit)
}

/// A command of these words.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env("XTABLES_LOCKFILE", XTABLES_LOCK);
    command
}

/// Runs a command to its end, or ends it.
pub(crate) fn finish(
    command: &mut Command,
    input: Option<&Path>,
    limit: Duration,
) -> Result<Ended, Trouble> {
    let name = command.get_program().to_string_lossy().into_owned();
    let input = match input {
        Some(path) => File::open(path)
            .map_err(|error| Trouble::Broken(format!("{}: {error}", path.display())))?
            .into(),
        None => Stdio::null(),
    };
    let begun = Instant::now();
    let spawned = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| Trouble::Missing(format!("{name}: {error}")))?;
    let readers = [
        child.stdout.take().map(|pipe| thread::spawn(move || read(pipe))),
        child.stderr.take().map(|pipe| thread::spawn(move || read(pipe))),
    ];
    let (effort, in_time) = watch(&mut child, begun, limit);
    let status = child.wait().map_err(|error| Trouble::Broken(format!("{name}: {error}")))?;
    let [said, complaint] =
        readers.map(|reader| reader.and_then(|reader| reader.join().ok()).unwrap_or_default());
    if !in_time {
        return Err(Trouble::Broken(format!("{name}: no end after {} s", limit.as_secs())));
    }
    if status.success() {
        return Ok(Ended { effort, said });
    }
    Err(Trouble::Broken(format!("{name}: {status}: {}", shortened(&complaint))))
}

/// Waits for a program's end, or ends it. Whether it has ended by itself.
fn watch(child: &mut Child, begun: Instant, limit: Duration) -> (Effort, bool) {
    let mut effort = Effort::default();
    let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    let mut in_time = true;
    while let Ok(None) = waitid(WaitId::Pid(Pid::from_child(child)), ended) {
        effort.memory_kib = effort.memory_kib.max(memory_kib(child.id()));
        if in_time && begun.elapsed() > limit {
            in_time = false;
            // It fails only if it has ended just now.
            let _ = child.kill();
        }
        thread::park_timeout(GLANCE);
    }
    effort.wall = begun.elapsed();
    // Until somebody has taken note of the end, the kernel keeps account.
    let first_thread = worked(&format!("/proc/{}/schedstat", child.id()));
    effort.cpu = first_thread.max(ticks(child.id()));
    (effort, in_time)
}

/// What a process or thread has worked so far. The first number is nanoseconds, see
/// Documentation/scheduler/sched-stats of the kernel.
pub(crate) fn worked(schedstat: &str) -> Duration {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// What all threads of a process have worked, and the processes that it has waited for,
/// in hundredths of a second (`utime` to `cstime` of proc(5)).
fn ticks(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before may have blanks.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(4).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// The most memory of a process so far (`VmHWM` of proc(5)).
pub(crate) fn memory_kib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.unwrap_or_default()
}

fn read(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    // What a program has said before it was ended is worth keeping.
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A complaint in a cell of a table: the line that names an error, or the last.
fn shortened(complaint: &str) -> String {
    let mut lines = complaint.lines().filter(|line| !line.trim().is_empty());
    let line = lines.clone().find(|line| line.contains("rror")).or_else(|| lines.next_back());
    line.unwrap_or_default().trim().chars().take(110).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: Result<&str, Trouble>) {
        let got = run(line, Duration::from_millis(300)).map(|ended| ended.said);
        assert_eq!(got, want.map(str::to_owned), "{line}");
    }

    #[test]
    fn a_program_that_fails_is_missing_or_late_is_told_apart() {
        check("echo one two", Ok("one two\n"));
        check(
            "no-such-program-here",
            Err(Trouble::Missing(
                "no-such-program-here: No such file or directory (os error 2)".into(),
            )),
        );
        check("sleep 60", Err(Trouble::Broken("sleep: no end after 0 s".into())));
        let failed = run("ls /no/such/place", Duration::from_secs(60)).expect_err("it fails");
        assert!(failed.why().contains("exit status: 2: ls:"), "{failed:?}");
    }
}
