//! The second half of question B, for those whose kernel sees a proxy only: a list that a web server itself
//! is told. Each request comes from another address, on a connection of its own.

mod apache;
mod haproxy;
mod nginx;
mod process;

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{Duration, Instant};

use lab::wire::{FREE_V4, HERE_V4};
use rustix::process::Signal;

use self::process::Process;
use super::Task;
use super::lists::Lists;
use super::record::{Finding, Ledger};
use super::site::Site;
use super::tool::{self, Trouble};

/// Where each server listens.
const PORT: u16 = 8_080;

/// How long a start or a change may take: longer is a result.
const LIMIT: Duration = Duration::from_secs(60);

/// How long the requests of one figure may take, and how many there are at most.
const BUDGET: Duration = Duration::from_millis(250);
const REQUESTS: usize = 1_000;

/// What is measured, with its unit.
pub(super) const START: &str = "start-ms";
pub(super) const MEMORY: &str = "memory-mib";
pub(super) const HIT: &str = "hit-cpu-us";
pub(super) const MISS: &str = "miss-cpu-us";
pub(super) const CHANGE: &str = "in-force-ms";
pub(super) const WRONG: &str = "wrong-answers";

/// A way of telling a web server; a new one is an entry in the file of its server.
pub(super) struct WebWay {
    name: &'static str,
    /// The same server without a list.
    base: &'static str,
    /// Writes the list where the server looks, or will when it is told.
    write: fn(&Site, &[Ipv4Addr]) -> Result<(), Trouble>,
    /// Writes its configuration, and says how it is started.
    command: fn(&Site) -> Result<Command, Trouble>,
    /// What tells it of a new list; it may find out by itself.
    reload: Option<Signal>,
}

/// All of them, in the order of the table.
pub(super) fn ways() -> Vec<WebWay> {
    [nginx::ways(), haproxy::ways(), apache::ways()].into_iter().flatten().collect()
}

impl WebWay {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn base(&self) -> &'static str {
        self.base
    }

    fn has_list(&self) -> bool {
        self.name != self.base
    }
}

/// One way whose server is at work.
struct Stand<'a> {
    way: &'a WebWay,
    // It ends before its files go.
    process: Process,
    site: Site,
}

/// Measures those that are asked for, in turns, with a list of one length.
pub(super) fn run(task: &Task<'_>, size: usize) -> Ledger {
    let mut ledger = Ledger::default();
    let ways = ways();
    let is_base = |way: &WebWay| {
        ways.iter().any(|other| other.base == way.name && task.scope.wants(other.name))
    };
    let wanted: Vec<_> =
        ways.iter().filter(|way| task.scope.wants(way.name) || is_base(way)).collect();
    if wanted.is_empty() {
        return ledger;
    }
    println!("  {size} addresses");
    let lists = Lists::new(size);
    let mut stands = Vec::new();
    for way in &wanted {
        println!("    {}", way.name);
        match Stand::new(way, &lists, &mut ledger) {
            Ok(stand) => stands.push(stand),
            Err(trouble) => note(&mut ledger, way, size, START, trouble),
        }
    }
    for round in 0..task.rounds {
        for at in 0..stands.len() {
            let stand = &stands[(at + round) % stands.len()];
            if let Err(trouble) = stand.measure(&lists, &mut ledger) {
                note(&mut ledger, stand.way, size, HIT, trouble);
            }
        }
    }
    for stand in &stands {
        if let Err(trouble) = stand.change(&lists, &mut ledger) {
            note(&mut ledger, stand.way, size, CHANGE, trouble);
        }
    }
    ledger
}

fn note(ledger: &mut Ledger, way: &WebWay, size: usize, metric: &str, trouble: Trouble) {
    println!("      {}: {}", way.name, trouble.why());
    let finding = match trouble {
        Trouble::Missing(why) => Finding::NotRun(why),
        Trouble::Broken(why) => Finding::Broke(why),
    };
    ledger.put(way.name, size as u64, metric, finding);
}

impl<'a> Stand<'a> {
    fn new(way: &'a WebWay, lists: &Lists, ledger: &mut Ledger) -> Result<Self, Trouble> {
        let length = lists.listed.len();
        let site = place()?;
        (way.write)(&site, &lists.listed)?;
        let address = SocketAddr::new(HERE_V4.into(), PORT);
        let (process, took) =
            Process::start(&site, &(way.command)(&site)?, address, FREE_V4.into(), LIMIT)?;
        ledger.figure(way.name, length as u64, START, took.as_secs_f64() * 1e3);
        Ok(Self { way, process, site })
    }

