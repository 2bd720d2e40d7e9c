//! The page of one benchmark: figures, promises and remarks, and its tables. What took
//! time is there twice, by the clock and of the processor, and promises are judged by
//! whichever of these the machine allows.

use std::fmt::Write as _;

use super::took::ms;
use super::{Goal, Took};
use crate::measure::ledger::{self, Finding, Ledger, Record};
use crate::measure::markdown::{cell, markdown};
use crate::measure::plot::{Line, label};
use crate::measure::statistics::{Spread, short};
use crate::measure::tool::Trouble;

/// By which time promises are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bench) enum Clock {
    /// That on the wall: the machine was idle but for what was measured.
    #[default]
    Wall,
    /// The processor's.
    Processor,
}

impl Clock {
    /// The name of what was looked at, with its unit.
    fn metric(self, what: &str) -> String {
        match self {
            Self::Wall => format!("{what}, ms"),
            Self::Processor => format!("{what}, ms of the processor"),
        }
    }

    /// In words.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Wall => "the clock",
            Self::Processor => "time of the processor",
        }
    }
}

/// What of a page is drawn.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Plot {
    pub(in crate::bench) title: &'static str,
    /// What was looked at, with its unit.
    pub(in crate::bench) metric: &'static str,
    pub(in crate::bench) unit: &'static str,
    /// What sizes are of.
    pub(in crate::bench) over: &'static str,
}

/// One benchmark's.
#[derive(Debug, Default)]
pub(in crate::bench) struct Page {
    ledger: Ledger,
    clock: Clock,
    goals: Vec<Goal>,
    notes: Vec<String>,
}

impl Page {
    /// One more figure, in its next round.
    pub(in crate::bench) fn figure(&mut self, variant: &str, size: usize, metric: &str, it: f64) {
        self.ledger.figure(variant, size as u64, metric, it);
    }

    /// What something took in its next round.
    pub(in crate::bench) fn took(&mut self, variant: &str, size: usize, what: &str, took: Took) {
        self.figure(variant, size, &Clock::Wall.metric(what), ms(took.wall));
        self.figure(variant, size, &Clock::Processor.metric(what), ms(took.cpu));
    }

    /// The same of what may not have worked, or not be there.
    pub(in crate::bench) fn tried(
        &mut self,
        variant: &str,
        size: usize,
        what: &str,
        tried: Result<Took, Trouble>,
    ) {
        let finding = match tried {
            Ok(took) => return self.took(variant, size, what, took),
            Err(Trouble::Missing(why)) => Finding::NotRun(why),
            Err(Trouble::Broken(why)) => Finding::Broke(why),
        };
        self.put(variant, size, &Clock::Wall.metric(what), finding);
    }

    /// Something that is no figure.
    pub(in crate::bench) fn put(
        &mut self,
        variant: &str,
        size: usize,
        metric: &str,
        finding: Finding,
    ) {
        let known = ledger::find(self.records(), variant, size as u64, metric);
        match &finding {
            // Each round would say it again.
            _ if known == Some(&finding) => {}
            Finding::NotRun(why) => println!("  not run: {variant}, {metric}: {why}"),
            Finding::Broke(why) => println!("  broke: {variant}, {metric}: {why}"),
            _ => {}
        }
        self.ledger.put(variant, size as u64, metric, finding);
    }

    /// A remark.
    pub(in crate::bench) fn note(&mut self, note: String) {
        println!("  {note}");
        self.notes.push(note);
    }

    /// A promise.
    pub(in crate::bench) fn goal(&mut self, goal: Goal) {
        println!("  {goal}");
        self.goals.push(goal);
    }

    /// By which time what took time is judged from here on.
    pub(super) fn judged_by(&mut self, clock: Clock) {
        self.clock = clock;
    }

    /// The promises.
    pub(super) fn goals(&self) -> &[Goal] {
        &self.goals
    }

    /// All that was found.
    pub(super) fn records(&self) -> &[Record] {
        self.ledger.records()
    }
}

/// What promises are made of.
impl Page {
    /// The rounds of a figure.
    pub(in crate::bench) fn rounds(&self, variant: &str, size: usize, metric: &str) -> &[f64] {
        ledger::rounds(self.records(), variant, size as u64, metric).unwrap_or_default()
    }

    /// The median of a figure.
    pub(in crate::bench) fn middle(&self, variant: &str, size: usize, metric: &str) -> Option<f64> {
        Some(Spread::of(self.rounds(variant, size, metric))?.middle)
    }

    /// The rounds of what took time, by the clock that counts.
    pub(in crate::bench) fn times(&self, variant: &str, size: usize, what: &str) -> &[f64] {
        self.rounds(variant, size, &self.clock.metric(what))
    }

