//! A host that has rules of every kind already: with all of them accepting
//! first whatever is established or comes from the address, it is blocked all
//! the same, and theirs are untouched byte for byte.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use lab::daemon::Daemon;
use lab::host::{Config, Host};
use lab::namespace::isolated;
use lab::passage::{INSIDE_V4, Passage};
use lab::wire::{FREE_V4, HERE_V4, PEER_V4};
use lab::witness::succeed;
use rustix::net::{self, AddressFamily, SocketType};
use serde_json::Value;

const TABLES: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n";

/// What does not arrive for so long has been dropped.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The port that is published, and the one behind it.
const PUBLISHED: u16 = 8_080;
const BEHIND: u16 = 80;

fn run(line: &str) -> String {
    let mut words = line.split_whitespace();
    succeed(words.next().expect("a program"), &words.collect::<Vec<_>>())
}

/// Everything that accepts before anybody drops.
fn make_theirs() {
    for line in [
        "iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "iptables-nft -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "iptables-nft -A FORWARD -p tcp --dport 80 -j ACCEPT",
        "iptables-nft -t raw -A PREROUTING -s 192.0.2.0/24 -j ACCEPT",
        "iptables-legacy -t raw -A PREROUTING -s 192.0.2.0/24 -j ACCEPT",
        "iptables-legacy -A INPUT -s 192.0.2.0/24 -j ACCEPT",
        "nft add table inet theirs",
        "nft add chain inet theirs early { type filter hook prerouting priority -400; }",
        "nft add rule inet theirs early ip saddr 192.0.2.0/24 accept",
        "nft add chain inet theirs input { type filter hook input priority -100; }",
        "nft add rule inet theirs input ct state established,related accept",
    ] {
        run(line);
    }
    let to = format!("{}:{BEHIND}", INSIDE_V4[0]);
    run(&format!("iptables-nft -t nat -A PREROUTING -p tcp --dport {PUBLISHED} -j DNAT --to {to}"));
}

/// What stands of theirs, without what counts.
fn theirs() -> Vec<String> {
    let saved = ["iptables-nft-save", "iptables-legacy-save"].map(run).concat();
    let lines = saved.lines().filter(|line| !line.starts_with('#'));
    let mut all: Vec<_> = lines.map(|line| line.split(" [").next().map(str::to_owned)).collect();
    let ruleset: Value = serde_json::from_str(&run("nft -j list ruleset")).expect("JSON");
    let ours = |object: &Value| {
        object.as_object().into_iter().flatten().any(|(kind, it)| {
            let name = if kind == "table" { &it["name"] } else { &it["table"] };
            name == "denyset"
        })
    };
    let objects = ruleset["nftables"].as_array().expect("a list");
    all.extend(objects.iter().filter(|object| !ours(object)).map(|object| {
        let mut object = object.clone();
        forget_counters(&mut object);
        Some(object.to_string())
    }));
    all.into_iter().flatten().collect()
}

fn forget_counters(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("counter");
            object.values_mut().for_each(forget_counters);
        }
        Value::Array(array) => array.iter_mut().for_each(forget_counters),
        _ => {}
    }
}

/// A connection from an address outside, and its other end.
fn connection(passage: &Passage, from: Ipv4Addr, to: u16, at: &TcpListener) -> [TcpStream; 2] {
    let outer = passage.outside().beyond(|| {
        let socket = net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
        net::bind(&socket, &SocketAddr::new(from.into(), 0))?;
        net::connect(&socket, &SocketAddr::new(HERE_V4.into(), to))?;
        Ok::<_, std::io::Error>(TcpStream::from(socket))
    });
    let (inner, peer) = at.accept().expect("a connection");
    assert_eq!(peer.ip(), IpAddr::from(from));
    inner.set_read_timeout(Some(PATIENCE)).expect("not zero");
    [outer.expect("nothing stops it"), inner]
}

fn arrives([outer, inner]: &mut [TcpStream; 2]) -> bool {
    outer.write_all(b"x").expect("it is open");
    match inner.read(&mut [0; 8]) {
        Ok(length) => length > 0,
        Err(error) if error.kind() == ErrorKind::WouldBlock => false,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn whatever_accepts_first_it_is_blocked_and_nothing_of_theirs_changes() {
    isolated(|| {
        let passage = Passage::new();
        make_theirs();
        let before = theirs();
        assert!(before.len() > 15, "{before:#?}");
        let host = Host::with(&Config { tables: TABLES.into(), ..Config::default() });
        host.feed("list.txt", "198.51.100.99\n");
        let daemon = Daemon::start(&host);
        daemon.until("in place", |status| status["in-sync"] == true);

        let here = TcpListener::bind((HERE_V4, 0)).expect("a free port");
        let inside = passage.inside(|| TcpListener::bind((INSIDE_V4[0], BEHIND)));
        let inside = inside.expect("a free port");
        let port = here.local_addr().expect("bound").port();
        let mut open = Vec::new();
        for from in [PEER_V4, FREE_V4] {
            open.push((from, connection(&passage, from, port, &here)));
            open.push((from, connection(&passage, from, PUBLISHED, &inside)));
        }
        for (from, ends) in &mut open {
            assert!(arrives(ends), "from {from} before it is listed");
        }
        host.feed("list.txt", format!("{PEER_V4}\n198.51.100.99\n"));
        daemon.until_members("denyset-drop-v4", 2);
        daemon.until("in sync", |status| status["in-sync"] == true);
        for (from, ends) in &mut open {
            assert_eq!(arrives(ends), *from == FREE_V4, "from {from}, of which one is listed");
        }
        assert_eq!(theirs(), before);
        daemon.stop();
        assert_eq!(host.denyset("teardown").code, 0);
        assert_eq!(theirs(), before);
    });
}
