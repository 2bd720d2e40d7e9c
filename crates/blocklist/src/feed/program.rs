//! Rules of a packet filter, carried out for all addresses at once: what becomes
//! of a packet from each of them to this host, on whatever port and interface.
//! Knows no syntax: nftables, iptables and others make their rules into these.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::disjoint::Both;
use super::visit::{Line, Visit};
use crate::{AnyRange, Entry};

/// Chains call chains no deeper than that; nftables has 16.
const DEPTH_MAX: usize = 32;
/// Chains are gone through so often at the most: each of them may call others
/// twice.
const CALLS_MAX: usize = 10_000;

/// Whom a rule is about.
#[derive(Clone)]
pub(super) enum Source<'a> {
    /// Everybody.
    All,
    /// These only.
    Of(Rc<[Named<'a>]>),
    /// All but some, or some that nobody can tell.
    Others,
}

/// An entry of a rule or of a set that a rule names.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub line: Line<'a>,
    pub entry: Entry,
    /// What remains of its time.
    pub seconds: Option<u64>,
}

/// What a rule does with whom it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Drop,
    Accept,
    /// Goes on behind the rule that called the chain.
    Return,
    /// Goes through a chain, and on behind it.
    Jump(Vec<u8>),
    /// Goes through a chain and not back.
    Goto(Vec<u8>),
    /// Lets go on.
    Nothing,
}

/// How much of what comes from its source a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breadth {
    /// All of it.
    Whole,
    /// A part: a port, an interface, a rate.
    Part,
    /// A part that nobody who is blocked elsewhere would have: what belongs to
    /// connections that were let in, what comes from this host.
    Beside,
}

/// A rule.
#[derive(Clone)]
pub(super) struct Rule<'a> {
    pub line: Line<'a>,
    pub source: Source<'a>,
    pub breadth: Breadth,
    pub action: Action,
}

impl Rule<'_> {
    fn ignored(&self, visit: &mut impl Visit) {
        match &self.source {
            Source::Of(named) => named.iter().for_each(|one| visit.ignore(one.line)),
            Source::All | Source::Others => visit.ignore(self.line),
        }
    }
}

/// The chains of a packet filter.
#[derive(Default)]
pub(super) struct Program<'a> {
    chains: HashMap<Vec<u8>, Vec<Rule<'a>>>,
    /// Those that packets to this host go through, in their order.
    base: Vec<Vec<u8>>,
}

impl<'a> Program<'a> {
    pub(super) fn chain(&mut self, name: Vec<u8>, rules: Vec<Rule<'a>>) {
        self.chains.insert(name, rules);
    }

    pub(super) fn begin_with(&mut self, name: Vec<u8>) {
        self.base.push(name);
    }

    /// Tells what is blocked, and what is let in and not blocked elsewhere.
    pub(super) fn run(&self, visit: &mut impl Visit) -> ControlFlow<()> {
        visit.rules();
        let mut run = Run { program: self, blocked: Both::new(), allowed: Vec::new(), calls: 0 };
        for name in &self.base {
            let Some(rules) = self.chains.get(name) else { continue };
            let mut way = Way { settled: Both::new(), over: false };
            run.chain(rules, &mut way, Scope::base(), visit)?;
        }
        let Run { blocked, allowed, .. } = run;
        allowed.into_iter().try_for_each(|(line, range)| {
            let outside = blocked.outside(range);
            if outside.is_empty() {
                visit.ignore(line);
            }
            outside.into_iter().try_for_each(|entry| visit.exception(line, entry))
        })
    }
}

/// How far packets have come on their way through a base chain.
struct Way {
    /// Whose fate is settled in it, one way or the other.
    settled: Both,
    /// Whether everybody's is, or may be in part.
    over: bool,
}

/// Who is in a chain at all, and who has left it.
struct Scope {
    /// Everybody, if it is not said.
    only: Option<Both>,
    left: Both,
    /// Whether a part of what they send is in it only.
    part: bool,
    depth: usize,
}

impl Scope {
    const fn base() -> Self {
        Self { only: None, left: Both::new(), part: false, depth: 0 }
    }
}

