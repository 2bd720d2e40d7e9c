//! `why`: what is known of an address, from the snapshot, from the last good
//! copies and from the kernel. The verdict is of one revision; a line is told
//! only if it is of the version that is in force there.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use blocklist::{
    AllowedBy, AnyPrefix, Contribution, Exemption, Explanation, FeedName, Limits, List, Match,
    Role, SourceLine, explain,
};
use feedfiles::{Copies, OpenCopy};
use netfilter::Netfilter;
use reconcile::{Observe as _, SetName};

use super::deciding::{Decision, decide};
use super::protocol::Question as Asked;
use crate::snapshot::SnapshotFacts;
use crate::view::{AddressVerdict, AllowView, ListAnswer, SourceView, WhyView};

/// Answers, and blocks the thread for it: a feed may be long.
pub(super) fn answer(facts: &SnapshotFacts, copies: Option<&Copies>, asked: &Asked) -> WhyView {
    let address = asked.address.to_canonical();
    let Decision { rules, decides, connections } = decide(facts, asked);
    let mut question = WhyQuestion { facts, copies, address, notes: Vec::new() };
    let feeds = facts.in_force(SystemTime::now());
    let answers = facts.lists.iter().map(|list| {
        let explanation = explain(&list.list, &feeds, &facts.protection, address);
        question.list_answer(&list.list, &explanation)
    });
    let (verdicts, lists): (Vec<_>, Vec<_>) = answers.unzip();
    WhyView {
        address: address.to_string(),
        verdict: verdicts.into_iter().min().unwrap_or(AddressVerdict::Unlisted),
        lists,
        kernel: question.ask_kernel(),
        notes: question.notes,
        rules,
        decides,
        connections,
    }
}

/// The lines of all feeds of a list that name an address, and what could not be
/// found out.
pub(super) fn lines(
    facts: &SnapshotFacts,
    copies: Option<&Copies>,
    feeds: &BTreeMap<FeedName, impl Contribution>,
    list: &List,
    address: IpAddr,
) -> (Vec<SourceView>, Vec<String>) {
    let mut question = WhyQuestion { facts, copies, address, notes: Vec::new() };
    let lines = match explain(list, feeds, &facts.protection, address) {
        Explanation::Blocked { by } | Explanation::Allowed { over: by, .. } => {
            question.lines_of(&by)
        }
        Explanation::Unlisted => Vec::new(),
    };
    (lines, question.notes)
}

/// A question, and what has to be said beside the answer.
struct WhyQuestion<'a> {
    facts: &'a SnapshotFacts,
    copies: Option<&'a Copies>,
    address: IpAddr,
    notes: Vec<String>,
}

