//! From our rules to the kernel's. One of ours may take several: for each of
//! its interfaces and ranges of ports one, since the kernel's are lists of
//! conditions that all have to hold.

use std::mem;

use blocklist::Family;
use netlink_packet_netfilter::nftables::{MetaKey, Operator};
use reconcile::{
    End, Hook, Interface, PortProtocol, Ports, RejectWith, Rule, RuleSet, Sample, Verdict,
};

use super::chance;
use super::element::{
    ACCEPT, Counted, DROP, Element, NETWORK, TRANSPORT, as_read, compare, connection_state,
    counter, go_to, is, keep_bits, limit, meta, payload, reject, set_match, show, verdict,
};
use super::table::{Table, TableRule};
use super::{Chain, Memory, SampledChain, Transaction};
use crate::limits::SHOWN_BYTES;

/// IANA's protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// `LOOPBACK_IFINDEX` (`include/net/flow.h`): in every namespace.
const LOOPBACK: u32 = 1;

/// The state of a connection's first packet as `NFT_CT_STATE` has it:
/// `NF_CT_STATE_BIT(IP_CT_NEW)` (`nf_conntrack_common.h`).
const STATE_NEW: u32 = 8;

/// A rule of the kernel, ready to be sent but for what it has counted.
#[derive(Debug)]
pub(crate) struct Compiled {
    chain: Chain,
    comment: String,
    /// What has to hold, before it is counted.
    conditions: Vec<Element>,
    /// Whether packets that get so far are counted.
    counts: bool,
    /// What becomes of the packet.
    action: Element,
}

impl Compiled {
    fn elements(&self, counted: Counted) -> Vec<Element> {
        let mut elements = self.conditions.clone();
        elements.extend(self.counts.then(|| counter(counted)));
        elements.push(self.action.clone());
        elements
    }

    fn as_read(&self) -> TableRule {
        let expressions = as_read(&self.elements(Counted::default()));
        TableRule { chain: Some(self.chain.clone()), comment: self.comment.clone(), expressions }
    }
}

/// The rules of one family as the kernel is to have them; `index` is where
/// the kernel has the set of a rule.
pub(crate) fn compile<E>(
    rules: &RuleSet,
    mut index: impl FnMut(&Rule) -> Result<u16, E>,
) -> Result<Vec<Compiled>, E> {
    let mut compiled = Vec::new();
    for rule in rules.rules() {
        let index = index(rule)?;
        let interfaces = rule.interfaces.iter().map(Some);
        let interfaces: Vec<_> =
            if rule.interfaces.is_empty() { vec![None] } else { interfaces.collect() };
        let kinds = traffic(rule);
        let every = interfaces.iter().flat_map(|name| kinds.iter().map(move |kind| (*name, kind)));
        for (part, (interface, traffic)) in every.enumerate() {
            let mut one = one(rule, interface, traffic, index);
            if let Some(sample) = &rule.sample {
                let chain = Chain::Sampled(SampledChain { rule: rule.name.clone(), part });
                let parts = kinds.len() * interfaces.len();
                compiled.extend(sampled(&mut one, &chain, sample, parts));
            }
            compiled.push(one);
        }
    }
    // Rules of a chain stay in their order.
    compiled.sort_by(|one: &Compiled, other| one.chain.cmp(&other.chain));
    let mut all = Vec::<Compiled>::new();
    for rule in compiled {
        if all.last().is_none_or(|before| before.chain != rule.chain) {
            all.extend(exempt(rules.family(), &rule.chain));
        }
        all.push(rule);
    }
    Ok(all)
}

/// What the table looks like with these rules.
pub(crate) fn table(compiled: &[Compiled]) -> Table {
    let mut chains: Vec<_> = compiled.iter().map(|rule| rule.chain.clone()).collect();
    chains.dedup();
    Table { chains, rules: compiled.iter().map(Compiled::as_read).collect() }
}

