//! Rules of a packet filter, carried out for all addresses at once: what becomes
//! of a packet from each of them to this host, on whatever port and interface.
//! Knows no syntax: nftables, iptables and others make their rules into these.
//!
//! Two things are dropped and not told: what drops everybody, or everybody but
//! some, names nobody; and of what is dropped a port here and a port there nobody
//! knows that it is all.

mod members;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use self::members::{DisjointParts, NamedPart, sooner};
use super::disjoint::Both;
use super::visit::{Line, Visit};
use crate::{AnyRange, Entry, Family};

/// Chains call chains no deeper than that; nftables has 16.
const DEPTH_MAX: usize = 32;
/// So many members are taken through chains at the most, and as many chains gone
/// through: each of them may call others twice.
const WORK_MAX: usize = 4_000_000;
/// What a chain costs of it, whoever is in it.
const CALL_COST: usize = 400;

/// Whom a rule is about.
#[derive(Clone)]
pub(super) enum RuleSource<'a> {
    /// Everybody.
    All,
    /// These only.
    Of(Rc<[Named<'a>]>),
    /// All of a family but these.
    AllBut(Rc<[Named<'a>]>, Family),
    /// Some that nobody can tell.
    Unknown,
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
pub(super) enum RuleAction {
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
pub(super) struct ProgramRule<'a> {
    pub line: Line<'a>,
    pub source: RuleSource<'a>,
    pub breadth: Breadth,
    pub action: RuleAction,
}

impl ProgramRule<'_> {
    fn ignored(&self, visit: &mut impl Visit) {
        match &self.source {
            RuleSource::Of(named) => named.iter().for_each(|one| visit.ignore(one.line)),
            _ => visit.ignore(self.line),
        }
    }
}

/// The chains of a packet filter.
#[derive(Default)]
pub(super) struct Program<'a> {
    chains: HashMap<Vec<u8>, Vec<ProgramRule<'a>>>,
    /// Those that packets to this host go through, in their order.
    base: Vec<Vec<u8>>,
}

impl<'a> Program<'a> {
    pub(super) fn chain(&mut self, name: Vec<u8>, rules: Vec<ProgramRule<'a>>) {
        self.chains.insert(name, rules);
    }

    pub(super) fn begin_with(&mut self, name: Vec<u8>) {
        self.base.push(name);
    }

    /// Tells what is blocked, and what is let in and not blocked elsewhere.
    pub(super) fn run(&self, visit: &mut impl Visit) -> ControlFlow<()> {
        visit.rules();
        let mut run = Run { program: self, blocked: Both::default(), allowed: Vec::new(), work: 0 };
        for name in &self.base {
            let Some(rules) = self.chains.get(name) else { continue };
            let mut way = Way::default();
            run.chain(rules, &mut way, Scope::default(), visit)?;
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
#[derive(Default)]
struct Way {
    /// Whose fate is settled in it, one way or the other, if only in part.
    settled: Both,
    /// Whether everybody's is.
    over: bool,
}

/// Who is in a chain.
#[derive(Default)]
struct Scope<'a> {
    /// Everybody, if it is not said.
    only: Option<DisjointParts<'a>>,
    /// Who is not, or no more.
    left: Both,
    /// Of whom a part went elsewhere: what drops them here drops less than all.
    partly: Both,
    /// Whether that is so of everybody.
    part: bool,
    depth: usize,
}

impl Scope<'_> {
    /// What of a range is in it and not settled.
    fn reached(&self, range: AnyRange, way: &Way) -> Vec<AnyRange> {
        outside(&self.left, outside(&way.settled, vec![range]))
    }
}

/// Whom a rule is about in a chain.
enum Whom<'a> {
    /// Parts of what lines name.
    Parts(Vec<NamedPart<'a>>),
    /// Everybody but these.
    Everybody(Both),
}

struct Run<'p, 'a> {
    program: &'p Program<'a>,
    blocked: Both,
    allowed: Vec<(Line<'a>, AnyRange)>,
    work: usize,
}

impl<'a> Run<'_, 'a> {
    /// Goes through a chain.
    fn chain(
        &mut self,
        rules: &[ProgramRule<'a>],
        way: &mut Way,
        mut scope: Scope<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        for rule in rules {
            self.work += 1;
            if way.over || rule.breadth == Breadth::Beside {
                rule.ignored(visit);
                continue;
            }
            if matches!(rule.source, RuleSource::Unknown) {
                self.unknown(rule, way, &scope, visit)?;
                continue;
            }
            match self.whom(rule, way, &scope, visit) {
                Whom::Everybody(but) => {
                    visit.ignore(rule.line);
                    if self.everybody(rule, &but, way, &mut scope, visit)? {
                        break;
                    }
                }
                Whom::Parts(parts) => self.parts(rule, parts, way, &mut scope, visit)?,
            }
        }
        ControlFlow::Continue(())
    }

    /// Whom a rule reaches. Lines that reach nobody are ignored here.
    fn whom(
        &mut self,
        rule: &ProgramRule<'a>,
        way: &Way,
        scope: &Scope<'a>,
        visit: &mut impl Visit,
    ) -> Whom<'a> {
        let mut but = Both::default();
        if let RuleSource::AllBut(named, family) = &rule.source {
            let other = if *family == Family::Ipv4 { Family::Ipv6 } else { Family::Ipv4 };
            but.insert_all(other);
            // Who is taken out for a while only is not known to stay.
            named.iter().for_each(|one| but.insert(one.entry.range));
        }
        let RuleSource::Of(named) = &rule.source else {
            let Some(only) = &scope.only else { return Whom::Everybody(but) };
            visit.ignore(rule.line);
            self.work += only.len();
            let reached = only.all().iter().flat_map(|part| {
                let ranges = outside(&but, scope.reached(part.range, way));
                ranges.into_iter().map(|range| cut(part, range))
            });
            return Whom::Parts(reached.collect());
        };
        self.work += named.len();
        let mut parts = Vec::new();
        for one in &**named {
            let Named { line, entry: Entry { range, masked }, seconds } = *one;
            let before = parts.len();
            let whole = NamedPart { line, range, masked, seconds };
            let inside = match &scope.only {
                None => vec![(range, seconds)],
                Some(only) => only
                    .inside(range)
                    .into_iter()
                    .map(|(range, part)| (range, part.seconds))
                    .collect(),
            };
            // What others block before it is blocked by it as well.
            if rule.drops_whole(scope) && scope.only.is_none() && self.blocks(range, way, scope) {
                parts.push(whole);
                continue;
            }
            for (range, other) in inside {
                let seconds = sooner(seconds, other);
                let reached = scope.reached(range, way).into_iter();
                parts.extend(reached.map(|range| NamedPart { seconds, ..cut(&whole, range) }));
            }
            match rule.breadth {
                _ if parts.len() > before => {}
                Breadth::Part => visit.narrower(line),
                _ => visit.ignore(line),
            }
        }
        Whom::Parts(parts)
    }

    /// Whether all of a range is blocked once those are who are reached.
    fn blocks(&self, range: AnyRange, way: &Way, scope: &Scope<'a>) -> bool {
        let open = self.blocked.outside(range);
        open.iter().all(|open| scope.reached(open.range, way) == [open.range])
    }

    /// Carries out a rule of which nobody knows whom it is about.
    fn unknown(
        &mut self,
        rule: &ProgramRule<'a>,
        way: &mut Way,
        scope: &Scope<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        visit.ignore(rule.line);
        match &rule.action {
            RuleAction::Nothing | RuleAction::Drop => {}
            // Nobody can tell who goes on from here.
            RuleAction::Accept | RuleAction::Return => settle(way, scope),
            RuleAction::Jump(name) | RuleAction::Goto(name) => {
                let below = Scope { part: true, ..below(scope) };
                self.call(name, way, below, visit)?;
                if matches!(rule.action, RuleAction::Goto(_)) {
                    settle(way, scope);
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Carries out a rule about everybody, or everybody but some. Whether nobody
    /// goes on behind it. What drops everybody names nobody.
    fn everybody(
        &mut self,
        rule: &ProgramRule<'a>,
        but: &Both,
        way: &mut Way,
        scope: &mut Scope<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<(), bool> {
        let whole = rule.breadth == Breadth::Whole;
        let all = but.is_empty();
        match &rule.action {
            RuleAction::Nothing => return ControlFlow::Continue(false),
            // What is dropped in part goes on with the rest.
            RuleAction::Drop if !whole || scope.part => return ControlFlow::Continue(false),
            RuleAction::Drop | RuleAction::Accept if all => {
                way.over = true;
                return ControlFlow::Continue(true);
            }
            RuleAction::Drop | RuleAction::Accept => {
                but.complement().into_iter().for_each(|range| way.settled.insert(range));
                return ControlFlow::Continue(false);
            }
            RuleAction::Return => {}
            RuleAction::Jump(name) | RuleAction::Goto(name) => {
                let mut below = below(scope);
                below.part |= !whole;
                but.ranges().into_iter().for_each(|range| below.left.insert(range));
                self.call(name, way, below, visit)?;
                if matches!(rule.action, RuleAction::Jump(_)) {
                    return ControlFlow::Continue(false);
                }
            }
        }
        match (whole, scope.depth) {
            (true, _) if all => return ControlFlow::Continue(true),
            // Who goes from a base chain is let in.
            (false, 0) if all => way.over = true,
            (false, _) if all => scope.part = true,
            (true, _) => but.complement().into_iter().for_each(|range| scope.left.insert(range)),
            (false, 0) => but.complement().into_iter().for_each(|range| way.settled.insert(range)),
            (false, _) => but.complement().into_iter().for_each(|range| scope.partly.insert(range)),
        }
        ControlFlow::Continue(false)
    }

    /// Carries out a rule about some.
    fn parts(
        &mut self,
        rule: &ProgramRule<'a>,
        parts: Vec<NamedPart<'a>>,
        way: &mut Way,
        scope: &mut Scope<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let whole = rule.breadth == Breadth::Whole;
        match &rule.action {
            RuleAction::Drop if rule.drops_whole(scope) => {
                return parts.iter().try_for_each(|part| self.drop(part, way, scope, visit));
            }
            RuleAction::Accept if whole && !scope.part => self.accept(&parts, scope, visit),
            _ if !whole || scope.part => parts.iter().for_each(|part| visit.narrower(part.line)),
            _ => parts.iter().for_each(|part| visit.ignore(part.line)),
        }
        let gone: Vec<AnyRange> = parts.iter().map(|part| part.range).collect();
        let into = match &rule.action {
            RuleAction::Nothing | RuleAction::Drop => return ControlFlow::Continue(()),
            RuleAction::Accept => &mut way.settled,
            RuleAction::Return => rule.behind(way, scope),
            RuleAction::Jump(name) | RuleAction::Goto(name) => {
                let only = Some(DisjointParts::of(parts));
                let part = scope.part || !whole;
                self.call(name, way, Scope { only, part, ..below(scope) }, visit)?;
                if matches!(rule.action, RuleAction::Jump(_)) {
                    return ControlFlow::Continue(());
                }
                rule.behind(way, scope)
            }
        };
        for range in gone {
            into.insert(range);
        }
        ControlFlow::Continue(())
    }

    /// Lets in what comes as a whole.
    fn accept(&mut self, parts: &[NamedPart<'a>], scope: &Scope<'a>, visit: &mut impl Visit) {
        for part in parts {
            let whole = outside(&scope.partly, vec![part.range]);
            if whole.is_empty() {
                visit.narrower(part.line);
            }
            self.allowed.extend(whole.into_iter().map(|range| (part.line, range)));
        }
    }

    /// Blocks what comes as a whole.
    fn drop(
        &mut self,
        part: &NamedPart<'a>,
        way: &mut Way,
        scope: &Scope<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        let whole = outside(&scope.partly, vec![part.range]);
        if whole.is_empty() {
            visit.narrower(part.line);
        }
        for range in whole {
            // What ends is followed by what other rules say.
            if part.seconds.is_none() {
                way.settled.insert(range);
            }
            self.blocked.insert(range);
            cut(part, range).tell(visit)?;
        }
        ControlFlow::Continue(())
    }

    fn call(
        &mut self,
        name: &[u8],
        way: &mut Way,
        scope: Scope<'a>,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        self.work += CALL_COST + scope.only.as_ref().map_or(0, DisjointParts::len);
        let few = scope.depth < DEPTH_MAX && self.work < WORK_MAX;
        match self.program.chains.get(name) {
            Some(rules) if few => self.chain(rules, way, scope, visit),
            // A chain that is not there, or that calls itself: nobody who goes
            // there is certainly blocked behind it.
            _ => {
                settle(way, &scope);
                ControlFlow::Continue(())
            }
        }
    }
}

impl ProgramRule<'_> {
    /// Whether it drops all that comes from somebody who is wholly in the chain.
    fn drops_whole(&self, scope: &Scope<'_>) -> bool {
        self.action == RuleAction::Drop && self.breadth == Breadth::Whole && !scope.part
    }

    /// Among whom those are who went from a chain by it.
    fn behind<'s>(&self, way: &'s mut Way, scope: &'s mut Scope<'_>) -> &'s mut Both {
        match (self.breadth, scope.depth) {
            (Breadth::Whole, _) => &mut scope.left,
            // Who goes from a base chain is let in.
            (_, 0) => &mut way.settled,
            _ => &mut scope.partly,
        }
    }
}

/// A chain below another, with everybody who is there.
fn below<'a>(scope: &Scope<'a>) -> Scope<'a> {
    Scope {
        only: scope.only.clone(),
        left: scope.left.clone(),
        partly: scope.partly.clone(),
        part: scope.part,
        depth: scope.depth + 1,
    }
}

/// A part of a part.
fn cut<'a>(part: &NamedPart<'a>, range: AnyRange) -> NamedPart<'a> {
    NamedPart { range, masked: part.masked && range == part.range, ..*part }
}

/// What of some ranges is in none of a set's.
fn outside(set: &Both, ranges: Vec<AnyRange>) -> Vec<AnyRange> {
    let rest = ranges.into_iter().flat_map(|range| set.outside(range));
    rest.map(|entry| entry.range).collect()
}

/// Nothing more can be said of those who are in a chain.
fn settle(way: &mut Way, scope: &Scope<'_>) {
    match &scope.only {
        None => way.over = true,
        Some(only) => only.all().iter().for_each(|part| way.settled.insert(part.range)),
    }
}