struct Run<'p, 'a> {
    program: &'p Program<'a>,
    blocked: Both,
    allowed: Vec<(Line<'a>, AnyRange)>,
    calls: usize,
}

impl<'a> Run<'_, 'a> {
    /// Goes through a chain.
    fn chain(
        &mut self,
        rules: &[Rule<'a>],
        way: &mut Way,
        mut scope: Scope,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        for rule in rules {
            match &rule.source {
                _ if way.over || rule.breadth == Breadth::Beside => rule.ignored(visit),
                Source::Others => {
                    visit.ignore(rule.line);
                    // Nobody can tell who goes on from here.
                    way.over |= matches!(rule.action, Action::Accept | Action::Return);
                }
                Source::All => {
                    visit.ignore(rule.line);
                    if self.all(rule, way, &scope, visit)? {
                        break;
                    }
                }
                Source::Of(named) => self.some(rule, named, way, &mut scope, visit)?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Carries out a rule about everybody. Whether nobody goes on behind it.
    fn all(
        &mut self,
        rule: &Rule<'a>,
        way: &mut Way,
        scope: &Scope,
        visit: &mut impl Visit,
    ) -> ControlFlow<(), bool> {
        let part = scope.part || rule.breadth == Breadth::Part;
        let ended = match &rule.action {
            Action::Nothing => false,
            // What is dropped in part goes on with the rest.
            Action::Drop if part => false,
            Action::Drop | Action::Accept => {
                settle(way, scope.only.as_ref());
                true
            }
            Action::Return => {
                // Who returns in part only is blocked in part only.
                if part {
                    settle(way, scope.only.as_ref());
                }
                true
            }
            Action::Jump(name) | Action::Goto(name) => {
                let (only, left) = (scope.only.clone(), scope.left.clone());
                let below = Scope { only, left, part, depth: scope.depth + 1 };
                self.call(name, way, below, visit)?;
                matches!(rule.action, Action::Goto(_)) && !part
            }
        };
        ControlFlow::Continue(ended)
    }

    /// Carries out a rule about some.
    fn some(
        &mut self,
        rule: &Rule<'a>,
        named: &[Named<'a>],
        way: &mut Way,
        scope: &mut Scope,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let part = scope.part || rule.breadth == Breadth::Part;
        let mut called = Both::new();
        for one in named {
            let reached = reached(one.entry.range, way, scope);
            if rule.action == Action::Drop && !part {
                self.drop(one, &reached, way, visit)?;
                continue;
            }
            if rule.action == Action::Accept && !part {
                self.allowed.extend(reached.iter().map(|&range| (one.line, range)));
            } else {
                visit.ignore(one.line);
            }
            let into = match rule.action {
                Action::Nothing | Action::Drop => continue,
                Action::Return if !part => &mut scope.left,
                Action::Accept | Action::Return => &mut way.settled,
                Action::Jump(_) | Action::Goto(_) => &mut called,
            };
            for range in reached {
                into.insert(range);
            }
        }
        if let Action::Jump(name) | Action::Goto(name) = &rule.action {
            let gone = matches!(rule.action, Action::Goto(_)).then(|| called.all());
            let below =
                Scope { only: Some(called), left: Both::new(), part, depth: scope.depth + 1 };
            self.call(name, way, below, visit)?;
            gone.into_iter().flatten().for_each(|entry| scope.left.insert(entry.range));
        }
        ControlFlow::Continue(())
    }

    fn drop(
        &mut self,
        one: &Named<'a>,
        reached: &[AnyRange],
        way: &mut Way,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        for &range in reached {
            way.settled.insert(range);
            self.blocked.insert(range);
        }
        // What others block before it is blocked by it as well.
        let whole = [one.entry.range];
        let parts = if self.blocked.outside(one.entry.range).is_empty() { &whole } else { reached };
        if parts.is_empty() {
            visit.ignore(one.line);
        }
        parts.iter().try_for_each(|&range| {
            let masked = one.entry.masked && range == one.entry.range;
            let entry = Entry { range, masked };
            match one.seconds {
                Some(seconds) => visit.lasting(one.line, entry, seconds),
                None => visit.entry(one.line, entry),
            }
        })
    }

    fn call(
        &mut self,
        name: &[u8],
        way: &mut Way,
        scope: Scope,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        self.calls += 1;
        let few = scope.depth < DEPTH_MAX && self.calls < CALLS_MAX;
        match self.program.chains.get(name) {
            Some(rules) if few => self.chain(rules, way, scope, visit),
            // A chain that is not there, or that calls itself: nobody who goes
            // there is certainly blocked behind it.
            _ => {
                settle(way, scope.only.as_ref());
                ControlFlow::Continue(())
            }
        }
    }
}

/// Nothing more can be said of these, or of anybody.
fn settle(way: &mut Way, only: Option<&Both>) {
    match only {
        None => way.over = true,
        Some(only) => only.all().into_iter().for_each(|entry| way.settled.insert(entry.range)),
    }
}

/// Who of a range comes to a rule.
fn reached(range: AnyRange, way: &Way, scope: &Scope) -> Vec<AnyRange> {
    let mut ranges = vec![range];
    if let Some(only) = &scope.only {
        ranges = only.inside(range);
    }
    for gone in [&way.settled, &scope.left] {
        let rest = ranges.into_iter().flat_map(|range| gone.outside(range));
        ranges = rest.map(|entry| entry.range).collect();
    }
    ranges
}
