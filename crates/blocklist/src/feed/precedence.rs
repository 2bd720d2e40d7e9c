//! Which of two rules about the same address counts, where a format has rules
//! that block and others that do not: the first one, or the most specific one.
//! Tells the result as exceptions, so that entries stay as they are written.

use std::ops::ControlFlow;

use super::disjoint::{Both, Disjoint, entries};
use super::visit::{Line, Visit};
use crate::{Address, AddressRange, AnyRange, Entry, Prefix};

/// Rules in order, of which the first that names an address decides.
pub(super) struct FirstMatch {
    /// `None` if there is no rule that allows.
    blocked: Option<Both>,
}

/// Makes exceptions of what of a range is not blocked, or ignores the line if
/// that is nothing.
fn except(
    blocked: &Both,
    range: AnyRange,
    line: Line<'_>,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    let outside = blocked.outside(range);
    if outside.is_empty() {
        visit.ignore(line);
    }
    outside.into_iter().try_for_each(|entry| visit.exception(line, entry))
}

impl FirstMatch {
    /// `allows`: whether rules that allow may come. Without them nothing need
    /// be remembered.
    pub(super) fn new(allows: bool) -> Self {
        Self { blocked: allows.then(Both::new) }
    }

    pub(super) fn block(
        &mut self,
        line: Line<'_>,
        entry: Entry,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        if let Some(blocked) = &mut self.blocked {
            blocked.insert(entry.range);
        }
        visit.entry(line, entry)
    }

    pub(super) fn allow(
        &mut self,
        line: Line<'_>,
        entry: Entry,
        visit: &mut impl Visit,
    ) -> ControlFlow<()> {
        match &self.blocked {
            Some(blocked) => except(blocked, entry.range, line, visit),
            None => visit.exception(line, entry),
        }
    }
}

/// A prefix in one of several sets, and what it says there.
struct Member<A> {
    set: usize,
    prefix: Prefix<A>,
    /// The number of the line among those that let pass, if it does.
    passes: Option<usize>,
}

/// The first and last address of what a line lets pass, and its number.
type Open<A> = (A, A, usize);

/// Sets with members that block and members that do not, in each of which the
/// most specific member counts. What one set blocks is blocked.
#[derive(Default)]
pub(super) struct MostSpecific<'a> {
    ipv4: Vec<Member<u32>>,
    ipv6: Vec<Member<u128>>,
    /// The lines that let pass.
    passing: Vec<Line<'a>>,
    /// Of two with the same addresses in the same set the latter counts.
    latter: bool,
}

impl<'a> MostSpecific<'a> {
    /// Sets of which one that is told twice of the same addresses believes the
    /// latter.
    pub(super) fn latter() -> Self {
        Self { latter: true, ..Self::default() }
    }

    /// A member that blocks.
    pub(super) fn block(&mut self, set: usize, range: AnyRange) {
        self.insert(set, range, None);
    }

    /// A member that does not, which wins over one with the same addresses in
    /// the same set, unless the latter counts.
    pub(super) fn pass(&mut self, set: usize, range: AnyRange, line: Line<'a>) {
        self.insert(set, range, Some(self.passing.len()));
        self.passing.push(line);
    }

    fn insert(&mut self, set: usize, range: AnyRange, passes: Option<usize>) {
        match range {
            AnyRange::V4(range) => insert(&mut self.ipv4, set, range, passes),
            AnyRange::V6(range) => insert(&mut self.ipv6, set, range, passes),
        }
    }

    /// Tells what is named only by members that do not block, as exceptions.
    pub(super) fn finish(self, visit: &mut impl Visit) -> ControlFlow<()> {
        let mut blocked = Both::new();
        let ipv4 = sweep(self.ipv4, self.latter, &mut blocked.ipv4);
        let ipv6 = sweep(self.ipv6, self.latter, &mut blocked.ipv6);
        tell(&ipv4, &blocked.ipv4, &self.passing, visit)?;
        tell(&ipv6, &blocked.ipv6, &self.passing, visit)
    }
}

fn insert<A: Address>(
    members: &mut Vec<Member<A>>,
    set: usize,
    range: AddressRange<A>,
    passes: Option<usize>,
) {
    members.extend(range.prefixes().map(|prefix| Member { set, prefix, passes }));
}

/// Members of one set that may overlap in any way, of which the last that names
/// an address counts.
#[derive(Default)]
pub(super) struct LastMatch<'a>(Vec<(AnyRange, Option<Line<'a>>)>);

impl<'a> LastMatch<'a> {
    /// A member that blocks, or the line of one that does not.
    pub(super) fn push(&mut self, range: AnyRange, passes: Option<Line<'a>>) {
        self.0.push((range, passes));
    }

    /// Puts what counts of each member into one of several sets, and has none
    /// itself from then on.
    pub(super) fn settle(&mut self, set: usize, members: &mut MostSpecific<'a>) {
        let mut decided = Both::new();
        for (range, passes) in self.0.drain(..).rev() {
            for part in decided.outside(range) {
                match passes {
                    Some(line) => members.pass(set, part.range, line),
                    None => members.block(set, part.range),
                }
            }
            decided.insert(range);
        }
    }
}

/// Makes exceptions of what is open and not blocked elsewhere.
fn tell<A: Address>(
    open: &[Open<A>],
    blocked: &Disjoint<A>,
    lines: &[Line<'_>],
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    open.iter().try_for_each(|&(first, last, line)| {
        let mut outside = entries(blocked.gaps(first, last)).into_iter();
        outside.try_for_each(|entry| visit.exception(lines[line], entry))
    })
}

/// The ranges that no set blocks by its most specific member; those that one
/// does are added to `blocked`.
fn sweep<A: Address>(
    mut members: Vec<Member<A>>,
    latter: bool,
    blocked: &mut Disjoint<A>,
) -> Vec<Open<A>> {
    if latter {
        members.sort_by_key(|member| (member.set, member.prefix));
    } else {
        members.sort_unstable_by_key(|member| (member.set, member.prefix, member.passes));
    }
    let mut open = Vec::new();
    for set in members.chunk_by(|one, other| one.set == other.set) {
        // The members around the place that was reached, the most specific one
        // last, and that place.
        let mut around: Vec<&Member<A>> = Vec::new();
        let mut reached = A::MIN;
        let mut say = |member: &Member<A>, first: A, last: A| match member.passes {
            _ if first > last => {}
            None => blocked.insert(first, last),
            Some(line) => open.push((first, last, line)),
        };
        let ends = set.iter().map(Some).chain([None]);
        for next in ends {
            let begin = next.map(|next| next.prefix.first());
            while let Some(ended) =
                around.pop_if(|member| begin.is_none_or(|begin| member.prefix.last() < begin))
            {
                say(ended, reached, ended.prefix.last());
                reached = ended.prefix.last().next().unwrap_or(A::MAX).max(reached);
                if ended.prefix.last() == A::MAX {
                    // Nothing is left, neither here nor around it.
                    around.clear();
                }
            }
            let Some(next) = next else { continue };
            if let (Some(outer), Some(before)) = (around.last(), next.prefix.first().previous()) {
                say(outer, reached, before);
            }
            reached = next.prefix.first();
            around.push(next);
        }
    }
    open
}
