//! `why`: what is known of an address, from memory, from the last good copies
//! and from the kernel. The question is put between two events, so that the
//! verdict is of one generation; the lines are looked up on another thread.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use blocklist::{
    AllowedBy, AnyPrefix, Explanation, Family, FeedName, Limits, List, Match, Prefixes, explain,
    sources_with,
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

/// A question, with the part of the answer that memory knows.
struct Inquiry {
    address: IpAddr,
    lists: Vec<(Arc<List>, Explanation, Option<AnyPrefix>)>,
    /// The sets of ours that a packet from the address could match.
    sets: Vec<SetName>,
    feeds: FeedEffects,
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
        let reconciler = &daemon.reconciler;
        let settings = reconciler.settings();
        let feeds: BTreeMap<FeedName, Arc<Prefixes>> = reconciler
            .feeds()
            .in_force()
            .map(|(name, prefixes)| (name.clone(), prefixes.clone()))
            .collect();
        let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
        let (mut lists, mut sets) = (Vec::new(), Vec::new());
        for list in &settings.lists {
            let explanation = explain(list, &feeds, &settings.protection, address);
            let set = settings.prefix.live(&list.name, family).ok();
            let desired = set.as_ref().and_then(|set| reconciler.desired().sets.get(set));
            let member = desired.and_then(|members| members.covering(address));
            lists.push((list.clone(), explanation, member));
            let observed = reconciler.kernel().observed();
            let ours = |set: &SetName| {
                let seen = observed.and_then(|observed| observed.sets.get(set));
                seen.is_some_and(|seen| seen.standing == Standing::Ours)
            };
            sets.extend(set.filter(ours));
        }
        Self { address, lists, sets, feeds: daemon.feeds.clone() }
    }

    fn answer(self) -> WhyView {
        let lists: Vec<_> = self
            .lists
            .iter()
            .map(|(list, explanation, member)| self.list_answer(list, explanation, *member))
            .collect();
        let said = |explanation: fn(&Explanation) -> bool| {
            self.lists.iter().any(|(_, found, _)| explanation(found))
        };
        let verdict = if said(|found| matches!(found, Explanation::Blocked { .. })) {
            Verdict::Blocked
        } else if said(
            |found| matches!(found, Explanation::Allowed { over, .. } if !over.is_empty()),
        ) {
            Verdict::Allowed
        } else {
            Verdict::Unlisted
        };
        let kernel = self.ask_kernel();
        WhyView { address: self.address.to_string(), verdict, lists, kernel }
    }

    fn list_answer(
        &self,
        list: &List,
        explanation: &Explanation,
        member: Option<AnyPrefix>,
    ) -> ListAnswer {
        let (by, allow) = match explanation {
            Explanation::Blocked { by } => (by.as_slice(), None),
            Explanation::Allowed { by, over } => (over.as_slice(), Some(self.allow(by))),
            Explanation::Unlisted => (&[][..], None),
        };
        let mut feeds: Vec<&FeedName> = by.iter().map(|found| &found.feed).collect();
        feeds.dedup();
        ListAnswer {
            list: list.name.clone(),
            prefix: member.map(|prefix| prefix.to_string()),
            sources: feeds.into_iter().flat_map(|feed| self.lines(feed)).collect(),
            allow,
        }
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

    /// The lines of a feed that cover the address, from its last good copy.
    fn lines(&self, feed: &FeedName) -> Vec<SourceView> {
        let copy = self.feeds.store().map(|store| store.copies().load(feed));
        let copy = match copy {
            Some(Ok(Some(copy))) => copy,
            Some(Err(error)) => {
                tracing::warn!(%feed, %error, "the lines of a feed cannot be looked up");
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        let header = copy.header;
        let limits = Limits::default();
        let found =
            sources_with(&copy.bytes, header.format, &header.options, &limits, self.address);
        let lines = found.into_iter().map(|source| SourceView {
            feed: feed.to_string(),
            line: source.line,
            text: source.text,
        });
        lines.collect()
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
