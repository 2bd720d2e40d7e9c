//! The formats line by line: what a line of each of them means, and what is
//! none of them.

use blocklist::RejectReason::{self, *};
use blocklist::{
    Column, Exemption, Feed, Format, Limits, Options, exemption_with, parse, parse_with,
};

/// What one line comes to.
enum Want {
    /// Entries, as they are displayed, without comments.
    Entries(&'static [&'static str]),
    /// Defined by the format, and no entry.
    Ignored,
    /// A comment or blank.
    Nothing,
    /// Addresses that the feed takes out.
    Exception,
    Reject(RejectReason),
}
use Want::{Entries, Exception, Ignored, Nothing, Reject};

fn shown(feed: &Feed) -> Vec<String> {
    feed.prefixes.iter().map(|prefix| prefix.to_string()).collect()
}

/// Every line alone, with each kind of line end.
fn check(format: Format, cases: &[(&str, Want)]) {
    for (line, want) in cases {
        for end in ["", "\n", "\r\n", "\r"] {
            let text = format!("{line}{end}");
            let feed = parse(text.as_bytes(), format, &Limits::default());
            let counts = (feed.tally.rejected, feed.tally.ignored, feed.shape.blank);
            let context = format!("{format}: {text:?}");
            match want {
                Entries(prefixes) => {
                    assert_eq!(shown(&feed), *prefixes, "{context}");
                    assert_eq!(counts, (0, 0, 0), "{context}");
                }
                Ignored => assert_eq!((counts, feed.tally.entries), ((0, 1, 0), 0), "{context}"),
                Nothing => assert_eq!((counts, feed.tally.entries), ((0, 0, 1), 0), "{context}"),
                Exception => {
                    assert_eq!((counts, feed.tally.exceptions), ((0, 0, 0), 1), "{context}");
                }
                Reject(reason) => {
                    let got = feed.rejects.first().map(|reject| reject.reason);
                    assert_eq!(got, Some(*reason), "{context}");
                    assert_eq!((feed.tally.rejected, feed.tally.entries), (1, 0), "{context}");
                }
            }
        }
    }
}

/// A file as a whole: prefixes, and promise, whatever its lines end with.
fn check_file(format: Format, text: &str, prefixes: &[&str], promised: Option<u64>) {
    for (mark, end) in [("", "\n"), ("", "\r\n"), ("", "\r"), ("\u{feff}", "\n")] {
        let text = mark.to_owned() + &text.replace("\r\n", "\n").replace('\n', end);
        let feed = parse(text.as_bytes(), format, &Limits::default());
        assert_eq!(shown(&feed), prefixes, "{text:?}");
        assert_eq!(feed.tally.promised.map(|promise| promise.entries), promised, "{text:?}");
        assert_eq!(feed.rejects, [], "{text:?}");
    }
}

const NET: &[&str] = &["192.0.2.0/24"];

#[test]
fn firehol_is_plain_with_a_promise() {
    check(
        Format::Firehol,
        &[
            ("192.0.2.0/24", Entries(NET)),
            ("192.0.2.1", Entries(&["192.0.2.1"])),
            ("# Category        : attacks", Nothing),
            ("192.0.2", Reject(OctetCount)),
        ],
    );
    let head = "#\n# x\n#\n# ipv4 hash:net ipset\n#\n";
    let body = "\n192.0.2.0/24\n";
    for (line, promised) in [
        ("# Entries         : 1 subnets, 256 unique IPs", Some(1)),
        ("# Entries         : 7 unique IPs", Some(7)),
        ("# Entries         : many", None),
        ("# Entries         : 18446744073709551616 unique IPs", None),
        ("# Entries         : -1 subnets", None),
        ("# Entries", None),
    ] {
        check_file(Format::Firehol, &format!("{head}{line}{body}"), NET, promised);
    }
    // What stands behind the first entry is not the header.
    check_file(Format::Firehol, &format!("{body}# Entries : 9 subnets, 9 unique IPs\n"), NET, None);
}

