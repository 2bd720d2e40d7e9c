//! Who must not be locked out, `protect-peers` in `[guard]`, and whom each list
//! locks out by its `[[rule]]` tables.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use intake::Shuts;
use reconcile::{End, Hook, PortProtocol, Rule, Verdict};
use toml::Spanned;
use toml::de::DeValue;

use super::section::{Section, article};
use super::{ListConfig, RuleConfig, limits};

/// Where those are connected who must not be locked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectPeers {
    /// To port 22, and wherever else a server of SSH listens.
    Ssh,
    /// To this TCP port.
    Port(u16),
}

/// The table's key, `["ssh"]` unless it is given.
pub(super) fn protect_peers(section: &mut Section<'_, '_>) -> Vec<ProtectPeers> {
    const KEY: &str = "protect-peers";
    let Some((value, at)) = section.value(KEY) else { return vec![ProtectPeers::Ssh] };
    let DeValue::Array(array) = value else {
        let why = format!("an array of ports and \"ssh\" is allowed, not {}", article(value));
        section.note(at, KEY, why);
        return Vec::new();
    };
    if array.len() > limits::PROTECT_PEERS_MAX {
        let max = limits::PROTECT_PEERS_MAX;
        section.note(at, KEY, format!("{} ports, at most {max} fit", array.len()));
        return Vec::new();
    }
    let mut named = Vec::with_capacity(array.len());
    for item in array {
        match one(item.get_ref()) {
            Some(peers) => named.push(peers),
            None => section.note(
                Spanned::span(item).start,
                KEY,
                "a port, 1 to 65535, or \"ssh\" is allowed",
            ),
        }
    }
    named
}

fn one(value: &DeValue<'_>) -> Option<ProtectPeers> {
    match value {
        DeValue::Integer(number) => {
            let wide = u32::from_str_radix(number.as_str(), number.radix()).ok()?;
            let port = u16::try_from(wide).ok().filter(|&port| port > 0)?;
            Some(ProtectPeers::Port(port))
        }
        DeValue::String(text) => (text == "ssh").then_some(ProtectPeers::Ssh),
        _ => None,
    }
}

/// Whom the lists shut out that rules ask. The others are asked by rules of
/// somebody else's, if by any, and nobody knows by which: one that protects
/// nothing says who may come in.
pub(super) fn shuts(lists: &[ListConfig], filters: &[RuleConfig]) -> BTreeMap<String, Shuts> {
    let nobody = || Shuts { members: Vec::new(), others: Vec::new() };
    let wanted = lists.iter().filter(|list| list.list.protect.is_empty());
    let mut shuts: BTreeMap<_, _> = wanted.map(|list| (list.list.name.clone(), nobody())).collect();
    for RuleConfig { list, rules, .. } in filters {
        let of_list = shuts.entry(list.clone()).or_insert_with(nobody);
        let [rule, _] = rules;
        match rule.verdict {
            Verdict::Drop | Verdict::Reject(_) => of_list.members.extend(ports(rule)),
            Verdict::AllowOnly => of_list.others.extend(ports(rule)),
        }
    }
    shuts
}

/// The ports of this host from which a rule keeps those whose addresses it looks
/// up. Which interface somebody comes in by is not known, so all count; and so
/// does a rule for new connections only: who is connected now must be able to
/// come again. At `output` the ports of a rule are those of the other end, and
/// only a rule without any cuts a connection off.
fn ports(rule: &Rule) -> Vec<RangeInclusive<u16>> {
    let concerns = match (rule.hook, rule.end) {
        (Hook::Prerouting | Hook::Input, End::Source) => true,
        (Hook::Output, End::Destination) => rule.ports.is_empty(),
        _ => false,
    };
    let tcp = rule.ports.iter().filter(|ports| ports.transport == PortProtocol::Tcp);
    match (concerns, rule.ports.is_empty()) {
        (false, _) => Vec::new(),
        (true, true) => vec![0..=u16::MAX],
        (true, false) => tcp.map(|ports| ports.range.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use blocklist::Protect;
    use intake::Who;

    use super::*;
    use crate::Configuration;

    const LISTS: &str = "[[list]]\nname = \"drop\"\nfeeds = [\"*\"]\n\
                         [[list]]\nname = \"office\"\nfeeds = [\"*\"]\nprotect = []\n";

    #[test]
    fn ssh_is_protected_unless_the_key_says_otherwise() {
        let check = |text: &str, want: &[ProtectPeers]| {
            let config =
                Configuration::parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
            assert_eq!(config.protect_peers, want, "{text}");
        };
        check("", &[ProtectPeers::Ssh]);
        check("[guard]\nprotect-peers = []", &[]);
        let both = [ProtectPeers::Port(2_222), ProtectPeers::Ssh];
        check("[guard]\nprotect-peers = [2222, \"ssh\"]", &both);
    }

    #[test]
    fn what_is_no_port_is_refused() {
        let check = |value: &str, want: &str| {
            let text = format!("[guard]\nprotect-peers = {value}");
            let mistakes = Configuration::parse(&text).expect_err("it is a mistake");
            assert_eq!(mistakes[0].to_string(), format!("2:{want}"), "{value}");
        };
        let allowed = "guard.protect-peers: a port, 1 to 65535, or \"ssh\" is allowed";
        check("[0]", &format!("18: {allowed}"));
        check("[22, \"telnet\"]", &format!("22: {allowed}"));
        check(
            "22",
            "17: guard.protect-peers: an array of ports and \"ssh\" is allowed, not an integer",
        );
    }

    /// Whom the first list shuts out by one rule: members, and others.
    fn check(rule: &str, members: &[RangeInclusive<u16>], others: &[RangeInclusive<u16>]) {
        let text = format!("{LISTS}[[rule]]\nlist = \"drop\"\n{rule}");
        let config = Configuration::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        let rules = config.rules();
        let shuts = &rules.shuts["drop"];
        assert_eq!((&*shuts.members, &*shuts.others), (members, others), "{rule}");
    }

    #[test]
    fn a_list_that_no_rule_asks_shuts_its_members_out_unless_it_protects_nothing() {
        let rules = Configuration::parse(LISTS).expect("good").rules();
        let gateway = Who::Host(Protect::Gateways);
        assert!(rules.shuts("drop").shuts_out(true, gateway));
        assert!(!rules.shuts("office").shuts_out(true, gateway));
        assert!(!rules.shuts("office").shuts_out(false, gateway));
    }

    #[test]
    fn a_rule_says_whom_its_list_shuts_out() {
        let all = 0..=u16::MAX;
        check("", std::slice::from_ref(&all), &[]);
        check("hook = \"input\"\nverdict = \"reject\"", std::slice::from_ref(&all), &[]);
        check("tcp-ports = [22, \"80-81\"]\nudp-ports = [53]", &[22..=22, 80..=81], &[]);
        check("udp-ports = [53]", &[], &[]);
        check("verdict = \"allow-only\"\ntcp-ports = [22]", &[], &[22..=22]);
        check("new-connections-only = true\ntcp-ports = [22]", &[22..=22], &[]);
        check("hook = \"forward\"", &[], &[]);
        check("match = \"destination\"", &[], &[]);
        check("hook = \"output\"", &[all], &[]);
        check("hook = \"output\"\ntcp-ports = [22]", &[], &[]);
    }
}
