//! What packets and others wait while all members of a set in force are replaced, until
//! the old ones are gone as well: pings through our rule that each processor in turn
//! handles, threads that want to run on each, and requests to ipset about a set of
//! somebody else. As long without anything is the baseline; beside it what others do,
//! whose old members are destroyed in one go.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use blocklist::AnyPrefix;
use lab::daemon::Daemon;
use lab::host::Host;
use lab::moments::{Moments, go_first};
use lab::namespace::{Namespace, isolated_with_mounts};
use lab::ping::{Pings, processors, stay_on, steer};
use lab::wire::Wire;
use lab::witness::attempt;
use netfilter::Netfilter;
use reconcile::{Capacity, Kernel as _, Observe as _, Op, SetName, SetPrefix, SetSpec};

use super::rules::rests;
use super::suite::peers::{self, LIVE};
use super::suite::{
    FLOOR, FREED, Goal, Input, Kind, LIMIT, OURS, Page, Plot, Task, Took, Way, ms, pass, program,
    watched,
};
use crate::Failure;
use crate::measure::tool::{self, Trouble};

/// Of what is drawn.
pub(super) const PLOT: Plot =
    Plot { title: "The longest wait of a packet", metric: PACKET, unit: "ms", over: "members" };

const IDLE: &str = "idle";
const IPSET: &str = "ipset restore, swap, destroy";
const PACKET: &str = "longest wait of a packet, any processor, ms";
const THREAD: &str = "longest wait of a thread that goes first, any processor, ms";
const REQUEST: &str = "longest wait of a request to ipset, ms";
const PROCESS: &str = "longest `ipset list -terse` as a program, ms";

/// How far pings and requests are apart.
const STEP: Duration = Duration::from_micros(500);

/// Measures one size.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    isolated_with_mounts(|| {
        Ground::new(task).and_then(|it| it.measure(task, page)).map_err(|e| e.to_string())
    })?;
    Ok(())
}

/// A host with a daemon's rule, and a set of somebody else.
struct Ground {
    size: usize,
    wire: Wire,
    host: Host,
    feeds: [PathBuf; 2],
    restores: [PathBuf; 2],
    foreign: SetName,
    floor: Namespace,
    peer: Namespace,
}

impl Ground {
    fn new(task: &Task) -> Result<Self, Failure> {
        // Else it tells of another network.
        attempt("mount", &["-t", "sysfs", "sysfs", "/sys"])?;
        let wire = Wire::new();
        let host = Host::with(&watched::config("[[rule]]\nlist = \"drop\"\n"));
        let feeds = ["one.txt", "other.txt"].map(|name| host.path(name));
        let restores = ["one.restore", "other.restore"].map(|name| host.path(name));
        for (seed, (feed, restore)) in [1, 2].into_iter().zip(feeds.iter().zip(&restores)) {
            let input = Input::new(Kind::HostsV4, task.members, seed);
            fs::write(feed, input.feed())?;
            fs::write(restore, peers::restore_swap(&input))?;
        }
        let prefix = SetPrefix::new("foreign-")?;
        let foreign = prefix.live("set", blocklist::Family::Ipv4)?;
        let capacity = Capacity::for_members(1_000);
        let spec = SetSpec { name: foreign.clone(), capacity, initval: 7 };
        Netfilter::open()?.execute(&Op::Create(spec))?;
        let [floor, peer] = [Namespace::new(), Namespace::new()];
        Ok(Self { size: task.members, wire, host, feeds, restores, foreign, floor, peer })
    }

    fn measure(&self, task: &Task, page: &mut Page) -> Result<(), Failure> {
        self.host.feed("list.txt", fs::read(&self.feeds[0])?);
        let daemon = Daemon::start(&self.host);
        daemon.until("the list in force", |status| {
            status["in-sync"] == true && status["rules"][0]["in-place"] == true
        });
        rests(&daemon);
        let floorload = task.meters.program("floorload");
        let ready = self.peer.run(|| {
            program(&format!("ipset create {LIVE} hash:net maxelem 131072"))?;
            peers::restore(&self.restores[0])
        });
        let mut turn = 0;
        for _ in 0..task.rounds_of(self.size) {
            for processor in processors() {
                turn += 1;
                steer(processor)?;
                self.round(&daemon, processor, turn % 2, (&floorload, &ready), page)?;
            }
        }
        daemon.stop();
        Ok(())
    }

    /// Everybody once, while this processor handles the packets.
    fn round(
        &self,
        daemon: &Daemon<'_>,
        processor: usize,
        turn: usize,
        (floorload, ready): (&Result<PathBuf, Trouble>, &Result<Took, Trouble>),
        page: &mut Page,
    ) -> Result<(), Failure> {
        let feed = &self.feeds[turn];
        let begun = Instant::now();
        self.watched((OURS, processor), page, || self.replace(daemon, feed))??;
        let as_long = begun.elapsed();
        self.watched((IDLE, processor), page, || pass(as_long))?;
        let others: [Way<'_, ()>; 2] = [
            (FLOOR, &|| {
                let mut command = std::process::Command::new(floorload.clone()?);
                tool::finish(command.arg(feed).arg("floor"), None, LIMIT).map(|_| ())
            }),
            (IPSET, &|| {
                ready.clone()?;
                peers::restore(&self.restores[turn]).map(|_| ())
            }),
        ];
        for ((name, way), place) in others.into_iter().zip([&self.floor, &self.peer]) {
            let done = self.watched((name, processor), page, || {
                let done = place.run(way);
                pass(FREED);
                done
            })?;
            if let Err(trouble) = done {
                page.tried(name, self.size, "replaced", Err(trouble));
            }
        }
        Ok(())
    }

