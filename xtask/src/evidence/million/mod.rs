//! Question B: a list of up to a million addresses, blocked in the kernel in every way
//! that was named. All ways of one length stand beside each other, each in namespaces of
//! its own, and are measured in turns.

pub(super) mod ways;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lab::volley::Volley;

use self::ways::Way;
pub(super) use self::ways::{BY_LENGTHS, BY_LENGTHS_SIZE};
use super::Task;
use super::lists::{Family, Lists, v6};
use super::memory;
use super::record::{Finding, Findings, Ledger};
use super::site::Site;
use super::tool::{Effort, Trouble};

/// What is measured, with its unit.
pub(super) const LOAD: &str = "load-ms";
pub(super) const LOAD_CPU: &str = "load-cpu-ms";
pub(super) const USER_MEMORY: &str = "user-memory-mib";
pub(super) const KERNEL_MEMORY: &str = "kernel-memory-mib";
pub(super) const HIT: &str = "hit-ns";
pub(super) const MISS: &str = "miss-ns";
pub(super) const ONE: &str = "change-one-ms";
pub(super) const THOUSAND: &str = "change-thousand-ms";
/// Another list in the place of the whole, but for a sixteenth or more of it that stays;
/// and what the kernel and the program have at most meanwhile, the former beyond what it
/// had before.
pub(super) const REPLACE: &str = "replace-ms";
pub(super) const REPLACE_KERNEL: &str = "replace-kernel-memory-mib";
pub(super) const REPLACE_USER: &str = "replace-user-memory-mib";
/// Packets of those who are blocked before and after a change, that got through while
/// it was made; and how many were sent then.
pub(super) const LEAKED: &str = "leaked-packets";
pub(super) const SENT: &str = "packets-during-change";
pub(super) const REPLACE_LEAKED: &str = "replace-leaked-packets";
pub(super) const REPLACE_SENT: &str = "packets-during-replace";
/// Packets that met another fate than the list says, with nothing changing.
pub(super) const WRONG: &str = "wrong-packets";

/// How long the packets of one figure may take.
const BUDGET_NS: f64 = 60e6;
const QUICK_BUDGET_NS: f64 = 20e6;
/// So many at least, and at most.
const PACKETS: (f64, f64) = (64.0, 60_000.0);

/// Where one change takes longer, many are not tried.
const TOO_LONG_MS: f64 = 10_000.0;

/// How many addresses the lists have.
pub(super) fn sizes(quick: bool) -> &'static [usize] {
    if quick { &[1_000, 10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] }
}

/// One way that stands.
struct Loaded<'a> {
    way: &'a dyn Way,
    site: Site,
    hits: Volley,
    misses: Volley,
}

/// What all ways are called.
#[cfg(test)]
pub(super) fn names() -> Vec<String> {
    ways::all().iter().map(|way| way.name()).collect()
}

/// Measures all ways that are asked for with lists of one length. What broke with a
/// shorter one, as `before` says, is not tried.
pub(super) fn run(task: &Task<'_>, size: usize, before: Option<&Findings>) -> Ledger {
    let all = ways::all();
    let wanted = |way: &&dyn Way| {
        let asked = task.scope.wants(&way.name()) && way.is_for(size);
        asked && (!task.quick || task.scope.is_partial() || way.is_quick())
    };
    let ways = all.iter().map(Box::as_ref).filter(wanted);
    let mut ledger = Ledger::default();
    println!("  {size} addresses");
    let lists = Lists::new(size);
    let mut loaded = Vec::new();
    for way in ways {
        if let Some(trouble) = before.and_then(|before| broken(before, way, size, LOAD)) {
            note(&mut ledger, way, size, LOAD, &trouble);
            continue;
        }
        let done = catch_unwind(AssertUnwindSafe(|| load(way, &lists, task, &mut ledger)));
        match done.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into()))) {
            Ok(one) => loaded.push(one),
            Err(trouble) => note(&mut ledger, way, size, LOAD, &trouble),
        }
    }
    measure(&loaded, size, task, &mut ledger);
    for one in &loaded {
        if one.way.changes() {
            let known = before.and_then(|before| broken(before, one.way, size, THOUSAND));
            let changed =
                catch_unwind(AssertUnwindSafe(|| change(one, &lists, known, &mut ledger)));
            if let Err(trouble) =
                changed.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())))
            {
                note(&mut ledger, one.way, size, THOUSAND, &trouble);
            }
        }
        one.site.run(|| one.way.tear_down(&one.site));
    }
    ledger
}

