//! What the gateway costs a request, beside the least that a look-up server in C
//! can do and a script; how long answers take; how soon a new list is answered from, and what
//! requests notice of it.

use std::convert::Infallible;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use blocklist::{Prefix, PrefixSet, pack};
use clap::Args;
use lab::daemon::PATIENCE;
use lab::gateway::Gateway as Program;
use lab::generate::RandomNumbers;
use lab::host::Host;
use lab::http::HttpConnection;
use lab::program::build_program;
use lab::witness::succeed;

use super::{median, said, worked};
use crate::{Failure, workspace};

/// What is promised of a request, in microseconds of the processor.
const REQUEST_US: f64 = 12.0;
/// How many times as much as the server in C.
const TIMES: f64 = 2.0;
/// And of the same in a scripting language, a third.
const OF_PYTHON: f64 = 1.0 / 3.0;
/// From the file to the first answer, and what a request waits for it.
const ARRIVES: Duration = Duration::from_millis(100);
const WAITS: Duration = Duration::from_millis(5);
/// What it needs beside the file, in KiB.
const MEMORY_KIB: u32 = 16 * 1024;
/// Requests a second for the time that an answer takes, and that time.
const PACE: u32 = 10_000;
const P99: Duration = Duration::from_millis(1);

/// Connections that are asked in turns.
const CONNECTIONS: u32 = 16;

#[derive(Args)]
pub(crate) struct Gateway {
    /// Entries in the list
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    entries: u32,
    /// Rounds
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Requests in a round
    #[arg(long, default_value_t = 100_000)]
    requests: u32,
    /// The source of another server in C to compare with, which is started with a
    /// socket and a file of addresses in the order of the network
    #[arg(long)]
    beside: Option<PathBuf>,
}

/// Who answers.
struct Answerer<'a> {
    socket: &'a Path,
    pid: u32,
}

