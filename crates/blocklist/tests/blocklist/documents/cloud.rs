//! The ranges of large services, and AbuseIPDB's blacklist.

use blocklist::Format::{Abuseipdb, CloudRanges};

use super::{check, check_as};

const UNKNOWN_RANGES: &str = "line 1 Document { expected: \"the ranges of AWS, Google, Azure, \
                              GitHub, Fastly, Oracle, Cloudflare or Microsoft 365, or `path` set\" }";

#[test]
fn every_service_has_its_own_fields() {
    let aws = "{\"syncToken\":\"1\",\"createDate\":\"2026-01-01-00-00-00\",\"prefixes\":[\
        {\"ip_prefix\":\"192.0.2.0/24\",\"region\":\"x\",\"service\":\"AMAZON\"},\
        {\"ip_prefix\":\"192.0.2.0/24\",\"region\":\"x\",\"service\":\"EC2\"}],\
        \"ipv6_prefixes\":[{\"ipv6_prefix\":\"2001:db8::/32\",\"region\":\"203.0.113.1\"}]}";
    check(CloudRanges, aws, "192.0.2.0/24, 2001:db8::/32");
    let google = "{\"syncToken\":\"1\",\"creationTime\":\"2026-01-01T00:00:00\",\"prefixes\":[\
        {\"ipv4Prefix\":\"192.0.2.0/27\"},{\"ipv6Prefix\":\"2001:db8::/64\",\"scope\":\"::1\"}]}";
    check(CloudRanges, google, "192.0.2.0/27, 2001:db8::/64");
    let azure = "{\"changeNumber\":1,\"cloud\":\"Public\",\"values\":[{\"name\":\"Svc\",\"id\":\"1.1.1.1\",\
        \"properties\":{\"region\":\"\",\"addressPrefixes\":[\"192.0.2.0/25\",\"2001:db8::/64\"]}}]}";
    check(CloudRanges, azure, "192.0.2.0/25, 2001:db8::/64");
    let github = "{\"verifiable_password_authentication\":false,\"ssh_key_fingerprints\":\
        {\"SHA256_RSA\":\"203.0.113.1\"},\"ssh_keys\":[\"ssh-rsa AAAA\",\"203.0.113.2\"],\
        \"hooks\":[\"192.0.2.0/24\"],\"new-product\":[\"2001:db8::/32\"],\
        \"domains\":{\"website\":[\"203.0.113.3\"],\"x\":{\"y\":[1]}}}";
    check(CloudRanges, github, "192.0.2.0/24, 2001:db8::/32");
    let fastly = "{\"addresses\":[\"192.0.2.0/24\"],\"ipv6_addresses\":[\"2001:db8::/32\"]}";
    check(CloudRanges, fastly, "192.0.2.0/24, 2001:db8::/32");
    let oracle = "{\"last_updated_timestamp\":\"x\",\"regions\":[{\"region\":\"x\",\"cidrs\":[\
        {\"cidr\":\"192.0.2.0/24\",\"tags\":[\"203.0.113.1\"]},{\"cidr\":\"198.51.100.0/24\"}]}]}";
    check(CloudRanges, oracle, "192.0.2.0/24, 198.51.100.0/24");
}

