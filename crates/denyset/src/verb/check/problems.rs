//! What is odd about a configuration and a feeds directory together: nothing
//! is forbidden here, and nothing of it is likely meant.

use blocklist::{Allow, FeedName, Glob, Role};

use configuration::{Config, ListConfig};
use feedfiles::Tree;

/// One sentence each.
pub(super) fn of(config: &Config, found: &Tree) -> Vec<String> {
    let mut problems: Vec<String> = found
        .ignored
        .iter()
        .map(|ignored| format!("{} in feeds-dir is no feed: {}", ignored.path, ignored.reason))
        .collect();
    if config.lists.is_empty() {
        problems.push("no list is configured, so that nothing is blocked".to_owned());
    }
    for list in &config.lists {
        of_list(list, found, &mut problems);
    }
    let unused = |feed: &&FeedName| !config.lists.iter().any(|list| list.uses(feed));
    for feed in found.feeds.keys().filter(unused).filter(|_| !config.lists.is_empty()) {
        problems.push(format!("feed {feed} is in no list"));
    }
    for table in &config.feeds {
        if !matches_any(&table.matches, found) {
            problems.push(format!("[[feed]] {:?} matches no feed", table.matches.as_str()));
        }
    }
    problems
}

fn of_list(list: &ListConfig, found: &Tree, problems: &mut Vec<String>) {
    let name = &list.list.name;
    if list.list.feeds.is_empty() {
        problems.push(format!("list {name} names no feeds, so that it blocks nothing"));
    }
    for glob in list.list.feeds.iter().filter(|glob| !matches_any(glob, found)) {
        problems.push(format!("list {name}: feeds: {:?} matches no feed", glob.as_str()));
    }
    for allow in &list.list.allow {
        if let Allow::Feeds(glob) = allow
            && !matches_any(glob, found)
        {
            problems.push(format!("list {name}: allow: {:?} matches no feed", glob.as_str()));
        }
    }
    let both = |feed: &&FeedName| {
        list.list.role(feed) == Role::Allow && list.list.feeds.iter().any(|glob| glob.matches(feed))
    };
    for feed in found.feeds.keys().filter(both) {
        problems.push(format!("list {name}: feed {feed} is in feeds and in allow; allow wins"));
    }
}

fn matches_any(glob: &Glob, found: &Tree) -> bool {
    found.feeds.keys().any(|feed| glob.matches(feed))
}
