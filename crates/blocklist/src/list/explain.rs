//! Why an address is blocked by a list, or is not. The answer names feeds; the
//! lines in them are found by [`sources`](crate::sources).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Contribution, FeedName, List, Protect, Protection, Role};
use crate::{AnyPrefix, Prefixes};

/// What a list thinks of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Explanation {
    /// It is blocked.
    Blocked {
        /// Everything that has it blocked, at least one; by feed, then the
        /// shortest prefix first.
        by: Vec<Match>,
    },
    /// It is never blocked.
    Allowed {
        /// The first reason: literals come before feeds, feeds before
        /// protection.
        by: AllowedBy,
        /// Everything that would have it blocked, maybe nothing.
        over: Vec<Match>,
    },
    /// The list does not say anything about it, so it is not blocked.
    Unlisted,
}

/// A prefix of a feed that holds the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The feed.
    pub feed: FeedName,
    /// The prefix, as it is in the feed. A range that is not one prefix is
    /// represented by that part of it.
    pub prefix: AnyPrefix,
}

/// What keeps an address out of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedBy {
    /// An address or prefix in the list's `allow`.
    Literal(AnyPrefix),
    /// A feed that the list's `allow` names.
    Feed(Match),
    /// A category of protected addresses.
    Protect {
        /// The category.
        category: Protect,
        /// Its prefix that holds the address.
        prefix: AnyPrefix,
    },
}

/// Explains the verdict of a list on `address`. It agrees with
/// [`compose`](super::compose()) on the same feeds and the protection of the
/// list's categories.
pub fn explain(
    list: &List,
    feeds: &BTreeMap<FeedName, impl Contribution>,
    protection: &Protection,
    address: IpAddr,
) -> Explanation {
    let address = address.to_canonical();
    let by = matches(list, Role::Deny, feeds, address);
    let allowed = literal(list, address)
        .map(AllowedBy::Literal)
        .or_else(|| {
            matches(list, Role::Allow, feeds, address).into_iter().next().map(AllowedBy::Feed)
        })
        .or_else(|| {
            let (category, prefix) = protection.covering(&list.protect, address)?;
            Some(AllowedBy::Protect { category, prefix })
        });
    match allowed {
        Some(allowed) => Explanation::Allowed { by: allowed, over: by },
        None if by.is_empty() => Explanation::Unlisted,
        None => Explanation::Blocked { by },
    }
}

/// The prefixes that hold the address in the feeds of one role.
fn matches(
    list: &List,
    role: Role,
    feeds: &BTreeMap<FeedName, impl Contribution>,
    address: IpAddr,
) -> Vec<Match> {
    let feeds = feeds.iter().filter(|(name, _)| list.role(name) == role);
    feeds
        .flat_map(|(feed, contribution)| {
            let covering = contribution.of_role(role).covering(address).into_iter();
            covering.map(|prefix| Match { feed: feed.clone(), prefix })
        })
        .collect()
}

/// The shortest of the list's own prefixes that holds the address.
fn literal(list: &List, address: IpAddr) -> Option<AnyPrefix> {
    let literals: Prefixes = list.literals().collect();
    literals.covering(address).first().copied()
}
