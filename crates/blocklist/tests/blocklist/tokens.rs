//! What is an entry and what is not: hostile lines with what must become of
//! them, and the parsers of the standard library as a second opinion.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use blocklist::RejectReason::{self, *};
use blocklist::{AnyPrefix, Entry, Format, Limits, parse, parse_address, parse_entry};
use proptest::prelude::*;

/// Text, and the entry as it is displayed.
const ENTRIES: &[(&str, &str)] = &[
    // Addresses.
    ("0.0.0.0", "0.0.0.0"),
    ("192.0.2.1", "192.0.2.1"),
    ("255.255.255.255", "255.255.255.255"),
    ("1.0.0.1", "1.0.0.1"),
    ("10.20.30.40", "10.20.30.40"),
    ("::", "::"),
    ("::1", "::1"),
    ("1::", "1::"),
    ("2001:db8::", "2001:db8::"),
    ("2001:DB8::A", "2001:db8::a"),
    ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6"),
    ("2001:db8:1:2:3:4:5::", "2001:db8:1:2:3:4:5:0"),
    ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"),
    ("::192.0.2.1", "::c000:201"),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    // IPv4 in the guise of IPv6.
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("::FFFF:192.0.2.1", "192.0.2.1"),
    ("::ffff:c000:201", "192.0.2.1"),
    ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
    ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ("::ffff:192.0.2.1/128", "192.0.2.1"),
    ("::ffff:0:0/96", "0.0.0.0/0"),
    // Prefixes.
    ("0.0.0.0/0", "0.0.0.0/0"),
    ("::/0", "::/0"),
    ("10.0.0.0/8", "10.0.0.0/8"),
    ("192.0.2.1/32", "192.0.2.1"),
    ("128.0.0.0/1", "128.0.0.0/1"),
    ("2001:db8::/32", "2001:db8::/32"),
    ("2001:db8::1/128", "2001:db8::1"),
    ("::192.0.2.0/120", "::c000:200/120"),
    ("::fffe:0:0/95", "::fffe:0:0/95"),
    // Host bits, cleared.
    ("192.0.2.7/24", "192.0.2.0/24"),
    ("2001:db8::1/64", "2001:db8::/64"),
    ("::ffff:192.0.2.7/120", "192.0.2.0/24"),
    ("192.0.2.7/255.255.255.0", "192.0.2.0/24"),
    // Netmasks.
    ("192.0.2.0/255.255.255.0", "192.0.2.0/24"),
    ("192.0.2.1/255.255.255.255", "192.0.2.1"),
    ("128.0.0.0/128.0.0.0", "128.0.0.0/1"),
    ("0.0.0.0/0.0.0.0", "0.0.0.0/0"),
    // Ranges.
    ("192.0.2.1-192.0.2.9", "192.0.2.1-192.0.2.9"),
    ("192.0.2.1 - 192.0.2.9", "192.0.2.1-192.0.2.9"),
    ("192.0.2.1-\t192.0.2.9", "192.0.2.1-192.0.2.9"),
    ("192.0.2.0-192.0.2.255", "192.0.2.0/24"),
    ("192.0.2.7-192.0.2.7", "192.0.2.7"),
    ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
    ("2001:db8::1-2001:db8::4", "2001:db8::1-2001:db8::4"),
    ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0"),
    ("::ffff:192.0.2.0-::ffff:192.0.2.3", "192.0.2.0/30"),
];

