//! Lists line by line.

use blocklist::Format::{
    Csf, Edl, Endpoints, Iprep, Pf, Plain, Powerdns, Rpz, Sshguard, Unbound, ZeekIntel,
};

use super::{Auto, Found, Named, check, check_with};

#[test]
fn csf_denies_whole_hosts_and_leaves_out_what_is_about_a_port() {
    let deny = "# The following IP addresses will be blocked in iptables\n";
    let allow = "# The following IP addresses will be allowed through iptables\n";
    check(
        Found(Csf),
        &format!(
            "{deny}192.0.2.1 # lfd: (sshd) failed\n203.0.113.0/24\ntcp|in|d=22|s=198.51.100.1\n"
        ),
        "192.0.2.1, 203.0.113.0/24, left out 1",
    );
    check(
        Found(Csf),
        "192.0.2.1 # do not delete\ntcp|in|d=3306|s=203.0.113.4/24 # mysql\nudp|out|d=53|d=203.0.113.9\n",
        "192.0.2.1, left out 2",
    );
    check(
        Found(Csf),
        &format!("{allow}192.0.2.1\ntcp|in|d=22|s=203.0.113.9\n"),
        "not 192.0.2.1, left out 1",
    );
    check(Found(Csf), &format!("{deny}2001:db8::/32\n"), "2001:db8::/32");
    check(
        Found(Csf),
        &format!("{deny}192.0.2.1\nInclude /etc/csf/more.deny\n"),
        "192.0.2.1, left out 1, doubt in line 3: `Include` takes in another file",
    );
    // Whoever names the format does not know what is in the other file either.
    check(
        Named(Csf),
        "192.0.2.1\nInclude /etc/csf/more.deny\n",
        "192.0.2.1, left out 1, doubt in line 2",
    );
    check(Named(Csf), "192.0.2.1 # plain\n", "192.0.2.1");
    check(Named(Csf), "192.0.2.999\nbad.example\n", "line 1 OctetValue, line 2 Foreign");
    check(Auto, "192.0.2.1 # plain\n", "192.0.2.1");
    check(Found(Plain), "# made up\n192.0.2.1\n", "192.0.2.1");
    // Nothing that is not of csf begins like that.
    check(
        Auto,
        "tcp|in|d=22\nGET|in|d=22|s=192.0.2.1\n",
        "left out 1, line 2 Foreign, doubt in line 2",
    );
}

#[test]
fn sshguard_blocks_whoever_is_in_its_blacklist() {
    let text = "1767225600|100|4|192.0.2.1\n1767225601|210|6|2001:db8::1\n";
    check(Found(Sshguard), text, "192.0.2.1, 2001:db8::1");
    check(Found(Sshguard), "# x\n1|1|4|192.0.2.1\n", "192.0.2.1");
    check(Named(Sshguard), "1|1|6|192.0.2.1\n", "line 1 Families");
    check(Named(Sshguard), "1|1|5|192.0.2.1\n", "line 1 Foreign");
    check(
        Named(Sshguard),
        "x|1|4|192.0.2.1\n1|1|4|192.0.2.1|5\n",
        "line 1 Foreign, line 2 Foreign",
    );
    check(Named(Sshguard), "1|1|4|192.0.2\n", "line 1 OctetCount");
}

#[test]
fn unbound_keeps_out_whom_it_denies_or_refuses() {
    check(
        Found(Unbound),
        "server:\n  verbosity: 1\n  access-control: 192.0.2.0/24 refuse # x\n  access-control: 192.0.2.7 allow\n\
         \x20 access-control: 2001:db8::/32 deny\n  access-control: 0.0.0.0/0 refuse\n",
        "192.0.2.0/30, 192.0.2.4/31, 192.0.2.6, 192.0.2.8/29, 192.0.2.16/28, 192.0.2.32/27, 192.0.2.64/26, \
         192.0.2.128/25, 2001:db8::/32, not 192.0.2.7, left out 3",
    );
    // The most specific one counts, in whatever order they stand.
    check(
        Found(Unbound),
        "access-control: 192.0.2.7 refuse\naccess-control: 192.0.2.0/24 allow\n",
        "192.0.2.7, not 192.0.2.0/30, not 192.0.2.4/31, not 192.0.2.6, not 192.0.2.8/29, not 192.0.2.16/28, \
         not 192.0.2.32/27, not 192.0.2.64/26, not 192.0.2.128/25",
    );
    check(
        Found(Unbound),
        "access-control: 192.0.2.1 deny_non_local\naccess-control: 192.0.2.2 allow_snoop\n",
        "not 192.0.2.2, left out 1",
    );
    check(
        Found(Unbound),
        "access-control: 192.0.2.1 refuse\ninclude: \"/etc/x\"\n",
        "192.0.2.1, left out 1, doubt in line 2: `include` takes in another file",
    );
    check(Found(Unbound), "access-control: 192.0.2.1 destroy\n", "line 1 Foreign, doubt in line 1");
    check(Named(Unbound), "192.0.2.1\n", "line 1 Foreign");
    check(
        Auto,
        "192.0.2.1\n192.0.2.2\naccess-control: 192.0.2.3 allow\n",
        "192.0.2.1, 192.0.2.2, line 3 NotAnAddress, doubt in line 3",
    );
}

