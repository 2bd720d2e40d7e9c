//! MISP's warninglists.

use blocklist::Format::Misp;
use blocklist::{FormatChoice, Limits, parse};

use super::{check, check_as};

const OTHER: &str =
    "line 1 Document { expected: \"a warninglist of type `cidr` or `string`, with `list`\" }";

/// A warninglist of a type with a list, keys sorted as the originals have them.
/// Its name is one of those whose lists are published to be blocked as well.
fn list(kind: &str, values: &str) -> String {
    format!(
        "{{\"description\":\"of 203.0.113.1\",\"list\":{values},\"matching_attributes\":[\"ip-src\"],\
         \"name\":\"VPN ranges\",\"type\":{kind},\"version\":20260101}}"
    )
}

#[test]
fn a_warninglist_is_addresses_if_its_type_allows() {
    for (kind, values, want) in [
        ("\"cidr\"", "[\"192.0.2.0/24\",\"2001:db8::/32\"]", "192.0.2.0/24, 2001:db8::/32"),
        ("\"string\"", "[\"192.0.2.1\",\"bad.example\"]", "192.0.2.1, line 1 NotAnAddress"),
        ("\"hostname\"", "[\"192.0.2.1\"]", OTHER),
        ("\"regex\"", "[\"192.0.2.1\"]", OTHER),
        ("\"substring\"", "[\"192.0.2.1\"]", OTHER),
        ("\"CIDR\"", "[\"192.0.2.1\"]", OTHER),
        ("null", "[\"192.0.2.1\"]", OTHER),
        ("4", "[\"192.0.2.1\"]", OTHER),
        ("[\"cidr\"]", "[\"192.0.2.1\"]", OTHER),
        ("\"cidr\",\"type\":\"hostname\"", "[\"192.0.2.1\"]", OTHER),
        ("\"cidr\"", "[]", ""),
        ("\"cidr\"", "null", ""),
        ("\"cidr\"", "[null,1,true]", "line 1 NotAnAddress, line 1 NotAnAddress"),
        ("\"cidr\"", "[\"192.0.2.0/24 \"]", "192.0.2.0/24"),
        ("\"cidr\"", "[\"0.0.0.0/0\"]", "0.0.0.0/0"),
        ("\"cidr\"", "[\"192.168/16\"]", "line 1 OctetCount"),
        ("\"cidr\"", "[\"2001:db8::1%eth0\"]", "line 1 Zone"),
        ("\"cidr\"", "[\"[2001:db8::1]\"]", "line 1 Port"),
    ] {
        check(Misp, &list(kind, values), want);
    }
}

#[test]
fn a_list_of_something_else_is_no_warninglist() {
    for values in ["[[\"192.0.2.1\"]]", "[{\"ip\":\"192.0.2.1\"}]"] {
        check_as(Misp, &list("\"cidr\"", values), "line 1 NotAnAddress");
    }
    check_as(Misp, &list("\"cidr\"", "\"192.0.2.1\""), "line 1 MissingField");
    check_as(Misp, &list("\"cidr\"", "{\"a\":\"192.0.2.1\"}"), "line 1 MissingField");
    check_as(Misp, "{\"name\":\"x\"}", OTHER);
    check(Misp, "{\"description\":\"no type, Tor\",\"list\":[\"192.0.2.1\"]}", "192.0.2.1");
}

#[test]
fn a_warninglist_says_who_is_welcome_unless_it_lists_who_hides() {
    for (name, blocks) in [
        ("List of known Google ranges", false),
        ("Public DNS resolvers", false),
        ("Torrent trackers", false),
        ("vpn-ipv4: VPN providers and datacenters", true),
        ("Tor exit nodes", true),
        ("Open proxies", true),
    ] {
        let text = format!("{{\"name\":\"{name}\",\"type\":\"cidr\",\"list\":[\"192.0.2.1\"]}}");
        let feed = parse(text.as_bytes(), FormatChoice::Auto, &Limits::default());
        assert_eq!(feed.prefixes.is_empty(), !blocks, "{name}");
        assert!(feed.allows().contains([192, 0, 2, 1].into()), "{name}");
        let named = parse(text.as_bytes(), Misp, &Limits::default());
        assert!(named.prefixes.contains([192, 0, 2, 1].into()), "{name}");
    }
}
