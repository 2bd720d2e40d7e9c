//! What the configuration and this host together tell the keeper.

use std::sync::Arc;

use blocklist::{Family, Protect, Protection};
use configuration::{Configuration, UpdateMode};
use host::{Facts, FactsPart};
use keeper::Settings;

/// The settings of a configuration.
pub fn settings(config: &Configuration) -> Settings {
    Settings {
        prefix: config.kernel.set_prefix.clone(),
        update: match config.kernel.update {
            UpdateMode::Auto => reconcile::Update::Auto,
            UpdateMode::Swap => reconcile::Update::Swap,
            UpdateMode::InPlace => reconcile::Update::InPlace,
        },
        layout: config.kernel.layout,
        rules: Arc::new(config.rules()),
        filter: Family::ALL.into_iter().map(|family| config.filter(family)).collect(),
        probe: config.daemon.probe,
        audit: config.daemon.audit,
    }
}

/// Whether what was in force last, by its text, has the same lists and rules.
pub fn is_as_before(config: &Configuration, text: &str) -> bool {
    let same = |before: &Configuration| {
        let [before, now] = [before, config].map(settings);
        before.filter == now.filter
            && before.rules.lists == now.rules.lists
            && before.rules.shuts == now.rules.shuts
    };
    Configuration::parse(text).is_ok_and(|before| same(&before))
}

/// The addresses that are protected on a host.
pub fn protection(facts: &Facts) -> Protection {
    let mut protection = Protection::default();
    for part in FactsPart::ALL {
        let category = match part {
            FactsPart::Own => Protect::Own,
            FactsPart::Gateways => Protect::Gateways,
            FactsPart::Resolvers => Protect::Resolvers,
        };
        protection.set(category, facts.part(part).iter().copied());
    }
    protection
}
