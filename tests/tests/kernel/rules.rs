//! Rules of our own: what packets that come from outside feel of them, what
//! `nft` shows, and what becomes of them when others write rules too.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use blocklist::Family;
use lab::packets::{Fate, PacketProbe};
use lab::wire::{FREE_V4, FREE_V6, HERE_V4, HERE_V6, PEER_V4, PEER_V6, Wire};
use lab::witness::{ip, succeed};
use reconcile::{
    Count, End, Hook, Interface, Kernel as _, KernelErrorKind, Observe as _, Op, PortProtocol,
    Ports, Presence, RejectWith, Rule, RuleSet, RulesFound, Sample, SetName, Verdict,
};
use rustix::net::{self, AddressFamily, SocketType, sockopt::Timeout};

use crate::ground::{Ground, add, on_own_ground, prefix, v4, v6};

/// What is to arrive has arrived after this long, or never will.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// The rule that a table with nothing but the name of its list makes.
pub(crate) fn drop_by(set: SetName) -> Rule {
    Rule {
        name: "drop".to_owned(),
        set,
        end: End::Source,
        hook: Hook::Prerouting,
        verdict: Verdict::Drop,
        ports: Vec::new(),
        interfaces: Vec::new(),
        new_only: false,
        sample: None,
    }
}

pub(crate) fn only(rule: Rule) -> RuleSet {
    RuleSet::new(&prefix(), rule.set.family(), [rule])
}

#[track_caller]
pub(crate) fn puts(ground: &mut Ground, rules: &RuleSet) -> bool {
    ground.kernel.put_rules(rules).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn finds(ground: &mut Ground, rules: &RuleSet) -> RulesFound {
    ground.kernel.rules(rules).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn packets(ground: &mut Ground, rules: &RuleSet) -> u64 {
    match finds(ground, rules) {
        RulesFound::AsWanted(counts) => counts.iter().map(|count| count.packets).sum(),
        other => panic!("{other:?}"),
    }
}

/// What is found of rules of which only these are in force.
fn other(in_force: &[Rule]) -> RulesFound {
    RulesFound::Other(in_force.to_vec())
}

fn nft(line: &str) -> String {
    succeed("nft", &line.split_whitespace().collect::<Vec<_>>())
}

#[track_caller]
fn check(probe: &mut PacketProbe, source: impl Into<IpAddr>, want: Fate) {
    let source = source.into();
    assert_eq!(probe.fate(source), want, "{source}");
}

#[test]
fn one_rule_drops_what_comes_from_members_at_prerouting_and_nothing_else() {
    use Fate::{Delivered, Dropped};
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        let mut inside = PacketProbe::new();
        for (set, members, peer) in [
            (v4("drop"), "127.0.0.0/8 192.0.2.3 198.51.100.0/24", IpAddr::from(PEER_V4)),
            (v6("drop"), "::1 2001:db8:1::3 2001:db8:7::/48", PEER_V6.into()),
        ] {
            ground.creates_with(&set, members);
            let rules = only(drop_by(set.clone()));
            assert_eq!(finds(ground, &rules), RulesFound::Absent);
            check(&mut probe, peer, Delivered);
            assert!(puts(ground, &rules));
            assert_eq!(packets(ground, &rules), 0);
            check(&mut probe, peer, Dropped);
            assert_eq!(packets(ground, &rules), 1);
            assert!(!puts(ground, &rules), "there is nothing to do");
            // What this host says to itself is never filtered.
            let itself = if peer.is_ipv4() { "127.0.0.1" } else { "::1" };
            check(&mut inside, itself.parse::<IpAddr>().expect("an address"), Delivered);
        }
        let shown = nft("list ruleset");
        for line in [
            "table ip denyset {",
            "table ip6 denyset {",
            "comment \"kept by denyset, for the sets denyset-*\"",
            "type filter hook prerouting priority raw; policy accept;",
            "ip6 hoplimit 255 icmpv6 type 133-137 accept comment \"never filtered: neighbour discovery\"",
            "xt match set counter packets 1 bytes 36 drop comment \"drop\"",
        ] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
        for family in Family::ALL {
            let none = RuleSet::new(&prefix(), family, []);
            assert_eq!(finds(ground, &none), other(&[]));
            assert!(puts(ground, &none));
            assert!(!puts(ground, &none));
        }
        assert_eq!(nft("list ruleset"), "");
        check(&mut probe, PEER_V4, Delivered);
        check(&mut probe, PEER_V6, Delivered);
        ground.does_when_free(&Op::Destroy(v4("drop")));
    });
}

/// A connection from `from` to `here`, both its ends.
fn connection(wire: &Wire, from: IpAddr, here: IpAddr) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((here, 0)).expect("a free port");
    let to = listener.local_addr().expect("bound");
    let outer = wire.beyond(|| connect(from, to)).expect("nothing stops it");
    let (inner, peer) = listener.accept().expect("a connection");
    assert_eq!(peer.ip(), from);
    for stream in [&inner, &outer] {
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
    }
    (inner, outer)
}

