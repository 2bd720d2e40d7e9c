//! A new configuration on its way into force, and slips on their way out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use blocklist::{Family, Role};
use intake::{ListRules, Now, Rules, Ticket};
use reconcile::{Members, Standing, Target};

use super::Keeper;
use crate::lists::ListState;
use crate::lockout::{World, newly_shut_out};
use crate::proposal::{Proposal, ProposalStage, losses, lost_exception};
use crate::{Action, Compose, Report, Settings, Slip, SlipKind, Trial, Tried, WishOutcome};

/// How long the feeds of a proposed configuration are waited for.
const PATIENCE: Duration = Duration::from_secs(15);

impl Keeper {
    /// There is a new configuration. The last one that comes wins; whoever
    /// waits for an earlier one hears of this.
    pub(super) fn propose(
        &mut self,
        ticket: Option<Ticket>,
        settings: Settings,
        accepted: bool,
        now: Now,
    ) {
        let earlier = self.proposal.take();
        let mut tickets = earlier.map(|earlier| earlier.tickets).unwrap_or_default();
        tickets.extend(ticket);
        let rules = settings.rules.clone();
        let patience = now.monotonic + PATIENCE;
        let stage = ProposalStage::Reading;
        self.proposal = Some(Proposal { settings, accepted, tickets, stage, patience });
        self.intake.propose(Some(rules), now);
    }

    /// Takes the proposal a step further, if it is its time.
    pub(super) fn decide_proposal(&mut self, now: Now) {
        let Some(proposal) = &self.proposal else { return };
        if proposal.stage != ProposalStage::Reading {
            return;
        }
        let rules = proposal.settings.rules.clone();
        if self.is_harmless(&rules) {
            self.adopt(now);
            return;
        }
        // What a list would lose is known once it was put together, which never
        // takes for ever.
        if self.lists.values().any(|state| state.targets.is_none()) {
            return;
        }
        let known = self.intake.is_current()
            || self.intake.is_recalled() && self.intake.scan_failure().is_some();
        // What they would lose is counted from what they are now.
        let known = known && self.lists_at_rest();
        if !known && proposal.patience > now.monotonic {
            return;
        }
        if proposal.accepted {
            return self.adopt_judged(now);
        }
        let slips = self.lost_exceptions(&rules);
        if !slips.is_empty() {
            return self.refuse_proposal(slips, now);
        }
        let ticket = self.tickets.draw();
        let lists = rules.lists.iter().map(|list| {
            let previous = match self.lists.get(&list.list.name) {
                Some(state) => self.would_lose_from(state, list),
                None => self.left_of(&list.list.name),
            };
            let feeds = self.intake.in_force_by(&rules, now.wall);
            let feeds = feeds.filter(|(feed, _)| list.list.role(feed) != Role::None);
            Compose {
                ticket,
                list: list.list.clone(),
                feeds: feeds.map(|(feed, version)| (feed.clone(), version.clone())).collect(),
                // It is only tried.
                drops: BTreeMap::new(),
                blind: BTreeSet::new(),
                protection: self.protection.clone(),
                at: now.wall,
                previous,
                basis: self.lists.get(&list.list.name).and_then(|state| state.basis.clone()),
            }
        });
        let lists = lists.collect();
        self.actions.push(Action::Try(Box::new(Trial { ticket, lists })));
        if let Some(proposal) = &mut self.proposal {
            proposal.stage = ProposalStage::Trying(ticket);
        }
    }

    /// The proposed lists were tried.
    pub(super) fn tried(&mut self, tried: &Tried, now: Now) {
        let Some(proposal) = &self.proposal else { return };
        if proposal.stage != ProposalStage::Trying(tried.ticket) {
            return;
        }
        let proposed = &proposal.settings.rules;
        let mut slips = losses(proposed, &tried.losses);
        slips.extend(self.newly_shut_out(proposed, tried));
        if slips.is_empty() { self.adopt_judged(now) } else { self.refuse_proposal(slips, now) }
    }

    /// Whom these rules would shut out.
    fn newly_shut_out(&self, rules: &Rules, tried: &Tried) -> Vec<Slip> {
        let lists = rules.lists.iter().map(|list| list.list.name.as_str());
        let shuts = lists.map(|list| (list, rules.shuts(list).into_owned()));
        let then = tried.targets.iter().map(|(name, targets)| (name.as_str(), targets));
        let after =
            World { shuts: shuts.collect(), targets: then.collect(), found: BTreeMap::new() };
        let before = self.world(|list| rules.shuts.contains_key(list));
        let mut slips = newly_shut_out(&before, &after, &tried.peers, &self.protection);
        // What is protected since the trial began is taken out all the same.
        slips.retain(|slip| match slip.kind {
            SlipKind::ShutsOut { address, is_member: true, .. } => {
                let list = rules.list(&slip.list);
                let covers = |list: &ListRules| {
                    self.protection.covering(&list.list.protect, address).is_some()
                };
                !list.is_some_and(covers)
            }
            _ => true,
        });
        slips
    }

