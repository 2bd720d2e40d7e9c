//! Which benchmarks the suite has, what each asks, and what of it is drawn.

use clap::ValueEnum;

use super::{Page, Plot, Task};
use crate::Failure;
use crate::bench::{audit, delta, drop, feeds, layout, load, memory, probe, release, scale};

/// A benchmark of the suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::bench) enum Name {
    /// A list into the kernel where there was none
    Load,
    /// From a file dropped to its list swapped in
    Drop,
    /// A few changes in many members
    Delta,
    /// What packets and others wait while all members are replaced
    Release,
    /// The daemon at rest, and a set that somebody flushes
    Probe,
    /// Comparing every member with the kernel
    Audit,
    /// What the prefix lengths of a set cost a packet
    Layout,
    /// Reading feeds
    Feeds,
    /// Memory at rest and while updating
    Memory,
    /// Many feeds and many lists
    Scale,
}

impl Name {
    /// All of them, in the order in which they are run.
    pub(in crate::bench) const ALL: &[Self] = &[
        Self::Load,
        Self::Drop,
        Self::Delta,
        Self::Release,
        Self::Probe,
        Self::Audit,
        Self::Layout,
        Self::Feeds,
        Self::Memory,
        Self::Scale,
    ];

    /// As it is written.
    pub(in crate::bench) fn word(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Drop => "drop",
            Self::Delta => "delta",
            Self::Release => "release",
            Self::Probe => "probe",
            Self::Audit => "audit",
            Self::Layout => "layout",
            Self::Feeds => "feeds",
            Self::Memory => "memory",
            Self::Scale => "scale",
        }
    }

    /// What it asks.
    pub(super) fn question(self) -> &'static str {
        match self {
            Self::Load => "how long until a list is in the kernel where there was none?",
            Self::Drop => "how long from a file that is dropped until its list is swapped in?",
            Self::Delta => "what does a small change of a large list cost?",
            Self::Release => "how long do packets and others wait while all members are replaced?",
            Self::Probe => "what does the daemon do at rest, and how soon does it repair a set?",
            Self::Audit => "how long does it take to compare every member with the kernel?",
            Self::Layout => "what do the prefix lengths of a set cost a packet?",
            Self::Feeds => "how fast are feeds read?",
            Self::Memory => "how much memory does it take, at rest and while updating?",
            Self::Scale => "what do many feeds and many lists cost?",
        }
    }

    /// What is drawn, if anything is over sizes.
    pub(super) fn plot(self) -> Option<Plot> {
        match self {
            Self::Load => Some(load::PLOT),
            Self::Drop => Some(drop::PLOT),
            Self::Delta => Some(delta::PLOT),
            Self::Release => Some(release::PLOT),
            Self::Probe => Some(probe::PLOT),
            Self::Audit => Some(audit::PLOT),
            Self::Layout => Some(layout::PLOT),
            // Lines of text tell it.
            Self::Feeds => None,
            Self::Memory => Some(memory::PLOT),
            Self::Scale => Some(scale::PLOT),
        }
    }

    /// Measures, in a place apart.
    pub(super) fn measure(self, task: &Task, page: &mut Page) -> Result<(), Failure> {
        match self {
            Self::Load => load::measure(task, page),
            Self::Drop => drop::measure(task, page),
            Self::Delta => delta::measure(task, page),
            Self::Release => release::measure(task, page),
            Self::Probe => probe::measure(task, page),
            Self::Audit => audit::measure(task, page),
            Self::Layout => layout::measure(task, page),
            Self::Feeds => feeds::measure(task, page),
            Self::Memory => memory::measure(task, page),
            Self::Scale => scale::measure(task, page),
        }
    }

    /// Says which promises are kept.
    pub(super) fn judge(self, task: &Task, page: &mut Page) {
        match self {
            Self::Load => load::judge(task, page),
            Self::Drop => drop::judge(task, page),
            Self::Delta => delta::judge(task, page),
            Self::Release => release::judge(task, page),
            Self::Probe => probe::judge(task, page),
            Self::Audit => audit::judge(task, page),
            Self::Layout => layout::judge(task, page),
            // It says so itself.
            Self::Feeds => {}
            Self::Memory => memory::judge(task, page),
            Self::Scale => scale::judge(task, page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_is_in_the_suite_under_the_name_that_is_asked_for() {
        assert_eq!(Name::ALL, Name::value_variants());
        for name in Name::ALL {
            let value = name.to_possible_value().expect("none is hidden");
            assert_eq!(value.get_name(), name.word());
        }
    }
}
