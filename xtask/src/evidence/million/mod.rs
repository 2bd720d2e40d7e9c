//! Question B: a list of up to a million addresses, blocked in the kernel in every way
//! that was named. All ways of one length stand beside each other, each in namespaces of
//! its own, and are measured in turns.

mod ways;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use lab::volley::Volley;

use self::ways::Way;
use super::Task;
use super::lists::{Change, Lists};
use super::memory;
use super::record::{Finding, Ledger};
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
/// Packets of those who are blocked before and after a change, that got through while
/// it was made; and how many were sent then.
pub(super) const LEAKED: &str = "leaked-packets";
pub(super) const SENT: &str = "packets-during-change";
/// Packets that met another fate than the list says, with nothing changing.
pub(super) const WRONG: &str = "wrong-packets";

/// How long the packets of one figure may take.
const BUDGET_NS: f64 = 60e6;
const QUICK_BUDGET_NS: f64 = 20e6;
/// So many at least, and at most.
const PACKETS: (f64, f64) = (64.0, 60_000.0);

/// Where one change takes longer, many are not tried.
const TOO_LONG_MS: f64 = 20_000.0;

/// One way that stands.
struct Loaded<'a> {
    way: &'a dyn Way,
    site: Site,
    hits: Volley,
    misses: Volley,
}

/// Measures all ways that are asked for, length by length.
pub(super) fn run(task: &Task<'_>) -> Ledger {
    let sizes: &[usize] =
        if task.quick { &[1_000, 10_000] } else { &[1_000, 10_000, 100_000, 1_000_000] };
    let all = ways::all();
    let wanted = |way: &&dyn Way| {
        let asked = task.scope.wants(&way.name());
        asked && (!task.quick || task.scope.is_partial() || way.is_quick())
    };
    let ways: Vec<_> = all.iter().map(Box::as_ref).filter(wanted).collect();
    let mut ledger = Ledger::default();
    // What breaks with a list is not tried with a longer one.
    let mut broken: HashMap<String, (usize, String)> = HashMap::new();
    for &size in sizes {
        println!("  {size} addresses");
        let lists = Lists::new(size);
        let mut loaded = Vec::new();
        for &way in &ways {
            if let Some((before, why)) = broken.get(&way.name()) {
                let why = format!("at {before} before: {why}");
                note(&mut ledger, way, size, LOAD, &Trouble::Broken(why));
                continue;
            }
            let done = catch_unwind(AssertUnwindSafe(|| load(way, &lists, task, &mut ledger)));
            match done.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into()))) {
                Ok(one) => loaded.push(one),
                Err(trouble) => {
                    if let Trouble::Broken(why) = &trouble {
                        broken.insert(way.name(), (size, why.clone()));
                    }
                    note(&mut ledger, way, size, LOAD, &trouble);
                }
            }
        }
        measure(&loaded, size, task, &mut ledger);
        for one in &loaded {
            let changed = catch_unwind(AssertUnwindSafe(|| change(one, &lists, &mut ledger)));
            if let Err(trouble) =
                changed.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())))
            {
                note(&mut ledger, one.way, size, THOUSAND, &trouble);
            }
            one.site.run(|| one.way.tear_down(&one.site));
        }
    }
    ledger
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
    let (hits, misses) = (site.volley(&lists.staying), site.volley(&lists.others));
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
        let before = one.site.arrived()?;
        figures[at] = nanoseconds(volley.fire(packets), packets);
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

/// One more is blocked, and then many others are, while those who stay keep sending.
fn change(one: &Loaded<'_>, lists: &Lists, ledger: &mut Ledger) -> Result<(), Trouble> {
    let (name, size) = (one.way.name(), lists.listed.len() as u64);
    for (metric, change) in [(ONE, lists.one()), (THOUSAND, lists.thousand())] {
        let took = ledger.last(&name, size, ONE).unwrap_or_default();
        if metric == THOUSAND && took > TOO_LONG_MS {
            return Err(Trouble::Missing("one takes long enough".into()));
        }
        let before = one.site.arrived()?;
        let (effort, sent) = while_sending(one, &change)?;
        let arrived = one.site.arrived()? - before;
        ledger.figure(&name, size, metric, milliseconds(effort.wall));
        if metric == THOUSAND && one.way.blocks() {
            #[expect(clippy::cast_precision_loss, reason = "packets of seconds")]
            let [arrived, sent] = [arrived as f64, sent as f64];
            ledger.figure(&name, size, LEAKED, arrived);
            ledger.figure(&name, size, SENT, sent);
        }
    }
    Ok(())
}

fn while_sending(one: &Loaded<'_>, change: &Change<'_>) -> Result<(Effort, u64), Trouble> {
    let (over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                one.hits.fire(16);
                sent.fetch_add(16, Ordering::Relaxed);
                // On one processor, whoever changes the list must come to work as well.
                thread::yield_now();
            }
        });
        let effort =
            catch_unwind(AssertUnwindSafe(|| one.site.run(|| one.way.change(&one.site, change))));
        over.store(true, Ordering::Relaxed);
        effort.unwrap_or_else(|_| Err(Trouble::Broken("it panicked".into())))
    })
    .map(|effort| (effort, sent.load(Ordering::Relaxed)))
}
