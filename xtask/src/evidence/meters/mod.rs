//! Question D: do the meters tell the truth? A stall of the server, seen by an open loop
//! and by a closed one; the same thing measured twice; our generator beside `wrk`.

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use lab::wire::{FREE_V4, HERE_V4};

use super::Task;
use super::lists::Lists;
use super::ports::RATE;
use super::ports::load::{Heard, Plan, closed_loop, open_loop};
use super::ports::server::Server;
use super::record::{Finding, Ledger};
use super::site::Site;
use super::statistics::NoiseFloor;
use super::tool::{self, Trouble};

/// What is measured, with its unit.
pub(super) const QUANTILES: [(&str, f64); 4] =
    [("p50-ms", 0.5), ("p95-ms", 0.95), ("p99-ms", 0.99), ("max-ms", 1.0)];
pub(super) const FLOOR: &str = "noise-factor";
pub(super) const MEDIAN: &str = "p50-ms";

/// Who measured, for the tables.
pub(super) const OPEN: &str = "open loop, from due";
pub(super) const OPEN_SENT: &str = "open loop, from send";
pub(super) const CLOSED: &str = "closed loop, 8 clients";
pub(super) const OURS: &str = "ours, keep-alive, one client";
pub(super) const WRK: &str = "wrk, one connection";
pub(super) const PACKET: &str = "a packet, no filter";
pub(super) const REQUEST: &str = "p50 of requests, no filter";

/// How long the server does nothing.
pub(super) const STALL: Duration = Duration::from_millis(500);

/// Answers all of it.
pub(super) fn run(task: &Task<'_>) -> Ledger {
    let mut ledger = Ledger::default();
    for (what, done) in [
        ("a stall", stall(task, &mut ledger)),
        ("the same twice", floor(task, &mut ledger)),
        ("beside wrk", beside(task, &mut ledger)),
    ] {
        println!("  {what}");
        if let Err(trouble) = done {
            println!("    {}", trouble.why());
            let finding = match trouble {
                Trouble::Missing(why) => Finding::NotRun(why),
                Trouble::Broken(why) => Finding::Broke(why),
            };
            ledger.put(what, 0, MEDIAN, finding);
        }
    }
    ledger
}

fn serve(site: &Site) -> Result<Server, Trouble> {
    let server = site.run(|| Server::start(HERE_V4.into(), &[0]));
    server.map_err(|error| Trouble::Broken(format!("the server: {error}")))
}

fn plan(server: &Server, threads: usize, rate: u32, time: Duration) -> Plan {
    Plan {
        rate,
        time,
        body: 4_096,
        keep_alive: true,
        clients: vec![FREE_V4],
        servers: server.addresses().to_vec(),
        threads,
        patience: Duration::from_secs(5),
    }
}

fn stall(task: &Task<'_>, ledger: &mut Ledger) -> Result<(), Trouble> {
    let site = Site::new()?;
    let server = serve(&site)?;
    let time = Duration::from_secs(if task.quick { 3 } else { 4 });
    for _ in 0..task.rounds {
        for (run, threads) in [(open_loop as fn(&Plan) -> Heard, 450), (closed_loop, 8)] {
            let heard = thread::scope(|scope| {
                // All have their connections by then.
                scope.spawn(|| {
                    wait(time / 2);
                    server.stall(STALL);
                });
                site.beyond(|| run(&plan(&server, threads, RATE, time)))
            });
            let mut put = |who: &str, latencies: &hdrhistogram::Histogram<u64>| {
                for (metric, quantile) in QUANTILES {
                    let ms = Duration::from_micros(latencies.value_at_quantile(quantile));
                    ledger.figure(who, 0, metric, ms.as_secs_f64() * 1e3);
                }
            };
            if threads > 8 {
                put(OPEN, &heard.from_due);
                put(OPEN_SENT, &heard.from_send);
            } else {
                put(CLOSED, &heard.from_send);
            }
        }
    }
    Ok(())
}

fn wait(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        thread::park_timeout(left);
    }
}

/// Two places that are the same, in turns.
fn floor(task: &Task<'_>, ledger: &mut Ledger) -> Result<(), Trouble> {
    let others: Vec<Ipv4Addr> = Lists::new(1_000).others;
    let sites = [Site::new()?, Site::new()?];
    let volleys = [sites[0].volley(&others), sites[1].volley(&others)];
    let servers = [serve(&sites[0])?, serve(&sites[1])?];
    let (mut packets, mut requests) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let rounds = if task.quick { 5 } else { 15 };
    for round in 0..rounds {
        for at in [round % 2, (round + 1) % 2] {
            packets[at].push(volleys[at].fire(20_000).as_secs_f64());
            let plan = plan(&servers[at], 64, RATE, Duration::from_secs(1));
            let heard = sites[at].beyond(|| open_loop(&plan));
            let median = Duration::from_micros(heard.from_due.value_at_quantile(0.5));
            requests[at].push(median.as_secs_f64());
        }
    }
    for (what, [one, again]) in [(PACKET, packets), (REQUEST, requests)] {
        let floor = NoiseFloor::of(&one, &again);
        ledger.figure(what, 0, FLOOR, floor.map_or(f64::NAN, |floor| floor.factor));
    }
    Ok(())
}

/// The median of one client who asks again as soon as he is answered: there a closed
/// loop and an open one must agree, if the pace is low.
fn beside(task: &Task<'_>, ledger: &mut Ledger) -> Result<(), Trouble> {
    let site = Site::new()?;
    let server = serve(&site)?;
    let address: SocketAddr = server.addresses()[0];
    for _ in 0..task.rounds {
        let plan = Plan { body: 0, ..plan(&server, 1, 2_000, Duration::from_secs(1)) };
        let heard = site.beyond(|| open_loop(&plan));
        let ours = Duration::from_micros(heard.from_send.value_at_quantile(0.5));
        ledger.figure(OURS, 0, MEDIAN, ours.as_secs_f64() * 1e3);
        let line = format!("wrk -t1 -c1 -d1s --latency http://{address}/file");
        let said = site.beyond(|| tool::run(&line, Duration::from_secs(20)))?.said;
        let theirs =
            median_of_wrk(&said).ok_or_else(|| Trouble::Broken("wrk tells no median".into()))?;
        ledger.figure(WRK, 0, MEDIAN, theirs);
    }
    Ok(())
}

/// The line `50%  81.00us` of what wrk says, in milliseconds.
fn median_of_wrk(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.trim().strip_prefix("50%"))?.trim();
    for (unit, ms) in [("us", 1e-3), ("ms", 1.0), ("s", 1e3)] {
        if let Some(figure) = line.strip_suffix(unit) {
            return Some(figure.parse::<f64>().ok()? * ms);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_wrk_is_read_in_its_unit() {
        let check = |line: &str, want: Option<f64>| {
            let got =
                median_of_wrk(&format!("  Latency Distribution\n     {line}\n     75%  9ms\n"));
            assert_eq!(
                got.map(|ms| format!("{ms:.3}")),
                want.map(|ms| format!("{ms:.3}")),
                "{line}"
            );
        };
        check("50%   81.00us", Some(0.081));
        check("50%    1.25ms", Some(1.25));
        check("50%    2.00s", Some(2_000.0));
        check("none", None);
    }
}
