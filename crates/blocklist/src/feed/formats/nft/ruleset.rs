//! A ruleset of nftables while a file makes it: sets and what is in them, chains
//! and their rules, and what they come to. Knows neither text nor JSON.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::super::super::Why;
use super::super::super::program::{Breadth, Named, Program, ProgramRule, RuleAction, RuleSource};
use super::super::super::verdict::is_welcoming;
use super::super::super::visit::{Line, Visit};
use super::rule::{Parsed, Whom};
use crate::{AnyRange, Entry};

/// A set, or a map from addresses to verdicts.
#[derive(Default)]
pub(in super::super) struct Set<'a> {
    /// Whether its elements are something else than addresses.
    pub other: bool,
    /// The seconds that an element has if it does not say.
    pub timeout: Option<u64>,
    pub elements: Vec<(Named<'a>, Option<RuleAction>)>,
}

/// When packets come to a chain, if the kernel calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum NftHook {
    Ingress,
    Prerouting,
    Input,
    Forward,
    /// Somewhere that what comes to this host does not.
    Elsewhere,
}

impl NftHook {
    pub(in super::super) fn of(name: &[u8]) -> Self {
        match name {
            b"ingress" => Self::Ingress,
            b"prerouting" => Self::Prerouting,
            b"input" => Self::Input,
            b"forward" => Self::Forward,
            _ => Self::Elsewhere,
        }
    }
}

#[derive(Default)]
struct Chain<'a> {
    hook: Option<NftHook>,
    rules: Vec<(Line<'a>, Parsed)>,
}

/// The sets and chains by `FAMILY TABLE/NAME`.
#[derive(Default)]
pub(in super::super) struct Ruleset<'a> {
    pub sets: HashMap<Vec<u8>, Set<'a>>,
    names: Vec<Vec<u8>>,
    chains: HashMap<Vec<u8>, Chain<'a>>,
}

