//! `why`: what is known of an address, from memory, from the last good copies
//! and from the kernel. The question is put between two events, so that the
//! verdict is of one generation; the lines are looked up on another thread.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use blocklist::{
    AllowedBy, AnyPrefix, Exemption, Explanation, Family, FeedName, Limits, List, Match, Prefixes,
    Role, Source, exemption_with, explain, sources_with,
};
use netfilter::Netfilter;
use reconcile::{Observe as _, SetName, Standing};
use tokio::sync::oneshot;

use super::Daemon;
use super::answer::document;
use super::perform::Finished;
use crate::control::Reply;
use crate::effects::FeedEffects;
use crate::view::{AllowView, ListAnswer, SourceView, Verdict, WhyView};
use feedfiles::LastGood;

/// A question, with the part of the answer that memory knows.
struct Inquiry {
    address: IpAddr,
    lists: Vec<Known>,
    /// The feeds that take out some of what they name. Memory does not know
    /// what.
    exempting: Vec<FeedName>,
    /// The sets of ours that a packet from the address could match.
    sets: Vec<SetName>,
    feeds: FeedEffects,
}

/// What memory knows of one list.
struct Known {
    list: Arc<List>,
    explanation: Explanation,
    /// The member that holds the address.
    member: Option<AnyPrefix>,
}

/// Begins to answer.
pub(super) fn start(daemon: &Daemon, address: IpAddr, reply: oneshot::Sender<Reply>) {
    let inquiry = Inquiry::new(daemon, address.to_canonical());
    daemon.aside(move || {
        // Whoever asked may have gone.
        let _ = reply.send(document(&inquiry.answer()));
        Finished::Quiet
    });
}

impl Inquiry {
    fn new(daemon: &Daemon, address: IpAddr) -> Self {
        let keeper = &daemon.keeper;
        let now = daemon.clock.now().wall;
        let feeds: BTreeMap<FeedName, Arc<Prefixes>> = keeper
            .intake()
            .in_force()
            .map(|(name, version)| (name.clone(), version.prefixes_at(now)))
            .collect();
        let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        let (mut lists, mut sets) = (Vec::new(), Vec::new());
        for state in keeper.lists().values() {
            let list = &state.rules.list;
            let explanation = explain(list, &feeds, keeper.protection(), address);
            let set = keeper.settings().prefix.live(&list.name, family).ok();
            let desired = set.as_ref().and_then(|set| keeper.desired().sets.get(set));
            let member = desired.and_then(|target| target.members.covering(address));
            lists.push(Known { list: list.clone(), explanation, member });
            let observed = keeper.kernel().observed();
            let ours = |set: &SetName| {
                let seen = observed.and_then(|observed| observed.sets.get(set));
                seen.is_some_and(|seen| seen.standing == Standing::Ours)
            };
            sets.extend(set.filter(ours));
        }
        let exempting = keeper.intake().in_force();
        let exempting = exempting.filter(|(_, version)| version.tally.exceptions > 0);
        let exempting = exempting.map(|(name, _)| name.clone()).collect();
        Self { address, lists, exempting, sets, feeds: daemon.feeds.clone() }
    }

    fn answer(self) -> WhyView {
        let answers = self.lists.iter().map(|known| self.list_answer(known));
        let (verdicts, lists): (Vec<_>, Vec<_>) = answers.unzip();
        WhyView {
            address: self.address.to_string(),
            verdict: verdicts.into_iter().min().unwrap_or(Verdict::Unlisted),
            lists,
            kernel: self.ask_kernel(),
        }
    }

    fn list_answer(&self, known: &Known) -> (Verdict, ListAnswer) {
        let (verdict, sources, allow) = match &known.explanation {
            Explanation::Blocked { by } => (Verdict::Blocked, self.lines_of(by), None),
            Explanation::Allowed { by, over } if over.is_empty() => {
                (Verdict::Unlisted, Vec::new(), Some(self.allow(by)))
            }
            Explanation::Allowed { by, over } => {
                (Verdict::Allowed, self.lines_of(over), Some(self.allow(by)))
            }
            Explanation::Unlisted => self.exemption(&known.list).map_or_else(
                || (Verdict::Unlisted, Vec::new(), None),
                |(feed, Exemption { by, over })| {
                    let verdict =
                        if over.is_empty() { Verdict::Unlisted } else { Verdict::Allowed };
                    let over = over.into_iter().map(|source| line(feed, source)).collect();
                    (verdict, over, Some(AllowView::Feed(line(feed, by))))
                },
            ),
        };
        let prefix = known.member.map(|prefix| prefix.to_string());
        (verdict, ListAnswer { list: known.list.name.clone(), prefix, sources, allow })
    }

    fn allow(&self, by: &AllowedBy) -> AllowView {
        match by {
            AllowedBy::Literal(prefix) => AllowView::Literal { literal: prefix.to_string() },
            AllowedBy::Protect { category, .. } => {
                AllowView::Protect { protect: category.to_string() }
            }
            AllowedBy::Feed(Match { feed, prefix }) => {
                let first = self.lines(feed).into_iter().next();
                AllowView::Feed(first.unwrap_or_else(|| SourceView {
                    feed: feed.to_string(),
                    line: 0,
                    text: prefix.to_string(),
                }))
            }
        }
    }

    /// The lines of all feeds that have the address blocked.
    fn lines_of(&self, by: &[Match]) -> Vec<SourceView> {
        let mut feeds: Vec<&FeedName> = by.iter().map(|found| &found.feed).collect();
        feeds.dedup();
        feeds.into_iter().flat_map(|feed| self.lines(feed)).collect()
    }

    /// The lines of a feed that cover the address.
    fn lines(&self, feed: &FeedName) -> Vec<SourceView> {
        let Some(copy) = self.copy(feed) else { return Vec::new() };
        let LastGood { header, bytes } = copy;
        let limits = Limits::default();
        let found = sources_with(&bytes, header.format, &header.options, &limits, self.address);
        found.into_iter().map(|source| line(feed, source)).collect()
    }

    /// The first feed of a list that takes the address out of its own entries.
    fn exemption(&self, list: &List) -> Option<(&FeedName, Exemption)> {
        let mut feeds = self.exempting.iter().filter(|feed| list.role(feed) == Role::Deny);
        feeds.find_map(|feed| {
            let LastGood { header, bytes } = self.copy(feed)?;
            let limits = Limits::default();
            let found =
                exemption_with(&bytes, header.format, &header.options, &limits, self.address);
            Some((feed, found?))
        })
    }

    /// The last good copy of a feed, which is what is in force.
    fn copy(&self, feed: &FeedName) -> Option<LastGood> {
        let loaded = self.feeds.copies()?.load(feed);
        loaded.unwrap_or_else(|error| {
            tracing::warn!(%feed, %error, "the lines of a feed cannot be looked up");
            None
        })
    }

    /// Whether any of the sets holds the address, `None` if the kernel cannot
    /// be asked. On a socket of its own, so that it needs not wait for a plan.
    fn ask_kernel(&self) -> Option<bool> {
        let mut kernel = Netfilter::open().ok()?;
        let address = AnyPrefix::host(self.address);
        let mut held = false;
        for set in &self.sets {
            held |= kernel.matches(set, address).ok()?;
        }
        Some(held)
    }
}

fn line(feed: &FeedName, source: Source) -> SourceView {
    SourceView { feed: feed.to_string(), line: source.line, text: source.text }
}
