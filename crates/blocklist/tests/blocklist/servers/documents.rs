//! Documents of services: which of their records mean an address.

use blocklist::Format::{CloudRanges, Json, MispEvent, Stix};

use super::{Auto, Found, check, check_with};

#[test]
fn an_attribute_of_misp_counts_if_it_is_for_detection() {
    let attribute = |kind: &str, value: &str, more: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"category\":\"Network activity\",\"value\":\"{value}\"{more}}}"
        )
    };
    let event = |attributes: &[String]| {
        format!("{{\"Event\":{{\"info\":\"x\",\"Attribute\":[{}]}}}}\n", attributes.join(","))
    };
    let ids = ",\"to_ids\":true";
    let text = event(&[
        attribute("ip-src", "192.0.2.1", ids),
        attribute("ip-dst", "2001:db8::1", ids),
        attribute("ip-src", "192.0.2.2", ",\"to_ids\":false"),
        attribute("ip-src", "192.0.2.3", ""),
        attribute("ip-dst|port", "192.0.2.4|80", ids),
        attribute("ip-src", "192.0.2.5", ",\"to_ids\":true,\"deleted\":true"),
        attribute("domain", "bad.example", ids),
    ]);
    check(Found(MispEvent), &text, "192.0.2.1, 2001:db8::1, left out 5");
    check_with(Found(MispEvent), &[("where", "type = ip-src")], &text, "192.0.2.1, left out 6");
    let inner = event(&[attribute("ip-src", "192.0.2.1", ids)]);
    check(Found(MispEvent), &format!("{{\"response\":[{inner}]}}"), "192.0.2.1");
    check(Found(MispEvent), &format!("[{inner}]"), "192.0.2.1");
    let object = format!(
        "{{\"Event\":{{\"info\":\"x\",\"Object\":[{{\"Attribute\":[{}]}}]}}}}",
        attribute("ip-dst", "192.0.2.1", ids)
    );
    check(Found(MispEvent), &object, "192.0.2.1");
    check(
        Found(MispEvent),
        &event(&[attribute("ip-src", "192.0.2.999", ids)]),
        "line 1 OctetValue",
    );
    check(Found(MispEvent), &event(&["7".to_owned()]), "line 1 Foreign");
    check(Found(MispEvent), "{\"Event\":{\"info\":\"x\",\"Attribute\":[", "line 1 Json, broken");
}

#[test]
fn an_indicator_counts_if_its_pattern_is_one_address() {
    let indicator = |pattern: &str, more: &str| {
        format!(
            "{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"pattern\":\"{pattern}\",\"pattern_type\":\"stix\"{more}}}"
        )
    };
    let bundle = |objects: &[String]| {
        format!(
            "{{\"type\":\"bundle\",\"id\":\"bundle--1\",\"objects\":[{}]}}\n",
            objects.join(",")
        )
    };
    check(
        Found(Stix),
        &bundle(&[
            indicator("[ipv4-addr:value = '192.0.2.1']", ",\"confidence\":90"),
            indicator("[ ipv6-addr:value ISSUBSET '2001:db8::/32' ]", ""),
            indicator("[ipv4-addr:value = '192.0.2.2' OR ipv4-addr:value = '192.0.2.3']", ""),
            indicator("[ipv4-addr:value != '192.0.2.4']", ""),
            indicator("[domain-name:value = 'bad.example']", ""),
            indicator("[ipv4-addr:value = '192.0.2.5'] START t'2026' STOP t'2027'", ""),
            indicator("[ipv4-addr:value = '192.0.2.6']", ",\"revoked\":true"),
            indicator("[ipv4-addr:value = '192.0.2.7']", ",\"indicator_types\":[\"benign\"]"),
            "{\"type\":\"ipv4-addr\",\"value\":\"192.0.2.8\"}".to_owned(),
        ]),
        "192.0.2.1, 2001:db8::/32, left out 7",
    );
    check(
        Found(Stix),
        &bundle(&[
            indicator(
                "[ipv4-addr:value = '192.0.2.1']",
                ",\"valid_until\":\"2026-01-01T00:00:00Z\"",
            ),
            indicator(
                "[ipv4-addr:value = '192.0.2.2']",
                ",\"valid_until\":\"2026-03-01T00:00:00Z\",\"modified\":\"2026-02-01T00:00:00Z\"",
            ),
        ]),
        "192.0.2.2 until 1772323200, left out 1",
    );
    let text = bundle(&[
        indicator("[ipv4-addr:value='192.0.2.1']", ",\"confidence\":90"),
        indicator("[ipv4-addr:value='192.0.2.2']", ""),
    ]);
    check_with(Found(Stix), &[("where", "confidence >= 80")], &text, "192.0.2.1, left out 1");
    check(
        Found(Stix),
        &bundle(&[indicator("[ipv4-addr:value = '2001:db8::1']", "")]),
        "line 1 Families",
    );
    check(
        Found(Stix),
        &bundle(&[indicator("[ipv4-addr:value = '192.0.2.256']", "")]),
        "line 1 OctetValue",
    );
    check(
        Auto,
        "{\"type\":\"bundle\"}",
        "line 1 Document { expected: \"an array of addresses, or records with one address field; else name the `path` of the addresses, with `where` if only some records count, or the `format`\" }",
    );
}

#[test]
fn services_have_records_without_addresses() {
    check(
        Found(CloudRanges),
        "[\n{\"id\":1,\"serviceArea\":\"Exchange\",\"urls\":[\"a.example\"],\"ips\":[\"192.0.2.0/31\",\"2001:db8::/40\"],\
        \"tcpPorts\":\"443\",\"required\":true},\n{\"id\":2,\"serviceArea\":\"Exchange\",\"urls\":[\"b.example\"],\"required\":false}\n]\n",
        "192.0.2.0/31, 2001:db8::/40",
    );
    check(
        Found(CloudRanges),
        "{\"result\":{\"ipv4_cidrs\":[\"192.0.2.0/24\"],\"ipv6_cidrs\":[\"2001:db8::/32\"],\"etag\":\"x\"},\
        \"success\":true,\"errors\":[],\"messages\":[]}",
        "192.0.2.0/24, 2001:db8::/32",
    );
    check(
        Found(CloudRanges),
        "{\"creationTime\":\"2026-01-01T00:00:00\",\"prefixes\":[{\"ipv6Prefix\":\"2001:db8::/64\"},{\"ipv4Prefix\":\"192.0.2.0/27\"}]}",
        "192.0.2.0/27, 2001:db8::/64",
    );
    check(Found(Json), "[{\"ip\":\"192.0.2.1\"}]", "192.0.2.1");
}
