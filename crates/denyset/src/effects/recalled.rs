//! What of the state directory's memory counts: which versions were in force,
//! and which are lost.

use std::collections::BTreeMap;

use blocklist::FeedName;
use feedfiles::{BadCopy, MadeOf, Restored};
use intake::{Loss, Makeup, Recalled, RecalledVersion, Version};

use super::feeds::identity;

/// What the state directory remembers. A feed that made up a list and has no
/// copy is lost.
pub(super) fn recalled(
    restored: Restored,
    lists: Option<BTreeMap<String, MadeOf>>,
    wanted: impl Fn(&FeedName) -> bool,
) -> Recalled {
    let Restored { feeds, damaged, unread } = restored;
    let blank = lists.is_none();
    let lists = lists.unwrap_or_default();
    let mut missed = BTreeMap::new();
    let known = lists.values().flat_map(|made_of| made_of.deny.iter().chain(&made_of.allow));
    for feed in known.filter(|feed| wanted(feed) && !feeds.contains_key(*feed)) {
        missed.insert(feed.clone(), Loss::Missing);
    }
    for BadCopy { file, feed, error } in damaged {
        tracing::error!(file, %error, "a last good copy is damaged and not used: {file}, {error}");
        let loss = Loss::Damaged(error.to_string());
        missed.extend(feed.filter(&wanted).map(|feed| (feed, loss)));
    }
    for BadCopy { file, feed, error } in unread {
        tracing::error!(file, %error, "a last good copy cannot be read now: {file}, {error}");
        let loss = Loss::Unreadable(error.to_string());
        missed.extend(feed.filter(&wanted).map(|feed| (feed, loss)));
    }
    let versions = feeds.into_iter().map(|(name, copy)| {
        let id = identity(copy.version);
        let version = Version::new(id, copy.feed, copy.written, copy.accepted);
        (name, RecalledVersion { version, gone: copy.gone })
    });
    let makeup = lists.into_iter().map(|(list, made_of)| {
        let MadeOf { deny, allow, drops, doubt } = made_of;
        (list, Makeup { deny, allow, drops, doubt })
    });
    Recalled { versions: versions.collect(), lost: missed, blank, lists: makeup.collect() }
}
