//! Hits under a flood: packets from made-up addresses that are all listed, as
//! many as can be sent and copied on their way, with every packet looked at as far as the rate lets it.
//! How long updates take with and without, and what the daemon holds and does.

use std::time::{Duration, Instant};

use clap::Args;
use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::torrent::Torrent;
use lab::versions::Versions;
use lab::wire::Wire;
use serde_json::Value;

use crate::measure::statistics::median_time;
use crate::{Failure, apart};

/// Entries of the feed that changes.
const ENTRIES: usize = 200_000;
/// How much of it each update replaces.
const PERCENT: usize = 5;
/// Updates of each daemon that are measured, of each kind.
const UPDATES: usize = 4;

#[derive(Args)]
pub(crate) struct Hits {
    /// Daemons with samples and without, in turns
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

/// What one daemon came to.
#[derive(Default)]
struct Seen {
    quiet: Vec<Duration>,
    flooded: Vec<Duration>,
    packets: u64,
    flooding: Duration,
    samples: u64,
    lost: u64,
    /// How much its memory grew, in KiB.
    grown: i64,
}

impl Hits {
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| {
            let mut all = [Seen::default(), Seen::default()];
            // In turns: what disturbs one disturbs the other.
            for _ in 0..self.rounds {
                for (sample, seen) in all.iter_mut().enumerate() {
                    with_sample(sample, seen);
                }
            }
            let [without, with] = all.each_ref().map(|seen| median_time(&seen.flooded));
            all.iter().enumerate().for_each(|(sample, seen)| seen.tell(sample));
            let slower = with.as_secs_f64() / without.as_secs_f64() - 1.0;
            println!("under the flood an update takes {:+.1} % with samples", slower * 100.0);
            Ok(())
        })
    }
}

/// Some updates of a fresh daemon, each without a flood and with one.
fn with_sample(sample: usize, seen: &mut Seen) {
    let wire = Wire::new();
    wire.multiply();
    let tables = format!(
        "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\nsample = {sample}\n"
    );
    let daemon = "settle-ms = 20\non-stop = \"remove\"".to_owned();
    let host = Host::with(&Config { daemon, tables, ..Config::default() });
    let mut versions = Versions::new(RandomNumbers::seeded(7), ENTRIES);
    host.feed("changing", versions.feed());
    host.feed("flooding", "45.0.0.0/8\n");
    let daemon = Daemon::start(&host);
    let mut update = || {
        versions.change(PERCENT);
        host.feed("changing", versions.feed());
        let begun = Instant::now();
        assert_eq!(host.denyset("apply").code, 0);
        begun.elapsed()
    };
    update();
    let torrent = Torrent::start(&wire, 45);
    update();
    torrent.stop();
    let memory = daemon.memory_kib();
    for _ in 0..UPDATES {
        seen.quiet.push(update());
        let begun = Instant::now();
        let before = wire.received();
        let torrent = Torrent::start(&wire, 45);
        seen.flooded.push(update());
        torrent.stop();
        seen.packets += wire.received() - before;
        seen.flooding += begun.elapsed();
    }
    let told = host.denyset_json("hits").json();
    seen.samples += samples(&told);
    seen.lost += told["lost"].as_u64().unwrap_or_default();
    let grown = daemon.memory_kib().cast_signed() - memory.cast_signed();
    seen.grown = seen.grown.max(grown);
    daemon.stop();
    lab::witness::ip("link delete wire0");
}

impl Seen {
    fn tell(&self, sample: usize) {
        let rate = u128::from(self.packets) * 1_000 / self.flooding.as_millis().max(1);
        let [quiet, flooded] = [&self.quiet, &self.flooded].map(|times| median_time(times));
        println!(
            "sample = {sample}: {} packets at {rate} a second; an update of {PERCENT} % of {ENTRIES} \
             entries took {quiet:.0?} without them and {flooded:.0?} with; the daemon grew by {} KiB \
             at the most; {} packets looked at, {} lost",
            self.packets, self.grown, self.samples, self.lost,
        );
    }
}

/// All packets that were looked at.
fn samples(told: &Value) -> u64 {
    let rules = told["rules"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["samples"].as_u64()).sum()
}