#[test]
fn the_recursor_says_whom_it_allows() {
    check(
        Found(Powerdns),
        "local-port=53\nallow-from=192.0.2.0/24, !192.0.2.9, 2001:db8::/32\n",
        "not 192.0.2.0/29, not 192.0.2.8, not 192.0.2.10/31, not 192.0.2.12/30, \
         not 192.0.2.16/28, not 192.0.2.32/27, not 192.0.2.64/26, not 192.0.2.128/25, \
         not 2001:db8::/32, left out 1",
    );
    check(Found(Powerdns), "allow-from+=192.0.2.1\n", "not 192.0.2.1");
    check(
        Found(Powerdns),
        "allow-from=\nallow-from-file=/etc/x\n",
        "left out 2, doubt in line 2: `include-dir`",
    );
    check(Auto, "key = 192.0.2.1\n", "line 1 NotAnAddress, doubt in line 1: a key has a value");
}

#[test]
fn a_policy_zone_keeps_out_clients() {
    let head = "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n  NS localhost.\n; words\n";
    check(
        Found(Rpz),
        &format!(
            "{head}32.1.2.0.192.rpz-client-ip CNAME rpz-drop.\n\
        24.0.113.0.203.rpz-client-ip 60 IN CNAME .\n48.zz.1.db8.2001.rpz-client-ip CNAME *.\n\
        bad.example CNAME .\n24.0.100.51.198.rpz-ip CNAME .\n"
        ),
        "192.0.2.1, 203.0.113.0/24, 2001:db8:1::/48, left out 5, doubt in line 8: a record is about something else",
    );
    check(
        Found(Rpz),
        "31.0.2.0.192.rpz-client-ip CNAME .\n32.1.2.0.192.rpz-client-ip CNAME rpz-passthru.\n",
        "192.0.2.0, not 192.0.2.1",
    );
    check(
        Found(Rpz),
        "32.1.2.0.192.rpz-client-ip.rpz.example. CNAME rpz-tcp-only.\n",
        "not 192.0.2.1",
    );
    check(
        Found(Rpz),
        "32.1.2.0.192.rpz-client-ip CNAME .\n128.1.zz.rpz-client-ip CNAME .\n33.1.2.0.192.rpz-client-ip CNAME .\n",
        "192.0.2.1, ::1, line 3 PrefixLength { max: 32 }",
    );
    check(
        Found(Rpz),
        "32.1.2.0.192.rpz-client-ip CNAME .\n$INCLUDE more\n",
        "192.0.2.1, left out 1, doubt in line 2: `$INCLUDE`",
    );
    check(Named(Rpz), "bad.example CNAME .\n24.0.100.51.198.rpz-nsip CNAME .\n", "left out 2");
}

#[test]
fn a_table_of_pf_takes_addresses_out_again() {
    check(Named(Pf), "# x\n192.0.2.0/31 # y\n!192.0.2.1\n", "192.0.2.0");
    check(Named(Pf), "! 192.0.2.0/24\n192.0.2.8\n", "192.0.2.8");
    check(Named(Pf), "192.0.2.1 192.0.2.2 host.example self\n", "192.0.2.1, 192.0.2.2, left out 2");
    check(Named(Pf), "192.0.2.1:80\n", "line 1 Port");
    check(
        Auto,
        "192.0.2.0/24\n!192.0.2.1\n",
        "192.0.2.0/24, line 2 NotAnAddress, doubt in line 2: `!` makes an exception",
    );
}

#[test]
fn words_behind_a_mark_are_about_the_address_before_it() {
    check(
        Found(Edl),
        "192.0.2.0/24 - Example (EX)\n2001:db8::1 - some words # and a comment\n",
        "192.0.2.0/24, 2001:db8::1",
    );
    check(
        Found(Edl),
        "# x\n192.0.2.1 | Example\n192.0.2.2\n192.0.2.3 | Other\n// y\n",
        "192.0.2.1, 192.0.2.2, 192.0.2.3, left out 1",
    );
    check(
        Found(Edl),
        "192.0.2.1 -- Example\n192.0.2.2 -- trusted partner\n",
        "192.0.2.1, 192.0.2.2, doubt in line 2: a word behind an address says not to block it",
    );
    check(
        Named(Edl),
        "192.0.2.1 : see 192.0.2.9\n192.0.2.2 - - [1/Jan/2026] \"GET /\"\n",
        "192.0.2.1, 192.0.2.2",
    );
    check(
        Found(Edl),
        "192.0.2.1 - a\n192.0.2.2 | b\n",
        "192.0.2.1, 192.0.2.2, doubt in line 2: words are set off",
    );
    check(Named(Edl), "192.0.2.1 Example\n", "line 1 Trailing");
    check(Found(Plain), "192.0.2.1 - 192.0.2.2\n", "192.0.2.1, 192.0.2.2");
}