/// How a way broke with a shorter list.
fn broken(before: &Findings, way: &dyn Way, size: usize, metric: &str) -> Option<Trouble> {
    let shorter = before.sizes().into_iter().filter(|before| *before < size as u64);
    let mut found = shorter.map(|shorter| (shorter, before.find(&way.name(), shorter, metric)));
    found.find_map(|(shorter, finding)| match finding {
        Some(Finding::Broke(why)) if why.contains(" before: ") => {
            Some(Trouble::Broken(why.clone()))
        }
        Some(Finding::Broke(why)) => Some(Trouble::Broken(format!("at {shorter} before: {why}"))),
        _ => None,
    })
}

fn note(ledger: &mut Ledger, way: &dyn Way, size: usize, metric: &str, trouble: &Trouble) {
    println!("    {}: {}", way.name(), trouble.why());
    let finding = match trouble {
        Trouble::Missing(why) => Finding::NotRun(why.clone()),
        Trouble::Broken(why) => Finding::Broke(why.clone()),
    };
    ledger.put(&way.name(), size as u64, metric, finding);
}

/// Loads the list in a fresh place, several times if that is quick; the last one stays.
fn load<'a>(
    way: &'a dyn Way,
    lists: &Lists,
    task: &Task<'_>,
    ledger: &mut Ledger,
) -> Result<Loaded<'a>, Trouble> {
    let length = lists.listed.len();
    if let Some((_, why)) = way.most().filter(|(most, _)| length > *most) {
        return Err(Trouble::Missing(why.to_owned()));
    }
    let times = if length > 10_000 { 1 } else { task.rounds.min(3) };
    let mut last = None;
    for _ in 0..times {
        if let Some(before) = last.take() {
            let before: Site = before;
            before.run(|| way.tear_down(&before));
        }
        let ready = Site::new()?;
        let before = memory::kernel_kib();
        let effort = match ready.run(|| way.load(&ready, &lists.listed)) {
            Ok(effort) => effort,
            Err(trouble) => {
                ready.run(|| way.tear_down(&ready));
                return Err(trouble);
            }
        };
        let taken = memory::kernel_kib() - before;
        tell(ledger, way, length, effort, taken);
        last = Some(ready);
    }
    println!("    {}", way.name());
    let site = last.ok_or_else(|| Trouble::Missing("no round was asked for".into()))?;
    let [hits, misses] = [&lists.staying, &lists.others].map(|sources| match way.family() {
        Family::V4 => site.volley(sources),
        Family::V6 => site.volley(&sources.iter().map(|&address| v6(address)).collect::<Vec<_>>()),
    });
    Ok(Loaded { way, site, hits, misses })
}

