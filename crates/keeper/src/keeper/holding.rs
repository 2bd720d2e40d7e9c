//! Which lists are held, because less is known than when their members were
//! put in, and what ends it.

use std::time::Duration;

use blocklist::{FeedName, List, Role};
use intake::{Makeup, NotAcceptable, Now, Ticket};
use reconcile::{Gate, Hold};

use super::Keeper;
use crate::lists::{Grounds, ListDoubt, ListState};
use crate::proposal::{is_too_much, lost_exception};
use crate::{Action, Held, HoldReason, Report, WishOutcome};

impl Keeper {
    /// Finds out which lists are held, and tells of it.
    pub(super) fn hold(&mut self, now: Now) {
        if self.gate == Gate::Open {
            self.doubt_at_start(now);
            self.settle_doubts(now);
        }
        let names: Vec<_> = self.lists.keys().cloned().collect();
        for name in names {
            let Some(state) = self.lists.get(&name) else { continue };
            let held = self.how_held(state);
            let before = state.held.clone();
            let Some(state) = self.lists.get_mut(&name) else { continue };
            if before == held {
                continue;
            }
            state.held.clone_from(&held);
            self.kernel.want_plan();
            match held {
                Some(held) if !held.why.is_worth_telling() => {}
                Some(held) => {
                    state.told = true;
                    self.reports.push(Report::ListHeld { list: name, held });
                }
                None if std::mem::take(&mut state.told) => {
                    self.reports.push(Report::ListFree { list: name });
                }
                None => {}
            }
        }
    }

    /// How a list is held and why, the strongest reason first.
    fn how_held(&self, state: &ListState) -> Option<Held> {
        let list = &state.rules.list;
        let frozen = |why| Some(Held { hold: Hold::Frozen, why });
        let add_only = |why| Some(Held { hold: Hold::AddOnly, why });
        let forgotten = matches!(state.doubt, Some(ListDoubt::Forgotten(_)));
        let mut unproven = None;
        for (name, feed) in self.intake.unproven() {
            match list.role(name) {
                Role::Allow => return frozen(HoldReason::UnprovenException(name.clone())),
                Role::Deny if feed.loss.is_some() || forgotten => {
                    unproven = unproven.or_else(|| add_only(HoldReason::Unproven(name.clone())));
                }
                _ => {}
            }
        }
        if let Some(ListDoubt::NoException(glob)) = &state.doubt {
            return frozen(HoldReason::NoException(glob.clone()));
        }
        if let Some(refused) = &state.clearance.refused {
            return Some(Held::of_shut_out(&refused.slips));
        }
        // What it names must not be blocked for the time that it takes to read.
        let mut awaited = self.intake.awaited_exceptions();
        if let Some(name) = awaited.find(|name| list.role(name) == Role::Allow) {
            return frozen(HoldReason::UnreadException(name.clone()));
        }
        if unproven.is_some() {
            return unproven;
        }
        if self.gate == Gate::AddOnly || !state.whole {
            return add_only(HoldReason::Unread);
        }
        let (had, gone) = self.withheld(state);
        match state.doubt {
            Some(ListDoubt::Forgotten(_)) => add_only(HoldReason::Forgotten { had, lost: gone }),
            Some(ListDoubt::TakenOut) => add_only(HoldReason::TakenOut { had, lost: gone }),
            Some(ListDoubt::NoException(_)) | None => None,
        }
    }

    /// What the kernel's sets of a list hold that would go, and how much that
    /// is out of.
    fn withheld(&self, state: &ListState) -> (u64, u64) {
        let counts = self.sets_of(state).filter_map(|set| self.kernel.withheld(&set));
        counts.fold((0, 0), |(had, lost), (more_had, more_lost)| (had + more_had, lost + more_lost))
    }

    /// With the first complete picture: what the state directory remembers is
    /// held against what the configuration says.
    fn doubt_at_start(&mut self, now: Now) {
        let until = self.start + self.settings.rules.withdraw;
        let Self { lists, intake, settings, meant, .. } = self;
        let rules = &settings.rules;
        for (name, state) in lists {
            if state.judged || state.targets.is_none() {
                continue;
            }
            state.judged = true;
            let remembered = intake.remembered().get(name);
            let taken_out = |makeup: &Makeup| {
                let denies =
                    |feed| !rules.ignores(feed) && state.rules.list.role(feed) == Role::Deny;
                let ages = |feed| {
                    let dropped_after = makeup.drops.get(feed).copied();
                    let state = intake.feeds().get(feed);
                    state.is_some_and(|feed| feed.is_dropped_unlike(dropped_after, now.wall))
                };
                !makeup.deny.iter().all(denies) || makeup.deny.iter().any(ages)
            };
            let known = &mut intake.feeds().keys();
            state.doubt = match remembered {
                _ if intake.was_blank() => Some(ListDoubt::Forgotten(until)),
                // There may be sets of its name all the same.
                None => Some(ListDoubt::Forgotten(until)),
                Some(makeup) => {
                    let exception = lost_exception(rules, &state.rules, &makeup.allow, known);
                    let forgotten = makeup.doubt.then_some(ListDoubt::Forgotten(until));
                    let taken_out = taken_out(makeup).then_some(ListDoubt::TakenOut);
                    let slip = exception.map(ListDoubt::NoException).filter(|_| !*meant);
                    slip.or(forgotten).or(taken_out.filter(|_| !*meant))
                }
            };
            if state.doubt.is_none() {
                state.is_trusted();
            }
        }
    }