#[test]
fn spamhaus_text_is_plain_with_references() {
    check(
        Format::Spamhaus,
        &[
            ("192.0.2.0/24 ; SBL000001", Entries(NET)),
            ("2001:db8::/32 ; SBL000002", Entries(&["2001:db8::/32"])),
            ("; Spamhaus DROP List 2026/01/01", Nothing),
            ("192.0.2.0/24 SBL000001", Reject(Trailing)),
        ],
    );
}

#[test]
fn spamhaus_json_has_a_record_a_line() {
    check(
        Format::SpamhausJson,
        &[
            (r#"{"cidr":"192.0.2.0/24","sblid":"SBL000002","rir":"arin"}"#, Entries(NET)),
            (r#"{"sblid":null,"cidr":"2001:db8::\/32"}"#, Entries(&["2001:db8::/32"])),
            (r#"{"asn":64496,"rir":"arin","asname":"É"}"#, Ignored),
            (r#"{"type":"metadata","records":2,"size":120}"#, Ignored),
            (r#"{"cidr":"192.0.2.0/33"}"#, Reject(PrefixLength { max: 32 })),
            (r#"{"cidr":"010.0.2.0/24"}"#, Reject(LeadingZero)),
            (r#"{"cidr":7}"#, Reject(Foreign)),
            (r#"{"cidr":"192.0.2.0/24""#, Reject(Foreign)),
            (r#"{"errors":[{"status":429}]}"#, Reject(Foreign)),
            ("192.0.2.0/24", Reject(Foreign)),
            (r#"["192.0.2.0/24"]"#, Reject(Foreign)),
            ("<html>", Reject(Foreign)),
            (" ", Nothing),
        ],
    );
    let text = "{\"cidr\":\"192.0.2.0/24\"}\n{\"asn\":1}\n{\"type\":\"metadata\",\"records\":3}\n";
    check_file(Format::SpamhausJson, text, NET, Some(2));
}

#[test]
fn ipsum_has_a_count_behind_each_address() {
    check(
        Format::Ipsum,
        &[
            ("203.0.113.5\t7", Entries(&["203.0.113.5"])),
            ("2001:db8::5\t12", Entries(&["2001:db8::5"])),
            ("203.0.113.5 7", Entries(&["203.0.113.5"])),
            ("# IP\tnumber of (black)lists", Nothing),
            ("203.0.113.5", Reject(MissingField)),
            ("203.0.113.5\tseven", Reject(Trailing)),
            ("203.0.113.5\t203.0.113.6", Reject(Trailing)),
            ("203.0.113\t7", Reject(OctetCount)),
            ("23 14", Reject(NotAnAddress)),
        ],
    );
}

#[test]
fn dshield_has_ranges_and_masks_that_agree() {
    check(
        Format::Dshield,
        &[
            ("192.0.2.0\t192.0.2.255\t24\t579\tEXAMPLE-NET\tZZ\tabuse@example.net", Entries(NET)),
            ("192.0.2.0\t192.0.2.255\t24\t12\t-\t-", Entries(NET)),
            ("192.0.2.0\t192.0.2.255\t255.255.255.0\t12", Entries(NET)),
            ("192.000.002.000\t192.000.002.255\t24", Entries(NET)),
            ("010.001.002.000\t010.001.002.255\t24", Entries(&["10.1.2.0/24"])),
            ("192.0.2.0\t192.0.2.255", Entries(NET)),
            ("192.0.2.0\t192.0.2.255\t-\t-", Entries(NET)),
            ("Start\tEnd\tNetmask\tAttacks\tName\tCountry\temail", Ignored),
            ("#   updated: 2026-01-01T00:00:00", Nothing),
            ("192.0.2.0\t192.0.2.255\t16", Reject(Netmask)),
            ("192.0.2.0\t192.0.2.255\t255.0.255.0", Reject(Netmask)),
            ("192.0.2.1\t192.0.2.255\t24", Reject(Netmask)),
            ("192.0.2.0\t192.0.2.255\t33", Reject(Netmask)),
            ("192.0.2.255\t192.0.2.0\t24", Reject(Reversed)),
            ("192.0.2.0", Reject(MissingField)),
            ("192.0.02.0\t192.0.2.255\t24", Reject(LeadingZero)),
            ("Please wait", Reject(MissingField)),
        ],
    );
}

#[test]
fn feodo_has_addresses_in_the_column_of_its_header() {
    let row = r#""2026-01-01 00:00:00","192.0.2.8","443","offline","2026-01-02","Example""#;
    let header = r#""first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware""#;
    check(
        Format::Feodo,
        &[
            (row, Entries(&["192.0.2.8"])),
            (header, Ignored),
            ("# abuse.ch Feodo Tracker", Nothing),
            ("# END 28 entries", Nothing),
            (r#""2026-01-01","192.0.2.0/24","443""#, Reject(NotAnAddress)),
            (r#""2026-01-01","192.0.2.8:443""#, Reject(Port)),
            (r#""2026-01-01""#, Reject(MissingField)),
            (r#""2026-01-01","""#, Reject(MissingField)),
        ],
    );
    let text = format!("{header}\n{row}\n# END 1 entries");
    check_file(Format::Feodo, &text, &["192.0.2.8"], Some(1));
    check_file(Format::Feodo, &format!("{text}\r\n\r\n"), &["192.0.2.8"], Some(1));
    check_file(Format::Feodo, &format!("{header}\n# END 0 entries"), &[], Some(0));
    check_file(Format::Feodo, "# END 0 entries", &[], Some(0));
    let moved = "\"dst_ip\",\"first_seen_utc\"\n\"192.0.2.8\",\"198.51.100.1\"\n";
    check_file(Format::Feodo, moved, &["192.0.2.8"], None);
}

#[test]
fn p2p_has_a_range_behind_the_last_colon() {
    check(
        Format::P2p,
        &[
            ("Example Org:192.0.2.0-192.0.2.255", Entries(NET)),
            ("Label: with colon, and-dash:192.0.2.0-192.0.2.255", Entries(NET)),
            (":192.0.2.0-192.0.2.255", Entries(NET)),
            ("1.2.3.4:192.0.2.0 - 192.0.2.255", Entries(NET)),
            ("a:198.51.100.7-198.51.100.7", Entries(&["198.51.100.7"])),
            ("# List distributed by iblocklist.com", Nothing),
            ("192.0.2.0-192.0.2.255", Reject(Foreign)),
            ("label:192.0.2.1", Reject(Foreign)),
            ("label:192.0.2.9-192.0.2.1", Reject(Reversed)),
            ("label:010.0.2.1-010.0.2.9", Reject(LeadingZero)),
            ("label:2001:db8::1-2001:db8::2", Reject(Foreign)),
            ("label:1-2", Reject(NotAnAddress)),
            ("label:192.0.2.1-192.0.2.2:x", Reject(Foreign)),
        ],
    );
    let latin1 = b"Soci\xe9t\xe9:192.0.2.0-192.0.2.255\n";
    let feed = parse(latin1, Format::P2p, &Limits::default());
    assert_eq!(shown(&feed), NET);
}

#[test]
fn dat_has_padded_decimals_and_levels() {
    check(
        Format::Dat,
        &[
            ("192.000.002.000 - 192.000.002.255 , 000 , Example Org", Entries(NET)),
            ("192.0.2.0 - 192.0.2.255 , 0 , ", Entries(NET)),
            ("192.0.2.0 - 192.0.2.255 , 126 , a, b", Entries(NET)),
            ("192.0.2.0-192.0.2.255", Entries(NET)),
            ("192.0.2.0-192.0.2.255,,label", Entries(NET)),
            ("010.001.002.000 - 010.001.002.255 , 8 , x", Entries(&["10.1.2.0/24"])),
            ("2001:db8::1 - 2001:db8::1 , 0 , six", Entries(&["2001:db8::1"])),
            ("192.0.2.0 - 192.0.2.255 , 127 , neither", Ignored),
            ("192.0.2.0 - 192.0.2.255 , 128 , allowed", Exception),
            ("192.0.2.0 - 192.0.2.255 , 255 , allowed", Exception),
            ("# comment", Nothing),
            ("; comment", Nothing),
            ("// comment", Nothing),
            ("192.0.2.0 - 192.0.2.255 , 256 , x", Reject(Number)),
            ("192.0.2.0 - 192.0.2.255 , -1 , x", Reject(Number)),
            ("192.0.2.0 - 192.0.2.255 , high , x", Reject(Number)),
            ("192.0.2.1 , 0 , one", Reject(Foreign)),
            ("192.0.02.0 - 192.0.2.255 , 0 , x", Reject(LeadingZero)),
            ("0192.0.2.0 - 192.0.2.255 , 0 , x", Reject(LeadingZero)),
            ("192.0.2.255 - 192.0.2.0 , 0 , x", Reject(Reversed)),
            ("256.000.000.000 - 256.000.000.001 , 0 , x", Reject(OctetValue)),
        ],
    );
    let text = "192.0.2.0 - 192.0.2.255 , 0 , x\n192.0.2.128 - 192.0.2.255 , 200 , y\n";
    check_file(Format::Dat, text, &["192.0.2.0/25"], None);
}

#[test]
fn ranges_are_two_addresses_or_two_numbers() {
    check(
        Format::Ranges,
        &[
            ("192.0.2.0,192.0.2.255,Example,https://example/", Entries(NET)),
            ("\"192.0.2.0\",\"192.0.2.255\",\"A, B\"", Entries(NET)),
            ("192.0.2.0,192.0.2.255", Entries(NET)),
            ("2001:db8::,2001:db8::,ZZ", Entries(&["2001:db8::"])),
            ("\"3221225984\",\"3221226239\",\"ZZ\",\"Example\"", Entries(NET)),
            ("0,16777215,-,-", Entries(&["0.0.0.0/8"])),
            ("281473902969344,281473902969599,ZZ", Entries(NET)),
            (
                "42540766411282592856903984951653826560,42540766411282592856903984951653826561",
                Entries(&["2001:db8::/127"]),
            ),
            ("start_ip,end_ip,country", Ignored),
            ("# comment", Nothing),
            ("192.0.2.0", Reject(MissingField)),
            ("192.0.2.0,", Reject(NotAnAddress)),
            ("192.0.2.0,3221226239", Reject(NotAnAddress)),
            ("192.0.2.0,2001:db8::", Reject(Families)),
            ("192.0.2.9,192.0.2.1", Reject(Reversed)),
            ("3221226239,3221225984", Reject(Reversed)),
            ("0,340282366920938463463374607431768211456", Reject(NotAnAddress)),
            ("03221225984,3221226239", Reject(NotAnAddress)),
            ("192.0.2.0-192.0.2.255,x", Reject(NotAnAddress)),
        ],
    );
}

#[test]
fn geofeeds_begin_with_a_prefix() {
    check(
        Format::Geofeed,
        &[
            ("192.0.2.0/24,ZZ,ZZ-01,City,", Entries(NET)),
            ("2001:db8::/32,,,,", Entries(&["2001:db8::/32"])),
            ("192.0.2.5,ZZ", Entries(&["192.0.2.5"])),
            ("\"192.0.2.0/24\",ZZ,ZZ-01,\"City, Town\",", Entries(NET)),
            ("# prefix,country_code,region_code,city,postal", Nothing),
            ("192.0.2.0-192.0.2.9,ZZ,,,", Reject(Foreign)),
            (",ZZ,,,", Reject(MissingField)),
            ("ZZ,192.0.2.0/24", Reject(NotAnAddress)),
        ],
    );
}

#[test]
fn delegated_statistics_count_addresses() {
    check(
        Format::Delegated,
        &[
            ("apnic|AU|ipv4|192.0.2.0|256|20110811|allocated", Entries(NET)),
            (
                "apnic|AU|ipv4|192.0.2.0|3|20110811|assigned",
                Entries(&["192.0.2.0/31", "192.0.2.2"]),
            ),
            ("apnic|AU|ipv6|2001:db8::|32|20110811|allocated", Entries(&["2001:db8::/32"])),
            ("ripencc|DE|ipv4|192.0.2.0|256|20110811|allocated|e1c2|x", Entries(NET)),
            ("2|apnic|20101217|23704|19850701|20101216|+1000", Ignored),
            ("2.3|arin|20260101|9|19850701|20260101|-0500", Ignored),
            ("apnic|*|asn|*|3961|summary", Ignored),
            ("apnic|*|ipv4|*|18242|summary", Ignored),
            ("apnic|JP|asn|173|1|20020801|allocated", Ignored),
            ("apnic||ipv4|192.0.2.0|256||available", Ignored),
            ("apnic||ipv6|2001:db8::|32||reserved", Ignored),
            ("# CONDITIONS OF USE", Nothing),
            ("apnic|AU|ipv4|192.0.2.0|0|20110811|allocated", Reject(Number)),
            ("apnic|AU|ipv4|192.0.2.0|x|20110811|allocated", Reject(Number)),
            ("apnic|AU|ipv4|255.255.255.0|257|20110811|allocated", Reject(Number)),
            ("apnic|AU|ipv4|0.0.0.0|4294967297|20110811|allocated", Reject(Number)),
            ("apnic|AU|ipv6|2001:db8::|129|20110811|allocated", Reject(PrefixLength { max: 128 })),
            ("apnic|AU|ipv4|192.0.2.0|256|20110811|lost", Reject(Foreign)),
            ("apnic|AU|ipv4|192.0.2.0", Reject(Foreign)),
            ("192.0.2.0/24", Reject(Foreign)),
        ],
    );
    let text = "2|apnic|20101217|4|1|2|+1000\napnic|*|ipv4|*|2|summary\napnic|*|ipv6|*|1|summary\n\
                apnic|AU|ipv4|192.0.2.0|256|1|allocated\napnic||ipv4|10.0.0.0|256||reserved\n";
    check_file(Format::Delegated, text, NET, Some(2));
}

#[test]
fn maxmind_has_networks_in_the_first_column() {
    check(
        Format::Maxmind,
        &[
            ("192.0.2.0/24,123,123,,0,0", Entries(NET)),
            ("2001:db8::/32,64496,\"Example, Inc.\"", Entries(&["2001:db8::/32"])),
            ("network,geoname_id,registered_country_geoname_id", Ignored),
            ("geoname_id,locale_code,continent_code", Reject(NotAnAddress)),
        ],
    );
}

#[test]
fn tor_exits_are_in_lines_of_their_own() {
    check(
        Format::TorExits,
        &[
            ("ExitAddress 192.0.2.10 2026-01-01 01:02:03", Entries(&["192.0.2.10"])),
            ("ExitNode 0123456789ABCDEF0123456789ABCDEF01234567", Ignored),
            ("Published 2026-01-01 00:00:00", Ignored),
            ("LastStatus 2026-01-01 01:00:00", Ignored),
            ("@type tordnsel 1.0", Ignored),
            ("ExitAddress", Reject(MissingField)),
            ("ExitAddress host.example 2026-01-01", Reject(NotAnAddress)),
            ("192.0.2.10", Reject(Foreign)),
            ("Umm... You can only fetch the data every 30 minutes", Reject(Foreign)),
        ],
    );
}

#[test]
fn rbldnsd_zones_have_answers_and_exceptions() {
    check(
        Format::Rbldnsd,
        &[
            ("192.0.2.0/24", Entries(NET)),
            ("192.0.2.0/24 :127.0.0.2:see https://example/", Entries(NET)),
            ("192.0.2.0-192.0.2.255", Entries(NET)),
            ("2001:db8::/32", Entries(&["2001:db8::/32"])),
            ("!192.0.2.1", Exception),
            ("! 192.0.2.1", Exception),
            (":127.0.0.2:text with 192.0.2.1", Ignored),
            ("$SOA 3600 ns.example. admin.example. 0 600 300 86400 300", Ignored),
            ("# comment", Nothing),
            ("; comment", Nothing),
            ("192.0.2", Reject(OctetCount)),
            ("192.0.2.1-9", Reject(NotAnAddress)),
            ("!bad.example", Reject(NotAnAddress)),
        ],
    );
    let text = "$SOA 1 a b 1 1 1 1 1\n:127.0.0.2:x\n192.0.2.0/24\n!192.0.2.128/25\n";
    check_file(Format::Rbldnsd, text, &["192.0.2.0/25"], None);
}

/// Asserts by which line a feed takes an address out, over which others.
fn check_exemption(format: Format, text: &str, address: &str, want: Option<(u64, &[u64])>) {
    let address = address.parse().expect("an address");
    let (options, limits) = (Options::default(), Limits::default());
    let found = exemption_with(text.as_bytes(), format, &options, &limits, address);
    let lines = |Exemption { by, over }: Exemption| {
        let shown = text.lines().nth(usize::try_from(by.line).ok()? - 1);
        assert_eq!(Some(&*by.text), shown, "{text}");
        Some((by.line, over.iter().map(|source| source.line).collect()))
    };
    let want = want.map(|(by, over)| (by, over.to_vec()));
    assert_eq!(found.and_then(lines), want, "{address} in {text}");
}

#[test]
fn an_exemption_has_the_first_line_that_takes_the_address_out() {
    let zone = ":127.0.0.2:x\n192.0.2.0/24\n!192.0.2.128/25\n";
    check_exemption(Format::Rbldnsd, zone, "192.0.2.200", Some((3, &[2])));
    check_exemption(Format::Rbldnsd, zone, "192.0.2.7", None);

    let sets = "add a 192.0.2.0/24\nadd b 192.0.0.0/16\nadd b 192.0.2.7 nomatch\n\
                add a 192.0.2.7 nomatch\nadd a 192.0.2.8 nomatch\nadd c 198.51.100.7 nomatch\n";
    check_exemption(Format::Ipset, sets, "192.0.2.7", Some((3, &[1, 2])));
    check_exemption(Format::Ipset, sets, "192.0.2.8", None);
    check_exemption(Format::Ipset, sets, "198.51.100.7", Some((6, &[])));
}

/// A table read with a column.
fn check_table(text: &str, column: Option<Column>, want: Result<&[&str], RejectReason>) {
    let options = Options { column, ..Options::default() };
    let feed = parse_with(text.as_bytes(), Format::Table, &options, &Limits::default());
    match want {
        Ok(prefixes) => {
            assert_eq!(shown(&feed), prefixes, "{text:?}");
            assert_eq!(feed.rejects, [], "{text:?}");
        }
        Err(reason) => {
            assert_eq!(feed.tally.entries, 0, "{text:?}");
            assert_eq!(feed.rejects.first().map(|reject| reject.reason), Some(reason), "{text:?}");
        }
    }
}

#[test]
fn a_table_has_its_addresses_in_one_column() {
    let name = |name: &str| Some(Column::Name(name.to_owned()));
    let one = &["192.0.2.8"][..];
    check_table("when,ip,port\nnow,192.0.2.8,443\n", None, Ok(one));
    check_table("now\t192.0.2.8\t443\n", None, Ok(one));
    check_table("now;192.0.2.8;443\n", None, Ok(one));
    check_table("\"a,b\",\"192.0.2.8\"\n", None, Ok(one));
    check_table("# Firstseen,DstIP,DstPort\nnow,192.0.2.8,443\n", name("DstIP"), Ok(one));
    check_table("ip,%,#\n192.0.2.8,1,2\n", None, Ok(one));
    check_table("a;b,c\td\n192.0.2.8;1,1\t2\n", name("a"), Ok(one));
    check_table("a,192.0.2.8\nb,2001:db8::/32\n", None, Ok(&["192.0.2.8", "2001:db8::/32"]));

    let two = "src,dst\n192.0.2.8,198.51.100.9\n";
    check_table(two, None, Err(NoColumn));
    check_table(two, Some(Column::Number(1)), Ok(one));
    check_table(two, Some(Column::Number(2)), Ok(&["198.51.100.9"]));
    check_table(two, name("src"), Ok(one));
    check_table(two, name("dst"), Ok(&["198.51.100.9"]));
    check_table(two, name("Src"), Err(NoColumn));
    check_table(two, Some(Column::Number(0)), Err(NoColumn));
    check_table(two, Some(Column::Number(3)), Err(MissingField));

    check_table("a,b\n1,\n", Some(Column::Number(2)), Err(MissingField));
    check_table("a,b\nc,d\n", None, Err(NoColumn));
    check_table("1,192.0.2.8:443\n", Some(Column::Number(2)), Err(Port));
    check_table("127.0.0.1\tbad.example\n0.0.0.0\tworse.example\n", None, Err(NoColumn));
}
