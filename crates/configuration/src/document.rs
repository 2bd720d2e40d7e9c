//! The document as a whole: its tables, each handed to the module that knows
//! its keys.

use std::collections::BTreeMap;

use reconcile::SetPrefix;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::guard;
use super::list::{self, ListConfig, Neighbours};
use super::mistake::Mistakes;
use super::rule::{self, Lists};
use super::sample::Labels;
use super::section::{Section, article};
use super::{
    Configuration, DaemonTable, ExportConfig, KernelTable, export, feed, limits, lockout, together,
};

/// Reads the whole document. `None` only after a mistake was noted.
pub(super) fn read(root: &DeTable<'_>, mistakes: &Mistakes<'_>) -> Option<Configuration> {
    let none = DeTable::new();
    let mut top = Section::new("", 0, root, mistakes);
    let daemon = table(&mut top, "daemon", &none);
    let kernel = table(&mut top, "kernel", &none);
    let guard = table(&mut top, "guard", &none);
    let lists = tables(&mut top, "list", limits::LISTS_MAX);
    let feeds = tables(&mut top, "feed", limits::FEED_TABLES_MAX);
    let rules = tables(&mut top, "rule", limits::RULES_MAX);
    let exports = tables(&mut top, "export", limits::EXPORTS_MAX);
    top.finish();

    let daemon = DaemonTable::read(Section::new("daemon", daemon.1, daemon.0, mistakes));
    let kernel = KernelTable::read(Section::new("kernel", kernel.1, kernel.0, mistakes));
    let mut section = Section::new("guard", guard.1, guard.0, mistakes);
    let guard = guard::read(&mut section);
    let protect_peers = lockout::protect_peers(&mut section);
    section.finish();
    let default = Configuration::default();
    let protect = guard.protect.clone().unwrap_or(default.protect);

    // While the prefix is wrong itself, the shortest one stands in for it.
    let shortest = || SetPrefix::new("x").expect("a letter is a prefix");
    let set_prefix = kernel.as_ref().map_or_else(shortest, |kernel| kernel.set_prefix.clone());
    let mut neighbours =
        Neighbours { set_prefix: set_prefix.clone(), protect: &protect, names: BTreeMap::new() };
    let mut read_lists = Vec::with_capacity(lists.len());
    for (table, at) in lists {
        read_lists.extend(list::read(Section::new("list", at, table, mistakes), &mut neighbours));
    }
    let mut read_feeds = Vec::with_capacity(feeds.len());
    for (table, at) in feeds {
        read_feeds.extend(feed::read(Section::new("feed", at, table, mistakes)));
    }
    let group = kernel.as_ref().map_or(0, |kernel| kernel.nflog_group);
    let labels = Labels { group, prefix: set_prefix.clone(), known: BTreeMap::new() };
    let mut asked = Lists { set_prefix, known: &read_lists, names: BTreeMap::new(), labels };
    let mut read_rules = Vec::with_capacity(rules.len());
    for (table, at) in rules {
        let read = rule::read(Section::new("rule", at, table, mistakes), &mut asked);
        if let Some(why) = read.as_ref().and_then(|rule| together::objection(rule, &read_rules)) {
            mistakes.note(at, Some("rule.verdict".to_owned()), why);
        }
        read_rules.extend(read);
    }
    let read_exports = read_exports(exports, &daemon, &read_lists, mistakes);
    Some(Configuration {
        daemon,
        kernel: kernel?,
        guard: guard.over(&default.guard),
        protect,
        protect_peers,
        lists: read_lists,
        feeds: read_feeds,
        filters: read_rules,
        exports: read_exports,
    })
}

fn read_exports(
    tables: Vec<Placed<'_, '_>>,
    daemon: &DaemonTable,
    lists: &[ListConfig],
    mistakes: &Mistakes<'_>,
) -> Vec<ExportConfig> {
    let mut checks = export::ExportChecks { daemon, lists, paths: BTreeMap::new() };
    let read = tables.into_iter().filter_map(|(table, at)| {
        export::read(Section::new("export", at, table, mistakes), &mut checks)
    });
    read.collect()
}

/// A table and the byte offset at which it begins.
type Placed<'s, 'i> = (&'s DeTable<'i>, usize);

/// The table `[key]`, or `none` in its place.
fn table<'s, 'i>(
    top: &mut Section<'s, 'i>,
    key: &'static str,
    none: &'s DeTable<'i>,
) -> Placed<'s, 'i> {
    match top.value(key) {
        Some((DeValue::Table(table), at)) => (table, at),
        Some((other, at)) => {
            top.note(at, key, format!("a table, `[{key}]`, is allowed, not {}", article(other)));
            (none, at)
        }
        None => (none, 0),
    }
}

/// The tables `[[key]]`.
fn tables<'s, 'i>(top: &mut Section<'s, 'i>, key: &'static str, max: usize) -> Vec<Placed<'s, 'i>> {
    let Some((value, at)) = top.value(key) else { return Vec::new() };
    let DeValue::Array(array) = value else {
        top.note(at, key, format!("tables, `[[{key}]]`, are allowed, not {}", article(value)));
        return Vec::new();
    };
    if array.len() > max {
        top.note(at, key, format!("{} tables, at most {max} fit", array.len()));
    }
    let mut found = Vec::new();
    for item in array.iter().take(max) {
        match (item.get_ref(), Spanned::span(item).start) {
            (DeValue::Table(table), at) => found.push((table, at)),
            (other, at) => {
                let other = article(other);
                top.note(at, key, format!("a table, `[[{key}]]`, is allowed, not {other}"));
            }
        }
    }
    found
}
