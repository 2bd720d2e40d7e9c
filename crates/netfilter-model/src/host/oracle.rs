//! The plain rule: what the files, the configuration, the accepts and the host
//! say now, judged as the contract says, is what the kernel holds, and what is
//! said is what is. Slow, and with no code of the state machine's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use blocklist::{AnyPrefix, FeedName, Prefixes, Role};

use super::clock::HostClock;
use super::configuration::{FEEDS, HostConfiguration, LISTS, ListTable, NOTHING, SLIP_AGE, feed};
use super::facts::HostFacts;
use super::files::{FeedsDirectory, File};
use super::possible::{Possible, PossibleVersion};
use super::said::{HeldList, RefusedFeed};
use super::store::{Copy, StoredMakeup};
use super::text::FeedText;

/// What is known from outside.
pub(super) struct Oracle {
    /// The feeds.
    pub(super) feeds: BTreeMap<FeedName, Possible>,
    /// Every configuration since the last quiet moment, the newest last.
    configurations: Vec<Arc<HostConfiguration>>,
    /// What the host has said since then.
    pub(super) facts: Vec<HostFacts>,
    /// What the kernel held when copies were lost, by list and feed, of lists that
    /// had taken in the feed all the time.
    rescued: BTreeMap<String, BTreeMap<FeedName, Prefixes>>,
    /// What the kernel held at starts, by list, as far as it may be held.
    pub(super) found: BTreeMap<String, Prefixes>,
    /// Lists of which a start may not know all that they were made of.
    pub(super) doubtful: BTreeSet<String>,
    /// The last start did not know what made up the lists.
    forgotten: bool,
    /// Every version of a feed that there ever was, by its number.
    pub(super) texts: BTreeMap<u64, Arc<FeedText>>,
}

impl Oracle {
    /// Nothing has happened yet.
    pub(super) fn new(configuration: Arc<HostConfiguration>, facts: HostFacts) -> Self {
        let feeds = FEEDS.iter().map(|name| (feed(name), Possible::default())).collect();
        let (configurations, facts) = (vec![configuration], vec![facts]);
        Self {
            feeds,
            configurations,
            facts,
            rescued: BTreeMap::new(),
            found: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            forgotten: false,
            texts: BTreeMap::new(),
        }
    }

    fn feed(&mut self, name: &FeedName) -> &mut Possible {
        self.feeds.entry(name.clone()).or_default()
    }

    /// A feed's file is like this now.
    pub(super) fn file(&mut self, name: &FeedName, file: Option<&File>, clock: &HostClock) {
        self.feed(name).file(file, clock);
        if file.is_none() && self.forgotten {
            // Of a feed that nothing names any more nobody knows that it was one.
            self.not_lost(name);
        }
    }

    /// Time has passed.
    pub(super) fn time(&mut self, clock: &HostClock, files: &FeedsDirectory) {
        for name in self.feeds.keys().cloned().collect::<Vec<_>>() {
            self.file(&name, files.by_name.get(&name), clock);
        }
    }

    /// The daemon has seen which files are there.
    pub(super) fn scanned(&mut self, files: &FeedsDirectory) {
        for name in files.by_name.keys() {
            self.feed(name).is_seen();
        }
    }

    /// There is a new configuration.
    pub(super) fn configured(&mut self, configuration: &Arc<HostConfiguration>) {
        self.configurations.push(configuration.clone());
    }

    /// The host says something else.
    pub(super) fn said(&mut self, facts: &HostFacts) {
        self.facts.push(facts.clone());
    }

    /// A daemon starts, while the kernel holds this and the state directory says
    /// this of what makes up the lists.
    pub(super) fn started(
        &mut self,
        before: &HostConfiguration,
        new: &HostConfiguration,
        made_of: Option<&BTreeMap<String, StoredMakeup>>,
        kernel: &BTreeMap<String, Prefixes>,
    ) {
        self.disturbed(kernel.keys(), kernel);
        self.forgotten = made_of.is_none();
        for (name, feed) in &mut self.feeds {
            // He may have to say it again, if it does not stand there yet.
            feed.given_up = false;
            let named = |made_of: &&StoredMakeup| made_of.deny.contains(name);
            if std::mem::take(&mut feed.excused)
                && made_of.is_some_and(|lists| lists.values().any(|one| named(&one)))
            {
                self.doubtful.extend(new.lists.keys().cloned());
            }
        }
        self.doubts(before, new, made_of);
    }

