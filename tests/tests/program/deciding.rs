//! `why` says which rule decides about an address, what it has counted, and
//! who is connected all the same.

use std::net::{IpAddr, TcpListener, TcpStream};

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::packets::{Fate, PacketProbe};
use lab::wire::{FREE_V4, HERE_V4, PEER_V4, PEER_V6, Wire};
use lab::witness::succeed;
use serde_json::Value;

const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"bad*\"]\n\
    [[list]]\nname = \"office\"\nfeeds = [\"office*\"]\n\
    [[rule]]\nlist = \"office\"\nname = \"ssh\"\nverdict = \"allow-only\"\nhook = \"input\"\n\
    tcp-ports = [22]\ninterfaces = [\"wire*\"]\n\
    [[rule]]\nlist = \"drop\"\n";

/// What `why` says with these arguments.
fn why(host: &Host, line: &str) -> Value {
    host.denyset_json(&format!("why {line}")).json()
}

fn rules(why: &Value) -> Vec<(&str, bool)> {
    let rules = why["rules"].as_array().into_iter().flatten();
    rules.map(|rule| (rule["rule"].as_str().expect("a name"), rule["certain"] == true)).collect()
}

#[test]
fn why_names_the_rule_that_decides_and_what_it_has_counted() {
    isolated(|| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        // Where a rule of the host's asks it, connections are tracked.
        for line in [
            "add table inet theirs",
            "add chain inet theirs input { type filter hook input priority 0; }",
            "add rule inet theirs input ct state established accept",
        ] {
            succeed("nft", &line.split_whitespace().collect::<Vec<_>>());
        }
        let daemon = "settle-ms = 20".into();
        let host = Host::with(&Config { daemon, tables: TABLES.into(), ..Config::default() });
        host.feed("bad.txt", format!("{PEER_V4}\n{PEER_V6}\n"));
        host.feed("office.txt", "198.51.100.7\n");
        let daemon = Daemon::start(&host);
        daemon.until("in place", |status| status["in-sync"] == true);
        for peer in [IpAddr::from(PEER_V4), PEER_V6.into()] {
            assert_eq!(probe.fate(peer), Fate::Dropped);
            let all = why(&host, &peer.to_string());
            assert_eq!(rules(&all), [("drop", true), ("ssh", false)], "{all:#}");
            assert_eq!(all["decides"], "drop");
            assert_eq!(all["rules"][0]["packets"], 1, "{all:#}");
            assert_eq!(all["verdict"], "blocked");
        }
        let other = |rest: &str| why(&host, &format!("{FREE_V4} {rest}"));
        let any = other("");
        assert_eq!((rules(&any), &any["decides"]), (vec![("ssh", false)], &Value::Null));
        let ssh = other("--port 22 --in-interface wire0");
        assert_eq!((rules(&ssh), &ssh["decides"]), (vec![("ssh", true)], &"ssh".into()));
        for rest in ["--port 23", "--proto udp", "--port 22 --in-interface eth0"] {
            assert_eq!(rules(&other(rest)), [], "{rest}");
        }
        // Somebody is connected to another port.
        assert_eq!(any["connections"], 0);
        let listener = TcpListener::bind((HERE_V4, 0)).expect("a free port");
        let to = listener.local_addr().expect("bound");
        let outer = wire.beyond(|| TcpStream::connect(to)).expect("nothing stops it");
        let (_inner, from) = listener.accept().expect("it came");
        let open = why(&host, &from.ip().to_string());
        assert_eq!(open["connections"], 1, "{open:#}");
        let port = to.port();
        assert_eq!(why(&host, &format!("{} --port {port}", from.ip()))["connections"], 1);
        assert_eq!(why(&host, &format!("{} --port 22", from.ip()))["connections"], 0);
        let text = host.denyset(&format!("why {PEER_V4}"));
        assert!(text.stdout.contains("the rule drop decides"), "{text:?}");
        drop(outer);
    });
}
