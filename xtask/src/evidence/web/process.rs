//! A web server of others: started in the foreground with a configuration of ours, asked,
//! and ended. What it works is that of all of its processes.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::super::dial::dial;
use super::super::site::Site;
use super::super::tool::{Trouble, worked};

/// Nobody waits longer for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

const GLANCE: Duration = Duration::from_millis(2);

/// A server. It ends when this is dropped.
pub(super) struct Process {
    child: Child,
    /// The thread that has started it, with whose end it ends too; and what it waits for.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
    address: SocketAddr,
}

impl Process {
    /// Starts it on the host of `site`, and waits until `from` is let in at `address`.
    /// How long that took comes with it.
    pub(super) fn start(
        site: &Site,
        server: &Command,
        address: SocketAddr,
        from: IpAddr,
        limit: Duration,
    ) -> Result<(Self, Duration), Trouble> {
        let name = server.get_program().to_string_lossy().into_owned();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]);
        command.arg(server.get_program()).args(server.get_args());
        let log = site.file("server.log", "")?;
        let log = fs::File::create(log).map_err(|error| Trouble::Broken(error.to_string()))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let begun = Instant::now();
        let (tell, told) = mpsc::channel();
        let (stay, stays) = mpsc::channel();
        let thread = site.start(move || {
            // Whoever is not there any more needs neither.
            let _ = tell.send(command.spawn());
            let _ = stays.recv();
        });
        let child = told.recv().unwrap_or_else(|error| Err(std::io::Error::other(error)));
        let child = child.map_err(|error| Trouble::Missing(format!("setpriv: {error}")))?;
        let mut process = Self { child, thread: Some((stay, thread)), address };
        while process.ask(site, from).ok() != Some(200) {
            let ended = process.child.try_wait();
            if let Ok(Some(status)) = ended {
                let said = fs::read_to_string(site.host().path("server.log")).unwrap_or_default();
                let said: String =
                    said.lines().next_back().unwrap_or_default().chars().take(110).collect();
                let why = format!("{name}: {status}: {said}");
                // So says who cannot find a program.
                let is_missing = status.code() == Some(127);
                return Err(if is_missing { Trouble::Missing(why) } else { Trouble::Broken(why) });
            }
            if begun.elapsed() > limit {
                return Err(Trouble::Broken(format!(
                    "{name}: no answer after {} s",
                    limit.as_secs()
                )));
            }
            thread::park_timeout(GLANCE);
        }
        Ok((process, begun.elapsed()))
    }

    /// The status of an answer to this address, on a connection of its own.
    pub(super) fn ask(&self, site: &Site, from: IpAddr) -> std::io::Result<u16> {
        site.beyond(|| self.ask_there(from))
    }

    /// The same, for who is beyond the wire already.
    pub(super) fn ask_there(&self, from: IpAddr) -> std::io::Result<u16> {
        let mut stream = dial(from, self.address, PATIENCE)?;
        stream
            .write_all(b"GET /file.txt HTTP/1.1\r\nHost: denyset\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let status =
            answer.get(9..12).and_then(|code| std::str::from_utf8(code).ok()?.parse().ok());
        status.ok_or_else(|| std::io::Error::other("no answer of HTTP/1.1"))
    }

    pub(super) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It fails only if the server has ended, which the next request tells.
            let _ = kill_process(pid, signal);
        }
    }

    /// What all of its processes have worked.
    pub(super) fn worked(&self) -> Duration {
        let tasks = family(self.child.id()).into_iter().flat_map(|pid| {
            fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten()
        });
        tasks.map(|task| worked(&task.path().join("schedstat").to_string_lossy())).sum()
    }

    /// The memory of all of them, what they share counted once (`Pss` of proc(5)).
    pub(super) fn memory_kib(&self) -> u64 {
        family(self.child.id()).into_iter().map(shared_fairly).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if begun.elapsed() > PATIENCE {
                for pid in family(self.child.id()) {
                    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
                    // They may have ended by now.
                    let _ = pid.map(|pid| kill_process(pid, Signal::KILL));
                }
            }
            thread::park_timeout(GLANCE);
        }
        if let Some((stay, thread)) = self.thread.take() {
            drop(stay);
            // One that has panicked has said so.
            let _ = thread.join();
        }
    }
}

fn shared_fairly(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// A process and all that come from it.
fn family(pid: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(one) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name before may have blanks: then come the state and the parent.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let parent = fields.split_whitespace().nth(1).and_then(|parent| parent.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(one);
    }
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(&one) = all.get(at) {
        all.extend(children.remove(&one).unwrap_or_default());
        at += 1;
    }
    all
}