impl WhyQuestion<'_> {
    fn list_answer(
        &mut self,
        list: &List,
        explanation: &Explanation,
    ) -> (AddressVerdict, ListAnswer) {
        let (verdict, sources, allow) = match explanation {
            Explanation::Blocked { by } => (AddressVerdict::Blocked, self.lines_of(by), None),
            Explanation::Allowed { by, over } if over.is_empty() => {
                (AddressVerdict::Unlisted, Vec::new(), Some(self.allow(by)))
            }
            Explanation::Allowed { by, over } => {
                (AddressVerdict::Allowed, self.lines_of(over), Some(self.allow(by)))
            }
            Explanation::Unlisted => self.exemption(list).map_or_else(
                || (AddressVerdict::Unlisted, Vec::new(), None),
                |(feed, Exemption { by, over })| {
                    let verdict = if over.is_empty() {
                        AddressVerdict::Unlisted
                    } else {
                        AddressVerdict::Allowed
                    };
                    let over = over.into_iter().map(|source| line(&feed, source)).collect();
                    (verdict, over, Some(AllowView::Feed(line(&feed, by))))
                },
            ),
        };
        let set = self.facts.set_of(list, self.address);
        let member = set.and_then(|(_, set)| set.desired.covering(self.address));
        let prefix = member.map(|prefix| prefix.to_string());
        (verdict, ListAnswer { list: list.name.clone(), prefix, sources, allow })
    }

    fn allow(&mut self, by: &AllowedBy) -> AllowView {
        match by {
            AllowedBy::Literal(prefix) => AllowView::Literal { literal: prefix.to_string() },
            AllowedBy::Protect { category, .. } => {
                AllowView::Protect { protect: category.to_string() }
            }
            AllowedBy::Feed(found) => {
                let first = self.lines(&found.feed).and_then(|lines| lines.into_iter().next());
                AllowView::Feed(first.unwrap_or_else(|| without_line(found)))
            }
        }
    }

    /// The lines of all feeds that have the address blocked.
    fn lines_of(&mut self, by: &[Match]) -> Vec<SourceView> {
        let mut feeds: Vec<&Match> = by.iter().collect();
        feeds.dedup_by(|a, b| a.feed == b.feed);
        let lines = feeds
            .into_iter()
            .flat_map(|found| self.lines(&found.feed).unwrap_or_else(|| vec![without_line(found)]));
        lines.collect()
    }

    /// The lines of a feed that cover the address; `None` if they cannot be
    /// told.
    fn lines(&mut self, feed: &FeedName) -> Option<Vec<SourceView>> {
        let copy = self.copy(feed)?;
        let found = copy.sources(&Limits::default(), self.address);
        let found = found.map_err(|error| self.cannot_tell(feed, &error.to_string())).ok()?;
        Some(found.into_iter().map(|source| line(feed, source)).collect())
    }

    /// The first feed of a list that takes the address out of its own entries.
    fn exemption(&mut self, list: &List) -> Option<(FeedName, Exemption)> {
        let facts = self.facts;
        let mut feeds = facts.with_exceptions().filter(|feed| list.role(feed) == Role::Deny);
        feeds.find_map(|feed| {
            let found = self.copy(feed)?.exemption(&Limits::default(), self.address);
            let found = found.map_err(|error| self.cannot_tell(feed, &error.to_string())).ok()?;
            Some((feed.clone(), found?))
        })
    }

    /// The last good copy of a feed, if it is of the version in force.
    fn copy(&mut self, feed: &FeedName) -> Option<OpenCopy> {
        let version = self.facts.feeds.get(feed)?.in_force()?;
        let reason = match self.copies?.look_into(feed) {
            Ok(Some(copy)) if copy.header().version().numbers() == version.id.0 => {
                return Some(copy);
            }
            Ok(Some(_)) => "another version of it has been kept by now, ask again".to_owned(),
            Ok(None) => "it has no last good copy".to_owned(),
            Err(error) => error.to_string(),
        };
        self.cannot_tell(feed, &reason);
        None
    }

    fn cannot_tell(&mut self, feed: &FeedName, reason: &str) {
        let note = format!("the lines of feed {feed} cannot be told: {reason}");
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Whether any of the sets that a packet from the address could match holds
    /// it, `None` if the kernel cannot be asked. On a socket of its own, so that
    /// it needs not wait for a plan.
    fn ask_kernel(&self) -> Option<bool> {
        let mut kernel = Netfilter::open().ok()?;
        let address = AnyPrefix::host(self.address);
        let mut held = false;
        for set in self.sets() {
            held |= kernel.matches(set, address).ok()?;
        }
        Some(held)
    }

    fn sets(&self) -> impl Iterator<Item = &SetName> {
        self.facts.lists.iter().filter_map(|list| {
            let (name, set) = self.facts.set_of(&list.list, self.address)?;
            set.seen.is_some_and(|seen| seen.is_ours).then_some(name)
        })
    }
}

fn line(feed: &FeedName, source: SourceLine) -> SourceView {
    SourceView { feed: feed.to_string(), line: source.line, text: source.text }
}

