//! Address lists of `RouterOS`: what is in one, and what commands are around it.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const MIKROTIK: Reader = Reader(Format::Mikrotik);

#[test]
fn members_of_lists_are_entries_however_they_are_added() {
    for line in [
        "add list=bad address=192.0.2.0/24",
        "add address=192.0.2.0/24 list=bad comment=\"two words, address=1.2.3.4\"",
        "add list=bad address=\"192.0.2.9/24\"",
        "add list=$AddressList comment=AS64496 address=192.0.2.0/24 disabled=no",
        "/ip firewall address-list add list=bad address=192.0.2.0-192.0.2.255",
        "/ip/firewall/address-list/add list=bad address=192.0.2.0/24",
        ":do {add address=192.0.2.0/24 list=bad} on-error={}",
        ":do { add list=bad address=192.0.2.0/24 comment=\"}\" } on-error {}",
        ":do { /ip firewall address-list add list=bad address=192.0.2.0/24 }",
        "add address=192.0.2.0/24 comment=\"long \\\n    enough\" \\\n    list=bad",
    ] {
        MIKROTIK.check(line, &["192.0.2.0/24"]);
    }
    MIKROTIK.check(
        "/ipv6 firewall address-list\nadd address=2001:db8::/32 list=bad\n",
        &["2001:db8::/32"],
    );
}

#[test]
fn commands_around_them_are_ignored() {
    for line in [
        "# 2026-01-01 by RouterOS 7.1",
        "/ip firewall address-list",
        "/delay 15s",
        ":do {/ip firewall address-list",
        ":do { /ip firewall address-list remove [find list=bad] } on-error={}",
        "remove [find comment=\"bad\"]",
        ":global AddressList",
        "}",
        "add list=bad address=192.0.2.1 disabled=yes",
        "add list=bad address=bad.example",
        "add list=bad address=0.0.0.0/0",
        "/interface list member add list=WAN interface=ether1",
    ] {
        MIKROTIK.check(line, &[]);
    }
}

#[test]
fn a_timeout_ends_an_entry() {
    for (timeout, seconds) in [
        ("24h", 86_400),
        ("1w2d", 777_600),
        ("1d02:03:04", 93_784),
        ("00:10:00", 600),
        ("90", 90),
        ("\"1m30s\"", 90),
    ] {
        let line = format!("add list=bad address=192.0.2.1 timeout={timeout}");
        MIKROTIK.check_expiring(&line, &[(seconds, &["192.0.2.1"])]);
    }
    for no_end in ["none-static", "none-dynamic", "0", "0s", "00:00:00"] {
        let line = format!("add list=bad address=192.0.2.1 timeout={no_end}");
        MIKROTIK.check(&line, &["192.0.2.1"]);
    }
    for timeout in ["", "x", "5y", "1h5", "1:2", "00:60:00", "99999999999999999999w"] {
        MIKROTIK.refuse(&format!("add list=bad address=192.0.2.1 timeout={timeout}"), Duration);
    }
}

#[test]
fn what_names_an_address_in_another_way_is_rejected() {
    for (line, reason) in [
        ("add list=bad address=010.1.2.3", LeadingZero),
        ("add list=bad address=192.0.2", OctetCount),
        ("add list=bad address=192.0.2.1-9", NotAnAddress),
        ("add list=bad address=$ip", NotAnAddress),
        ("add list=bad address=lists/AS64496.rsc", NotAnAddress),
        ("add list=bad address=192.0.2.1 comment=\"torn", Trailing),
        ("remove [find address=192.0.2.1]", Foreign),
        (":if (true) do={ add list=bad address=192.0.2.1 }", Foreign),
        ("add list=bad \\", Foreign),
        ("192.0.2.1", Foreign),
    ] {
        MIKROTIK.refuse(line, reason);
    }
}

#[test]
fn a_command_goes_on_in_the_very_next_line_only() {
    MIKROTIK.check("add list=bad comment=\"a \\\n    # b\" address=192.0.2.1", &["192.0.2.1"]);
    let long = "x".repeat(blocklist::Limits::default().line_bytes_max + 1);
    for (between, want) in [("", &[1, 3][..]), ("  ", &[1, 3]), (&*long, &[1, 2, 3])] {
        let feed = MIKROTIK.read(&format!("add list=bad \\\n{between}\naddress=192.0.2.1\n"));
        assert!(feed.prefixes.is_empty(), "{between:?}");
        let lines: Vec<u64> = feed.rejects.iter().map(|reject| reject.line).collect();
        assert_eq!(lines, want, "{between:?}");
    }
}

#[test]
fn scripts_are_told_from_others_that_add() {
    MIKROTIK.check_detected(&[
        "# x\n/ip firewall address-list\nadd list=bad address=192.0.2.1 comment=x\n",
        ":do { add address=192.0.2.1 list=bad } on-error={}\n",
        "/ip firewall address-list add list=bad address=192.0.2.1\n",
    ]);
    Reader(Format::Ipset).check_detected(&["add bad 192.0.2.1\n"]);
    Reader(Format::Iptables).check_detected(&["*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"]);
}

proptest! {
    #[test]
    fn what_is_written_is_read(set in any_prefixes()) {
        let line = |prefix| format!("add list=bad address={prefix} comment=x\n");
        let text: String = set.iter().map(line).collect();
        round_trip(Format::Mikrotik, &text, &set)?;
    }
}
