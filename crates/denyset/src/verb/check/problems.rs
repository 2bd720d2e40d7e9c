//! What is odd about a configuration and a feeds directory together. What is
//! most likely a slip is a problem; what may be meant is a remark.

use blocklist::{Allow, FeedName, Glob, Role};

use configuration::{Configuration, ListConfig};
use feedfiles::{Hindrance, Ignored, PassedOver, SILENT_SCAN, Shown, Silent, Tree};

use super::exports;

/// Names that are passed over, one by one.
const PASSED_OVER_MAX: usize = 100;

/// What was found, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What should be mended.
    pub(super) problems: Vec<String>,
    /// What deserves a look, and may be meant.
    pub(super) remarks: Vec<String>,
}

/// The remark on a file that says which rows of feeds count.
pub(super) fn beside(name: &FeedName) -> String {
    format!(
        "{name} in feeds-dir is no feed: `locations` or `asn-feed` names it, and it says which \
         rows of feeds count"
    )
}

/// Looks at a configuration and what is in its feeds directory.
pub(super) fn of(config: &Configuration, found: &Tree) -> Findings {
    let mut findings = Findings::default();
    for Ignored { path, reason } in &found.ignored {
        let text = format!("{path} in feeds-dir is no feed: {reason}");
        match reason {
            Hindrance::Unreadable(_) => findings.problems.push(text),
            _ => findings.remarks.push(text),
        }
    }
    for PassedOver { path, rule } in found.passed_over.iter().take(PASSED_OVER_MAX) {
        findings.remarks.push(format!("{path} in feeds-dir is no feed: {rule}"));
    }
    if let Some(more) =
        found.passed_over.len().checked_sub(PASSED_OVER_MAX).filter(|&more| more > 0)
    {
        findings.remarks.push(format!("{more} more names in feeds-dir are no feeds"));
    }
    for Silent { directory, file_system } in &found.silent {
        let place = config.daemon.feeds_dir.join(directory);
        let place = Shown(&place);
        findings.remarks.push(format!(
            "{place} is on {file_system}, which does not tell of every change: it is looked at \
             every {} seconds",
            config.daemon.scan.min(SILENT_SCAN).as_secs()
        ));
    }
    if config.lists.is_empty() {
        findings.remarks.push("no list is configured, so that nothing is blocked".to_owned());
    }
    for list in &config.lists {
        of_list(config, list, found, &mut findings);
    }
    let unused = |feed: &&FeedName| !config.lists.iter().any(|list| list.uses(feed));
    for feed in found.feeds.keys().filter(unused).filter(|_| !config.lists.is_empty()) {
        findings.remarks.push(format!("feed {feed} is in no list"));
    }
    let slips = config.feeds.iter().filter(|table| !table.optional);
    for glob in slips.map(|table| &table.matches).filter(|glob| !matches_any(glob, found)) {
        findings.problems.push(nothing("[[feed]]", glob));
    }
    exports::of(config, &mut findings);
    findings
}

fn of_list(config: &Configuration, list: &ListConfig, found: &Tree, findings: &mut Findings) {
    let name = &list.list.name;
    if list.list.feeds.is_empty() {
        findings.remarks.push(format!("list {name} names no feeds, so that it blocks nothing"));
    }
    let slip = |glob: &&Glob| !matches_any(glob, found) && !config.may_match_nothing(list, glob);
    for glob in list.list.feeds.iter().filter(slip) {
        findings.problems.push(nothing(&format!("list {name}: feeds:"), glob));
    }
    let allowed = list.list.allow.iter().filter_map(|allow| match allow {
        Allow::Feeds(glob) => Some(glob),
        Allow::Prefix(_) => None,
    });
    for glob in allowed.filter(slip) {
        findings.problems.push(nothing(&format!("list {name}: allow:"), glob));
    }
    let both = |feed: &&FeedName| {
        list.list.role(feed) == Role::Allow && list.list.feeds.iter().any(|glob| glob.matches(feed))
    };
    for feed in found.feeds.keys().filter(both) {
        let text = format!("list {name}: feed {feed} is in feeds and in allow; allow wins");
        findings.remarks.push(text);
    }
}

fn nothing(place: &str, glob: &Glob) -> String {
    let glob = glob.as_str();
    format!("{place} {glob:?} matches no feed; if that is meant, say `optional = true`")
}

fn matches_any(glob: &Glob, found: &Tree) -> bool {
    found.feeds.keys().any(|feed| glob.matches(feed))
}
