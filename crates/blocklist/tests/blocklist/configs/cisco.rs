//! Access lists of Cisco.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const CISCO: Reader = Reader(Format::Cisco);

#[test]
fn what_is_denied_everything_is_an_entry() {
    let check = |line: &str, want: &str| CISCO.check(line, &[want]);
    check("deny ip host 192.0.2.1 any", "192.0.2.1");
    check("deny ip 192.0.2.0 255.255.255.0 any", "192.0.2.0/24");
    check("deny ip 192.0.2.0 0.0.0.255 any log", "192.0.2.0/24");
    check("deny ip 192.0.2.1 255.255.255.255 any", "192.0.2.1");
    check("access-list outside extended deny ip host 192.0.2.1 any", "192.0.2.1");
    check("access-list 101 deny ip host 192.0.2.1 any", "192.0.2.1");
    check("access-list outside line 3 extended deny ip host 192.0.2.1 any4", "192.0.2.1");
    check(" 10 deny ipv6 2001:db8::/32 any", "2001:db8::/32");
    check("permit ip host 192.0.2.1 any\ndeny ip 192.0.2.0 255.255.255.254 any", "192.0.2.0");
    check("deny ip 192.0.2.0 0.0.0.1 any\npermit ip host 192.0.2.1 any", "192.0.2.0/31");
}

#[test]
fn what_is_about_a_part_or_about_everybody_is_ignored() {
    for line in [
        "deny ip any any",
        "permit ip any any",
        "deny tcp host 192.0.2.1 any eq 22",
        "deny ip host 192.0.2.1 host 198.51.100.1",
        "deny ip host 192.0.2.1 any time-range night",
        "deny ip object-group bad any",
        "access-list x remark deny ip host 192.0.2.1 any",
        "ip access-list extended outside",
        "! deny ip host 192.0.2.1 any",
    ] {
        CISCO.check(line, &[]);
    }
}

#[test]
fn what_is_no_such_line_is_rejected() {
    for (source, reason) in [
        ("host 010.1.2.3", LeadingZero),
        ("host 192.0.2", OctetCount),
        ("host 192.168/16", OctetCount),
        ("host 192.0.2.256", OctetValue),
        ("host bad.example", NotAnAddress),
        ("host 3232235777", NotAnAddress),
        ("host fe80::1%eth0", Zone),
        ("host 192.0.2.1:80", Port),
        ("192.0.2.0 255.0.255.0", Netmask),
        ("192.0.2.1 0.0.0.0", Netmask),
        ("192.0.2.1 0.255.0.255", Netmask),
        ("192.0.2.1 any", NotAnAddress),
        ("192.0.2.0 255.255.255", OctetCount),
        ("2001:db8:::", Ipv6Form),
    ] {
        CISCO.refuse(&format!("deny ip {source} any"), reason);
    }
    for (line, reason) in [
        ("192.0.2.1", Foreign),
        ("deny 192.0.2.1", Foreign),
        ("deny", MissingField),
        ("deny ip host 192.0.2.1", MissingField),
        ("deny ip", MissingField),
    ] {
        CISCO.refuse(line, reason);
    }
}

#[test]
fn it_is_told_from_other_lists() {
    CISCO.check_detected(&[
        "deny ip host 192.0.2.1 any\ndeny ip 192.0.2.0 255.255.255.0 any\n",
        "! outside\nip access-list extended outside\n deny ip host 192.0.2.1 any\n",
    ]);
    Reader(Format::Plain).check_detected(&["deny 192.0.2.1\n", "192.0.2.1 any\n"]);
    Reader(Format::Nginx).check_detected(&["deny 192.0.2.1;\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| match prefix {
            blocklist::AnyPrefix::V4(prefix) => {
                let mask = <u32 as blocklist::Address>::mask(prefix.length());
                let (first, mask) = (std::net::Ipv4Addr::from(prefix.first()), std::net::Ipv4Addr::from(mask));
                format!("deny ip {first} {mask} any\n")
            }
            blocklist::AnyPrefix::V6(prefix) => format!("deny ipv6 {prefix} any\n"),
        });
        round_trip(Format::Cisco, &lines.collect::<String>(), &set)?;
    }
}
