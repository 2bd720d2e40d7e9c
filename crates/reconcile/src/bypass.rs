//! What carries packets past rules: which packets, past which of them, and
//! what can be done about it. How it is found out is not known here.

use std::fmt;

use crate::{Hook, Rule};

/// Something on this host that some packets take instead of meeting rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bypass {
    /// What it is.
    pub kind: BypassKind,
    /// The interfaces that it is about; none means that it may be any.
    pub interfaces: Vec<String>,
}

/// What carries packets past rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BypassKind {
    /// A flowtable of `nf_tables`: established connections that are passed on
    /// leave at `ingress`, or in the network card, before any hook of `ip`.
    Flowtable {
        /// Its table and itself, as `nft` names them.
        name: String,
        /// Whether the card does it.
        offload: bool,
    },
    /// A program on an interface that has each packet before the kernel has.
    Xdp,
    /// A classifier at `ingress`, which has each packet next.
    Classifier,
    /// A bridge whose frames no hook of `ip` meets.
    Bridge,
    /// The rule is for interfaces of which none is there: `interfaces` are those
    /// that are. They have other names since a card or the system was exchanged.
    Absent,
}

impl Bypass {
    /// Whether it carries packets past this rule.
    pub fn passes(&self, rule: &Rule) -> bool {
        let hooks: &[Hook] = match self.kind {
            BypassKind::Flowtable { .. } | BypassKind::Bridge => &[Hook::Prerouting, Hook::Forward],
            BypassKind::Absent => &[],
            BypassKind::Xdp | BypassKind::Classifier => {
                &[Hook::Prerouting, Hook::Input, Hook::Forward]
            }
        };
        let named = |name: &String| rule.interfaces.iter().any(|of_rule| of_rule.covers(name));
        if self.kind == BypassKind::Absent {
            return !rule.interfaces.is_empty() && !self.interfaces.iter().any(named);
        }
        let any = self.interfaces.is_empty() || rule.interfaces.is_empty();
        hooks.contains(&rule.hook) && (any || self.interfaces.iter().any(named))
    }
}

impl fmt::Display for Bypass {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = match self.interfaces.len() {
            0 => "this host".to_owned(),
            _ => self.interfaces.join(", "),
        };
        match &self.kind {
            BypassKind::Flowtable { name, offload } => {
                let by = if *offload { " by the network card" } else { "" };
                write!(
                    out,
                    "the flowtable {name} on {on} carries connections that are established past \
                     rules{by}: a new member's go on until they end; rules at `input` are not \
                     passed by, and `conntrack -D -s ADDRESS` ends one"
                )
            }
            BypassKind::Xdp => write!(
                out,
                "a program (XDP) on {on} has packets first: what it redirects or answers itself, no \
                 rule meets"
            ),
            BypassKind::Classifier => write!(
                out,
                "a classifier (tc) at the ingress of {on} has packets first: what it redirects, no \
                 rule meets"
            ),
            BypassKind::Absent => write!(
                out,
                "no packet meets a rule for interfaces that are not there, and there are {on}: \
                 correct the names in `interfaces`"
            ),
            BypassKind::Bridge => write!(
                out,
                "what the bridge {on} passes from one of its ports to another, no rule meets: load \
                 br_netfilter and set net.bridge.bridge-nf-call-iptables and -ip6tables to 1"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use blocklist::Family;

    use super::*;
    use crate::{End, Interface, SetPrefix, Verdict};

    #[test]
    fn a_way_around_concerns_the_rules_whose_packets_may_take_it() {
        let flowtable = BypassKind::Flowtable { name: "inet filter f".to_owned(), offload: false };
        let check = |kind: &BypassKind, on: &[&str], hook, rule_on: &[&str], want| {
            let interfaces = rule_on.iter().filter_map(|name| Interface::new(name)).collect();
            let rule = Rule {
                name: "drop".to_owned(),
                set: SetPrefix::new("x-")
                    .and_then(|prefix| prefix.live("drop", Family::Ipv4))
                    .expect("fits"),
                end: End::Source,
                hook,
                verdict: Verdict::Drop,
                ports: Vec::new(),
                interfaces,
                new_only: false,
                sample: None,
            };
            let interfaces = on.iter().map(|name| (*name).to_owned()).collect();
            let bypass = Bypass { kind: kind.clone(), interfaces };
            assert_eq!(bypass.passes(&rule), want, "{bypass} and {rule:?}");
        };
        check(&flowtable, &["eth0"], Hook::Prerouting, &[], true);
        check(&flowtable, &["eth0"], Hook::Forward, &["eth*"], true);
        check(&flowtable, &["eth0"], Hook::Forward, &["eth", "wg0"], false);
        check(&flowtable, &[], Hook::Forward, &["wg0"], true);
        check(&flowtable, &[], Hook::Input, &[], false);
        check(&BypassKind::Xdp, &["eth0"], Hook::Input, &[], true);
        check(&BypassKind::Classifier, &["eth0"], Hook::Output, &[], false);
        check(&BypassKind::Absent, &["lo", "eth1"], Hook::Output, &["eth0", "wg*"], true);
        check(&BypassKind::Absent, &["lo", "wg1"], Hook::Input, &["eth0", "wg*"], false);
        check(&BypassKind::Absent, &["lo", "wg1"], Hook::Input, &[], false);
        check(&BypassKind::Bridge, &["br0"], Hook::Input, &[], false);
        check(&BypassKind::Bridge, &["br0"], Hook::Prerouting, &["br0"], true);
    }
}
