//! Configurations as people write them: lists with their globs and exceptions,
//! and how old a feed may be. Some are slips of the hand.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Allow, AnyPrefix, FeedName, Glob, List, Role};

use super::facts::CATEGORIES;
use crate::simulation::never;
use crate::{Random, prefixes};

/// Names of lists.
pub(super) const LISTS: [&str; 3] = ["drop", "edge", "x"];
/// Names of feeds, the last two of them for `allow`.
pub(super) const FEEDS: [&str; 6] = ["a", "b", "c", "d", "allow/p", "allow/q"];
/// Globs that lists take feeds in by: lists share feeds.
const GLOBS: [&str; 7] = ["a", "b", "c", "[ab]", "[cd]", "[a-c]", "*"];
/// Globs of feeds with exceptions.
const ALLOW_GLOBS: [&str; 3] = ["allow/*", "allow/p", "allow/q"];
/// Somebody has mistaken seconds for days.
pub(super) const SLIP_AGE: Duration = Duration::from_secs(1);
/// A typing error: no feed has such a name.
pub(super) const NOTHING: &str = "nothing*";

/// A feed's name.
pub(super) fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("a good name")
}

/// One list's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListTable {
    /// Globs of its feeds.
    pub(super) feeds: Vec<&'static str>,
    /// Globs of the feeds that are never in it.
    pub(super) allow: Vec<&'static str>,
    /// Prefixes that are never in it.
    pub(super) literals: Vec<AnyPrefix>,
    /// Whether the host's own addresses are never in it.
    pub(super) protects: bool,
}

impl ListTable {
    fn random(random: &mut Random, allows: bool) -> Self {
        let globs = 1 + random.below(2);
        let feeds = (0..globs).map(|_| *random.pick(&GLOBS)).collect();
        let mut literals = never();
        let mut allow = Vec::new();
        if allows {
            for family in blocklist::Family::ALL {
                literals.extend(prefixes(random, family, 1));
            }
            if random.chance(50) {
                allow.push(*random.pick(&ALLOW_GLOBS));
            }
        }
        Self { feeds, allow, literals, protects: random.chance(80) }
    }

    /// The list, as the product knows it.
    pub(super) fn list(&self, name: &str) -> List {
        let glob = |glob: &&str| Glob::new(glob).expect("a good glob");
        let feeds = self.allow.iter().map(|one| Allow::Feeds(glob(one)));
        let literals = self.literals.iter().copied().map(Allow::Prefix);
        List {
            name: name.to_owned(),
            feeds: self.feeds.iter().map(glob).collect(),
            allow: feeds.chain(literals).collect(),
            protect: if self.protects { CATEGORIES.to_vec() } else { Vec::new() },
        }
    }

    /// What a feed is to the list.
    pub(super) fn role(&self, feed: &FeedName) -> Role {
        self.list("any").role(feed)
    }
}

/// A configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct HostConfiguration {
    /// No other configuration has this number.
    pub(super) number: u64,
    /// The lists by name.
    pub(super) lists: BTreeMap<String, ListTable>,
    /// How old a feed may be, and whether it is dropped when it is older.
    pub(super) max_age: Ages,
    /// The tables that were meant, where these are slips.
    pub(super) meant: BTreeMap<String, ListTable>,
    /// Whether the lists have rules.
    pub(super) ruled: bool,
    /// Likewise how old feeds may be, and when the slip was made.
    pub(super) meant_ages: Option<(SystemTime, Ages)>,
}

/// How old feeds may be, and whether they are dropped when they are older.
pub(super) type Ages = BTreeMap<FeedName, (Duration, bool)>;

/// What the configurations of a run are like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ConfigurationKinds {
    /// Lists have exceptions of their own.
    pub(super) allows: bool,
    /// Feeds may become too old.
    pub(super) ages: bool,
}

impl HostConfiguration {
    /// The first configuration of a run.
    pub(super) fn first(random: &mut Random, number: u64, kinds: ConfigurationKinds) -> Arc<Self> {
        let lists = LISTS.iter().take(1 + random.below(LISTS.len()));
        let lists = lists
            .map(|name| ((*name).to_owned(), ListTable::random(random, kinds.allows)))
            .collect();
        Arc::new(Self { number, lists, ..Self::default() })
    }

    /// This one after somebody has edited it.
    pub(super) fn edited(
        &self,
        random: &mut Random,
        number: u64,
        kinds: ConfigurationKinds,
    ) -> Arc<Self> {
        let mut new = Self { number, meant: BTreeMap::new(), meant_ages: None, ..self.clone() };
        let name = (*random.pick(&LISTS)).to_owned();
        match random.below(5) {
            0 => drop(new.lists.remove(&name)),
            1 if kinds.ages => {
                let feed = feed(random.pick::<&str>(&FEEDS[..4]));
                let age = Duration::from_secs(*random.pick(&[400, 2_000, 20_000]));
                if random.chance(30) {
                    new.max_age.remove(&feed);
                } else {
                    new.max_age.insert(feed, (age, random.chance(50)));
                }
            }
            _ => drop(new.lists.insert(name, ListTable::random(random, kinds.allows))),
        }
        Arc::new(new)
    }

    /// This one after a slip: a glob of a list fits nothing any more.
    pub(super) fn slipped(&self, random: &mut Random, number: u64) -> Arc<Self> {
        let mut new = Self { number, ..self.clone() };
        let names: Vec<_> = new.lists.keys().cloned().collect();
        if names.is_empty() {
            return Arc::new(new);
        }
        let name = random.pick(&names).clone();
        if let Some(table) = new.lists.get_mut(&name) {
            new.meant.insert(name, table.clone());
            if table.allow.is_empty() || random.chance(60) {
                table.feeds = vec![NOTHING];
            } else {
                table.allow = vec![NOTHING];
            }
        }
        Arc::new(new)
    }

    /// This one after another slip: every feed is dropped that is not quite new.
    pub(super) fn slipped_in_age(&self, number: u64, at: SystemTime) -> Arc<Self> {
        let max_age = FEEDS[..4].iter().map(|name| (feed(name), (SLIP_AGE, true))).collect();
        let meant_ages = Some((at, self.max_age.clone()));
        Arc::new(Self { number, max_age, meant_ages, ..self.clone() })
    }

    /// How old a feed may be as it was meant, and since when that is not what
    /// is said, if it is not.
    pub(super) fn meant_age(
        &self,
        feed: &FeedName,
    ) -> (Option<&(Duration, bool)>, Option<SystemTime>) {
        match &self.meant_ages {
            Some((at, ages)) => (ages.get(feed), Some(*at)),
            None => (self.max_age.get(feed), None),
        }
    }

    /// Whether it is one that nobody can have meant.
    pub(super) fn is_slip(&self) -> bool {
        !self.meant.is_empty() || self.meant_ages.is_some()
    }

    /// The same, now that somebody has said that it is meant.
    pub(super) fn as_meant(&self) -> Arc<Self> {
        Arc::new(Self { meant: BTreeMap::new(), meant_ages: None, ..self.clone() })
    }

    /// Whether any list takes a feed in.
    pub(super) fn uses(&self, feed: &FeedName) -> bool {
        self.lists.values().any(|table| table.role(feed) != Role::None)
    }
}