/// A connection from an address of the namespace that this is called in.
pub(crate) fn connect(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    let family = if from.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = net::socket(family, SocketType::STREAM, None)?;
    net::sockopt::set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    net::bind(&socket, &SocketAddr::new(from, 0))?;
    net::connect(&socket, &to)?;
    Ok(socket.into())
}

#[test]
fn a_connection_that_is_open_ends_for_a_new_member() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        for (set, from, here) in [
            (v4("drop"), IpAddr::from(PEER_V4), IpAddr::from(HERE_V4)),
            (v6("drop"), PEER_V6.into(), HERE_V6.into()),
        ] {
            ground.creates(&set);
            puts(ground, &only(drop_by(set.clone())));
            let (mut inner, mut outer) = connection(&wire, from, here);
            let mut byte = [0];
            outer.write_all(b"a").expect("it is open");
            inner.read_exact(&mut byte).expect("a member of nothing is heard");
            ground.does(&add(&set, &from.to_string(), Presence::New));
            outer.write_all(b"b").expect("it is not closed yet");
            let error = inner.read_exact(&mut byte).expect_err("nothing arrives any more");
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
        }
    });
}

#[test]
fn a_neighbour_is_found_though_all_its_addresses_are_listed() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        ground.creates_with(&v6("drop"), "::/1 8000::/1");
        puts(ground, &only(drop_by(v6("drop"))));
        ip("neigh flush dev wire0");
        let socket = std::net::UdpSocket::bind((HERE_V6, 0)).expect("a free port");
        socket.send_to(b"who is there", (PEER_V6, 9)).expect("it is on the wire");
        let deadline = Instant::now() + Duration::from_secs(5);
        while !ip(&format!("-6 neigh show {PEER_V6} dev wire0")).contains("lladdr") {
            assert!(Instant::now() < deadline, "{}", ip("-6 neigh show"));
            thread::yield_now();
        }
        drop(wire);
    });
}

#[test]
fn only_members_reach_the_ports_of_an_allow_only_rule() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        for (set, member, other, here) in [
            (v4("allow"), IpAddr::from(PEER_V4), IpAddr::from(FREE_V4), IpAddr::from(HERE_V4)),
            (v6("allow"), PEER_V6.into(), FREE_V6.into(), HERE_V6.into()),
        ] {
            ground.creates_with(&set, &member.to_string());
            let listener = TcpListener::bind((here, 0)).expect("a free port");
            let to = listener.local_addr().expect("bound");
            let elsewhere = TcpListener::bind((here, 0)).expect("a free port");
            let ports = vec![Ports { transport: PortProtocol::Tcp, range: to.port()..=to.port() }];
            let verdict = Verdict::AllowOnly;
            let rules = only(Rule { ports, verdict, hook: Hook::Input, ..drop_by(set.clone()) });
            puts(ground, &rules);
            let reach = |from, to| wire.beyond(|| attempt(from, to));
            assert!(reach(member, to), "{member} is a member");
            assert!(!reach(other, to), "{other} is none");
            assert!(reach(other, elsewhere.local_addr().expect("bound")), "of other ports");
            assert!(packets(ground, &rules) > 0);
        }
    });
}

/// Whether a connection comes about within a while.
fn attempt(from: IpAddr, to: SocketAddr) -> bool {
    connect(from, to).is_ok()
}

