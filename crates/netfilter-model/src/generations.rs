//! What a set that rules see may hold: one generation, or the way between
//! several. Judged member by member and, because a packet knows no members,
//! address by address.

use std::collections::BTreeSet;

use blocklist::{Address, AnyPrefix, Prefix};

use crate::sets::covers;

/// Members up to which sets are judged address by address.
const JUDGED_BY_ADDRESS_MAX: usize = 200;

/// The contents that a set has had, is to have, or was given by somebody
/// else, since it was last known to be settled. The last is the newest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generations(Vec<BTreeSet<AnyPrefix>>);

impl Generations {
    /// From now on these contents are among those allowed.
    pub(crate) fn allow(&mut self, members: BTreeSet<AnyPrefix>) {
        if self.0.last() != Some(&members) {
            self.0.push(members);
        }
    }

    /// Contents from which the set starts towards the newest.
    pub(crate) fn start_from(&mut self, members: BTreeSet<AnyPrefix>) {
        if !self.0.contains(&members) {
            self.0.insert(0, members);
        }
    }

    /// Somebody else left the set like this. What is under way goes on from
    /// there, and what he took out of the newest is missing in the end.
    pub(crate) fn disturb(&mut self, members: BTreeSet<AnyPrefix>) {
        if let Some(newest) = self.0.last() {
            let rest = newest.intersection(&members).copied().collect();
            self.start_from(rest);
        }
        self.start_from(members);
    }

    /// Only the newest is allowed from now on.
    pub(crate) fn settle(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(1));
    }

    /// The newest, if there is any.
    pub(crate) fn newest(&self) -> Option<&BTreeSet<AnyPrefix>> {
        self.0.last()
    }

    /// What is wrong with these contents, if anything is.
    pub(crate) fn objection(&self, actual: &BTreeSet<AnyPrefix>) -> Option<String> {
        let first = self.0.first()?;
        let common = |member: &&AnyPrefix| self.0.iter().all(|one| one.contains(member));
        if let Some(missing) = first.iter().filter(common).find(|one| !actual.contains(one)) {
            return Some(format!("{missing} is in every generation and not in the set"));
        }
        if let Some(extra) =
            actual.iter().find(|member| !self.0.iter().any(|one| one.contains(member)))
        {
            return Some(format!("{extra} is in no generation and in the set"));
        }
        // Quadratic, and in sets of this size members say it all.
        if self.0.iter().map(BTreeSet::len).sum::<usize>() > JUDGED_BY_ADDRESS_MAX {
            return None;
        }
        let edges = self.0.iter().flatten().flat_map(|&member| edges(member));
        edges.into_iter().find_map(|address| {
            let blocked = self.0.iter().all(|one| blocks(one, address));
            (blocked && !blocks(actual, address))
                .then(|| format!("{address} is blocked by every generation and now passes"))
        })
    }
}

fn blocks(members: &BTreeSet<AnyPrefix>, address: AnyPrefix) -> bool {
    members.iter().any(|&member| covers(member, address))
}

/// The addresses at which anything can change because of this member: its
/// first, and the one after its last.
fn edges(member: AnyPrefix) -> Vec<AnyPrefix> {
    fn of<A: Address>(prefix: Prefix<A>) -> impl Iterator<Item = Prefix<A>> {
        let after = prefix.last().next();
        std::iter::once(prefix.first()).chain(after).map(Prefix::host)
    }
    match member {
        AnyPrefix::V4(prefix) => of(prefix).map(AnyPrefix::V4).collect(),
        AnyPrefix::V6(prefix) => of(prefix).map(AnyPrefix::V6).collect(),
    }
}