    fn measure(&self, lists: &Lists, ledger: &mut Ledger) -> Result<(), Trouble> {
        let length = lists.listed.len() as u64;
        for (metric, from, status) in [
            (HIT, &lists.staying, if self.way.has_list() { 403 } else { 200 }),
            (MISS, &lists.others, 200),
        ] {
            let (us, wrong) = cost(&self.site, &self.process, from, status)?;
            ledger.figure(self.way.name, length, metric, us);
            ledger.figure(self.way.name, length, WRONG, wrong);
        }
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
        let memory = self.process.memory_kib() as f64 / 1024.0;
        ledger.figure(self.way.name, length, MEMORY, memory);
        Ok(())
    }

    fn change(&self, lists: &Lists, ledger: &mut Ledger) -> Result<(), Trouble> {
        if !self.way.has_list() {
            return Ok(());
        }
        let begun = Instant::now();
        let change = lists.one();
        (self.way.write)(&self.site, &change.whole)?;
        if let Some(signal) = self.way.reload {
            self.process.signal(signal);
        }
        let newcomer = IpAddr::from(change.come[0]);
        // While a server starts anew it may refuse for a moment.
        while self.process.ask(&self.site, newcomer).ok() != Some(403) {
            if begun.elapsed() > LIMIT {
                return Err(Trouble::Broken("a change is not in force after a minute".into()));
            }
        }
        let took = begun.elapsed().as_secs_f64() * 1e3;
        ledger.figure(self.way.name, lists.listed.len() as u64, CHANGE, took);
        Ok(())
    }
}

/// A host to which every address beyond leads back, with a file to be asked for.
fn place() -> Result<Site, Trouble> {
    let site = Site::new()?;
    let halves = ["0.0.0.0/1", "128.0.0.0/1"];
    for half in halves {
        site.beyond(|| tool::run(&format!("ip route add local {half} dev lo"), LIMIT))?;
        site.run(|| tool::run(&format!("ip route add {half} via {FREE_V4}"), LIMIT))?;
    }
    let failed = |error: std::io::Error| Trouble::Broken(error.to_string());
    let place = site.host().path("www");
    fs::create_dir(&place).map_err(failed)?;
    fs::write(place.join("file.txt"), "ok\n").map_err(failed)?;
    // Servers become users who own nothing here.
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(site.host().path("."), open).map_err(failed)?;
    Ok(site)
}

/// What the server works for a request, and how many answers were wrong.
fn cost(
    site: &Site,
    process: &Process,
    from: &[Ipv4Addr],
    status: u16,
) -> Result<(f64, f64), Trouble> {
    let broken = |error: std::io::Error| Trouble::Broken(format!("a request: {error}"));
    site.beyond(|| {
        let (begun, worked) = (Instant::now(), process.worked());
        let (mut asked, mut wrong) = (0_u32, 0_u32);
        for &address in from.iter().take(REQUESTS) {
            let got = process.ask_there(address.into()).map_err(broken)?;
            wrong += u32::from(got != status);
            asked += 1;
            if begun.elapsed() > BUDGET && asked >= 4 {
                break;
            }
        }
        let worked = process.worked().saturating_sub(worked);
        Ok((worked.as_secs_f64() * 1e6 / f64::from(asked.max(1)), f64::from(wrong)))
    })
}

/// A line for each address, between two words.
fn each(listed: &[Ipv4Addr], before: &str, after: &str) -> String {
    let mut text = String::with_capacity(listed.len() * (16 + before.len() + after.len()));
    for address in listed {
        // A string takes any text.
        let _ = writeln!(text, "{before}{address}{after}");
    }
    text
}

/// Puts a file in place by renaming it there.
fn replace(site: &Site, name: &str, text: &str) -> Result<(), Trouble> {
    let draft = site.file("draft.txt", text)?;
    fs::rename(draft, site.host().path(name))
        .map_err(|error| Trouble::Broken(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_has_a_name_and_is_compared_with_its_own_server() {
        let ways = ways();
        for (at, way) in ways.iter().enumerate() {
            assert!(!ways[..at].iter().any(|other| other.name == way.name), "{} twice", way.name);
            assert!(ways.iter().any(|base| base.name == way.base && !base.has_list()));
            assert_eq!(
                way.name.split(' ').next().map(|w| w.trim_end_matches(',')),
                way.base.split(',').next()
            );
        }
    }

    #[test]
    fn a_list_is_a_line_for_each() {
        let listed = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2)];
        assert_eq!(each(&listed, "deny ", ";"), "deny 192.0.2.1;\ndeny 192.0.2.2;\n");
    }
}
