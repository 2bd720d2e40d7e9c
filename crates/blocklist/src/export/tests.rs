//! What each program reads: the text, to the byte, and nothing said twice.

use std::convert::Infallible;

use super::*;
use crate::{AnyPrefix, Prefix, PrefixSet};

fn sets(prefixes: &str) -> (PrefixSet<u32>, PrefixSet<u128>) {
    let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
    for prefix in prefixes.split_whitespace() {
        match prefix.parse().expect("a prefix") {
            AnyPrefix::V4(prefix) => ipv4.push(prefix),
            AnyPrefix::V6(prefix) => ipv6.push(prefix),
        }
    }
    (PrefixSet::from_unsorted(ipv4), PrefixSet::from_unsorted(ipv6))
}

fn text_of(format: ExportFormat, sets: &(PrefixSet<u32>, PrefixSet<u128>)) -> (String, Exported) {
    let mut bytes = Vec::new();
    let Ok(exported) = export(format, "drop", &sets.0, &sets.1, |piece| {
        bytes.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    });
    (String::from_utf8(bytes).expect("text"), exported)
}

fn check(format: ExportFormat, prefixes: &str, want: &str) {
    assert_eq!(text_of(format, &sets(prefixes)).0, want, "{format} of {prefixes}");
}

const BOTH: &str = "192.0.2.0/25 192.0.2.7 198.51.100.1 2001:db8::/32 2001:db8::1 2001:db9::1";

#[test]
fn haproxy_and_people_get_prefixes_of_both_families_a_line_each() {
    let want = "192.0.2.0/25\n198.51.100.1\n2001:db8::/32\n2001:db9::1\n";
    for format in [ExportFormat::HaproxyAcl, ExportFormat::Plain] {
        check(format, BOTH, want);
        check(format, "", "");
        check(format, "0.0.0.0/0 ::/0", "0.0.0.0/0\n::/0\n");
    }
}

#[test]
fn nginx_gets_ranges_in_order_that_do_not_touch() {
    let check = |prefixes, want| check(ExportFormat::NginxGeo, prefixes, want);
    check("", "");
    check(BOTH, "192.0.2.0-192.0.2.127 1;\n198.51.100.1-198.51.100.1 1;\n");
    check("10.0.0.0/31 10.0.0.2 10.0.0.4", "10.0.0.0-10.0.0.2 1;\n10.0.0.4-10.0.0.4 1;\n");
    check("0.0.0.0/1 128.0.0.0/1", "0.0.0.0-255.255.255.255 1;\n");
    check("255.255.255.255 0.0.0.0", "0.0.0.0-0.0.0.0 1;\n255.255.255.255-255.255.255.255 1;\n");
}

#[test]
fn apache_gets_keys_of_whole_octets() {
    let check = |prefixes, want| check(ExportFormat::ApacheTxt, prefixes, want);
    check("", "");
    check(
        "192.0.2.7 192.0.3.0/24 10.0.0.0/8 172.16.0.0/16",
        "10 1\n172.16 1\n192.0.2.7 1\n192.0.3 1\n",
    );
    check("10.0.0.0/31", "10.0.0.0 1\n10.0.0.1 1\n");
    check("10.1.0.0/23", "10.1.0 1\n10.1.1 1\n");
    check("255.254.0.0/15", "255.254 1\n255.255 1\n");
    for (prefix, keys) in [("0.0.0.0/0", 256), ("128.0.0.0/1", 128), ("10.0.0.0/25", 128)] {
        let (text, exported) = text_of(ExportFormat::ApacheTxt, &sets(prefix));
        assert_eq!((text.lines().count(), exported.prefixes), (keys, 1), "{prefix}");
    }
}

#[test]
fn json_is_one_object() {
    let (text, _) = text_of(ExportFormat::Json, &sets(BOTH));
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let want = serde_json::json!({
        "list": "drop",
        "ipv4": ["192.0.2.0/25", "198.51.100.1"],
        "ipv6": ["2001:db8::/32", "2001:db9::1"],
    });
    assert_eq!(value, want);
    check(ExportFormat::Json, "", "{\"list\":\"drop\",\"ipv4\":[],\"ipv6\":[]}\n");
}

#[test]
fn what_a_format_cannot_carry_is_counted() {
    for (name, format) in ExportFormat::ALL {
        assert_eq!(format.name(), name);
        let (prefixes, left_out) = if format.takes_ipv6() { (4, 0) } else { (2, 2) };
        let (_, exported) = text_of(format, &sets(BOTH));
        assert_eq!(exported, Exported { prefixes, left_out }, "{format}");
    }
}

#[test]
fn a_long_list_comes_in_pieces_and_an_error_ends_it() {
    let hosts = PrefixSet::from_hosts((0..100_000).map(|host| host * 2).collect());
    let none = PrefixSet::from_unsorted(Vec::<Prefix<u128>>::new());
    let (mut pieces, mut longest) = (0, 0);
    let Ok(exported) = export(ExportFormat::Plain, "drop", &hosts, &none, |piece| {
        (pieces, longest) = (pieces + 1, piece.len().max(longest));
        Ok::<_, Infallible>(())
    });
    assert!(exported.prefixes == 100_000 && pieces > 10 && longest < 70_000, "{pieces} {longest}");
    let mut asked = 0;
    let failed = export(ExportFormat::Plain, "drop", &hosts, &none, |_| {
        asked += 1;
        Err("full")
    });
    assert_eq!((failed, asked), (Err("full"), 1));
}
