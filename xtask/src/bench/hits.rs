//! Hits under a flood: packets from made-up addresses that are all listed, as
//! many as can be sent, with every packet looked at as far as the rate lets it.
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

use crate::{Failure, apart};

/// Entries of the feed that changes.
const ENTRIES: usize = 200_000;
/// How much of it each update replaces.
const PERCENT: usize = 5;

#[derive(Args)]
pub(crate) struct Hits {
    /// Updates with the flood and without, in turns
    #[arg(long, default_value_t = 7)]
    rounds: usize,
}

/// The median.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

impl Hits {
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| {
            for sample in [0, 1] {
                self.with_sample(sample);
            }
            Ok(())
        })
    }

    fn with_sample(&self, sample: u32) {
        let wire = Wire::new();
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
        let (mut quiet, mut flooded, mut packets) = (Vec::new(), Vec::new(), 0);
        let (memory, mut flooding, mut worked) =
            (daemon.memory_kib(), Duration::ZERO, Duration::ZERO);
        for _ in 0..self.rounds {
            quiet.push(update());
            let (begun, before) = (Instant::now(), daemon.cpu_time());
            let torrent = Torrent::start(&wire, 45);
            flooded.push(update());
            daemon.pause(Duration::from_secs(2));
            packets += torrent.stop();
            flooding += begun.elapsed();
            worked += daemon.cpu_time().saturating_sub(before);
        }
        let told = host.denyset_json("hits").json();
        let (quiet, flooded) = (median(quiet), median(flooded));
        let rate = u128::from(packets) * 1_000 / flooding.as_millis().max(1);
        println!(
            "sample = {sample}: {packets} packets at {rate} a second; an update of {PERCENT} % of \
             {ENTRIES} entries took {quiet:.0?} without them and {flooded:.0?} with ({:+.1} %); the \
             daemon held {memory} KiB before and {} after, and worked {:.2} s of {:.1} s; {} packets \
             looked at, {} lost",
            (flooded.as_secs_f64() / quiet.as_secs_f64() - 1.0) * 100.0,
            daemon.memory_kib(),
            worked.as_secs_f64(),
            flooding.as_secs_f64(),
            samples(&told),
            told["lost"],
        );
        daemon.stop();
        lab::witness::ip("link delete wire0");
    }
}

/// All packets that were looked at.
fn samples(told: &Value) -> u64 {
    let rules = told["rules"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["samples"].as_u64()).sum()
}