impl Gateway {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let target = workspace::root().join("target");
        let program = build_program("denyset-gateway", &target, true);
        let host = Host::new();
        let mut listed = RandomNumbers::seeded(5).addresses(self.entries as usize, 0);
        listed.sort_unstable();
        listed.dedup();
        let listed: Vec<u32> = listed
            .into_iter()
            .map(|address| address.to_string().parse::<Ipv4Addr>().map(u32::from))
            .collect::<Result<_, _>>()?;
        fs::create_dir(host.path("run/lists"))?;
        put(&host, &listed)?;
        let gateway = Program::start_program(&program, &host, "check.lists = [\"drop\"]");
        let [in_c, in_python] = Lookup::both(&host, &listed)?;
        let beside = self.beside.as_deref().map(|source| Lookup::beside(&host, &listed, source));
        let beside = beside.transpose()?;
        let ours = Answerer { socket: gateway.socket(), pid: gateway.pid() };
        let [in_c, in_python] = [&in_c, &in_python]
            .map(|lookup| Answerer { socket: &lookup.socket, pid: lookup.child.id() });
        println!("{} entries, {} rounds of {} requests", listed.len(), self.rounds, self.requests);
        if let Some(beside) = &beside {
            let theirs = Answerer { socket: &beside.socket, pid: beside.child.id() };
            self.against(&ours, &theirs, &listed)?;
        }
        for connections in [1, CONNECTIONS] {
            let mut costs = [Vec::new(), Vec::new(), Vec::new()];
            for _ in 0..self.rounds {
                for (costs, answerer) in costs.iter_mut().zip([&ours, &in_c, &in_python]) {
                    costs.push(answerer.cost(connections, self.requests, &listed)?);
                }
            }
            let [ours, in_c, in_python] = costs.map(median);
            println!(
                "{connections} connections: {ours:.2} us of the processor a request, {in_c:.2} in C, \
                 {in_python:.2} in Python"
            );
            said("a request", ours, REQUEST_US);
            said("times as much as in C", ours / in_c, TIMES);
            said("of what it is in Python", ours / in_python, OF_PYTHON);
        }
        let [p99, least] = [paced(&ours, &listed)?, paced(&in_c, &listed)?];
        println!("{PACE} requests a second: p99 {p99:.3} ms, {least:.3} in C on the same machine");
        said("ms p99", p99, P99.as_secs_f64() * 1e3);
        self.changes(&host, &ours, &listed)?;
        let file = u32::try_from(fs::metadata(host.path("run/lists/drop.v4"))?.len() / 1024)?;
        let memory = memory_kib(gateway.pid())?;
        println!("memory: {memory} KiB, {file} KiB of them the list");
        said("KiB beside the list", f64::from(memory.saturating_sub(file)), MEMORY_KIB.into());
        Ok(())
    }

    /// The same of somebody else's server, in turns.
    fn against(
        &self,
        ours: &Answerer<'_>,
        theirs: &Answerer<'_>,
        listed: &[u32],
    ) -> Result<(), Failure> {
        let mut costs = [Vec::new(), Vec::new()];
        for _ in 0..self.rounds {
            for (costs, answerer) in costs.iter_mut().zip([ours, theirs]) {
                costs.push(answerer.cost(CONNECTIONS, self.requests, listed)?);
            }
        }
        let [ours, theirs] = costs.map(median);
        println!("{CONNECTIONS} connections: {ours:.2} us, {theirs:.2} in the other server");
        said("times as much as in the other server", ours / theirs, TIMES);
        Ok(())
    }

    /// New lists while somebody asks.
    fn changes(&self, host: &Host, answerer: &Answerer<'_>, listed: &[u32]) -> Result<(), Failure> {
        let mut arrivals = Vec::new();
        let mut worst = Duration::ZERO;
        let mut connection = HttpConnection::unix(answerer.socket)?;
        for round in 0..self.rounds {
            let newcomer = Ipv4Addr::new(0, 0, 0, u8::try_from(round + 1)?);
            let list = [&[u32::from(newcomer)], listed].concat();
            let draft = draft(host, &list)?;
            let text = newcomer.to_string();
            let begun = Instant::now();
            fs::rename(draft, host.path("run/lists/drop.v4"))?;
            loop {
                let asked = Instant::now();
                let answer = connection.get("/check", &[("X-Real-IP", &text)])?;
                worst = worst.max(asked.elapsed());
                if answer.status == 403 {
                    break;
                }
            }
            arrivals.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let arrival = median(arrivals);
        println!(
            "a new list: answered from after {arrival:.1} ms, no request waited for longer than {:.2} ms",
            worst.as_secs_f64() * 1e3
        );
        said("ms until it is answered from", arrival, ARRIVES.as_secs_f64() * 1e3);
        said("ms that a request waits", worst.as_secs_f64() * 1e3, WAITS.as_secs_f64() * 1e3);
        Ok(())
    }
}

impl Answerer<'_> {
    /// Microseconds of the processor that a request takes, half of them for who
    /// is listed.
    fn cost(&self, connections: u32, requests: u32, listed: &[u32]) -> Result<f64, Failure> {
        let all: Result<Vec<_>, _> =
            (0..connections).map(|_| HttpConnection::unix(self.socket)).collect();
        let mut all = all?;
        let texts = questions(listed);
        let mut asked = 0;
        let mut turn = |all: &mut Vec<HttpConnection>| -> Result<(), Failure> {
            for (at, connection) in all.iter_mut().enumerate() {
                connection.send(texts[(asked + at) % texts.len()].as_bytes())?;
            }
            for (at, connection) in all.iter_mut().enumerate() {
                let want = if (asked + at).is_multiple_of(2) { 403 } else { 204 };
                let status = connection.receive()?.status;
                if status != want {
                    return Err(format!("{status} in place of {want}").into());
                }
            }
            asked += all.len();
            Ok(())
        };
        for _ in 0..100 {
            turn(&mut all)?;
        }
        let before = worked(self.pid)?;
        let turns = requests / connections;
        for _ in 0..turns {
            turn(&mut all)?;
        }
        let took = worked(self.pid)?.saturating_sub(before);
        Ok(took.as_secs_f64() * 1e6 / f64::from(turns * connections))
    }
}

