//! The quiet moment: nothing goes wrong any more, time passes, and what is
//! must be what should be. What should be, the oracle says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use blocklist::{Family, FeedName, Prefixes, Role};

use super::bounds::Bounds;
use super::clock::HostClock;
use super::configuration::{HostConfiguration, LISTS, ListTable};
use super::facts::HostFacts;
use super::files::{FeedsDirectory, File};
use super::oracle::Oracle;
use super::possible::{Possible, refusals};
use super::said::StatusSays;
use super::store::{Copy, StateDirectory};
use super::{Host, Job, SimulatedDaemon};
use crate::Invariant;
use crate::sets::RawName;
use crate::simulation::{live, prefix};

/// How long a quiet moment is: longer than a deleted feed stays, than any rest
/// after a failure, and than it may take to notice anything.
const QUIET: Duration = Duration::from_secs(520);
/// Times that the daemon may want to be woken until then.
const WAKES_MAX: usize = 120;

/// All that can be seen of a host from outside.
pub(super) struct SeenHost<'a> {
    /// What may be in force.
    pub(super) oracle: &'a Oracle,
    /// The feeds directory.
    pub(super) files: &'a FeedsDirectory,
    /// The state directory.
    pub(super) store: &'a StateDirectory,
    /// Copies of the versions in force, as far as there should be any, and what
    /// they would be where there was no room for one.
    pub(super) copies: &'a BTreeMap<FeedName, Copy>,
    /// The clocks.
    pub(super) clock: &'a HostClock,
    /// The configuration in force.
    pub(super) running: &'a Arc<HostConfiguration>,
    /// The configuration that was read last.
    pub(super) called: u64,
    /// What the kernel's sets hold, by list.
    pub(super) kernel: &'a BTreeMap<String, Prefixes>,
    /// What `status` says.
    pub(super) said: &'a StatusSays,
    /// Rules refer to a set that no list has, which therefore stays, or a rule of
    /// ours waits for a list that has no members.
    pub(super) waits: bool,
}

/// What is found.
#[derive(Default)]
struct Findings {
    complaints: Vec<String>,
    /// Something is not as it should be, and status has to say so.
    must_complain: bool,
    /// Something may be said to be not as it should be.
    may_complain: bool,
    /// Some set may lack something or hold too much, and be said to.
    held: bool,
}

/// Everything that is not as the plain rule says.
pub(super) fn complaints(seen: &SeenHost<'_>) -> Vec<String> {
    let mut found = Findings { held: seen.waits, may_complain: seen.waits, ..Findings::default() };
    if seen.running.number != seen.called && !seen.said.complains() {
        found.complaints.push("an earlier configuration is in force than was read last".to_owned());
    }
    found.must_complain |= seen.running.number != seen.called;
    for (name, feed) in seen.oracle.feeds.iter().filter(|(name, _)| seen.running.uses(name)) {
        judge_feed(seen, name, feed, &mut found);
    }
    for (list, table) in &seen.running.lists {
        judge_list(seen, list, table, &mut found);
    }
    let StatusSays { in_sync, at_rest, degraded, .. } = seen.said;
    if !at_rest {
        found.complaints.push("the daemon does not come to rest".to_owned());
    }
    if found.must_complain && *in_sync && degraded.is_empty() {
        found.complaints.push("all is said to be well, and is not".to_owned());
    }
    if found.complaints.is_empty() && !found.held && !in_sync {
        found.complaints.push(format!("it is said not to be in sync, and is: {degraded:?}"));
    }
    let may = found.may_complain || found.must_complain;
    if found.complaints.is_empty() && !may && !degraded.is_empty() {
        found.complaints.push(format!("it is said to be degraded, and is not: {degraded:?}"));
    }
    found.complaints
}

/// Whether the right version of a feed is in force, and refusals are said.
fn judge_feed(seen: &SeenHost<'_>, name: &FeedName, feed: &Possible, found: &mut Findings) {
    let copy = seen.copies.get(name).map(|copy| copy.text.clone());
    let file = seen.files.by_name.get(name);
    let mut say = |text: &str| found.complaints.push(format!("{text}: {name}"));
    let refused = match file {
        Some(File { readable: true, text, serial, .. }) => {
            let same = copy.as_ref().is_some_and(|copy| copy.number == text.number);
            if same {
                if !feed.allows(&copy) {
                    say("a version is in force that guards refuse");
                }
            } else if refusals(text, &copy).is_empty() {
                say("a good version is not in force");
            } else if feed.accepted == Some((text.number, *serial)) {
                say("what was accepted is not in force");
            }
            !same
        }
        Some(_) => true,
        None if copy.is_none() => false,
        None => {
            let absent = seen.oracle.feeds.iter().filter(|(name, _)| {
                seen.running.uses(name) && !seen.files.by_name.contains_key(*name)
            });
            if absent.count() < 2 {
                say("a deleted feed is not withdrawn");
            } else if feed.given_up {
                say("a deleted feed is in force, though that was given up");
            }
            true
        }
    };
    match (refused, seen.said.refused.contains_key(name)) {
        (true, false) => say("a refusal is not said"),
        (false, true) => say("a refusal is said of nothing refused"),
        _ => {}
    }
    // One that could not be noted only stays for longer, and a note without a
    // copy means nothing.
    let noted = seen.store.gone.contains_key(name);
    if noted && file.is_some() && seen.store.copies.contains_key(name) {
        say("a feed is noted to be gone, and is not");
    }
    let written = seen.copies.get(name).map(|copy| copy.written);
    let written = written.into_iter().chain(file.map(|file| file.written)).max();
    let is_future = written.is_some_and(|written| written > seen.clock.wall);
    let may_age = seen.running.max_age.contains_key(name) || is_future;
    found.must_complain |= refused || seen.said.unkept.contains(name);
    found.may_complain |= refused || may_age;
}

