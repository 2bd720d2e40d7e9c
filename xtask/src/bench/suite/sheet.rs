//! How pages are kept: each as Markdown, as a plot and as JSON with every round, and one
//! index of all that was measured, made of the latter.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::page::Clock;
use super::{Name, Page};
use crate::Failure;
use crate::measure::ledger::Record;
use crate::measure::machine::{Machine, Ticks};
use crate::measure::plot::{Frame, Over, draw};

/// Where others work more than this, the clock says little.
const BUSY_PERCENT: f64 = 8.0;

/// One benchmark's run.
pub(super) struct Run {
    began: Instant,
    ticks: Ticks,
    sheet: Sheet,
}

/// What is kept of it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sheet {
    name: String,
    command: String,
    rounds: usize,
    seconds: u64,
    /// How much of the processors others had meanwhile.
    others_percent: f64,
    /// The load average of a minute when it began, and when it ended.
    load: [String; 2],
    judged_by: String,
    machine: Machine,
    goals: Vec<String>,
    kept: usize,
    missed: usize,
    records: Vec<Record>,
}

impl Run {
    /// It begins now.
    pub(super) fn begun(name: &str, rounds: usize) -> Self {
        let words: Vec<_> = env::args().skip(1).collect();
        let sheet = Sheet {
            name: name.to_owned(),
            command: format!("cargo xtask {}", words.join(" ")),
            rounds,
            seconds: 0,
            others_percent: 0.0,
            load: [load(), String::new()],
            judged_by: String::new(),
            machine: Machine::here(),
            goals: Vec::new(),
            kept: 0,
            missed: 0,
            records: Vec::new(),
        };
        Self { began: Instant::now(), ticks: Ticks::now(), sheet }
    }

    /// It ends now.
    pub(super) fn ends(&mut self) {
        self.sheet.seconds = self.began.elapsed().as_secs();
        self.sheet.others_percent = self.ticks.others_since();
        self.sheet.load[1] = load();
        self.clock().word().clone_into(&mut self.sheet.judged_by);
    }

    /// By which time it can be judged.
    pub(super) fn clock(&self) -> Clock {
        let busy = self.sheet.others_percent > BUSY_PERCENT;
        if busy { Clock::Processor } else { Clock::Wall }
    }

    /// Writes all of it.
    pub(super) fn write(mut self, name: Name, page: &Page, place: &Path) -> Result<(), Failure> {
        let sheet = &mut self.sheet;
        sheet.goals = page.goals().iter().map(ToString::to_string).collect();
        let so = |kept| page.goals().iter().filter(|goal| goal.is_kept() == Some(kept)).count();
        (sheet.kept, sheet.missed) = (so(true), so(false));
        sheet.records = page.records().to_vec();
        let word = name.word();
        let mut text = format!("# {word}: {}\n\n{}\n\n", name.question(), sheet.told());
        if let Some(plot) = name.plot() {
            let file = format!("{word}.svg");
            let over = Over::Logarithmic(plot.over);
            let frame = Frame { title: plot.title, unit: plot.unit, over };
            let lines = page.lines(plot.metric);
            draw(&place.join(&file), frame, &lines)?;
            if !lines.is_empty() {
                let _ = writeln!(text, "![{}]({file})\n", plot.title);
            }
        }
        let body = page.body();
        println!("\n{body}");
        text.push_str(&body);
        text.push_str(METHOD);
        fs::write(place.join(format!("{word}.md")), text)?;
        fs::write(place.join(format!("{word}.json")), serde_json::to_vec_pretty(&sheet)?)?;
        Ok(())
    }
}

const METHOD: &str = "\
Figures are medians of the rounds with the least and the most; all ways are measured in turns, round by round,
and ratios, `10x`, are made within a round, to the first row, before their median is taken. Files are in memory.
Every round is in the JSON beside this page.
";

impl Sheet {
    /// What it is of, in a line.
    fn told(&self) -> String {
        let machine = &self.machine;
        let guest = if machine.is_guest { ", a virtual machine" } else { "" };
        format!(
            "*{}, Linux {}, {} x {}{guest}. `{}`, {} rounds, {} s. Others, threads of the kernel included, had \
             {:.0} % of the processors; load {} to {}. Promises are judged by {}.*",
            machine.day,
            machine.kernel,
            machine.processors,
            machine.model,
            self.command,
            self.rounds,
            self.seconds,
            self.others_percent,
            self.load[0],
            self.load[1],
            self.judged_by
        )
    }
}

/// Writes the index of all that was measured, also by earlier runs.
pub(super) fn write_index(place: &Path) -> Result<(), Failure> {
    let mut text = "# What was measured\n\n".to_owned();
    for name in Name::ALL {
        let file = place.join(format!("{}.json", name.word()));
        let Ok(bytes) = fs::read(file) else {
            let _ = writeln!(text, "## {}\n\nNot run.\n", name.word());
            continue;
        };
        let sheet: Sheet = serde_json::from_slice(&bytes)?;
        let (word, told, kept, missed) = (name.word(), sheet.told(), sheet.kept, sheet.missed);
        let _ = writeln!(text, "## [{word}]({word}.md): {}\n\n{told}\n", name.question());
        let unknown = sheet.goals.len() - kept - missed;
        let _ = writeln!(text, "{kept} promises kept, {missed} missed, {unknown} not measured.\n");
        for goal in sheet.goals {
            let _ = writeln!(text, "* {goal}");
        }
        text.push('\n');
    }
    Ok(fs::write(place.join("REPORT.md"), text)?)
}

/// The load average of a minute.
fn load() -> String {
    let told = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    told.split(' ').next().unwrap_or_default().to_owned()
}
