//! What is written out in a format and read back is the same set.

use blocklist::{Format, FormatChoice, Limits, Prefix, Prefixes, parse};
use proptest::collection::vec;
use proptest::prelude::*;

fn prefixes() -> impl Strategy<Value = Prefixes> {
    let ipv4 = vec((any::<u32>(), 0..=32_u8), 0..20);
    let ipv6 = vec((any::<u128>(), 0..=128_u8), 0..20);
    (ipv4, ipv6).prop_map(|(ipv4, ipv6)| Prefixes {
        ipv4: ipv4
            .into_iter()
            .map(|(address, length)| Prefix::containing(address, length))
            .collect(),
        ipv6: ipv6
            .into_iter()
            .map(|(address, length)| Prefix::containing(address, length))
            .collect(),
    })
}

/// Each prefix as `item` writes it, with commas between them.
fn join(prefixes: &[String], item: impl Fn(&str) -> String) -> String {
    prefixes.iter().map(|prefix| item(prefix)).collect::<Vec<_>>().join(",\n ")
}

/// A document of the format with these prefixes.
fn write(format: Format, set: &Prefixes) -> String {
    let all: Vec<String> = set.iter().map(|prefix| prefix.to_string()).collect();
    let (v6, v4): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|prefix| prefix.contains(':'));
    let quoted = |prefixes: &[String]| join(prefixes, |prefix| format!("\"{prefix}\""));
    match format {
        Format::Json => format!("[{}]", quoted(&all)),
        Format::Misp => {
            format!("{{\"name\":\"vpn\",\"list\":[{}],\"type\":\"cidr\"}}", quoted(&all))
        }
        Format::CloudRanges => {
            format!(
                "{{\"syncToken\":\"\",\"createDate\":\"\",\"prefixes\":[{}],\"ipv6_prefixes\":[{}]}}",
                join(&v4, |prefix| format!("{{\"ip_prefix\":\"{prefix}\",\"service\":\"x\"}}")),
                join(&v6, |prefix| format!("{{\"ipv6_prefix\":\"{prefix}\",\"service\":\"x\"}}"))
            )
        }
        Format::Abuseipdb => {
            let data = join(&all, |prefix| format!("{{\"ipAddress\":\"{prefix}\",\"x\":[1]}}"));
            format!("{{\"meta\":{{\"generatedAt\":\"\"}},\"data\":[{data}]}}")
        }
        Format::Crowdsec => {
            let new = join(&all, |prefix| {
                format!("{{\"scope\":\"Range\",\"value\":\"{prefix}\",\"type\":\"ban\"}}")
            });
            format!("{{\"deleted\":null,\"new\":[{new}]}}")
        }
        Format::NftJson => {
            let element = |prefix: &str| match prefix.split_once('/') {
                Some((address, length)) => {
                    format!("{{\"prefix\":{{\"addr\":\"{address}\",\"len\":{length}}}}}")
                }
                None => format!("{{\"elem\":{{\"val\":\"{prefix}\"}}}}"),
            };
            let set = |kind: &str, of: &[String]| {
                format!("{{\"set\":{{\"type\":\"{kind}\",\"elem\":[{}]}}}}", join(of, element))
            };
            format!("{{\"nftables\":[{},{}]}}", set("ipv4_addr", &v4), set("ipv6_addr", &v6))
        }
        _ => {
            let rows: Vec<_> = all.iter().map(|prefix| format!(",Range,{prefix}")).collect();
            format!("duration,scope,value\n{}\n", rows.join("\n"))
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(set in prefixes()) {
        for format in [
            Format::Json, Format::Misp, Format::CloudRanges, Format::Abuseipdb, Format::Crowdsec,
            Format::NftJson, Format::CrowdsecCsv,
        ] {
            let text = write(format, &set);
            let feed = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
            prop_assert_eq!((feed.format, &feed.prefixes), (format, &set), "{}", text);
            prop_assert_eq!(feed.tally.rejected, 0, "{}", text);
        }
    }

    #[test]
    fn no_text_is_too_strange(text in "[\\[\\]{}:,\"a1.\\\\ \n]{0,60}") {
        for format in [
            Format::Json, Format::Misp, Format::CloudRanges, Format::Abuseipdb, Format::Crowdsec,
            Format::NftJson, Format::CrowdsecCsv,
        ] {
            let feed = parse(text.as_bytes(), format, &Limits::default());
            prop_assert_eq!(feed.tally.entries, 0, "{}", text);
        }
    }
}
