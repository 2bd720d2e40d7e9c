//! What the type and the size of a table cost a packet: the same addresses in
//! `hash:net`, which every list can be, and in `hash:ip`, in tables with more
//! buckets and with fewer.

use std::fmt::Write as _;
use std::fs;
use std::net::Ipv4Addr;

use clap::Args;
use lab::generate::RandomNumbers;
use lab::volley::Volley;
use lab::wire::Wire;
use lab::witness::{ipset_restore, succeed};
use reconcile::Capacity;

use super::rules::{SOURCES, arrived, distinct, lay_ground, nanoseconds, told};
use crate::measure::statistics::median;
use crate::{Failure, apart};

#[derive(Args)]
pub(crate) struct Tables {
    /// Addresses
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    entries: u32,
    /// Rounds
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Packets of each kind in a round
    #[arg(long, default_value_t = 150_000)]
    packets: u32,
}

/// A table: its type, and by which power of two it has more buckets than half of ours.
const TABLES: [(&str, u32); 5] =
    [("hash:net", 0), ("hash:net", 1), ("hash:net", 2), ("hash:ip", 0), ("hash:ip", 1)];

/// Packets to a host with all of the tables.
struct Site {
    members: Volley,
    others: Volley,
}

impl Tables {
    pub(super) fn run(&self) -> Result<(), Failure> {
        apart::with_release_binary(|| self.measure())
    }

    fn measure(&self) -> Result<(), Failure> {
        let wire = Wire::new();
        lay_ground();
        let mut random = RandomNumbers::seeded(3);
        let [listed, others] = distinct(&mut random, [self.entries as usize, SOURCES]);
        let buckets = Capacity::for_members(listed.len()).hashsize / 2;
        load(&listed, buckets)?;
        let some = &listed[..listed.len().min(SOURCES)];
        let site =
            Site { members: Volley::over(&wire, some), others: Volley::over(&wire, &others) };
        // The first is of no table.
        let mut costs = vec![[Vec::new(), Vec::new()]; TABLES.len() + 1];
        for round in 0..self.rounds {
            for at in 0..costs.len() {
                let at = (at + round) % costs.len();
                let [hit, miss] = self.cost(&site, at.checked_sub(1))?;
                costs[at][0].push(hit);
                costs[at][1].push(miss);
            }
        }
        let [hit, miss] = costs[0].each_ref().map(|all| median(all));
        println!("{} entries, {} rounds, ns a packet", self.entries, self.rounds);
        println!("{:<28} {:>24} {:>24}", "", "from a member", "from another");
        println!("{:<28} {hit:>24.0} {miss:>24.0}", "no rule, all of a packet");
        for ((kind, power), of) in TABLES.into_iter().zip(&costs[1..]) {
            let [hit, miss] = [0, 1].map(|kind| told((&of[kind], &costs[0][kind])));
            let name = format!("{kind}, {} buckets", buckets << power);
            println!("{name:<28} {hit:>24} {miss:>24}");
        }
        Ok(())
    }

    /// Nanoseconds that a packet costs from members and from others.
    fn cost(&self, site: &Site, table: Option<usize>) -> Result<[f64; 2], Failure> {
        if let Some(at) = table {
            let rule = format!("-w -t raw -A PREROUTING -m set --match-set table{at} src -j DROP");
            succeed("iptables-nft", &rule.split(' ').collect::<Vec<_>>());
        }
        let mut costs = [0.0; 2];
        for (cost, volley) in costs.iter_mut().zip([&site.members, &site.others]) {
            volley.fire(self.packets / 10);
            let before = arrived();
            *cost = nanoseconds(volley.fire(self.packets), self.packets);
            let dropped = u64::from(self.packets) - (arrived() - before);
            let blocks = table.is_some() && std::ptr::eq(volley, &raw const site.members);
            if dropped != if blocks { u64::from(self.packets) } else { 0 } {
                return Err(format!("{dropped} of {} packets dropped", self.packets).into());
            }
        }
        if table.is_some() {
            succeed("nft", &["delete", "table", "ip", "raw"]);
        }
        Ok(costs)
    }
}

/// Makes and fills the tables.
fn load(listed: &[Ipv4Addr], buckets: u32) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("restore");
    for (at, (kind, power)) in TABLES.into_iter().enumerate() {
        let mut text = String::new();
        let (size, most) = (buckets << power, 2 * listed.len());
        writeln!(text, "create table{at} {kind} hashsize {size} maxelem {most}")?;
        for address in listed {
            writeln!(text, "add table{at} {address}")?;
        }
        fs::write(&file, text)?;
        ipset_restore(&file);
    }
    Ok(())
}
