//! Rich rules of firewalld, and scripts of `firewall-cmd`.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const FIREWALLD: Reader = Reader(Format::Firewalld);

#[test]
fn rules_that_deny_a_source_are_entries() {
    let check = |line: &str| FIREWALLD.check(line, &["192.0.2.0/24"]);
    check("rule family=\"ipv4\" source address=\"192.0.2.0/24\" reject");
    check(
        "firewall-cmd --permanent --add-rich-rule='rule family=\"ipv4\" source address=\"192.0.2.0/24\" drop'",
    );
    check(
        "sudo /usr/bin/firewall-cmd --add-rich-rule=\"rule source address='192.0.2.9/24' reject type='icmp-host-prohibited'\"",
    );
    check("firewall-cmd --add-rich-rule=\"rule source address=\\\"192.0.2.0/24\\\" reject\"");
    check(
        "firewall-cmd --add-rich-rule 'rule priority=\"-1\" source address=\"192.0.2.0/24\" log prefix=\"accept x\" drop'",
    );
    check("firewall-cmd --zone=drop --add-source=192.0.2.0/24");
    check("firewall-cmd --permanent --ipset=bad --add-entry=192.0.2.0/24");
    FIREWALLD.check("rule source address=\"2001:db8::/32\" drop", &["2001:db8::/32"]);
}

#[test]
fn rules_about_others_or_about_a_part_are_ignored() {
    for line in [
        "rule source NOT address=\"192.0.2.1\" drop",
        "rule source address=\"192.0.2.1\" invert=\"True\" drop",
        "rule source address=\"192.0.2.1\" accept",
        "rule source address=\"192.0.2.1\" service name=\"ssh\" drop",
        "rule source address=\"192.0.2.1\" port port=\"22\" protocol=\"tcp\" reject",
        "rule source address=\"192.0.2.1\" reject limit value=\"1/m\"",
        "rule source address=\"192.0.2.1\" destination address=\"192.0.2.9\" drop",
        "rule source ipset=\"bad\" drop",
        "rule source address=\"0.0.0.0/0\" drop",
        "rule protocol value=\"icmp\" drop",
        "firewall-cmd --reload",
        "firewall-cmd --zone=trusted --add-source=192.0.2.1",
        "firewall-cmd --remove-rich-rule='rule source address=\"192.0.2.1\" drop'",
        "#!/bin/sh",
    ] {
        FIREWALLD.check(line, &[]);
    }
}

#[test]
fn what_is_no_rule_is_rejected() {
    for (address, reason) in [
        ("010.1.2.3", LeadingZero),
        ("192.0.2", OctetCount),
        ("192.168/16", OctetCount),
        ("192.0.2.256", OctetValue),
        ("192.0.2.1/33", PrefixLength { max: 32 }),
        ("192.0.2.0/255.0.255.0", Netmask),
        ("192.0.2.1-192.0.2.9", NotAnAddress),
        ("bad.example", NotAnAddress),
        ("$IP", NotAnAddress),
        ("3232235777", NotAnAddress),
        ("1000:::", Ipv6Form),
        ("fe80::1%eth0", Zone),
        ("192.0.2.1:22", Port),
        ("", NotAnAddress),
    ] {
        FIREWALLD.refuse(&format!("rule source address=\"{address}\" drop"), reason);
    }
    FIREWALLD.refuse("firewall-cmd --ipset=x --add-entry=192.0.2.1,80", MoreThanAddress);
    FIREWALLD.refuse("firewall-cmd --ipset=x --add-entry", MissingField);
    for line in ["192.0.2.1", "rule source address=\"192.0.2.1\"", "echo rule drop 192.0.2.1"] {
        FIREWALLD.refuse(line, Foreign);
    }
}

#[test]
fn it_is_told_from_a_plain_list() {
    FIREWALLD.check_detected(&[
        "rule family=\"ipv4\" source address=\"192.0.2.1\" reject\n",
        "#!/bin/bash\nfirewall-cmd --add-rich-rule='rule source address=\"192.0.2.1\" drop'\n",
    ]);
    Reader(Format::Plain).check_detected(&["192.0.2.1 rule drop\n", "rules\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| format!("rule source address=\"{prefix}\" reject\n"));
        round_trip(Format::Firewalld, &lines.collect::<String>(), &set)?;
    }
}
