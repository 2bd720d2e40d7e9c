//! The daemon at rest with a large set: what it works and how often it wakes up. And how
//! soon a set blocks again that somebody flushes: the first of its members, and all, as
//! far as a sample of them tells that is asked for each millisecond.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lab::daemon::{Daemon, PATIENCE};
use lab::generate::RandomNumbers;
use lab::host::Host;
use lab::moments::Moments;
use lab::namespace::isolated;
use netfilter::Netfilter;
use reconcile::{Chunk, Kernel as _, Observe as _, Op, SetName, SetPrefix};

use super::rules::rests;
use super::suite::watched::Thread;
use super::suite::{Goal, Input, Kind, OURS, Page, Plot, Session, Task, ms, watched};
use crate::Failure;

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "From a flush by others until members block again",
    metric: "from a flush, ms",
    unit: "ms",
    over: "members",
};

const SHARE: &str = "at rest, share of a core, %";
const WAKES: &str = "at rest, times that a thread goes to sleep, a second";
const FLUSH: &str = "from a flush, ms";
const FIRST: &str = "denyset, until the first member blocks again";
const ALL: &str = "denyset, until all members do";
const BETWEEN: &str = "denyset, from the first to all";
const FILL: &str = "one fill of such a set, in this process";

/// Members that are asked for: one send of ours.
const SAMPLE: usize = 200;
/// Once the first is back, so many at a time until all of them are: whoever fills the set
/// waits for each of our questions.
const PART: usize = 20;
/// How far looks at them are apart.
const STEP: Duration = Duration::from_millis(1);

/// Measures small and large.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    for size in [task.members / 10, task.members] {
        println!("  {size} members");
        isolated(|| watch(task, size, page).map_err(|failure| failure.to_string()))?;
    }
    Ok(())
}

fn watch(task: &Task, size: usize, page: &mut Page) -> Result<(), Failure> {
    let host = Host::with(&watched::config("[[rule]]\nlist = \"drop\"\n"));
    let input = Input::new(Kind::HostsV4, size, 1);
    host.feed("list.txt", input.feed());
    let daemon = Daemon::start(&host);
    let set = SetPrefix::new("denyset-")?.live("drop", input.kind().family())?;
    daemon.until_members(set.as_str(), input.members().len());
    rests(&daemon);
    let mut random = RandomNumbers::fixed(size as u64);
    let while_at_rest = Duration::from_secs(if task.quick { 2 } else { 10 });
    for _ in 0..task.rounds_of(size) {
        at_rest(&daemon, while_at_rest, size, page)?;
        // So that it does not always come at the same moment between two looks.
        super::suite::pass(Duration::from_millis(random.below(1_000)));
        let [first, all] = flushed(&set, &input)?;
        page.figure(FIRST, size, FLUSH, ms(first));
        page.figure(ALL, size, FLUSH, ms(all));
        page.figure(BETWEEN, size, FLUSH, ms(all) - ms(first));
        daemon.until_members(set.as_str(), input.members().len());
        rests(&daemon);
        let fill = isolated(|| fill(&input).map_err(|failure| failure.to_string()))?;
        page.figure(FILL, size, FLUSH, fill);
    }
    daemon.stop();
    Ok(())
}

/// What it does while nobody wants anything.
fn at_rest(
    daemon: &Daemon<'_>,
    time: Duration,
    size: usize,
    page: &mut Page,
) -> Result<(), Failure> {
    let (begun, before) = (Instant::now(), watched::threads(daemon)?);
    super::suite::pass(time);
    let passed = begun.elapsed().as_secs_f64();
    let (mut all, mut times) = (Duration::ZERO, BTreeMap::<_, u64>::new());
    for (number, Thread { name, sleeps, worked }) in watched::threads(daemon)? {
        let before = before.get(&number);
        all += worked.saturating_sub(before.map_or(Duration::ZERO, |before| before.worked));
        let slept = before.map_or(0, |before| before.sleeps);
        *times.entry(name).or_default() += sleeps.saturating_sub(slept);
    }
    page.figure(OURS, size, SHARE, all.as_secs_f64() / passed * 100.0);
    for (thread, times) in times {
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let times = times as f64;
        page.figure(&format!("denyset, its thread {thread}"), size, WAKES, times / passed);
    }
    Ok(())
}

/// Flushes a set, and tells after how long the first member of a sample is back, and all.
fn flushed(set: &SetName, input: &Input) -> Result<[Duration; 2], Failure> {
    let [sample, _] = input.split(SAMPLE);
    let members = sample.members().clone();
    let count = members.len();
    let part = |places| Chunk::new(members.clone(), places).ok_or("the sample is too large");
    let sample = part(0..count)?;
    let mut left = Vec::new();
    for start in (0..count).step_by(PART) {
        left.push(part(start..count.min(start + PART))?);
    }
    let mut kernel = Netfilter::open()?;
    let begun = Instant::now();
    kernel.execute(&Op::Flush(set.clone()))?;
    let (mut first, mut pace) = (None, Moments::of(STEP));
    while begun.elapsed() < PATIENCE {
        let Some(first) = first else {
            let is_back = kernel.absent(set, &sample)? < count;
            first = is_back.then(|| begun.elapsed());
            pace.wait();
            continue;
        };
        // What was back stays, and need not be asked for again.
        while let Some(part) = left.last()
            && kernel.absent(set, part)? == 0
        {
            left.pop();
        }
        if left.is_empty() {
            return Ok([first, begun.elapsed()]);
        }
        pace.wait();
    }
    Err("a flushed set is not filled again".into())
}

/// One fill, in milliseconds.
fn fill(input: &Input) -> Result<f64, Failure> {
    let mut session = Session::open()?;
    let brought = session.bring(input.members())?;
    session.clear()?;
    Ok(ms(brought.written.wall))
}

/// What is promised.
pub(super) fn judge(task: &Task, page: &mut Page) {
    let size = task.members;
    let share = page.middle(OURS, size, SHARE);
    page.goal(Goal::at_most("% of a core at rest", share, 0.1));
    let first = page.rounds(FIRST, size, FLUSH).iter().copied().reduce(f64::max);
    page.goal(Goal::at_most("ms until a flushed set blocks again, longest", first, 1_200.0));
    let [between, fill] = [BETWEEN, FILL].map(|variant| page.rounds(variant, size, FLUSH));
    let ratio = crate::measure::statistics::Spread::of_ratios(between, fill);
    let what = "times one fill, from the first member back to all";
    page.goal(Goal::at_most(what, ratio.map(|ratio| ratio.middle), 1.0));
    page.note(
        "A flush is counted from its begin, and takes a part of this itself. The daemon is watched by \
         a service manager that wants to hear of it every two seconds."
            .into(),
    );
}
