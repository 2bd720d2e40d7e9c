//! What a rule costs a packet: ours at prerouting and at input, with samples, the
//! same set asked by a rule of iptables, and as many linear rules as it would take
//! instead. Packets come from members, or from nobody who is one; whoever is not
//! dropped by what is measured is dropped at the end of input in every case.
//!
//! Each round measures all of them in turns, and what nothing costs first. What is
//! told are medians of differences within a round.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use clap::Args;
use lab::daemon::Daemon;
use lab::generate::{RandomNumbers, feed};
use lab::host::{Config, Host};
use lab::volley::Volley;
use lab::wire::Wire;
use lab::witness::{attempt, fed, succeed};

use crate::measure::statistics::{Spread, median};
use crate::{Failure, apart};

/// Addresses that packets come from, of each kind.
pub(super) const SOURCES: usize = 65_536;

/// Rules of a host with four ports and 400 clients, and one a port that refuses.
const LINEAR: usize = 1_604;

/// A daemon that takes no processor time for so long is at rest.
const REST: Duration = Duration::from_millis(300);
/// It comes to rest within this time.
const REST_WITHIN: Duration = Duration::from_secs(300);

/// Where each measured packet ends that nothing has dropped before, and a chain
/// that does nothing where ours stands.
const GROUND: &str = "table ip ground {\n\
    chain end { type filter hook input priority 1000; policy accept; iifname wire0 counter drop; }\n\
    chain empty { type filter hook prerouting priority -290; policy accept; }\n}\n";

#[derive(Args)]
pub(crate) struct Rules {
    /// Entries in the list
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    entries: u32,
    /// Rounds
    #[arg(long, default_value_t = 9)]
    rounds: usize,
    /// Packets of each kind in a round
    #[arg(long, default_value_t = 150_000)]
    packets: u32,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Nothing but chains that are empty.
    Empty,
    /// Our rule, as a table with nothing but its list makes it.
    Prerouting,
    /// The same at `input`.
    Input,
    /// The same at `prerouting`, and one packet in a thousand is looked at.
    Sampled,
    /// A rule of iptables in its table raw, by this program.
    Match(&'static str),
    /// A rule of iptables for each address, in raw as well, by this program.
    Linear(&'static str),
}

/// The chains of iptables-legacy stay where they were once asked for, and every
/// packet passes them from then on: what is beside them is measured again.
const GROUPS: [&[Way]; 2] = [
    &[
        Way::Empty,
        Way::Prerouting,
        Way::Input,
        Way::Sampled,
        Way::Match("iptables-nft"),
        Way::Linear("iptables-nft"),
    ],
    &[Way::Empty, Way::Prerouting, Way::Match("iptables-legacy"), Way::Linear("iptables-legacy")],
];

/// Nanoseconds a packet, from members and from others, round by round.
#[derive(Default)]
struct Costs {
    hit: Vec<f64>,
    miss: Vec<f64>,
}

impl Rules {
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| self.measure())
    }

    fn measure(&self) -> Result<(), Failure> {
        let wire = Wire::new();
        let bench = Bench::new(&wire, self.entries as usize);
        println!("{} entries, {} rounds, ns a packet", self.entries, self.rounds);
        GROUPS.into_iter().try_for_each(|group| self.group(&bench, group))
    }

    fn group(&self, bench: &Bench, group: &[Way]) -> Result<(), Failure> {
        let ways: Vec<_> = group.iter().copied().filter(|way| can(*way)).collect();
        let mut costs: Vec<_> = ways.iter().map(|_| Costs::default()).collect();
        for round in 0..self.rounds {
            for at in 0..ways.len() {
                // Each begins a round now and then.
                let at = (at + round) % ways.len();
                let [hit, miss] = bench.cost(ways[at], self.packets)?;
                costs[at].hit.push(hit);
                costs[at].miss.push(miss);
            }
        }
        let base = &costs[0];
        println!("{:<44} {:>24} {:>24}", "", "from a member", "from another");
        let [hit, miss] = [&base.hit, &base.miss].map(|costs| median(costs));
        println!("{:<44} {hit:>24.0} {miss:>24.0}", "empty chains, all of a packet");
        for (way, costs) in ways.iter().zip(&costs).skip(1) {
            let [hit, miss] = [(&costs.hit, &base.hit), (&costs.miss, &base.miss)].map(told);
            println!("{:<44} {hit:>24} {miss:>24}", way.name());
        }
        compare(&ways, &costs);
        Ok(())
    }
}

