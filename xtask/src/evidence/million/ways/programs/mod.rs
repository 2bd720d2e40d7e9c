//! Ways that are a program of our own, each a file of C that does the least there is to
//! do: a queue that user space judges, and maps of XDP. Each stays beside its site, is
//! told of changes by a line, and says when they are in force.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab::wire::INTERFACE;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{self, Effort, Trouble};
use super::{LIMIT, Way, joined, lines};

/// Where the kernel tells of its queues, in the namespace of who asks.
const QUEUES: &str = "/proc/thread-self/net/netfilter/nfnetlink_queue";

/// So many packets fit into the buffer of a socket of netlink as it is, where nobody may
/// have a larger one.
const WAITING: u32 = 128;

/// What a program says whose list the kernel does not take.
const TOO_MUCH: &str = "error: the map";

struct Program {
    name: &'static str,
    source: &'static str,
    arguments: &'static [&'static str],
    /// What leads packets to it, once it is there.
    rules: &'static [&'static str],
    running: Mutex<Option<Running>>,
}

/// The sources of the programs.
pub(in crate::evidence) const QUEUE: &str = include_str!("queue.c");
pub(in crate::evidence) const XDP: &str = include_str!("xdp.c");

/// One at work, which is killed when it is dropped.
pub(in crate::evidence) struct Running {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    let entry = |name, source, arguments, rules| -> Box<dyn Way> {
        Box::new(Program { name, source, arguments, rules, running: Mutex::new(None) })
    };
    let to_queue: &[&str] = &["iptables-legacy -w -A INPUT -j NFQUEUE --queue-num 0"];
    vec![
        entry("NFQUEUE, looked up in user space", QUEUE, &[], to_queue),
        entry("XDP, longest prefix match, generic mode", XDP, &[INTERFACE, "lpm"], &[]),
        entry("XDP, map of hashes, generic mode", XDP, &[INTERFACE, "hash"], &[]),
    ]
}

impl Program {
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        // Who has panicked with it has not harmed it.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the file read, by who is there or is started for it, and waits until it is in
    /// force.
    fn in_force(&self, site: &Site, start: bool) -> Result<Effort, Trouble> {
        let begun = Instant::now();
        let mut running = self.running();
        if start {
            *running = Some(Running::start(&site.host().path("."), self.arguments)?);
        }
        let Some(running) = running.as_mut() else {
            return Err(Trouble::Broken("it is not there".into()));
        };
        let before = if start { Duration::ZERO } else { running.worked() };
        if !start {
            // One that has ended does not answer either, and says why.
            let _ = running.orders.write_all(b"again\n");
        }
        match running.answer() {
            // What the kernel refuses at the start, but for a list, cannot be had here.
            Err(trouble) if start && !trouble.why().contains(TOO_MUCH) => {
                return Err(trouble.into_missing());
            }
            answer => answer?,
        }
        Ok(Effort {
            wall: begun.elapsed(),
            cpu: running.worked().saturating_sub(before),
            memory_kib: tool::memory_kib(running.child.id()),
        })
    }
}

impl Running {
    /// Makes a program from its source, in this directory.
    pub(in crate::evidence) fn build(place: &Path, source: &str) -> Result<(), Trouble> {
        let [text, program] = ["program.c", "program"].map(|name| place.join(name));
        let written = fs::write(&text, source);
        written.map_err(|error| Trouble::Broken(format!("program.c: {error}")))?;
        let line = format!("cc -O2 -o {} {}", program.display(), text.display());
        tool::run(&line, LIMIT).map(drop).map_err(Trouble::into_missing)
    }

    /// Starts the program of this directory, for the list in its file `changes`.
    pub(in crate::evidence) fn start(place: &Path, arguments: &[&str]) -> Result<Self, Trouble> {
        let mut command = Command::new(place.join("program"));
        command.arg(place.join("changes")).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let broken = |why: String| Trouble::Broken(format!("the program: {why}"));
        let mut child = command.spawn().map_err(|error| broken(error.to_string()))?;
        let (Some(orders), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(broken("no pipes to it".into()));
        };
        Ok(Self { child, orders, answers: BufReader::new(answers) })
    }

    /// Waits until what it was told is in force.
    pub(in crate::evidence) fn answer(&mut self) -> Result<(), Trouble> {
        let mut line = String::new();
        // The end of the pipe is no answer.
        let _ = self.answers.read_line(&mut line);
        if line == "ready\n" {
            return Ok(());
        }
        let mut complaint = String::new();
        if let Some(pipe) = &mut self.child.stderr {
            // What it has said until its end.
            let _ = pipe.read_to_string(&mut complaint);
        }
        let last = complaint.lines().next_back().unwrap_or("it ended without a word");
        Err(Trouble::Broken(last.chars().take(110).collect()))
    }

    fn worked(&self) -> Duration {
        tool::worked(&format!("/proc/{}/schedstat", self.child.id()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Way for Program {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn is_quick(&self) -> bool {
        !self.rules.is_empty()
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        Running::build(&site.host().path("."), self.source)?;
        site.file("changes", joined(listed, |text, address| write!(text, "+{address}")))?;
        let effort = self.in_force(site, true)?;
        Ok(effort.and(lines(self.rules)?))
    }

    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        let come = change.come.iter().map(|address| ('+', address));
        let leave = change.leave.iter().map(|address| ('-', address));
        let text =
            joined(come.chain(leave), |text, (sign, address)| write!(text, "{sign}{address}"));
        site.file("changes", text)?;
        self.in_force(site, false)
    }

    fn worked(&self) -> Duration {
        self.running().as_ref().map(Running::worked).unwrap_or_default()
    }

    fn at_once(&self) -> u32 {
        if self.rules.is_empty() { u32::MAX } else { WAITING }
    }

    /// Until no packet waits for its judgement any more.
    fn settle(&self, site: &Site) -> Result<(), Trouble> {
        if self.rules.is_empty() {
            return Ok(());
        }
        site.run(|| {
            let begun = Instant::now();
            while waiting(&fs::read_to_string(QUEUES).unwrap_or_default()) > 0 {
                if begun.elapsed() > LIMIT {
                    return Err(Trouble::Broken("packets wait in the queue for good".into()));
                }
                thread::yield_now();
            }
            Ok(())
        })
    }

    fn tear_down(&self, _site: &Site) {
        *self.running() = None;
    }
}

/// How many packets wait in all queues: the third column, see `seq_show` of
/// `net/netfilter/nfnetlink_queue.c`.
fn waiting(queues: &str) -> u64 {
    let third = |line: &str| line.split_whitespace().nth(2)?.parse::<u64>().ok();
    queues.lines().filter_map(third).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_the_third_column_of_all_queues() {
        let text =
            "    0   4711    12 2    20     3     0     4711  1\n    1  81  5 2 20 0 0 7 1\n";
        assert_eq!(waiting(text), 17);
        assert_eq!(waiting(""), 0);
    }
}
