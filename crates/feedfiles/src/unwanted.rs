//! What nobody has wanted for so long that it can go: copies of feeds that no
//! list names, damaged copies that were set aside, notes without a copy,
//! drafts of processes that are gone.
//!
//! A file's age is counted in days on which somebody looked and found it
//! unwanted, never as the difference of two times: a clock that runs ahead by
//! years adds one day, and one that was set back none. A host that is off for a
//! year counts one day too. The count is kept in one file beside the copies; if
//! that is lost, counting begins anew.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use blocklist::FeedName;
use serde::{Deserialize, Serialize};

use super::copies::{Copies, GONE_ENDING, REWRITTEN_ENDING, StoreError};
use super::copy::{decode_time, encode_time};
use super::draft::DRAFT_BEGINNING;
use super::filename::{feed_name, is_copy};
use super::store::{CORRUPT_ENDING, Store};
use super::walk::open_file;

/// Days on which a file was found unwanted until it goes.
const DAYS_MAX: u32 = 30;

/// The time between two looks that count as different days.
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Where the counts are kept. No copy is named so: their names end otherwise.
pub(super) const LEDGER: &str = ".unwanted";

/// The longest ledger that is read: a hundred bytes for each of 65,536 files.
const LEDGER_BYTES_MAX: u64 = 8 << 20;

/// How long each file has been unwanted, by file name.
type Ledger = BTreeMap<String, Count>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// Days on which it was found so.
    days: u32,
    /// When the last of them was, RFC 3339.
    last: String,
}

impl Count {
    /// The count after a look at this time.
    fn after(earlier: Option<&Self>, now: SystemTime) -> Self {
        let first = || Self { days: 1, last: encode_time(now) };
        let Some(earlier) = earlier else { return first() };
        let Some(last) = decode_time(&earlier.last) else { return first() };
        match now.duration_since(last) {
            Ok(since) if since < DAY => earlier.clone(),
            Ok(_) => Self { days: earlier.days.saturating_add(1), last: encode_time(now) },
            // The clock was set back. The day that has begun begins anew.
            Err(_) => Self { days: earlier.days, last: encode_time(now) },
        }
    }
}

impl Store {
    /// Removes what has been unwanted for thirty days, and returns the names of
    /// the files. `wanted` says whether any list names a feed. Call it at the
    /// start and every few hours; more often costs a look at the directory and
    /// changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]: the directory cannot be listed or written. What was
    /// counted before is not lost.
    pub fn clear_unwanted(
        &mut self,
        wanted: impl Fn(&FeedName) -> bool,
        now: SystemTime,
    ) -> Result<Vec<String>, StoreError> {
        let before = read(self.copies());
        let mut after = Ledger::new();
        let mut removed = Vec::new();
        for file in unwanted(self.copies(), wanted)? {
            let count = Count::after(before.get(&file), now);
            if count.days < DAYS_MAX {
                after.insert(file, count);
                continue;
            }
            if is_copy(&file) {
                self.remove_copy(&file)?;
            } else {
                self.remove(&file)?;
            }
            removed.push(file);
        }
        if after != before {
            let text = serde_json::to_string(&after).expect("names and numbers are JSON");
            self.write(LEDGER, &text)?;
        } else if !removed.is_empty() {
            self.flush()?;
        }
        Ok(removed)
    }
}

/// The files that nobody wants now.
fn unwanted(
    copies: &Copies,
    wanted: impl Fn(&FeedName) -> bool,
) -> Result<Vec<String>, StoreError> {
    let names = copies.names()?;
    let names: Vec<&str> = names.iter().filter_map(|name| name.to_str()).collect();
    let own_draft = format!("{DRAFT_BEGINNING}{}-", std::process::id());
    let is_unwanted = |name: &str| {
        if let Some(copy) = without(name, GONE_ENDING).or(without(name, REWRITTEN_ENDING)) {
            return !names.contains(&copy);
        }
        if is_copy(name) {
            return owner(copies, name).is_some_and(|feed| !wanted(&feed));
        }
        name.ends_with(CORRUPT_ENDING)
            || name.starts_with(DRAFT_BEGINNING) && !name.starts_with(&own_draft)
    };
    let mut found: Vec<_> = names.iter().copied().filter(|name| is_unwanted(name)).collect();
    found.sort_unstable();
    Ok(found.into_iter().map(str::to_owned).collect())
}

/// The name of the copy that a note stands beside.
fn without<'a>(name: &'a str, ending: &str) -> Option<&'a str> {
    name.strip_suffix(ending).filter(|copy| is_copy(copy))
}

/// Whose copy it is. `None` if that cannot be found out, and then it is left
/// where it is: a restore will say what is wrong with it.
fn owner(copies: &Copies, copy: &str) -> Option<FeedName> {
    feed_name(copy).or_else(|| Some(copies.open_copy(copy).ok()??.1.feed))
}

/// The counts so far. A ledger that cannot be read counts nothing.
fn read(copies: &Copies) -> Ledger {
    let read = || {
        let file = open_file(&*copies.directory, LEDGER).ok()?;
        let mut text = Vec::new();
        file.take(LEDGER_BYTES_MAX).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks at these hours after some time; how many days that counts.
    fn check(hours: &[u64], days: u32) {
        let at = |hours| SystemTime::UNIX_EPOCH + Duration::from_secs(hours * 3_600);
        let count = hours
            .iter()
            .fold(None, |count, &hours| Some(Count::after(count.as_ref(), at(100_000 + hours))));
        assert_eq!(count.map_or(0, |count| count.days), days, "{hours:?}");
    }

    #[test]
    fn only_days_on_which_somebody_looked_are_counted() {
        check(&[0], 1);
        check(&[0, 1, 2, 23], 1);
        check(&[0, 24, 30, 47, 48], 3);
        // Off for a year.
        check(&[0, 8_760], 2);
    }

    #[test]
    fn a_clock_that_jumps_adds_a_day_at_the_most() {
        check(&[0, 876_000, 876_001], 2);
        check(&[50, 0, 1, 2], 1);
        check(&[0, 876_000, 2, 3, 4], 2);
        check(&[0, 876_000, 2, 26], 3);
    }
}
