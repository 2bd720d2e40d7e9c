//! One `[[list]]` table: which feeds make up a list, what it must never hold
//! and which guards it sets for its feeds.

use std::collections::BTreeMap;

use blocklist::{Allow, Family, FeedName, Glob, List, Protect, Role};
use intake::GuardOverrides;
use reconcile::SetPrefix;

use super::allow;
use super::glob::glob;
use super::guard;
use super::mistake::Place;
use super::section::{Section, Text};

/// A list and the guards that it sets.
#[derive(Clone, Debug, PartialEq)]
pub struct ListConfig {
    /// The list, ready to be composed: `protect` is what is in force for it,
    /// its own or that of `[guard]`.
    pub list: List,
    /// The guards that it sets for every feed it uses, as deny or as allow.
    pub guard: GuardOverrides,
    /// Whether its globs may match no feed, and mean it.
    pub optional: bool,
    /// Where its table begins.
    pub at: Place,
    /// What it says in `feeds` and `allow`, as it is written, and where.
    pub written: Vec<(String, Place)>,
}

impl ListConfig {
    /// Whether the list uses the feed, to deny or to allow.
    pub fn uses(&self, feed: &FeedName) -> bool {
        self.list.role(feed) != Role::None
    }

    /// Whether the list names the feed in so many words.
    pub fn names(&self, feed: &FeedName) -> bool {
        let allow = self.list.allow.iter().filter_map(|allow| match allow {
            Allow::Feeds(glob) => Some(glob),
            Allow::Prefix(_) => None,
        });
        self.list.feeds.iter().chain(allow).any(|glob| glob.as_str() == feed.as_str())
    }
}

/// What the lists of one file must share or not share.
pub(super) struct Neighbours<'a> {
    /// What the names of their sets begin with.
    pub(super) set_prefix: SetPrefix,
    /// The categories of `[guard]`.
    pub(super) protect: &'a [Protect],
    /// The names so far and where they stand.
    pub(super) names: BTreeMap<String, Place>,
}

/// Reads one table. `None` if it has no usable name, after that was noted.
pub(super) fn read(
    mut section: Section<'_, '_>,
    neighbours: &mut Neighbours<'_>,
) -> Option<ListConfig> {
    section.require("name", "it becomes a part of the names of the list's two sets");
    let name = name(&mut section, neighbours);
    let feeds = section.texts("feeds").unwrap_or_default();
    let mut written: Vec<_> = feeds.iter().map(|text| section.written(text)).collect();
    let feeds: Vec<_> = feeds.into_iter().filter_map(|text| feed_glob(&section, text)).collect();
    let allow = section.texts("allow").unwrap_or_default();
    written.extend(allow.iter().map(|text| section.written(text)));
    let allow = allow.into_iter().filter_map(|text| allowed(&section, text)).collect();
    let guard = guard::read(&mut section);
    let optional = section.flag("optional").unwrap_or_default();
    let at = section.begins();
    section.finish();

    // Nothing can be taken out of a list that no feed is put into.
    let inherited = if feeds.is_empty() { &[] } else { neighbours.protect };
    let protect = guard.protect.clone().unwrap_or_else(|| inherited.to_vec());
    let list = List { name: name?, feeds, allow, protect };
    Some(ListConfig { list, guard, optional, at, written })
}

/// The list's name, if it can be that of two sets and is no other list's.
fn name(section: &mut Section<'_, '_>, neighbours: &mut Neighbours<'_>) -> Option<String> {
    let Text { text, at } = section.text("name")?;
    if let Err(error) = neighbours.set_prefix.live(text, Family::Ipv4) {
        section.note(at, "name", error.to_string());
        return None;
    }
    let place = section.mistakes.place(at);
    if let Some(Place { line, .. }) = neighbours.names.get(text) {
        let message = format!("{text:?} is the name of the list in line {line} already");
        section.note(at, "name", message);
        return None;
    }
    neighbours.names.insert(text.to_owned(), place);
    Some(text.to_owned())
}

fn feed_glob(section: &Section<'_, '_>, Text { text, at }: Text<'_>) -> Option<Glob> {
    glob(text).map_err(|message| section.note(at, "feeds", message)).ok()
}

fn allowed(section: &Section<'_, '_>, Text { text, at }: Text<'_>) -> Option<Allow> {
    allow::read(text).map_err(|message| section.note(at, "allow", message)).ok()
}
