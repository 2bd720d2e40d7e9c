//! What the gateway costs a request, beside the least that a look-up server in C
//! can do and scripts, and the same when an nginx asks them; how long answers take at
//! a pace; how soon a new list is answered from, and what requests notice of it.

mod questions;
mod servers;

use std::convert::Infallible;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blocklist::{Prefix, PrefixSet, pack};
use clap::Args;
use lab::gateway::Gateway as Program;
use lab::generate::RandomNumbers;
use lab::host::Host;
use lab::http::HttpConnection;
use lab::program::build_program;
use lab::witness::attempt;
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::{said, worked};
use crate::measure::statistics::median;
use crate::{Failure, workspace};
use questions::Questions;
use servers::{Addresses, Listening};

/// What is promised of a request, in microseconds of the processor.
const REQUEST_US: f64 = 12.0;
/// How many times as much as the server in C.
const TIMES: f64 = 2.0;
/// And of the same in a scripting language, a third.
const OF_SCRIPT: f64 = 1.0 / 3.0;
/// From the file to the first answer, and what a request waits for it.
const ARRIVES: Duration = Duration::from_millis(100);
const WAITS: Duration = Duration::from_millis(5);
/// What it needs beside the file, in KiB.
const MEMORY_KIB: u32 = 16 * 1024;
/// Requests a second for the time that an answer takes, and that time.
const PACE: u32 = 10_000;
const P99: Duration = Duration::from_millis(1);
/// How long that pace is held.
const PACED: Duration = Duration::from_secs(5);

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
    #[arg(long, default_value_t = 50_000)]
    requests: u32,
    /// The source of another server in C to compare with, which is started with a
    /// socket and a file of addresses in the order of the network
    #[arg(long)]
    beside: Option<PathBuf>,
}

/// The gateway, its host, and what is on the list.
struct Bench<'a> {
    host: &'a Host,
    gateway: &'a Program,
    listed: &'a [u32],
    questions: Questions,
}

impl Gateway {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let target = workspace::root().join("target");
        let program = build_program("denyset-gateway", &target, true);
        let host = Host::new();
        let listed = listed(self.entries as usize)?;
        fs::create_dir(host.path("run/lists"))?;
        fs::rename(draft(&host, &listed)?, host.path("run/lists/drop.v4"))?;
        let gateway = Program::start_program(&program, &host, "check.lists = [\"drop\"]");
        let questions = Questions::of_check(&listed);
        let bench = Bench { host: &host, gateway: &gateway, listed: &listed, questions };
        println!("{} entries, {} rounds of {} requests", listed.len(), self.rounds, self.requests);
        println!("processor time is compared: {}", cycles());
        let addresses = Addresses::new(&host, &listed)?;
        let in_c = addresses.in_c()?;
        self.alone(&bench, &in_c)?;
        if let Some(source) = &self.beside {
            self.against(&bench, &addresses.beside(&listed, source)?)?;
        }
        self.behind_nginx(&bench, &addresses, &in_c)?;
        bench.on_one_core(&in_c)?;
        drop(in_c);
        bench.changes(self.rounds)?;
        bench.memory()
    }

    /// The gateway and the server in C, asked directly.
    fn alone(&self, bench: &Bench<'_>, in_c: &Listening) -> Result<(), Failure> {
        for connections in [1, CONNECTIONS] {
            let both = [Answerer::Ours(bench.gateway), Answerer::Other("C", in_c)];
            let [ours, in_c] = self.in_turns(&bench.questions, connections, &both)?;
            println!("{connections} connections: {ours:.2} us a request, {in_c:.2} in C");
            said("us of the processor a request", ours, REQUEST_US);
            said("times as much as in C", ours / in_c, TIMES);
        }
        Ok(())
    }

    /// The same of somebody else's server.
    fn against(&self, bench: &Bench<'_>, theirs: &Listening) -> Result<(), Failure> {
        let both = [Answerer::Ours(bench.gateway), Answerer::Other("another", theirs)];
        let [ours, theirs] = self.in_turns(&bench.questions, CONNECTIONS, &both)?;
        println!("{CONNECTIONS} connections: {ours:.2} us, {theirs:.2} in the other server");
        said("times as much as in the other server", ours / theirs, TIMES);
        Ok(())
    }

    /// Microseconds of the processor that a request takes each of them.
    fn in_turns<const N: usize>(
        &self,
        questions: &Questions,
        connections: u32,
        answerers: &[Answerer<'_>; N],
    ) -> Result<[f64; N], Failure> {
        let mut costs = [const { Vec::new() }; N];
        for _ in 0..self.rounds {
            for (costs, answerer) in costs.iter_mut().zip(answerers) {
                let worked = || Ok([answerer.worked()?]);
                let socket = answerer.socket();
                let [cost] = questions.cost(socket, connections, self.requests, worked)?;
                costs.push(cost);
            }
        }
        Ok(costs.map(|costs| median(&costs)))
    }

    /// What a request to nginx costs that asks the gateway, or somebody else, by
    /// `auth_request`: the one who is asked, and nginx.
    fn behind_nginx(
        &self,
        bench: &Bench<'_>,
        addresses: &Addresses<'_>,
        in_c: &Listening,
    ) -> Result<(), Failure> {
        let library = addresses.in_python("library", include_str!("lookup.py"))?;
        let lean = addresses.in_python("lean", include_str!("lean.py"))?;
        let lua = addresses.in_lua()?;
        let asked = [
            Answerer::Ours(bench.gateway),
            Answerer::Other("a server in C", in_c),
            Answerer::Other("Python with its HTTP server", &library),
            Answerer::Other("Python with as little as it takes", &lean),
            Answerer::Other("Lua in HAProxy", &lua),
        ];
        let fronts: Result<Vec<_>, _> = (0..)
            .zip(&asked)
            .map(|(at, asked)| addresses.nginx(&format!("{at}"), asked.socket()))
            .collect();
        let fronts = fronts?;
        let questions = Questions::of_page(bench.listed);
        let mut costs = vec![[Vec::new(), Vec::new()]; asked.len()];
        for _ in 0..self.rounds {
            for ((costs, front), asked) in costs.iter_mut().zip(&fronts).zip(&asked) {
                let worked = || Ok([asked.worked()?, front.worked()?]);
                // There is an nginx to wait for, too.
                let requests = self.requests / 5;
                let found = questions.cost(&front.socket, CONNECTIONS, requests, worked)?;
                costs.iter_mut().zip(found).for_each(|(costs, cost)| costs.push(cost));
            }
        }
        let costs: Vec<[f64; 2]> =
            costs.into_iter().map(|costs| costs.map(|costs| median(&costs))).collect();
        println!("asked by auth_request of an nginx:");
        for (asked, [of_look_up, of_nginx]) in asked.iter().zip(&costs) {
            println!("  {}: {of_look_up:.2} us a request, and nginx {of_nginx:.2}", asked.name());
        }
        for (asked, [theirs, _]) in asked.iter().zip(&costs).skip(2) {
            said(&format!("of what it is in {}", asked.name()), costs[0][0] / theirs, OF_SCRIPT);
            println!("    the server in C: {:.2}", costs[1][0] / theirs);
        }
        Ok(())
    }
}

