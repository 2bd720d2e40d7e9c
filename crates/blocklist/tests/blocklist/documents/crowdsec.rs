//! CrowdSec's decisions in all their forms.

use blocklist::Format::{Crowdsec, CrowdsecCsv};

use super::{check, check_as};

#[test]
fn the_stream_has_new_decisions_and_deleted_ones() {
    let both = "{\"new\":[{\"id\":1,\"origin\":\"CAPI\",\"type\":\"ban\",\"scope\":\"Ip\",\
        \"value\":\"192.0.2.1\",\"duration\":\"3h59m57.64s\",\"scenario\":\"203.0.113.1\"}],\
        \"deleted\":[{\"type\":\"ban\",\"scope\":\"Ip\",\"value\":\"192.0.2.2\",\"duration\":\"-1s\"}]}";
    check(Crowdsec, both, "192.0.2.1 for 14398, ignored 1");
    check(Crowdsec, "{\"new\":null,\"deleted\":null}", "");
    check(Crowdsec, "{\"deleted\":[],\"new\":[]}", "");
    check(
        Crowdsec,
        "{\"deleted\":null,\"new\":[{\"scope\":\"Range\",\"value\":\"192.0.2.0/24\",\"duration\":\"1h\"}]}",
        "192.0.2.0/24 for 3600",
    );
}

#[test]
fn alerts_have_their_decisions_in_them() {
    let alerts = "[{\"capacity\":0,\"created_at\":\"x\",\"scenario\":\"x\",\"source\":{\"ip\":\"203.0.113.1\",\
        \"scope\":\"Ip\",\"value\":\"203.0.113.1\"},\"decisions\":[\
        {\"duration\":\"1h\",\"scope\":\"Ip\",\"value\":\"192.0.2.1\",\"type\":\"ban\",\"simulated\":false},\
        {\"duration\":\"2h\",\"scope\":\"Ip\",\"value\":\"2001:db8::1\",\"type\":\"ban\"}]},\
        {\"scenario\":\"y\",\"decisions\":[{\"duration\":\"1h\",\"scope\":\"Country\",\"value\":\"ZZ\",\"type\":\"ban\"}]}]";
    check(Crowdsec, alerts, "192.0.2.1 for 3600, 2001:db8::1 for 7200, ignored 1");
    check_as(Crowdsec, "null", "");
    check_as(Crowdsec, "[]", "");
    check(Crowdsec, "[{\"scenario\":\"x\",\"decisions\":[]}]", "");
}

/// A single decision with these fields beside its value.
fn decision(fields: &str, want: &str) {
    check(Crowdsec, &format!("[{{\"scope\":\"Ip\",\"value\":\"192.0.2.1\"{fields}}}]"), want);
    check(
        Crowdsec,
        &format!(
            "{{\"deleted\":null,\"new\":[{{\"scope\":\"ip\",\"value\":\"192.0.2.1\"{fields}}}]}}"
        ),
        want,
    );
}

#[test]
fn only_a_ban_that_lasts_is_an_entry() {
    decision("", "192.0.2.1");
    decision(",\"type\":\"ban\"", "192.0.2.1");
    decision(",\"type\":\"BAN\",\"duration\":\"1m\"", "192.0.2.1 for 60");
    decision(",\"type\":\"captcha\",\"duration\":\"1m\"", "ignored 1");
    decision(",\"type\":\"throttle\"", "ignored 1");
    decision(",\"type\":\"\"", "ignored 1");
    decision(",\"type\":1", "ignored 1");
    decision(",\"duration\":\"-5m\"", "ignored 1");
    decision(",\"duration\":\"0s\"", "ignored 1");
    decision(",\"duration\":\"1ms\"", "192.0.2.1 for 1");
    decision(",\"duration\":null", "192.0.2.1");
    decision(",\"duration\":\"\"", "line 1 Duration");
    decision(",\"duration\":\"1d\"", "line 1 Duration");
    decision(",\"duration\":3600", "line 1 Duration");
    decision(",\"duration\":\"forever\"", "line 1 Duration");
    decision(",\"duration\":\"9999999999999999h\"", "line 1 Duration");
    decision(",\"simulated\":true", "ignored 1");
    decision(",\"simulated\":false", "192.0.2.1");
    decision(",\"simulated\":\"x\"", "line 1 Foreign");
    decision(",\"value\":\"192.0.2.2\"", "line 1 Foreign");
    decision(",\"more\":{\"value\":\"203.0.113.1\"}", "192.0.2.1");
}

