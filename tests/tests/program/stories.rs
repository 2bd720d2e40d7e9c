//! The two stories that rules are for, from one end to the other: a web host
//! that keeps known offenders out, and ports that only some clients may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::thread;

use lab::daemon::Daemon;
use lab::generate::RandomNumbers;
use lab::host::{Config, Host};
use lab::kills::{SETS, in_force};
use lab::members::SortedPrefixes;
use lab::namespace::isolated;
use lab::packets::Stream;
use lab::session::{Session, SessionServer};
use lab::versions::Versions;
use lab::wire::{FREE_V4, FREE_V6, PEER_V4, PEER_V6, Wire};
use lab::witness::{members, names, succeed};

/// Offenders, of which `cargo xtask demo` has a million.
const OFFENDERS: usize = 6_000;

/// Updates of their list, of which each replaces this many percent.
const PERCENT: [usize; 20] = [1, 5, 60, 1, 25, 1, 5, 60, 1, 25, 1, 5, 60, 1, 25, 1, 5, 60, 1, 25];

/// The update during which the daemon is killed.
const KILLED: usize = 7;

#[test]
fn a_web_host_keeps_offenders_out_through_updates_and_a_kill() {
    isolated(|| {
        let wire = Wire::new();
        let mut versions = Versions::new(RandomNumbers::seeded(8), OFFENDERS);
        let tables = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n[[rule]]\nlist = \"drop\"\n";
        let host = Host::with(&Config { tables: tables.to_owned(), ..Config::default() });
        host.feed("offenders.txt", versions.feed());
        let mut daemon = Daemon::start(&host);
        in_force(&daemon, &versions);
        let stream = Stream::over(&wire, versions.listed(), versions.free());
        for (update, percent) in PERCENT.into_iter().enumerate() {
            versions.change(percent);
            host.feed("offenders.txt", versions.feed());
            if update == KILLED {
                daemon.kill();
                daemon = Daemon::start(&host);
            }
            in_force(&daemon, &versions);
        }
        let seen = stream.stop();
        assert!(seen.sent > 1_000, "{seen:?}");
        assert_eq!((seen.leaked, seen.wrongly_blocked), (0, 0), "{seen:?}");
        assert_eq!(names(), SETS);
        let all = versions.members();
        members(SETS[0]).expect(&all.family(true));
        members(SETS[1]).expect(&all.family(false));
        daemon.stop();
    });
}

/// The ports that only clients may reach.
const PORTS: [u16; 4] = [443, 5432, 6379, 8443];

/// A port of which no rule says anything.
const OPEN: u16 = 8080;

/// Clients that are there from the beginning.
const CLIENTS: u8 = 200;

/// A file for each client: 400 of them, of both families.
fn clients(host: &Host) {
    for number in 1..=CLIENTS {
        let ipv4 = Ipv4Addr::new(198, 51, 100, number);
        let ipv6 = Ipv6Addr::new(0x2001, 0xdb8, 7, 0, 0, 0, 0, number.into());
        host.feed(&format!("clients/{number}-v4"), format!("{ipv4}\n"));
        host.feed(&format!("clients/{number}-v6"), format!("{ipv6}\n"));
    }
}

/// Asserts that these reach every port, or none but the open one.
#[track_caller]
fn check(servers: &[SessionServer], wire: &Wire, from: [IpAddr; 2], is_client: bool) {
    let lets_in = |server: &SessionServer, from| server.lets_in(wire, from, is_client);
    thread::scope(|scope| {
        for (server, from) in servers.iter().flat_map(|server| from.map(|from| (server, from))) {
            scope.spawn(move || {
                let port = server.port();
                let want = is_client || port == OPEN;
                assert_eq!(lets_in(server, from), want, "{from} at port {port}");
            });
        }
    });
}

/// Whether data still arrives over each, asked at the same time.
fn alive(sessions: &mut [Session]) -> Vec<bool> {
    thread::scope(|scope| {
        let asked: Vec<_> = sessions.iter_mut().map(|one| scope.spawn(|| one.is_alive())).collect();
        asked.into_iter().map(|one| one.join().expect("the connection stands")).collect()
    })
}

#[test]
fn four_ports_let_four_hundred_clients_in_and_one_more_by_a_file() {
    isolated(|| {
        let wire = Wire::new();
        let servers: Vec<_> = PORTS.into_iter().chain([OPEN]).map(SessionServer::at).collect();
        let tables = "[[list]]\nname = \"clients\"\nfeeds = [\"clients/*\"]\n\
                      [[rule]]\nlist = \"clients\"\nverdict = \"allow-only\"\n\
                      tcp-ports = [443, 5432, 6379, 8443]\n";
        let daemon = "settle-ms = 20\nwithdraw-seconds = 1".to_owned();
        let config = Config { daemon, tables: tables.to_owned(), ..Config::default() };
        let host = Host::with(&config);
        clients(&host);
        let daemon = Daemon::start(&host);
        let sets = ["denyset-clients-v4", "denyset-clients-v6"];
        let count = usize::from(CLIENTS);
        let until = |v4, v6| {
            [(sets[0], v4), (sets[1], v6)].map(|(set, count)| daemon.until_members(set, count))
        };
        until(count, count);
        // One rule for each port and family says it all.
        let rules = succeed("nft", &["list", "ruleset"]).matches("xt match set").count();
        assert_eq!(rules, 2 * PORTS.len());
        let (peers, others) = ([PEER_V4.into(), PEER_V6.into()], [FREE_V4.into(), FREE_V6.into()]);
        check(&servers, &wire, peers, false);

        host.feed("clients/new", SortedPrefixes::of(&format!("{PEER_V4} {PEER_V6}")).feed());
        until(count + 1, count + 1);
        check(&servers, &wire, peers, true);
        check(&servers, &wire, others, false);
        let mut sessions: Vec<_> =
            peers.into_iter().map(|from| servers[0].let_in(&wire, from)).collect();
        assert_eq!(alive(&mut sessions), [true, true]);

        host.remove_feed("clients/new");
        until(count, count);
        assert_eq!(alive(&mut sessions), [false, false], "what was open is cut off");
        check(&servers, &wire, peers, false);
        daemon.stop();
    });
}