const REJECTS: &[(&str, RejectReason)] = &[
    // Other ways to write numbers.
    ("010.1.2.3", LeadingZero),
    ("10.1.2.03", LeadingZero),
    ("192.000.002.001", LeadingZero),
    ("00.0.0.0", LeadingZero),
    ("0x0a.0.0.1", NotAnAddress),
    ("0x0A000001", NotAnAddress),
    ("3232235777", NotAnAddress),
    ("1e3.0.0.1", NotAnAddress),
    ("+1.2.3.4", NotAnAddress),
    ("1.2.3.+4", NotAnAddress),
    ("１.2.3.4", NotAnAddress),
    ("١.٢.٣.٤", NotAnAddress),
    // Not four octets, or not octets.
    ("1", NotAnAddress),
    ("10.1", OctetCount),
    ("223.13.255", OctetCount),
    ("1.2.3.4.5", OctetCount),
    ("179.7.", OctetCount),
    ("1.2.3.4.", OctetCount),
    (".1.2.3.4", OctetCount),
    ("1..3.4", OctetCount),
    ("...", OctetCount),
    (".", OctetCount),
    ("256.0.0.1", OctetValue),
    ("942.180.233.122", OctetValue),
    ("1.2.3.1000", OctetValue),
    ("1.2.3.99999999999999999999", OctetValue),
    ("176.221.42.3254.174.140.223", OctetValue),
    // Short forms of prefixes.
    ("10/8", NotAnAddress),
    ("10.1/16", OctetCount),
    ("192.168/16", OctetCount),
    ("/24", NotAnAddress),
    ("/", NotAnAddress),
    // Wildcards, names, words.
    ("1.2.3.*", NotAnAddress),
    ("1.2.3.x", NotAnAddress),
    ("*", NotAnAddress),
    ("localhost", NotAnAddress),
    ("bad.example", NotAnAddress),
    ("bad-host.example", NotAnAddress),
    ("ALL", NotAnAddress),
    ("dead:beef", Ipv6Form),
    ("AS64496", NotAnAddress),
    ("2026-01-01", NotAnAddress),
    ("12:30:45", Ipv6Form),
    ("sshd: 23 14", NotAnAddress),
    ("sshd:192.0.2.1", NotAnAddress),
    ("Some Label:192.0.2.0-192.0.2.255", NotAnAddress),
    ("http://192.0.2.1/", NotAnAddress),
    ("\"192.0.2.1\"", NotAnAddress),
    ("'192.0.2.1'", NotAnAddress),
    ("192.0.2.1,", NotAnAddress),
    ("192.0.2.1,192.0.2.2", NotAnAddress),
    ("!192.0.2.1", NotAnAddress),
    ("// 192.0.2.1", NotAnAddress),
    ("{\"cidr\":\"192.0.2.0/24\"}", NotAnAddress),
    ("<p>192.0.2.1</p>", NotAnAddress),
    ("", NotAnAddress),
    (" 192.0.2.1", NotAnAddress),
    ("192.0.2.1 ", NotAnAddress),
    ("192.0.2.1\u{a0}", NotAnAddress),
    ("192.0.2.1\0", NotAnAddress),
    // Zones, ports, brackets.
    ("fe80::1%eth0", Zone),
    ("fe80::%1/10", Zone),
    ("[2001:db8::1]:443", Port),
    ("[2001:db8::1]", Port),
    ("[::]/0", Port),
    ("192.0.2.1:80", Port),
    // IPv6 almost.
    (":", Ipv6Form),
    (":::", Ipv6Form),
    ("1000:::", Ipv6Form),
    (":1::", Ipv6Form),
    ("::1:", Ipv6Form),
    ("1::2::3", Ipv6Form),
    ("::::", Ipv6Form),
    ("1:2:3:4:5:6:7", Ipv6Form),
    ("1:2:3:4:5:6:7:", Ipv6Form),
    ("1:2:3:4:5:6:7:8:9", Ipv6Form),
    ("1:2:3:4:5:6:7:8::", Ipv6Form),
    ("1:2:3:4::5:6:7:8", Ipv6Form),
    ("12345::", Ipv6Form),
    ("2001:db8::00001", Ipv6Form),
    ("2001:db8::g", NotAnAddress),
    ("2001:db8:-1::", Ipv6Form),
    ("::1.2.3", Ipv6Form),
    ("::1.2.3.4.5", Ipv6Form),
    ("::01.2.3.4", Ipv6Form),
    ("::256.2.3.4", Ipv6Form),
    ("::1.2.3.4:5", Ipv6Form),
    ("1.2.3.4::", Ipv6Form),
    ("1:2:3:4:5:6:7:1.2.3.4", Ipv6Form),
    ("::ffff:1.2.3", Ipv6Form),
    // Prefix lengths.
    ("1.2.3.4/0", ZeroLength),
    ("128.0.0.0/0", ZeroLength),
    ("2001:db8::1/0", ZeroLength),
    ("::1/0", ZeroLength),
    ("::ffff:1.2.3.4/96", ZeroLength),
    ("192.0.2.0/33", PrefixLength { max: 32 }),
    ("192.0.2.0/", PrefixLength { max: 32 }),
    ("192.0.2.0//24", PrefixLength { max: 32 }),
    ("192.0.2.0/24/24", PrefixLength { max: 32 }),
    ("192.0.2.0/024", PrefixLength { max: 32 }),
    ("192.0.2.0/00", PrefixLength { max: 32 }),
    ("192.0.2.0/+24", PrefixLength { max: 32 }),
    ("192.0.2.0/-1", NotAnAddress),
    ("192.0.2.0/0x18", PrefixLength { max: 32 }),
    ("192.0.2.0/24x", PrefixLength { max: 32 }),
    ("192.0.2.0/ 24", PrefixLength { max: 32 }),
    ("192.0.2.0/256", PrefixLength { max: 32 }),
    ("192.0.2.0/4294967320", PrefixLength { max: 32 }),
    ("192.0.2.0/2001:db8::", PrefixLength { max: 32 }),
    ("2001:db8::/129", PrefixLength { max: 128 }),
    ("2001:db8::/ffff::", PrefixLength { max: 128 }),
    ("2001:db8::/255.255.0.0", PrefixLength { max: 128 }),
    ("::ffff:192.0.2.0/24", MappedLength),
    ("::ffff:192.0.2.0/95", MappedLength),
    ("::ffff:0:0/0", MappedLength),
    ("::ffff:192.0.2.0/255.255.255.0", PrefixLength { max: 128 }),
    // Netmasks.
    ("192.0.2.0/255.0.255.0", Netmask),
    ("192.0.2.0/0.0.0.255", Netmask),
    ("192.0.2.0/255.255.255.1", Netmask),
    ("192.0.2.0/255.255.255", Netmask),
    ("192.0.2.0/255.255.255.256", Netmask),
    ("192.0.2.0/0255.255.255.0", Netmask),
    ("192.0.2.1/0.0.0.0", Netmask),
    ("192.0.2.0 255.255.255.0", NotAnAddress),
    // Ranges.
    ("192.0.2.9-192.0.2.1", Reversed),
    ("::2-::1", Reversed),
    ("192.0.2.1-::1", Families),
    ("::1-::ffff:192.0.2.1", Families),
    ("1.2.3.4-9", NotAnAddress),
    ("1.2.3.4-1.2.3", OctetCount),
    ("192.0.2.0/24-192.0.3.0/24", NotAnAddress),
    ("192.0.2.1--192.0.2.9", NotAnAddress),
    ("192.0.2.1-192.0.2.9-192.0.2.11", NotAnAddress),
    ("192.0.2.1-", NotAnAddress),
    ("-192.0.2.1", NotAnAddress),
    ("-", NotAnAddress),
    ("192.0.2.1–192.0.2.9", NotAnAddress),
    ("192.0.2.1..192.0.2.9", OctetCount),
];

