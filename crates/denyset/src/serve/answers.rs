//! The answers to questions, from the snapshot alone: no question waits for the
//! loop. The text of `status` is made once for each revision and shared by all
//! who ask; the questions for an address are answered one at a time.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use blocklist::{FeedName, FeedNameError};
use feedfiles::Shelf;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::spawn_blocking;

use super::counters::Counters;
use super::hits;
use super::limits::HITS_MAX;
use super::protocol::{Failure, Question, encode_reply, head_of_reply};
use super::session::{Call, ClientCredentials};
use super::turns::Turns;
use super::why;
use crate::exit::Exit;
use crate::hits::Hits;
use crate::snapshot::{Snapshot, SnapshotFacts};
use crate::view::{OverlapView, lasting_status, rule_statuses};

/// Where answers come from.
#[derive(Debug)]
pub struct Answers {
    snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The last good copies, for the lines of feeds.
    copies: Shelf,
    /// Where changes go.
    pub(super) changes: mpsc::Sender<Call>,
    /// Since when the daemon has been running.
    started: Instant,
    status: Mutex<Option<Rendered>>,
    counters: Counters,
    hits: Hits,
    turns: Turns,
}

/// The text of `status` at one revision, but for what changes by itself.
#[derive(Debug)]
struct Rendered {
    revision: u64,
    rest: Arc<str>,
}

/// A reply line, of which a part may be shared.
#[derive(Clone, Debug)]
pub(super) struct ReplyText {
    head: String,
    rest: Arc<str>,
}

impl ReplyText {
    /// The parts in their order, the end of the line included.
    pub(super) fn parts(&self) -> [&str; 3] {
        [&self.head, &self.rest, "\n"]
    }
}

impl From<String> for ReplyText {
    fn from(head: String) -> Self {
        Self { head, rest: Arc::default() }
    }
}

impl Answers {
    /// The answers of a daemon that runs since `started`.
    pub fn new(
        snapshots: watch::Receiver<Arc<Snapshot>>,
        copies: Shelf,
        hits: Hits,
        changes: mpsc::Sender<Call>,
        started: Instant,
    ) -> Self {
        let (status, counters, turns) = (Mutex::default(), Counters::default(), Turns::new());
        Self { snapshots, copies, changes, started, status, counters, hits, turns }
    }

    /// What the daemon holds.
    pub(super) async fn status(&self) -> Result<ReplyText, Failure> {
        let snapshot = self.snapshots.borrow().clone();
        let counts = self.counters.read(&snapshot).await;
        let rules = document(&rule_statuses(&snapshot.facts, &counts))?;
        let mut status = self.status.lock().await;
        let rest = match &*status {
            Some(rendered) if rendered.revision == snapshot.revision => rendered.rest.clone(),
            _ => {
                let revision = snapshot.revision;
                let rest = spawn_blocking(move || render(&snapshot)).await.map_err(|_| broken())?;
                *status = Some(Rendered { revision, rest: rest.clone() });
                rest
            }
        };
        let uptime = self.started.elapsed().as_secs();
        let head = head_of_reply(&format!("\"uptime-seconds\":{uptime},\"rules\":{rules}"));
        Ok(ReplyText { head, rest })
    }

    /// What is known of an address.
    pub(super) async fn why(
        &self,
        question: Question,
        peer: ClientCredentials,
        has_gone: impl Fn() -> bool,
    ) -> Result<String, Failure> {
        let copies = self.copies.copies();
        let answer = move |facts: &SnapshotFacts| why::answer(facts, copies.as_ref(), &question);
        self.in_turn(peer, has_gone, answer).await
    }

    /// What was hit up to now.
    pub(super) async fn hits(
        &self,
        rule: Option<String>,
        feed: Option<String>,
        top: u16,
        peer: ClientCredentials,
        has_gone: impl Fn() -> bool,
    ) -> Result<String, Failure> {
        let refuse = |error: FeedNameError| Failure::new(Exit::Usage, error.to_string());
        let feed = feed.as_deref().map(FeedName::new).transpose().map_err(refuse)?;
        let snapshot = self.snapshots.borrow().clone();
        let counts = self.counters.read(&snapshot).await;
        let (copies, counted) = (self.copies.copies(), self.hits.clone());
        let question = hits::HitsQuestion { rule, feed, top: top.min(HITS_MAX).into() };
        let answer = move |facts: &SnapshotFacts| {
            hits::answer(facts, copies.as_ref(), &counted.tally(), &counts, &question)
        };
        self.in_turn(peer, has_gone, answer).await
    }

    /// What the feeds of each list have in common.
    pub(super) async fn overlap(
        &self,
        peer: ClientCredentials,
        has_gone: impl Fn() -> bool,
    ) -> Result<String, Failure> {
        let answer = |facts: &SnapshotFacts| {
            let lists = facts.lists.iter().map(|list| &*list.list);
            let feeds = facts.in_force(SystemTime::now());
            OverlapView::of(lists, &feeds, &facts.protection, Vec::new())
        };
        self.in_turn(peer, has_gone, answer).await
    }

    /// Makes an answer that takes a while. Whoever has given up when it is
    /// their turn is passed over.
    async fn in_turn<V: serde::Serialize + Send + 'static>(
        &self,
        peer: ClientCredentials,
        has_gone: impl Fn() -> bool,
        answer: impl FnOnce(&SnapshotFacts) -> V + Send + 'static,
    ) -> Result<String, Failure> {
        let turn = self.turns.wait(peer.uid, peer.rank()).await;
        if has_gone() {
            return Err(Failure::new(Exit::Failure, "nobody waits for the answer"));
        }
        let snapshot = self.snapshots.borrow().clone();
        let answer = spawn_blocking(move || {
            let view = answer(&snapshot.facts);
            drop(turn);
            view
        });
        let view = answer.await.map_err(|_| broken())?;
        document(&view).map(|document| encode_reply(Ok(document)))
    }
}

/// All of the reply to `status` behind its head.
fn render(snapshot: &Snapshot) -> Arc<str> {
    let mut text = lasting_status(&snapshot.facts).to_string();
    // It goes on where the head has begun.
    text.remove(0);
    write!(text, "}}").expect("a string takes any text");
    text.into()
}

/// A view as a reply.
///
/// # Errors
/// A plain failure if it cannot be written as JSON.
pub fn document(view: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(view)
        .map_err(|error| Failure::new(Exit::Failure, format!("cannot write the answer: {error}")))
}

fn broken() -> Failure {
    Failure::new(Exit::Failure, "the answer could not be made, the log of the daemon says why")
}