/// Who answers.
enum Answerer<'a> {
    Ours(&'a Program),
    Other(&'static str, &'a Listening),
}

impl Answerer<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Ours(_) => "denyset-gateway",
            Self::Other(name, _) => name,
        }
    }

    fn socket(&self) -> &Path {
        match self {
            Self::Ours(gateway) => gateway.socket(),
            Self::Other(_, server) => &server.socket,
        }
    }

    /// What it has worked so far.
    fn worked(&self) -> Result<Duration, Failure> {
        match self {
            Self::Ours(gateway) => worked(gateway.pid()),
            Self::Other(_, server) => server.worked(),
        }
    }
}

impl Bench<'_> {
    /// How long answers take at a pace, when the gateway has one core and whoever asks
    /// another.
    fn on_one_core(&self, in_c: &Listening) -> Result<(), Failure> {
        let all = sched_getaffinity(None)?;
        let cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&core| all.is_set(core)).collect();
        let [.., theirs, ours] = cores[..] else {
            return Err("there is one core, and two are needed".into());
        };
        stay_on(self.gateway.pid(), &only(theirs))?;
        sched_setaffinity(None, &only(ours))?;
        let mut all_said = Vec::new();
        for answerer in [Answerer::Ours(self.gateway), Answerer::Other("in C", in_c)] {
            let before = answerer.worked()?;
            let paced = self.questions.at_pace(answerer.socket(), PACE, PACED)?;
            let took = answerer.worked()?.saturating_sub(before).as_secs_f64() * 1e6;
            all_said.push((took / f64::from(u32::try_from(paced.0.len())?), paced));
        }
        sched_setaffinity(None, &all)?;
        stay_on(self.gateway.pid(), &all)?;
        println!("{PACE} requests a second to one core:");
        for (name, (cost, paced)) in ["denyset-gateway", "a server in C"].iter().zip(&all_said) {
            println!(
                "  {name}: half within {:.3} ms, 99 % within {:.3}, all within {:.3}; {cost:.2} us \
                 of the processor each",
                paced.ms(500),
                paced.ms(990),
                paced.ms(1_000),
            );
        }
        let (cost, paced) = &all_said[0];
        said("ms p99", paced.ms(990), P99.as_secs_f64() * 1e3);
        said("us of the processor a request", *cost, REQUEST_US);
        said("times as much as in C", cost / all_said[1].0, TIMES);
        Ok(())
    }

    /// New lists while somebody asks all the time: at every moment there is a request
    /// that would have to wait.
    fn changes(&self, rounds: usize) -> Result<(), Failure> {
        let mut connection = HttpConnection::unix(self.gateway.socket())?;
        let mut ask = |address: &str| -> Result<(u16, Duration), Failure> {
            let asked = Instant::now();
            let answer = connection.get("/check", &[("X-Real-IP", address)])?;
            Ok((answer.status, asked.elapsed()))
        };
        let (mut arrivals, mut worst, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=rounds {
            let newcomer = Ipv4Addr::new(0, 0, 0, u8::try_from(round)?);
            let list = [&[u32::from(newcomer)], self.listed].concat();
            let ready = draft(self.host, &list)?;
            let text = newcomer.to_string();
            let begun = Instant::now();
            fs::rename(ready, self.host.path("run/lists/drop.v4"))?;
            let mut longest = Duration::ZERO;
            loop {
                let (status, took) = ask(&text)?;
                longest = longest.max(took);
                if status == 403 {
                    break;
                }
            }
            let arrival = begun.elapsed();
            arrivals.push(arrival.as_secs_f64() * 1e3);
            // What is known no more is given up after that.
            let over = Instant::now() + ARRIVES;
            while Instant::now() < over {
                longest = longest.max(ask(&text)?.1);
            }
            worst.push(longest.as_secs_f64() * 1e3);
            let (over, mut longest) = (Instant::now() + arrival + ARRIVES, Duration::ZERO);
            while Instant::now() < over {
                longest = longest.max(ask(&text)?.1);
            }
            quiet.push(longest.as_secs_f64() * 1e3);
        }
        let longest = |all: &[f64]| all.iter().copied().fold(0.0, f64::max);
        let (arrival, worst, quiet) = (median(&arrivals), longest(&worst), longest(&quiet));
        println!(
            "a new list: answered from after {arrival:.1} ms, no request waited for longer than \
             {worst:.2} ms; as long without a new list {quiet:.2}"
        );
        said("ms until it is answered from", arrival, ARRIVES.as_secs_f64() * 1e3);
        said("ms that a request waits", worst, WAITS.as_secs_f64() * 1e3);
        Ok(())
    }

    fn memory(&self) -> Result<(), Failure> {
        let file = fs::metadata(self.host.path("run/lists/drop.v4"))?.len() / 1024;
        let file = u32::try_from(file)?;
        let [now, peak] = ["VmRSS:", "VmHWM:"].map(|key| memory_kib(self.gateway.pid(), key));
        let (now, peak) = (now?, peak?);
        println!("memory: {now} KiB, {peak} at its highest, {file} of them the list");
        said("KiB beside the list", f64::from(now.saturating_sub(file)), MEMORY_KIB.into());
        let peak = f64::from(peak.saturating_sub(file));
        said("KiB beside the list, at its highest", peak, MEMORY_KIB.into());
        Ok(())
    }
}

