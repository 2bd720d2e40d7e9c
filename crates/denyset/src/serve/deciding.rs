//! Which rule decides about packets with an address: those that would stop
//! them, in the order in which packets meet them, what each has counted, and
//! which connections there are all the same.

use std::net::IpAddr;

use blocklist::{AnyPrefix, Family};
use netfilter::Netfilter;
use reconcile::{
    Count, End, Hook, Observe as _, PortProtocol, Ports, Rule, RulesFound, RulesSeen, Verdict,
};

use super::protocol::{Proto, Question};
use crate::snapshot::SnapshotFacts;
use crate::view::RuleAnswer;

/// IANA's protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What the rules make of an address.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// Those that would stop it, the first one first.
    pub(super) rules: Vec<RuleAnswer>,
    /// The first that does so whatever else is true of the packet.
    pub(super) decides: Option<String>,
    /// Connections with the address; `None` if it cannot be known.
    pub(super) connections: Option<u64>,
}

/// Asks on a socket of its own, so that it needs not wait for a plan.
pub(super) fn decide(facts: &SnapshotFacts, question: &Question) -> Decision {
    let address = question.address.to_canonical();
    let family = if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 };
    let Ok(mut kernel) = Netfilter::open() else { return Decision::default() };
    let mut rules: Vec<(Rank, RuleAnswer)> = Vec::new();
    for seen in facts.rules.iter().filter(|seen| seen.wanted.family() == family) {
        let counts = counts(&mut kernel, seen);
        for rule in seen.wanted.rules() {
            let asked = AnyPrefix::host(address);
            let Ok(member) = kernel.matches(&rule.set, asked) else { continue };
            let stops = member != (rule.verdict == Verdict::AllowOnly);
            if stops && may_concern(rule, question) {
                let count = counts.iter().flatten().find(|count| count.rule == rule.name);
                rules.push((rank(rule), answer(rule, question, count, counts.is_some())));
            }
        }
    }
    rules.sort_by_key(|(rank, _)| *rank);
    let rules: Vec<_> = rules.into_iter().map(|(_, rule)| rule).collect();
    let decides = rules.iter().find(|rule| rule.certain && rule.in_place);
    let decides = decides.map(|rule| rule.rule.clone());
    let connections = connections(&mut kernel, address, question);
    Decision { rules, decides, connections }
}

/// What each rule has counted, `None` if they are not in place.
fn counts(kernel: &mut Netfilter, seen: &RulesSeen) -> Option<Vec<Count>> {
    match kernel.rules(&seen.wanted) {
        Ok(RulesFound::AsWanted(counts)) => Some(counts),
        _ => None,
    }
}

/// How early a packet meets a hook. What comes is asked about first.
type Rank = u8;

fn rank(rule: &Rule) -> Rank {
    match rule.hook {
        Hook::Prerouting => 0,
        Hook::Input | Hook::Forward => 1,
        Hook::Output => 2,
    }
}

/// Whether there may be such packets that the rule is about.
fn may_concern(rule: &Rule, question: &Question) -> bool {
    let port = question.port.is_none() || ports_fit(rule, question);
    let proto = question.proto.is_none_or(|proto| proto_fits(rule, proto));
    let interface = question.in_interface.as_ref().is_none_or(|name| {
        let named = rule.interfaces.iter().any(|of_rule| of_rule.covers(name));
        rule.hook != Hook::Output && (rule.interfaces.is_empty() || named)
    });
    port && proto && interface
}

fn ports_fit(rule: &Rule, question: &Question) -> bool {
    let proto = transport(question.proto.unwrap_or(Proto::Tcp));
    let fits = |ports: &Ports| {
        ports.transport == proto && question.port.is_some_and(|port| ports.range.contains(&port))
    };
    rule.ports.is_empty() || rule.ports.iter().any(fits)
}

fn proto_fits(rule: &Rule, proto: Proto) -> bool {
    let fits = |ports: &Ports| ports.transport == transport(proto);
    rule.ports.is_empty() || rule.ports.iter().any(fits)
}

fn transport(proto: Proto) -> PortProtocol {
    match proto {
        Proto::Tcp => PortProtocol::Tcp,
        Proto::Udp => PortProtocol::Udp,
    }
}

fn answer(rule: &Rule, question: &Question, count: Option<&Count>, in_place: bool) -> RuleAnswer {
    let from_it = rule.end == End::Source && rule.hook != Hook::Output;
    let ports = rule.ports.is_empty() || question.port.is_some();
    let interfaces = rule.interfaces.is_empty() || question.in_interface.is_some();
    RuleAnswer {
        rule: rule.name.clone(),
        set: rule.set.to_string(),
        does: does(rule),
        certain: from_it && ports && interfaces,
        in_place,
        packets: count.map(|count| count.packets),
        bytes: count.map(|count| count.bytes),
    }
}

/// What a rule does to the address, a phrase.
fn does(rule: &Rule) -> String {
    let verb = match rule.verdict {
        Verdict::Drop | Verdict::AllowOnly => "drops",
        Verdict::Reject(_) => "rejects",
    };
    let hook = match rule.hook {
        Hook::Prerouting => "prerouting",
        Hook::Input => "input",
        Hook::Forward => "forward",
        Hook::Output => "output",
    };
    let end = match rule.end {
        End::Source => "comes from it",
        End::Destination => "goes to it",
    };
    let mut phrase = format!("{verb} at {hook} what {end}");
    let ports = rule.ports.iter().map(|ports| {
        let proto = if ports.transport == PortProtocol::Tcp { "tcp" } else { "udp" };
        let (first, last) = (ports.range.start(), ports.range.end());
        if first == last { format!("{proto} {first}") } else { format!("{proto} {first}-{last}") }
    });
    let ports: Vec<_> = ports.collect();
    if !ports.is_empty() {
        phrase.extend([" to ", &ports.join(", ")]);
    }
    let interfaces: Vec<_> = rule.interfaces.iter().map(ToString::to_string).collect();
    if !interfaces.is_empty() {
        phrase.extend([" on ", &interfaces.join(", ")]);
    }
    if rule.new_only {
        phrase += ", new connections only";
    }
    if rule.verdict == Verdict::AllowOnly {
        phrase += ", since the list does not have it";
    }
    phrase
}

fn connections(kernel: &mut Netfilter, address: IpAddr, question: &Question) -> Option<u64> {
    let found = kernel.connections(address).ok()??;
    let asked = found.iter().filter(|connection| {
        let number = match question.proto {
            None if question.port.is_none() => return true,
            None | Some(Proto::Tcp) => TCP,
            Some(Proto::Udp) => UDP,
        };
        let port = question.port.is_none() || connection.port == question.port;
        connection.protocol == number && port
    });
    Some(asked.count() as u64)
}
