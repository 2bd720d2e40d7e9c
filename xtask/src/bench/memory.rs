//! Memory of the daemon: at rest, and at its most while all members are replaced, for no
//! member, a million and ten of them; and what the kernel says that the set takes.

use std::fs;

use lab::daemon::Daemon;
use lab::host::Host;
use lab::namespace::isolated;
use lab::witness::attempt;

use super::rules::rests;
use super::suite::{Goal, Input, Kind, OURS, Page, Plot, Task, watched};
use crate::Failure;
use crate::measure::ledger::Finding;

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "Memory of the daemon, IPv4",
    metric: "memory with IPv4, MiB",
    unit: "MiB",
    over: "members",
};

const UPDATING: &str = "denyset, while updating";
const KERNEL: &str = "the kernel's set, by its header";

/// How much is measured of a kind, and what is promised of it: bytes a member at rest.
fn inputs(quick: bool) -> [(Kind, Vec<usize>, f64); 2] {
    let sizes = |all: &[usize]| all.to_vec();
    if quick {
        let few = [0, 20_000];
        return [(Kind::HostsV4, sizes(&few), 12.0), (Kind::HostsV6, sizes(&few), 40.0)];
    }
    [
        (Kind::HostsV4, sizes(&[0, 1_000_000, 10_000_000]), 12.0),
        (Kind::HostsV6, sizes(&[0, 1_000_000]), 40.0),
    ]
}

fn with(kind: Kind) -> String {
    format!("memory with {}, MiB", kind.name())
}

/// Measures all kinds in all sizes. Memory differs little from one round to the next: two
/// of them tell.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    for (kind, sizes, _) in inputs(task.quick) {
        for size in sizes {
            println!("  {size} members, {}", kind.name());
            for _ in 0..task.rounds.min(2) {
                isolated(|| once(kind, size, page).map_err(|failure| failure.to_string()))?;
            }
        }
    }
    Ok(())
}

fn once(kind: Kind, size: usize, page: &mut Page) -> Result<(), Failure> {
    let host = Host::with(&watched::config("[[rule]]\nlist = \"drop\"\n"));
    let inputs = [1, 2].map(|seed| Input::new(kind, size, seed));
    if size > 0 {
        host.feed("list.txt", inputs[0].feed());
    }
    let daemon = Daemon::start(&host);
    daemon.until("in sync", |status| status["in-sync"] == true);
    rests(&daemon);
    let mut tell = |variant: &str, kib: u64| {
        #[expect(clippy::cast_precision_loss, reason = "gigabytes")]
        page.figure(variant, size, &with(kind), kib as f64 / 1024.0);
    };
    tell(OURS, daemon.memory_kib());
    if size > 0 {
        daemon.forget_memory_peak();
        let ready = host.path("ready");
        fs::write(&ready, inputs[1].feed())?;
        let lines = daemon.log().len();
        fs::rename(&ready, host.feeds().join("list.txt"))?;
        daemon.wait_logged_since(lines, &["was changed", "deleted"]);
        rests(&daemon);
        tell(UPDATING, daemon.memory_peak_kib());
    }
    match kernel_kib(kind) {
        Ok(kib) => tell(KERNEL, kib),
        Err(why) => page.put(KERNEL, size, &with(kind), Finding::NotRun(why)),
    }
    daemon.stop();
    Ok(())
}

/// What the header of the set says.
fn kernel_kib(kind: Kind) -> Result<u64, String> {
    let family = kind.family().name();
    let set = if family.ends_with('4') { "denyset-drop-v4" } else { "denyset-drop-v6" };
    if !lab::witness::is_there("ipset") {
        return Err("there is no `ipset` to be asked".into());
    }
    let told = attempt("ipset", &["list", set, "-terse"])?;
    let bytes = told.lines().find_map(|line| line.strip_prefix("Size in memory: "));
    let bytes = bytes.and_then(|bytes| bytes.trim().parse::<u64>().ok());
    Ok(bytes.ok_or("it does not say so")? / 1024)
}

/// What is promised: bytes a member over the program without any.
pub(super) fn judge(task: &Task, page: &mut Page) {
    for (kind, sizes, most) in inputs(task.quick) {
        let metric = with(kind);
        for size in sizes.into_iter().filter(|&size| size > 0) {
            // Of a few members it is what the program takes for anything at all.
            let base = page.middle(OURS, 0, &metric).filter(|_| size >= 1_000_000);
            let bytes = |page: &Page, variant: &str| {
                #[expect(clippy::cast_precision_loss, reason = "ten million")]
                let members = size as f64;
                Some((page.middle(variant, size, &metric)? - base?) * 1024.0 * 1024.0 / members)
            };
            let name = kind.name();
            for (variant, when, most) in
                [(OURS, "at rest", most), (UPDATING, "while updating", most * 2.0)]
            {
                let what = format!("bytes a member {when}, {size} of {name}");
                page.goal(Goal::at_most(&what, bytes(page, variant), most));
            }
        }
    }
    page.note("Resident memory, pages of the program's file included.".into());
}
