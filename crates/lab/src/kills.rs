//! The daemon killed with SIGKILL at random moments of updates: after each,
//! the live sets are whole, and the next start converges and sweeps.

use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::Daemon;
use crate::host::{Config, Host};
use crate::members::SortedPrefixes;
use crate::versions::Versions;
use crate::witness::{members, names};

/// How an update reaches a live set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KillRoute {
    /// All at once, by a swap.
    Swap,
    /// Member by member.
    InPlace,
}

/// The live sets of the host's one list.
pub const SETS: [&str; 2] = ["denyset-drop-v4", "denyset-drop-v6"];

/// How often a kill met what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Met {
    /// The old version in both sets.
    pub old: u32,
    /// The new version in both sets.
    pub new: u32,
    /// One set old and the other new, or a set on its way.
    pub between: u32,
    /// A shadow left behind.
    pub shadows: u32,
}

/// Kills the daemon `rounds` times, each during an update of `percent` of the
/// list to a new version.
///
/// # Panics
/// If a live set is ever not what the route allows, or the next start does
/// not converge.
pub fn survive(versions: &mut Versions, route: KillRoute, percent: usize, rounds: u32) -> Met {
    let host = Host::with(&config(route));
    host.feed("list.txt", versions.feed());
    let mut daemon = Daemon::start(&host);
    in_force(&daemon, versions);
    live().expect(&versions.members());
    let begun = Instant::now();
    versions.change(percent);
    host.feed("list.txt", versions.feed());
    in_force(&daemon, versions);
    let usual = begun.elapsed();

    let mut met = Met::default();
    let mut new = versions.members();
    for _ in 0..rounds {
        let old = new;
        versions.change(percent);
        new = versions.members();
        host.feed("list.txt", versions.feed());
        let limit = u64::try_from(usual.as_micros()).expect("a short time");
        wait(&daemon, Duration::from_micros(versions.below(limit)));
        daemon.kill();
        judge(&old, &new, route, &mut met);
        daemon = Daemon::start(&host);
        in_force(&daemon, versions);
        live().expect(&new);
        assert_eq!(names(), SETS, "shadows are swept");
    }
    met
}

fn config(route: KillRoute) -> Config {
    let update = match route {
        KillRoute::Swap => "swap",
        KillRoute::InPlace => "in-place",
    };
    Config { kernel: format!("update = \"{update}\""), ..Config::default() }
}

/// Waits until the daemon says that this version is in force.
///
/// # Panics
/// If it never does.
pub fn in_force(daemon: &Daemon<'_>, versions: &Versions) {
    for (set, members) in SETS.into_iter().zip(versions.counts()) {
        daemon.until_members(set, members);
    }
}

/// Lets this much time pass, whatever the daemon says meanwhile.
fn wait(daemon: &Daemon<'_>, time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        daemon.pause(left);
    }
}

/// The members of the live sets, which are walked side by side.
fn live() -> SortedPrefixes {
    let both = thread::scope(|scope| {
        let walks = SETS.map(|set| scope.spawn(move || members(set)));
        walks.map(|walk| walk.join().expect("both are there"))
    });
    both.iter().flat_map(SortedPrefixes::iter).collect()
}

fn judge(old: &SortedPrefixes, new: &SortedPrefixes, route: KillRoute, met: &mut Met) {
    let found = live();
    for ipv4 in [true, false] {
        let [found, old, new] = [&found, old, new].map(|members| members.family(ipv4));
        match route {
            KillRoute::Swap => {
                let differs = || (found.without(&old), found.without(&new), new.without(&found));
                assert!(found == old || found == new, "neither old nor new: {:?}", differs());
            }
            KillRoute::InPlace => {
                let lost = old.common(&new).without(&found);
                let stray = found.without(&old).without(&new);
                assert!(lost.is_empty() && stray.is_empty(), "lost {lost:?}, stray {stray:?}");
            }
        }
    }
    match found {
        found if found == *old => met.old += 1,
        found if found == *new => met.new += 1,
        _ => met.between += 1,
    }
    met.shadows += u32::from(names().len() > SETS.len());
}
