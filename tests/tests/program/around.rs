//! What lets packets through though all is as it should be: it is named, with
//! the rules that it concerns, by all who are asked.

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::witness::{ip, iptables, succeed};
use serde_json::Value;

const LISTS: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n";

fn host(tables: &str) -> Host {
    let daemon = "settle-ms = 20\nprobe-seconds = 1".into();
    let host = Host::with(&Config { daemon, tables: tables.into(), ..Config::default() });
    host.feed("list.txt", "45.9.8.7\n");
    host
}

/// The warnings that have these words in them.
fn warnings(document: &Value, words: &str) -> Vec<String> {
    let all = document["warnings"].as_array().into_iter().flatten();
    let all = all.filter_map(|warning| warning.as_str());
    all.filter(|warning| warning.contains(words)).map(str::to_owned).collect()
}

#[test]
fn ways_around_rules_are_named_with_the_rules_that_they_concern() {
    isolated(|| {
        ip("link add br0 type bridge");
        // Where the kernel can show its frames to rules, it does by default.
        let shown = std::path::Path::new("/proc/sys/net/bridge/bridge-nf-call-iptables");
        if shown.exists() {
            std::fs::write(shown, "0").expect("a namespace of our own");
        }
        ip("link add wire0 type veth peer name wire1");
        for line in [
            "qdisc add dev wire0 clsact",
            "filter add dev wire0 ingress protocol ip u32 match u32 0 0 flowid 1:1",
            // A place for classifiers without any carries nothing past rules.
            "qdisc add dev wire1 clsact",
        ] {
            succeed("tc", &line.split_whitespace().collect::<Vec<_>>());
        }
        let rules = "[[rule]]\nlist = \"drop\"\n\
                     [[rule]]\nlist = \"drop\"\nname = \"in\"\nhook = \"input\"\n\
                     interfaces = [\"eth0\"]\n";
        let host = host(&format!("{LISTS}{rules}"));
        let check = |document: &Value| {
            let [bridge] = &warnings(document, "the bridge br0")[..] else {
                panic!("{document:#}");
            };
            assert!(bridge.ends_with("it concerns the rule drop"), "{bridge}");
            let [classifier] = &warnings(document, "a classifier")[..] else {
                panic!("{document:#}");
            };
            assert!(classifier.contains("ingress of wire0"), "{classifier}");
            assert!(classifier.ends_with("it concerns the rule drop"), "{classifier}");
            let [absent] = &warnings(document, "not there")[..] else { panic!("{document:#}") };
            assert!(absent.ends_with("it concerns the rule in"), "{absent}");
        };
        check(&host.denyset_json("check").json());
        check(&host.denyset_json("plan").json());
        let daemon = Daemon::start(&host);
        let told = |status: &Value| !warnings(status, "the bridge").is_empty();
        check(&daemon.until("told", told));
    });
}

#[test]
fn a_set_that_nothing_asks_is_named_until_a_rule_does() {
    isolated(|| {
        let host = host(LISTS);
        let daemon = Daemon::start(&host);
        let unasked = |status: &Value| warnings(status, "nothing in the kernel asks the set").len();
        let status = daemon.until("told", |status| unasked(status) == 2);
        let line = "`iptables -t raw -I PREROUTING -m set --match-set denyset-drop-v4 src -j DROP`";
        assert_eq!(warnings(&status, line).len(), 1, "{status:#}");
        assert_eq!(unasked(&host.denyset_json("check").json()), 2);
        assert_eq!(host.denyset("check").code, 0, "it is a warning");
        // The line that it says is one that works.
        let arguments = line.trim_matches('`').strip_prefix("iptables ").expect("a command");
        iptables(arguments);
        // A probe may count later, if the machine is busy.
        assert_eq!(host.denyset("resync").code, 0);
        daemon.until("one left", |status| unasked(status) == 1);
        assert_eq!(unasked(&host.denyset_json("check").json()), 1);
    });
}
