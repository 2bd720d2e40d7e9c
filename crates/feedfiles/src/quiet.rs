//! How long each feed has blocked nothing, written down beside the copies. Days
//! are counted on which somebody looked, as in `unwanted`: no clock that is
//! wrong makes a feed useless.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use blocklist::FeedName;
use serde::{Deserialize, Serialize};

use super::copies::{Copies, StoreError};
use super::copy::{decode_time, encode_time};
use super::store::Store;
use super::walk::open_file;

/// The file. It has no ending of a copy.
const FILE: &str = "hits.json";
/// Two hundred bytes for each of a million feeds.
const BYTES_MAX: u64 = 256 << 20;

/// The time between two looks that count as different days.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// How long a feed has blocked nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Whole days on which it was looked for hits and there was none.
    pub days: u32,
    /// When the day that is being counted began.
    pub counted: SystemTime,
    /// The last hit, if there ever was one.
    pub hit: Option<SystemTime>,
}

impl Quiet {
    /// Nothing is known yet.
    pub fn from(now: SystemTime) -> Self {
        Self { days: 0, counted: now, hit: None }
    }

    /// Something was hit.
    pub fn hit(&mut self, now: SystemTime) {
        *self = Self { days: 0, counted: now, hit: Some(now) };
    }

    /// Nothing was hit up to now. Returns whether another day has passed.
    pub fn look(&mut self, now: SystemTime) -> bool {
        match now.duration_since(self.counted) {
            Ok(since) if since < DAY => return false,
            Ok(_) => self.days = self.days.saturating_add(1),
            // The clock was set back. The day that has begun begins anew.
            Err(_) => {}
        }
        self.counted = now;
        true
    }
}

/// As it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Text {
    days: u32,
    counted: String,
    hit: Option<String>,
}

impl Copies {
    /// What was written down of feeds, nothing if it cannot be understood.
    pub fn quiet(&self) -> BTreeMap<FeedName, Quiet> {
        let mut text = String::new();
        let read = open_file(&*self.directory, FILE)
            .map(|file| file.take(BYTES_MAX).read_to_string(&mut text));
        if matches!(read, Ok(Ok(_))) { decode(&text).unwrap_or_default() } else { BTreeMap::new() }
    }
}

impl Store {
    /// Writes down how long feeds have blocked nothing, in place of what stood
    /// there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_quiet(&mut self, feeds: &BTreeMap<FeedName, Quiet>) -> Result<(), StoreError> {
        self.write(FILE, &encode(feeds))
    }
}

fn encode(feeds: &BTreeMap<FeedName, Quiet>) -> String {
    let feeds = feeds.iter().map(|(feed, quiet)| {
        let Quiet { days, counted, hit } = *quiet;
        let text = Text { days, counted: encode_time(counted), hit: hit.map(encode_time) };
        (feed.as_str(), text)
    });
    let feeds: BTreeMap<_, _> = feeds.collect();
    serde_json::to_string(&feeds).expect("names, numbers and times are JSON") + "\n"
}

fn decode(text: &str) -> Option<BTreeMap<FeedName, Quiet>> {
    let feeds: BTreeMap<String, Text> = serde_json::from_str(text).ok()?;
    let feeds = feeds.into_iter().filter_map(|(feed, Text { days, counted, hit })| {
        let hit = hit.as_deref().and_then(decode_time);
        Some((FeedName::new(&feed).ok()?, Quiet { days, counted: decode_time(&counted)?, hit }))
    });
    Some(feeds.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(hours * 3_600)
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        let home = tempfile::tempdir().expect("a directory");
        let mut store = Store::open(home.path()).expect("a store");
        assert_eq!(store.copies().quiet(), BTreeMap::new());
        let feed = |name: &str| FeedName::new(name).expect("a name");
        let mut hit = Quiet::from(at(1));
        hit.hit(at(9));
        let feeds = BTreeMap::from([(feed("a"), Quiet::from(at(5))), (feed("b/\"c"), hit)]);
        store.note_quiet(&feeds).expect("written");
        assert_eq!(store.copies().quiet(), feeds);
        for text in ["", "{", "[]", "{\"a\": 1}"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_counted_on_which_somebody_looked() {
        let mut quiet = Quiet::from(at(0));
        let mut check = |hours, days| {
            quiet.look(at(hours));
            assert_eq!(quiet.days, days, "after {hours} hours");
        };
        check(23, 0);
        check(24, 1);
        check(47, 1);
        // Switched off for a year, or the clock ran ahead; then put right.
        check(9_000, 2);
        check(50, 2);
        check(74, 3);
        quiet.hit(at(75));
        assert_eq!((quiet.days, quiet.hit), (0, Some(at(75))));
    }
}
