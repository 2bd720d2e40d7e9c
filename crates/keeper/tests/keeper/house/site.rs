//! The feeds directory and the state directory in memory: what every order
//! gives at the moment at which it is carried out.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::time::SystemTime;

use blocklist::{Feed, FeedName, Format, Guard, Limits, Refusal, parse};
use intake::{
    Answer, Candidate, Fingerprint, Identity, Loss, Makeup, Order, ReadOrder, Reading, RecallOrder,
    Recalled, RecalledVersion, Scan, Ticket, Version,
};

use super::{feed, refusal};

/// What is on the disk.
#[derive(Default)]
pub(crate) struct Site {
    /// The feeds directory.
    pub(crate) files: BTreeMap<FeedName, File>,
    /// The last good copies.
    pub(crate) copies: BTreeMap<FeedName, RecalledVersion>,
    /// What makes up the lists; `None` if nothing was ever written.
    pub(crate) lists: Option<BTreeMap<String, Makeup>>,
    /// Copies that are not what was written.
    pub(crate) damaged: BTreeMap<FeedName, Loss>,
    /// Folders that cannot be read, with a closing slash.
    pub(crate) unreadable: Vec<String>,
    /// Feeds whose files cannot be read, and by which guard.
    pub(crate) locked: BTreeMap<FeedName, Guard>,
    /// Why nothing can be scanned or recalled, and whether nothing can be kept.
    pub(crate) scan_fails: Option<String>,
    pub(crate) recall_fails: Option<String>,
    pub(crate) full: bool,
    candidates: BTreeMap<Candidate, Version>,
    /// Grows with every file and every candidate.
    counter: u64,
}

/// One file.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) text: String,
    pub(crate) written: SystemTime,
    print: Fingerprint,
}

impl Site {
    /// A new file takes the place of the one of this name.
    pub(crate) fn put(&mut self, name: &str, text: &str, written: SystemTime) {
        self.counter += 1;
        let print = Fingerprint([1, self.counter, text.len() as u64, self.counter, self.counter]);
        self.files.insert(feed(name), File { text: text.to_owned(), written, print });
    }

    /// The file gets another name.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        let file = self.files.remove(&feed(from)).expect("there is such a file");
        self.files.insert(feed(to), file);
    }

    /// The file is deleted.
    pub(crate) fn delete(&mut self, name: &str) {
        self.files.remove(&feed(name)).expect("there is such a file");
    }

    /// The state directory is another one, and new.
    pub(crate) fn lose(&mut self) {
        self.copies.clear();
        self.damaged.clear();
        self.lists = None;
    }

    /// Whether a candidate is neither kept nor thrown away.
    pub(crate) fn has_candidates(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Carries an order out. What has an answer gives it.
    pub(crate) fn carry_out(&mut self, order: Order) -> Option<Answer> {
        match order {
            Order::Recall(ticket, order) => Some(Answer::Recalled(ticket, self.recall(&order))),
            Order::Scan(ticket) => Some(Answer::Scanned(ticket, self.scan())),
            Order::Read(ticket, order) => Some(self.read(ticket, &order)),
            Order::Keep(ticket, feed, candidate) => {
                let version = self.candidates.remove(&candidate).expect("it was read");
                let result = if self.full {
                    Err(refusal(Guard::Kept))
                } else {
                    self.damaged.remove(&feed);
                    self.copies.insert(feed.clone(), RecalledVersion { version, gone: None });
                    Ok(())
                };
                Some(Answer::Kept { ticket, feed, result })
            }
            Order::Discard(candidate) => {
                self.candidates.remove(&candidate).expect("it is thrown away once");
                None
            }
            Order::Forget(feed) => {
                self.copies.remove(&feed);
                None
            }
            Order::NoteGone(feed, since) => {
                if let Some(copy) = self.copies.get_mut(&feed) {
                    copy.gone = since;
                }
                None
            }
            Order::NoteRewritten(feed, id, written) => {
                if let Some(copy) = self.copies.get_mut(&feed) {
                    assert_eq!(copy.version.id, id, "the version that is kept");
                    copy.version.written = written;
                }
                None
            }
        }
    }

    fn recall(&self, order: &RecallOrder) -> Result<Recalled, String> {
        if let Some(reason) = &self.recall_fails {
            return Err(reason.clone());
        }
        let wanted = |feed: &FeedName| order.wants(feed);
        let good = self.copies.iter().filter(|(feed, _)| !self.damaged.contains_key(*feed));
        let versions = good.filter(|(feed, _)| wanted(feed)).map(|(f, v)| (f.clone(), v.clone()));
        let lists = self.lists.clone().unwrap_or_default();
        let parts = lists.values().flat_map(|makeup| makeup.deny.iter().chain(&makeup.allow));
        let missing = parts.filter(|feed| !self.copies.contains_key(*feed));
        let missing = missing.map(|feed| (feed.clone(), Loss::Missing));
        let lost = missing.chain(self.damaged.clone()).filter(|(feed, _)| wanted(feed));
        Ok(Recalled {
            versions: versions.collect(),
            lost: lost.collect(),
            blank: self.lists.is_none(),
            lists,
        })
    }

    fn scan(&self) -> Result<Scan, String> {
        if let Some(reason) = &self.scan_fails {
            return Err(reason.clone());
        }
        let seen = |name: &FeedName| {
            !self.unreadable.iter().any(|folder| name.as_str().starts_with(folder.as_str()))
        };
        let feeds = self.files.iter().filter(|(name, _)| seen(name));
        let feeds = feeds.map(|(name, file)| (name.clone(), file.print)).collect();
        Ok(Scan { feeds, unreadable: self.unreadable.clone() })
    }

    fn read(&mut self, ticket: Ticket, order: &ReadOrder) -> Answer {
        let feed = order.feed.clone();
        let Some(file) = self.files.get(&feed).cloned() else {
            let (fingerprint, written, reading) = (None, None, Reading::Vanished);
            return Answer::Read { ticket, feed, fingerprint, written, reading };
        };
        let id = identity(&file.text);
        let kept = self.copies.get(&feed).is_some_and(|copy| copy.version.id == id);
        let reading = match self.locked.get(&feed) {
            Some(&guard) => Reading::Refused(refusal(guard)),
            None if order.known == Some(id) && kept => Reading::Same(id),
            None => {
                let parsed = parsed(&file.text);
                let refusals: Vec<Refusal> = order.judge(&parsed);
                self.counter += 1;
                let candidate = Candidate(self.counter);
                let version = Version::new(id, parsed.clone(), file.written, file.written);
                self.candidates.insert(candidate, version);
                Reading::New { feed: Box::new(parsed), id, candidate: Ok(candidate), refusals }
            }
        };
        let (fingerprint, written) = (Some(file.print), Some(file.written));
        Answer::Read { ticket, feed, fingerprint, written, reading }
    }
}

/// What a text is known by.
pub(crate) fn identity(text: &str) -> Identity {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    Identity([text.len() as u64, hasher.finish(), 0])
}

fn parsed(text: &str) -> Feed {
    let format = if text.starts_with("create") { Format::Ipset } else { Format::Plain };
    parse(text.as_bytes(), format, &Limits::default())
}