#[test]
fn ports_and_paths_are_left_away_by_name_only() {
    check(
        Named(Endpoints),
        "192.0.2.1:443\n[2001:db8::1]:8080\n192.0.2.2\nhttps://192.0.2.3/a?b\nhttp://[2001:db8::2]:80/\n",
        "192.0.2.1, 192.0.2.2, 192.0.2.3, 2001:db8::1, 2001:db8::2",
    );
    check(
        Named(Endpoints),
        "# x\nhttp://bad.example/192.0.2.1\nhttp://u@192.0.2.4:1/\nbad.example:80\n",
        "192.0.2.4, left out 2",
    );
    check(
        Named(Endpoints),
        "192.0.2.1:99999\n2001:db8::1\nhttp://84.1.1/\n",
        "2001:db8::1, line 1 Port, line 3 OctetCount",
    );
    check(Auto, "192.0.2.1:443\n", "line 1 Port");
    let csv = "# \"first_seen\", \"ioc_value\", \"ioc_type\"\n\"x\", \"192.0.2.1:443\", \"ip:port\"\n\
        \"y\", \"http://192.0.2.2/\", \"url\"\n\"z\", \"bad.example\", \"domain\"\n";
    check_with(
        Named(Endpoints),
        &[("column", "ioc_value")],
        csv,
        "192.0.2.1, 192.0.2.2, left out 2",
    );
    check_with(
        Named(Endpoints),
        &[("column", "ioc_value"), ("where", "ioc_type = ip:port")],
        csv,
        "192.0.2.1, left out 3",
    );
    check_with(
        Named(Endpoints),
        &[("column", "url")],
        "id,url\n1,http://192.0.2.1:8/x\n",
        "192.0.2.1, left out 1",
    );
    let json = "{\"1\": [{\"ioc_value\": \"192.0.2.1:443\", \"ioc_type\": \"ip:port\"}], \
        \"2\": [{\"ioc_value\": \"http://192.0.2.2/\", \"ioc_type\": \"url\"}]}";
    check_with(Named(Endpoints), &[("path", "*[].ioc_value")], json, "192.0.2.1, 192.0.2.2");
    check_with(
        Named(Endpoints),
        &[("path", "*[].ioc_value"), ("where", "ioc_type = url")],
        json,
        "192.0.2.2, left out 1",
    );
}

#[test]
fn reputation_counts_by_category_and_score() {
    let text = "# x\n192.0.2.1,1,100\n192.0.2.2,2,10\n192.0.2.3,1,0\n2001:db8::/32,1,20\n";
    check(
        Named(Iprep),
        text,
        "192.0.2.1, 192.0.2.2, 2001:db8::/32, left out 1, doubt in line 2: sets or lists that may mean \
        different things, category 1 with 2, category 2 with 1: say which block, as in `select = [\"category:1\"]`",
    );
    check_with(
        Named(Iprep),
        &[("select", "category:1")],
        text,
        "192.0.2.1, 2001:db8::/32, left out 2",
    );
    check_with(Named(Iprep), &[("where", "score >= 50")], text, "192.0.2.1, left out 3");
    check_with(
        Named(Iprep),
        &[("where", "3 >= 10"), ("where", "category = 2")],
        text,
        "192.0.2.2, left out 3",
    );
    check(
        Named(Iprep),
        "192.0.2.1,1,128\n192.0.2.2,1\n192.0.2.3,1,1,1\n192.0.2.256,1,1\n",
        "line 1 Number, line 2 MissingField, line 3 Trailing, line 4 OctetValue",
    );
}

#[test]
fn zeek_knows_indicators_by_their_type() {
    let text = "#fields\tindicator\tindicator_type\tmeta.source\n192.0.2.1\tIntel::ADDR\tx\n\
        203.0.113.0/24\tIntel::SUBNET\ty\nbad.example\tIntel::DOMAIN\tx\n";
    check(Found(ZeekIntel), text, "192.0.2.1, 203.0.113.0/24, left out 2");
    check_with(Found(ZeekIntel), &[("where", "meta.source = x")], text, "192.0.2.1, left out 3");
    check(
        Found(ZeekIntel),
        "#fields\tindicator_type\tindicator\nIntel::ADDR\t2001:db8::1\nIntel::ADDR\t192.0.2.0/24\n",
        "2001:db8::1, left out 1, line 3 NotAnAddress",
    );
    check(Named(ZeekIntel), "192.0.2.1\tIntel::ADDR\n", "line 1 MissingField");
}
