//! `hosts.deny` of TCP wrappers.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const HOSTS_DENY: Reader = Reader(Format::HostsDeny);

#[test]
fn clients_that_are_addresses_are_entries() {
    let check = |text: &str, want: &[&str]| HOSTS_DENY.check(text, want);
    check("sshd: 192.0.2.0/255.255.255.0\n", &["192.0.2.0/24"]);
    check("sshd : 192.0.2.7/255.255.0.0", &["192.0.0.0/16"]);
    check("ALL: 203.0.113.", &["203.0.113.0/24"]);
    check("ALL:10.\n", &["10.0.0.0/8"]);
    check("ALL: .bad.example, [2001:db8::]/32", &["2001:db8::/32"]);
    check(
        "sshd, in.ftpd: 192.0.2.1 192.0.2.3,[2001:db8::1]",
        &["192.0.2.1", "192.0.2.3", "2001:db8::1"],
    );
    check("sshd: 192.0.2.1 : spawn (echo 192.0.2.2)", &["192.0.2.1"]);
    check("sshd: 192.0.2.1: deny", &["192.0.2.1"]);
    check("sshd@192.0.2.9: 192.0.2.1", &["192.0.2.1"]);
}

#[test]
fn nothing_ever_means_everybody() {
    for text in [
        "ALL: ALL",
        "ALL: ALL EXCEPT LOCAL",
        "ALL: ALL EXCEPT 192.0.2.1",
        "sshd: 0.0.0.0/0.0.0.0",
        "sshd: 0.0.0.0/0 [::]/0",
        "sshd: KNOWN UNKNOWN PARANOID LOCAL",
        "sshd: bad.example .bad.example @group user@host /etc/bad",
        "# sshd: 192.0.2.1",
    ] {
        HOSTS_DENY.check(text, &[]);
    }
}

#[test]
fn what_is_excepted_or_allowed_is_not_blocked() {
    let check = |text: &str, want: &[&str]| HOSTS_DENY.check(text, want);
    check("sshd: 192.0.2.0/31 EXCEPT 192.0.2.1", &["192.0.2.0"]);
    check("ALL: ALL EXCEPT 192.0.2.1\nsshd: 192.0.2.1", &["192.0.2.1"]);
    check("sshd: 192.0.2.1: ALLOW\nALL: 192.0.2.0/31", &["192.0.2.0"]);
    check("sshd: 192.0.2.1\nALL: 192.0.2.0/31: allow", &["192.0.2.1"]);
}

#[test]
fn what_is_no_pattern_is_rejected() {
    for (line, reason) in [
        ("sshd: 010.1.2.3", LeadingZero),
        ("sshd: 010.1.", LeadingZero),
        ("sshd: 192.0.2", OctetCount),
        ("sshd: 192.168/16", OctetCount),
        ("sshd: 1.256.", OctetValue),
        ("sshd: 192.0.2.256", OctetValue),
        ("sshd: 192.0.2.1.", OctetCount),
        ("sshd: 192.0.2.0/255.0.255.0", Netmask),
        ("sshd: 192.0.2.1/0.0.0.0", Netmask),
        ("sshd: 192.0.2.1/33", PrefixLength { max: 32 }),
        ("sshd: 192.0.2.*", NotAnAddress),
        ("sshd: 192.0.2.1-192.0.2.9", NotAnAddress),
        ("sshd: 3232235777", NotAnAddress),
        ("sshd: 0x0A000001", NotAnAddress),
        ("sshd: [2001:db8:::]", Ipv6Form),
        ("sshd: [fe80::1%eth0]", Zone),
        ("sshd: [192.0.2.1]", NotAnAddress),
        ("192.0.2.1", Foreign),
        ("192.0.2.1: sshd", Foreign),
        ("no colon here", Foreign),
    ] {
        HOSTS_DENY.refuse(line, reason);
    }
    assert_eq!(HOSTS_DENY.read("sshd: 23 14\n").tally.rejected, 1);
}

#[test]
fn it_is_told_from_other_lists() {
    HOSTS_DENY.check_detected(&[
        "# hosts.deny\nsshd: 192.0.2.1\nALL: 203.0.113.\n",
        "ALL: ALL\n",
        "sshd: 192.0.2.0/255.255.255.0\nsshd: 23 14\n"
            .repeat(10)
            .replace("23 14", "192.0.2.3")
            .as_str(),
    ]);
    Reader(Format::Plain).check_detected(&["fe80::1\n", "Error: not found\n", "2001:db8::\n"]);
    Reader(Format::P2p).check_detected(&["Label:192.0.2.1-192.0.2.9\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| match prefix {
            blocklist::AnyPrefix::V4(prefix) => format!("sshd: {prefix}\n"),
            blocklist::AnyPrefix::V6(prefix) => {
                let text = format!("{}/{}", blocklist::Address::to_ip(prefix.first()), prefix.length());
                format!("ALL: [{}\n", text.replace('/', "]/"))
            }
        });
        round_trip(Format::HostsDeny, &lines.collect::<String>(), &set)?;
    }
}
