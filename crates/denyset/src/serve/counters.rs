//! What the rules have counted, read when somebody asks, and at a pace that no
//! number of clients makes faster. On a socket of its own, so that it needs not
//! wait for a plan.

use std::sync::Arc;
use std::time::{Duration, Instant};

use netfilter::Netfilter;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::snapshot::{RuleCounts, Snapshot, SnapshotFacts};

/// For so long what was read is told again.
const FRESH: Duration = Duration::from_secs(1);

/// What was read last.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Option<Read>>);

#[derive(Debug)]
struct Read {
    at: Instant,
    revision: u64,
    counts: Arc<RuleCounts>,
}

impl Counters {
    /// What the rules of this snapshot have counted by now, or a moment ago.
    pub(super) async fn read(&self, snapshot: &Arc<Snapshot>) -> Arc<RuleCounts> {
        let mut last = self.0.lock().await;
        if let Some(Read { at, revision, counts }) = &*last
            && *revision == snapshot.revision
            && at.elapsed() < FRESH
        {
            return counts.clone();
        }
        let asked = snapshot.clone();
        // What cannot be read is not told.
        let counts = spawn_blocking(move || read(&asked.facts)).await.unwrap_or_default();
        let counts = Arc::new(counts);
        let revision = snapshot.revision;
        *last = Some(Read { at: Instant::now(), revision, counts: counts.clone() });
        counts
    }
}

fn read(facts: &SnapshotFacts) -> RuleCounts {
    let mut counts = RuleCounts::default();
    if facts.rules.is_empty() {
        return counts;
    }
    let Ok(mut kernel) = Netfilter::open() else { return counts };
    for seen in &facts.rules {
        match kernel.rule_counts(&seen.wanted) {
            Ok(read) => counts.insert(seen.wanted.family(), read),
            Err(error) => tracing::debug!(%error, "what rules count cannot be read: {error}"),
        }
    }
    counts
}
