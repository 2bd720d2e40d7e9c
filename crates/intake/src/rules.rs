//! What feeds are judged by and which lists take them in, as plain data: the
//! part of the configuration that decides what is in force.

use std::sync::Arc;
use std::time::Duration;

use blocklist::{FeedName, Glob, GuardPolicy, List, Protect, Role};

/// The rules of one configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// The guards of every feed, unless a list or a table says otherwise.
    pub guard: GuardPolicy,
    /// What is protected, likewise.
    pub protect: Vec<Protect>,
    /// The lists, their names distinct.
    pub lists: Vec<ListRules>,
    /// Rules for the feeds that match a glob, the less specific ones first.
    pub tables: Vec<FeedTable>,
    /// Globs of names that no list takes in, whatever it says.
    pub ignore: Vec<Glob>,
    /// How long a feed stays in force after its file is gone.
    pub withdraw: Duration,
    /// Time between two looks at the feeds directory that nobody asked for.
    pub scan: Duration,
    /// A feed that changes all the time is taken as it is after so long.
    pub patience: Duration,
}

/// A list and what it says of its feeds.
#[derive(Clone, Debug, PartialEq)]
pub struct ListRules {
    /// The list.
    pub list: Arc<List>,
    /// The guards that it sets for every feed it uses, as deny or as allow.
    pub guard: GuardOverrides,
    /// Whether its globs may match nothing.
    pub optional: bool,
}

/// What is said of the feeds whose names a glob fits.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedTable {
    /// Which feeds.
    pub matches: Glob,
    /// Their guards.
    pub guard: GuardOverrides,
    /// How old their files may be.
    pub max_age: Option<Duration>,
    /// What becomes of older ones.
    pub when_stale: Option<WhenStale>,
}

/// What becomes of a feed that is older than it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenStale {
    /// It stays in force, and is said to be stale.
    #[default]
    Keep,
    /// It is not in force until it is written again.
    Drop,
}

/// Guards as far as one table sets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuardOverrides {
    /// Unparsable lines, in percent of all.
    pub rejected_percent_max: Option<u32>,
    /// Shrinkage against the last good version, in percent.
    pub shrink_percent_max: Option<u32>,
    /// Growth against the last good version, in percent.
    pub growth_percent_max: Option<u32>,
    /// Share of the IPv4 address space, in percent.
    pub coverage_percent_max: Option<u32>,
    /// Whether a feed without any entry is taken.
    pub allow_empty: Option<bool>,
    /// Entries of one feed.
    pub entries_max: Option<u64>,
    /// What no deny list may hold.
    pub protect: Option<Vec<Protect>>,
}

impl GuardOverrides {
    /// `base` with what is set here in its place.
    #[must_use]
    pub fn over(&self, base: &GuardPolicy) -> GuardPolicy {
        GuardPolicy {
            rejected_percent_max: self.rejected_percent_max.unwrap_or(base.rejected_percent_max),
            shrink_percent_max: self.shrink_percent_max.unwrap_or(base.shrink_percent_max),
            growth_percent_max: self.growth_percent_max.unwrap_or(base.growth_percent_max),
            coverage_percent_max: self.coverage_percent_max.unwrap_or(base.coverage_percent_max),
            allow_empty: self.allow_empty.unwrap_or(base.allow_empty),
            entries_max: self.entries_max.unwrap_or(base.entries_max),
        }
    }
}

impl Rules {
    /// Whether any list takes this feed in, for its entries or for its allow.
    pub fn uses(&self, feed: &FeedName) -> bool {
        self.lists_of(feed).next().is_some()
    }

    /// Whether the feed, or a folder that it is in, is to be passed over.
    pub fn ignores(&self, feed: &FeedName) -> bool {
        let name = feed.as_str();
        let folders =
            name.match_indices('/').filter_map(|(end, _)| FeedName::new(&name[..end]).ok());
        let mut names = folders.chain([feed.clone()]);
        !self.ignore.is_empty()
            && names.any(|name| self.ignore.iter().any(|glob| glob.matches(&name)))
    }

    /// Whether a list must never hold what this feed says.
    pub fn excepts(&self, feed: &FeedName) -> bool {
        self.lists_of(feed).any(|list| list.list.role(feed) == Role::Allow)
    }