#[test]
fn only_addresses_and_ranges_are_scopes() {
    for (record, want) in [
        ("\"scope\":\"Range\",\"value\":\"192.0.2.0/24\"", "192.0.2.0/24"),
        ("\"scope\":\"range\",\"value\":\"192.0.2.7/24\"", "192.0.2.0/24"),
        ("\"scope\":\"AS\",\"value\":\"64496\"", "ignored 1"),
        ("\"scope\":\"Country\",\"value\":\"ZZ\"", "ignored 1"),
        ("\"scope\":\"username\",\"value\":\"192.0.2.1\"", "ignored 1"),
        ("\"scope\":\"Ip\",\"value\":\"Ip:192.0.2.1\"", "line 1 NotAnAddress"),
        ("\"scope\":\"Ip\",\"value\":\"\"", "line 1 NotAnAddress"),
        ("\"scope\":\"Ip\",\"value\":null", "line 1 MissingField"),
        ("\"scope\":\"Ip\",\"value\":3221225985", "line 1 NotAnAddress"),
        ("\"scope\":\"Ip\",\"value\":[\"192.0.2.1\"]", "line 1 NotAnAddress"),
        ("\"scope\":\"Ip\",\"value\":\"192.0.2.01\"", "line 1 LeadingZero"),
        ("\"scope\":\"Ip\",\"value\":\"::ffff:192.0.2.1\"", "192.0.2.1"),
    ] {
        check(Crowdsec, &format!("[{{{record}}}]"), want);
    }
    check_as(Crowdsec, "[{\"scope\":\"Ip\"}]", "line 1 MissingField");
    check_as(Crowdsec, "[7]", "line 1 Foreign");
    check_as(Crowdsec, "[\"192.0.2.1\"]", "line 1 Foreign");
    check_as(Crowdsec, "{\"new\":{\"value\":\"192.0.2.1\"}}", "line 1 MissingField");
    check_as(Crowdsec, "{\"message\":\"access forbidden\"}", "line 1 ErrorDocument, error");
    check_as(
        Crowdsec,
        "{\"decisions\":[{\"scope\":\"Ip\",\"value\":\"192.0.2.1\"}]}",
        "line 1 Document { expected: \"CrowdSec's decisions or alerts\" }",
    );
}

#[test]
fn rows_have_the_same_meaning_under_their_header() {
    let head = "duration,scope,value";
    for (rows, want) in [
        ("24h,Ip,192.0.2.1", "192.0.2.1 for 86400, ignored 1"),
        (
            "1h,ip,192.0.2.1\n1h,range,2001:db8::/32",
            "192.0.2.1 for 3600, 2001:db8::/32 for 3600, ignored 1",
        ),
        (",Ip,192.0.2.1", "192.0.2.1, ignored 1"),
        ("\"1h\",\"Ip\",\"192.0.2.1\"", "192.0.2.1 for 3600, ignored 1"),
        ("-1h,Ip,192.0.2.1", "ignored 2"),
        ("1h,Country,ZZ", "ignored 2"),
        ("1h,Ip,", "ignored 1, line 2 MissingField"),
        ("1h,Ip", "ignored 1, line 2 MissingField"),
        ("1h", "ignored 1, line 2 MissingField"),
        ("1h,Ip,Ip:192.0.2.1", "ignored 1, line 2 NotAnAddress"),
        ("1h,Ip,2001:db8::1", "2001:db8::1 for 3600, ignored 1"),
        ("1h,192.0.2.1,Ip", "ignored 2"),
        ("soon,Ip,192.0.2.1", "ignored 1, line 2 Duration"),
        ("1h,Ip,192.0.2.1,more", "192.0.2.1 for 3600, ignored 1"),
        ("# 1h,Ip,192.0.2.1\n\n1h,Ip,192.0.2.2", "192.0.2.2 for 3600, ignored 1"),
        ("1h,\"Ip,192.0.2.1", "ignored 2"),
        ("<html>", "ignored 1, line 2 MissingField"),
    ] {
        check(CrowdsecCsv, &format!("{head}\n{rows}"), want);
    }
}

#[test]
fn other_headers_name_other_columns() {
    let import = "type,value,scope,reason,duration\nban,192.0.2.1,Ip,203.0.113.1,1h\ncaptcha,192.0.2.2,Ip,x,1h";
    check(CrowdsecCsv, import, "192.0.2.1 for 3600, ignored 2");
    let raw = "id,source,ip,reason,action,country,as,events_count,expiration,simulated,alert_id\n\
        1,crowdsec,Ip:192.0.2.1,crowdsecurity/ssh-bf,ban,ZZ,64496 X,6,3h59m10s,false,1\n\
        2,crowdsec,Ip:2001:db8::1,x,ban,,,6,1h,true,2\n\
        3,crowdsec,Ip:2001:db8::2,x,ban,,,6,1h,false,2\n\
        4,crowdsec,Range:198.51.100.0/24,x,ban,,,6,1h,false,2\n\
        5,crowdsec,Country:ZZ,x,ban,,,6,1h,false,2";
    check(
        CrowdsecCsv,
        raw,
        "198.51.100.0/24 for 3600, 2001:db8::2 for 3600, 192.0.2.1 for 14350, ignored 3",
    );
    check_as(CrowdsecCsv, "192.0.2.1\n192.0.2.2", "line 1 Foreign, line 2 Foreign");
    check_as(CrowdsecCsv, "scope,value\nIp,192.0.2.1", "line 1 Foreign, line 2 Foreign");
}
