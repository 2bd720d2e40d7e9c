//! The last 24 hours in a few hundred points, in memory: it begins with the
//! process, and a restart begins it anew. It knows neither clock nor page.

use std::collections::VecDeque;

use figures::StatusDocument;

/// Seconds that one point stands for.
pub(crate) const STEP_SECONDS: u64 = 300;
/// Points of 24 hours.
pub(crate) const POINTS_MAX: usize = 288;

/// What was so at the end of one step. `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Point {
    /// The number of the step: seconds since 1970 through [`STEP_SECONDS`].
    pub(crate) step: u64,
    /// Members of all sets.
    pub(crate) members: Option<u64>,
    /// Packets that all rules have stopped, so far.
    pub(crate) dropped: Option<u64>,
    /// The number of the desired state.
    pub(crate) generation: Option<u64>,
}

/// All points, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(VecDeque<Point>);

impl History {
    /// Notes what is so at a moment, in seconds since 1970. A step keeps what was
    /// last known in it.
    pub(crate) fn note(&mut self, now: u64, status: Option<&StatusDocument>) {
        let step = now / STEP_SECONDS;
        let members = status.map(|status| status.sets.iter().map(|set| set.members).sum());
        let dropped = status.and_then(|status| {
            let counted = status.rules.iter().filter_map(|rule| rule.packets);
            (!status.rules.is_empty()).then(|| counted.sum())
        });
        let generation = status.map(|status| status.generation);
        // The clock may have been set back: what is later than now never was.
        while self.0.back().is_some_and(|last| last.step > step) {
            self.0.pop_back();
        }
        let is_same = self.0.back().is_some_and(|last| last.step == step);
        let same = if is_same { self.0.pop_back() } else { None }.unwrap_or_default();
        self.0.push_back(Point {
            step,
            members: members.or(same.members),
            dropped: dropped.or(same.dropped),
            generation: generation.or(same.generation),
        });
        let oldest = step.saturating_sub(POINTS_MAX as u64 - 1);
        while self.0.front().is_some_and(|first| first.step < oldest) {
            self.0.pop_front();
        }
    }

    /// A value for each step of the last 24 hours, up to and with the last.
    pub(crate) fn values(&self, value: impl Fn(&Point) -> Option<u64>) -> Vec<Option<u64>> {
        let mut values = vec![None; POINTS_MAX];
        let Some(last) = self.0.back() else { return values };
        for point in &self.0 {
            let back = usize::try_from(last.step - point.step).unwrap_or(usize::MAX);
            if let Some(at) = (POINTS_MAX - 1).checked_sub(back) {
                values[at] = value(point);
            }
        }
        values
    }

    /// By how much a value that only grows has grown in each step. One that is
    /// smaller than before has begun anew, from 0.
    pub(crate) fn growth(&self, value: impl Fn(&Point) -> Option<u64>) -> Vec<Option<u64>> {
        let values = self.values(value);
        let grown = values.windows(2).map(|pair| match *pair {
            [Some(before), Some(now)] => Some(now.checked_sub(before).unwrap_or(now)),
            _ => None,
        });
        std::iter::once(None).chain(grown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(members: u64, dropped: u64) -> StatusDocument {
        let text = format!(
            r#"{{"generation": 1, "sets": [{{"members": {members}}}], "rules": [{{"packets": {dropped}}}]}}"#
        );
        StatusDocument::read(text.as_bytes()).expect("a document")
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let mut history = History::default();
        for second in (0..200_000).step_by(10) {
            history.note(second, Some(&status(second, 0)));
        }
        let values = history.values(|point| point.members);
        assert_eq!((values.len(), history.0.len()), (POINTS_MAX, POINTS_MAX));
        assert_eq!(values.last(), Some(&Some(199_990)));
        assert!(values.iter().all(Option::is_some), "{values:?}");
    }

    #[test]
    fn what_is_unknown_stays_so_and_counters_may_begin_anew() {
        let mut history = History::default();
        for (step, dropped) in [(0, Some(5)), (1, Some(7)), (2, None), (4, Some(9)), (5, Some(2))] {
            let status = dropped.map(|dropped| status(1, dropped));
            history.note(step * STEP_SECONDS, status.as_ref());
        }
        let last = |values: Vec<Option<u64>>| values[POINTS_MAX - 6..].to_vec();
        let values = last(history.values(|point| point.dropped));
        assert_eq!(values, [Some(5), Some(7), None, None, Some(9), Some(2)]);
        let growth = last(history.growth(|point| point.dropped));
        assert_eq!(growth, [None, Some(2), None, None, None, Some(2)]);
        // What is unknown now was known a moment ago.
        history.note(5 * STEP_SECONDS + 1, None);
        assert_eq!(last(history.values(|point| point.dropped))[4..], [Some(9), Some(2)]);
        // The clock is set back.
        history.note(STEP_SECONDS, Some(&status(1, 9)));
        assert_eq!(last(history.values(|point| point.dropped))[4..], [Some(5), Some(9)]);
    }
}
