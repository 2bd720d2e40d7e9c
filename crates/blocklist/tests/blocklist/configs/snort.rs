//! Rules of Snort and Suricata.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const SNORT: Reader = Reader(Format::Snort);

#[test]
fn the_addresses_of_a_rule_are_entries() {
    let check = |rule: &str| SNORT.check(rule, &["192.0.2.1", "192.0.2.3"]);
    check("alert ip [192.0.2.1,192.0.2.3] any -> $HOME_NET any (msg:\"x [192.0.2.9]\"; sid:1;)");
    check("drop ip [192.0.2.1, 192.0.2.3] any -> any any (sid:1;)");
    check("alert tcp $HOME_NET any -> [192.0.2.1,192.0.2.3] any (sid:1;)");
    check("alert ip [[192.0.2.1],[192.0.2.3]] any <> any any");
    check("reject ip 192.0.2.1 any -> any any (a)\nblock ip 192.0.2.3/32 any -> any any (b)");
    check(
        "alert tcp [192.0.2.1,192.0.2.3] any -> any any (msg:\"a; content:\\\"x\"; flags:S; \
         flowbits:set,ET.Evil; threshold: type limit, track by_src, count 1; noalert; sid:1;)",
    );
    SNORT.check("alert ip [2001:db8::/32,$BAD] any -> any any (a)", &["2001:db8::/32"]);
}

#[test]
fn what_is_negated_or_passed_is_not_blocked() {
    let rest = "any -> $HOME_NET any (a)\n";
    let check = |side: &str, want: &[&str]| SNORT.check(&format!("alert ip {side} {rest}"), want);
    check("[192.0.2.0/31,!192.0.2.1]", &["192.0.2.0"]);
    check("[192.0.2.0/30,![192.0.2.1,192.0.2.2]]", &["192.0.2.0", "192.0.2.3"]);
    check("[![192.0.2.1],192.0.2.0/31]", &["192.0.2.0"]);
    check("!192.0.2.1", &[]);
    check("![192.0.2.1,192.0.2.2]", &[]);
    SNORT.check(&format!("pass ip 192.0.2.1 {rest}alert ip 192.0.2.0/31 {rest}"), &["192.0.2.0"]);
}

#[test]
fn a_rule_about_a_part_or_about_everybody_is_ignored() {
    for rule in [
        "alert tcp 192.0.2.1 any -> any 22 (a)",
        "alert tcp 192.0.2.1 80 -> any any (a)",
        "alert tcp $HOME_NET any -> [192.0.2.1] 443 (a)",
        "alert ip 192.0.2.1 any -> 198.51.100.1 any (a)",
        "alert ip any any -> any any (a)",
        "alert ip $BAD any -> $HOME_NET any (a)",
        "alert ip 0.0.0.0/0 any -> $HOME_NET any (a)",
        "alert tcp 192.0.2.1 any -> any any (msg:\"a\"; content:\"x\"; nocase; sid:1;)",
        "alert tcp 192.0.2.1 any -> any any (flow:established; pcre:\"/x\\;/\"; sid:1;)",
        "alert ip 192.0.2.1 any -> any any (flowbits:isset,x; sid:1;)",
        "alert tcp 192.0.2.1 any -> any any (flags:F; sid:1;)",
        "alert icmp 192.0.2.1 any -> any any (itype:8; sid:1;)",
        "alert http 192.0.2.1 any -> any any (a)",
        "# alert ip 192.0.2.1 any -> any any (a)",
    ] {
        SNORT.check(rule, &[]);
    }
}

#[test]
fn long_rules_are_read() {
    let list: Vec<_> = (0..5_000).map(|n| format!("192.0.{}.{}", n / 250, n % 250)).collect();
    let rule = format!("alert ip [{}] any -> $HOME_NET any (a)\n", list.join(","));
    assert_eq!(SNORT.read(&rule).tally.entries, 5_000);
}

#[test]
fn what_is_no_rule_is_rejected() {
    for (list, reason) in [
        ("010.1.2.3", LeadingZero),
        ("192.168/16", OctetCount),
        ("192.0.2", OctetCount),
        ("192.0.2.256", OctetValue),
        ("192.0.2.1/33", PrefixLength { max: 32 }),
        ("192.0.2.1-192.0.2.9", NotAnAddress),
        ("bad.example", NotAnAddress),
        ("3232235777", NotAnAddress),
        ("192.0.2.1:80", Port),
        ("1000:::", Ipv6Form),
        ("fe80::1%eth0", Zone),
        ("[192.0.2.1 192.0.2.2]", NotAnAddress),
        ("bad[192.0.2.1", Foreign),
        ("[192.0.2.1", Foreign),
        ("192.0.2.1]", Foreign),
    ] {
        SNORT.refuse(&format!("alert ip {list} any -> $HOME_NET any (a)"), reason);
    }
    for line in [
        "192.0.2.1",
        "alert ip [192.0.2.1,192.0.2",
        "alert ip [192.0.2.1] any -> $HOME_NET",
        "alert ip [192.0.2.1] any -> $HOME_NET any (cut; of",
        "alert ip [192.0.2.1] any to $HOME_NET any (a)",
        "warn ip [192.0.2.1] any -> $HOME_NET any (a)",
    ] {
        SNORT.refuse(line, Foreign);
    }
}

#[test]
fn it_is_told_from_a_plain_list() {
    SNORT.check_detected(&["# ET\nalert ip [192.0.2.1] any -> $HOME_NET any (a)\n"]);
    Reader(Format::Plain).check_detected(&["192.0.2.1 any -> any any\n", "alert 192.0.2.1\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| format!("alert ip [{prefix}] any -> any any (a)\n"));
        round_trip(Format::Snort, &lines.collect::<String>(), &set)?;
        let list: Vec<_> = set.iter().map(|prefix| prefix.to_string()).collect();
        round_trip(Format::Snort, &format!("drop ip [{}] any -> any any\n", list.join(",")), &set)?;
    }
}
