//! What the kernel says that makes a good configuration block less than it
//! seems to: ways around rules, and sets that nothing asks. Nothing is changed,
//! and whoever may not ask is told nothing.

use blocklist::Family;
use configuration::Configuration;
use netfilter::Netfilter;
use reconcile::{Observe as _, RuleSet};

use crate::effects::bypasses;
use crate::view::{nobody_asks, ways_around};

/// One sentence each.
pub(super) fn warnings(config: &Configuration) -> Vec<String> {
    let rules = Family::ALL.map(|family| config.filter(family));
    let rules = rules.iter().flat_map(RuleSet::rules);
    let mut sentences = ways_around(&bypasses(), &rules);
    let prefix = &config.kernel.set_prefix;
    let Ok(mut kernel) = Netfilter::open() else { return sentences };
    for list in config.lists.iter().map(|list| &list.list.name) {
        for family in Family::ALL {
            let Ok(set) = prefix.live(list, family) else { continue };
            if rules.clone().any(|rule| rule.set == set) {
                continue;
            }
            // A set that is not there yet is not asked either, and a daemon
            // that starts says so.
            if let Ok(Some(header)) = kernel.header(&set)
                && header.references == 0
            {
                sentences.push(nobody_asks(list, &set.to_string(), family));
            }
        }
    }
    sentences
}
