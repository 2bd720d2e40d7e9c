//! The tables and chains of iptables while a file fills them: what was added,
//! put before, taken out and replaced. Knows no addresses.

use std::collections::{HashMap, HashSet};

use super::super::super::program::{Program, ProgramRule};
use super::super::super::visit::Line;

/// Chains that packets to this host go through, in this order.
const TO_THIS_HOST: [&[u8]; 5] =
    [b"raw/PREROUTING", b"mangle/PREROUTING", b"nat/PREROUTING", b"mangle/INPUT", b"filter/INPUT"];
/// What a file with rules for other hosts only is about, if somebody wants that.
const THROUGH: &[u8] = b"filter/FORWARD";
/// What the names of chains have in them through which packets leave.
const OUTWARDS: [&[u8]; 4] = [b"OUTPUT", b"output", b"POSTROUTING", b"forward"];

/// One chain.
struct Chain<'a> {
    /// `TABLE/NAME`.
    name: Vec<u8>,
    rules: Vec<WrittenRule<'a>>,
}

/// A rule as it was written.
pub(super) struct WrittenRule<'a> {
    /// Its words, by which it is found again.
    pub words: Vec<&'a [u8]>,
    pub rule: ProgramRule<'a>,
}

/// All chains, in the order in which they came.
#[derive(Default)]
pub(super) struct Tables<'a> {
    chains: Vec<Chain<'a>>,
    places: HashMap<Vec<u8>, usize>,
}

impl<'a> Tables<'a> {
    fn of(&mut self, name: &[u8]) -> &mut Vec<WrittenRule<'a>> {
        let at = self.places.get(name).copied().unwrap_or_else(|| {
            self.chains.push(Chain { name: name.to_vec(), rules: Vec::new() });
            self.places.insert(name.to_vec(), self.chains.len() - 1);
            self.chains.len() - 1
        });
        &mut self.chains[at].rules
    }

    pub(super) fn declare(&mut self, name: &[u8]) {
        self.of(name);
    }

    pub(super) fn append(&mut self, name: &[u8], held: WrittenRule<'a>) {
        self.of(name).push(held);
    }

    /// `place` is from 1.
    pub(super) fn insert(&mut self, name: &[u8], place: usize, held: WrittenRule<'a>) {
        let rules = self.of(name);
        rules.insert(place.saturating_sub(1).min(rules.len()), held);
    }

    pub(super) fn replace(&mut self, name: &[u8], place: usize, held: WrittenRule<'a>) {
        if let Some(rule) = place.checked_sub(1).and_then(|at| self.of(name).get_mut(at)) {
            *rule = held;
        }
    }

    pub(super) fn delete(&mut self, name: &[u8], words: &[&[u8]]) {
        let rules = self.of(name);
        if let Some(at) = rules.iter().position(|held| held.words == words) {
            rules.remove(at);
        }
    }

    pub(super) fn delete_at(&mut self, name: &[u8], place: usize) {
        let rules = self.of(name);
        if let Some(at) = place.checked_sub(1).filter(|&at| at < rules.len()) {
            rules.remove(at);
        }
    }

    /// Empties a chain, or all of a table.
    pub(super) fn flush(&mut self, table: &[u8], name: Option<&[u8]>) {
        if let Some(name) = name {
            self.of(name).clear();
            return;
        }
        let inside = [table, b"/"].concat();
        let chains = self.chains.iter_mut().filter(|chain| chain.name.starts_with(&inside));
        chains.for_each(|chain| chain.rules.clear());
    }

    pub(super) fn rename(&mut self, from: &[u8], to: &[u8]) {
        if let Some(at) = self.places.remove(from) {
            self.chains[at].name = to.to_vec();
            self.places.insert(to.to_vec(), at);
        }
    }

    /// The first rule, if all are for what passes through to other hosts.
    pub(super) fn only_through(&self) -> Option<Line<'a>> {
        let here = TO_THIS_HOST.into_iter().any(|name| self.places.contains_key(name));
        let rules = &self.chains[*self.places.get(THROUGH).filter(|_| !here)?].rules;
        rules.first().map(|held| held.rule.line)
    }

    /// The chains as packets to this host go through them.
    ///
    /// A file that has none of the chains of the kernel is a part of something
    /// that calls its chains: then all that nobody in it calls are meant.
    pub(super) fn program(self, calls: &HashSet<Vec<u8>>) -> Program<'a> {
        let mut program = Program::default();
        let known = |name: &[u8]| self.places.contains_key(name);
        let mut base: Vec<&[u8]> = TO_THIS_HOST.into_iter().filter(|name| known(name)).collect();
        if base.is_empty() && known(THROUGH) {
            base.push(THROUGH);
        }
        if base.is_empty() {
            let outwards = |name: &[u8]| {
                OUTWARDS.iter().any(|part| memchr::memmem::find(name, part).is_some())
            };
            let names = self.chains.iter().map(|chain| &chain.name[..]);
            let open = names.filter(|name| !outwards(name));
            base.extend(open.filter(|name| !calls.contains(*name)));
        }
        for name in base {
            program.begin_with(name.to_vec());
        }
        for Chain { name, rules } in self.chains {
            program.chain(name, rules.into_iter().map(|held| held.rule).collect());
        }
        program
    }
}