    /// A doubt ends when nothing would be lost with it, or not too much.
    fn settle_doubts(&mut self, now: Now) {
        if !self.kernel.is_planned() || !self.lists_at_rest() {
            return;
        }
        let mut settled = Vec::new();
        for (name, state) in &self.lists {
            if !self.sets_of(state).all(|set| self.kernel.is_counted(&set)) {
                continue;
            }
            let (had, lost) = self.withheld(state);
            let percent = self.settings.rules.shrink_percent_of(&state.rules);
            let forgotten = |feed: &FeedName| state.rules.list.role(feed) == Role::Deny;
            let unproven = self.intake.unproven().any(|(feed, _)| forgotten(feed));
            let found_full = self.sets_of(state).any(|set| self.kernel.was_found_full(&set));
            let small = !is_too_much(had, lost, percent);
            let ends = match state.doubt {
                // What other feeds name as well today they may not tomorrow.
                Some(ListDoubt::Forgotten(_)) if unproven && found_full => false,
                // Where the kernel holds nothing else there is nothing to lose.
                Some(ListDoubt::Forgotten(_)) if lost == 0 => state.held.is_some(),
                Some(ListDoubt::Forgotten(_)) if unproven => false,
                Some(ListDoubt::Forgotten(until)) => {
                    state.held.is_some() && small && until <= now.monotonic
                }
                Some(ListDoubt::TakenOut) => state.held.is_some() && small,
                Some(ListDoubt::NoException(_)) | None => false,
            };
            settled.extend(ends.then(|| name.clone()));
        }
        for name in settled {
            self.end_doubt(&name);
        }
    }

    fn end_doubt(&mut self, name: &str) {
        if let Some(state) = self.lists.get_mut(name) {
            state.is_trusted();
            self.kernel.want_plan();
        }
    }

