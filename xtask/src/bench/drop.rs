//! From a file that is dropped into the watched directory until its list is swapped in,
//! the daemon as a whole, over a list as long that is in force. Beside it the floor, a
//! program that does nothing but that and keeps nothing, and what shells do.
//!
//! Settling, the quiet that the daemon waits for, is taken off and told.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use lab::daemon::Daemon;
use lab::host::Host;
use lab::namespace::{Namespace, isolated};

use super::rules::rests;
use super::suite::peers::{self, LIVE, iprange_swap, restore};
use super::suite::{
    FLOOR, FREED, Goal, Input, Kind, LIMIT, OURS, Page, Plot, Task, Took, Way, pass, watched,
};
use crate::Failure;
use crate::measure::tool::{self, Trouble};

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "From a file dropped to its list swapped in",
    metric: "dropped to swapped in, ms",
    unit: "ms",
    over: "members",
};

const WHAT: &str = "dropped to swapped in";
/// The daemon until the old members are taken apart as well, beside which packets pass.
const RESTS: &str = "dropped to at rest";
const IPRANGE: &str = "iprange | ipset restore, swap";
const IPSET: &str = "ipset restore, swap, its file made before";

/// What the daemon says when it is done.
const CHANGED: [&str; 2] = ["set denyset-drop-v4 was changed", "deleted"];

/// Measures one size.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    let sizes = if task.quick { vec![2_000, task.members] } else { vec![100_000, task.members] };
    for size in sizes {
        println!("  {size} members");
        isolated(|| {
            Dropping::new(size).and_then(|it| it.measure(task, page)).map_err(|e| e.to_string())
        })?;
    }
    Ok(())
}

/// Two lists in turns, and where each way has one of them in force.
struct Dropping {
    size: usize,
    inputs: [Input; 2],
    /// For the daemon and all others.
    feeds: [PathBuf; 2],
    restores: [PathBuf; 2],
    host: Host,
    floor: Namespace,
    peer: Namespace,
}

impl Dropping {
    fn new(size: usize) -> Result<Self, Failure> {
        let host = Host::with(&watched::config(""));
        let inputs = [1, 2].map(|seed| Input::new(Kind::HostsV4, size, seed));
        let feeds = [host.path("one.txt"), host.path("other.txt")];
        let restores = [host.path("one.restore"), host.path("other.restore")];
        for (input, (feed, restore)) in inputs.iter().zip(feeds.iter().zip(&restores)) {
            fs::write(feed, input.feed())?;
            fs::write(restore, peers::restore_swap(input))?;
        }
        let [floor, peer] = [Namespace::new(), Namespace::new()];
        Ok(Self { size, inputs, feeds, restores, host, floor, peer })
    }

    fn measure(&self, task: &Task, page: &mut Page) -> Result<(), Failure> {
        self.host.feed("list.txt", fs::read(&self.feeds[0])?);
        let daemon = Daemon::start(&self.host);
        let set = "denyset-drop-v4";
        daemon.until_members(set, self.inputs[0].members().len());
        rests(&daemon);
        // Both of the others have a list in force as well.
        let floorload = task.meters.program("floorload");
        if let Ok(program) = &floorload {
            self.floor.run(|| floor(program, &self.feeds[0]))?;
        }
        let there = self.peer.run(|| {
            super::suite::program(&format!("ipset create {LIVE} hash:net maxelem 131072"))?;
            restore(&self.restores[0])
        });
        for round in 1..=task.rounds_of(self.size) {
            let (feed, input) = (&self.feeds[round % 2], &self.inputs[round % 2]);
            self.ours(&daemon, feed, page)?;
            let took = floorload.clone().and_then(|it| self.floor.run(|| floor(&it, feed)));
            page.tried(FLOOR, self.size, WHAT, took);
            let others: [Way<'_, Took>; 2] = [
                (IPRANGE, &|| iprange_swap(feed, input)),
                (IPSET, &|| restore(&self.restores[round % 2])),
            ];
            for (name, way) in others {
                let took = there.clone().and_then(|_| {
                    self.peer.run(|| {
                        let took = way();
                        pass(FREED);
                        took
                    })
                });
                page.tried(name, self.size, WHAT, took);
            }
        }
        daemon.stop();
        Ok(())
    }

    /// One drop; the daemon takes the old members apart before the next is measured.
    fn ours(&self, daemon: &Daemon<'_>, feed: &Path, page: &mut Page) -> Result<(), Failure> {
        let ready = self.host.path("ready");
        fs::copy(feed, &ready)?;
        let lines = daemon.log().len();
        let (begun, worked) = (Instant::now(), super::worked(daemon.pid())?);
        fs::rename(&ready, self.host.feeds().join("list.txt"))?;
        daemon.wait_logged_since(lines, &CHANGED);
        let wall = begun.elapsed().saturating_sub(watched::SETTLE);
        let cpu = super::worked(daemon.pid())?.saturating_sub(worked);
        page.took(OURS, self.size, WHAT, Took { wall, cpu });
        rests(daemon);
        let cpu = super::worked(daemon.pid())?.saturating_sub(worked);
        page.figure(
            OURS,
            self.size,
            &format!("{RESTS}, ms of the processor"),
            super::suite::ms(cpu),
        );
        Ok(())
    }
}

/// The whole cycle in a program of its own, over what it had there before.
fn floor(program: &Path, feed: &Path) -> Result<Took, Trouble> {
    let mut command = Command::new(program);
    command.arg(feed).arg("floor");
    let took = tool::finish(&mut command, None, LIMIT)?.effort.into();
    pass(FREED);
    Ok(took)
}

/// What is promised.
pub(super) fn judge(task: &Task, page: &mut Page) {
    let size = task.members;
    let floor = page.ratio(WHAT, size, OURS, FLOOR);
    page.goal(Goal::at_most("times the floor, dropped to swapped in", floor, 1.3));
    let times = page.ratio(WHAT, size, IPRANGE, OURS);
    page.goal(Goal::at_least(&format!("times as fast as `{IPRANGE}`"), times, 6.0));
    page.note(format!(
        "The daemon waits for {} ms of quiet first, which its time by the clock is told without. Its \
         peers keep no copy, judge nothing and read nothing back.",
        watched::SETTLE.as_millis()
    ));
}
