//! Sets of nftables.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const NFT: Reader = Reader(Format::Nft);

/// Elements in a set of addresses.
fn set(elements: &str) -> String {
    format!(
        "table inet x {{\n\tset b {{\n\t\ttype ipv4_addr\n\t\telements = {{ {elements} }}\n\t}}\n}}\n"
    )
}

#[test]
fn the_elements_of_sets_of_addresses_are_entries() {
    let listed = "\
table inet blocklist {
  set b4 { type ipv4_addr
    flags interval,timeout
    elements = { 192.0.2.0/24, 198.51.100.1-198.51.100.2,
                 203.0.113.8 counter packets 3 bytes 180 comment \"x, 203.0.113.9 }\" } }
  set b6 {
    type ipv6_addr; flags interval
    auto-merge
    elements = { 2001:db8::/32, # comment
                 2001:db9::1 }
  }
  chain input { type filter hook input priority 0; policy accept;
    ip saddr @b4 drop
    ip6 saddr @b6 drop
    ip saddr { 192.0.2.77, 192.0.2.78 } accept
  }
}
";
    NFT.check(
        listed,
        &[
            "192.0.2.0/24",
            "198.51.100.1",
            "198.51.100.2",
            "203.0.113.8",
            "2001:db8::/32",
            "2001:db9::1",
        ],
    );
    assert_eq!(NFT.read(listed).tally.entries, 5);
    NFT.check("add element inet t b { 192.0.2.1, 192.0.2.3, }\n", &["192.0.2.1", "192.0.2.3"]);
    NFT.check("elements = {192.0.2.1}", &["192.0.2.1"]);
    NFT.check(
        "set b { typeof ip saddr\nelements = { 192.0.2.1 - 192.0.2.2 } }",
        &["192.0.2.1", "192.0.2.2"],
    );
    NFT.check(&set("192.0.2.1 limit rate 1/second burst 5 packets"), &["192.0.2.1"]);
}

#[test]
fn other_sets_and_maps_are_ignored() {
    let check = |kind: &str, element: &str| {
        NFT.check(
            &format!("table ip x {{ set b {{ type {kind}; elements = {{ {element} }} }} }}"),
            &[],
        );
    };
    check("inet_service", "22, 80");
    check("ether_addr", "00:11:22:33:44:55");
    check("ipv4_addr . inet_service", "192.0.2.1 . 22");
    NFT.check(
        "table ip x { map m { type ipv4_addr : verdict; elements = { 192.0.2.1 : drop } } }",
        &[],
    );
    NFT.check("define bad = { 192.0.2.1 }\ndelete element ip x b { 192.0.2.1 }\n", &[]);
    NFT.check(&set("*, *"), &[]);
}

#[test]
fn a_set_that_rules_only_accept_by_does_not_block() {
    let check = |rule: &str, want: &[&str]| {
        let text = format!(
            "table ip x {{\nset b {{\ntype ipv4_addr\nelements = {{ 192.0.2.1 }}\n}}\nchain c {{\n{rule}\n}}\n}}\n"
        );
        NFT.check(&text, want);
    };
    check("ip saddr @b drop", &["192.0.2.1"]);
    check("ip saddr @b accept", &[]);
    check("ip saddr != @b drop", &[]);
    check("ip saddr @b tcp dport 22 accept\nip saddr @b drop", &[]);
    check("ip saddr @b icmp type echo-request accept\nip saddr @b drop", &["192.0.2.1"]);
    check("ct state established,related accept\niif lo accept\nip saddr @b drop", &["192.0.2.1"]);
    check("ip saddr @b counter", &[]);
    check("ip saddr @other accept", &[]);
}

#[test]
fn what_remains_of_the_time_counts() {
    let check = |element: &str, want: &[(u64, &[&str])]| NFT.check_expiring(&set(element), want);
    check("192.0.2.1 timeout 1h expires 59m58s comment \"x\"", &[(3598, &["192.0.2.1"])]);
    check("192.0.2.1 timeout 1d2h3m4s", &[(93_784, &["192.0.2.1"])]);
    check("192.0.2.1 expires 59s1ms", &[(60, &["192.0.2.1"])]);
    check("192.0.2.1 expires 1w", &[(604_800, &["192.0.2.1"])]);
    check("192.0.2.1 timeout 30", &[(30, &["192.0.2.1"])]);
    check("192.0.2.1 timeout 1h expires 0s", &[]);
    assert_eq!(NFT.read(&set("192.0.2.1 expires 0ms")).tally.ignored, 1);
    NFT.check_expiring(
        "set b { type ipv4_addr; timeout 10m; elements = { 192.0.2.1, 192.0.2.2 expires 5s } }",
        &[(5, &["192.0.2.2"]), (600, &["192.0.2.1"])],
    );
}

#[test]
fn what_is_no_element_of_addresses_is_rejected() {
    for (element, reason) in [
        ("010.1.2.3", LeadingZero),
        ("192.0.2", OctetCount),
        ("192.168/16", OctetCount),
        ("192.0.2.256", OctetValue),
        ("192.0.2.1/33", PrefixLength { max: 32 }),
        ("192.0.2.9-192.0.2.1", Reversed),
        ("192.0.2.1-2001:db8::1", Families),
        ("bad.example", NotAnAddress),
        ("$bad", NotAnAddress),
        ("@other", NotAnAddress),
        ("3232235777", NotAnAddress),
        ("1000:::", Ipv6Form),
        ("fe80::1%eth0", Zone),
        ("192.0.2.1:80", Port),
        ("192.0.2.1 192.0.2.2", Trailing),
        ("192.0.2.1 : drop", Trailing),
        ("192.0.2.1 . 22", Trailing),
        ("192.0.2.1 timeout", Trailing),
        ("192.0.2.1 timeout soon", Number),
        ("192.0.2.1 expires 5x", Number),
        ("192.0.2.1 counter packets x", Trailing),
        ("\"192.0.2.1\"", NotAnAddress),
    ] {
        NFT.refuse(&set(element), reason);
    }
    // Cut off, the last element may be shorter than it was.
    NFT.refuse("table ip x {\nset b {\ntype ipv4_addr\nelements = { 192.0.2.1", Foreign);
}

#[test]
fn it_is_told_from_a_plain_list() {
    NFT.check_detected(&[
        "table inet x {\n\tset b {\n\t\ttype ipv4_addr\n\t\telements = { 192.0.2.1 }\n\t}\n}\n",
        "#!/usr/sbin/nft -f\nadd element inet x b { 192.0.2.1 }\n",
        "flush ruleset\ntable ip x {\n}\n",
    ]);
    Reader(Format::Plain).check_detected(&["192.0.2.1\n", "# table { element\n192.0.2.1\n"]);
    Reader(Format::Ipset).check_detected(&["add set 192.0.2.1\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let elements: Vec<_> = set.iter().map(|prefix| prefix.to_string()).collect();
        let text = format!("table inet x {{ set b {{ type ipv6_addr\nelements = {{ {} }} }} }}", elements.join(",\n\t"));
        round_trip(Format::Nft, &text, &set)?;
    }
}
