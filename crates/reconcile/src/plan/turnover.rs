//! What a set gains and loses. Where that is most of it, it is counted at first and
//! listed only if somebody wants to write it: a list takes three times as long.

use blocklist::AnyPrefix;

use crate::{Chunk, Members};

/// Members that are taken out and looked for later, at the most.
const GONE_MAX: usize = 16;

/// Of so many members it is asked whether they stay, before anything else.
const GLANCE: usize = 256;

/// From one set of members to another.
pub(super) struct Turnover<'a> {
    before: &'a Members,
    after: &'a Members,
    measured: Measured,
}

enum Measured {
    /// What comes, and what goes.
    Listed([Members; 2]),
    /// How many members stay.
    Stay(usize),
}

impl<'a> Turnover<'a> {
    pub(super) fn between(before: &'a Members, after: &'a Members) -> Self {
        let measured = if mostly_goes(before, after) {
            Measured::Stay(before.count_in_common(after))
        } else {
            Measured::Listed(after.differences(before))
        };
        Self { before, after, measured }
    }

    /// How many come, and how many go.
    pub(super) fn counts(&self) -> [usize; 2] {
        match &self.measured {
            Measured::Listed(listed) => listed.each_ref().map(Members::len),
            Measured::Stay(stay) => [self.after, self.before].map(|members| members.len() - stay),
        }
    }

    /// What comes, and what goes.
    pub(super) fn listed(self) -> [Members; 2] {
        match self.measured {
            Measured::Listed(listed) => listed,
            Measured::Stay(_) => self.after.differences(self.before),
        }
    }

    /// A few of those that go, whose addresses no other member holds.
    pub(super) fn sample_of_gone(&self) -> Members {
        let none = Members::none(self.before.family());
        let spread = |members: &Members, most| Chunk::spread(members, most, 0);
        let gone = match &self.measured {
            Measured::Listed([_, gone]) => spread(gone, GONE_MAX),
            Measured::Stay(_) => {
                let some = spread(self.before, GLANCE);
                let gone = some.map(|some| some.iter().filter(|&it| !self.after.has(it)).collect());
                gone.and_then(|gone| spread(&Members::of_family(none.family(), gone), GONE_MAX))
            }
        };
        let Some(gone) = gone else { return none };
        let held = |member: AnyPrefix| self.after.covering(member.network()).is_some();
        Members::of_family(none.family(), gone.iter().filter(|&member| !held(member)).collect())
    }
}

/// Whether most members go, as far as a look at a few can tell.
fn mostly_goes(before: &Members, after: &Members) -> bool {
    Chunk::spread(before, GLANCE, 0).is_some_and(|some| {
        let stay = some.iter().filter(|&member| after.has(member)).count();
        stay < some.len() / 2
    })
}

#[cfg(test)]
mod tests {
    use blocklist::{Prefix, PrefixSet};

    use super::*;

    fn hosts(hosts: impl IntoIterator<Item = u32>) -> Members {
        hosts.into_iter().map(Prefix::host).collect::<PrefixSet<u32>>().into()
    }

    /// A change from hosts to others, and whether it is listed from the beginning.
    fn check(before: &Members, after: &Members, listed: bool) {
        let turnover = Turnover::between(before, after);
        assert_eq!(matches!(turnover.measured, Measured::Listed(_)), listed);
        let want = after.differences(before);
        assert_eq!(turnover.counts(), want.each_ref().map(Members::len));
        let sample = turnover.sample_of_gone();
        assert!((1..=GONE_MAX).contains(&sample.len()), "{sample:?}");
        assert!(sample.iter().all(|member| want[1].has(member)));
        assert_eq!(turnover.listed(), want);
    }

    #[test]
    fn whether_little_goes_or_most_what_comes_and_goes_is_told_the_same() {
        let all = hosts(0..5_000);
        check(&all, &hosts(3..5_007), true);
        check(&all, &hosts((0..5_000).filter(|host| host % 7 > 1)), true);
        check(&all, &hosts((0..5_000).filter(|host| host % 7 > 5)), false);
        check(&all, &hosts(4_999..9_000), false);
        check(&all, &hosts([]), false);
        check(&hosts(0..5), &hosts(5..9_000), false);
        // Where a look at a few is wrong, it only takes longer.
        let stride = 5_000_u32.div_ceil(256);
        check(&all, &hosts((0..5_000).filter(|host: &u32| !host.is_multiple_of(stride))), false);
        check(&all, &hosts((0..5_000).filter(|host: &u32| host.is_multiple_of(stride))), true);
    }

    #[test]
    fn a_member_that_goes_into_a_wider_one_is_not_looked_for() {
        let before = hosts(0..1_000);
        let wider: PrefixSet<u32> = [Prefix::containing(0, 23)].into_iter().collect();
        let after = wider.into();
        let turnover = Turnover::between(&before, &after);
        assert_eq!(turnover.counts(), [1, 1_000]);
        let sample = turnover.sample_of_gone();
        assert!(!sample.is_empty());
        assert!(sample.iter().all(|member| after.covering(member.network()).is_none()));
    }
}
