//! Rules of iptables.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const IPTABLES: Reader = Reader(Format::Iptables);

#[test]
fn a_rule_that_drops_all_from_a_source_is_an_entry() {
    let check = |rule: &str| IPTABLES.check(rule, &["192.0.2.0/24"]);
    check("-A INPUT -s 192.0.2.0/24 -j DROP");
    check(
        "[0:0] -A INPUT -s 192.0.2.0/255.255.255.0 -j REJECT --reject-with icmp-port-unreachable",
    );
    check("-I INPUT 1 -s 192.0.2.0/24 -m comment --comment \"a -s b -j ACCEPT\" -j DROP");
    check("-A f2b-sshd --source 192.0.2.9/24 -j REJECT");
    check("/sbin/iptables -t raw -A PREROUTING -s 192.0.2.0/24 -j DROP 2>/dev/null");
    check("iptables -w -I FORWARD -j DROP -p all -s 192.0.2.0/24; echo -s 203.0.113.1");
    check("-A INPUT -m iprange --src-range 192.0.2.0-192.0.2.255 -j DROP");
    IPTABLES.check("-A INPUT -s 192.0.2.1,192.0.2.3 -j DROP", &["192.0.2.1", "192.0.2.3"]);
    IPTABLES.check("-A INPUT -s 2001:db8::/32 -j DROP", &["2001:db8::/32"]);
    let saved = "# Generated\n*filter\n:INPUT ACCEPT [0:0]\n-P INPUT ACCEPT\n-N bad\n\
        -A INPUT -j bad\n-A bad -s 192.0.2.1/32 -j DROP\nCOMMIT\n";
    IPTABLES.check(saved, &["192.0.2.1"]);
    assert_eq!(IPTABLES.read(saved).tally.ignored, 6);
}

#[test]
fn a_rule_about_others_or_about_less_is_none() {
    for rule in [
        "-A INPUT ! -s 192.0.2.0/24 -j DROP",
        "-A INPUT -s ! 192.0.2.0/24 -j DROP",
        "-A INPUT ! -s 192.0.2.0/24 -p tcp --dport 22 -j DROP",
        "-A INPUT -s 192.0.2.1 -p tcp -m tcp --dport 22 -j DROP",
        "-A INPUT -s 192.0.2.1 -i eth0 -j DROP",
        "-A INPUT -s 192.0.2.1 -m set --match-set x src -j DROP",
        "-A INPUT -s 192.0.2.1 -m limit --limit 1/s -j DROP",
        "-A INPUT -s 192.0.2.1 -d 198.51.100.1 -j DROP",
        "-A OUTPUT -s 192.0.2.1 -j DROP",
        "-A OUTPUT -d 192.0.2.1 -j DROP",
        "-A INPUT -s 192.0.2.1 -j LOG --log-prefix \"-j DROP \"",
        "-A INPUT -s 192.0.2.1 -j some-chain",
        "-A INPUT -s 192.0.2.0/24 -m comment --comment \"a -s b\" -j ACCEPT",
        "-A INPUT -s 0.0.0.0/0 -j DROP",
        "-A INPUT -s ::/0 -j REJECT",
        "-A INPUT -j DROP",
        "-D INPUT -s 192.0.2.1 -j DROP",
        "iptables -F",
    ] {
        IPTABLES.check(rule, &[]);
    }
}

#[test]
fn the_first_rule_that_names_an_address_decides() {
    let check = |rules: &str, want: &[&str]| IPTABLES.check(rules, want);
    check("-A a -s 192.0.2.1 -j ACCEPT\n-A a -s 192.0.2.0/31 -j DROP\n", &["192.0.2.0"]);
    check("-A a -s 192.0.2.0/31 -j DROP\n-A a -s 192.0.2.1 -j ACCEPT\n", &["192.0.2.0/31"]);
    check("-A a -s 192.0.2.1 -j RETURN\n-A a -s 192.0.2.1 -j DROP\n", &[]);
    check("-A a -s 192.0.2.1 -p icmp -j ACCEPT\n-A a -s 192.0.2.1 -j DROP\n", &["192.0.2.1"]);
}

#[test]
fn what_is_no_rule_is_rejected() {
    let rules = [
        ("-s 010.1.2.3 -j DROP", LeadingZero),
        ("-s 192.0.2 -j DROP", OctetCount),
        ("-s 192.168/16 -j DROP", OctetCount),
        ("-s 192.0.2.1/33 -j DROP", PrefixLength { max: 32 }),
        ("-s 192.0.2.0/255.0.255.0 -j DROP", Netmask),
        ("-s 192.0.2.7/0.0.0.0 -j DROP", Netmask),
        ("-s 192.0.2.1-192.0.2.9 -j DROP", NotAnAddress),
        ("-s bad.example -j DROP", NotAnAddress),
        ("-s $IP -j DROP", NotAnAddress),
        ("-s 0x0A000001 -j DROP", NotAnAddress),
        ("-s 192.0.2.1, -j DROP", NotAnAddress),
        ("-s 192.0.2.1", Foreign),
        ("-s 192.0.2.1 -j", Foreign),
        ("-s", Foreign),
        ("-s 192.0.2.1 -m comment --comment \"torn -j DROP", Trailing),
        ("--src-range 192.0.2.9-192.0.2.1 -j DROP", Reversed),
        ("-s fe80::1%eth0 -j DROP", Zone),
        ("-s 192.0.2.1:22 -j DROP", Port),
    ];
    for (rule, reason) in rules {
        if rule == "-s 192.0.2.1, -j DROP" {
            let feed = IPTABLES.read(&format!("-A INPUT {rule}"));
            assert_eq!((feed.tally.entries, feed.rejects[0].reason), (1, reason));
        } else {
            IPTABLES.refuse(&format!("-A INPUT {rule}"), reason);
        }
    }
    for line in ["192.0.2.1", "drop 192.0.2.1", "-A", "INPUT -s 192.0.2.1 -j DROP"] {
        IPTABLES.refuse(line, Foreign);
    }
}

#[test]
fn it_is_told_from_a_plain_list_and_from_ipset() {
    IPTABLES.check_detected(&[
        "-P INPUT ACCEPT\n-A INPUT -s 192.0.2.1/32 -j DROP\n",
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -s 192.0.2.1/32 -j DROP\nCOMMIT\n",
        "#!/bin/sh\niptables -A INPUT -s 192.0.2.1 -j DROP\n",
    ]);
    Reader(Format::Ipset).check_detected(&["-N old nethash\n-A old 192.0.2.0/24\n"]);
    Reader(Format::Plain).check_detected(&["192.0.2.1 -j DROP\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| format!("-A INPUT -s {prefix} -j DROP\n"));
        round_trip(Format::Iptables, &lines.collect::<String>(), &set)?;
    }
}
