//! denyset: a feed in its directory and one `[[rule]]`. It is loaded without a daemon, by
//! `denyset apply`, as other programs are; changes come to a running daemon.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::host::Config;
use lab::program;

use super::super::super::lists::{Change, Family, with_lengths};
use super::super::super::site::Site;
use super::super::super::tool::{self, Effort, Trouble};
use super::{LIMIT, Way, joined};

struct Denyset {
    name: &'static str,
    rule: &'static str,
    family: Family,
    /// How many lengths its prefixes have.
    lengths: u8,
    /// In which lengths it writes them: its own choice, or those of the feed.
    layout: &'static str,
}

/// How the ways begin that only tell what the number of lengths costs, and of how many
/// addresses they are.
pub(in crate::evidence) const BY_LENGTHS: &str = "denyset, lengths: ";
pub(in crate::evidence) const BY_LENGTHS_SIZE: usize = 100_000;

/// How often it is asked whether a change is in force.
const GLANCE: Duration = Duration::from_millis(5);

const PLAIN: Denyset =
    Denyset { name: "denyset", rule: "", family: Family::V4, lengths: 1, layout: "auto" };

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    let mut ways: Vec<Box<dyn Way>> = vec![
        Box::new(PLAIN),
        Box::new(Denyset { name: "denyset, hook = \"input\"", rule: "hook = \"input\"", ..PLAIN }),
        Box::new(Denyset {
            name: "denyset, new-connections-only",
            rule: "new-connections-only = true",
            ..PLAIN
        }),
        Box::new(Denyset { name: "denyset, nine lengths", lengths: 9, ..PLAIN }),
        Box::new(Denyset {
            name: "denyset, nine lengths, layout = \"exact\"",
            lengths: 9,
            layout: "exact",
            ..PLAIN
        }),
        Box::new(Denyset { name: "denyset, IPv6", family: Family::V6, ..PLAIN }),
    ];
    for (name, lengths) in [
        ("denyset, lengths: 1", 1),
        ("denyset, lengths: 3", 3),
        ("denyset, lengths: 9", 9),
        ("denyset, lengths: 17", 17),
        ("denyset, lengths: 25", 25),
    ] {
        ways.push(Box::new(Denyset { name, lengths, layout: "exact", ..PLAIN }));
    }
    ways
}

impl Denyset {
    fn text(&self, listed: &[Ipv4Addr]) -> String {
        if self.lengths == 1 {
            return joined(listed, |text, &address| write!(text, "{}", self.family.of(address)));
        }
        let prefixes = with_lengths(listed, self.lengths);
        joined(prefixes, |text, (network, bits)| write!(text, "{network}/{bits}"))
    }

    fn is_sweep(&self) -> bool {
        self.name.starts_with(BY_LENGTHS)
    }
}

impl Way for Denyset {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn family(&self) -> Family {
        self.family
    }

    fn is_quick(&self) -> bool {
        self.name == PLAIN.name
    }

    fn is_for(&self, length: usize) -> bool {
        !self.is_sweep() || length == BY_LENGTHS_SIZE
    }

    fn changes(&self) -> bool {
        !self.is_sweep()
    }

    fn replaces(&self) -> bool {
        self.is_quick()
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let tables = format!(
            "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n{}\n",
            self.rule
        );
        let kernel = format!("layout = {:?}", self.layout);
        site.host().configure(&Config { kernel, tables, ..Config::default() });
        site.host().feed("list.txt", self.text(listed));
        let mut command = program::command();
        command.args(["apply", "--config"]).arg(site.host().config());
        Ok(tool::finish(&mut command, None, LIMIT)?.effort)
    }

    /// A feed is a whole list always.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        self.replace(site, &change.whole)
    }

    /// From the moment at which the feed is in place until the daemon says that the set
    /// is as it should be, the time to ask it included.
    fn replace(&self, site: &Site, whole: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let daemon = Daemon::start(site.host());
        daemon.forget_memory_peak();
        let text = self.text(whole);
        let generation = daemon.status()["generation"].clone();
        let (worked, begun) = (daemon.cpu_time(), Instant::now());
        site.host().feed("list.txt", text);
        let is_in_force = |status: &serde_json::Value| {
            status["in-sync"] == true && status["generation"] != generation
        };
        while !is_in_force(&daemon.status()) {
            if begun.elapsed() > LIMIT {
                return Err(Trouble::Broken("the change is not in force".into()));
            }
            daemon.pause(GLANCE);
        }
        let effort = Effort {
            wall: begun.elapsed(),
            cpu: daemon.cpu_time().saturating_sub(worked),
            memory_kib: daemon.memory_peak_kib(),
        };
        daemon.stop();
        Ok(effort)
    }
}