impl Way {
    fn name(self) -> String {
        match self {
            Self::Empty => "empty chains".to_owned(),
            Self::Prerouting => "ours at prerouting".to_owned(),
            Self::Input => "ours at input".to_owned(),
            Self::Sampled => "ours at prerouting, sample = 1000".to_owned(),
            Self::Match(program) => format!("{program} -m set in raw"),
            Self::Linear(program) => format!("{program}, {LINEAR} linear rules in raw"),
        }
    }
}

/// A host with a million in its sets, and packets to it.
struct Bench {
    host: Host,
    members: Volley,
    others: Volley,
    linear: Vec<Ipv4Addr>,
}

impl Bench {
    fn new(wire: &Wire, entries: usize) -> Self {
        lay_ground();
        let mut random = RandomNumbers::seeded(3);
        let [listed, others, linear] = distinct(&mut random, [entries, SOURCES, LINEAR]);
        let host = Host::with(&config(""));
        let all: Vec<IpAddr> = listed.iter().map(|&address| address.into()).collect();
        host.feed("list.txt", feed(&all));
        let some = listed.len().min(SOURCES);
        let volleys = [&listed[..some], &others].map(|sources| Volley::over(wire, sources));
        let [members, others] = volleys;
        Self { host, members, others, linear }
    }

    /// Nanoseconds that a packet costs from members and from others.
    fn cost(&self, way: Way, packets: u32) -> Result<[f64; 2], Failure> {
        let daemon = self.put(way);
        let mut costs = [0.0; 2];
        for (cost, (volley, are_members)) in
            costs.iter_mut().zip([(&self.members, true), (&self.others, false)])
        {
            // What is cold is warm then.
            volley.fire(packets / 10);
            let before = arrived();
            *cost = nanoseconds(volley.fire(packets), packets);
            let dropped = u64::from(packets) - (arrived() - before);
            let blocks = !matches!(way, Way::Empty | Way::Linear(_));
            let want = if are_members && blocks { u64::from(packets) } else { 0 };
            if dropped != want {
                return Err(format!("{}: {dropped} of {packets} dropped", way.name()).into());
            }
        }
        drop(daemon);
        take_away(way);
        Ok(costs)
    }

    /// A daemon runs whatever is measured, and has come to rest.
    fn put(&self, way: Way) -> Daemon<'_> {
        let rule = match way {
            Way::Prerouting | Way::Sampled => "[[rule]]\nlist = \"drop\"\n",
            Way::Input => "[[rule]]\nlist = \"drop\"\nhook = \"input\"\n",
            _ => "",
        };
        let sample = if way == Way::Sampled { "sample = 1000\n" } else { "" };
        self.host.configure(&config(&format!("{rule}{sample}")));
        let daemon = Daemon::start(&self.host);
        match way {
            Way::Match(program) => {
                let rule = "-w -t raw -A PREROUTING -m set --match-set denyset-drop-v4 src -j DROP";
                succeed(program, &rule.split(' ').collect::<Vec<_>>());
            }
            Way::Linear(program) => {
                let mut text = "*raw\n".to_owned();
                for address in &self.linear {
                    writeln!(text, "-A PREROUTING -s {address}/32 -j DROP").expect("a string");
                }
                text.push_str("COMMIT\n");
                let restored = fed(&format!("{program}-restore"), &["-w"], text.as_bytes());
                assert!(restored.status.success(), "{restored:?}");
            }
            _ => {}
        }
        rests(&daemon);
        daemon
    }
}

