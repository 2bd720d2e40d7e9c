//! Which format a feed is taken for, and that a plain list is never taken for
//! anything else.

use blocklist::{Format, FormatChoice, Limits, RejectReason, detect, parse};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn every_format_has_a_row_in_the_table_of_formats() {
    let table = include_str!("../../formats.md");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    for format in Format::ALL {
        let begins = |row: &&&str| row.starts_with(&format!("| `{format}`"));
        assert_eq!(rows.iter().filter(begins).count(), 1, "{format}");
    }
    assert!(rows.iter().all(|row| row.matches(" |").count() == 5), "five columns");
}

fn check(want: Format, text: &str) {
    let head: String = text.chars().take(60).collect();
    assert_eq!(detect(text.as_bytes()), want, "{head:?}");
    let marked = [b"\xef\xbb\xbf", text.replace('\n', "\r\n").as_bytes()].concat();
    assert_eq!(detect(&marked), want, "{head:?} with a mark and CRLF");
}

#[test]
fn formats_are_told_from_their_content() {
    check(Format::Firehol, "#\n# ipv4 hash:net ipset\n# Entries  : 1 unique IPs\n192.0.2.1\n");
    check(Format::Spamhaus, "; Spamhaus DROP List\n192.0.2.0/24 ; SBL000001\n");
    check(
        Format::SpamhausJson,
        "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"arin\"}\n\
         {\"type\":\"metadata\",\"records\":1}\n",
    );
    check(Format::SpamhausJson, "{\"asn\":64496,\"rir\":\"arin\"}\n");
    check(Format::Ipsum, "# IP\tnumber\n203.0.113.5\t7\n2001:db8::1\t2\n");
    check(
        Format::Dshield,
        "# x\nStart\tEnd\tNetmask\tAttacks\n192.0.2.0\t192.0.2.255\t24\t579\tX\tZZ\n",
    );
    let header = "\"first_seen_utc\",\"dst_ip\",\"dst_port\"\n";
    check(Format::Feodo, &format!("# x\n{header}\"2026\",\"192.0.2.8\",\"443\"\n# END 1 entries"));
    check(Format::Feodo, &format!("# x\n{header}# END 0 entries"));
    check(Format::P2p, "# List\nExample Org:192.0.2.0-192.0.2.255\n");
    check(Format::Dat, "# x\n192.000.002.000 - 192.000.002.255 , 000 , Example\n");
    check(Format::Dat, "010.000.002.000-010.000.002.255\n");
    check(Format::Ranges, "192.0.2.0,192.0.2.255,Example,https://example/\n");
    check(
        Format::Ranges,
        "\"0\",\"16777215\",\"-\",\"-\"\n\"3221225984\",\"3221226239\",\"ZZ\",\"X\"\n",
    );
    check(Format::Ranges, "start_ip,end_ip,x\n192.0.2.0,192.0.2.255,X\n");
    check(
        Format::Ranges,
        "\"0\",\"281470681743359\",\"-\"\n\"281470681743360\",\"281474976710655\",\"-\"\n\
         \"281474976710656\",\"42540528726795050063891204319802818559\",\"-\"\n",
    );
    check(Format::Geofeed, "# geofeed\n192.0.2.0/24,ZZ,ZZ-01,City,\n2001:db8::/32,ZZ,,,\n");
    check(Format::Delegated, "2|apnic|1|2|3|4|+1000\napnic|AU|ipv4|192.0.2.0|256|1|allocated\n");
    check(Format::Maxmind, "network,geoname_id,x\n192.0.2.0/24,1,2\n");
    check(
        Format::MaxmindAsn,
        "network,autonomous_system_number,autonomous_system_organization\n192.0.2.0/24,64500,X\n",
    );
    check(Format::Pfx2as, "192.0.2.0\t24\t64500\n2001:db8::\t32\t64500_64501\n");
    check(
        Format::Iptoasn,
        "192.0.2.0\t192.0.2.255\t64500\tUS\tX\n192.0.3.0\t192.0.3.1\t0\tNone\tNot routed\n",
    );
    check(Format::TorExits, "ExitNode 01\nPublished x\nLastStatus y\nExitAddress 192.0.2.1 z\n");
    check(Format::Rbldnsd, "$SOA 1 a b 1 1 1 1 1\n:127.0.0.2:x\n192.0.2.0/24\n!192.0.2.1\n");
    check(Format::Table, "when,ip,port\nnow,192.0.2.8,443\nthen,192.0.2.9,80\n");
    check(Format::Json, "{\n \"list\": [\n  \"192.0.2.0/24\",\n  \"203.0.113.0/24\"\n ]\n}\n");
}

