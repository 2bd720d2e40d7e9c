//! Lists put together: what is asked, and the asking run. It goes over all
//! members, so it is for threads that nobody waits for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Composition, FeedName, List, Operands, Prefixes, Protection, Role};
use intake::{Makeup, Peer, Ticket, Version};
use reconcile::Target;

/// What a list is made of.
#[derive(Clone, Debug)]
pub struct Compose {
    /// Of the answer.
    pub ticket: Ticket,
    /// The list.
    pub list: Arc<List>,
    /// The versions in force of the feeds that it takes in.
    pub feeds: BTreeMap<FeedName, Version>,
    /// Those of them that leave the list when their files are so old.
    pub drops: BTreeMap<FeedName, Duration>,
    /// Those of them that were judged without the version before. What only
    /// they say must never be in the list may be what guards refuse: it keeps
    /// out what is not in yet, and takes nothing out of a set that is held.
    pub blind: BTreeSet<FeedName>,
    /// What is protected on this host, of which the list takes its part.
    pub protection: Arc<Protection>,
    /// The time of day, by which entries have ended.
    pub at: SystemTime,
    /// What it came to the last time.
    pub previous: Option<[Target; 2]>,
    /// What it was computed of then, and what came of that.
    pub basis: Option<Arc<Basis>>,
}

/// What a list was computed of, and what came of it: where little of that changes,
/// little is computed again. All of it is shared with the feeds and the sets.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Basis {
    operands: Operands,
    composition: Composition,
}

/// A list put together.
#[derive(Debug)]
pub struct Composed {
    /// Of the question.
    pub ticket: Ticket,
    /// The list's name.
    pub list: String,
    /// What its sets are to hold. The very same as the last time, shared, if
    /// nothing has changed.
    pub targets: [Target; 2],
    /// Whether it is anything else than the last time.
    pub changed: bool,
    /// For the next time.
    pub basis: Arc<Basis>,
    /// What was taken out because it is protected.
    pub protected: Arc<Prefixes>,
    /// The feeds that it was made of.
    pub makeup: Makeup,
    /// Who was connected then to the ports over which this host is administered.
    /// Whoever has it put together looks for that.
    pub peers: Vec<Peer>,
}

impl Compose {
    /// Puts the list together.
    pub fn run(self) -> Composed {
        let mut makeup = makeup(&self.list, self.feeds.keys());
        makeup.drops = self.drops;
        makeup.drops.retain(|feed, _| makeup.deny.contains(feed));
        let at = self.at;
        let feeds =
            self.feeds.into_iter().map(|(name, version)| (name, version.contributed_at(at)));
        let protect = self.protection.of(&self.list.protect);
        let mut feeds: BTreeMap<_, _> = feeds.collect();
        let operands = Operands::of(&self.list, &feeds, &protect);
        let composition = match &self.basis {
            Some(basis) => operands.compose_after(&basis.operands, &basis.composition),
            None => operands.compose(),
        };
        let never = if self.blind.is_empty() {
            composition.never.clone()
        } else {
            feeds.retain(|feed, _| !self.blind.contains(feed));
            Operands::of(&self.list, &feeds, &protect).never()
        };
        let fresh = Target::pair(composition.members.clone(), never);
        let (targets, changed) = match self.previous {
            Some(previous) if previous == fresh => (previous, false),
            _ => (fresh, true),
        };
        Composed {
            ticket: self.ticket,
            list: self.list.name.clone(),
            targets,
            changed,
            protected: Arc::new(composition.protected.clone()),
            basis: Arc::new(Basis { operands, composition }),
            makeup,
            peers: Vec::new(),
        }
    }
}

/// The part that each of these feeds has in a list.
pub(crate) fn makeup<'a>(list: &List, feeds: impl Iterator<Item = &'a FeedName>) -> Makeup {
    let mut makeup = Makeup::default();
    for feed in feeds {
        match list.role(feed) {
            Role::Deny => drop(makeup.deny.insert(feed.clone())),
            Role::Allow => drop(makeup.allow.insert(feed.clone())),
            Role::None => {}
        }
    }
    makeup
}

/// What a proposed configuration would make of lists that are in force.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Of the answer.
    pub ticket: Ticket,
    /// The lists as they would be put together; `previous` is what is in force.
    pub lists: Vec<Compose>,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Of the question.
    pub ticket: Ticket,
    /// By list: how many members it has, and how many of them it would lose.
    pub losses: BTreeMap<String, (u64, u64)>,
    /// By list: what its sets would hold.
    pub targets: BTreeMap<String, [Target; 2]>,
    /// Who was connected then to the ports over which this host is administered.
    pub peers: Vec<Peer>,
}

impl Trial {
    /// Counts what would be lost. `peers` are connected now.
    pub fn run(self, peers: Vec<Peer>) -> Tried {
        let (mut losses, mut targets) = (BTreeMap::new(), BTreeMap::new());
        for compose in self.lists {
            let before = compose.previous.clone();
            let composed = compose.run();
            let pairs = before.iter().flatten().zip(&composed.targets);
            let counts = pairs.fold((0, 0), |(had, lost), (before, after)| {
                let gone = before.members.lost_to(&after.members);
                (had + before.members.len() as u64, lost + gone)
            });
            losses.insert(composed.list.clone(), counts);
            targets.insert(composed.list, composed.targets);
        }
        Tried { ticket: self.ticket, losses, targets, peers }
    }
}
