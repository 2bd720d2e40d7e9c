//! What is in the sets of a script while its commands change that. Knows no
//! spelling.

use std::collections::HashMap;

use super::super::super::visit::Line;
use crate::{AnyRange, Entry};

/// An entry of a set, and where it was added.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub line: Line<'a>,
    pub entry: Entry,
    pub seconds: Option<u64>,
}

/// A command that moves or empties whole sets.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// One set, or all.
    Empty(Option<&'a [u8]>),
    Swap(&'a [u8], &'a [u8]),
    Rename(&'a [u8], &'a [u8]),
}

/// The sets by name.
#[derive(Default)]
pub(super) struct Kept<'a> {
    sets: HashMap<&'a [u8], HashMap<AnyRange, Member<'a>>>,
}

impl<'a> Kept<'a> {
    pub(super) fn set(&mut self, name: &'a [u8]) -> &mut HashMap<AnyRange, Member<'a>> {
        self.sets.entry(name).or_default()
    }

    pub(super) fn change(&mut self, change: Change<'a>) {
        match change {
            Change::Empty(None) => self.sets.clear(),
            Change::Empty(Some(name)) => drop(self.sets.remove(name)),
            Change::Swap(one, other) => {
                let [first, second] = [one, other].map(|name| self.sets.remove(name));
                self.sets.extend(first.map(|set| (other, set)));
                self.sets.extend(second.map(|set| (one, set)));
            }
            Change::Rename(from, to) => {
                if let Some(set) = self.sets.remove(from) {
                    self.sets.insert(to, set);
                }
            }
        }
    }

    /// Everything, in the order of the lines.
    pub(super) fn into_members(self) -> Vec<(&'a [u8], Member<'a>)> {
        let sets = self.sets.into_iter();
        let mut all: Vec<_> = sets
            .flat_map(|(name, set)| set.into_values().map(move |member| (name, member)))
            .collect();
        all.sort_by_key(|(_, member)| member.line.number());
        all
    }
}
