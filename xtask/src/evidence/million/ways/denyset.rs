//! denyset: a feed in its directory and one `[[rule]]`. It is loaded without a daemon, by
//! `denyset apply`, as other programs are; changes come to a running daemon.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use lab::daemon::Daemon;
use lab::generate::feed;
use lab::host::Config;
use lab::program;

use super::super::super::lists::Change;
use super::super::super::site::Site;
use super::super::super::tool::{self, Effort, Trouble};
use super::{LIMIT, Way};

struct Denyset {
    name: &'static str,
    rule: &'static str,
}

pub(super) fn ways() -> Vec<Box<dyn Way>> {
    vec![
        Box::new(Denyset { name: "denyset", rule: "" }),
        Box::new(Denyset { name: "denyset, hook = \"input\"", rule: "hook = \"input\"" }),
    ]
}

fn text(listed: &[Ipv4Addr]) -> String {
    feed(&listed.iter().map(|&address| IpAddr::from(address)).collect::<Vec<_>>())
}

impl Way for Denyset {
    fn name(&self) -> String {
        self.name.to_owned()
    }

    fn is_quick(&self) -> bool {
        self.rule.is_empty()
    }

    fn load(&self, site: &Site, listed: &[Ipv4Addr]) -> Result<Effort, Trouble> {
        let tables = format!(
            "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n{}\n",
            self.rule
        );
        site.host().configure(&Config { tables, ..Config::default() });
        site.host().feed("list.txt", text(listed));
        let mut command = program::command();
        command.args(["apply", "--config"]).arg(site.host().config());
        Ok(tool::finish(&mut command, None, LIMIT)?.effort)
    }

    /// From the moment at which the feed is in place until the daemon says that the set
    /// is as it should be, the time to ask it included.
    fn change(&self, site: &Site, change: &Change<'_>) -> Result<Effort, Trouble> {
        let daemon = Daemon::start(site.host());
        daemon.forget_memory_peak();
        let text = text(&change.whole);
        let generation = daemon.status()["generation"].clone();
        let (worked, begun) = (daemon.cpu_time(), Instant::now());
        site.host().feed("list.txt", text);
        daemon.until("the change in force", |status| {
            status["in-sync"] == true && status["generation"] != generation
        });
        let effort = Effort {
            wall: begun.elapsed(),
            cpu: daemon.cpu_time().saturating_sub(worked),
            memory_kib: daemon.memory_peak_kib(),
        };
        daemon.stop();
        Ok(effort)
    }
}