    /// All members replaced, and the old ones gone.
    fn replace(&self, daemon: &Daemon<'_>, feed: &PathBuf) -> Result<(), Failure> {
        let ready = self.host.path("ready");
        fs::copy(feed, &ready)?;
        let lines = daemon.log().len();
        fs::rename(&ready, self.host.feeds().join("list.txt"))?;
        daemon.wait_logged_since(lines, &["set denyset-drop-v4 was changed"]);
        rests(daemon);
        Ok(())
    }

    /// Does something, and tells how long others waited meanwhile.
    fn watched<T>(
        &self,
        (variant, processor): (&str, usize),
        page: &mut Page,
        body: impl FnOnce() -> T,
    ) -> Result<T, Failure> {
        let over = AtomicBool::new(false);
        let all = processors();
        // Pings come from another one, if there is another.
        let from = all.iter().copied().find(|&other| other != processor).unwrap_or(processor);
        let (done, waits, threads, request, program) = thread::scope(|scope| {
            let pings = Pings::start(&self.wire, STEP, from);
            let over = &over;
            let threads = all.iter().map(|&at| scope.spawn(move || run_on(at, over)));
            let threads: Vec<_> = threads.collect();
            let request = scope.spawn(|| self.ask(over));
            let program = scope.spawn(|| self.list(over));
            let done = body();
            over.store(true, Ordering::Relaxed);
            let threads = threads.into_iter().filter_map(|thread| thread.join().ok()).max();
            (done, pings.stop(), threads, request.join(), program.join())
        });
        let metric = format!("longest wait of a packet, processor {processor}, ms");
        page.figure(variant, self.size, PACKET, ms(waits.longest));
        page.figure(variant, self.size, &metric, ms(waits.longest));
        page.figure(variant, self.size, THREAD, ms(threads.unwrap_or_default()));
        let request = request.map_err(|_| "who asks ipset panicked")??;
        page.figure(variant, self.size, REQUEST, ms(request));
        if let Some(program) = program.map_err(|_| "who starts ipset panicked")? {
            page.figure(variant, self.size, PROCESS, ms(program));
        }
        Ok(done)
    }

    /// Asks about the other set over and over, and tells the longest wait.
    fn ask(&self, over: &AtomicBool) -> Result<Duration, String> {
        go_first();
        let mut kernel = Netfilter::open().map_err(|error| error.to_string())?;
        let address = AnyPrefix::host(Ipv4Addr::new(198, 51, 100, 7).into());
        let (mut pace, mut longest) = (Moments::of(STEP), Duration::ZERO);
        while !over.load(Ordering::Relaxed) {
            let due = pace.wait();
            kernel.matches(&self.foreign, address).map_err(|error| error.to_string())?;
            longest = longest.max(Moments::since(due));
        }
        Ok(longest)
    }

    /// The same by a program, if it is there.
    fn list(&self, over: &AtomicBool) -> Option<Duration> {
        let line = format!("ipset list {} -terse", self.foreign);
        let mut longest = None;
        while !over.load(Ordering::Relaxed) {
            longest = longest.max(Some(program(&line).ok()?.wall));
        }
        longest
    }
}

/// How late a thread ever is that wants to run on this processor, and goes first.
fn run_on(processor: usize, over: &AtomicBool) -> Duration {
    stay_on(processor);
    go_first();
    let (mut moments, mut longest) = (Moments::of(STEP), Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        longest = longest.max(Moments::since(moments.wait()));
    }
    longest
}

/// What is promised: the longest of a round, median of the rounds, beyond as long without.
pub(super) fn judge(task: &Task, page: &mut Page) {
    let more = |page: &Page, metric: &str| {
        let middle = |variant| page.middle(variant, task.members, metric);
        Some(middle(OURS)? - middle(IDLE)?)
    };
    for (what, metric, most) in [
        ("ms that a packet waits longer than when idle", PACKET, 5.0),
        ("ms that a request to ipset waits longer than when idle", REQUEST, 10.0),
        ("ms that the program ipset takes longer than when idle", PROCESS, 10.0),
    ] {
        page.goal(Goal::at_most(what, more(page, metric), most));
    }
    page.note(
        "Pings are sent from one processor and handled by another, each in turn; what their sender has \
         waited to run is taken off. The figures of each round are its longest. In a virtual machine \
         the host may have taken the pages of a large table back: who creates one then keeps its \
         processor from other threads, and all users of ipset, while they are given again. denyset \
         has them given again before it asks for the table, when no user of ipset has to wait."
            .into(),
    );
}
