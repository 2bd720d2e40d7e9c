//! What the kernel has to have for rules: the options of its configuration
//! (`net/netfilter/Kconfig`, `net/ipv4/netfilter/Kconfig` and that of `ipv6`),
//! each of which may be a module of the same name in small letters.

use blocklist::Family;
use reconcile::{RuleSet, Verdict};

use super::compile::asks_tracking;

/// The options that these rules need, in one line.
pub(crate) fn needs(rules: &RuleSet) -> String {
    let number = match rules.family() {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    };
    let mut options = vec![
        format!("CONFIG_NF_TABLES_IPV{number}"),
        "CONFIG_NFT_COMPAT".to_owned(),
        "CONFIG_NETFILTER_XT_SET".to_owned(),
    ];
    if rules.rules().iter().any(asks_tracking) {
        options.push("CONFIG_NFT_CT for new-connections-only".to_owned());
    }
    if rules.rules().iter().any(|rule| matches!(rule.verdict, Verdict::Reject(_))) {
        options.push(format!("CONFIG_NFT_REJECT and CONFIG_NFT_REJECT_IPV{number} for `reject`"));
    }
    if rules.rules().iter().any(|rule| rule.sample.is_some()) {
        options.push(
            "CONFIG_NFT_LIMIT, CONFIG_NFT_LOG and CONFIG_NETFILTER_NETLINK_LOG for `sample`"
                .to_owned(),
        );
    }
    options.join(", ")
}

#[cfg(test)]
mod tests {
    use reconcile::{End, Hook, PortProtocol, Ports, RejectWith, Rule, SetPrefix};

    use super::*;

    #[test]
    fn only_what_the_rules_say_needs_an_option() {
        let prefix = SetPrefix::new("x-").expect("fits");
        let check = |verdict, new_only, ports: &[Ports], want: &str| {
            let rule = Rule {
                name: "drop".to_owned(),
                set: prefix.live("drop", Family::Ipv6).expect("fits"),
                end: End::Source,
                hook: Hook::Prerouting,
                verdict,
                ports: ports.to_vec(),
                interfaces: Vec::new(),
                new_only,
                sample: None,
            };
            let rules = RuleSet::new(&prefix, Family::Ipv6, [rule]);
            let all = "CONFIG_NF_TABLES_IPV6, CONFIG_NFT_COMPAT, CONFIG_NETFILTER_XT_SET";
            assert_eq!(needs(&rules), format!("{all}{want}"));
        };
        let tcp = [Ports { transport: PortProtocol::Tcp, range: 22..=22 }];
        let tracking = ", CONFIG_NFT_CT for new-connections-only";
        check(Verdict::Drop, false, &[], "");
        check(Verdict::Drop, true, &[], tracking);
        // TCP says by itself what opens a connection.
        check(Verdict::Drop, true, &tcp, "");
        let reject = ", CONFIG_NFT_REJECT and CONFIG_NFT_REJECT_IPV6 for `reject`";
        check(Verdict::Reject(RejectWith::Prohibited), false, &[], reject);
    }
}