    /// Whether these rules concern the same lists, take nothing out of any and
    /// shut nobody out otherwise.
    fn is_harmless(&self, rules: &Rules) -> bool {
        let running = &self.settings.rules;
        let same = |list: &ListRules| {
            running.list(&list.list.name).is_some_and(|running| running.list == list.list)
        };
        rules.lists.iter().all(same)
            && rules.tables == running.tables
            && rules.ignore == running.ignore
            && rules.shuts == running.shuts
    }

    fn lost_exceptions(&self, rules: &Rules) -> Vec<Slip> {
        let slips = rules.lists.iter().filter_map(|list| {
            let state = self.lists.get(&list.list.name)?;
            let known = &mut self.intake.feeds().keys();
            // One that is lost is not in force, and an exception all the same.
            let lost = self.lost_feeds(&state.rules.list, Role::Allow);
            let glob = lost_exception(rules, list, state.makeup.allow.iter().chain(lost), known)?;
            Some(Slip { list: list.list.name.clone(), kind: SlipKind::NoException(glob) })
        });
        slips.collect()
    }

    /// What a list would lose from: what should be in its sets, or what is in
    /// them if they are held for nothing but feeds that it would not take in
    /// any more. As long as a start goes on, whichever is more: what should be
    /// in them may not be known yet, or not be there yet.
    fn would_lose_from(&self, state: &ListState, rules: &ListRules) -> Option<[Target; 2]> {
        let mut targets = state.targets.clone()?;
        let by_feed = state.held.as_ref().is_some_and(|held| held.why.feed().is_some());
        let mut unproven = self.intake.unproven();
        let stays = unproven.any(|(feed, _)| rules.list.role(feed) != Role::None);
        let begins = !state.whole || !state.judged || !state.at_rest();
        if begins || by_feed && state.doubt.is_none() && !stays {
            let observed = self.kernel.observed();
            for (set, target) in self.sets_of(state).zip(&mut targets) {
                let seen = observed.and_then(|observed| observed.sets.get(&set));
                let members = seen.and_then(|seen| seen.members.clone());
                let more = |members: &Members| !begins || members.len() > target.members.len();
                if let Some(members) = members.filter(more) {
                    target.members = members;
                }
            }
        }
        Some(targets)
    }

    /// What is in the sets of a list that was taken out, if rules refer to them:
    /// that blocks, and a list of this name takes it over.
    pub(super) fn left_of(&self, list: &str) -> Option<[Target; 2]> {
        let observed = self.kernel.observed()?;
        let targets = Family::ALL.map(|family| {
            let set = self.settings.prefix.live(list, family).ok();
            let seen = set.and_then(|set| observed.sets.get(&set));
            let ours = seen.filter(|seen| seen.standing == Standing::Ours);
            let members = ours.and_then(|seen| seen.members.clone());
            Target::of(members.unwrap_or_else(|| Members::none(family)))
        });
        targets.iter().any(|target| !target.members.is_empty()).then_some(targets)
    }

    /// Takes over what a guard or a person has let through.
    fn adopt_judged(&mut self, now: Now) {
        self.adopt(now);
        self.give_clearance(|_| true);
    }

    fn adopt(&mut self, now: Now) {
        let Some(proposal) = self.proposal.take() else { return };
        let Proposal { settings, tickets, .. } = proposal;
        self.refused.clear();
        self.intake.rule_by(settings.rules.clone(), now);
        self.settings = settings;
        self.take_lists();
        self.reports.push(Report::Configured { lists: self.lists.len() });
        self.reply(tickets, &Ok(()));
    }

    fn refuse_proposal(&mut self, slips: Vec<Slip>, now: Now) {
        let Some(proposal) = self.proposal.take() else { return };
        self.intake.propose(None, now);
        self.reports.push(Report::ConfigurationRefused { slips: slips.clone() });
        self.refused.clone_from(&slips);
        self.reply(proposal.tickets, &Err(slips));
    }

    fn reply(&mut self, tickets: Vec<Ticket>, result: &Result<(), Vec<Slip>>) {
        for ticket in tickets {
            self.actions.push(Action::Reply(ticket, WishOutcome::Configured(result.clone())));
        }
    }
}