/// What is told of a feed whose lines cannot be told: line 0 is none.
fn without_line(found: &Match) -> SourceView {
    SourceView { feed: found.feed.to_string(), line: 0, text: found.prefix.to_string() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use blocklist::{Allow, Glob, Options, parse_with};
    use feedfiles::{Manner, Store};
    use intake::{Age, Identity, Version};
    use tempfile::TempDir;

    use super::*;
    use crate::snapshot::{FeedFacts, ListFacts, VersionFacts};

    const FEED: &str = "list.txt";

    /// Makes this text the last good copy.
    fn keep(home: &TempDir, text: &str) -> (Copies, VersionFacts) {
        let mut store = Store::open(&home.path().join("state")).expect("a store");
        let (options, limits) = (Options::default(), Limits::default());
        let name = FeedName::new(FEED).expect("a name");
        let parsed = parse_with(text.as_bytes(), blocklist::Format::Plain, &options, &limits);
        let drafts = store.drafts().clone();
        let now = SystemTime::UNIX_EPOCH;
        let manner = Manner { format: parsed.format, detected: false, options: &options };
        let laid_down = drafts.lay_down(&name, manner, text.as_bytes(), now).expect("a draft");
        store.keep(laid_down.counted(parsed.tally), now).expect("kept");
        let copy = store.copies().look_into(&name).expect("good").expect("there");
        let id = Identity(copy.header().version().numbers());
        let version = VersionFacts(Version::new(id, parsed, now, now));
        (store.copies().clone(), version)
    }

    fn facts(version: VersionFacts) -> SnapshotFacts {
        let list = List {
            name: "drop".into(),
            feeds: vec![Glob::new("*").expect("a glob")],
            allow: Vec::<Allow>::new(),
            protect: Vec::new(),
        };
        let feed = FeedFacts {
            version: Some(version),
            refusals: Vec::new(),
            since: SystemTime::UNIX_EPOCH,
            can_be_accepted: false,
            is_gone: false,
            loss: None,
            unkept: None,
            age: Age::Fresh,
        };
        SnapshotFacts {
            lists: vec![ListFacts { list: Arc::new(list), held: None }],
            feeds: [(FeedName::new(FEED).expect("a name"), feed)].into(),
            ..SnapshotFacts::nothing()
        }
    }

    #[track_caller]
    fn check(facts: &SnapshotFacts, copies: &Copies, line: u64, text: &str, note: Option<&str>) {
        let address: IpAddr = "192.0.2.7".parse().expect("an address");
        let view = answer(facts, Some(copies), &address.into());
        assert_eq!(view.verdict, AddressVerdict::Blocked);
        let found = SourceView { feed: FEED.into(), line, text: text.into() };
        assert_eq!(view.lists[0].sources, [found]);
        assert_eq!(view.notes.len(), usize::from(note.is_some()), "{:?}", view.notes);
        assert!(view.notes.iter().all(|said| said.contains(note.unwrap_or_default())));
    }

    #[test]
    fn no_line_of_another_version_is_told() {
        let home = tempfile::tempdir().expect("a directory");
        let (copies, version) = keep(&home, "192.0.2.0/24\n");
        let facts = facts(version);
        check(&facts, &copies, 1, "192.0.2.0/24", None);
        let (copies, _) = keep(&home, "# moved\n192.0.2.0/25\n");
        check(&facts, &copies, 0, "192.0.2.0/24", Some("another version of it has been kept"));
    }

    #[test]
    fn a_copy_that_is_lost_or_damaged_leaves_the_verdict() {
        let home = tempfile::tempdir().expect("a directory");
        let (copies, version) = keep(&home, "192.0.2.0/24\n");
        let facts = facts(version);
        let folder = home.path().join("state/feeds");
        let entry = std::fs::read_dir(folder).expect("a folder").next();
        let copy = entry.expect("a copy").expect("an entry").path();
        let bytes = std::fs::read(&copy).expect("it can be read");
        std::fs::write(&copy, &bytes[..bytes.len() - 1]).expect("it can be cut");
        check(&facts, &copies, 0, "192.0.2.0/24", Some("bytes of feed"));
        std::fs::remove_file(&copy).expect("it can be removed");
        check(&facts, &copies, 0, "192.0.2.0/24", Some("no last good copy"));
    }
}