    /// Lists may be made of other feeds than they were, while what the state
    /// directory says of them is still to be held against that.
    pub(super) fn doubts(
        &mut self,
        before: &HostConfiguration,
        new: &HostConfiguration,
        made_of: Option<&BTreeMap<String, StoredMakeup>>,
    ) {
        let differs = |list: &str, table: &ListTable| {
            let was = |made_of: &StoredMakeup| {
                let denied = |feed: &FeedName| table.role(feed) == Role::Deny;
                let allowed = |feed: &FeedName| table.role(feed) == Role::Allow;
                let ages = |feed: &FeedName| {
                    let age = new.max_age.get(feed).filter(|age| age.1).map(|age| age.0);
                    age.is_some() && made_of.drops.get(feed).copied() != age
                };
                made_of.doubt
                    || made_of.deny.iter().any(ages)
                    || !made_of.deny.iter().all(denied)
                    || !made_of.allow.iter().all(allowed)
            };
            before.lists.get(list) != Some(table)
                || made_of.is_none_or(|made_of| made_of.get(list).is_none_or(was))
        };
        let lists = new.lists.iter().filter(|(list, table)| differs(list, table));
        self.doubtful.extend(lists.map(|(list, _)| list.clone()));
    }

    /// A configuration may bring lists whose sets are still there.
    pub(super) fn returns(
        &mut self,
        configuration: &HostConfiguration,
        kernel: &BTreeMap<String, Prefixes>,
    ) {
        let there = |list: &&String| self.forgotten && kernel.contains_key(*list);
        self.doubtful.extend(configuration.lists.keys().filter(there).cloned());
    }