#[test]
fn what_looks_like_nothing_is_plain() {
    for text in [
        "",
        "\n\n",
        "# only\n# comments\n",
        "Umm... You can only fetch the data every 30 minutes - sorry.\n",
        "<html><body>Your IP: 203.0.113.9</body></html>",
        "\u{0}\u{1}\u{2}",
        "127.0.0.1\tbad.example\n127.0.0.1\tworse.example\n",
        "1,2,3\n4,5,6\n",
        // How many ranges and addresses another program counted.
        "1,4294967296\n",
        // Times of connections, with how many bytes there were.
        "1700000000,1700003599,13335\n1700003600,1700007199,64496\n",
        "203.0.113.5\n203.0.113.6\n203.0.113.7 7\n",
    ] {
        assert_eq!(detect(text.as_bytes()), Format::Plain, "{text:?}");
    }
}

#[test]
fn of_two_columns_with_addresses_none_is_taken() {
    for text in [
        "192.0.2.8,198.51.100.9\n192.0.2.10,198.51.100.3,x\n203.0.113.9,192.0.2.1\n",
        "10.0.0.1,192.0.2.9,80\n10.0.0.1,192.0.2.10,80\n10.0.0.2,192.0.2.9,443\n",
        "192.0.2.0,255.255.255.0\n198.51.100.0,255.255.255.0\n",
        "src\tdst\n192.0.2.8\t198.51.100.9\n",
    ] {
        check(Format::Table, text);
        let feed = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
        assert_eq!(feed.tally.entries, 0, "{text:?}");
        assert!(feed.rejects.iter().all(|reject| reject.reason == RejectReason::NoColumn));
    }
}

#[test]
fn a_long_feed_is_told_from_its_head() {
    let table = "when,ip,port\n".to_owned() + &"now,192.0.2.8,443\n".repeat(100_000);
    check(Format::Table, &table);
    let plain = "192.0.2.1\n".repeat(100_000) + &"192.0.2.1\t7\n".repeat(100_000);
    check(Format::Plain, &plain);
    // A head that ends within a line says nothing about that line.
    let one_line = "192.0.2.1 ".repeat(100_000);
    check(Format::Plain, &one_line);
}

#[test]
fn names_are_read_as_they_are_written() {
    for &format in Format::ALL {
        assert_eq!(format.name().parse::<Format>(), Ok(format));
        assert!(
            format
                .name()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
    }
    let error = "csv".parse::<Format>().expect_err("no such format").to_string();
    assert!(error.contains("plain, ") && error.contains(", table"), "{error}");
}

/// A line of a plain list.
fn plain_line() -> impl Strategy<Value = String> {
    let comment = prop_oneof![
        4 => Just(String::new()),
        1 => "[ \t]?[#;][ -~]{0,20}",
        1 => "[ \t]//[ -~]{0,20}",
    ];
    // Of mapped prefixes, those that are too short are rejects.
    let ipv6 =
        any::<std::net::Ipv6Addr>().prop_filter("not mapped", |ip| ip.to_ipv4_mapped().is_none());
    let entry = prop_oneof![
        4 => any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        2 => (any::<std::net::Ipv4Addr>(), 0..=32_u8).prop_map(|(ip, n)| format!("{ip}/{n}")),
        2 => (ipv6, 0..=128_u8).prop_map(|(ip, n)| format!("{ip}/{n}")),
        1 => (any::<u32>(), 0..1_000_u32).prop_map(|(first, n)| {
            let ip = std::net::Ipv4Addr::from;
            format!("{} - {}", ip(first), ip(first.saturating_add(n)))
        }),
    ];
    (entry, comment).prop_map(|(entry, comment)| entry + &comment + "\n")
}

proptest! {
    #[test]
    fn a_plain_list_is_read_as_one(lines in vec(plain_line(), 1..40), head in "(#[ -~]{0,20}\n){0,4}") {
        let text = head + &lines.concat();
        let found = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
        let plain = parse(text.as_bytes(), Format::Plain, &Limits::default());
        // The other two read plain lists just as well.
        prop_assert!(matches!(found.format, Format::Plain | Format::Firehol | Format::Spamhaus));
        prop_assert_eq!(found.prefixes, plain.prefixes);
        prop_assert_eq!(found.tally, plain.tally);
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, FormatChoice::Auto, &Limits::default());
        for &format in Format::ALL {
            let feed = parse(&bytes, format, &Limits::default());
            prop_assert_eq!(feed.format, format);
        }
    }
}