fn tell(ledger: &mut Ledger, way: &dyn Way, size: usize, effort: Effort, kernel_kib: f64) {
    let (name, size) = (way.name(), size as u64);
    ledger.figure(&name, size, LOAD, milliseconds(effort.wall));
    ledger.figure(&name, size, LOAD_CPU, milliseconds(effort.cpu));
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
    ledger.figure(&name, size, USER_MEMORY, effort.memory_kib as f64 / 1024.0);
    ledger.figure(&name, size, KERNEL_MEMORY, kernel_kib / 1024.0);
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What a packet costs from who is blocked and from who is not, in turns.
fn measure(loaded: &[Loaded<'_>], size: usize, task: &Task<'_>, ledger: &mut Ledger) {
    let budget = if task.quick { QUICK_BUDGET_NS } else { BUDGET_NS };
    for round in 0..task.rounds {
        for at in 0..loaded.len() {
            // Each is the first of a round now and then.
            let one = &loaded[(at + round) % loaded.len()];
            let name = one.way.name();
            let size = size as u64;
            match cost(one, budget) {
                Ok([hit, miss, wrong]) => {
                    ledger.figure(&name, size, HIT, hit);
                    ledger.figure(&name, size, MISS, miss);
                    ledger.figure(&name, size, WRONG, wrong);
                }
                Err(trouble) => {
                    note(ledger, one.way, usize::try_from(size).unwrap_or_default(), HIT, &trouble);
                }
            }
        }
    }
}

/// Nanoseconds for a hit and for a miss, and packets whose fate was wrong.
fn cost(one: &Loaded<'_>, budget: f64) -> Result<[f64; 3], Trouble> {
    let mut figures = [0.0; 3];
    for (at, (volley, is_hit)) in [(&one.hits, true), (&one.misses, false)].into_iter().enumerate()
    {
        // The first few say how many there can be, and warm what is cold.
        let first = nanoseconds(volley.fire(32), 32);
        let packets = (budget / first).clamp(PACKETS.0, PACKETS.1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let packets = packets as u32;
        one.way.settle(&one.site)?;
        let (before, elsewhere) = (one.site.arrived()?, one.way.worked());
        let (mut sent, mut left) = (Duration::ZERO, packets);
        while left > 0 {
            let now = left.min(one.way.at_once());
            sent += volley.fire(now);
            one.way.settle(&one.site)?;
            left -= now;
        }
        figures[at] = nanoseconds(sent + one.way.worked().saturating_sub(elsewhere), packets);
        let arrived = one.site.arrived()? - before;
        let want = if is_hit && one.way.blocks() { 0 } else { u64::from(packets) };
        #[expect(clippy::cast_precision_loss, reason = "it is clamped")]
        let wrong = arrived.abs_diff(want) as f64;
        figures[2] += wrong;
    }
    Ok(figures)
}

fn nanoseconds(time: Duration, packets: u32) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(packets)
}

/// One more is blocked, then many others are, and then another list is, while those who
/// stay blocked keep sending.
fn change(
    one: &Loaded<'_>,
    lists: &Lists,
    known: Option<Trouble>,
    ledger: &mut Ledger,
) -> Result<(), Trouble> {
    let (name, size) = (one.way.name(), lists.listed.len() as u64);
    let took = while_sending(one, || one.way.change(&one.site, &lists.one()))?;
    ledger.figure(&name, size, ONE, took.milliseconds);
    if let Some(trouble) = known {
        return Err(trouble);
    }
    if took.milliseconds > TOO_LONG_MS {
        return Err(Trouble::Missing("one takes long enough".into()));
    }
    let took = while_sending(one, || one.way.change(&one.site, &lists.thousand()))?;
    for (metric, figure) in
        [(THOUSAND, took.milliseconds), (LEAKED, took.leaked), (SENT, took.sent)]
    {
        ledger.figure(&name, size, metric, figure);
    }
    if !one.way.replaces() {
        return Ok(());
    }
    let another = lists.another();
    match while_sending(one, || one.way.replace(&one.site, &another)) {
        Ok(took) => {
            for (metric, figure) in [
                (REPLACE, took.milliseconds),
                (REPLACE_KERNEL, took.kernel_mib),
                (REPLACE_USER, took.user_mib),
                (REPLACE_LEAKED, took.leaked),
                (REPLACE_SENT, took.sent),
            ] {
                ledger.figure(&name, size, metric, figure);
            }
        }
        Err(trouble) => note(ledger, one.way, lists.listed.len(), REPLACE, &trouble),
    }
    Ok(())
}

/// What a change took.
struct Took {
    milliseconds: f64,
    /// What the kernel had at most beyond what it had before.
    kernel_mib: f64,
    user_mib: f64,
    leaked: f64,
    sent: f64,
}

/// Makes a change, while those who are blocked before and after it keep sending.
fn while_sending(
    one: &Loaded<'_>,
    change: impl FnOnce() -> Result<Effort, Trouble> + Send,
) -> Result<Took, Trouble> {
    one.way.settle(&one.site)?;
    let (arrived, kernel_kib) = (one.site.arrived()?, memory::kernel_kib());
    let (over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let (effort, most_kib) = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                one.hits.fire(16);
                sent.fetch_add(16, Ordering::Relaxed);
                // On one processor, whoever changes the list must come to work as well.
                thread::yield_now();
            }
        });
        let most = scope.spawn(|| memory::watch(&over));
        let effort = catch_unwind(AssertUnwindSafe(|| one.site.run(change)));
        over.store(true, Ordering::Relaxed);
        let effort = effort.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())));
        (effort, most.join().unwrap_or_default())
    });
    let effort = effort?;
    one.way.settle(&one.site)?;
    let leaked = one.site.arrived()? - arrived;
    #[expect(clippy::cast_precision_loss, reason = "packets and memory of seconds")]
    let figures = [leaked, sent.load(Ordering::Relaxed), effort.memory_kib].map(|n| n as f64);
    Ok(Took {
        milliseconds: milliseconds(effort.wall),
        kernel_mib: (most_kib - kernel_kib).max(0.0) / 1024.0,
        user_mib: figures[2] / 1024.0,
        leaked: figures[0],
        sent: figures[1],
    })
}
