//! Documents that are no documents, or bombs.

use blocklist::{Format, FormatChoice, Limits, RejectReason, parse};

use super::{read, told};

/// The formats that are JSON, each with a good document of two entries.
const GOOD: [(Format, &str); 6] = [
    (Format::Json, "[\"192.0.2.1\",\"192.0.2.2\"]"),
    (
        Format::Crowdsec,
        "[{\"scope\":\"Ip\",\"value\":\"192.0.2.1\"},{\"scope\":\"Ip\",\"value\":\"192.0.2.2\"}]",
    ),
    (Format::Abuseipdb, "{\"data\":[{\"ipAddress\":\"192.0.2.1\"},{\"ipAddress\":\"192.0.2.2\"}]}"),
    (Format::CloudRanges, "{\"addresses\":[\"192.0.2.1\",\"192.0.2.2\"],\"ipv6_addresses\":[]}"),
    (
        Format::NftJson,
        "{\"nftables\":[{\"set\":{\"type\":\"ipv4_addr\",\"elem\":[\"192.0.2.1\",\"192.0.2.2\"]}}]}",
    ),
    (Format::Misp, "{\"name\":\"x\",\"list\":[\"192.0.2.1\",\"192.0.2.2\"],\"type\":\"cidr\"}"),
];

#[test]
fn a_document_that_breaks_off_anywhere_is_broken() {
    for (format, good) in GOOD {
        assert_eq!(told(&read(good, format, None)), "192.0.2.1, 192.0.2.2", "{format}");
        for end in 1..good.len() {
            let feed = read(&good[..end], format, None);
            assert!(feed.shape.broken_document, "{format}: {}", &good[..end]);
            assert_eq!(feed.rejects.len(), 1, "{format}: {}", &good[..end]);
        }
    }
}

#[test]
fn what_follows_or_spoils_a_document_breaks_it() {
    for (format, good) in GOOD {
        for spoiled in [
            format!("{good}]"),
            format!("{good} x"),
            format!("{good},"),
            format!("{good}<html>"),
            format!("{good}\0"),
            good.replace("192.0.2.2\"", "192.0.2.2\",]"),
            good.replace("\"192.0.2.2\"", "'192.0.2.2'"),
            good.replace("\"192.0.2.2\"", "192.0.2.2"),
            good.replace("\"192.0.2.2\"", "\"192.0.2.2"),
            good.replace("\"192.0.2.2\"", "\"192.0\n.2.2\""),
            good.replace("\"192.0.2.2\"", "\"192.0.2.2\\x\""),
            good.replace("\"192.0.2.2\"", "NaN"),
            good.replace("\"192.0.2.2\"", "\"192.0.2.2\" // second"),
            good.replace("\"192.0.2.2\"", "/* second */ \"192.0.2.2\""),
        ] {
            let feed = read(&spoiled, format, None);
            assert!(feed.shape.broken_document, "{format}: {spoiled}");
            // What stands before the place may be a reject of its own.
            let last = feed.rejects.last().map(|reject| reject.reason);
            assert_eq!(last, Some(RejectReason::Json), "{format}: {spoiled}");
        }
    }
}

#[test]
fn text_that_is_no_json_at_all_is_broken_from_the_beginning() {
    for (format, _) in GOOD {
        for text in
            ["192.0.2.1\n192.0.2.2\n", "<html>", "Please wait 30 minutes", "\u{1f980}", "{", "]"]
        {
            let feed = read(text, format, None);
            assert!(feed.shape.broken_document, "{format}: {text}");
            assert_eq!((feed.tally.entries, feed.rejects.len()), (0, 1), "{format}: {text}");
        }
        let utf16 = b"\xff\xfe[\0]";
        assert!(parse(utf16, format, &Limits::default()).shape.utf16, "{format}");
        let latin = b"[\"192.0.2.1\",\"caf\xe9\"]";
        assert!(parse(latin, Format::Json, &Limits::default()).shape.broken_document);
    }
}

#[test]
fn depth_is_no_way_to_the_end_of_the_stack() {
    let deep = 200_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        for text in [
            open.repeat(deep),
            format!("{}1{}", open.repeat(deep), close.repeat(deep)),
            format!("{{\"x\":{}1{}}}", open.repeat(deep), close.repeat(deep)),
            format!("{{\"list\":[{}1{}],\"name\":1}}", open.repeat(deep), close.repeat(deep)),
            format!(
                "{{\"nftables\":[{{\"set\":{{\"elem\":[{}1{}]}}}}]}}",
                open.repeat(deep),
                close.repeat(deep)
            ),
            format!("[{{\"decisions\":[{}1{}]}}]", open.repeat(deep), close.repeat(deep)),
        ] {
            for format in GOOD.map(|(format, _)| FormatChoice::Fixed(format)) {
                assert_eq!(read(&text, format, None).tally.entries, 0);
            }
            assert_eq!(read(&text, FormatChoice::Auto, None).tally.entries, 0);
        }
    }
    // A path may be as long as it likes.
    let path = "a.".repeat(5_000) + "a";
    let text = "{\"a\":".repeat(deep) + "1";
    let feed = read(&text, Format::Json, Some(&path));
    assert!(feed.shape.broken_document || feed.shape.error_document || feed.tally.rejected == 1);
}

#[test]
fn entries_have_a_limit() {
    let limits = Limits { entries_max: 1, ..Limits::default() };
    for (format, good) in GOOD {
        let feed = parse(good.as_bytes(), format, &limits);
        assert!(feed.shape.over_entries_max && !feed.shape.broken_document, "{format}");
        assert_eq!((feed.tally.entries, feed.tally.rejected), (1, 0), "{format}");
    }
}
