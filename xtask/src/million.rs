//! What is promised at a million entries, measured with the release build:
//! a first load beside `ipset restore`, memory at rest, and fifty kills.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::Host;
use lab::kills::{KillRoute, SETS, in_force, survive};
use lab::members::SortedPrefixes;
use lab::versions::Versions;
use lab::witness::{ipset, ipset_restore, names};

use crate::measure::statistics::median_time;
use crate::{Failure, Seed, apart};

/// Loads of each kind, of which the median counts.
const LOADS: usize = 3;

/// What the daemon may hold in memory at rest.
const MEMORY_KIB_MAX: u64 = 64 * 1024;

/// How much of the list an update replaces before it is killed.
const PERCENT: usize = 60;

#[derive(Args)]
pub(crate) struct Million {
    #[command(flatten)]
    seed: Seed,
    /// Entries in the list
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    entries: u32,
    /// Kills
    #[arg(long, default_value_t = 50)]
    kills: u32,
}

impl Million {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| {
            let mut versions =
                Versions::new(RandomNumbers::seeded(self.seed.seed), self.entries as usize);
            side_by_side(&versions)?;
            let met = survive(&mut versions, KillRoute::Swap, PERCENT, self.kills);
            println!(
                "{} kills during updates: {} met the old version, {} the new, {} one of each, \
                 {} left a shadow; every next start converged and swept",
                self.kills, met.old, met.new, met.between, met.shadows
            );
            Ok(())
        })
    }
}

/// The same entries by `ipset restore` and by the daemon, in turns.
fn side_by_side(versions: &Versions) -> Result<(), Failure> {
    let host = Host::new();
    host.feed("list.txt", versions.feed());
    let file = host.path("restore");
    fs::write(&file, restore_text(&versions.members()))?;
    let (mut theirs, mut ours, mut memory_kib) = (Vec::new(), Vec::new(), 0);
    for _ in 0..LOADS {
        theirs.push(restore(&file));
        let begun = Instant::now();
        let daemon = Daemon::start(&host);
        in_force(&daemon, versions);
        ours.push(begun.elapsed());
        memory_kib = daemon.memory_kib().max(memory_kib);
        daemon.stop();
        for set in SETS {
            ipset(&format!("destroy {set}"));
        }
        fs::remove_dir_all(host.state())?;
        fs::create_dir(host.state())?;
    }
    let [theirs, ours] = [theirs, ours].map(|times| median_time(&times));
    println!(
        "first load: {} ms from start to in sync, `ipset restore` {} ms, each the median of {LOADS}",
        ours.as_millis(),
        theirs.as_millis()
    );
    println!("memory at rest: {} MiB", memory_kib / 1024);
    if ours > theirs {
        return Err("a first load takes longer than `ipset restore`".into());
    }
    if memory_kib > MEMORY_KIB_MAX {
        return Err(format!("more than {} MiB in memory", MEMORY_KIB_MAX / 1024).into());
    }
    Ok(())
}

fn restore(file: &Path) -> Duration {
    let begun = Instant::now();
    ipset_restore(file);
    let elapsed = begun.elapsed();
    for set in names() {
        ipset(&format!("destroy {set}"));
    }
    elapsed
}

/// Input for `ipset restore`, its sets sized so that none has to grow.
fn restore_text(members: &SortedPrefixes) -> String {
    let mut text = String::new();
    let hashsize = members.len().next_power_of_two();
    for (set, family) in [("restored-v4", "inet"), ("restored-v6", "inet6")] {
        let maxelem = 2 * hashsize;
        writeln!(
            text,
            "create {set} hash:net family {family} hashsize {hashsize} maxelem {maxelem}"
        )
        .expect("a string takes any text");
    }
    for (address, _) in members.iter() {
        let set = if matches!(address, IpAddr::V4(_)) { "restored-v4" } else { "restored-v6" };
        writeln!(text, "add {set} {address}").expect("a string takes any text");
    }
    text
}
