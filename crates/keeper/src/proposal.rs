//! A configuration that is not in force yet: what it takes in is read, what it
//! would make of the lists is tried, and a slip is refused.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use blocklist::{Allow, FeedName, Glob, JUDGED_FROM, Role};
use intake::{ListRules, Rules, Ticket, Who};

use crate::Settings;

/// A configuration on its way.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) settings: Settings,
    /// A person has said that it is meant.
    pub(crate) accepted: bool,
    /// Who waits for what comes of it.
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) stage: ProposalStage,
    /// Until when its feeds are waited for.
    pub(crate) patience: Duration,
}

/// Where it is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProposalStage {
    /// Its feeds are being read.
    Reading,
    /// Its lists are being tried.
    Trying(Ticket),
}

/// Something that a configuration would do and that nobody can mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The list.
    pub list: String,
    /// What would become of it.
    pub kind: SlipKind,
}

/// What would become of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlipKind {
    /// It would lose too much.
    Loses {
        /// Members that it has.
        had: u64,
        /// Members that it would lose.
        lost: u64,
        /// How many percent it may lose.
        percent: u32,
    },
    /// This glob of its `allow` matches nothing any more, and addresses that it
    /// kept out would be blocked.
    NoException(Glob),
    /// By it, or by a rule that asks it, this address would newly be shut out.
    ShutsOut {
        /// The address.
        address: IpAddr,
        /// Whose it is.
        who: Who,
        /// Whether because the list holds it; else because it does not.
        is_member: bool,
    },
}

impl fmt::Display for Slip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            SlipKind::Loses { had, lost, percent } => write!(
                out,
                "list {} would lose {lost} of its {had} members, and at most {percent} % may go \
                 at once (shrink-percent-max)",
                self.list
            ),
            SlipKind::NoException(glob) => write!(
                out,
                "`{glob}` in the allow of list {} matches no feed any more, what it kept out would \
                 be blocked",
                self.list
            ),
            SlipKind::ShutsOut { address, who, is_member } => {
                let how = if *is_member { "blocked by" } else { "shut out, for it is not in" };
                write!(out, "{address}, {who}, would be {how} list {}", self.list)
            }
        }
    }
}

/// Whether a list may not lose so many of its members at once. That all of
/// them go is too much however few there are.
pub(crate) fn is_too_much(had: u64, lost: u64, percent: u32) -> bool {
    let total = had > 0 && lost >= had;
    let judged =
        had >= JUDGED_FROM && u128::from(lost) * 100 > u128::from(had) * u128::from(percent);
    percent < 100 && (total || judged)
}

/// The first glob of a list's `allow` that matches nothing, if feeds that were
/// its exceptions are not any more.
pub(crate) fn lost_exception<'a>(
    rules: &Rules,
    list: &ListRules,
    exceptions: impl IntoIterator<Item = &'a FeedName>,
    known: &mut dyn Iterator<Item = &'a FeedName>,
) -> Option<Glob> {
    let serves = |feed: &FeedName| !rules.ignores(feed) && list.list.role(feed) == Role::Allow;
    if list.optional || exceptions.into_iter().all(serves) {
        return None;
    }
    let mut globs: Vec<&Glob> = list.list.allow.iter().filter_map(feeds_of).collect();
    for feed in known.filter(|feed| !rules.ignores(feed)) {
        globs.retain(|glob| !glob.matches(feed));
    }
    globs.first().map(|glob| (*glob).clone())
}

fn feeds_of(allow: &Allow) -> Option<&Glob> {
    match allow {
        Allow::Feeds(glob) => Some(glob),
        Allow::Prefix(_) => None,
    }
}

/// The lists that would lose too much.
pub(crate) fn losses(rules: &Rules, counted: &BTreeMap<String, (u64, u64)>) -> Vec<Slip> {
    let slips = rules.lists.iter().filter_map(|list| {
        let &(had, lost) = counted.get(&list.list.name)?;
        let percent = rules.shrink_percent_of(list);
        is_too_much(had, lost, percent).then(|| Slip {
            list: list.list.name.clone(),
            kind: SlipKind::Loses { had, lost, percent },
        })
    });
    slips.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(had: u64, lost: u64, percent: u32, want: bool) {
        assert_eq!(is_too_much(had, lost, percent), want, "{lost} of {had} at {percent} %");
    }

    #[test]
    fn a_list_may_lose_its_percentage_and_not_more() {
        check(100, 50, 50, false);
        check(100, 51, 50, true);
        check(1_000_000, 0, 0, false);
        check(1_000_000, 1, 0, true);
    }

    #[test]
    fn few_members_are_judged_only_if_all_go() {
        check(15, 14, 50, false);
        check(15, 15, 50, true);
        check(1, 1, 99, true);
        check(0, 0, 0, false);
    }

    #[test]
    fn a_hundred_percent_tolerates_all() {
        check(100, 100, 100, false);
    }
}
