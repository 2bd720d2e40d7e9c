//! What the prefix lengths of a set cost a packet whose address is in none of
//! its members: the same list as it is, and in few lengths.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Args;
use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::volley::Volley;
use lab::wire::Wire;
use serde_json::Value;

use super::rules::{SOURCES, arrived, lay_ground, median, nanoseconds, rests, told};
use crate::{Failure, apart};

#[derive(Args)]
pub(crate) struct Layout {
    /// A directory of real feeds; without it a list is made up
    directory: Option<PathBuf>,
    /// Rounds
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Packets in a round
    #[arg(long, default_value_t = 200_000)]
    packets: u32,
}

/// A packet that no rule asks for, and the two ways to write the set.
const WAYS: [Option<&str>; 3] = [None, Some("exact"), Some("auto")];

impl Layout {
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| self.measure())
    }

    fn measure(&self) -> Result<(), Failure> {
        let wire = Wire::new();
        lay_ground();
        let host = Host::new();
        self.fill(&host)?;
        let mut random = RandomNumbers::seeded(6);
        // Private addresses are protected: they are in no list.
        let others: Vec<_> = (0..SOURCES)
            .map(|_| Ipv4Addr::from(0xac10_0000 | u32::from(random.ipv4()) & 0xf_ffff))
            .collect();
        let others = Volley::over(&wire, &others);
        let mut costs = WAYS.map(|_| Vec::new());
        let mut seen = WAYS.map(|_| (0, 0));
        for round in 0..self.rounds {
            for at in 0..WAYS.len() {
                let at = (at + round) % WAYS.len();
                host.configure(&config(WAYS[at]));
                let daemon = Daemon::start(&host);
                rests(&daemon);
                seen[at] = shape(&host.denyset_json("status").json());
                others.fire(self.packets / 10);
                let before = arrived();
                costs[at].push(nanoseconds(others.fire(self.packets), self.packets));
                let dropped = u64::from(self.packets) - (arrived() - before);
                if dropped > 0 {
                    return Err(format!("{dropped} packets of nobody on the list dropped").into());
                }
                daemon.stop();
            }
        }
        println!("{} rounds, ns a packet from an address that is not in the list", self.rounds);
        println!("without a rule: {:.0}", median(&costs[0]));
        for (way, at) in [("as it is", 1), ("in few lengths", 2)] {
            let (members, lengths) = seen[at];
            let more = told((&costs[at], &costs[0]));
            println!("{way}: {members} members of {lengths} lengths, {more}");
        }
        let [exact, few] = [1, 2].map(|at| {
            let more: Vec<_> = costs[at].iter().zip(&costs[0]).map(|(a, b)| a - b).collect();
            median(&more)
        });
        let members = |at: usize| f64::from(u32::try_from(seen[at].0).unwrap_or(u32::MAX));
        println!(
            "in few lengths {:.0} % of what it costs as it is, for {:+.1} % of members",
            few / exact * 100.0,
            (members(2) / members(1) - 1.0) * 100.0
        );
        Ok(())
    }

    fn fill(&self, host: &Host) -> Result<(), Failure> {
        let Some(directory) = &self.directory else {
            host.feed("made-up", made_up());
            return Ok(());
        };
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_file() {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                host.feed(&name, fs::read(&path)?);
            }
        }
        Ok(())
    }
}

/// Single addresses, and networks of all usual lengths, the fewer the shorter.
fn made_up() -> String {
    let mut random = RandomNumbers::seeded(5);
    let mut text = String::new();
    for length in 8..=32_u32 {
        let count = if length == 32 { 800_000 } else { 40 << ((length - 8) / 2) };
        for _ in 0..count {
            let address = u32::from(random.ipv4()) >> (32 - length) << (32 - length);
            let _ = writeln!(text, "{}/{length}", Ipv4Addr::from(address));
        }
    }
    text
}

fn config(layout: Option<&str>) -> Config {
    let rule = if layout.is_some() { "[[rule]]\nlist = \"drop\"\n" } else { "" };
    Config {
        daemon: "settle-ms = 20\non-stop = \"remove\"".to_owned(),
        kernel: format!("layout = {:?}", layout.unwrap_or("auto")),
        guard: "coverage-percent-max = 100".to_owned(),
        tables: format!("[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n{rule}"),
    }
}

/// Members and lengths of the set for IPv4.
fn shape(status: &Value) -> (u64, usize) {
    let set = &status["sets"][0];
    let lengths = set["lengths"].as_object().map_or(0, serde_json::Map::len);
    (set["members"].as_u64().unwrap_or_default(), lengths)
}
