//! Files beside a feed that say which of its rows count: the feed follows them,
//! and needs them no more once it is in force.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;

use crate::{V4, kernel_holds};

const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"geo/blocks.csv\", \"pfx2as\"]\n\
                      [[feed]]\nmatch = \"geo/*\"\ncountries = [\"KP\"]\n\
                      locations = \"locations.csv\"\n\
                      [[feed]]\nmatch = \"pfx2as\"\nasn-feed = \"asndrop.json\"\n";
const BLOCKS: &str = "network,geoname_id\n45.9.8.0/24,1\n91.200.0.0/24,2\n91.201.0.0/24,3\n";
const LOCATIONS: &str = "geoname_id,country_iso_code\n1,KP\n2,DE\n3,FR\n";
const PFX2AS: &str = "45.10.0.0\t24\t64500\n45.11.0.0\t24\t64501\n";

#[test]
fn a_feed_follows_the_files_beside_it_and_outlives_them() {
    isolated(|| {
        let host = Host::with(&Config { tables: TABLES.into(), ..Config::default() });
        host.feed("locations.csv", LOCATIONS);
        host.feed("geo/blocks.csv", BLOCKS);
        host.feed("asndrop.json", "{\"asn\":64500}\n");
        host.feed("pfx2as", PFX2AS);
        let daemon = Daemon::start(&host);
        kernel_holds(&SortedPrefixes::of("45.9.8.0/24 45.10.0.0/24"));
        host.feed("locations.csv", LOCATIONS.replace("DE", "KP"));
        daemon.until_members(V4, 3);
        kernel_holds(&SortedPrefixes::of("45.9.8.0/24 91.200.0.0/24 45.10.0.0/24"));
        host.feed("asndrop.json", "{\"asn\":64500}\n{\"asn\":64501}\n");
        daemon.until_members(V4, 4);
        let want = SortedPrefixes::of("45.9.8.0/24 91.200.0.0/24 45.10.0.0/24 45.11.0.0/24");
        kernel_holds(&want);
        host.remove_feed("locations.csv");
        host.remove_feed("asndrop.json");
        daemon.until("refused", |status| {
            let feeds = status["feeds"].as_array().into_iter().flatten();
            feeds.filter(|feed| feed["state"] == "refused").count() == 2
        });
        kernel_holds(&want);
        daemon.kill();
        let mut daemon = Daemon::start(&host);
        kernel_holds(&want);
        daemon.assert_alive();
    });
}
