//! The demonstration: a million addresses loaded and blocked by one `[[rule]]`,
//! then changed twenty times while packets come in without pause, and the daemon
//! killed during one of the changes. None from a listed address gets in, none
//! from another is lost, and this machine's own rules are never touched. It needs no program but ours; `ipset` is a witness
//! where it is there.

use std::time::{Duration, Instant};

use clap::Args;
use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::kills::{SETS, in_force};
use lab::packets::Stream;
use lab::versions::Versions;
use lab::wire::Wire;
use lab::witness::{is_there, members};

use crate::{Failure, Seed, apart};

/// How much of the list each change replaces, in percent, over and over.
const PERCENT: [usize; 5] = [1, 5, 1, 25, 60];

/// The demonstration fails if it takes longer, the build apart.
const TIME_MAX: Duration = Duration::from_secs(110);

/// How far into a change the daemon is killed: it reads, or fills a set.
const MOMENT: Duration = Duration::from_millis(500);

/// All that it takes to block.
const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n";

#[derive(Args)]
pub(crate) struct Demo {
    #[command(flatten)]
    seed: Seed,
    /// Addresses in the list
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=4_000_000))]
    entries: u32,
    /// Changed lists
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100))]
    changes: u32,
}

impl Demo {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| self.show())
    }

    fn show(&self) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut versions =
            Versions::new(RandomNumbers::seeded(self.seed.seed), self.entries as usize);
        let wire = Wire::new();
        let host = Host::with(&Config { tables: TABLES.into(), ..Config::default() });
        host.feed("demo.txt", versions.feed());
        let [ipv4, ipv6] = versions.counts();
        println!("entries      {} ({ipv4} IPv4, {ipv6} IPv6)", ipv4 + ipv6);

        let start = Instant::now();
        let mut daemon = Daemon::start(&host);
        in_force(&daemon, &versions);
        println!("first load   {:>5} ms, start of the daemon included", millis(start));
        daemon.until("the rules in place", |status| {
            let rules = status["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
            rules.len() == 2 && rules.iter().all(|rule| rule["in-place"] == true)
        });

        let stream = Stream::over(&wire, versions.listed(), versions.free());
        for change in 0..self.changes {
            let percent = PERCENT[change as usize % PERCENT.len()];
            versions.change(percent);
            let text = versions.feed();
            let start = Instant::now();
            host.feed("demo.txt", text);
            let killed = change == self.changes / 2;
            if killed {
                daemon.pause(MOMENT);
                daemon.kill();
                daemon = Daemon::start(&host);
            }
            in_force(&daemon, &versions);
            let how = if killed { ", with SIGKILL and a new start in it" } else { "" };
            println!(
                "change {:<5} {:>5} ms, {percent} % of the list{how}",
                change + 1,
                millis(start)
            );
            if begun.elapsed() > TIME_MAX {
                return Err(format!("this takes longer than {} s", TIME_MAX.as_secs()).into());
            }
        }
        let seen = stream.stop();

        println!("memory       {:>5} MiB in the daemon", daemon.memory_kib() / 1024);
        println!("packets      {} sent, two of four from listed addresses", seen.sent);
        println!("             {} leaked, {} wrongly blocked", seen.leaked, seen.wrongly_blocked);
        if seen.leaked + seen.wrongly_blocked > 0 {
            return Err("packets did not meet the fate that the list says".into());
        }
        if is_there("ipset") {
            let all = versions.members();
            members(SETS[0]).expect(&all.family(true));
            members(SETS[1]).expect(&all.family(false));
            println!("witness      `ipset save` lists exactly the last version");
        } else {
            println!("witness      none but the packets: there is no `ipset` here to be asked");
        }
        daemon.stop();
        Ok(())
    }
}

fn millis(since: Instant) -> u128 {
    since.elapsed().as_millis()
}