    /// The guards in force for a feed. The most specific wins, key by key: a
    /// table over the lists that use the feed over the defaults. Of several
    /// tables that match, the last; of several lists, the strictest, for one
    /// version of a feed serves them all.
    ///
    /// How much a feed covers, and by how much it grows, is asked of what is
    /// blocked: whoever exempts a whole country may. A table says so for a feed
    /// by itself if it is to be asked all the same.
    pub fn guard_for(&self, feed: &FeedName) -> GuardPolicy {
        let lists = self.lists_of(feed).map(|list| {
            let guard = list.guard.over(&self.guard);
            let excepts = list.list.role(feed) == Role::Allow;
            if excepts { without_ceiling(guard) } else { guard }
        });
        let base = lists.reduce(|one, other| strictest(&one, &other)).unwrap_or(self.guard);
        self.tables_for(feed).fold(base, |policy, table| table.guard.over(&policy))
    }

    /// What is taken out before the coverage of a feed is counted, by the
    /// same rule as [`Self::guard_for`]; the strictest of several lists is
    /// what all of them take out. What is taken out of a *set* is its list's.
    pub fn protect_for(&self, feed: &FeedName) -> Vec<Protect> {
        let tables = self.tables_for(feed);
        if let Some(protect) = tables.filter_map(|table| table.guard.protect.as_ref()).last() {
            return protect.clone();
        }
        let protects =
            self.lists_of(feed).map(|list| list.guard.protect.as_ref().unwrap_or(&self.protect));
        protects
            .fold(None, |common: Option<Vec<Protect>>, protect| match common {
                None => Some(protect.clone()),
                Some(common) => Some(common.into_iter().filter(|c| protect.contains(c)).collect()),
            })
            .unwrap_or_else(|| self.protect.clone())
    }

    /// The age from which on a feed's file counts as stale, if there is one,
    /// and what becomes of the feed then.
    pub fn max_age_for(&self, feed: &FeedName) -> Option<(Duration, WhenStale)> {
        let max_age = self.tables_for(feed).filter_map(|table| table.max_age).last()?;
        let when_stale = self.tables_for(feed).filter_map(|table| table.when_stale).last();
        Some((max_age, when_stale.unwrap_or_default()))
    }

    /// The list of this name.
    pub fn list(&self, name: &str) -> Option<&ListRules> {
        self.lists.iter().find(|list| list.list.name == name)
    }

    /// How many percent a list may lose by a change of the configuration.
    pub fn shrink_percent_of(&self, list: &ListRules) -> u32 {
        list.guard.over(&self.guard).shrink_percent_max
    }

    fn lists_of<'a>(&'a self, feed: &'a FeedName) -> impl Iterator<Item = &'a ListRules> {
        let ignored = self.ignores(feed);
        self.lists.iter().filter(move |list| !ignored && list.list.role(feed) != Role::None)
    }

    fn tables_for(&self, feed: &FeedName) -> impl Iterator<Item = &FeedTable> {
        self.tables.iter().filter(move |table| table.matches.matches(feed))
    }
}

/// A policy for what is exempted.
fn without_ceiling(policy: GuardPolicy) -> GuardPolicy {
    GuardPolicy { growth_percent_max: u32::MAX, coverage_percent_max: 100, ..policy }
}

/// Of two policies that concern the same feed, every guard at its strictest.
fn strictest(one: &GuardPolicy, other: &GuardPolicy) -> GuardPolicy {
    GuardPolicy {
        rejected_percent_max: one.rejected_percent_max.min(other.rejected_percent_max),
        shrink_percent_max: one.shrink_percent_max.min(other.shrink_percent_max),
        growth_percent_max: one.growth_percent_max.min(other.growth_percent_max),
        coverage_percent_max: one.coverage_percent_max.min(other.coverage_percent_max),
        allow_empty: one.allow_empty && other.allow_empty,
        entries_max: one.entries_max.min(other.entries_max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ignore: &str, feed: &str, want: bool) {
        let ignore = vec![Glob::new(ignore).expect("a glob")];
        let rules = Rules { ignore, ..Rules::default() };
        let feed = FeedName::new(feed).expect("a name");
        assert_eq!(rules.ignores(&feed), want, "{feed}");
    }

    #[test]
    fn what_is_in_a_folder_that_is_ignored_is_ignored_with_it() {
        check("old", "old", true);
        check("old", "old/a/b.txt", true);
        check("old/a", "old/a/b.txt", true);
        check("old", "older/a.txt", false);
        check("a", "old/a", false);
        check("**", "old/a", true);
    }

    #[test]
    fn nothing_is_ignored_unless_somebody_says_so() {
        assert!(!Rules::default().ignores(&FeedName::new("a").expect("a name")));
    }
}
