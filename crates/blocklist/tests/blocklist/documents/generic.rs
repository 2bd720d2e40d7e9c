//! JSON that is nobody's in particular: arrays, records, lines, and `path`.

use blocklist::Format::{self, Json};
use blocklist::FormatChoice;

use super::{check, check_as, read, told};

const UNKNOWN: &str = "line 1 Document { expected: \"an array of addresses, or records with one \
                       address field; else name the `path` of the addresses, with `where` if \
                       only some records count, or the `format`\" }";

#[test]
fn an_array_is_addresses_or_records_with_one_address() {
    for (text, want) in [
        ("[\"192.0.2.1\",\"2001:db8::/32\"]", "192.0.2.1, 2001:db8::/32"),
        ("[\"192.0.2.1\",7,null,\"x\"]", "192.0.2.1, line 1 NotAnAddress, line 1 NotAnAddress"),
        (
            "[{\"ip_address\":\"192.0.2.1\",\"port\":443,\"status\":\"online\",\"hostname\":null}]",
            "192.0.2.1",
        ),
        (
            "[{\"cidr\":\"192.0.2.0/24\",\"note\":\"203.0.113.1\"},{}]",
            "192.0.2.0/24, line 1 MissingField",
        ),
        ("[{\"ip\":null},{\"ip\":\"192.0.2.1\"}]", "192.0.2.1"),
        ("[]", ""),
        ("[[\"192.0.2.1\"]]", UNKNOWN),
        ("[{\"ip\":\"192.0.2.1\",\"network\":\"192.0.0.0/16\"}]", UNKNOWN),
        ("[{\"host\":\"192.0.2.1\"}]", UNKNOWN),
        ("[{\"IP\":\"192.0.2.1\"}]", UNKNOWN),
        ("{\"192.0.2.1\":{\"score\":1}}", UNKNOWN),
        ("{\"ips\":[\"192.0.2.1\"]}", "192.0.2.1"),
        ("{\"a\":{\"b\":\"192.0.2.1\"}}", UNKNOWN),
        ("{}", UNKNOWN),
        ("{\"ip\":\"192.0.2.1\"}", UNKNOWN),
        ("{\"errors\":[{\"detail\":\"no\",\"status\":401}]}", "line 1 ErrorDocument, error"),
        ("{\"error\":\"quota of 192.0.2.1 exceeded\"}", "line 1 ErrorDocument, error"),
        ("{\"message\":\"Not Found\",\"status\":\"404\"}", "line 1 ErrorDocument, error"),
        ("{\"detail\":\"Not authenticated\"}", "line 1 ErrorDocument, error"),
    ] {
        check(Json, text, want);
    }
    check_as(Json, "null", "");
    check_as(Json, "\"192.0.2.1\"", UNKNOWN);
    check_as(Json, "7", UNKNOWN);
}

#[test]
fn records_may_stand_one_a_line() {
    for (text, want) in [
        ("{\"ip\":\"192.0.2.1\"}\n{\"ip\":\"2001:db8::1\"}", "192.0.2.1, 2001:db8::1"),
        ("{\"a\":1,\"ip\":\"192.0.2.1\"}\n\n{\"ip\":\"192.0.2.2\"}\n", "192.0.2.1, 192.0.2.2"),
        ("{\"ip\":\"192.0.2.1\"}\n{\"ip\":\"192.0", "192.0.2.1, line 2 Json"),
        ("{\"ip\":\"192.0.2.1\"}\n{\"a\":1}", "192.0.2.1, line 2 MissingField"),
        (
            "{\"ip\":\"192.0.2.1\"}\n{\"ip\":\"192.0.2.2\"}{\"ip\":\"192.0.2.3\"}",
            "192.0.2.1, 192.0.2.2, line 2 Json",
        ),
        (
            "{\"ip\":\"192.0.2.1\"}\n{\"ip\":7}\n7\n",
            "192.0.2.1, line 2 NotAnAddress, line 3 MissingField",
        ),
        ("{\"ip\":\"192.0.2.1\"}\n{\"ip\":[\"192.0.2.2\"]}", "192.0.2.1, line 2 NotAnAddress"),
        ("{\"host\":\"192.0.2.1\"}\n{\"host\":\"192.0.2.2\"}", UNKNOWN),
        ("{\"ip\":\"192.0.2.1\",\"cidr\":\"192.0.2.0/24\"}\n{\"ip\":\"192.0.2.2\"}", UNKNOWN),
    ] {
        let feed = read(text, FormatChoice::Auto, None);
        assert_eq!((feed.format, told(&feed).as_str()), (Json, want), "{text}");
    }
    let long = format!("{{\"ip\":\"192.0.2.1\",\"x\":\"{}\"}}\n", "y".repeat(70_000));
    let text = format!("{{\"ip\":\"192.0.2.2\"}}\n{long}");
    check_as(Json, &text, "192.0.2.2, line 2 LineLength { max: 65536 }");
}

