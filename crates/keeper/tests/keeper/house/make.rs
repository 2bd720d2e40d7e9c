//! What tests make: lists, rules, settings, texts of feeds, times, refusals.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blocklist::{Allow, AnyPrefix, FeedName, Glob, Guard, List, Protect, Protection, Refusal};
use intake::{FeedTable, GuardOverrides, ListRules, Rules};
use keeper::Settings;
use reconcile::{KernelError, KernelErrorKind, MemberLayout, SetPrefix, Stage, Update};

/// How long a deleted feed stays in force.
pub(crate) const WITHDRAW: u64 = 300;

/// The time of day so many seconds after the beginning.
pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn feed(name: &str) -> FeedName {
    FeedName::new(name).expect("a name")
}

pub(crate) fn glob(text: &str) -> Glob {
    Glob::new(text).expect("a glob")
}

/// The text of a feed: twenty addresses of this network.
pub(crate) fn net(number: u8) -> String {
    let mut text = String::new();
    for last in 1..=20 {
        writeln!(text, "91.1.{number}.{last}").expect("a string takes any text");
    }
    text
}

/// The addresses of these networks.
pub(crate) fn nets(numbers: &[u8]) -> BTreeSet<AnyPrefix> {
    let texts = numbers.iter().map(|&number| net(number)).collect::<String>();
    texts.lines().map(|line| line.parse().expect("an address")).collect()
}

/// A list that takes its own addresses, gateways and resolvers out.
pub(crate) fn list(name: &str, feeds: &[&str], allow: &[&str]) -> ListRules {
    let allow = allow.iter().map(|text| match text.parse::<AnyPrefix>() {
        Ok(prefix) => Allow::Prefix(prefix),
        Err(_) => Allow::Feeds(glob(text)),
    });
    let list = List {
        name: name.to_owned(),
        feeds: feeds.iter().map(|text| glob(text)).collect(),
        allow: allow.collect(),
        protect: vec![Protect::Own, Protect::Gateways, Protect::Resolvers],
    };
    ListRules { list: Arc::new(list), guard: GuardOverrides::default(), optional: false }
}

/// The same list, which may lose so much by a configuration.
pub(crate) fn percent(list: ListRules, shrink_percent_max: u32) -> ListRules {
    let guard = GuardOverrides {
        shrink_percent_max: Some(shrink_percent_max),
        ..GuardOverrides::default()
    };
    ListRules { guard, ..list }
}

/// A table for feeds that are not to be older than that.
pub(crate) fn table(matches: &str, max_age: u64, when_stale: intake::WhenStale) -> FeedTable {
    FeedTable {
        matches: glob(matches),
        guard: GuardOverrides::default(),
        max_age: Some(Duration::from_secs(max_age)),
        when_stale: Some(when_stale),
    }
}

/// Rules of these lists.
pub(crate) fn rules(lists: &[ListRules]) -> Rules {
    Rules {
        lists: lists.to_vec(),
        withdraw: Duration::from_secs(WITHDRAW),
        scan: Duration::from_secs(60),
        patience: Duration::from_secs(10),
        ..Rules::default()
    }
}

/// Settings of these rules.
pub(crate) fn settings(rules: Rules) -> Settings {
    Settings {
        prefix: SetPrefix::new("denyset-").expect("a good prefix"),
        update: Update::Auto,
        layout: MemberLayout::Exact,
        rules: Arc::new(rules),
        probe: Duration::from_secs(10),
        audit: Duration::from_secs(3_600),
        filter: Vec::new(),
    }
}

/// A host with this address of its own.
pub(crate) fn own(addresses: &[&str]) -> Protection {
    let mut protection = Protection::default();
    let addresses = addresses.iter().map(|text| text.parse::<IpAddr>().expect("an address"));
    protection.set(Protect::Own, addresses);
    protection
}

pub(crate) fn refusal(guard: Guard) -> Refusal {
    Refusal { guard, expected: "something".to_owned(), found: "something else".to_owned() }
}

pub(crate) fn error(stage: Stage, kind: KernelErrorKind) -> KernelError {
    KernelError { stage, object: None, kind, member: None, detail: String::new() }
}
