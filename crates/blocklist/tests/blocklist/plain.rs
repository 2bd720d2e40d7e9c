//! The plain format: lines, comments, blanks, limits, and the account of every
//! line.

use std::net::IpAddr;

use blocklist::RejectReason::{self, *};
use blocklist::{
    AnyPrefix, Feed, Format, Limits, Options, Prefixes, parse, parse_at, parse_with, sources,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn read(bytes: &[u8]) -> Feed {
    parse(bytes, Format::Plain, &Limits::default())
}

/// What a feed holds, as text.
fn prefixes(feed: &Feed) -> Vec<String> {
    feed.prefixes.iter().map(|prefix| prefix.to_string()).collect()
}

/// One line, read in every surrounding in which it must mean the same.
fn check(line: &str, want: Result<&[&str], RejectReason>) {
    let padding = "# there are more than enough bytes after this line\n";
    for end in ["", "\n", "\r\n", "\r"] {
        for after in if end.is_empty() { [""; 2] } else { ["", padding] } {
            let text = format!("{padding}{line}{end}{after}");
            let feed = read(text.as_bytes());
            let got = feed.rejects.first().map(|reject| (reject.line, reject.reason));
            match want {
                Ok(want) => {
                    assert_eq!(got, None, "{text:?}");
                    assert_eq!(prefixes(&feed), want, "{text:?}");
                }
                Err(reason) => {
                    assert_eq!(got, Some((2, reason)), "{text:?}");
                    assert!(feed.prefixes.is_empty(), "{text:?}");
                }
            }
            let lines =
                1 + u64::from(!line.is_empty() || !end.is_empty()) + u64::from(!after.is_empty());
            assert_eq!(feed.shape.lines, lines, "{text:?}");
        }
    }
}

#[test]
fn a_line_is_an_entry_with_blanks_and_comments_around_it() {
    check("192.0.2.1", Ok(&["192.0.2.1"]));
    check("192.0.2.0/24", Ok(&["192.0.2.0/24"]));
    check("192.0.2.7/24", Ok(&["192.0.2.0/24"]));
    check("0.0.0.0/0", Ok(&["0.0.0.0/0"]));
    check("1.2.3.4/0", Err(ZeroLength));
    check("2001:db8::1/0", Err(ZeroLength));
    check("0.0.0.0/8", Ok(&["0.0.0.0/8"]));
    check("255.255.255.255/32", Ok(&["255.255.255.255"]));
    check("192.0.2.0/24 ", Ok(&["192.0.2.0/24"]));
    check("  192.0.2.1\t", Ok(&["192.0.2.1"]));
    check("\u{a0}192.0.2.1\u{a0}", Ok(&["192.0.2.1"]));
    check("\u{2003}2001:db8::1\u{3000}", Ok(&["2001:db8::1"]));
    check("192.0.2.0/24 ; SBL000001", Ok(&["192.0.2.0/24"]));
    check("192.0.2.0/24;SBL000001", Ok(&["192.0.2.0/24"]));
    check("192.0.2.1# here; and there", Ok(&["192.0.2.1"]));
    check("192.0.2.1 // here", Ok(&["192.0.2.1"]));
    check("192.0.2.0/24\t//here", Ok(&["192.0.2.0/24"]));
    check("192.0.2.1 # 2001:db8::1", Ok(&["192.0.2.1"]));
    check("2001:db8::/32 ; SBL000002", Ok(&["2001:db8::/32"]));
    check("2001:db8::", Ok(&["2001:db8::"]));
    check("::ffff:192.0.2.1", Ok(&["192.0.2.1"]));
    check("192.0.2.0/255.255.255.0", Ok(&["192.0.2.0/24"]));
    check("192.0.2.1 - 192.0.2.4", Ok(&["192.0.2.1", "192.0.2.2/31", "192.0.2.4"]));
    check("192.0.2.1-192.0.2.2 # two", Ok(&["192.0.2.1", "192.0.2.2"]));
    check("2001:db8::1-2001:db8::2", Ok(&["2001:db8::1", "2001:db8::2"]));
}

#[test]
fn a_line_without_an_entry_is_no_reject() {
    for line in [
        "",
        " ",
        "\t \u{a0}",
        "#",
        "# 192.0.2.1",
        ";",
        "//",
        " // 192.0.2.1",
        "  ; x",
        "#\u{1b}[2J",
        "\x0b\x0c",
    ] {
        check(line, Ok(&[]));
    }
}

#[test]
fn a_line_with_anything_else_is_one_reject() {
    check("192.0.2.1 192.0.2.2", Err(Trailing));
    check("203.0.113.5\t7", Err(Trailing));
    check("192.0.2.0 255.255.255.0", Err(Trailing));
    check("192.0.2.0/24 some-network", Err(Trailing));
    check("192.0.2.1-192.0.2.2 x", Err(Trailing));
    check("2001:db8::1 x", Err(Trailing));
    check("192.0.2.1 -", Err(Trailing));
    check("192.0.2.9 - 192.0.2.3", Err(Reversed));
    check("192.0.2.1 - 2001:db8::1", Err(Families));
    check("192.0.2.0\t192.0.2.255\t24\t579", Err(Trailing));
    check("192.0.2.0 / 24", Err(Trailing));
    check("192.0.2.1// comment", Err(PrefixLength { max: 32 }));
    check("http://192.0.2.1/", Err(NotAnAddress));
    check("Please wait 30 minutes", Err(NotAnAddress));
    check("deny 192.0.2.1;", Err(NotAnAddress));
    check("add bl 192.0.2.0/24", Err(NotAnAddress));
    check("192.0.2.1,spam", Err(NotAnAddress));
    check("\u{feff}192.0.2.1", Err(NotAnAddress));
    check("\u{200b}192.0.2.1", Err(NotAnAddress));
    check("192.0.2.1\0", Err(NotAnAddress));
    check("192.0.2.256", Err(OctetValue));
    check("192.0.2.01", Err(LeadingZero));
    check("192.0.2.1/33", Err(PrefixLength { max: 32 }));
    check("192.0.2.1/032", Err(PrefixLength { max: 32 }));
    check("192.0.2.1/00", Err(PrefixLength { max: 32 }));
    check("192.0.2.1/100", Err(PrefixLength { max: 32 }));
    check("192.0.2.1/", Err(PrefixLength { max: 32 }));
    check("192.0.2.1/:", Err(PrefixLength { max: 32 }));
    check("1923.0.2.1", Err(OctetValue));
    check("192.0.2.", Err(OctetCount));
    check("192.0.2", Err(OctetCount));
    check("192.0.2.1.", Err(OctetCount));
}

#[test]
fn all_line_ends_count_alike() {
    let feed = read(b"192.0.2.1\r\n192.0.2.2\r192.0.2.3\n\r\n\n\r192.0.2.4");
    assert_eq!(feed.tally.entries, 4);
    assert_eq!(feed.shape.lines, 7);
    assert_eq!(feed.shape.blank, 3);
    assert!(feed.shape.unfinished_line);
    assert!(!read(b"192.0.2.1\r").shape.unfinished_line);
    assert!(!read(b"").shape.unfinished_line);
}

#[test]
fn a_truncated_last_line_is_never_a_shorter_address() {
    let feed = read(b"192.0.2.1\n223.13.255");
    assert_eq!(prefixes(&feed), ["192.0.2.1"]);
    assert_eq!(feed.rejects[0].reason, OctetCount);
    assert!(feed.shape.unfinished_line);
}

#[test]
fn marks_at_the_beginning_say_the_encoding() {
    let feed = read(b"\xef\xbb\xbf192.0.2.1\n");
    assert_eq!((prefixes(&feed), feed.tally.rejected), (vec!["192.0.2.1".to_owned()], 0));
    for bytes in [b"\xff\xfe1\x00\n\x00", b"\xfe\xff\x001\x00\n"] {
        let feed = read(bytes);
        assert!(!feed.shape.utf16);
        assert_eq!((feed.tally.rejected, &*feed.rejects[0].text), (1, "1"));
    }
    for bytes in [&b"\xff\xfe1\x00\n"[..], b"\xfe\xff\xd8\x00\x00\n"] {
        let feed = read(bytes);
        assert!(feed.shape.utf16 && feed.prefixes.is_empty());
        assert_eq!((feed.tally.rejected, feed.shape.lines), (1, 1));
        assert_eq!((feed.rejects[0].line, feed.rejects[0].reason), (1, Utf16));
    }
}

#[test]
fn what_is_not_a_list_is_noticed() {
    assert!(read(b"\xef\xbb\xbf \r\n\t<!DOCTYPE html>\n").shape.markup);
    assert!(!read(b"# <b>\n192.0.2.1\n").shape.markup);
    assert!(read(b"192.0.2.1\n\0\0\0\0\n").shape.binary);
    assert!(read(b"# \0\n").shape.binary);
    assert!(!read(b"192.0.2.1\n").shape.binary);
}

#[test]
fn a_line_that_is_too_long_is_one_reject() {
    let limits = Limits::default();
    let exactly = format!("#{}", "x".repeat(limits.line_bytes_max - 1));
    assert_eq!(read(exactly.as_bytes()).tally.rejected, 0);
    let above = format!("192.0.2.1\n{}\n192.0.2.2", " ".repeat(limits.line_bytes_max + 1));
    let feed = read(above.as_bytes());
    assert_eq!((feed.tally.entries, feed.tally.rejected), (2, 1));
    assert_eq!(feed.rejects[0].reason, LineLength { max: 4_096 });
    let huge = read("1.2.3.4,".repeat(4_000_000).as_bytes());
    assert_eq!((huge.tally.rejected, huge.tally.entries), (1, 0));
    assert_eq!(huge.rejects[0].text.len(), limits.text_bytes_max + "…".len());

    let short = Limits { line_bytes_max: 8, ..limits };
    let feed = parse(b"192.0.2.1\n1.2.3.4\n# a comment beyond the limit\n", Format::Plain, &short);
    assert_eq!((feed.tally.entries, feed.tally.rejected), (1, 2));
}

#[test]
fn rejects_are_counted_all_and_kept_few() {
    let feed = read("\x1b[31mnonsense\n".repeat(1_000).as_bytes());
    assert_eq!(feed.tally.rejected, 1_000);
    assert_eq!(feed.rejects.len(), 20);
    assert_eq!(feed.rejects[19].line, 20);
    assert_eq!(feed.rejects[0].text, "\\u{1b}[31mnonsense");
}

#[test]
fn reading_stops_at_the_most_entries() {
    let limits = Limits { entries_max: 3, ..Limits::default() };
    let check = |text: &str, entries: u64, over: bool| {
        let feed = parse(text.as_bytes(), Format::Plain, &limits);
        assert_eq!((feed.tally.entries, feed.shape.over_entries_max), (entries, over), "{text:?}");
        assert!(feed.prefixes.len() <= 3);
    };
    let line = |n: u8| format!("192.0.2.{n}\n");
    check(&[line(1), line(2), line(3)].concat(), 3, false);
    check(&[line(1), line(2), line(3), line(4)].concat(), 3, true);
    check(&"192.0.2.1\n".repeat(9), 3, true);
    check("192.0.2.1-192.0.2.4\n", 1, false);
    check("192.0.2.1-192.0.2.5\n192.0.2.1-192.0.2.5\n", 1, true);
    check("0.0.0.1-255.255.255.254\n", 0, true);
    check("::1\n::2\n::3\n::4\n", 3, true);
}

#[test]
fn duplicates_are_entries_that_mean_the_same() {
    let check = |text: &str, duplicates: u64| {
        assert_eq!(read(text.as_bytes()).tally.duplicates, duplicates, "{text:?}");
    };
    check("192.0.2.1\n192.0.2.1/32\n192.0.2.1-192.0.2.1\n::ffff:192.0.2.1\n", 3);
    check("192.0.2.0/24\n192.0.2.9/24\n192.0.2.0/255.255.255.0\n192.0.2.0-192.0.2.255\n", 3);
    check("192.0.2.0/24\n192.0.2.0/25\n", 0);
    check("192.0.2.1-192.0.2.2\n192.0.2.1\n192.0.2.2\n", 0);
    check("192.0.2.1-192.0.2.2\n192.0.2.1 - 192.0.2.2\n", 1);
    check("2001:db8::1\n2001:DB8:0::1\n", 1);
}

#[test]
fn the_numbers_add_up() {
    let feed = read(
        b"# head\n192.0.2.1\n192.0.2.1\n192.0.2.7/24\n2001:db8::1/64\n10.0.0.1-10.0.0.6\nx\n\n",
    );
    let tally = feed.tally;
    assert_eq!((tally.entries, tally.ipv4, tally.ipv6), (5, 4, 1));
    assert_eq!((tally.duplicates, tally.rejected, tally.masked), (1, 1, 2));
    assert_eq!(tally.distinct(), 4);
    assert_eq!((feed.shape.lines, feed.shape.blank), (8, 2));
}

#[test]
fn every_line_that_names_an_address_is_a_source() {
    let text = b"# 192.0.2.5\n192.0.2.5 # \x1bme\n192.0.2.0/24\n10.0.0.1\n192.0.2.1 - 192.0.2.9\nx\n::/0\n";
    let ask = |address: &str| {
        let address: IpAddr = address.parse().expect("an address");
        let found = sources(text, Format::Plain, &Limits::default(), address);
        found
            .into_iter()
            .map(|source| (source.line, source.text, source.prefix))
            .collect::<Vec<_>>()
    };
    let owned = |line, text: &str, prefix: &str| (line, text.to_owned(), prefix.to_owned());
    let expected = [
        owned(2, "192.0.2.5 # \\u{1b}me", "192.0.2.5"),
        owned(3, "192.0.2.0/24", "192.0.2.0/24"),
        owned(5, "192.0.2.1 - 192.0.2.9", "192.0.2.1-192.0.2.9"),
    ];
    assert_eq!(ask("192.0.2.5"), expected);
    assert_eq!(ask("::ffff:192.0.2.5"), expected);
    assert_eq!(ask("2001:db8::1"), [owned(7, "::/0", "::/0")]);
    assert_eq!(ask("203.0.113.1"), []);
    let many = "192.0.2.5\n".repeat(1_000);
    let limits = Limits::default();
    let found = sources(many.as_bytes(), Format::Plain, &limits, [192, 0, 2, 5].into());
    assert_eq!(found.len(), limits.sources_kept);
}

/// Lines that look like entries, and some that nearly do.
fn line() -> impl Strategy<Value = String> {
    let end = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\r")];
    let body = prop_oneof![
        6 => "([0-9]{1,3}\\.){3}[0-9]{1,3}",
        3 => "([0-9]{1,3}\\.){3}[0-9]{1,3}/[0-9]{1,3}",
        2 => "[0-9a-f]{1,4}::[0-9a-f]{0,4}(/[0-9]{1,3}|)",
        1 => "1\\.2\\.3\\.[0-9] ?- ?1\\.2\\.3\\.[0-9]{1,2}",
        1 => "[ \t]{0,2}([#;].{0,8}|)",
        1 => "([0-9]{1,3}\\.){3}[0-9]{1,3} ?[#; ] ?[0-9a-z]{0,3}",
        1 => "[0-9./:# -]{0,24}",
    ];
    (body, end).prop_map(|(body, end)| body + end)
}

proptest! {
    #[test]
    fn a_set_is_read_as_it_is_displayed(
        four in vec((any::<u32>(), 0..=32_u8), 0..40), six in vec((any::<u128>(), 0..=128_u8), 0..40),
    ) {
        use blocklist::{Prefix, PrefixSet};
        let mapped = Prefix::containing(0xffff_u128 << 32, 96);
        let ipv4: PrefixSet<u32> = four.iter().map(|&(a, n)| Prefix::containing(a, n)).collect();
        let ipv6: PrefixSet<u128> = six
            .iter()
            .map(|&(a, n)| Prefix::containing(a, n))
            .filter(|&prefix| !mapped.covers(prefix))
            .collect();
        let set = Prefixes { ipv4, ipv6 };
        let text: String = set.iter().map(|prefix| prefix.to_string() + "\n").collect();
        let feed = read(text.as_bytes());
        prop_assert_eq!(&feed.prefixes, &set);
        prop_assert_eq!(feed.tally.entries, set.len() as u64);
    }

    #[test]
    fn every_line_is_accounted_for(bytes in vec(any::<u8>(), 0..300)) {
        let feed = read(&bytes);
        // A word that heads a column, such as `ip`, is no entry and no reject.
        let heads = feed.lines.other;
        let accounted = feed.tally.entries + feed.tally.rejected + heads + feed.shape.blank;
        prop_assert_eq!(accounted, feed.shape.lines);
    }

    #[test]
    fn a_heading_is_accounted_for(heading in "(ip|IP|cidr|network|address)?[\0 ]?\n(1\\.2\\.3\\.4\n)?") {
        let feed = read(heading.as_bytes());
        let accounted =
            feed.tally.entries + feed.tally.rejected + feed.lines.other + feed.shape.blank;
        prop_assert_eq!(accounted, feed.shape.lines);
    }

    #[test]
    fn the_short_way_and_the_long_way_agree(lines in vec(line(), 0..30)) {
        let text = lines.concat();
        let feed = read(text.as_bytes());
        let accounted = feed.tally.entries + feed.tally.rejected + feed.shape.blank;
        prop_assert_eq!(accounted, feed.shape.lines);

        // A blank before the entry is enough to take the long way. Before a
        // line end it might part a CR from its LF.
        let blank = |line: &str| if line.starts_with(['\r', '\n']) { "" } else { " " };
        let long: String = lines.iter().flat_map(|line| [blank(line), line]).collect();
        let long = read(long.as_bytes());
        prop_assert_eq!(&long.prefixes, &feed.prefixes);
        prop_assert_eq!(long.tally, feed.tally);
        let reasons = |feed: &Feed| {
            feed.rejects.iter().map(|reject| (reject.line, reject.reason)).collect::<Vec<_>>()
        };
        prop_assert_eq!(reasons(&long), reasons(&feed));
    }

    #[test]
    fn a_text_that_is_given_back_as_it_is_read_says_the_same(
        mark in "\u{feff}?", lines in vec(line(), 0..30), torn in vec(any::<u8>(), 0..60),
        entries_max in 0_u64..60,
    ) {
        let text = [mark.into_bytes(), lines.concat().into_bytes(), torn].concat();
        let (options, limits) = (Options::default(), Limits { entries_max, ..Limits::default() });
        let want = parse_with(&text, Format::Plain, &options, &limits);
        prop_assert_eq!(parse_at(text, Format::Plain, &options, &limits, None), want);
    }

    #[test]
    fn sources_are_there_exactly_if_the_set_has_the_address(
        lines in vec(line(), 0..30), other in any::<u32>(),
    ) {
        let text = lines.concat();
        let feed = read(text.as_bytes());
        let first = |prefix: AnyPrefix| match prefix {
            AnyPrefix::V4(prefix) => blocklist::Address::to_ip(prefix.first()),
            AnyPrefix::V6(prefix) => blocklist::Address::to_ip(prefix.first()),
        };
        let asked = feed.prefixes.iter().map(first).chain([IpAddr::from(other.to_be_bytes())]);
        for address in asked {
            let found = sources(text.as_bytes(), Format::Plain, &Limits::default(), address);
            prop_assert_eq!(!found.is_empty(), feed.prefixes.contains(address));
        }
    }
}