/// Puts these rules into a table that was just created. They go on counting
/// from what is in `before` and in `memory`.
pub(crate) fn append(
    transaction: &mut Transaction,
    compiled: &[Compiled],
    before: &Table,
    memory: &Memory,
) {
    let wanted: Vec<_> = compiled.iter().map(Compiled::as_read).collect();
    let carried = memory.carry(&wanted, |at| compiled[at].counts, before);
    // All chains come before the rules that send packets to them.
    for chain in &table(compiled).chains {
        transaction.create_chain(chain);
    }
    for (rule, counted) in compiled.iter().zip(carried) {
        transaction.append_rule(&rule.chain, &rule.comment, rule.elements(counted));
    }
}

/// What no rule of the chain may touch: what this host says to itself, and
/// how IPv6 finds its neighbours (RFC 4861, from the link itself by its hop
/// limit), without which no address is reachable.
fn exempt(family: Family, chain: &Chain) -> Vec<Compiled> {
    let rule = |comment: &str, conditions| {
        let (chain, action) = (chain.clone(), verdict(ACCEPT));
        Compiled { chain, comment: comment.to_owned(), conditions, counts: false, action }
    };
    let mut rules = Vec::new();
    if matches!(chain, Chain::Forward | Chain::Sampled(_)) {
        return rules;
    }
    let key = if *chain == Chain::Output { MetaKey::Oif } else { MetaKey::Iif };
    rules.push(rule("never filtered: loopback", vec![meta(key), is(&LOOPBACK.to_ne_bytes())]));
    if family == Family::Ipv6 {
        let mut conditions = vec![meta(MetaKey::L4Proto), is(&[ICMPV6])];
        conditions.extend([payload(NETWORK, 7, 1), is(&[255])]);
        // Router solicitation to redirect.
        conditions.push(payload(TRANSPORT, 0, 1));
        conditions.push(compare(Operator::GreatherThanEqual, &[133]));
        conditions.push(compare(Operator::LessThanEqual, &[137]));
        rules.push(rule("never filtered: neighbour discovery", conditions));
    }
    rules
}

/// A kind of packets that one rule of the kernel can tell from others.
#[derive(Debug)]
enum Traffic<'a> {
    All,
    Tcp,
    NotTcp,
    To(&'a Ports),
}

impl Traffic<'_> {
    fn is_tcp(&self) -> bool {
        match self {
            Self::Tcp => true,
            Self::To(ports) => ports.transport == PortProtocol::Tcp,
            Self::All | Self::NotTcp => false,
        }
    }

    fn conditions(&self) -> Vec<Element> {
        let protocol = |number: u8| vec![meta(MetaKey::L4Proto), is(&[number])];
        match self {
            Self::All => Vec::new(),
            Self::Tcp => protocol(TCP),
            Self::NotTcp => vec![meta(MetaKey::L4Proto), compare(Operator::NotEqual, &[TCP])],
            Self::To(ports) => {
                let number = if self.is_tcp() { TCP } else { UDP };
                let mut conditions = protocol(number);
                // The destination port of TCP (RFC 9293) and UDP (RFC 768).
                conditions.push(payload(TRANSPORT, 2, 2));
                let (first, last) = (ports.range.start(), ports.range.end());
                if first == last {
                    conditions.push(is(&first.to_be_bytes()));
                } else {
                    let at_least = Operator::GreatherThanEqual;
                    conditions.push(compare(at_least, &first.to_be_bytes()));
                    conditions.push(compare(Operator::LessThanEqual, &last.to_be_bytes()));
                }
                conditions
            }
        }
    }
}

/// Whether connections have to be tracked for a rule.
pub(super) fn asks_tracking(rule: &Rule) -> bool {
    rule.new_only && traffic(rule).iter().any(|traffic| !traffic.is_tcp())
}

/// The kinds of packets that a rule is about.
fn traffic(rule: &Rule) -> Vec<Traffic<'_>> {
    if !rule.ports.is_empty() {
        return rule.ports.iter().map(Traffic::To).collect();
    }
    if rule.new_only || rule.verdict == Verdict::Reject(RejectWith::TcpReset) {
        return vec![Traffic::Tcp, Traffic::NotTcp];
    }
    vec![Traffic::All]
}