impl<'a> Ruleset<'a> {
    pub(in super::super) fn set(&mut self, key: &[u8]) -> &mut Set<'a> {
        self.sets.entry(key.to_vec()).or_default()
    }

    fn chain(&mut self, key: &[u8]) -> &mut Chain<'a> {
        if !self.chains.contains_key(key) {
            self.names.push(key.to_vec());
        }
        self.chains.entry(key.to_vec()).or_default()
    }

    pub(in super::super) fn declare(&mut self, key: &[u8]) {
        self.chain(key);
    }

    pub(in super::super) fn hook(&mut self, key: &[u8], hook: NftHook) {
        self.chain(key).hook = Some(hook);
    }

    pub(in super::super) fn append(&mut self, key: &[u8], line: Line<'a>, rule: Parsed) {
        self.chain(key).rules.push((line, rule));
    }

    pub(in super::super) fn insert(&mut self, key: &[u8], line: Line<'a>, rule: Parsed) {
        self.chain(key).rules.insert(0, (line, rule));
    }

    /// Takes out what has exactly these addresses.
    pub(in super::super) fn delete(&mut self, key: &[u8], entries: &[Entry]) {
        let gone: HashSet<AnyRange> = entries.iter().map(|entry| entry.range).collect();
        self.set(key).elements.retain(|(named, _)| !gone.contains(&named.entry.range));
    }

    pub(in super::super) fn flush_chain(&mut self, key: &[u8]) {
        self.chain(key).rules.clear();
    }

    /// Forgets all of a table, or everything.
    pub(in super::super) fn flush(&mut self, table: &[u8]) {
        self.chains.retain(|name, _| !name.starts_with(table));
        self.sets.retain(|name, _| !name.starts_with(table));
        self.names.retain(|name| !name.starts_with(table));
    }

    /// Whether there is any rule.
    pub(in super::super) fn has_rules(&self) -> bool {
        self.chains.values().any(|chain| !chain.rules.is_empty())
    }

    /// Tells what the rules block, or, without any, what is in the sets.
    pub(in super::super) fn finish(self, visit: &mut impl Visit) -> ControlFlow<()> {
        if self.has_rules() {
            if let Some(line) = self.only_through() {
                let what = "all rules are about what passes through to other hosts (`forward`)";
                visit.doubt(line, Why::Structure(what));
            }
            return self.program().run(visit);
        }
        let mut sets: Vec<_> = self.sets.into_iter().filter(|(_, set)| !set.other).collect();
        sets.sort_by_key(|(_, set)| set.elements.first().map(|(named, _)| named.line.number()));
        let names = sets.iter().map(|(key, set)| (bare(key), set.elements.len() as u64));
        if let Some((line, why)) = first_line(&sets).zip(Why::sets(names)) {
            visit.doubt(line, why);
        }
        let elements = sets.into_iter().flat_map(|(key, set)| {
            let welcome = is_welcoming(bare(&key));
            set.elements.into_iter().map(move |(named, action)| (welcome, named, action))
        });
        elements.into_iter().try_for_each(|(welcome, named, action)| {
            match (action, named.seconds) {
                (Some(_), _) => {
                    visit.ignore(named.line);
                    ControlFlow::Continue(())
                }
                (None, _) if welcome => {
                    visit.rules();
                    visit.exception(named.line, named.entry)
                }
                (None, Some(seconds)) => visit.lasting(named.line, named.entry, seconds),
                (None, None) => visit.entry(named.line, named.entry),
            }
        })
    }

    /// The first rule of those that what passes through goes through, if the
    /// kernel calls no chain for what comes to this host.
    fn only_through(&self) -> Option<Line<'a>> {
        let hooks = |chain: &&Chain<'a>| chain.hook == Some(NftHook::Forward);
        let here =
            self.chains.values().any(|chain| chain.hook.is_some_and(|hook| hook <= NftHook::Input));
        let through = self.chains.values().filter(hooks).filter(|_| !here);
        through.filter_map(|chain| chain.rules.first()).map(|(line, _)| *line).next()
    }

    fn program(&self) -> Program<'a> {
        let mut program = Program::default();
        let shared: HashMap<&[u8], Rc<[Named<'a>]>> = self
            .sets
            .iter()
            .filter(|(_, set)| !set.other)
            .map(|(key, set)| (&key[..], set.elements.iter().map(|(named, _)| *named).collect()))
            .collect();
        for name in self.base() {
            program.begin_with(name.clone());
        }
        for (name, chain) in &self.chains {
            let rules =
                chain.rules.iter().flat_map(|(line, rule)| self.rules(*line, rule, &shared));
            program.chain(name.clone(), rules.collect());
        }
        program
    }

    /// The chains that what comes to this host goes through. If the kernel calls
    /// none of them, the file is a part of something that calls them.
    fn base(&self) -> Vec<&Vec<u8>> {
        let hook = |name: &&Vec<u8>| self.chains.get(*name).and_then(|chain| chain.hook);
        let mut hooked: Vec<_> = self.names.iter().filter(|name| hook(name).is_some()).collect();
        if hooked.is_empty() {
            let actions = self.chains.values().flat_map(|chain| &chain.rules);
            let called: HashSet<&Vec<u8>> = actions
                .filter_map(|(_, rule)| match &rule.action {
                    RuleAction::Jump(name) | RuleAction::Goto(name) => Some(name),
                    _ => None,
                })
                .collect();
            return self.names.iter().filter(|name| !called.contains(name)).collect();
        }
        hooked.sort_by_key(|name| hook(name));
        let to_this_host = |name: &&Vec<u8>| hook(name).is_some_and(|hook| hook <= NftHook::Input);
        let here: Vec<_> = hooked.iter().copied().filter(to_this_host).collect();
        if !here.is_empty() {
            return here;
        }
        hooked.into_iter().filter(|name| hook(name) == Some(NftHook::Forward)).collect()
    }

    /// A rule with its sets looked up; one with a map is several.
    fn rules(
        &self,
        line: Line<'a>,
        rule: &Parsed,
        shared: &HashMap<&[u8], Rc<[Named<'a>]>>,
    ) -> Vec<ProgramRule<'a>> {
        let Parsed { whom, breadth, action } = rule;
        let one = |source, breadth, action: &RuleAction| ProgramRule {
            line,
            source,
            breadth,
            action: action.clone(),
        };
        let named = |entry: &Entry| Named { line, entry: *entry, seconds: None };
        let unknown = || vec![one(RuleSource::Unknown, Breadth::Part, action)];
        match whom {
            Whom::All => vec![one(RuleSource::All, *breadth, action)],
            Whom::Unknown => vec![one(RuleSource::Unknown, *breadth, action)],
            Whom::But(but, family) => {
                let named = match &**but {
                    Whom::Some(entries) => Some(entries.iter().map(named).collect()),
                    Whom::Set(key) => shared.get(&key[..]).cloned(),
                    _ => None,
                };
                match named {
                    Some(named) => vec![one(RuleSource::AllBut(named, *family), *breadth, action)],
                    None => unknown(),
                }
            }
            Whom::Some(entries) => {
                vec![one(RuleSource::Of(entries.iter().map(named).collect()), *breadth, action)]
            }
            Whom::Set(key) => match shared.get(&key[..]) {
                Some(named) => vec![one(RuleSource::Of(named.clone()), *breadth, action)],
                None => unknown(),
            },
            Whom::Each(each) => each
                .iter()
                .map(|(entry, action)| one(RuleSource::Of([named(entry)].into()), *breadth, action))
                .collect(),
            Whom::Map(key) => match self.sets.get(key) {
                Some(map) if !map.other => map
                    .elements
                    .iter()
                    .filter_map(|(named, action)| {
                        Some(one(RuleSource::Of([*named].into()), *breadth, action.as_ref()?))
                    })
                    .collect(),
                _ => unknown(),
            },
        }
    }
}

fn first_line<'a>(sets: &[(Vec<u8>, Set<'a>)]) -> Option<Line<'a>> {
    sets.iter().find_map(|(_, set)| set.elements.first()).map(|(named, _)| named.line)
}

/// The name of a set without its table.
fn bare(key: &[u8]) -> &[u8] {
    key.rsplit(|&byte| byte == b'/').next().unwrap_or(key)
}
