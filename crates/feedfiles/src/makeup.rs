//! Which feeds made up each list, written down beside the copies: a copy that is
//! lost says of itself nothing any more, and neither does a directory that is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::time::Duration;

use blocklist::FeedName;
use serde::{Deserialize, Serialize};

use super::copies::{Copies, StoreError};
use super::store::Store;
use super::walk::open_file;

/// The file. It has no ending of a copy.
const FILE: &str = "made-of.json";
/// More than a thousand lists of all feeds that there may be would need.
const BYTES_MAX: u64 = 256 << 20;

/// The feeds that made up one list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MadeOf {
    /// Those whose entries it held.
    pub deny: BTreeSet<FeedName>,
    /// Those whose entries it never held.
    pub allow: BTreeSet<FeedName>,
    /// Those of the first that were to leave it when their files were so old.
    pub drops: BTreeMap<FeedName, Duration>,
    /// Whether there may have been others.
    pub doubt: bool,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Text {
    deny: Vec<String>,
    allow: Vec<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    drops: BTreeMap<String, u64>,
    doubt: bool,
}

impl Copies {
    /// What was written down of the lists, `None` if nothing was or if it
    /// cannot be understood.
    pub fn lists(&self) -> Option<BTreeMap<String, MadeOf>> {
        let file = open_file(&*self.directory, FILE).ok()?;
        let mut text = String::new();
        file.take(BYTES_MAX).read_to_string(&mut text).ok()?;
        decode(&text)
    }
}

impl Store {
    /// Writes down which feeds make up each list, in place of what stood there.
    /// If that fails what stood there goes, as far as that can be done: who
    /// knows nothing is careful, and who believes what is outdated is not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn write_down(&mut self, lists: &BTreeMap<String, MadeOf>) -> Result<(), StoreError> {
        let written = self.write(FILE, &encode(lists));
        if written.is_err() {
            self.remove(FILE)?;
        }
        written
    }
}

fn encode(lists: &BTreeMap<String, MadeOf>) -> String {
    let names = |feeds: &BTreeSet<FeedName>| feeds.iter().map(ToString::to_string).collect();
    let lists = lists.iter().map(|(list, made_of)| {
        let MadeOf { deny, allow, drops, doubt } = made_of;
        let drops = drops.iter().map(|(feed, age)| (feed.to_string(), age.as_secs())).collect();
        (list, Text { deny: names(deny), allow: names(allow), drops, doubt: *doubt })
    });
    let lists: BTreeMap<_, _> = lists.collect();
    serde_json::to_string(&lists).expect("names and booleans are JSON") + "\n"
}

fn decode(text: &str) -> Option<BTreeMap<String, MadeOf>> {
    let lists: BTreeMap<String, Text> = serde_json::from_str(text).ok()?;
    // A name that is none any more is of no feed that could be missed.
    let feeds = |names: Vec<String>| names.into_iter().filter_map(|name| FeedName::new(&name).ok());
    let lists = lists.into_iter().map(|(list, Text { deny, allow, drops, doubt })| {
        let deny = feeds(deny).collect();
        let allow = feeds(allow).collect();
        let drops = drops.into_iter().filter_map(|(feed, seconds)| {
            Some((FeedName::new(&feed).ok()?, Duration::from_secs(seconds)))
        });
        (list, MadeOf { deny, allow, drops: drops.collect(), doubt })
    });
    Some(lists.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_down_is_read_again() {
        let home = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(home.path()).expect("a store");
        assert_eq!(store.copies().lists(), None);
        let feed = |name: &str| FeedName::new(name).expect("a name");
        let made_of = MadeOf {
            deny: BTreeSet::from([feed("a"), feed("b/\"c")]),
            allow: BTreeSet::from([feed("allow/x")]),
            drops: BTreeMap::from([(feed("a"), Duration::from_secs(86_400))]),
            doubt: true,
        };
        let lists = BTreeMap::from([("drop".to_owned(), made_of)]);
        store.write_down(&lists).expect("written");
        assert_eq!(store.copies().lists(), Some(lists));
    }

    #[test]
    fn what_was_written_before_ages_were_is_understood() {
        let lists = decode("{\"drop\": {\"deny\": [\"a\"], \"allow\": [], \"doubt\": false}}");
        let made_of = lists.expect("it is understood").remove("drop").expect("a list");
        assert_eq!((made_of.deny.len(), made_of.drops.len()), (1, 0));
    }

    #[test]
    fn what_was_damaged_says_nothing() {
        for text in ["", "{", "{\"drop\": 1}", "{\"drop\": {\"deny\": []}}"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