/// Whether a list's sets hold what they should.
fn judge_list(seen: &SeenHost<'_>, list: &str, table: &ListTable, found: &mut Findings) {
    let Bounds { mut least, mut most, never } =
        seen.oracle.bounds(seen.running, table, seen.files, seen.copies, seen.clock);
    let Some(kernel) = seen.kernel.get(list) else {
        found.complaints.push(format!("there are no sets: {list}"));
        return;
    };
    let held = seen.said.held.get(list);
    if let Some(held) = held {
        found.held = true;
        found.may_complain = true;
        let base = seen.oracle.found.get(list).cloned().unwrap_or_default();
        most = Prefixes::union([&most, &base.subtract(&never)]);
        if held.frozen {
            least = Prefixes::new();
        }
        if !is_in_doubt(seen, list, table) {
            found.complaints.push(format!("a list is held for no reason: {list}, {}", held.why));
        }
    }
    let rescued = rescued_of(seen, list, table).subtract(&never);
    if !rescued.is_empty() {
        found.must_complain = true;
        least = Prefixes::union([&least, &rescued]);
    }
    let silent = if seen.said.complains() { "" } else { ", in silence" };
    let (lacks, extra) = (least.subtract(kernel), kernel.subtract(&most));
    if let Some(first) = lacks.iter().next() {
        found.complaints.push(format!("a list lacks what it should hold{silent}: {list} {first}"));
    }
    if let Some(first) = extra.iter().next() {
        let allowed = !extra.intersect(&never).is_empty();
        let what = if allowed { "what it must never hold" } else { "what it should not hold" };
        found.complaints.push(format!("a list holds {what}{silent}: {list} {first}"));
    }
}

/// Whether it may be that not all is known of what a list was made of.
fn is_in_doubt(seen: &SeenHost<'_>, list: &str, table: &ListTable) -> bool {
    let unproven = seen.oracle.feeds.iter().any(|(name, feed)| match table.role(name) {
        Role::None => false,
        Role::Deny => feed.lost.is_some(),
        // What an exception says that was never good is not known either.
        Role::Allow => feed.lost.is_some() || !seen.copies.contains_key(name),
    });
    unproven || seen.oracle.doubtful.contains(list)
}

/// What the kernel held of feeds whose copies are lost and whose files are not
/// good: it is all there is.
fn rescued_of(seen: &SeenHost<'_>, list: &str, table: &ListTable) -> Prefixes {
    // What is in force since then has taken its place, kept or not.
    let is_lost = |name: &FeedName| {
        seen.files.by_name.contains_key(name) && !seen.said.in_force.contains_key(name)
    };
    let denied = seen.oracle.feeds.iter().filter(|(name, _)| table.role(name) == Role::Deny);
    let rescued =
        denied.filter(|(name, feed)| is_lost(name) && !feed.let_go).filter_map(|(name, feed)| {
            let held = seen.oracle.rescued(list, name)?;
            Some(held.intersect(&feed.lost.as_ref()?.feed.prefixes))
        });
    let rescued = Prefixes::union_of(rescued);
    let excepted = seen.oracle.feeds.iter().filter(|(name, _)| table.role(name) == Role::Allow);
    let excepted =
        Prefixes::union(excepted.map(|(_, feed)| feed.ever()).collect::<Vec<_>>().iter());
    // What the host had meanwhile went, and nobody knows that it was there.
    let protected = Prefixes::union_of(seen.oracle.facts.iter().map(HostFacts::protected));
    rescued.subtract(&excepted).subtract(&protected)
}

impl Host {
    /// Everything that goes wrong ends, time passes, and all must be well.
    pub(super) fn quiet(&mut self) {
        self.note("-- quiet");
        self.files.calm();
        self.store.calm();
        let lists = [&self.configuration, self.daemon.running()];
        let wanted = lists.iter().flat_map(|one| one.lists.keys()).flat_map(|list| {
            Family::ALL.into_iter().map(|family| RawName::from(&live(list, family)))
        });
        let wanted = wanted.collect();
        self.kernel.machine().end_faults(&wanted);
        if self.kernel.machine().crashed() {
            self.start();
        }
        self.settle();
        if self.chances.kernel_faults || self.chances.foreign_hands {
            self.tell(SimulatedDaemon::resync);
        }
        let rests = self.rest();
        self.judge(rests);
        self.decide_again();
        self.clock.set = false;
        let (running, said) = (self.daemon.running().clone(), self.said());
        let copies = self.copies();
        let kernel = self.held();
        self.oracle.settle(&running, &self.files, &copies, &said.held, &kernel);
        self.oracle.time(&self.clock, &self.files);
        if self.configuration.is_slip() || running.number != self.configuration.number {
            let number = self.number();
            let meant = HostConfiguration { number, ..HostConfiguration::clone(&self.meant) };
            self.meant = Arc::new(meant);
            self.configuration = self.meant.clone();
            self.read_configuration();
        }
    }

