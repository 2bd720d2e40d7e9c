//! Takes in the packets that rules show, on a thread of its own: nothing of an
//! update waits for it, and it waits for nobody. What it has counted, others
//! read.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use blocklist::{Family, FeedName};
use feedfiles::Quiet;
use netfilter::{Heard, Listener, Netfilter};
use reconcile::{Count, RuleSet};

use super::lookup::Lookup;
use super::tally::HitTally;
use crate::snapshot::Snapshot;

/// Taking over a new snapshot may take one part in so many of the time.
const SHARE: u32 = 20;
/// Between two attempts to listen.
const RETRY: Duration = Duration::from_secs(10);
/// Between two looks at how long feeds were not hit.
const LOOK: Duration = Duration::from_secs(60);
/// Between two times that this is written down.
const NOTE: Duration = Duration::from_secs(3_600);

/// Of each rule, how many of the addresses that it hits most are told: the loop
/// asks before each change.
const FREQUENT_OF_A_RULE: usize = 64;

/// What was counted, for all who ask.
#[derive(Clone, Debug, Default)]
pub struct Hits(Arc<Mutex<HitTally>>);

impl Hits {
    /// Nothing was counted yet; feeds have been quiet for so long.
    pub fn new(quiet: BTreeMap<FeedName, Quiet>) -> Self {
        Self(Arc::new(Mutex::new(HitTally { quiet, ..HitTally::default() })))
    }

    /// What was counted up to now.
    pub fn tally(&self) -> HitTally {
        self.lock().clone()
    }

    /// The addresses that were hit most, the most frequent first, by the list of
    /// the rules that they hit and by family.
    pub fn frequent(&self) -> BTreeMap<(String, Family), Vec<IpAddr>> {
        let mut frequent: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ((family, _), rule) in &self.lock().rules {
            let of_list = frequent.entry((rule.list.clone(), *family)).or_default();
            let most = rule.addresses.iter().take(FREQUENT_OF_A_RULE);
            of_list.extend(most.map(|(&address, frequency)| (frequency, address)));
        }
        let sorted = frequent.into_iter().map(|(list, mut addresses)| {
            addresses.sort_unstable_by(|one, other| other.cmp(one));
            (list, addresses.into_iter().map(|(_, address)| address).collect())
        });
        sorted.collect()
    }

    /// How long feeds have blocked nothing, to be written down.
    pub fn quiet(&self) -> BTreeMap<FeedName, Quiet> {
        self.lock().quiet.clone()
    }

    fn lock(&self) -> MutexGuard<'_, HitTally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever takes packets in.
#[derive(Debug)]
pub struct HitReader {
    hits: Hits,
    lookup: Option<Lookup>,
    /// Before this no other snapshot is taken over.
    rest: Instant,
    listener: Option<(u16, Listener)>,
    /// Before this nobody tries to listen again.
    retry: Option<Instant>,
    /// What was lost before the present listener.
    lost: u64,
    looked: Instant,
    noted: Instant,
    /// Whether something is to be written down.
    news: bool,
}

impl HitReader {
    /// A reader that has not begun.
    pub fn new(hits: Hits) -> Self {
        let now = Instant::now();
        let (lookup, listener, retry) = (None, None, None);
        let lost = hits.lock().lost;
        Self {
            hits,
            lookup,
            rest: now,
            listener,
            retry,
            lost,
            looked: now,
            noted: now,
            news: false,
        }
    }

    /// Takes in what comes within a second, held against the latest snapshot
    /// or one of a moment ago. Returns what should be written down, now and
    /// then.
    ///
    /// `None` as soon as no rule shows anything.
    pub fn turn(
        &mut self,
        latest: impl Fn() -> Arc<Snapshot>,
    ) -> Option<Option<BTreeMap<FeedName, Quiet>>> {
        self.take_over(&latest());
        let Some(group) = self.lookup.as_ref().and_then(Lookup::group) else {
            self.hits.lock().listening = false;
            return None;
        };
        self.listen(group);
        self.hear(latest);
        Some(self.due_note())
    }

    fn take_over(&mut self, snapshot: &Snapshot) {
        let begun = Instant::now();
        let fresh = self.lookup.as_ref().is_some_and(|l| l.revision() == snapshot.revision);
        if fresh || begun < self.rest {
            return;
        }
        let now = SystemTime::now();
        let lookup = Lookup::new(snapshot, now);
        // Where a rule begins to be counted, its counter stands somewhere.
        let counts =
            if self.hits.lock().lacks(&lookup) { counts(&lookup.shown) } else { BTreeMap::new() };
        self.hits.lock().watch(&lookup, &counts, now);
        self.lookup = Some(lookup);
        self.rest = begun + begun.elapsed() * SHARE;
    }