    /// How many times as long `slow` takes as `fast`, paired by round.
    pub(in crate::bench) fn ratio(
        &self,
        what: &str,
        size: usize,
        slow: &str,
        fast: &str,
    ) -> Option<f64> {
        let [slow, fast] = [slow, fast].map(|variant| self.times(variant, size, what));
        Some(Spread::of_ratios(slow, fast)?.middle)
    }
}

/// What the page looks like.
impl Page {
    /// Promises, tables and remarks.
    pub(super) fn body(&self) -> String {
        let mut text = String::new();
        for goal in &self.goals {
            let _ = writeln!(text, "* {goal}");
        }
        text.push('\n');
        for metric in ledger::metrics(self.records()) {
            text.push_str(&self.table(metric));
        }
        for note in &self.notes {
            let _ = writeln!(text, "{note}\n");
        }
        text
    }

    /// Who is compared, by size. Ratios are to the first of them, paired by round.
    fn table(&self, metric: &str) -> String {
        let records: Vec<_> =
            self.records().iter().filter(|record| record.metric == metric).cloned().collect();
        let (variants, sizes) = (ledger::variants(&records), ledger::sizes(&records));
        let mut head = vec![metric.to_owned()];
        head.extend(sizes.iter().map(|&size| count(size)));
        let rows: Vec<_> = variants
            .iter()
            .map(|variant| {
                let cells = sizes.iter().map(|&size| {
                    let found = ledger::find(&records, variant, size, metric);
                    let ratio = ratio(&records, [variant, variants[0]], size, metric);
                    format!("{}{ratio}", cell(found))
                });
                std::iter::once((*variant).to_owned()).chain(cells).collect()
            })
            .collect();
        markdown(&head, &rows)
    }

    /// The lines of a plot, the first of them ours.
    pub(super) fn lines(&self, metric: &str) -> Vec<Line> {
        let with = self.records().iter().filter(|record| record.metric == metric);
        let records: Vec<_> = with.cloned().collect();
        let line = |(at, variant): (usize, &&str)| {
            let points = ledger::sizes(&records).into_iter().filter_map(|size| {
                let rounds = ledger::rounds(&records, variant, size, metric)?;
                let middle = Spread::of(rounds)?.middle;
                #[expect(clippy::cast_precision_loss, reason = "ten million")]
                // A logarithmic axis has no place for nothing.
                (middle > 0.0 && size > 0).then_some((size as f64, middle))
            });
            let points = points.collect();
            Line { name: (*variant).to_owned(), points, breaks_at: None, is_ours: at == 0 }
        };
        let lines = ledger::variants(&records).iter().enumerate().map(line).collect::<Vec<_>>();
        lines.into_iter().filter(|line| !line.points.is_empty()).collect()
    }
}

/// How many times as much as another.
fn ratio(records: &[Record], [variant, base]: [&str; 2], size: u64, metric: &str) -> String {
    let rounds = |variant| ledger::rounds(records, variant, size, metric);
    match (rounds(variant), rounds(base)) {
        (Some(own), Some(base_rounds)) if variant != base => Spread::of_ratios(own, base_rounds)
            .map_or(String::new(), |ratio| format!(", {}x", short(ratio.middle))),
        _ => String::new(),
    }
}

/// A size as it is said: 1M.
fn count(size: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "ten million")]
    label(size as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn took(wall: u64, cpu: u64) -> Took {
        let [wall, cpu] = [wall, cpu].map(Duration::from_millis);
        Took { wall, cpu }
    }

    #[test]
    fn a_page_tells_ratios_paired_by_round_and_what_was_not_run() {
        let mut page = Page::default();
        for (ours, theirs) in [(10, 100), (20, 220)] {
            page.took("ours", 1_000, "fill", took(ours, ours));
            page.tried("theirs", 1_000, "fill", Ok(took(theirs, ours)));
        }
        page.tried("other", 1_000, "fill", Err(Trouble::Missing("it is not here".into())));
        let ratio = page.ratio("fill", 1_000, "theirs", "ours").expect("rounds");
        assert!((ratio - 10.5).abs() < 1e-9);
        page.judged_by(Clock::Processor);
        let ratio = page.ratio("fill", 1_000, "theirs", "ours").expect("rounds");
        assert!((ratio - 1.0).abs() < 1e-9);
        page.goal(Goal::at_least("times as fast", Some(ratio), 8.0));
        let body = page.body();
        for line in [
            "* MISSED: 1.00 times as fast, promised is 8.00 at least",
            "| fill, ms | 1k |",
            "| ours | 15.0 [10.0..20.0] |",
            "| theirs | 160 [100..220], 10.5x |",
            "| other | not run: it is not here |",
        ] {
            assert!(body.contains(line), "{line} is not in\n{body}");
        }
        assert_eq!(page.lines("fill, ms").len(), 2);
    }
}
