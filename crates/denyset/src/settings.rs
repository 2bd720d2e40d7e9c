//! What the configuration and this host together tell the reconciler.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use blocklist::{Protect, Protection};
use reconcile::{FeedRules, Settings};

use configuration::{Config, Update};

/// Where the name servers are listed, see `resolv.conf(5)`.
const RESOLV_CONF: &str = "/etc/resolv.conf";

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

/// The addresses that are protected on this host. What cannot be found out is
/// logged and left out: a list is better than none.
pub fn protection() -> Protection {
    let mut protection = Protection::default();
    match netfilter::host::addresses() {
        Ok(found) => {
            protection.set(Protect::Own, found.own);
            protection.set(Protect::Gateways, found.gateways);
        }
        Err(error) => tracing::error!(
            %error,
            "the addresses of this host cannot be found out, nothing keeps a list from blocking them"
        ),
    }
    protection.set(Protect::Resolvers, resolvers(Path::new(RESOLV_CONF)));
    protection
}

/// The addresses after `nameserver`. A scope after `%` is not part of it.
fn resolvers(file: &Path) -> Vec<IpAddr> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let servers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let server = words.next().filter(|&word| word == "nameserver").and(words.next())?;
        server.split('%').next()?.parse().ok()
    });
    servers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_from_their_file() {
        let home = tempfile::tempdir().expect("a directory");
        let file = home.path().join("resolv.conf");
        let text = "# nameserver 192.0.2.9\nsearch example.org\nnameserver 192.0.2.53\n\
                    nameserver fe80::1%eth0\nnameserver\nnameserver not-an-address\n";
        fs::write(&file, text).expect("written");
        let expected: Vec<IpAddr> =
            vec!["192.0.2.53".parse().expect("v4"), "fe80::1".parse().expect("v6")];
        assert_eq!(resolvers(&file), expected);
        assert!(resolvers(&home.path().join("missing")).is_empty());
    }
}