#[test]
fn every_kind_of_rule_is_taken_and_reads_back_as_what_it_is() {
    on_own_ground(|ground| {
        let port = |transport, range| Ports { transport, range };
        let ports = [
            vec![],
            vec![port(PortProtocol::Tcp, 22..=22), port(PortProtocol::Udp, 8_000..=8_100)],
        ];
        let reject = [RejectWith::Prohibited, RejectWith::PortUnreachable, RejectWith::TcpReset];
        let verdicts = [Verdict::Drop, Verdict::AllowOnly]
            .into_iter()
            .chain(reject.into_iter().map(Verdict::Reject));
        let interfaces = ["eth0", "veth*"].map(|name| Interface::new(name).expect("a name"));
        let mut cases = 0;
        for set in [v4("all"), v6("all")] {
            ground.creates(&set);
            for verdict in verdicts.clone() {
                for hook in [Hook::Prerouting, Hook::Input, Hook::Forward, Hook::Output] {
                    for ports in &ports {
                        for (interfaces, new_only, end) in [
                            (&interfaces[..0], false, End::Source),
                            (&interfaces[..], true, End::Destination),
                        ] {
                            let (ports, interfaces) = (ports.clone(), interfaces.to_vec());
                            let set = set.clone();
                            let name = "all".to_owned();
                            let rules = only(Rule {
                                name,
                                set,
                                end,
                                hook,
                                verdict,
                                ports,
                                interfaces,
                                new_only,
                                sample: new_only.then(|| sample(1_000)),
                            });
                            assert!(puts(ground, &rules), "{rules:?}");
                            assert_eq!(packets(ground, &rules), 0);
                            cases += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(cases, 160);
    });
}

/// One packet in so many is shown.
fn sample(one_in: u32) -> Sample {
    let [one_in, per_second] = [one_in, 50].map(|number| NonZeroU32::new(number).expect("some"));
    Sample { one_in, per_second, group: 4_217, label: "of all".to_owned() }
}

/// A table as hosts have them.
fn make_theirs() {
    nft("add table inet theirs");
    nft("add chain inet theirs input { type filter hook input priority 0; }");
    nft("add rule inet theirs input ct state established,related accept");
}

#[test]
fn what_others_do_to_our_table_is_seen_and_undone_in_one_transaction() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        ground.creates_with(&v4("drop"), "192.0.2.3");
        ground.creates(&v4("other"));
        let rules = only(drop_by(v4("drop")));
        make_theirs();
        let theirs = nft("list table inet theirs");
        puts(ground, &rules);
        for (done, want) in [
            ("delete table ip denyset", RulesFound::Absent),
            ("flush ruleset", RulesFound::Absent),
            ("flush chain ip denyset prerouting", other(&[])),
            ("insert rule ip denyset prerouting accept", other(rules.rules())),
            ("add rule ip denyset prerouting counter", other(rules.rules())),
            ("add chain ip denyset mine", other(&[])),
            ("add chain ip denyset prerouting { policy drop; }", other(&[])),
            ("add table ip denyset { flags dormant; }", other(&[])),
        ] {
            nft(done);
            assert_eq!(finds(ground, &rules), want, "{done}");
            assert!(puts(ground, &rules), "{done}");
            check(&mut probe, PEER_V4, Fate::Dropped);
            check(&mut probe, FREE_V4, Fate::Delivered);
            if done == "flush ruleset" {
                make_theirs();
            }
            assert_eq!(nft("list table inet theirs"), theirs, "{done}");
        }
        // Another set is another rule, though `nft` shows the two alike.
        let another = only(drop_by(v4("other")));
        assert_eq!(finds(ground, &another), other(&[]));
    });
}

#[test]
fn a_table_of_our_name_that_is_not_ours_stays_as_it_is() {
    on_own_ground(|ground| {
        ground.creates(&v4("drop"));
        nft("add table ip denyset");
        nft("add chain ip denyset prerouting { type filter hook prerouting priority raw; }");
        let before = nft("list ruleset");
        let rules = only(drop_by(v4("drop")));
        assert_eq!(finds(ground, &rules), RulesFound::Foreign);
        let error = ground.kernel.put_rules(&rules).expect_err("not ours");
        assert_eq!(error.kind, KernelErrorKind::Exists, "{error}");
        // Nothing of ours is there to be removed.
        assert!(!puts(ground, &RuleSet::new(&prefix(), Family::Ipv4, [])));
        assert_eq!(nft("list ruleset"), before);
    });
}

#[test]
fn a_rule_goes_on_counting_when_another_joins_it_and_needs_its_set() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        ground.creates_with(&v4("drop"), "192.0.2.3");
        ground.creates(&v4("more"));
        let first = drop_by(v4("drop"));
        puts(ground, &only(first.clone()));
        check(&mut probe, PEER_V4, Fate::Dropped);
        let second = Rule { name: "more".to_owned(), ..drop_by(v4("more")) };
        let both = RuleSet::new(&prefix(), Family::Ipv4, [first, second]);
        assert_eq!(finds(ground, &both), other(&both.rules()[..1]));
        assert!(puts(ground, &both));
        check(&mut probe, PEER_V4, Fate::Dropped);
        let count = |rule: &str, packets, bytes| Count { rule: rule.to_owned(), packets, bytes };
        let want = vec![count("drop", 2, 72), count("more", 0, 0)];
        assert_eq!(finds(ground, &both), RulesFound::AsWanted(want));
        ground.fails(&Op::Destroy(v4("more")), KernelErrorKind::Busy);
        let missing = only(drop_by(v4("missing")));
        let error = ground.kernel.put_rules(&missing).expect_err("no such set");
        assert_eq!(error.kind, KernelErrorKind::NotFound, "{error}");
        check(&mut probe, PEER_V4, Fate::Dropped);
    });
}

#[test]
fn no_packet_gets_through_while_rules_change_and_others_change_theirs() {
    on_own_ground(|ground| {
        let wire = Wire::new();
        let mut probe = PacketProbe::over(&wire);
        ground.creates_with(&v4("drop"), "192.0.2.3");
        ground.creates(&v4("more"));
        let first = drop_by(v4("drop"));
        let second = Rule { name: "more".to_owned(), ..drop_by(v4("more")) };
        let states = [only(first.clone()), RuleSet::new(&prefix(), Family::Ipv4, [second, first])];
        puts(ground, &states[0]);
        let stop = AtomicBool::new(false);
        let round = |probed: &mut PacketProbe| {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) {
                check(probed, PEER_V4, Fate::Dropped);
                rounds += 1;
            }
            rounds
        };
        thread::scope(|scope| {
            let probing = scope.spawn(|| round(&mut probe));
            let others = scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    nft("add table inet theirs");
                    nft("delete table inet theirs");
                }
            });
            for state in states.iter().cycle().skip(1).take(60) {
                assert!(puts(ground, state));
            }
            stop.store(true, Ordering::Relaxed);
            others.join().expect("nft does what it is told");
            assert!(probing.join().expect("every packet is dropped") > 60);
        });
    });
}
