//! Apache's access rules, old and new.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const APACHE: Reader = Reader(Format::Apache);

#[test]
fn every_address_that_is_denied_is_an_entry() {
    APACHE.check(
        "Deny from 192.0.2.1 198.51.100.0/24 203.0.113.\n",
        &["192.0.2.1", "198.51.100.0/24", "203.0.113.0/24"],
    );
    APACHE.check("\t\tdeny from 179.7.\n", &["179.7.0.0/16"]);
    APACHE
        .check("deny from 192.0.2 172.20 10.\n", &["10.0.0.0/8", "172.20.0.0/16", "192.0.2.0/24"]);
    APACHE.check("Require not ip 2001:db8::/32\n", &["2001:db8::/32"]);
    APACHE.check("require NOT ip 192.0.2.0/255.255.255.0\n", &["192.0.2.0/24"]);
    APACHE.check("Deny from \\\n  192.0.2.1 \\\n  192.0.2.3\n", &["192.0.2.1", "192.0.2.3"]);
    APACHE.check("<RequireNone>\nRequire ip 192.0.2.1\n</RequireNone>\n", &["192.0.2.1"]);
}

#[test]
fn all_else_of_a_configuration_is_ignored() {
    for line in [
        "deny from all",
        "allow from all",
        "Deny from env=bad_bot",
        "Deny from bad.example .evil.example host-1.example",
        "Require all granted",
        "Require not env spam_ref",
        "Require not host bad.example",
        "SetEnvIfNoCase Referer ~*host\\.example spam_ref",
        "BrowserMatchNoCase \"(?:\\b)192.0.2.1(?:\\b)\" bad_bot",
        "SetEnvIf Remote_Addr ^192\\.0\\.2\\.1$ bad",
        "<Files 192.0.2.1>",
        "Deny from 0.0.0.0/0 ::/0",
        "# Deny from 192.0.2.1",
        "RewriteCond %{REMOTE_ADDR} ^192\\.0\\.2\\.1$ \\\n192.0.2.1",
    ] {
        APACHE.check(&format!("{line}\n"), &[]);
    }
}

#[test]
fn what_is_let_in_is_told_by_its_section_and_order() {
    let deny = "Deny from 192.0.2.0/31\n";
    let check = |rest: &str, want: &str| APACHE.check(&format!("{rest}{deny}"), &[want]);
    check("Allow from 192.0.2.1\n", "192.0.2.0");
    check("Order Deny,Allow\nAllow from 192.0.2.1\n", "192.0.2.0");
    check("Order Allow,Deny\nAllow from 192.0.2.1\n", "192.0.2.0/31");
    check("Allow from all\n", "192.0.2.0/31");
    check("Order Allow,Deny\nAllow from all\n", "192.0.2.0/31");
    APACHE.check(&format!("Order Deny,Allow\n{deny}Allow from all\n"), &[]);
    APACHE.check(&format!("Allow from all\n{deny}Order Deny,Allow\n"), &[]);
    check("Require ip 192.0.2.1\n", "192.0.2.0");
    check("<RequireAny>\n<RequireAny>\nRequire ip 192.0.2.1\n", "192.0.2.0");
    check("<RequireAll>\nRequire ip 192.0.2.1\n</RequireAll>\n", "192.0.2.0/31");
    check("<RequireAll>\n</RequireAll>\nRequire ip 192.0.2.1\n", "192.0.2.0");
}

#[test]
fn what_is_no_address_of_a_rule_is_rejected() {
    for (line, reason) in [
        ("Deny from 010.1.2.3", LeadingZero),
        ("Deny from 192.168/16", OctetCount),
        ("Deny from 10", NotAnAddress),
        ("Deny from 192.0.2.256", OctetValue),
        ("Deny from 1.256.", OctetValue),
        ("Deny from 01.2.", LeadingZero),
        ("Deny from 192.0.2.1/33", PrefixLength { max: 32 }),
        ("Deny from 192.0.2.0/255.0.255.0", Netmask),
        ("Deny from 192.0.2.1.", OctetCount),
        ("Deny from 192.0.2.*", NotAnAddress),
        ("Deny from 192.0.2.1-192.0.2.9", NotAnAddress),
        ("Deny from 3232235777", NotAnAddress),
        ("Deny from 0x0A000001", NotAnAddress),
        ("Deny from [2001:db8::1]", Port),
        ("Deny from fe80::1%eth0", Zone),
        ("Require not ip 2001:db8:::", Ipv6Form),
        ("Require not ip 176.221.42.3254.174.140.223", OctetValue),
        ("Deny 192.0.2.1", Foreign),
        ("192.0.2.1", Foreign),
        ("Deny form 192.0.2.1", Foreign),
        ("<RequireNone>\nRequire not ip 192.0.2.1\n</RequireNone>", Foreign),
    ] {
        APACHE.refuse(&format!("{line}\n"), reason);
    }
    // Cut off, not a beginning.
    APACHE.refuse("Deny from 223.13.255", OctetCount);
}

#[test]
fn it_is_told_from_other_lists() {
    APACHE.check_detected(&[
        "deny from 192.0.2.1\nallow from all\n",
        "BrowserMatchNoCase \"bot\" bad_bot\n<RequireAny>\n",
        "Require not ip 192.0.2.1\n",
    ]);
    Reader(Format::Plain).check_detected(&["<html>\n<body>\n", "deny 192.0.2.1\n", "192.0.2.\n"]);
    Reader(Format::Nginx).check_detected(&["deny 192.0.2.1;\nallow 192.0.2.2;\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| format!("Require not ip {prefix}\n"));
        round_trip(Format::Apache, &lines.collect::<String>(), &set)?;
        let one: Vec<_> = set.iter().map(|prefix| prefix.to_string()).collect();
        round_trip(Format::Apache, &format!("Deny from {}\n", one.join(" ")), &set)?;
    }
}