/// Whether this machine counts cycles. What is compared is time all the same: within
/// one run a microsecond has as many cycles for one as for the other.
fn cycles() -> &'static str {
    let told = attempt("perf", &["stat", "-x", ",", "-e", "cycles", "--log-fd", "1", "true"]);
    match told.ok().as_deref().and_then(|told| told.split(',').next()) {
        Some(count) if count.trim().parse::<u64>().is_ok() => "this machine counts cycles too",
        Some(_) => "this machine counts no cycles",
        None => "there is no `perf` to count cycles by",
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}

/// All threads of a process stay on these cores.
fn stay_on(pid: u32, cores: &CpuSet) -> Result<(), Failure> {
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let number = task?.file_name().to_str().and_then(|name| name.parse().ok());
        let task = number.and_then(Pid::from_raw).ok_or("a thread has a number")?;
        sched_setaffinity(Some(task), cores)?;
    }
    Ok(())
}

/// What is on the list, in order.
fn listed(count: usize) -> Result<Vec<u32>, Failure> {
    let addresses = RandomNumbers::seeded(5).addresses(count, 0).into_iter();
    let listed: Result<Vec<_>, _> =
        addresses.map(|address| address.to_string().parse::<Ipv4Addr>().map(u32::from)).collect();
    let mut listed = listed?;
    listed.sort_unstable();
    listed.dedup();
    Ok(listed)
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

fn memory_kib(pid: u32, key: &str) -> Result<u32, Failure> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("a process has memory")?.parse()?)
}