#[test]
fn a_record_without_its_field_is_a_reject_and_nothing_is_made_of_others() {
    for (text, want) in [
        (
            "{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"},{\"region\":\"x\"}]}",
            "192.0.2.1, line 1 MissingField",
        ),
        ("{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"},{}]}", "192.0.2.1, line 1 MissingField"),
        (
            "{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"},\"192.0.2.2\"]}",
            "192.0.2.1, line 1 MissingField",
        ),
        (
            "{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"},[\"192.0.2.2\"]]}",
            "192.0.2.1, line 1 MissingField",
        ),
        (
            "{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"},7,true,-1,1.5]}",
            "192.0.2.1, line 1 MissingField, line 1 MissingField, line 1 MissingField, line 1 MissingField",
        ),
        ("{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"},null]}", "192.0.2.1"),
        ("{\"prefixes\":[{\"ip_prefix\":null},{\"ip_prefix\":\"192.0.2.1\"}]}", "192.0.2.1"),
        ("{\"prefixes\":[{\"ip_prefix\":[\"192.0.2.1\"]}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":{\"ip_prefix\":\"192.0.2.1\"}}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":3221225985}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":192.0}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":true}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":\"\"}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":\"010.1.2.3\"}]}", "line 1 LeadingZero"),
        ("{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1, 192.0.2.2\"}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\\u0000\"}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1#x\"}]}", "line 1 NotAnAddress"),
        ("{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1/33\"}]}", "line 1 PrefixLength { max: 32 }"),
        (
            "{\"prefixes\":[{\"IP_PREFIX\":\"192.0.2.2\"},{\"ip_prefix\":\"192.0.2.1\"}]}",
            "192.0.2.1, line 1 MissingField",
        ),
        (
            "{\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\",\"ip_prefix\":\"192.0.2.2\"}]}",
            "192.0.2.1, 192.0.2.2",
        ),
        (
            "{\"a\":{\"prefixes\":[{\"ip_prefix\":\"192.0.2.2\"}]},\"prefixes\":[{\"ip_prefix\":\"192.0.2.1\"}]}",
            "192.0.2.1",
        ),
    ] {
        check(CloudRanges, text, want);
    }
}

#[test]
fn escapes_are_read_as_what_they_stand_for() {
    check(CloudRanges, "{\"prefixes\":[{\"ip_prefix\":\"192.0.2.0\\/24\"}]}", "192.0.2.0/24");
    check(CloudRanges, "{\"prefixes\":[{\"ip\\u005fprefix\":\"\\u0031.2.3.4\"}]}", "1.2.3.4");
    check(CloudRanges, "{\"prefixes\":[{\"ip_prefix\":\" 192.0.2.1\\t\"}]}", "192.0.2.1");
    check(CloudRanges, "{\"prefixes\":[{\"ip_prefix\":\"\\ud800\"}]}", "line 1 NotAnAddress");
}

#[test]
fn a_service_without_ranges_has_none_and_other_documents_are_rejects() {
    let empty = "{\"syncToken\":\"1\",\"createDate\":\"x\",\"prefixes\":[],\"ipv6_prefixes\":[]}";
    check(CloudRanges, empty, "");
    check(CloudRanges, "{\"syncToken\":\"1\",\"createDate\":\"x\",\"prefixes\":null}", "");
    for other in
        ["{\"foo\":[\"192.0.2.1\"]}", "{}", "[\"192.0.2.1\"]", "{\"prefixes\":[\"192.0.2.1\"]}"]
    {
        check_as(CloudRanges, other, UNKNOWN_RANGES);
    }
    check_as(
        CloudRanges,
        "{\"message\":\"rate limit of 192.0.2.1\"}",
        "line 1 ErrorDocument, error",
    );
}

#[test]
fn abuseipdb_is_its_data_or_an_error() {
    let list = "{\"meta\":{\"generatedAt\":\"2026-01-01T00:00:00+00:00\"},\"data\":[\
        {\"ipAddress\":\"192.0.2.44\",\"countryCode\":null,\"abuseConfidenceScore\":100},\
        {\"ipAddress\":\"2001:db8::44\",\"abuseConfidenceScore\":75}]}";
    check(Abuseipdb, list, "192.0.2.44, 2001:db8::44");
    check(Abuseipdb, "{\"meta\":{\"generatedAt\":\"x\"},\"data\":[]}", "");
    check(
        Abuseipdb,
        "{\"data\":[{\"ipAddress\":\"192.0.2.44\"},{\"ip\":\"192.0.2.1\"}]}",
        "192.0.2.44, line 1 MissingField",
    );
    check(Abuseipdb, "{\"data\":[{\"ipAddress\":\"192.0.2.44\"}],\"errors\":[]}", "192.0.2.44");
    let errors =
        "{\"errors\":[{\"detail\":\"Daily rate limit of 1000 requests exceeded\",\"status\":429}]}";
    check_as(Abuseipdb, errors, "line 1 ErrorDocument, error");
    check_as(Abuseipdb, "{\"errors\":[{\"status\":429}]}", "line 1 ErrorDocument, error");
    check_as(
        Abuseipdb,
        "{\"result\":\"192.0.2.1\"}",
        "line 1 Document { expected: \"AbuseIPDB's `data` with `ipAddress` in it\" }",
    );
}
