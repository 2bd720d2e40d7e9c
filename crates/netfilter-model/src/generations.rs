//! What a set that rules see may hold: one generation, or the way between
//! several. Judged member by member and, because a packet knows no members,
//! address by address.

use std::collections::BTreeSet;

use blocklist::{Address, AnyPrefix, Prefix};

use crate::sets::covers;

/// Members up to which sets are judged address by address.
const JUDGED_BY_ADDRESS_MAX: usize = 200;

/// What a set has held and is to hold since it was last known to be settled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Generations {
    /// The contents that it has had, is to have, or was given by somebody
    /// else. The last is the newest.
    contents: Vec<BTreeSet<AnyPrefix>>,
    /// Members that somebody else took out since the daemon last read them.
    /// It believes that they are there, and goes on from that.
    taken: BTreeSet<AnyPrefix>,
}

impl Generations {
    /// From now on these contents are among those allowed.
    pub(crate) fn allow(&mut self, members: BTreeSet<AnyPrefix>) {
        if !self.taken.is_empty() {
            self.start_from(members.difference(&self.taken).copied().collect());
        }
        if self.contents.last() != Some(&members) {
            self.contents.push(members);
        }
    }

    /// Contents from which the set starts towards the newest.
    pub(crate) fn start_from(&mut self, members: BTreeSet<AnyPrefix>) {
        if !self.contents.contains(&members) {
            self.contents.insert(0, members);
        }
    }

    /// Somebody else changed the set. What is under way goes on from there,
    /// and what he took out of the newest is missing in the end.
    pub(crate) fn disturb(&mut self, before: &BTreeSet<AnyPrefix>, members: BTreeSet<AnyPrefix>) {
        self.taken.extend(before.difference(&members));
        if let Some(newest) = self.contents.last() {
            let rest = newest.intersection(&members).copied().collect();
            self.start_from(rest);
        }
        self.start_from(members);
    }

    /// The daemon knows now what the set holds.
    pub(crate) fn read(&mut self) {
        self.taken.clear();
    }

    /// Only the newest is allowed from now on.
    pub(crate) fn settle(&mut self) {
        self.contents.drain(..self.contents.len().saturating_sub(1));
    }

    /// The newest, if there is any.
    pub(crate) fn newest(&self) -> Option<&BTreeSet<AnyPrefix>> {
        self.contents.last()
    }

    /// What is wrong with these contents, if anything is.
    pub(crate) fn objection(&self, actual: &BTreeSet<AnyPrefix>) -> Option<String> {
        let first = self.contents.first()?;
        let common = |member: &&AnyPrefix| self.contents.iter().all(|one| one.contains(member));
        if let Some(missing) = first.iter().filter(common).find(|one| !actual.contains(one)) {
            return Some(format!("{missing} is in every generation and not in the set"));
        }
        if let Some(extra) =
            actual.iter().find(|member| !self.contents.iter().any(|one| one.contains(member)))
        {
            return Some(format!("{extra} is in no generation and in the set"));
        }
        // Quadratic, and in sets of this size members say it all.
        if self.contents.iter().map(BTreeSet::len).sum::<usize>() > JUDGED_BY_ADDRESS_MAX {
            return None;
        }
        let edges = self.contents.iter().flatten().flat_map(|&member| edges(member));
        edges.into_iter().find_map(|address| {
            let blocked = self.contents.iter().all(|one| blocks(one, address));
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