    /// The sets of these lists may hold this for as long as they are held.
    pub(super) fn disturbed<'a>(
        &mut self,
        lists: impl Iterator<Item = &'a String>,
        kernel: &BTreeMap<String, Prefixes>,
    ) {
        for list in lists {
            let Some(held) = kernel.get(list) else { continue };
            let found = self.found.entry(list.clone()).or_default();
            *found = Prefixes::union([&*found, held]);
        }
    }

    /// Somebody has said that a configuration is meant as it is.
    pub(super) fn meant(&mut self, configuration: &HostConfiguration) {
        for one in self.configurations.iter_mut().filter(|one| one.number == configuration.number) {
            *one = one.as_meant();
        }
    }

    /// A configuration has come into force. A list that loses all that must
    /// be blocked with it, though nobody meant that, unless its sets are held.
    pub(super) fn emptied(
        &mut self,
        before: &HostConfiguration,
        running: &HostConfiguration,
        kernel: &BTreeMap<String, Prefixes>,
        is_held: bool,
    ) -> Option<String> {
        if is_held {
            // What a new age leaves of a list was judged all the same.
            for one in self.configurations.iter_mut().filter(|one| one.number == running.number) {
                *one = Arc::new(HostConfiguration {
                    meant_ages: None,
                    ..HostConfiguration::clone(one)
                });
            }
            return None;
        }
        let surely = self.surely();
        let one = self.configurations.iter().find(|one| one.number == running.number)?;
        let slip = one.meant_ages.as_ref().map(|(at, _)| *at);
        let emptied = running.lists.iter().find(|(list, table)| {
            let none = one.meant.contains_key(*list)
                && table.feeds == [NOTHING]
                && before.lists.get(*list) != Some(table);
            let old = slip.is_some_and(|at| self.all_old(&[table], at));
            let (surely, held) = (surely.get(*list), kernel.get(*list));
            let blocked = surely.zip(held).map(|(surely, held)| surely.intersect(held));
            (none || old) && blocked.is_some_and(|blocked| !blocked.is_empty())
        });
        let emptied = emptied.map(|(list, _)| list);
        let emptied = emptied.cloned();
        // What is in force counts, whoever meant it.
        self.meant(running);
        emptied
    }

    /// Somebody has said that lists may lose what nothing accounts for.
    pub(super) fn losses_accepted(&mut self) {
        self.forget_rescued();
        for feed in self.feeds.values_mut() {
            feed.let_go = true;
        }
        for one in self.configurations.clone() {
            self.meant(&one);
        }
    }

    /// A feed's file has got another name.
    pub(super) fn renamed(&mut self, name: &FeedName) {
        self.feed(name).renamed();
    }

    /// Somebody was told that what he has seen refused of a feed is let
    /// through, and this is in force. False if that is something else.
    pub(super) fn accepted(
        &mut self,
        name: &FeedName,
        seen: Option<&RefusedFeed>,
        in_force: Option<u64>,
        file: Option<&File>,
    ) -> bool {
        let text = seen.and_then(|seen| self.texts.get(&seen.version?).cloned());
        let feed = self.feed(name);
        match (seen, text) {
            (_, Some(text)) if in_force == Some(text.number) => {
                let file = file.filter(|file| file.text.number == text.number);
                feed.accepted = file.map(|file| (text.number, file.serial));
                feed.allow(Some(text));
                true
            }
            (Some(RefusedFeed { is_gone: true, .. }), _) => {
                feed.given_up = true;
                feed.allow(None);
                true
            }
            // That nothing is known of it any more.
            _ => {
                feed.excused = feed.lost.take().is_some();
                feed.allow(None);
                in_force.is_none()
            }
        }
    }

    /// The copy of a feed is lost, while the kernel holds this.
    pub(super) fn lost(
        &mut self,
        name: &FeedName,
        version: Arc<FeedText>,
        kernel: &BTreeMap<String, Prefixes>,
    ) {
        self.feed(name).lost(version);
        // What other feeds name as well, these answer for.
        let others = self.feeds.values().filter(|feed| feed.lost.is_none());
        let others = Prefixes::union(others.map(Possible::ever).collect::<Vec<_>>().iter());
        for (list, held) in kernel {
            if !self.always_denies(list, name) {
                continue;
            }
            let of_list = self.rescued.entry(list.clone()).or_default();
            of_list.entry(name.clone()).or_insert_with(|| held.subtract(&others));
        }
    }

    fn always_denies(&self, list: &str, name: &FeedName) -> bool {
        let denies = |table: &ListTable| table.role(name) == Role::Deny;
        self.configurations.iter().all(|one| one.lists.get(list).is_some_and(denies))
    }

    /// What the kernel held in a list of a feed whose copy is lost.
    pub(super) fn rescued(&self, list: &str, name: &FeedName) -> Option<&Prefixes> {
        self.rescued.get(list)?.get(name)
    }

    /// Nobody knows what there was of what is lost.
    pub(super) fn forget_rescued(&mut self) {
        self.rescued.clear();
    }

    /// Somebody wanted this version to be in force.
    pub(super) fn wanted(&mut self, name: &FeedName, version: Option<u64>) {
        let text = version.and_then(|version| self.texts.get(&version).cloned());
        if let Some(text) = text {
            self.feed(name).allow(Some(text));
        }
    }

    /// Nothing of a feed is missed: its copy can be read again, or nobody knows of
    /// any.
    pub(super) fn not_lost(&mut self, name: &FeedName) {
        self.feed(name).lost = None;
        self.rescued.values_mut().for_each(|of_list| drop(of_list.remove(name)));
    }

    /// An earlier version comes into force again, of which there is a copy.
    pub(super) fn reverts(&mut self, name: &FeedName, version: Arc<FeedText>) {
        let feed = self.feed(name);
        feed.accepted = None;
        feed.allow(Some(version));
    }

    /// No list takes a feed in any more, of which this copy is there.
    pub(super) fn unused(&mut self, name: &FeedName, copy: PossibleVersion) {
        self.feed(name).unused(copy);
    }

    /// The copy of a feed is lost that no list takes in now.
    pub(super) fn gone(&mut self, name: &FeedName) {
        self.feed(name).allow(None);
    }

    /// Nothing of what was in force of a feed was kept or written down, nor what
    /// anybody said of it.
    pub(super) fn unknown(&mut self, name: &FeedName) {
        let feed = self.feed(name);
        feed.accepted = None;
        feed.allow(None);
    }

    /// Lists are made of other feeds from now on: what the kernel held is not
    /// what these say.
    pub(super) fn changed(&mut self, before: &HostConfiguration, new: &HostConfiguration) {
        let same_ages = before.max_age == new.max_age;
        self.rescued.retain(|list, _| same_ages && before.lists.get(list) == new.lists.get(list));
    }

    /// Whether a list has protected the host's addresses all the time, where
    /// there was such a list.
    pub(super) fn always_protects(&self, list: &str) -> bool {
        self.configurations.iter().all(|one| one.lists.get(list).is_none_or(|table| table.protects))
    }

    /// What must be blocked at every moment, whatever the daemon has come to
    /// know of all that happened since the last quiet moment.
    pub(super) fn surely(&self) -> BTreeMap<String, Prefixes> {
        let lists = LISTS.into_iter().filter_map(|list| {
            let tables: Option<Vec<_>> = self
                .configurations
                .iter()
                .map(|one| one.meant.get(list).or_else(|| one.lists.get(list)))
                .collect();
            Some((list.to_owned(), self.surely_in(&tables?)))
        });
        lists.collect()
    }

    /// What any list may have to let go at once, whatever its feeds say.
    pub(super) fn excepted(&self) -> Vec<AnyPrefix> {
        let tables = || self.configurations.iter().flat_map(|one| one.lists.values());
        let feeds = self
            .feeds
            .iter()
            .filter(|(name, _)| tables().any(|table| table.role(name) == Role::Allow));
        let feeds: Vec<_> = feeds.map(|(_, feed)| feed.ever()).collect();
        let protected: Vec<_> = self.facts.iter().map(HostFacts::protected).collect();
        let literals = tables().flat_map(|table| table.literals.iter().copied());
        literals.chain(feeds.iter().chain(&protected).flat_map(Prefixes::iter)).collect()
    }

    fn surely_in(&self, tables: &[&ListTable]) -> Prefixes {
        let always = |role: Role, name: &FeedName| tables.iter().all(|one| one.role(name) == role);
        let ages = |name: &FeedName| {
            self.configurations.iter().any(|one| {
                let (age, slip) = one.meant_age(name);
                // As long as something else is in the list the loss may be small.
                age.is_some_and(|age| age.1) || slip.is_some_and(|at| !self.all_old(tables, at))
            })
        };
        let denies = self
            .feeds
            .iter()
            .filter(|(name, _)| always(Role::Deny, name) && !ages(name))
            .map(|(_, feed)| feed.always());
        let allows = self
            .feeds
            .iter()
            .filter(|(name, _)| tables.iter().any(|one| one.role(name) == Role::Allow))
            .map(|(_, feed)| feed.ever());
        let literals = tables.iter().map(|one| one.literals.iter().copied().collect());
        let protected = self.facts.iter().map(HostFacts::protected);
        let taken = Prefixes::union_of(allows.chain(literals).chain(protected));
        Prefixes::union_of(denies).subtract(&taken)
    }

    /// Whether everything in a list was too old by a slip when that was made.
    fn all_old(&self, tables: &[&ListTable], at: SystemTime) -> bool {
        let denied = self
            .feeds
            .iter()
            .filter(|(name, _)| tables.iter().any(|one| one.role(name) == Role::Deny));
        denied.map(|(_, feed)| feed).all(|feed| feed.is_old(SLIP_AGE, at))
    }

    /// All is quiet: what the copies say is in force, under this configuration.
    pub(super) fn settle(
        &mut self,
        running: &Arc<HostConfiguration>,
        files: &FeedsDirectory,
        copies: &BTreeMap<FeedName, Copy>,
        held: &BTreeMap<String, HeldList>,
        kernel: &BTreeMap<String, Prefixes>,
    ) {
        for (name, feed) in &mut self.feeds {
            let version = copies.get(name).map(|copy| copy.text.clone());
            let file = files.by_name.get(name);
            let mends =
                |file: &File| version.as_ref().is_some_and(|text| text.number == file.text.number);
            if file.is_some_and(mends) || (file.is_none() && version.is_none()) {
                feed.lost = None;
            }
            feed.settle(version, file);
        }
        self.settle_rescued(running, kernel);
        self.found.retain(|list, _| held.contains_key(list));
        self.doubtful.retain(|list| held.contains_key(list));
        let last = self.configurations.iter().rev().find(|one| one.number == running.number);
        self.configurations = vec![last.unwrap_or(running).clone()];
        self.facts.drain(..self.facts.len().saturating_sub(1));
    }

    fn settle_rescued(&mut self, running: &HostConfiguration, kernel: &BTreeMap<String, Prefixes>) {
        let feeds = &self.feeds;
        self.rescued.retain(|list, _| running.lists.contains_key(list));
        for (list, of_list) in &mut self.rescued {
            of_list.retain(|name, _| feeds.get(name).is_some_and(|feed| feed.lost.is_some()));
            let held = kernel.get(list).cloned().unwrap_or_default();
            for rescued in of_list.values_mut() {
                // What a list has let go by now is not there to be lost again.
                *rescued = rescued.intersect(&held);
            }
        }
    }
}