    /// Time passes. Whether the daemon comes to rest.
    fn rest(&mut self) -> bool {
        let until = self.clock.monotonic + QUIET;
        let mut rests = self.settle();
        for _ in 0..WAKES_MAX {
            if self.clock.monotonic >= until {
                break;
            }
            self.pass_time(QUIET / 8);
            rests = self.settle();
        }
        self.pass_time(Duration::ZERO);
        rests & self.settle()
    }

    /// A configuration that was refused is refused again as long as nothing
    /// has changed, and comes into force if somebody says that it is meant.
    fn decide_again(&mut self) {
        let called = self.configuration.number;
        if self.broken() || self.daemon.running().number == called {
            return;
        }
        let running = self.daemon.running().clone();
        for accepted in [false, true] {
            if accepted && self.random.chance(50) {
                return;
            }
            let harmless = self.is_harmless(&running);
            self.jobs.push(Job::Reload { accepted });
            let rests = self.rest();
            self.judge(rests);
            let adopted = self.daemon.running().number == called;
            if accepted && !adopted {
                self.report(Invariant::Converges, "what was accepted is refused".to_owned());
            }
            if !accepted && !adopted && harmless && self.is_harmless(&running) {
                let text = "a configuration that takes nothing away is refused".to_owned();
                self.report(Invariant::Converges, text);
            }
            if adopted {
                return;
            }
        }
    }

    /// Whether the configuration that was read last takes nothing out of any
    /// list.
    fn is_harmless(&self, running: &HostConfiguration) -> bool {
        let (copies, said) = (self.copies(), self.said());
        self.configuration.lists.iter().all(|(list, table)| {
            // Of a list that is not there a set may be, since rules refer to it.
            let Some(before) = running.lists.get(list) else { return !self.is_left(list) };
            let bounds = |configuration: &HostConfiguration, table| {
                self.oracle.bounds(configuration, table, &self.files, &copies, &self.clock)
            };
            let least = bounds(&self.configuration, table).least;
            let nothing = bounds(running, before).most.subtract(&least).is_empty();
            // What only a held list keeps may go with its lost feed.
            let stays = before == table || !said.held.contains_key(list);
            // An exception that is lost is as bad.
            nothing && stays && before.allow == table.allow
        })
    }

    /// Whether the kernel has any set of this list.
    fn is_left(&self, list: &str) -> bool {
        let machine = self.kernel.machine();
        let mut names = Family::ALL.into_iter().map(|family| RawName::from(&live(list, family)));
        names.any(|name| machine.sets.get(&name).is_some())
    }

    fn judge(&mut self, rests: bool) {
        self.notice_hands();
        let (said, kernel, running) = (self.said(), self.held(), self.daemon.running().clone());
        let (referred, left_over) = self.left_over(&running);
        let mut complaints = complaints(&SeenHost {
            oracle: &self.oracle,
            files: &self.files,
            store: &self.store,
            copies: &self.copies(),
            clock: &self.clock,
            running: &running,
            called: self.configuration.number,
            kernel: &kernel,
            said: &said,
            waits: referred || self.a_rule_waits(&running),
        });
        if !rests {
            complaints.push("the daemon is restless".to_owned());
        }
        if let Some(question) = self.daemon.unanswered() {
            complaints.push(format!("somebody waits for an answer: {question:?}"));
        }
        complaints.extend(left_over);
        complaints.extend(self.rules_complaints(&running));
        for text in complaints {
            self.report(Invariant::Converges, text);
        }
        let mut machine = self.kernel.machine();
        for list in LISTS {
            for family in Family::ALL {
                machine.checker.settle(&(&live(list, family)).into());
            }
        }
    }

    /// Sets of ours that no list has: that one may be there, because rules
    /// refer to it, and that one is there though none do.
    fn left_over(&self, running: &HostConfiguration) -> (bool, Option<String>) {
        let machine = self.kernel.machine();
        let wanted = |name: &RawName| {
            running.lists.keys().any(|list| {
                Family::ALL.into_iter().any(|family| RawName::from(&live(list, family)) == *name)
            })
        };
        let ours = machine.sets.iter().filter(|(name, _)| prefix().recognise(&name.0).is_some());
        let (referred, free): (Vec<_>, Vec<_>) =
            ours.filter(|(name, _)| !wanted(name)).partition(|(_, slot)| slot.references > 0);
        let free = free.first().map(|(name, _)| format!("a set is left over: {name}"));
        (!referred.is_empty(), free)
    }
}