fn one(rule: &Rule, interface: Option<&Interface>, traffic: &Traffic<'_>, index: u16) -> Compiled {
    let chain = match rule.hook {
        Hook::Prerouting if rule.new_only && !traffic.is_tcp() => Chain::Tracked,
        Hook::Prerouting => Chain::Prerouting,
        Hook::Input => Chain::Input,
        Hook::Forward => Chain::Forward,
        Hook::Output => Chain::Output,
    };
    // What costs least comes first.
    let mut conditions = interface.map(|name| on(name, rule.hook)).unwrap_or_default();
    conditions.extend(traffic.conditions());
    if rule.new_only {
        conditions.extend(opening(traffic));
    }
    let inverse = rule.verdict == Verdict::AllowOnly;
    conditions.push(set_match(index, rule.end == End::Source, inverse));
    let action = match rule.verdict {
        Verdict::Drop | Verdict::AllowOnly => verdict(DROP),
        Verdict::Reject(with) => rejection(with, rule.set.family(), traffic),
    };
    Compiled { chain, comment: rule.name.clone(), conditions, counts: true, action }
}

/// What a chain of its own does with the packets that `stops` has found: shows
/// some, and stops all as `stops` would have done. Chance comes first, for it is
/// true least often. Of the `parts` that one of our rules takes, each has its share
/// of the rate.
fn sampled(stops: &mut Compiled, chain: &Chain, sample: &Sample, parts: usize) -> [Compiled; 2] {
    let mut conditions = Vec::new();
    if sample.one_in.get() > 1 {
        conditions.extend(chance::one_in(sample.one_in.get()));
    }
    let parts = u32::try_from(parts).unwrap_or(u32::MAX);
    conditions.push(limit((sample.per_second.get() / parts).max(1)));
    let action = mem::replace(&mut stops.action, go_to(&chain.name()));
    let rule = |conditions, action| Compiled {
        chain: chain.clone(),
        comment: stops.comment.clone(),
        conditions,
        counts: false,
        action,
    };
    [rule(conditions, show(sample.group, &sample.label, SHOWN_BYTES)), rule(Vec::new(), action)]
}

/// By its name: whole, or as much of it as is given.
fn on(interface: &Interface, hook: Hook) -> Vec<Element> {
    let key = if hook == Hook::Output { MetaKey::Oifname } else { MetaKey::Iifname };
    let mut name = interface.name().as_bytes().to_vec();
    if !interface.any_ending() {
        name.resize(Interface::NAME_MAX + 1, 0);
    }
    vec![meta(key), is(&name)]
}

/// What opens a connection.
fn opening(traffic: &Traffic<'_>) -> Vec<Element> {
    if traffic.is_tcp() {
        // Of TCP's flags, SYN and ACK (RFC 9293).
        return vec![payload(TRANSPORT, 13, 1), keep_bits(&[0x12]), is(&[0x02])];
    }
    let none = compare(Operator::NotEqual, &0_u32.to_ne_bytes());
    vec![connection_state(), keep_bits(&STATE_NEW.to_ne_bytes()), none]
}

/// `NFT_REJECT_TCP_RST` or `NFT_REJECT_ICMP_UNREACH` with the code of RFC
/// 1122 and 1812, or RFC 4443.
fn rejection(with: RejectWith, family: Family, traffic: &Traffic<'_>) -> Element {
    const UNREACHABLE: u32 = 0;
    const RESET: u32 = 1;
    let code = match (with, family) {
        (RejectWith::TcpReset, _) if traffic.is_tcp() => return reject(RESET, None),
        (RejectWith::Prohibited, Family::Ipv4) => 13,
        (RejectWith::Prohibited, Family::Ipv6) => 1,
        (RejectWith::PortUnreachable | RejectWith::TcpReset, Family::Ipv4) => 3,
        (RejectWith::PortUnreachable | RejectWith::TcpReset, Family::Ipv6) => 4,
    };
    reject(UNREACHABLE, Some(code))
}