/// So many random addresses of each kind, each once.
pub(super) fn distinct<const N: usize>(
    random: &mut RandomNumbers,
    counts: [usize; N],
) -> [Vec<Ipv4Addr>; N] {
    let mut known = HashSet::new();
    counts.map(|count| {
        let mut addresses = Vec::with_capacity(count);
        while addresses.len() < count {
            let address = random.ipv4();
            if known.insert(address) {
                addresses.push(address);
            }
        }
        addresses
    })
}

/// Where measured packets end.
pub(super) fn lay_ground() {
    let made = fed("nft", &["-f", "-"], GROUND.as_bytes());
    assert!(made.status.success(), "{made:?}");
}

/// Waits until a daemon has nothing to do.
pub(super) fn rests(daemon: &Daemon<'_>) {
    assert!(rests_within(daemon, REST_WITHIN), "the daemon works without end");
}

/// The same for so long at the most; whether it has come to rest.
pub(super) fn rests_within(daemon: &Daemon<'_>, patience: Duration) -> bool {
    let (begun, mut before) = (Instant::now(), daemon.cpu_time());
    while begun.elapsed() < patience {
        let end = Instant::now() + REST;
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            // A notification ends the pause.
            daemon.pause(left);
        }
        let now = daemon.cpu_time();
        if now == before {
            return true;
        }
        before = now;
    }
    false
}

/// Whether this machine can.
fn can(way: Way) -> bool {
    let (Way::Match(program) | Way::Linear(program)) = way else { return true };
    let there = attempt(program, &["-w", "-t", "raw", "-S"]);
    if let Err(why) = &there {
        println!("not measured: {}: {}", way.name(), why.trim());
    }
    there.is_ok()
}

fn take_away(way: Way) {
    match way {
        // It leaves nothing behind.
        Way::Match("iptables-nft") | Way::Linear("iptables-nft") => {
            succeed("nft", &["delete", "table", "ip", "raw"]);
        }
        Way::Match(program) | Way::Linear(program) => {
            succeed(program, &["-w", "-t", "raw", "-F"]);
        }
        _ => {}
    }
}

/// The two promises, as ratios of all that a packet costs within one round.
fn compare(ways: &[Way], costs: &[Costs]) {
    let of = |way: Way| ways.iter().position(|&one| one == way).map(|at| &costs[at]);
    let Some(ours) = of(Way::Prerouting) else { return };
    let pairs = [
        (Way::Sampled, "one in a thousand looked at, to none"),
        (Way::Match("iptables-nft"), "iptables-nft -m set in raw, to ours"),
        (Way::Match("iptables-legacy"), "iptables-legacy -m set in raw, to ours"),
    ];
    for (way, name) in pairs {
        let Some(theirs) = of(way) else { continue };
        let ratio = |a: &[f64], b: &[f64]| {
            let ratios: Vec<_> = a.iter().zip(b).map(|(a, b)| a / b).collect();
            (median(&ratios) - 1.0) * 100.0
        };
        let hit = ratio(&theirs.hit, &ours.hit);
        let miss = ratio(&theirs.miss, &ours.miss);
        println!("{name}: {hit:+.1} % of a packet from a member, {miss:+.1} % of another");
    }
}

fn config(rule: &str) -> Config {
    let daemon = "settle-ms = 20\non-stop = \"keep\"".to_owned();
    let tables = format!("[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n{rule}");
    Config { daemon, tables, ..Config::default() }
}

/// How many packets came to the end of input.
pub(super) fn arrived() -> u64 {
    let shown = succeed("nft", &["list", "chain", "ip", "ground", "end"]);
    let count = shown.split("counter packets ").nth(1).and_then(|rest| rest.split(' ').next());
    count.and_then(|count| count.parse().ok()).expect("a counter")
}

pub(super) fn nanoseconds(time: Duration, packets: u32) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(packets)
}

/// The median of what is more than the base, in the same round, and the least and
/// the most.
pub(super) fn told((costs, base): (&Vec<f64>, &Vec<f64>)) -> String {
    let more = Spread::of_differences(costs, base);
    more.map_or("nothing".into(), |more| {
        format!("{:+.0} [{:.0}..{:.0}]", more.middle, more.least, more.most)
    })
}
