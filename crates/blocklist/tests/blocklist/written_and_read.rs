//! Sets written in a format and read back: they are the same, the format is
//! told from the text alone, and the sources name what the set holds.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use blocklist::{
    AnyPrefix, Format, FormatChoice, Limits, Prefix, PrefixSet, Prefixes, parse, range_prefixes,
    sources,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// How a set is written.
struct Writer {
    format: Format,
    /// Stands before all entries; their number is written for `N`.
    head: &'static str,
    line: fn(&mut String, AnyPrefix),
    /// Stands behind all entries, as `head`.
    tail: &'static str,
    /// Whether the format has IPv6 entries.
    ipv6: bool,
}

fn ends(prefix: AnyPrefix) -> (IpAddr, IpAddr) {
    match prefix {
        AnyPrefix::V4(prefix) => {
            (Ipv4Addr::from(prefix.first()).into(), Ipv4Addr::from(prefix.last()).into())
        }
        AnyPrefix::V6(prefix) => {
            (Ipv6Addr::from(prefix.first()).into(), Ipv6Addr::from(prefix.last()).into())
        }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn padded(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.octets().map(|octet| format!("{octet:03}")).join("."),
        IpAddr::V6(address) => address.to_string(),
    }
}

/// Writing into a string cannot fail.
macro_rules! line {
    ($text:expr, $($part:tt)+) => {
        writeln!($text, $($part)+).expect("memory")
    };
}

const WRITERS: &[Writer] = &[
    Writer {
        format: Format::Plain,
        head: "# made up\n",
        line: |text, prefix| line!(text, "{prefix}"),
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Firehol,
        head: "#\n# ipv4 hash:net ipset\n#\n# Entries         : N subnets, 1 unique IPs\n#\n",
        line: |text, prefix| line!(text, "{prefix}"),
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Spamhaus,
        head: "; Spamhaus DROP List\n",
        line: |text, prefix| line!(text, "{prefix} ; SBL000001"),
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::SpamhausJson,
        head: "",
        line: |text, prefix| {
            line!(text, "{{\"cidr\":\"{prefix}\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}}");
        },
        tail: "{\"type\":\"metadata\",\"size\":1,\"records\":N}\n",
        ipv6: true,
    },
    Writer {
        format: Format::Ipsum,
        head: "# IP\tnumber of lists\n",
        line: |text, prefix| line!(text, "{prefix}\t3"),
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Rbldnsd,
        head: "$SOA 1 a b 1 1 1 1 1\n:127.0.0.2:see https://example/\n",
        line: |text, prefix| line!(text, "{prefix}"),
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Dshield,
        head: "# x\nStart\tEnd\tNetmask\tAttacks\n",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            line!(text, "{first}\t{}\t{}\t5\t-\t-", padded(last), prefix_length(prefix));
        },
        tail: "",
        ipv6: false,
    },
    Writer {
        format: Format::P2p,
        head: "# List distributed by iblocklist.com\n",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            line!(text, "Label: with - and , in it:{first}-{last}");
        },
        tail: "",
        ipv6: false,
    },
    Writer {
        format: Format::Dat,
        head: "",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            line!(text, "{} - {} , 000 , some, label ", padded(first), padded(last));
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Ranges,
        head: "",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            line!(text, "{first},{last},\"Example, Inc.\",https://example/");
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Ranges,
        head: "",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            line!(text, "\"{}\",\"{}\",\"ZZ\"", number(first), number(last));
        },
        tail: "",
        ipv6: false,
    },
    Writer {
        format: Format::Geofeed,
        head: "# geofeed\n",
        line: |text, prefix| line!(text, "{prefix},ZZ,ZZ-01,\"Some, Town\",12345"),
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Delegated,
        head: "2|apnic|20260101|N|19850701|20260101|+1000\napnic|*|ipv4|*|N|summary\n",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            match prefix {
                AnyPrefix::V4(_) => {
                    let count = number(last) - number(first) + 1;
                    line!(text, "apnic|AU|ipv4|{first}|{count}|20110811|allocated");
                }
                AnyPrefix::V6(_) => {
                    let length = prefix_length(prefix);
                    line!(text, "apnic|AU|ipv6|{first}|{length}|20110811|allocated");
                }
            }
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Maxmind,
        head: "network,geoname_id,registered_country_geoname_id\n",
        line: |text, prefix| {
            line!(text, "{}/{},123,123", ends(prefix).0, prefix_length(prefix));
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::MaxmindAsn,
        head: "network,autonomous_system_number,autonomous_system_organization\n",
        line: |text, prefix| {
            let length = prefix_length(prefix);
            line!(text, "{}/{length},64500,\"Example, Inc.\"", ends(prefix).0);
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Pfx2as,
        head: "",
        line: |text, prefix| {
            line!(text, "{}\t{}\t64500_64501", ends(prefix).0, prefix_length(prefix));
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Iptoasn,
        head: "",
        line: |text, prefix| {
            let (first, last) = ends(prefix);
            line!(text, "{first}\t{last}\t64500\tUS\tEXAMPLE - Example, Inc.");
        },
        tail: "",
        ipv6: true,
    },
    Writer {
        format: Format::Table,
        head: "when,network,port\n",
        line: |text, prefix| line!(text, "\"now, then\",{prefix},443"),
        tail: "",
        ipv6: true,
    },
];

/// Formats of single addresses.
const HOST_WRITERS: &[Writer] = &[
    Writer {
        format: Format::Feodo,
        head: "# banner\n\"first_seen_utc\",\"dst_ip\",\"dst_port\"\n",
        line: |text, prefix| line!(text, "\"2026-01-01 00:00:00\",\"{prefix}\",\"443\""),
        tail: "# END N entries",
        ipv6: true,
    },
    Writer {
        format: Format::TorExits,
        head: "",
        line: |text, prefix| {
            line!(text, "ExitNode 01\nPublished x\nLastStatus y\nExitAddress {prefix} 2026 z");
        },
        tail: "",
        ipv6: true,
    },
];

fn prefix_length(prefix: AnyPrefix) -> u8 {
    match prefix {
        AnyPrefix::V4(prefix) => prefix.length(),
        AnyPrefix::V6(prefix) => prefix.length(),
    }
}

/// Writes the set and reads it again.
fn check(writer: &Writer, set: &Prefixes) -> Result<(), TestCaseError> {
    let ipv6 = if writer.ipv6 { set.ipv6.clone() } else { PrefixSet::new() };
    let mut set = Prefixes { ipv4: set.ipv4.clone(), ipv6 };
    if writer.format == Format::Ranges {
        // Known by its ranges standing one behind the other.
        set = set.without_covered();
    }
    if set.is_empty() {
        return Ok(());
    }
    let count = set.len().to_string();
    let mut text = writer.head.replace('N', &count);
    for prefix in set.iter() {
        (writer.line)(&mut text, prefix);
    }
    text.push_str(&writer.tail.replace('N', &count));
    let feed = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
    prop_assert_eq!(feed.format, writer.format, "{}", text);
    prop_assert_eq!(&feed.rejects, &[], "{}", text);
    prop_assert_eq!(&feed.prefixes, &set, "{}", text);
    prop_assert_eq!(feed.tally.entries, set.len() as u64);
    if let Some(promise) = feed.tally.promised {
        prop_assert_eq!(promise.entries, set.len() as u64);
    }
    for prefix in set.iter().take(1) {
        let (first, _) = ends(prefix);
        let found = sources(text.as_bytes(), FormatChoice::Auto, &Limits::default(), first);
        prop_assert!(found.iter().any(|source| source.prefix == prefix.to_string()), "{}", text);
    }
    Ok(())
}

/// Prefixes that no format has to write as something else. As numbers, those in
/// 0.0.0.0/8 look like anything.
fn sets() -> impl Strategy<Value = Prefixes> {
    let four = vec((any::<u32>(), 8..=32_u8), 0..20);
    // Global unicast, which is outside of the IPv4-mapped addresses.
    let six = vec((any::<u128>(), 16..=128_u8), 0..20);
    (four, six).prop_map(|(four, six)| Prefixes {
        ipv4: four.into_iter().map(|(a, n)| Prefix::containing(a | 1 << 24, n)).collect(),
        ipv6: six.into_iter().map(|(a, n)| Prefix::containing(a >> 3 | 1 << 125, n)).collect(),
    })
}

fn hosts() -> impl Strategy<Value = Prefixes> {
    let four = vec(any::<u32>(), 0..20);
    let six = vec(any::<u128>(), 0..20);
    (four, six).prop_map(|(four, six)| Prefixes {
        ipv4: four.into_iter().map(|a| Prefix::containing(a | 1 << 24, 32)).collect(),
        ipv6: six.into_iter().map(|a| Prefix::containing(a >> 3 | 1 << 125, 128)).collect(),
    })
}

proptest! {
    #[test]
    fn a_set_is_the_same_after_it_was_written_and_read(set in sets()) {
        for writer in WRITERS {
            check(writer, &set)?;
        }
    }

    #[test]
    fn addresses_are_the_same_after_they_were_written_and_read(set in hosts()) {
        for writer in WRITERS.iter().chain(HOST_WRITERS) {
            check(writer, &set)?;
        }
    }

    #[test]
    fn counts_and_ends_of_ranges_need_not_be_aligned(first in any::<u32>(), steps in 0..100_000_u32) {
        let last = first.saturating_add(steps);
        let want: PrefixSet<u32> = range_prefixes(first, last).collect();
        let ip = Ipv4Addr::from;
        let count = u64::from(last) - u64::from(first) + 1;
        for text in [
            format!("apnic|AU|ipv4|{}|{count}|20110811|allocated\n", ip(first)),
            format!("Label:{}-{}\n", ip(first), ip(last)),
            format!("{} - {} , 000 , x\n", padded(ip(first).into()), padded(ip(last).into())),
            format!("{},{},Example\n", ip(first), ip(last)),
        ] {
            let feed = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
            prop_assert_eq!(&feed.prefixes.ipv4, &want, "{}: {}", feed.format, text);
        }
    }
}
