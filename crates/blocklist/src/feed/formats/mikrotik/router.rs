//! A router while a script fills its lists and adds its rules, and what they come
//! to. Knows no spelling.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::super::super::addresses::is_everything;
use super::super::super::program::{self, Breadth, Named, Program, RuleAction, RuleSource};
use super::super::super::verdict::is_welcoming;
use super::super::super::visit::{Line, Visit};
use super::super::super::{Options, Why};
use super::address_or_range;
use super::rules::{Menu, RouterRule};
use crate::RejectReason;

/// Chains that packets to this router go through, in this order.
const TO_THIS_HOST: [&[u8]; 2] = [b"raw/prerouting", b"filter/input"];
/// What a file with rules for other hosts only is about, if somebody wants that.
const THROUGH: &[u8] = b"filter/forward";
const ONLY_THROUGH: Why =
    Why::Structure("all rules are about what passes through to other hosts (`chain=forward`)");

/// Whom a rule is about.
enum Whom<'a> {
    All,
    One(Named<'a>),
    List(Vec<u8>),
    But(Box<Whom<'a>>),
}

struct Held<'a> {
    line: Line<'a>,
    whom: Whom<'a>,
    breadth: Breadth,
    action: RuleAction,
}

/// What a script has done so far.
#[derive(Default)]
pub(super) struct Router<'a> {
    pub menu: Menu,
    lists: HashMap<Vec<u8>, Vec<Named<'a>>>,
    chains: HashMap<Vec<u8>, Vec<Held<'a>>>,
}

impl<'a> Router<'a> {
    pub(super) fn add(&mut self, list: Vec<u8>, named: Named<'a>) {
        self.lists.entry(list).or_default().push(named);
    }

    pub(super) fn clear(&mut self, list: &[u8]) {
        self.lists.remove(list);
    }

    pub(super) fn rule(
        &mut self,
        line: Line<'a>,
        rule: &RouterRule<'_>,
    ) -> Result<(), RejectReason> {
        let menu: &[u8] = match rule.menu.unwrap_or(self.menu) {
            Menu::Filter => b"filter/",
            Menu::Raw => b"raw/",
            Menu::Other => return Ok(()),
        };
        let whom = match (rule.address, rule.list) {
            (None, None) => Whom::All,
            (Some(text), _) => but(text, |text| match address_or_range(text)? {
                entry if is_everything(entry) => Ok(Whom::All),
                entry => Ok(Whom::One(Named { line, entry, seconds: None })),
            })?,
            (None, Some(list)) => but(list, |list| Ok(Whom::List(list.to_vec())))?,
        };
        let action = match rule.action {
            b"drop" | b"reject" | b"tarpit" => RuleAction::Drop,
            b"" | b"accept" | b"fasttrack-connection" => RuleAction::Accept,
            b"return" => RuleAction::Return,
            b"jump" => RuleAction::Jump([menu, rule.target].concat()),
            _ => RuleAction::Nothing,
        };
        let breadth = match (rule.narrowed, rule.beside) {
            (false, true) if action != RuleAction::Drop => Breadth::Beside,
            (false, false) => Breadth::Whole,
            _ => Breadth::Part,
        };
        let rules = self.chains.entry([menu, rule.chain].concat()).or_default();
        let at = if rule.first { 0 } else { rules.len() };
        rules.insert(at, Held { line, whom, breadth, action });
        Ok(())
    }

    /// Tells what the rules block, or else what is in the lists.
    pub(super) fn finish(mut self, options: &Options, visit: &mut impl Visit) -> ControlFlow<()> {
        if !self.chains.is_empty() && options.select.is_empty() {
            if let Some(line) = self.only_through() {
                visit.doubt(line, ONLY_THROUGH);
            }
            return self.program().run(visit);
        }
        let counts = self.lists.iter().map(|(name, list)| (&name[..], list.len() as u64));
        let doubt = Why::sets(counts).filter(|_| options.select.is_empty());
        let mut all: Vec<(bool, Named<'a>)> = Vec::new();
        for (name, list) in self.lists.drain() {
            if !options.selects(&name) {
                for named in &list {
                    visit.left_out(named.line);
                }
                continue;
            }
            let welcome = options.select.is_empty() && is_welcoming(&name);
            if welcome {
                visit.rules();
            }
            all.extend(list.into_iter().map(|named| (welcome, named)));
        }
        all.sort_by_key(|(_, named)| named.line.number());
        if let Some((why, (_, named))) = doubt.zip(all.first()) {
            visit.doubt(named.line, why);
        }
        all.into_iter().try_for_each(|(welcome, Named { line, entry, seconds })| {
            match (welcome, seconds) {
                (true, _) => visit.exception(line, entry),
                (false, None) => visit.entry(line, entry),
                (false, Some(seconds)) => visit.lasting(line, entry, seconds),
            }
        })
    }

    /// The first rule, if all are for what passes through to other hosts.
    fn only_through(&self) -> Option<Line<'a>> {
        let here = TO_THIS_HOST.into_iter().any(|name| self.chains.contains_key(name));
        let rules = self.chains.get(THROUGH).filter(|_| !here)?;
        rules.first().map(|held| held.line)
    }

    fn program(self) -> Program<'a> {
        let mut program = Program::default();
        let here = TO_THIS_HOST.into_iter().filter(|name| self.chains.contains_key(*name));
        let mut base: Vec<&[u8]> = here.collect();
        if base.is_empty() {
            base.push(THROUGH);
        }
        for name in base {
            program.begin_with(name.to_vec());
        }
        let lists: HashMap<Vec<u8>, Rc<[Named<'a>]>> =
            self.lists.into_iter().map(|(name, list)| (name, list.into())).collect();
        for (name, rules) in self.chains {
            let rules = rules.into_iter().map(|Held { line, whom, breadth, action }| {
                let source = match whom {
                    Whom::All => RuleSource::All,
                    Whom::But(whom) => match *whom {
                        Whom::One(named) => all_but(&[named].into()),
                        Whom::List(list) => lists.get(&list).map_or(RuleSource::Unknown, all_but),
                        Whom::All | Whom::But(_) => RuleSource::Of([].into()),
                    },
                    Whom::One(named) => RuleSource::Of([named].into()),
                    // If it is filled elsewhere, nobody knows by whom.
                    Whom::List(list) => {
                        lists.get(&list).cloned().map_or(RuleSource::Unknown, RuleSource::Of)
                    }
                };
                program::ProgramRule { line, source, breadth, action }
            });
            program.chain(name, rules.collect());
        }
        program
    }
}

/// Whom a property is about that may begin with `!`.
fn but<'a>(
    text: &[u8],
    whom: impl FnOnce(&[u8]) -> Result<Whom<'a>, RejectReason>,
) -> Result<Whom<'a>, RejectReason> {
    match text {
        [b'!', text @ ..] => Ok(Whom::But(Box::new(whom(text)?))),
        text => whom(text),
    }
}

/// A list holds one family, and a rule is about that family only.
fn all_but<'a>(named: &Rc<[Named<'a>]>) -> RuleSource<'a> {
    match named.first() {
        Some(one) => RuleSource::AllBut(named.clone(), one.entry.range.family()),
        None => RuleSource::Unknown,
    }
}
