//! The ways of blocking whose reach is looked at, as lines of commands. A new one is
//! an entry here. `PEER4` and `PEER6` stand for the address to be blocked.

use super::super::million::ways::programs::{QUEUE, XDP};

/// One way.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What stands before anybody is blocked.
    pub(super) prepare: &'static [&'static str],
    /// What blocks.
    pub(super) block: &'static [&'static str],
    /// What a neighbour may do at any time.
    pub(super) flush: &'static [&'static str],
    /// What would stay beyond the namespace.
    pub(super) clean: &'static [&'static str],
    /// A program that has to be there for it.
    pub(super) keeper: Keeper,
}

/// Who stands behind a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeper {
    /// Nobody: it stays as it was put.
    Nobody,
    /// denyset with this rule, in place of the lines.
    Denyset(&'static str),
    /// A program of our own, from this source, called with this.
    Program(&'static str, &'static [&'static str]),
}

const PLAIN: Case = Case {
    name: "none",
    prepare: &[],
    block: &[],
    flush: FLUSH,
    clean: &[],
    keeper: Keeper::Nobody,
};

/// What firewalls do when they are started again, and what people type.
const FLUSH: &[&str] = &["nft flush ruleset", "iptables-legacy -F", "iptables-legacy -t raw -F"];

const NULL_ROUTES: &[&str] =
    &["ip route add blackhole PEER4/32", "ip -6 route add blackhole PEER6/128"];

const STRICT: &str = "sysctl -qw net.ipv4.conf.all.rp_filter=1";
const LOOSE: &str = "sysctl -qw net.ipv4.conf.all.rp_filter=2";

const SETS: [&str; 2] = ["ipset create bad4 hash:ip", "ipset create bad6 hash:ip family inet6"];
const ADD: &[&str] = &["ipset add bad4 PEER4", "ipset add bad6 PEER6"];

const NFT_SETS: [&str; 3] = [
    "nft add table inet bad",
    "nft add set inet bad v4 { type ipv4_addr ; }",
    "nft add set inet bad v6 { type ipv6_addr ; }",
];
const NFT_ADD: &[&str] =
    &["nft add element inet bad v4 { PEER4 }", "nft add element inet bad v6 { PEER6 }"];
const NFT_DROP: [&str; 2] = [
    "nft add rule inet bad chain0 ip saddr @v4 drop",
    "nft add rule inet bad chain0 ip6 saddr @v6 drop",
];
const NFT_INPUT: &str = "nft add chain inet bad chain0 { type filter hook input priority 0 ; }";
const NFT_EARLY: &str =
    "nft add chain inet bad chain0 { type filter hook prerouting priority -300 ; }";

/// All of them.
pub(super) const CASES: &[Case] = &[
    PLAIN,
    Case { name: "null route, rp_filter=0", block: NULL_ROUTES, ..PLAIN },
    Case { name: "null route, rp_filter=2", prepare: &[LOOSE], block: NULL_ROUTES, ..PLAIN },
    Case { name: "null route, rp_filter=1", prepare: &[STRICT], block: NULL_ROUTES, ..PLAIN },
    Case {
        name: "null route, xt rpfilter",
        prepare: &[
            "iptables-nft -t raw -A PREROUTING -m rpfilter --invert -j DROP",
            "ip6tables-nft -t raw -A PREROUTING -m rpfilter --invert -j DROP",
        ],
        block: NULL_ROUTES,
        ..PLAIN
    },
    Case {
        name: "null route, nft fib saddr type",
        prepare: &[
            NFT_SETS[0],
            NFT_EARLY,
            "nft add rule inet bad chain0 fib saddr type { blackhole, unreachable, prohibit } drop",
        ],
        block: NULL_ROUTES,
        ..PLAIN
    },
    Case {
        name: "null route, nft fib oif missing",
        prepare: &[
            NFT_SETS[0],
            NFT_EARLY,
            "nft add rule inet bad chain0 fib saddr . iif oif missing drop",
        ],
        block: NULL_ROUTES,
        ..PLAIN
    },
    Case {
        name: "ip rule blackhole",
        block: &["ip rule add blackhole from PEER4/32", "ip -6 rule add blackhole from PEER6/128"],
        ..PLAIN
    },
    Case {
        name: "ip rule blackhole, local table behind",
        prepare: &[
            "ip rule add pref 1000 table local",
            "ip rule del pref 0",
            "ip -6 rule add pref 1000 table local",
            "ip -6 rule del pref 0",
        ],
        block: &[
            "ip rule add pref 500 blackhole from PEER4/32",
            "ip -6 rule add pref 500 blackhole from PEER6/128",
        ],
        ..PLAIN
    },
    Case {
        name: "iptables rule at INPUT",
        block: &[
            "iptables-nft -I INPUT -s PEER4 -j DROP",
            "ip6tables-nft -I INPUT -s PEER6 -j DROP",
        ],
        ..PLAIN
    },
    Case {
        name: "ipset at INPUT",
        prepare: &[
            SETS[0],
            SETS[1],
            "iptables-nft -A INPUT -m set --match-set bad4 src -j DROP",
            "ip6tables-nft -A INPUT -m set --match-set bad6 src -j DROP",
        ],
        block: ADD,
        ..PLAIN
    },
    Case {
        name: "ipset at INPUT, behind ESTABLISHED accept",
        prepare: &[
            SETS[0],
            SETS[1],
            "iptables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT",
            "iptables-nft -A INPUT -m set --match-set bad4 src -j DROP",
            "ip6tables-nft -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT",
            "ip6tables-nft -A INPUT -m set --match-set bad6 src -j DROP",
        ],
        block: ADD,
        ..PLAIN
    },
    Case {
        name: "ipset at INPUT, --syn only",
        prepare: &[
            SETS[0],
            SETS[1],
            "iptables-nft -A INPUT -p tcp --syn -m set --match-set bad4 src -j DROP",
            "ip6tables-nft -A INPUT -p tcp --syn -m set --match-set bad6 src -j DROP",
        ],
        block: ADD,
        ..PLAIN
    },
    Case {
        name: "ipset in raw PREROUTING, legacy",
        prepare: &[
            SETS[0],
            SETS[1],
            "iptables-legacy -t raw -A PREROUTING -m set --match-set bad4 src -j DROP",
            "ip6tables-legacy -t raw -A PREROUTING -m set --match-set bad6 src -j DROP",
        ],
        block: ADD,
        ..PLAIN
    },
    Case {
        name: "nft set at input",
        prepare: &[NFT_SETS[0], NFT_SETS[1], NFT_SETS[2], NFT_INPUT, NFT_DROP[0], NFT_DROP[1]],
        block: NFT_ADD,
        ..PLAIN
    },
    Case {
        name: "nft set at prerouting",
        prepare: &[NFT_SETS[0], NFT_SETS[1], NFT_SETS[2], NFT_EARLY, NFT_DROP[0], NFT_DROP[1]],
        block: NFT_ADD,
        ..PLAIN
    },
    Case { name: "denyset", keeper: Keeper::Denyset(""), ..PLAIN },
    Case {
        name: "denyset, hook = \"input\"",
        keeper: Keeper::Denyset("hook = \"input\""),
        ..PLAIN
    },
    Case {
        name: "NFQUEUE, IPv4 alone",
        block: &["iptables-legacy -A INPUT -j NFQUEUE --queue-num 0"],
        keeper: Keeper::Program(QUEUE, &[]),
        ..PLAIN
    },
    Case {
        name: "NFQUEUE --queue-bypass, IPv4 alone",
        block: &["iptables-legacy -A INPUT -j NFQUEUE --queue-num 0 --queue-bypass"],
        keeper: Keeper::Program(QUEUE, &[]),
        ..PLAIN
    },
    Case {
        name: "XDP, longest prefix match, IPv4 alone",
        keeper: Keeper::Program(XDP, &["wire0", "lpm"]),
        ..PLAIN
    },
    Case {
        name: "XDP, xdp-filter in generic mode",
        prepare: &["xdp-filter load -m skb wire0"],
        block: &["xdp-filter ip -m src PEER4", "xdp-filter ip -m src PEER6"],
        clean: &["xdp-filter unload wire0"],
        ..PLAIN
    },
];
