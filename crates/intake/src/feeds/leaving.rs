//! How feeds leave: some time after their files are gone, unless so many are
//! gone that it looks like an accident.

use blocklist::{FeedName, Guard, Refusal};

use super::Intake;
use crate::feed::FeedStage;
use crate::{Now, Order, Refused, SourceReport};

impl Intake {
    /// Withdraws a feed if its time has come.
    pub(super) fn withdraw(&mut self, name: &FeedName, now: Now) {
        let Some(feed) = self.feeds.get(name) else { return };
        let Some(gone) = &feed.gone else { return };
        let busy = matches!(feed.stage, FeedStage::Reading(_) | FeedStage::Keeping(..));
        if busy || gone.leaves > now.monotonic {
            return;
        }
        if self.is_accident() && !gone.accepted && feed.version.is_some() {
            self.refuse_withdrawal(name);
            return;
        }
        self.drop_state(name);
        self.orders.push(Order::Forget(name.clone()));
        self.reports.push(SourceReport::Withdrawn { feed: name.clone() });
        self.changed.insert(name.clone());
    }

    fn refuse_withdrawal(&mut self, name: &FeedName) {
        let refusal = Refusal {
            guard: Guard::Withdrawal,
            expected: "at most half of the feeds to be deleted at once".to_owned(),
            found: format!("{} of {} feeds are gone", self.missing(), self.index.in_force),
        };
        let refusals = vec![refusal];
        let refused = Refused { refusals: refusals.clone(), id: None, connections: Vec::new() };
        self.change(name, |feed| feed.refused = Some(refused));
        self.reports.push(SourceReport::Refused { feed: name.clone(), refusals, in_force: true });
    }

    /// Whether so many feeds are gone that it looks like an accident.
    pub(super) fn is_accident(&self) -> bool {
        let missing = self.missing();
        missing > 1 && missing * 2 > self.index.in_force
    }

    /// How many feeds are gone. One that only has another name is not when it is
    /// in force by that, and no earlier: it may be bad there.
    fn missing(&self) -> usize {
        let gone = self.index.gone.iter().filter_map(|name| self.feeds.get(name)?.gone.as_ref());
        gone.filter(|gone| !gone.accepted).count()
    }

    /// A feed is in force by a new name: it leaves by the old one, which it
    /// would otherwise keep for a while.
    pub(super) fn leave_old_names(&mut self, new: &FeedName, now: Now) {
        let old = self.index.gone.iter().find(|name| {
            let gone = self.feeds.get(*name).and_then(|feed| feed.gone.as_ref());
            gone.is_some_and(|gone| gone.renamed.as_ref() == Some(new))
        });
        let Some(old) = old.cloned() else { return };
        self.change(&old, |feed| {
            if let Some(gone) = &mut feed.gone {
                gone.leaves = now.monotonic;
                gone.accepted = true;
            }
        });
        self.reports.push(SourceReport::Renamed { feed: old, to: new.clone() });
    }
}
