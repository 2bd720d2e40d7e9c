//! What the configuration and this host together tell the reconciler.

use std::sync::Arc;

use blocklist::{Protect, Protection};
use host::{Facts, Part};
use reconcile::{FeedRules, Settings};

use configuration::{Config, Update};

/// The settings that follow from a configuration on a host.
pub fn settings(config: &Arc<Config>, protection: Protection) -> Settings {
    let rules = {
        let config = config.clone();
        Arc::new(move |feed: &blocklist::FeedName| FeedRules {
            guard: config.guard_for(feed),
            protect: config.protect_for(feed),
            max_age: config.max_age_for(feed),
        })
    };
    Settings {
        prefix: config.kernel.set_prefix.clone(),
        lists: config.lists.iter().map(|list| Arc::new(list.list.clone())).collect(),
        update: match config.kernel.update {
            Update::Auto => reconcile::Update::Auto,
            Update::Swap => reconcile::Update::Swap,
            Update::InPlace => reconcile::Update::InPlace,
        },
        rules,
        protection,
        withdraw: config.daemon.withdraw,
        probe: config.daemon.probe,
        audit: config.daemon.audit,
    }
}

/// The addresses that are protected on a host.
pub fn protection(facts: &Facts) -> Protection {
    let mut protection = Protection::default();
    for part in Part::ALL {
        let category = match part {
            Part::Own => Protect::Own,
            Part::Gateways => Protect::Gateways,
            Part::Resolvers => Protect::Resolvers,
        };
        protection.set(category, facts.part(part).iter().copied());
    }
    protection
}