/// The 99th of 100 answers at a steady pace, in milliseconds from when it was due:
/// who asks late because others have the processor counts as well.
fn paced(answerer: &Answerer<'_>, listed: &[u32]) -> Result<f64, Failure> {
    let texts = questions(listed);
    let mut connection = HttpConnection::unix(answerer.socket)?;
    let mut took = Vec::new();
    let begun = Instant::now();
    for at in 0..3 * PACE {
        let due = begun + Duration::from_secs(1) / PACE * at;
        while Instant::now() < due {
            thread::yield_now();
        }
        connection.send(texts[at as usize % texts.len()].as_bytes())?;
        connection.receive()?;
        took.push(due.elapsed());
    }
    took.sort_unstable();
    Ok(took[took.len() * 99 / 100].as_secs_f64() * 1e3)
}

/// Requests, every other one of who is listed.
fn questions(listed: &[u32]) -> Vec<String> {
    let step = (listed.len() / 4_096).max(1);
    let pairs = listed.windows(2).step_by(step);
    let apart = pairs.filter(|pair| pair[0] + 1 < pair[1]);
    let addresses = apart.flat_map(|pair| [pair[0], pair[0] + 1]);
    addresses
        .map(|address| {
            let address = Ipv4Addr::from(address);
            format!("GET /check HTTP/1.1\r\nHost: denyset\r\nX-Real-IP: {address}\r\n\r\n")
        })
        .collect()
}

/// Writes the list beside its place.
fn draft(host: &Host, listed: &[u32]) -> Result<PathBuf, Failure> {
    let set: PrefixSet<u32> = listed.iter().map(|&address| Prefix::host(address)).collect();
    let mut bytes = Vec::new();
    let Ok(_) = pack(&set, 1, 1, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    let draft = host.path("run/draft");
    fs::write(&draft, bytes)?;
    Ok(draft)
}

fn put(host: &Host, listed: &[u32]) -> Result<(), Failure> {
    Ok(fs::rename(draft(host, listed)?, host.path("run/lists/drop.v4"))?)
}

/// A server to compare with.
struct Lookup {
    child: Child,
    socket: PathBuf,
}

impl Lookup {
    /// The one in C, and the one in Python.
    fn both(host: &Host, listed: &[u32]) -> Result<[Self; 2], Failure> {
        let [source, program, script, file] =
            ["lookup.c", "lookup", "lookup.py", "addresses"].map(|name| host.path(name));
        fs::write(&source, include_str!("lookup.c"))?;
        fs::write(&script, include_str!("lookup.py"))?;
        let words = ["-O2".as_ref(), "-o".as_ref(), program.as_os_str(), source.as_os_str()];
        succeed("cc", &words);
        let bytes: Vec<_> = listed.iter().flat_map(|address| address.to_ne_bytes()).collect();
        fs::write(&file, bytes)?;
        let mut python = Command::new("python3");
        python.arg(script);
        Ok([
            Self::start(Command::new(program), host.path("c.sock"), &file)?,
            Self::start(python, host.path("python.sock"), &file)?,
        ])
    }

    /// Another one in C.
    fn beside(host: &Host, listed: &[u32], source: &Path) -> Result<Self, Failure> {
        let [program, file] = ["beside", "addresses-of-network"].map(|name| host.path(name));
        let words = ["-O2".as_ref(), "-o".as_ref(), program.as_os_str(), source.as_os_str()];
        succeed("cc", &words);
        let bytes: Vec<_> = listed.iter().flat_map(|address| address.to_be_bytes()).collect();
        fs::write(&file, bytes)?;
        Self::start(Command::new(program), host.path("beside.sock"), &file)
    }

    fn start(mut command: Command, socket: PathBuf, file: &Path) -> Result<Self, Failure> {
        let child = command.arg(&socket).arg(file).spawn()?;
        let lookup = Self { child, socket };
        let deadline = Instant::now() + PATIENCE;
        while UnixStream::connect(&lookup.socket).is_err() {
            if Instant::now() > deadline {
                return Err(format!("{command:?} does not listen").into());
            }
            thread::yield_now();
        }
        Ok(lookup)
    }
}

impl Drop for Lookup {
    fn drop(&mut self) {
        // Both fail only if it is dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn memory_kib(pid: u32) -> Result<u32, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("a process has memory")?.parse()?)
}
