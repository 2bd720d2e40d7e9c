//! In how many prefix lengths the members of a set are written: of the same
//! addresses, so that no rule can tell the difference but by its speed.

use blocklist::{Address, Lengths, PrefixSet};

use crate::{Members, ObservedSet};

/// How members are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberLayout {
    /// As the list has them.
    #[default]
    Exact,
    /// In the fewest lengths, for so many percent of members more at the most.
    FewLengths {
        /// How many percent.
        extra_percent_max: u32,
    },
}

/// About how long the kernel looks up a packet whose address is in no member,
/// by the number of distinct prefix lengths: it asks the table once for each.
/// Nanoseconds, measured on 2026-11-29 with half a million members on Linux
/// 6.18; tables that fit into the processor's caches take half of it, and other
/// processors other times, but twice the lengths twice as long.
pub fn miss_nanoseconds(lengths: usize) -> u64 {
    LENGTH_NS * lengths as u64
}

const LENGTH_NS: u64 = 80;

/// What members are written from, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaidOut {
    /// How they are written.
    pub layout: MemberLayout,
    /// The members as their list has them.
    pub source: Members,
}

impl LaidOut {
    /// The members as they are to be written in a set that was seen. What was
    /// laid out once is not again.
    pub(crate) fn members(&self, seen: Option<&ObservedSet>) -> Members {
        let before = seen.and_then(|seen| seen.members.as_ref());
        match (seen.and_then(|seen| seen.laid_out.as_ref()), before) {
            (Some(known), Some(before)) if known == self => before.clone(),
            _ => self.layout.of(&self.source, before),
        }
    }
}

impl MemberLayout {
    /// The members as they are to be written where those `before` are; the same
    /// if they are best as they are.
    fn of(self, members: &Members, before: Option<&Members>) -> Members {
        let Self::FewLengths { extra_percent_max: extra } = self else { return members.clone() };
        let few = match (members, before) {
            (Members::V4(set), Some(Members::V4(before))) => few(set, Some(before), extra),
            (Members::V6(set), Some(Members::V6(before))) => few(set, Some(before), extra),
            (Members::V4(set), _) => few(set, None, extra),
            (Members::V6(set), _) => few(set, None, extra),
        };
        few.unwrap_or_else(|| members.clone())
    }
}

fn few<A: Address>(
    set: &PrefixSet<A>,
    before: Option<&PrefixSet<A>>,
    extra_percent_max: u32,
) -> Option<Members>
where
    Members: From<PrefixSet<A>>,
{
    let kept = before.map_or_else(Lengths::default, |before| Lengths::of(before));
    set.in_few_lengths(extra_percent_max, &kept).map(Into::into)
}