    /// Listens to the group, if that is not so already.
    fn listen(&mut self, group: u16) {
        if self.listener.as_ref().is_some_and(|(present, _)| *present == group) {
            return;
        }
        self.listener = None;
        self.lost = self.hits.lock().lost;
        if self.retry.is_some_and(|retry| Instant::now() < retry) {
            return;
        }
        let trouble = match Listener::open(group) {
            Ok(listener) => {
                self.listener = Some((group, listener));
                None
            }
            Err(error) => Some(error.to_string()),
        };
        self.retry = trouble.as_ref().map(|_| Instant::now() + RETRY);
        let mut tally = self.hits.lock();
        if let Some(error) = trouble.as_ref().filter(|_| tally.trouble != trouble) {
            tracing::warn!(error, "hits are not counted by feed: {error}");
        }
        tally.trouble = trouble;
        tally.listening = self.listener.is_some();
    }

    /// Takes in the next datagram, or waits for one in vain.
    fn hear(&mut self, latest: impl Fn() -> Arc<Snapshot>) {
        let Some((_, listener)) = &mut self.listener else {
            std::thread::sleep(netfilter::limits::GLANCE);
            return;
        };
        let mut packets = Vec::new();
        let heard = listener.hear(|shown| packets.push(shown));
        let lost = self.lost + listener.lost();
        // What was waited for may be owed to what came meanwhile.
        self.take_over(&latest());
        let Some(lookup) = &self.lookup else { return };
        let now = SystemTime::now();
        // Looked up before anybody has to wait for it.
        let found: Vec<_> = packets.iter().map(|shown| lookup.find(shown)).collect();
        let mut tally = self.hits.lock();
        for hit in found {
            match hit {
                Some(hit) => tally.count(&hit, now),
                None => tally.strange += 1,
            }
        }
        self.news |= !packets.is_empty();
        tally.lost = lost;
        match heard {
            Ok(Heard::Nothing) => {}
            Ok(Heard::Packets { unreadable }) => tally.unreadable += unreadable as u64,
            Ok(Heard::Overrun) => tally.overruns += 1,
            Err(error) => {
                tracing::warn!(%error, "packets are not heard any more: {error}");
                tally.listening = false;
                drop(tally);
                self.listener = None;
                self.retry = Some(Instant::now() + RETRY);
            }
        }
    }

    fn due_note(&mut self) -> Option<BTreeMap<FeedName, Quiet>> {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.news |= self.hits.lock().look(SystemTime::now());
        }
        if !self.news || self.noted.elapsed() < NOTE {
            return None;
        }
        (self.noted, self.news) = (Instant::now(), false);
        Some(self.hits.quiet())
    }
}

/// What these rules have counted, as far as it can be read.
fn counts(rules: &[RuleSet]) -> BTreeMap<(Family, String), Count> {
    let Ok(mut kernel) = Netfilter::open() else { return BTreeMap::new() };
    let counts = rules.iter().flat_map(|rules| {
        let counts = kernel.rule_counts(rules).unwrap_or_default().into_iter();
        counts.map(|count| ((rules.family(), count.rule.clone()), count))
    });
    counts.collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Frequent, RuleTally};
    use super::*;

    #[test]
    fn the_addresses_that_the_rules_of_a_list_hit_most_come_first() {
        let hits = Hits::default();
        let rule = |list: &str, seen: &[(&str, usize)]| {
            let mut addresses = Frequent::new(8);
            for &(address, times) in seen {
                let address: IpAddr = address.parse().expect("an address");
                (0..times).for_each(|_| addresses.add(address));
            }
            RuleTally {
                list: list.to_owned(),
                one_in: 1,
                since: SystemTime::UNIX_EPOCH,
                before: None,
                samples: 0,
                of_none: 0,
                feeds: BTreeMap::new(),
                addresses,
                prefixes: Frequent::new(8),
            }
        };
        let rules = [
            ("in", rule("drop", &[("192.0.2.1", 2), ("192.0.2.2", 5)])),
            ("out", rule("drop", &[("192.0.2.3", 3)])),
            ("other", rule("more", &[("192.0.2.4", 9)])),
        ];
        hits.lock().rules =
            rules.map(|(name, rule)| ((Family::Ipv4, name.to_owned()), rule)).into();
        let frequent = hits.frequent();
        let of = |list: &str| {
            let all = frequent[&(list.to_owned(), Family::Ipv4)].iter();
            all.map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of("drop"), ["192.0.2.2", "192.0.2.3", "192.0.2.1"]);
        assert_eq!(of("more"), ["192.0.2.4"]);
    }
}
