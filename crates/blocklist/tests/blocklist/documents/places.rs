//! Which line of a document an entry or reject is shown with.

use blocklist::{Format, Limits, Options, sources, sources_with};

use super::read;

fn check(format: Format, text: &str, address: &str, want: &[(u64, &str, &str)]) {
    let limits = Limits { text_bytes_max: 40, ..Limits::default() };
    let address = address.parse().expect("an address");
    let found = sources(text.as_bytes(), format, &limits, address);
    let found: Vec<_> =
        found.iter().map(|s| (s.line, s.text.as_str(), s.prefix.as_str())).collect();
    assert_eq!(found, want, "{text}");
}

#[test]
fn a_source_is_the_line_of_the_value() {
    let pretty = "{\n  \"creationTime\": \"x\",\n  \"prefixes\": [{\n    \"ipv4Prefix\": \"192.0.2.0/24\",\n    \
        \"scope\": \"a\"\n  }, {\r\n    \"ipv4Prefix\": \"192.0.0.0/16\"\r\n  }]\n}\n";
    check(
        Format::CloudRanges,
        pretty,
        "192.0.2.1",
        &[
            (4, "\"ipv4Prefix\": \"192.0.2.0/24\",", "192.0.2.0/24"),
            (7, "\"ipv4Prefix\": \"192.0.0.0/16\"", "192.0.0.0/16"),
        ],
    );
    let misp = "{\"list\": [\n\"192.0.2.1\",\n\"192.0.2.2\"],\n\"type\": \"cidr\", \"version\": 1}";
    check(Format::Misp, misp, "192.0.2.2", &[(3, "\"192.0.2.2\"],", "192.0.2.2")]);
    let nft = "{\"nftables\": [\n{\"set\": {\"type\": \"ipv4_addr\",\n\"elem\": [\n\"192.0.2.1\",\n{\"prefix\": {\n\"addr\": \"192.0.2.0\", \"len\": 24}}]}}]}";
    check(
        Format::NftJson,
        nft,
        "192.0.2.1",
        &[(4, "\"192.0.2.1\",", "192.0.2.1"), (5, "{\"prefix\": {", "192.0.2.0/24")],
    );
    let alerts = "[{\"decisions\": [\n{\"scope\": \"Ip\",\n\"value\":\n\"192.0.2.1\",\n\"duration\": \"1h\"}]}]";
    check(Format::Crowdsec, alerts, "192.0.2.1", &[(4, "\"192.0.2.1\",", "192.0.2.1")]);
    let lines = "{\"ip\":\"192.0.2.1\"}\n{\"ip\":\"192.0.2.2\",\"x\":1}\n";
    check(Format::Json, lines, "192.0.2.2", &[(2, "{\"ip\":\"192.0.2.2\",\"x\":1}", "192.0.2.2")]);
}

#[test]
fn a_source_in_a_document_of_one_line_is_what_stands_around_it() {
    let many: Vec<String> = (0..200).map(|n| format!("\"198.51.100.{n}\"")).collect();
    let text = format!("[{}]", many.join(","));
    let want = &[(1, "51.100.98\",\"198.51.100.99\",\"198.51.100.1…", "198.51.100.99")];
    let limits = Limits { text_bytes_max: 40, ..Limits::default() };
    let found = sources(
        text.as_bytes(),
        Format::Json,
        &limits,
        "198.51.100.99".parse().expect("an address"),
    );
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].prefix.as_str()), (want[0].0, want[0].2));
    assert!(found[0].text.contains("\"198.51.100.99\""), "{}", found[0].text);
    assert!(found[0].text.len() < 50, "{}", found[0].text);
}

#[test]
fn a_path_has_sources_too() {
    let options = Options { path: Some("a[].b".to_owned()), ..Options::default() };
    let text = "{\"a\":[\n{\"b\":\"192.0.2.1\"}]}";
    let address = "192.0.2.1".parse().expect("an address");
    let found = sources_with(text.as_bytes(), Format::Json, &options, &Limits::default(), address);
    assert_eq!(found.iter().map(|source| source.line).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_reject_is_shown_with_its_line() {
    let text = "[\n\"192.0.2.1\",\n\"oops\",\n7\n]";
    let feed = read(text, Format::Json, None);
    let lines: Vec<_> = feed.rejects.iter().map(|r| (r.line, r.text.as_str())).collect();
    assert_eq!(lines, [(3, "\"oops\","), (4, "7")]);
    let broken = "[\n\"192.0.2.1\",\noops,\n7\n]";
    let feed = read(broken, Format::Json, None);
    let lines: Vec<_> = feed.rejects.iter().map(|r| (r.line, r.text.as_str())).collect();
    assert_eq!(lines, [(3, "oops,")]);
    assert_eq!(feed.shape.lines, 5);
}
