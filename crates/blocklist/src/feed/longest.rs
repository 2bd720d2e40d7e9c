//! Tables in which an address belongs to the longest prefix that holds it, and of
//! whose rows only some are asked for: what a longer one says is not what a shorter
//! one around it says. Knows no formats.

use std::ops::ControlFlow;

use super::disjoint::Both;
use super::precedence::MostSpecific;
use super::visit::{Line, Visit};
use crate::AnyRange;

/// The rows of a table, as far as it matters which of them are asked for.
#[derive(Default)]
pub(super) struct LongestMatch<'a> {
    taken: Vec<AnyRange>,
    left_out: Vec<(AnyRange, Line<'a>)>,
}

impl<'a> LongestMatch<'a> {
    /// A row that is asked for, and told as an entry.
    pub(super) fn take(&mut self, range: AnyRange) {
        self.taken.push(range);
    }

    /// A row that belongs to somebody else.
    pub(super) fn leave_out(&mut self, range: AnyRange, line: Line<'a>) {
        self.left_out.push((range, line));
    }

    /// Tells what of the rows that were taken belongs to somebody else, as
    /// exceptions. Of one prefix in several rows all have to be asked for.
    pub(super) fn finish(self, visit: &mut impl Visit) -> ControlFlow<()> {
        let mut all = Both::new();
        self.taken.iter().for_each(|&range| all.insert(range));
        let mut inside = self.left_out;
        inside.retain(|&(range, _)| all.outside(range).is_empty());
        if inside.is_empty() {
            return ControlFlow::Continue(());
        }
        let mut members = MostSpecific::default();
        self.taken.into_iter().for_each(|range| members.block(0, range));
        for (range, line) in inside {
            members.pass(0, range, line);
        }
        members.finish(visit)
    }
}
