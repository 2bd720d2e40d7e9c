//! The document of `hits --overlap`, from lists and what their feeds contribute.

use std::collections::BTreeMap;

use blocklist::{
    AddressCount, Contribution, FeedName, List, Overlap, OverlapPart, Prefixes, Protection, Role,
};

use crate::view::{FamilyOverlap, FeedOverlap, ListOverlap, OverlapView, PairOverlap};

impl OverlapView {
    /// What the feeds have in common, list by list. What a list never holds
    /// counts for nothing. Goes once over all entries of each list.
    pub fn of<'a>(
        lists: impl IntoIterator<Item = &'a List>,
        feeds: &BTreeMap<FeedName, impl Contribution>,
        protection: &Protection,
        notes: Vec<String>,
    ) -> Self {
        let lists = lists.into_iter().map(|list| list_overlap(list, feeds, protection));
        Self { lists: lists.collect(), notes }
    }
}

fn list_overlap(
    list: &List,
    feeds: &BTreeMap<FeedName, impl Contribution>,
    protection: &Protection,
) -> ListOverlap {
    let of_role = |role| feeds.iter().filter(move |(name, _)| list.role(name) == role);
    let literals: Prefixes = list.literals().collect();
    let protect = protection.of(&list.protect);
    let allowed = of_role(Role::Allow).map(|(_, feed)| feed.of_role(Role::Allow));
    let never = Prefixes::union(allowed.chain([&literals, &protect]));
    let denied = of_role(Role::Deny).map(|(name, feed)| (name, feed.of_role(Role::Deny)));
    let (names, sets): (Vec<_>, Vec<_>) = denied.unzip();
    let ipv4: Vec<_> = sets.iter().map(|set| &set.ipv4).collect();
    let ipv6: Vec<_> = sets.iter().map(|set| &set.ipv6).collect();
    let (ipv4, ipv6) = (Overlap::of(&ipv4, &never.ipv4), Overlap::of(&ipv6, &never.ipv6));
    let parts = ipv4.parts.iter().zip(&ipv6.parts);
    let parts = names.iter().zip(parts).map(|(feed, (ipv4, ipv6))| FeedOverlap {
        feed: feed.to_string(),
        ipv4: family(ipv4),
        ipv6: family(ipv6),
    });
    ListOverlap {
        list: list.name.clone(),
        feeds: parts.collect(),
        pairs: pairs(&names, &ipv4, &ipv6),
    }
}

fn family(part: &OverlapPart) -> FamilyOverlap {
    FamilyOverlap {
        entries: part.prefixes,
        entries_only: part.prefixes_alone,
        addresses: part.addresses.to_string(),
        addresses_only: part.alone.to_string(),
    }
}

/// Each two feeds that have something in common.
fn pairs(names: &[&FeedName], ipv4: &Overlap, ipv6: &Overlap) -> Option<Vec<PairOverlap>> {
    let mut pairs = Vec::new();
    for second in 1..names.len() {
        for first in 0..second {
            let (v4, v6) = (ipv4.shared(first, second)?, ipv6.shared(first, second)?);
            let none = AddressCount::default();
            if v4 != none || v6 != none {
                pairs.push(PairOverlap {
                    first: names[first].to_string(),
                    second: names[second].to_string(),
                    ipv4: v4.to_string(),
                    ipv6: v6.to_string(),
                });
            }
        }
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use blocklist::{Allow, AnyPrefix, Glob, Protect};

    use super::*;

    #[test]
    fn what_is_allowed_or_protected_counts_for_no_feed() {
        let glob = |text: &str| Glob::new(text).expect("a glob");
        let list = List {
            name: "drop".to_owned(),
            feeds: vec![glob("*")],
            allow: vec![
                Allow::Feeds(glob("ok")),
                Allow::Prefix("192.0.2.1".parse().expect("an address")),
            ],
            protect: vec![Protect::Private],
        };
        let feed = |name: &str, text: &str| {
            let prefix = |text: &str| text.parse::<AnyPrefix>().expect("a prefix");
            let prefixes: Prefixes = text.split_whitespace().map(prefix).collect();
            (FeedName::new(name).expect("a name"), Arc::new(prefixes))
        };
        let feeds = BTreeMap::from([
            feed("a", "192.0.2.0/24 198.51.100.0/25 2001:db8::/126"),
            feed("b", "198.51.100.0/24 10.0.0.0/8"),
            feed("ok", "192.0.2.2 192.0.2.3 2001:db8::"),
        ]);
        let view = OverlapView::of([&list], &feeds, &Protection::default(), Vec::new());
        let [ListOverlap { feeds, pairs, .. }] = &view.lists[..] else { panic!("{view}") };
        let numbers: Vec<_> = feeds
            .iter()
            .map(|feed| {
                let FamilyOverlap { entries, entries_only, addresses, addresses_only } = &feed.ipv4;
                let ipv6 = &feed.ipv6.addresses_only;
                format!("{entries}/{entries_only} {addresses}/{addresses_only} {ipv6}")
            })
            .collect();
        assert_eq!(numbers, ["2/0 381/253 3", "2/0 256/128 0"]);
        let pairs = pairs.as_deref().expect("few feeds");
        assert_eq!((pairs.len(), pairs[0].ipv4.as_str()), (1, "128"));
    }
}
