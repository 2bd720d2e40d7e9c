//! The same addresses in fewer prefixes: without those inside others, or with
//! neighbours joined as well.

use crate::{Address, Prefix, PrefixColumns, PrefixSet};

impl<A: Address> PrefixSet<A> {
    /// The same addresses without the prefixes that lie inside another one.
    /// What stays is as it was written.
    #[must_use]
    pub fn without_covered(&self) -> Self {
        if self.is_apart() {
            return self.clone();
        }
        let mut left = PrefixColumns::with_capacity(self.len());
        for prefix in self.uncovered() {
            left.push(prefix);
        }
        left.finish()
    }

    /// Whether no prefix lies inside another one.
    fn is_apart(&self) -> bool {
        if self.has_hosts_only() {
            return true;
        }
        let mut pairs = self.iter().zip(self.iter().skip(1));
        pairs.all(|(one, next)| one.last() < next.first())
    }

    /// Whether all prefixes are single addresses, as those of most feeds are. Much is
    /// simple then, and this is told in no time.
    pub(super) fn has_hosts_only(&self) -> bool {
        let differ =
            |lengths: &[u8]| lengths.iter().fold(0, |bits, length| bits | length ^ A::BITS);
        self.lengths().chunks(1_024).all(|lengths| differ(lengths) == 0)
    }

    /// The fewest prefixes with the same addresses.
    #[must_use]
    pub fn aggregate(&self) -> Self {
        let mut joined = PrefixColumns::with_capacity(self.len());
        let mut prefixes = self.uncovered();
        let Some(mut last) = prefixes.next() else { return self.clone() };
        // The last one stays in hand: mostly it is not joined to the next.
        for prefix in prefixes {
            let Some(mut parent) = join(last, prefix) else {
                joined.push(last);
                last = prefix;
                continue;
            };
            while let Some(wider) = joined.last().and_then(|before| join(before, parent)) {
                joined.pop();
                parent = wider;
            }
            last = parent;
        }
        joined.push(last);
        joined.finish()
    }

    /// The prefixes that do not lie inside another one, in sorted order. A
    /// covering prefix sorts before all that it covers, so it is enough to
    /// know the last one that stayed.
    pub(crate) fn uncovered(&self) -> impl Iterator<Item = Prefix<A>> + '_ {
        let mut end = None;
        self.iter().filter(move |prefix| {
            let stays = end.is_none_or(|end| end < prefix.first());
            if stays {
                end = Some(prefix.last());
            }
            stays
        })
    }
}

/// The parent of two halves, or `None` if they are not its halves. `low` sorts
/// before `high`.
#[inline]
fn join<A: Address>(low: Prefix<A>, high: Prefix<A>) -> Option<Prefix<A>> {
    let parent = low.parent().filter(|_| low.length() == high.length())?;
    (parent.first() == low.first() && parent.contains(high.first())).then_some(parent)
}
