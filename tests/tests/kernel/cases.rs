//! A table of rules, made of columns: each rule as the configuration has it,
//! put into the kernel, and packets from outside that it stops and that it
//! does not stop. What must pass passes, what must not does not, and the rule
//! has counted just those that it stopped. A new key of a rule is a new
//! column here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use blocklist::Family;
use configuration::Configuration;
use lab::crossing::{Carrier, Crossing, Ferry, receivers, sender};
use lab::passage::{INNER, INSIDE_V4, INSIDE_V6, Passage};
use lab::wire::{FREE_V4, FREE_V6, HERE_V4, HERE_V6, INTERFACE, PEER_V4, PEER_V6};
use lab::witness::{ip, succeed};
use reconcile::{Kernel as _, Observe as _, Op, Presence, RuleSet, RulesFound};

use crate::ground::{Ground, add, delete, on_own_ground, prefix, v4, v6};

/// Other addresses of the host in the middle.
const ALSO_HERE_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 4);
const ALSO_HERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 4);

/// A port that rules with ports name, one that none does, and from where
/// packets come: one that no rule names either.
const TCP_PORT: u16 = 7_001;
const UDP_PORT: u16 = 7_002;
const OTHER_PORT: u16 = 9_999;
const KNOWN_FROM: u16 = 6_000;
const NEW_FROM: u16 = 6_001;

const VERDICTS: [&str; 5] = [
    "verdict = \"drop\"",
    "verdict = \"allow-only\"",
    "verdict = \"reject\"",
    "verdict = \"reject\"\nreject-with = \"port-unreachable\"",
    "verdict = \"reject\"\nreject-with = \"tcp-reset\"",
];
const MATCHES: [&str; 2] = ["source", "destination"];

/// Ports of a rule, and whether it is about TCP and UDP of the ports above.
const PORTS: [Ports; 5] = [
    ("", true, true),
    ("tcp-ports = [7001]", true, false),
    ("udp-ports = [53, \"7000-7010\"]", false, true),
    ("tcp-ports = [\"7001-7001\", 22]\nudp-ports = [7002]", true, true),
    ("tcp-ports = [22]\nudp-ports = [\"7003-9998\"]", false, false),
];

/// The names of interfaces by which packets come or do not come.
#[derive(Clone, Copy)]
enum On {
    Any,
    Right,
    Wrong,
    RightByBeginning,
}

const ONS: [On; 4] = [On::Any, On::Right, On::Wrong, On::RightByBeginning];

/// Which way packets go, and the hook that meets them there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// From outside to the host.
    Arriving,
    /// The same, met later.
    In,
    /// From outside to inside, met as they arrive.
    Passing,
    /// The same, met later.
    Forwarded,
    /// From the host to outside.
    Leaving,
}

const WAYS: [Way; 5] = [Way::Arriving, Way::In, Way::Passing, Way::Forwarded, Way::Leaving];

impl Way {
    fn hook(self) -> &'static str {
        match self {
            Self::Arriving | Self::Passing => "prerouting",
            Self::In => "input",
            Self::Forwarded => "forward",
            Self::Leaving => "output",
        }
    }
}

/// Ports as a rule names them, and whether those are TCP's and UDP's above.
type Ports = (&'static str, bool, bool);

/// One row.
#[derive(Clone, Copy)]
struct Case {
    verdict: &'static str,
    end: &'static str,
    ports: Ports,
    on: On,
    new_only: bool,
}

/// Of every way, family, verdict and end some of all that can be said besides.
fn cases(way: Way, turn: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for (first, verdict) in VERDICTS.into_iter().enumerate() {
        for (second, end) in MATCHES.into_iter().enumerate() {
            for (third, ports) in PORTS.into_iter().enumerate() {
                for (fourth, on) in ONS.into_iter().enumerate() {
                    for new_only in [false, true] {
                        let case = Case { verdict, end, ports, on, new_only };
                        let at = first + second + third + 2 * fourth + 3 * usize::from(new_only);
                        let turn = (at + turn).is_multiple_of(7);
                        if turn && case.can_be(way) {
                            cases.push(case);
                        }
                    }
                }
            }
        }
    }
    cases
}

fn interfaces(on: On) -> String {
    match on {
        On::Any => String::new(),
        On::Right => format!("interfaces = [\"other7\", \"{INTERFACE}\"]"),
        On::Wrong => format!("interfaces = [\"{INNER}\", \"wire\", \"wire0x\", \"x*\"]"),
        On::RightByBeginning => "interfaces = [\"wi*\"]".to_owned(),
    }
}

/// A packet of a case, as those who judge it see it.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    carrier: Carrier,
    listed: bool,
    to_port_of_rules: bool,
    opens: bool,
}