    /// A person lets a feed go of which nothing good is known: what the kernel
    /// holds of it goes with it.
    pub(super) fn let_go_of(&mut self, feed: &FeedName) {
        let list_of =
            |state: &ListState, feed: &FeedName| state.rules.list.role(feed) != Role::None;
        let concerned = self.lists.iter().filter(|(_, state)| {
            let others = self.intake.unproven().any(|(other, _)| list_of(state, other));
            list_of(state, feed) && !others && matches!(state.doubt, Some(ListDoubt::Forgotten(_)))
        });
        for name in concerned.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
            self.end_doubt(&name);
        }
    }

    /// A person lets lists lose what nothing accounts for, and shut out whom they
    /// would.
    pub(super) fn accept_losses(&mut self, ticket: Ticket) {
        let doubted = self.lists.iter().filter(|(_, state)| state.doubt.is_some());
        let doubted: Vec<_> = doubted.map(|(name, _)| name.clone()).collect();
        let shut_out = self.accept_shut_out();
        let nothing = doubted.is_empty() && !shut_out;
        let result = if nothing { Err(NotAcceptable::Nothing) } else { Ok(()) };
        for name in doubted {
            self.end_doubt(&name);
        }
        self.actions.push(Action::Reply(ticket, WishOutcome::Accepted(result)));
    }

    /// Feeds of this role in a list that had a version in force which is lost.
    pub(super) fn lost_feeds<'a>(
        &'a self,
        list: &'a List,
        role: Role,
    ) -> impl Iterator<Item = &'a FeedName> {
        let missed = self.intake.unproven().filter(|(_, feed)| feed.loss.is_some());
        missed.map(|(name, _)| name).filter(move |name| list.role(name) == role)
    }

    /// What makes a list up, the feeds included that are lost: as long as
    /// nobody lets them go the next process must miss them too.
    fn made_of(&self, state: &ListState) -> Makeup {
        let mut makeup = state.makeup.clone();
        makeup.deny.extend(self.lost_feeds(&state.rules.list, Role::Deny).cloned());
        makeup.allow.extend(self.lost_feeds(&state.rules.list, Role::Allow).cloned());
        makeup
    }

    /// When the next doubt ends by itself.
    pub(super) fn doubt_ends(&self) -> Option<Duration> {
        let ends = self.lists.values().filter_map(|state| match state.doubt {
            Some(ListDoubt::Forgotten(until)) => Some(until),
            _ => None,
        });
        ends.min()
    }

    /// What was to be written down stands there, or never will.
    pub(super) fn written_down(&mut self, ticket: Ticket) {
        let Some(place) = self.writing.iter().position(|(own, _)| *own == ticket) else { return };
        // It is done in order.
        if let Some((_, makeup)) = self.writing.drain(..=place).next_back() {
            self.stands_there = makeup;
        }
        self.kernel.want_plan();
    }

    /// Whether a list is made of feeds of which the state directory is being
    /// told. If the process ended now the next one would not miss them.
    pub(super) fn is_ahead(&self, state: &ListState) -> bool {
        let stands_there = self.stands_there.get(state.name());
        let knows = |stands_there: &Makeup| {
            state.makeup.deny.is_subset(&stands_there.deny)
                && state.makeup.allow.is_subset(&stands_there.allow)
        };
        !self.writing.is_empty()
            && !stands_there.is_some_and(|stands_there| stands_there.doubt || knows(stands_there))
    }

    /// Has written down which feeds make up each list, whenever that changes.
    /// What is doubted stays as it was, for the next process to doubt.
    pub(super) fn write_down(&mut self) {
        if !self.intake.is_recalled_once() {
            return;
        }
        let mut changed = self.written.len() != self.lists.len();
        let names: Vec<_> = self.lists.keys().cloned().collect();
        for name in names {
            let Some(state) = self.lists.get(&name) else { continue };
            let grounds = self.grounds(state);
            if state.told_by.as_ref() == Some(&grounds) {
                continue;
            }
            let makeup = self.to_be_written(state);
            if self.written.get(&name) != Some(&makeup) {
                self.written.insert(name.clone(), makeup);
                changed = true;
            }
            if let Some(state) = self.lists.get_mut(&name) {
                state.told_by = Some(grounds);
            }
        }
        let lists = &self.lists;
        self.written.retain(|name, _| lists.contains_key(name));
        if changed {
            // Who has left is of interest only as long as he is named anywhere.
            let made_of = lists.values().map(|state| &state.makeup);
            let all: Vec<_> = made_of.chain(self.intake.remembered().values()).collect();
            self.withdrawn.retain(|feed| {
                all.iter().any(|one| one.deny.contains(feed) || one.allow.contains(feed))
            });
            let makeup = self.written.clone();
            let ticket = self.tickets.draw();
            self.writing.push_back((ticket, makeup.clone()));
            self.actions.push(Action::WriteDown(ticket, makeup));
        }
    }

    fn grounds(&self, state: &ListState) -> Grounds {
        let lost = [Role::Deny, Role::Allow].into_iter();
        Grounds {
            doubt: state.doubt.clone(),
            judged: state.judged,
            rests: state.at_rest(),
            times: state.times,
            lost: lost.flat_map(|role| self.lost_feeds(&state.rules.list, role)).cloned().collect(),
            withdrawals: self.withdrawals,
        }
    }

    /// What is to be written down of one list.
    fn to_be_written(&self, state: &ListState) -> Makeup {
        let name = state.name();
        let remembered = self.intake.remembered().get(name).cloned().unwrap_or_default();
        let doubt = Makeup { doubt: true, ..Makeup::default() };
        let mut makeup = match &state.doubt {
            Some(ListDoubt::Forgotten(_)) => doubt,
            Some(ListDoubt::TakenOut | ListDoubt::NoException(_)) => with(remembered, state),
            None if state.judged && state.at_rest() => self.made_of(state),
            None if state.judged => self.written.get(name).cloned().unwrap_or_default(),
            None if self.intake.was_blank() => doubt,
            None => with(remembered, state),
        };
        makeup.deny.retain(|feed| !self.withdrawn.contains(feed));
        makeup.allow.retain(|feed| !self.withdrawn.contains(feed));
        makeup.drops.retain(|feed, _| makeup.deny.contains(feed));
        makeup
    }
}

/// What is remembered of a list, and what it is made of now.
fn with(remembered: Makeup, state: &ListState) -> Makeup {
    let mut makeup = remembered;
    let fresh = state.makeup.drops.iter().filter(|(feed, _)| !makeup.deny.contains(*feed));
    let fresh: Vec<_> = fresh.map(|(feed, age)| (feed.clone(), *age)).collect();
    makeup.drops.extend(fresh);
    makeup.deny.extend(state.makeup.deny.iter().cloned());
    makeup.allow.extend(state.makeup.allow.iter().cloned());
    makeup
}
