//! Many feeds and many lists, with the same members in all: one feed of them or a thousand,
//! one list or a thousand of them. Nothing may grow with the square of their number.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;

use super::rules::rests_within;
use super::suite::{Goal, Input, Kind, Page, Plot, Task, Took, ms, pass, watched};
use crate::Failure;
use crate::measure::tool::Trouble;

/// Of what is drawn.
pub(super) const PLOT: Plot = Plot {
    title: "Start until in sync, the same members in so many feeds and lists",
    metric: "start to in sync, ms of the processor",
    unit: "ms of the processor",
    over: "feeds or lists",
};

const FEEDS: &str = "denyset, feeds of one list";
const LISTS: &str = "denyset, lists of one feed each";
const START: &str = "start to in sync";
const CHANGE: &str = "change of one feed to done";
const MEMORY: &str = "memory at rest, MiB";
const SHARE: &str = "at rest, share of a core, %";

/// Who takes longer to start is not waited for.
const START_WITHIN: Duration = Duration::from_secs(180);
/// Nor who does not come to rest.
const REST_WITHIN: Duration = Duration::from_secs(30);

/// How many there are of them; of lists eight are sixteen sets.
const COUNTS: [usize; 6] = [1, 8, 10, 100, 400, 1_000];
const QUICK: [usize; 3] = [1, 8, 40];

fn counts(quick: bool) -> &'static [usize] {
    if quick { &QUICK } else { &COUNTS }
}

/// Measures feeds, then lists.
pub(super) fn measure(task: &Task, page: &mut Page) -> Result<(), Failure> {
    for round in 0..task.rounds.min(3) {
        for &count in counts(task.quick) {
            for variant in [FEEDS, LISTS] {
                println!("  round {}: {count}, {variant}", round + 1);
                let run = Many { task, variant, count };
                isolated(|| run.measure(page).map_err(|failure| failure.to_string()))?;
            }
        }
    }
    Ok(())
}

/// So many of one kind.
struct Many<'a> {
    task: &'a Task,
    variant: &'static str,
    count: usize,
}

impl Many<'_> {
    fn measure(&self, page: &mut Page) -> Result<(), Failure> {
        let host = Host::with(&self.config());
        let each = self.task.members / self.count;
        let inputs: Vec<_> =
            (0..self.count).map(|at| Input::new(Kind::HostsV4, each, 1 + at as u64)).collect();
        for (at, input) in inputs.iter().enumerate() {
            host.feed(&format!("feed-{at}"), input.feed());
        }
        pass(watched::QUIET);
        let begun = Instant::now();
        let daemon = Daemon::spawn(&host);
        let ready = daemon.log().wait(0, &["ready: in sync"], begun + START_WITHIN);
        let took = Took { wall: begun.elapsed(), cpu: super::worked(daemon.pid())? };
        if ready.is_none() {
            let why = format!("not in sync after {} s", START_WITHIN.as_secs());
            page.tried(self.variant, self.count, START, Err(Trouble::Broken(why)));
            return Ok(());
        }
        page.took(self.variant, self.count, START, took);
        rests_within(&daemon, REST_WITHIN);
        self.change(&host, &daemon, &inputs[0], page)?;
        if !rests_within(&daemon, REST_WITHIN) {
            page.note(format!("{}: {} do not come to rest.", self.variant, self.count));
        }
        #[expect(clippy::cast_precision_loss, reason = "gigabytes")]
        page.figure(self.variant, self.count, MEMORY, daemon.memory_kib() as f64 / 1024.0);
        let (begun, worked) = (Instant::now(), super::worked(daemon.pid())?);
        pass(Duration::from_secs(2));
        let worked = super::worked(daemon.pid())?.saturating_sub(worked);
        page.figure(self.variant, self.count, SHARE, ms(worked) / ms(begun.elapsed()) * 100.0);
        daemon.stop();
        Ok(())
    }

    /// Ten members of the first feed are others.
    fn change(
        &self,
        host: &Host,
        daemon: &Daemon<'_>,
        input: &Input,
        page: &mut Page,
    ) -> Result<(), Failure> {
        let [_, stay] = input.split(10);
        let come = Input::new(Kind::HostsV4, 10, 100_000);
        let ready = host.path("ready");
        fs::write(&ready, stay.with(&come).feed())?;
        let lines = daemon.log().len();
        let (begun, worked) = (Instant::now(), super::worked(daemon.pid())?);
        fs::rename(&ready, host.feeds().join("feed-0"))?;
        daemon.wait_logged_since(lines, &["was changed by"]);
        let wall = begun.elapsed().saturating_sub(watched::SETTLE);
        let cpu = super::worked(daemon.pid())?.saturating_sub(worked);
        page.took(self.variant, self.count, CHANGE, Took { wall, cpu });
        Ok(())
    }

    fn config(&self) -> Config {
        let config = watched::config("");
        if self.variant == FEEDS {
            return config;
        }
        let mut tables = String::new();
        for at in 0..self.count {
            // A string takes any text.
            let _ = writeln!(tables, "[[list]]\nname = \"l{at}\"\nfeeds = [\"feed-{at}\"]");
        }
        Config { tables, ..config }
    }
}

/// What is promised: what many cost more than one grows with their number and no faster.
/// Time of the processor is compared, as a small part of a short time is told.
pub(super) fn judge(task: &Task, page: &mut Page) {
    let (some, many) = if task.quick { (8, 40) } else { (100, 1_000) };
    for variant in [FEEDS, LISTS] {
        for what in [START, CHANGE] {
            let middle =
                |count| page.middle(variant, count, &format!("{what}, ms of the processor"));
            let more = |count: usize| Some((middle(count)? - middle(1)?).max(1.0));
            #[expect(clippy::cast_precision_loss, reason = "a thousand")]
            let times = more(many)
                .zip(more(some))
                .map(|(many_more, some_more)| many_more / some_more / (many as f64 / some as f64));
            let what =
                format!("times what {some} cost more than one, each of {many}: {variant}, {what}");
            page.goal(Goal::at_most(&what, times, 2.0));
        }
    }
}
