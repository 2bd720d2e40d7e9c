//! A promise, and whether it is kept.

use std::fmt;

/// What is promised of one figure.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::bench) struct Goal {
    what: String,
    found: Option<f64>,
    bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    Most(f64),
    Least(f64),
}

impl Goal {
    /// So much of it at the most; `found` is `None` if it was not measured.
    pub(in crate::bench) fn at_most(what: &str, found: Option<f64>, most: f64) -> Self {
        Self { what: what.to_owned(), found, bound: Bound::Most(most) }
    }

    /// So much of it at least.
    pub(in crate::bench) fn at_least(what: &str, found: Option<f64>, least: f64) -> Self {
        Self { what: what.to_owned(), found, bound: Bound::Least(least) }
    }

    /// Whether it is kept; `None` if nobody knows.
    pub(in crate::bench) fn is_kept(&self) -> Option<bool> {
        let found = self.found.filter(|found| !found.is_nan())?;
        Some(match self.bound {
            Bound::Most(most) => found <= most,
            Bound::Least(least) => found >= least,
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bound, side) = match self.bound {
            Bound::Most(most) => (most, "at the most"),
            Bound::Least(least) => (least, "at least"),
        };
        let what = &self.what;
        match (self.is_kept(), self.found) {
            (Some(kept), Some(found)) => {
                let word = if kept { "kept" } else { "MISSED" };
                write!(out, "{word}: {found:.2} {what}, promised is {bound:.2} {side}")
            }
            _ => write!(out, "not measured: {what}, promised is {bound:.2} {side}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_or_missed_or_nobody_knows() {
        let check = |goal: &Goal, want: &str| assert_eq!(goal.to_string(), want);
        let most = |found| Goal::at_most("times the floor", found, 1.1);
        check(&most(Some(1.05)), "kept: 1.05 times the floor, promised is 1.10 at the most");
        check(&most(Some(1.5)), "MISSED: 1.50 times the floor, promised is 1.10 at the most");
        check(&most(None), "not measured: times the floor, promised is 1.10 at the most");
        let least = Goal::at_least("times as fast", Some(9.0), 8.0);
        check(&least, "kept: 9.00 times as fast, promised is 8.00 at least");
    }
}
