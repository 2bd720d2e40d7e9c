//! What the prefix lengths of a set cost a packet: by their number, of members and of
//! nobody who is one; and of a list as it is and in few lengths, of the latter alone.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use clap::Args;
use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::volley::Volley;
use lab::wire::Wire;
use serde_json::Value;

use super::rules::{SOURCES, arrived, lay_ground, nanoseconds, rests, told};
use super::suite::{Goal, OURS, Page, Plot, Task};
use super::text;
use crate::evidence::lists::{Lists, with_lengths};
use crate::measure::statistics::{Spread, median};
use crate::{Failure, apart, real};

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

    /// Compares, and tells.
    fn measure(&self) -> Result<(), Failure> {
        let compared = self.compare()?;
        println!("{} rounds, ns a packet from an address that is not in the list", self.rounds);
        println!("without a rule: {:.0}", median(&compared.costs[0]));
        for (way, at) in [("as it is", 1), ("in few lengths", 2)] {
            let (members, lengths) = compared.seen[at];
            let more = told((&compared.costs[at], &compared.costs[0]));
            println!("{way}: {members} members of {lengths} lengths, {more}");
        }
        println!(
            "in few lengths {:.0} % of what it costs as it is, for {:+.1} % of members",
            compared.percent(),
            compared.more_members_percent()
        );
        Ok(())
    }

    /// The list as it is and in few lengths, in turns.
    fn compare(&self) -> Result<Compared, Failure> {
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
        let mut compared = Compared { costs: WAYS.map(|_| Vec::new()), seen: WAYS.map(|_| (0, 0)) };
        for round in 0..self.rounds {
            for at in 0..WAYS.len() {
                let at = (at + round) % WAYS.len();
                host.configure(&config(WAYS[at]));
                let daemon = Daemon::start(&host);
                rests(&daemon);
                compared.seen[at] = shape(&host.denyset_json("status").json());
                compared.costs[at].push(cost(&others, self.packets, 0)?);
                daemon.stop();
            }
        }
        Ok(compared)
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

/// What was found of one list, way by way.
struct Compared {
    costs: [Vec<f64>; 3],
    seen: [(u64, usize); 3],
}

impl Compared {
    /// What a packet costs in few lengths, of what it costs as it is.
    fn percent(&self) -> f64 {
        let [exact, few] = [1, 2].map(|at| {
            let more = Spread::of_differences(&self.costs[at], &self.costs[0]);
            more.map_or(f64::NAN, |more| more.middle)
        });
        few / exact * 100.0
    }

    /// How many members there are more.
    fn more_members_percent(&self) -> f64 {
        let members = |at: usize| f64::from(u32::try_from(self.seen[at].0).unwrap_or(u32::MAX));
        (members(2) / members(1) - 1.0) * 100.0
    }
}

/// What each of so many packets costs; an error if others are dropped than are to be.
fn cost(volley: &Volley, packets: u32, drops: u32) -> Result<f64, Failure> {
    volley.fire(packets / 10);
    let before = arrived();
    let cost = nanoseconds(volley.fire(packets), packets);
    let dropped = u64::from(packets) - (arrived() - before);
    if u64::from(drops) != dropped {
        return Err(format!("{dropped} of {packets} packets dropped, not {drops}").into());
    }
    Ok(cost)
}

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "What a packet of nobody on the list costs more than without a list",
    metric: MISS,
    unit: "ns",
    over: "prefix lengths",
};

const MISS: &str = "from nobody on the list, ns more than without a rule";
const HIT: &str = "from a member, ns more than without a rule";
const OF_EXACT: &str = "in few lengths, % of what the list costs as it is";
const MORE_MEMBERS: &str = "in few lengths, % more members";

/// How many lengths a list has.
const LENGTHS: [u8; 5] = [1, 3, 9, 17, 25];

/// As a part of the suite.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    let packets = if task.quick { 20_000 } else { 200_000 };
    isolated(|| sweep(task, packets, page).map_err(|failure| failure.to_string()))?;
    let Some(directory) = real::directory() else {
        page.note(
            "There is no directory of real feeds beside the checkout: none was measured.".into(),
        );
        return Ok(());
    };
    let real = Layout { directory: Some(directory), rounds: task.rounds, packets };
    let compared = isolated(|| real.compare().map_err(|failure| failure.to_string()))?;
    page.figure(OURS, 0, OF_EXACT, compared.percent());
    page.figure(OURS, 0, MORE_MEMBERS, compared.more_members_percent());
    let [exact, few] = [compared.seen[1], compared.seen[2]];
    page.note(format!(
        "Of real feeds {} members of {} lengths became {} of {}.",
        exact.0, exact.1, few.0, few.1
    ));
    Ok(())
}

/// What is promised, of real feeds.
pub(super) fn judge(_: &Task, page: &mut Page) {
    for (metric, most) in [(OF_EXACT, 45.0), (MORE_MEMBERS, 25.0)] {
        let found = page.middle(OURS, 0, metric);
        page.goal(Goal::at_most(&format!("real feeds {metric}"), found, most));
    }
}

/// Lists of a few lengths and of many, as they are, beside none.
fn sweep(task: &Task, packets: u32, page: &mut Page) -> Result<(), Failure> {
    let wire = Wire::new();
    lay_ground();
    let lists = Lists::new(if task.quick { 10_000 } else { 100_000 });
    let [members, others] = [&lists.staying, &lists.others].map(|from| Volley::over(&wire, from));
    let host = Host::new();
    for _ in 0..task.rounds {
        host.configure(&config(None));
        let daemon = Daemon::start(&host);
        rests(&daemon);
        let base = [cost(&members, packets, 0)?, cost(&others, packets, 0)?];
        daemon.stop();
        for lengths in LENGTHS {
            let prefixes = with_lengths(&lists.listed, lengths);
            host.feed("list", text::joined(prefixes.iter().map(|(a, bits)| format!("{a}/{bits}"))));
            host.configure(&config(Some("exact")));
            let daemon = Daemon::start(&host);
            rests(&daemon);
            let found = [cost(&members, packets, packets)?, cost(&others, packets, 0)?];
            page.figure(OURS, lengths.into(), HIT, found[0] - base[0]);
            page.figure(OURS, lengths.into(), MISS, found[1] - base[1]);
            daemon.stop();
        }
    }
    Ok(())
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