impl Case {
    fn is_allow_only(&self) -> bool {
        self.verdict.contains("allow-only")
    }

    fn is_by_source(&self) -> bool {
        self.end == "source"
    }

    /// Whether it is more than a way to shut everybody out.
    fn can_be(&self, way: Way) -> bool {
        let (all_ports, by_source) = (self.ports.0.is_empty(), self.is_by_source());
        !self.is_allow_only() || !(all_ports || way == Way::Leaving && by_source)
    }

    /// The rule as it is written.
    fn text(&self, way: Way) -> String {
        let Self { verdict, end, ports: (ports, ..), on, new_only } = self;
        let (hook, on) = (way.hook(), interfaces(*on));
        format!(
            "{verdict}\nhook = \"{hook}\"\nmatch = \"{end}\"\n{ports}\n{on}\n\
             new-connections-only = {new_only}\n"
        )
    }

    /// Whether the rule stops the packet, by what the keys of a rule promise.
    fn stops(&self, attempt: Attempt) -> bool {
        let (ports, tcp, udp) = self.ports;
        let of_protocol = if attempt.carrier.is_tcp() { tcp } else { udp };
        let on_port = ports.is_empty() || attempt.to_port_of_rules && of_protocol;
        let on_interface = !matches!(self.on, On::Wrong);
        let new = !self.new_only || attempt.opens;
        let member = attempt.listed != self.is_allow_only();
        on_port && on_interface && new && member
    }
}

/// Everything that is sent for a case.
fn attempts() -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for listed in [false, true] {
        for to_port_of_rules in [false, true] {
            let mut attempt = |carrier, opens| {
                attempts.push(Attempt { carrier, listed, to_port_of_rules, opens });
            };
            attempt(Carrier::TcpOpening, true);
            attempt(Carrier::TcpLater, false);
            attempt(Carrier::Udp, true);
            if to_port_of_rules {
                attempt(Carrier::Udp, false);
            }
        }
    }
    attempts
}

/// Where packets of one way and family come from and go to: first what no
/// rule's list has, then what it may have.
struct Route {
    from: [IpAddr; 2],
    to: [IpAddr; 2],
}

impl Route {
    fn of(way: Way, family: Family) -> Self {
        let both = |ipv4: [Ipv4Addr; 2], ipv6: [Ipv6Addr; 2]| match family {
            Family::Ipv4 => ipv4.map(IpAddr::from),
            Family::Ipv6 => ipv6.map(IpAddr::from),
        };
        let outside = both([FREE_V4, PEER_V4], [FREE_V6, PEER_V6]);
        let here = both([HERE_V4, ALSO_HERE_V4], [HERE_V6, ALSO_HERE_V6]);
        let inside = both(INSIDE_V4, INSIDE_V6);
        match way {
            Way::Arriving | Way::In => Self { from: outside, to: here },
            Way::Passing | Way::Forwarded => Self { from: outside, to: inside },
            Way::Leaving => Self { from: here, to: outside },
        }
    }

    fn ends(&self, by_source: bool, listed: bool) -> (IpAddr, IpAddr) {
        let at = usize::from(listed);
        if by_source { (self.from[at], self.to[0]) } else { (self.from[0], self.to[at]) }
    }

    fn packet(&self, by_source: bool, attempt: Attempt) -> Crossing {
        let (from, to) = self.ends(by_source, attempt.listed);
        let known = attempt.carrier == Carrier::Udp && !attempt.opens;
        let port = match (attempt.to_port_of_rules, attempt.carrier.is_tcp()) {
            (false, _) => OTHER_PORT,
            (true, true) => TCP_PORT,
            (true, false) => UDP_PORT,
        };
        let from = SocketAddr::new(from, if known { KNOWN_FROM } else { NEW_FROM });
        Crossing { carrier: attempt.carrier, from, to: SocketAddr::new(to, port) }
    }

    /// What no rule stops.
    fn fence(&self) -> [Crossing; 2] {
        [Carrier::Udp, Carrier::TcpLater].map(|carrier| {
            let opens = true;
            self.packet(true, Attempt { carrier, listed: false, to_port_of_rules: false, opens })
        })
    }
}

/// What sends and what receives, there and back.
fn ferries(passage: &Passage, way: Way, like: IpAddr) -> [Ferry; 2] {
    let outside = passage.outside();
    let (out, out_in) = outside.beyond(|| (sender(like), receivers(like)));
    match way {
        Way::Arriving | Way::In => {
            [Ferry::new(out, receivers(like)), Ferry::new(sender(like), out_in)]
        }
        Way::Passing | Way::Forwarded => {
            let (inner, inner_in) = passage.inside(|| (sender(like), receivers(like)));
            [Ferry::new(out, inner_in), Ferry::new(inner, out_in)]
        }
        Way::Leaving => [Ferry::new(sender(like), out_in), Ferry::new(out, receivers(like))],
    }
}