fn check_path(format: Format, path: &str, text: &str, want: &str) {
    assert_eq!(told(&read(text, format, Some(path))), want, "{path}: {text}");
}

#[test]
fn a_path_leads_to_any_field() {
    let document = "{\"a\":{\"b\":[{\"ip\":\"192.0.2.1\",\"v6\":\"2001:db8::1\"},{\"ip\":\"192.0.2.2\"}]},\
        \"c\":[\"192.0.2.3\"],\"d\":[[\"192.0.2.4\"]],\"e\":\"192.0.2.5\"}";
    for (path, want) in [
        ("a.b[].ip", "192.0.2.1, 192.0.2.2"),
        (".a.b[].ip", "192.0.2.1, 192.0.2.2"),
        ("a.b[].v6", "2001:db8::1, line 1 MissingField"),
        ("a.b[].ip, a.b[].v6", "192.0.2.1, 192.0.2.2, 2001:db8::1"),
        ("c[]", "192.0.2.3"),
        ("d[][]", "192.0.2.4"),
        ("e", "192.0.2.5"),
        ("*[]", "192.0.2.3, line 1 NotAnAddress"),
        ("e,c[]", "192.0.2.3, 192.0.2.5"),
        ("a.b[].*", "192.0.2.1, 192.0.2.2, 2001:db8::1"),
        ("a.b", "line 1 NotAnAddress"),
        ("a[].ip", "line 1 MissingField"),
        ("a.b.ip", "line 1 MissingField"),
        ("e[]", "line 1 MissingField"),
        ("e.f", "line 1 MissingField"),
        ("x[]", "line 1 Document { expected: \"the configured `path`\" }"),
        ("[].ip", "line 1 Document { expected: \"the configured `path`\" }"),
        ("a..b", "line 1 Path"),
        ("", "line 1 Path"),
    ] {
        check_path(Json, path, document, want);
    }
    check_path(Json, "[].host", "[{\"host\":\"192.0.2.1\"}]", "192.0.2.1");
    check_path(
        Json,
        "src.ip",
        "{\"src\":{\"ip\":\"192.0.2.1\"}}\n{\"src\":{\"ip\":\"192.0.2.2\"}}",
        "192.0.2.1, 192.0.2.2",
    );
    check_path(Json, "a..b", "{\"a\":1}\n{\"a\":2}", "line 1 Path");
    check_path(
        Format::CloudRanges,
        "hooks[]",
        "{\"hooks\":[\"192.0.2.1\"],\"web\":[\"192.0.2.2\"],\"ssh_keys\":[]}",
        "192.0.2.1",
    );
    check_path(
        Format::Misp,
        "list[]",
        "{\"name\":\"x\",\"type\":\"hostname\",\"list\":[\"192.0.2.1\"]}",
        "192.0.2.1",
    );
}

#[test]
fn text_with_brackets_is_no_json() {
    for text in [
        "[section]\n192.0.2.1\n192.0.2.2\n",
        "{ 192.0.2.1 }\n",
        "[2001:db8::1]:443\n",
        "[{'sshd': ['192.0.2.1']}]",
    ] {
        assert_ne!(read(text, FormatChoice::Auto, None).format, Json, "{text}");
    }
}
