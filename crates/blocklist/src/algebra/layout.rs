//! Layouts: the same addresses in prefixes of few lengths. A kernel set tries
//! one length after the other for each packet, so that a packet of which it
//! knows nothing pays for all of them; a member more costs nothing but memory.

use crate::{Address, Prefix, PrefixColumns, PrefixSet};

/// Lengths of prefixes, ascending, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lengths(Vec<u8>);

/// How many lengths more than the fewest a layout may have and be kept, so
/// that the lengths do not change to and fro with the feeds of a day.
const KEPT_SURPLUS: usize = 1;

impl Lengths {
    /// Those that occur in a set.
    pub fn of<A: Address>(set: &PrefixSet<A>) -> Self {
        Self(set.length_counts().into_iter().map(|(length, _)| length).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.0.iter().copied()
    }

    /// The shortest that is at least so long.
    fn at_least(&self, length: u8) -> Option<u8> {
        self.0.get(self.0.partition_point(|&own| own < length)).copied()
    }

    /// How many members it takes in these lengths to hold what so many prefixes
    /// of each length hold. `None` if that cannot be said in them, or in no
    /// number.
    fn members(&self, counts: &[(u8, u64)]) -> Option<u64> {
        counts.iter().try_fold(0_u64, |sum, &(length, count)| {
            let parts = parts(length, self.at_least(length)?)?;
            sum.checked_add(count.checked_mul(parts)?)
        })
    }

    /// The fewest lengths in which it takes no more than `members_max`, and of
    /// as many lengths those in which it takes the fewest.
    ///
    /// A length that does not occur is never better than the longest of those
    /// that are written in it. So the lengths that occur are cut into groups of
    /// neighbours, each written in its last one, and the best cut into one group
    /// more follows from the best cuts into one less.
    fn fewest(counts: &[(u8, u64)], members_max: u64) -> Self {
        // For each end, the members of the best cut so far and where its last
        // group begins.
        let mut cuts: Vec<Vec<Option<(u64, usize)>>> = Vec::new();
        for groups in 0..counts.len() {
            let row: Vec<_> = (0..counts.len())
                .map(|end| {
                    let before = cuts.last();
                    best_last_group(counts, before.map(Vec::as_slice), end)
                })
                .collect();
            let all = row.last().copied().flatten();
            cuts.push(row);
            if all.is_some_and(|(members, _)| members <= members_max) || groups + 1 == counts.len()
            {
                break;
            }
        }
        let mut lengths = Vec::with_capacity(cuts.len());
        let mut end = counts.len();
        while let (Some(row), Some(last)) = (cuts.pop(), end.checked_sub(1)) {
            lengths.push(counts[last].0);
            end = row[last].map_or(0, |(_, begin)| begin);
        }
        lengths.reverse();
        Self(lengths)
    }
}

/// The best last group of those that end with `end`, after the best cuts of
/// what is before it.
fn best_last_group(
    counts: &[(u8, u64)],
    before: Option<&[Option<(u64, usize)>]>,
    end: usize,
) -> Option<(u64, usize)> {
    let (longest, _) = counts[end];
    let mut group = 0_u64;
    let mut best: Option<(u64, usize)> = None;
    for begin in (0..=end).rev() {
        let (length, count) = counts[begin];
        // Shorter ones take more still.
        let Some(more) = parts(length, longest).and_then(|parts| count.checked_mul(parts)) else {
            break;
        };
        group = group.checked_add(more)?;
        let rest = match (before, begin.checked_sub(1)) {
            (None, None) => Some(0),
            (Some(before), Some(last)) => before[last].map(|(members, _)| members),
            _ => None,
        };
        let all = rest.and_then(|rest| rest.checked_add(group));
        if let Some(all) = all.filter(|&all| best.is_none_or(|(least, _)| all < least)) {
            best = Some((all, begin));
        }
    }
    best
}

/// How many prefixes of one length a shorter one holds.
fn parts(shorter: u8, longer: u8) -> Option<u64> {
    1_u64.checked_shl((longer - shorter).into())
}

impl<A: Address> PrefixSet<A> {
    /// The same addresses in the fewest lengths that cost at most so many
    /// percent of members more; in the lengths that are `kept` while these are
    /// nearly as good. `None` if it is best as it is.
    #[must_use]
    pub fn in_few_lengths(&self, extra_percent_max: u32, kept: &Lengths) -> Option<Self> {
        let written = Lengths::of(self);
        if written.len() < 2 {
            return None;
        }
        let joined = self.aggregate();
        let counts = joined.length_counts();
        if counts.first().is_some_and(|&(length, _)| length == 0) {
            // The kernel has no member for all addresses.
            return None;
        }
        let own = self.uncovered().count() as u64;
        let members_max = own + own * u64::from(extra_percent_max) / 100;
        let fewest = Lengths::fewest(&counts, members_max);
        let is_good = |kept: &Lengths| {
            kept.members(&counts).is_some_and(|members| members <= members_max)
                && kept.len() <= fewest.len() + KEPT_SURPLUS
        };
        let lengths = if is_good(kept) { kept } else { &fewest };
        let members = lengths.members(&counts)?;
        (lengths.len() < written.len())
            .then(|| joined.written_in(lengths, usize::try_from(members).unwrap_or_default()))
    }

    /// Whether both hold the same addresses, however they are written.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        self == other || self.stretches().eq(other.stretches())
    }

    /// The first and the last address of each stretch without a gap.
    fn stretches(&self) -> impl Iterator<Item = (A, A)> + '_ {
        let mut prefixes = self.uncovered().peekable();
        std::iter::from_fn(move || {
            let begin = prefixes.next()?;
            let mut last = begin.last();
            while let Some(more) = prefixes.next_if(|more| last.next() == Some(more.first())) {
                last = more.last();
            }
            Some((begin.first(), last))
        })
    }

    /// Each prefix in parts of the next length of `lengths`. No prefix lies in
    /// another.
    fn written_in(&self, lengths: &Lengths, members: usize) -> Self {
        let mut written = PrefixColumns::with_capacity(members);
        for prefix in self.iter() {
            let length = lengths.at_least(prefix.length()).unwrap_or(A::BITS);
            let mut first = Some(prefix.first());
            while let Some(address) = first.filter(|&address| prefix.contains(address)) {
                let part = Prefix::containing(address, length);
                written.push(part);
                first = part.last().next();
            }
        }
        written.finish()
    }
}
