//! The levels of a configuration of nginx, and whom each of them turns away: rules
//! about access are taken from the level outside only where a level has none of
//! its own. Source:
//! <https://nginx.org/en/docs/http/ngx_http_access_module.html> and
//! `ngx_http_access_merge_loc_conf` in `src/http/modules/ngx_http_access_module.c`.
//! Knows no spelling.

use super::super::super::disjoint::Both;
use super::super::super::visit::{Line, Visit};
use crate::{AnyRange, Entry, Family};

/// Whom a rule is about.
#[derive(Clone, Copy)]
pub(super) enum AccessWhom {
    One(Entry),
    /// All of IPv4, of IPv6, or of both.
    Rest([bool; 2]),
}

/// `deny` or `allow`.
#[derive(Clone, Copy)]
pub(super) struct AccessRule<'a> {
    pub line: Line<'a>,
    pub blocks: bool,
    pub whom: AccessWhom,
}

/// A level: the file, or a block in it that may have rules of its own.
#[derive(Default)]
struct Level<'a> {
    /// The level outside.
    outside: usize,
    rules: Vec<AccessRule<'a>>,
    /// What it says of `satisfy any`, by which a password lets in as well.
    satisfied_by_any: Option<bool>,
    /// Whether another level answers for all paths of it.
    passes_on: bool,
}

/// The levels in their order, the file first.
pub(super) struct Levels<'a>(Vec<Level<'a>>);

/// The level of the file.
const FILE: usize = 0;

impl<'a> Levels<'a> {
    pub(super) fn new() -> Self {
        Self(vec![Level::default()])
    }

    /// Begins a level within another and gives its number. `root`: whether it is
    /// for all paths that no other level there is for.
    pub(super) fn open(&mut self, outside: usize, root: bool) -> usize {
        self.0[outside].passes_on |= root;
        self.0.push(Level { outside, ..Level::default() });
        self.0.len() - 1
    }

    pub(super) fn push(&mut self, level: usize, rule: AccessRule<'a>) {
        self.0[level].rules.push(rule);
    }

    pub(super) fn satisfy(&mut self, level: usize, any: bool) {
        self.0[level].satisfied_by_any = Some(any);
    }

    /// The rules that count for the file as a whole, and of each level that has
    /// others, whom it turns away: who is turned away everywhere is in all of them.
    /// `root` is the level of `location /` in the file, if there is one. Rules of
    /// another level that are about all paths count for a part only then.
    pub(super) fn settle(
        mut self,
        root: Option<usize>,
        visit: &mut impl Visit,
    ) -> (Vec<AccessRule<'a>>, Vec<Both>) {
        let whole = self.ruling(root.unwrap_or(FILE));
        if whole != FILE {
            self.0[FILE].rules.iter().for_each(|rule| visit.narrower(rule.line));
        }
        let mut others: Vec<Both> = Vec::new();
        let mut told = vec![whole];
        for level in 0..self.0.len() {
            let ruling = self.ruling(level);
            if self.satisfied_by_any(level) {
                others.push(Both::new());
            }
            if !self.0[level].passes_on && !told.contains(&ruling) {
                told.push(ruling);
                others.push(turned_away(&self.0[ruling].rules));
            }
        }
        (std::mem::take(&mut self.0[whole].rules), others)
    }

    /// The level whose rules are those of this one.
    fn ruling(&self, mut level: usize) -> usize {
        while level != FILE && self.0[level].rules.is_empty() {
            level = self.0[level].outside;
        }
        level
    }

    fn satisfied_by_any(&self, mut level: usize) -> bool {
        while level != FILE && self.0[level].satisfied_by_any.is_none() {
            level = self.0[level].outside;
        }
        self.0[level].satisfied_by_any.unwrap_or_default()
    }
}

/// Whom rules turn away, of which the first that names somebody counts.
fn turned_away(rules: &[AccessRule<'_>]) -> Both {
    let (mut decided, mut away) = (Both::new(), Both::new());
    for rule in rules {
        let ranges: Vec<AnyRange> = match rule.whom {
            AccessWhom::One(entry) => vec![entry.range],
            AccessWhom::Rest(families) => families_of(families),
        };
        for range in ranges {
            for part in decided.outside(range).into_iter().filter(|_| rule.blocks) {
                away.insert(part.range);
            }
            decided.insert(range);
        }
    }
    away
}

fn families_of(families: [bool; 2]) -> Vec<AnyRange> {
    let mut all = Both::new();
    for (is_named, family) in families.into_iter().zip([Family::Ipv4, Family::Ipv6]) {
        if is_named {
            all.insert_all(family);
        }
    }
    all.ranges()
}