fn check(text: &str, want: Result<&str, RejectReason>) {
    let got = parse_entry(text.as_bytes()).map(|entry| entry.range.to_string());
    assert_eq!(got.as_deref().map_err(|&reason| reason), want, "{text:?}");
}

#[test]
fn every_defined_form_is_an_entry() {
    for &(text, want) in ENTRIES {
        check(text, Ok(want));
    }
}

#[test]
fn everything_else_is_rejected_with_its_reason() {
    for &(text, want) in REJECTS {
        check(text, Err(want));
    }
}

#[test]
fn only_cleared_host_bits_count_as_masked() {
    for &(text, _) in ENTRIES {
        let Entry { masked, .. } = parse_entry(text.as_bytes()).expect("an entry");
        let want =
            ["192.0.2.7/24", "2001:db8::1/64", "::ffff:192.0.2.7/120", "192.0.2.7/255.255.255.0"]
                .contains(&text);
        assert_eq!(masked, want, "{text:?}");
    }
}

proptest! {
    #[test]
    fn ipv4_is_what_the_standard_library_takes_it_for(text in "[0-9.]{1,16}|([0-9]{1,3}\\.){3}[0-9]{1,4}") {
        let standard = text.parse::<Ipv4Addr>().ok().map(Into::into);
        prop_assert_eq!(parse_address(text.as_bytes()).ok(), standard, "{}", text);
    }

    #[test]
    fn ipv6_is_what_the_standard_library_takes_it_for(
        text in "[0-9a-fA-F:]{2,12}|(([0-9a-f]{1,4}|):){2,8}([0-9a-f]{0,5}|1\\.2\\.3\\.4|1\\.02\\.3)",
    ) {
        let standard = text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        prop_assert_eq!(parse_address(text.as_bytes()).ok(), standard, "{}", text);
    }

    #[test]
    fn an_address_is_read_as_it_is_displayed(four in any::<u32>(), six in any::<u128>()) {
        for ip in [Ipv4Addr::from(four).into(), Ipv6Addr::from(six).to_canonical()] {
            prop_assert_eq!(parse_address(ip.to_string().as_bytes()), Ok(ip));
            prop_assert_eq!(ip.to_string().parse(), Ok(AnyPrefix::host(ip)));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse_entry(&text);
    }

    #[test]
    fn no_likely_bytes_make_it_panic(text in "[0-9a-f:./\\- ]{0,40}") {
        if let Ok(entry) = parse_entry(text.as_bytes()) {
            let again = parse_entry(entry.range.to_string().as_bytes());
            prop_assert_eq!(again.map(|entry| entry.range), Ok(entry.range));
        }
    }
}

/// What addresses look like, and what looks like them.
const ADDRESSES: &[&str] = &[
    "192.0.2.1",
    "255.255.255.255",
    "0.0.0.0",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3",
    "1.2.3.4.5",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "2001:DB8:0:0:0:0:0:1",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7::",
    "::2:3:4:5:6:7:8",
    "1::3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    ":::",
    "1:::2",
    ":1",
    "1:",
    "12345::",
    "::12345",
    "g::",
    "::ffff:192.0.2.1",
    "::192.0.2.1",
    "1:2:3:4:5:6:192.0.2.1",
    "1:2:3:4:5:6:7:192.0.2.1",
    "::192.0.2",
    "::1.2.3.4:5",
    "fe80::1%eth0",
    "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
    "2001:db8::.",
    "::ffff:0:0",
];

/// What stands behind them.
const LENGTHS: &[&str] = &[
    "",
    "/0",
    "/1",
    "/24",
    "/32",
    "/33",
    "/96",
    "/127",
    "/128",
    "/129",
    "/1280",
    "/012",
    "/",
    "/-1",
    "/+1",
    "/1x",
    " # comment",
];

#[test]
fn a_line_means_the_same_wherever_it_stands() {
    for (address, length) in ADDRESSES.iter().flat_map(|a| LENGTHS.iter().map(move |l| (a, l))) {
        for end in ["\n", "\r\n", "\r"] {
            let line = format!("{address}{length}{end}");
            // Where there is nothing behind it, the short way is not taken.
            let alone = parse(line.as_bytes(), Format::Plain, &Limits::default());
            let text = format!("{line}# {}\n", "a comment that is longer than any line ".repeat(2));
            let before_others = parse(text.as_bytes(), Format::Plain, &Limits::default());
            assert_eq!(alone.prefixes, before_others.prefixes, "{line:?}");
            assert_eq!(alone.tally, before_others.tally, "{line:?}");
            assert_eq!(alone.rejects, before_others.rejects, "{line:?}");
        }
    }
}
