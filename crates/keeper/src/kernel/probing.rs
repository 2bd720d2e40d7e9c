//! Cheap looks at the kernel between the whole ones: what they ask, and what
//! follows from their answers.

use std::time::Duration;

use intake::{Now, Ticket, Tickets};
use reconcile::{Difference, DifferenceKind, Drift, Found, Object, Probe, SetName, Standing};

use super::{KernelState, Wish, Work};
use crate::{Action, Probed, Report};

/// Counting members may take a processor, and stall its packets, for at most this
/// share of the time, of all sets together. A million take some 30 ms, and so are
/// counted about once a minute.
const COUNT_SHARE: u32 = 2_000;

/// Members of a set that are tested at the most, at about half a microsecond each.
const TESTS_OF_A_SET: usize = 64;
/// The same of all sets together, as far as one of each allows.
const TESTS: usize = 1_024;

impl KernelState {
    /// Somebody did something to our rules. They are looked at by themselves,
    /// since nothing says that the sets are not as they were, and reading the
    /// members of large ones first would leave a gap.
    pub(crate) fn want_look_at_rules(&mut self) {
        self.look = self.look.max(Wish::Rules);
    }

    /// Sets were probed.
    pub(crate) fn probed(
        &mut self,
        ticket: Ticket,
        probed: Vec<Probed>,
        now: Now,
        reports: &mut Vec<Report>,
    ) {
        if self.work != Work::Probing(ticket) {
            return;
        }
        self.work = Work::Idle;
        for (set, took) in probed.iter().filter_map(|probe| Some((&probe.set, probe.counted_in?))) {
            self.sets.entry(set.clone()).or_default().counting = took;
        }
        let all: Duration = self.sets.values().map(|times| times.counting).sum();
        for probe in probed {
            if probe.counted_in.is_some() {
                let times = self.sets.entry(probe.set.clone()).or_default();
                times.next_count = now.monotonic + all.saturating_mul(COUNT_SHARE);
            }
            match probe.result {
                Ok(Found { drift: Some(Drift::Rules), .. }) => {
                    self.rules_gone(probe.set, reports);
                }
                Ok(Found { drift: Some(_), .. }) => self.doubt(),
                Ok(Found { drift: None, references }) => {
                    let observed = self.observed.as_mut();
                    let seen = observed.and_then(|observed| observed.sets.get_mut(&probe.set));
                    if let (Some(seen), Some(references)) = (seen, references) {
                        // What stood in the way may have gone, or have come.
                        let changed = seen.header.references != references;
                        self.replan |= changed && self.blocked.contains_key(&(&probe.set).into());
                        seen.header.references = references;
                    }
                }
                Err(error) => {
                    self.doubt();
                    reports.push(Report::KernelFailed(error));
                }
            }
        }
    }

    /// The rules of a set's family are not what they should be: they are put
    /// again.
    fn rules_gone(&mut self, set: SetName, reports: &mut Vec<Report>) {
        let seen = self.observed.as_mut().is_some_and(|seen| seen.lose_rules(set.family()));
        if seen {
            self.replan = true;
            reports.push(Report::Drifted(Difference { set, kind: DifferenceKind::Rules }));
        }
    }

    /// Looks at the rules that are thought to be there, and at nothing else.
    pub(super) fn look_at_rules(&mut self, tickets: &mut Tickets) -> Option<Action> {
        let observed = self.observed.as_ref()?;
        let probes = observed.rules.iter().filter_map(|seen| {
            let known = observed.sets.get(&seen.wanted.rules().first()?.set)?.header.clone();
            let rules = Some(seen.wanted.clone());
            let (members, gone, tests) = (None, None, 0);
            Some(Probe { known, members, gone, tests, turn: 0, count: false, rules })
        });
        let probes: Vec<_> = probes.collect();
        if probes.is_empty() {
            return None;
        }
        let ticket = tickets.draw();
        self.work = Work::Probing(ticket);
        Some(Action::Probe(ticket, probes))
    }

    /// Probes every set that is as desired, and looks whether what blocks
    /// another still does.
    pub(super) fn probe(&mut self, now: Now, tickets: &mut Tickets) -> Option<Action> {
        self.turn = self.turn.wrapping_add(1);
        let observed = self.observed.as_ref()?;
        let tests = (TESTS / observed.sets.len().max(1)).clamp(1, TESTS_OF_A_SET);
        let mut rules: Vec<_> = observed.rules.iter().map(|seen| &seen.wanted).collect();
        rules.retain(|rules| !rules.rules().is_empty());
        let probes = observed.sets.iter().filter_map(|(name, set)| {
            let blocked = self.blocked.contains_key(&Object::from(name));
            // Of what waits for somebody else its header alone matters.
            let ours = set.standing == Standing::Ours && !blocked;
            let members = set.members.clone().filter(|_| ours);
            (members.is_some() || blocked).then(|| Probe {
                known: set.header.clone(),
                count: self.times(name).next_count <= now.monotonic,
                members,
                gone: self.gone.get(name).cloned(),
                tests,
                turn: self.turn,
                // The first set of a family stands for its rules.
                rules: rules
                    .extract_if(.., |rules| rules.family() == name.family())
                    .next()
                    .cloned(),
            })
        });
        let probes: Vec<_> = probes.collect();
        if probes.is_empty() {
            return None;
        }
        let ticket = tickets.draw();
        self.work = Work::Probing(ticket);
        Some(Action::Probe(ticket, probes))
    }
}