/// Lets connections come about that rules for new ones leave alone: a packet,
/// and its answer.
fn get_acquainted(route: &Route, [there, back]: &mut [Ferry; 2]) {
    let back_again = |packet: Crossing| Crossing { from: packet.to, to: packet.from, ..packet };
    for by_source in [true, false] {
        for listed in [false, true] {
            let known =
                Attempt { carrier: Carrier::Udp, listed, to_port_of_rules: true, opens: false };
            let packet = route.packet(by_source, known);
            assert_eq!(there.cross(&[packet], route.fence()), [true], "{packet:?}");
            let answer = back_again(packet);
            let fence = route.fence().map(back_again);
            assert_eq!(back.cross(&[answer], fence), [true], "{answer:?}");
        }
    }
}

/// The rules that the configuration makes of this one.
fn rules(family: Family, text: &str) -> RuleSet {
    let text = format!("[[list]]\nname = \"some\"\n[[rule]]\nlist = \"some\"\n{text}");
    let config =
        Configuration::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes:?} in\n{text}"));
    config.filter(family)
}

/// Puts the rule of a case, sends, and compares.
fn try_case(ground: &mut Ground, route: &Route, ferry: &mut Ferry, text: &str, case: &Case) {
    let family = if route.from[0].is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
    let wanted = rules(family, text);
    ground.kernel.put_rules(&wanted).unwrap_or_else(|error| panic!("{error}: {text}"));
    // A rule goes on counting from what one of its name has counted.
    let before = counted(ground, &wanted, text);
    let attempts = attempts();
    let packets = attempts.iter().map(|attempt| route.packet(case.is_by_source(), *attempt));
    let packets: Vec<_> = packets.collect();
    let arrived = ferry.cross(&packets, route.fence());
    let stopped: Vec<_> = attempts.iter().map(|attempt| case.stops(*attempt)).collect();
    for ((attempt, &arrived), &stopped) in attempts.iter().zip(&arrived).zip(&stopped) {
        assert_eq!(arrived, !stopped, "{attempt:?} by\n{text}");
    }
    let want = stopped.iter().filter(|&&stopped| stopped).count() as u64;
    assert_eq!(counted(ground, &wanted, text) - before, want, "{text}");
}

/// How many packets these rules have stopped.
fn counted(ground: &mut Ground, wanted: &RuleSet, text: &str) -> u64 {
    let RulesFound::AsWanted(counts) = ground.kernel.rules(wanted).expect("it can be read") else {
        panic!("other rules than\n{text}");
    };
    counts.iter().map(|count| count.packets).sum()
}

#[test]
fn every_rule_stops_what_it_says_and_nothing_else() {
    on_own_ground(|ground| {
        let passage = Passage::new();
        ip(&format!("address add {ALSO_HERE_V4}/24 dev {INTERFACE}"));
        ip(&format!("address add {ALSO_HERE_V6}/64 dev {INTERFACE} nodad"));
        // A host's own rules, which also have connections tracked.
        for line in [
            "add table inet theirs",
            "add chain inet theirs input { type filter hook input priority 0; }",
            "add rule inet theirs input ct state established accept",
        ] {
            succeed("nft", &line.split_whitespace().collect::<Vec<_>>());
        }
        let mut tried = 0;
        for (family, set) in [(Family::Ipv4, v4("some")), (Family::Ipv6, v6("some"))] {
            ground.creates(&set);
            for (turn, way) in WAYS.into_iter().enumerate() {
                let route = Route::of(way, family);
                let mut ferries = ferries(&passage, way, route.from[0]);
                let none = RuleSet::new(&prefix(), family, []);
                ground.kernel.put_rules(&none).expect("none is easy");
                get_acquainted(&route, &mut ferries);
                for by_source in [true, false] {
                    let (from, to) = route.ends(by_source, true);
                    let listed = if by_source { from } else { to }.to_string();
                    ground.does(&add(&set, &listed, Presence::New));
                    let mut cases = cases(way, turn);
                    cases.retain(|case| case.is_by_source() == by_source);
                    for case in cases {
                        try_case(ground, &route, &mut ferries[0], &case.text(way), &case);
                        tried += 1;
                    }
                    ground.does(&delete(&set, &listed));
                }
            }
            let none = RuleSet::new(&prefix(), family, []);
            ground.kernel.put_rules(&none).expect("none is easy");
            ground.does_when_free(&Op::Destroy(set));
        }
        println!("{tried} rules were tried with {} packets each", attempts().len());
        assert!(tried >= 80, "{tried}");
    });
}
