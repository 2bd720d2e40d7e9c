//! Lifetimes that end are told as that, and not as a change of list, set and
//! kernel each: there may be one every second.

use reconcile::{ObjectOutcome, Route};

use super::Keeper;
use crate::Report;

impl Keeper {
    /// What somebody else has done to a set is news, and so is its repair.
    pub(super) fn notice_others(&mut self) {
        if self.reports.iter().any(|report| matches!(report, Report::Drifted(_))) {
            self.only_ends = false;
            for state in self.lists.values_mut() {
                state.news.only_ends = false;
            }
        }
    }

    /// Tells what was carried out for ended lifetimes only as that.
    pub(super) fn tell_ends(&mut self) {
        for report in std::mem::take(&mut self.reports) {
            match report {
                Report::Applied(outcome) => {
                    let list = self.lets_go(&outcome);
                    self.only_ends &= list.is_some();
                    self.reports.push(match list {
                        Some(list) => Report::Ended { list, outcome },
                        None => Report::Applied(outcome),
                    });
                }
                Report::InSync if self.only_ends => {}
                report => self.reports.push(report),
            }
        }
        self.only_ends |= self.kernel.in_sync();
    }

    /// The list whose set was changed because lifetimes have ended, and for
    /// nothing else.
    fn lets_go(&self, outcome: &ObjectOutcome) -> Option<String> {
        let set = outcome.object.set()?;
        let list = self.lists.values().find(|state| self.sets_of(state).any(|own| own == *set))?;
        let small = outcome.route == Route::InPlace && outcome.added == 0;
        let ends = small && outcome.result.is_ok() && list.news.only_ends;
        ends.then(|| list.name().to_owned())
    }
}
