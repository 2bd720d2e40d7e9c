//! Sets, routes and match lists: what is in them at the end.

use blocklist::Format::{Bind, Firewalld, IpRoute, IpsetList, Plain};

use super::{Auto, Found, Named, check, check_with};

const HEAD: &str = "Revision: 7\nHeader: family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1\n\
    Size in memory: 512\nReferences: 0\nNumber of entries: 2\nMembers:\n";

#[test]
fn a_listed_set_has_its_members() {
    check(
        Found(IpsetList),
        &format!("Name: bad\nType: hash:net\n{HEAD}192.0.2.0/24\n203.0.113.1\n"),
        "192.0.2.0/24, 203.0.113.1, left out 8",
    );
    check(
        Found(IpsetList),
        &format!("Name: bad\nType: hash:net\n{HEAD}192.0.2.0/31\n192.0.2.1 nomatch\n"),
        "192.0.2.0, left out 8",
    );
    check(
        Found(IpsetList),
        &format!(
            "Name: bad\nType: hash:ip\n{}192.0.2.1 timeout 9 packets 1 bytes 2 comment \"a b\"\n192.0.2.2 timeout 0\n",
            HEAD.replace("maxelem 65536", "maxelem 65536 timeout 60 counters comment")
        ),
        "192.0.2.2, 192.0.2.1 for 9, left out 8",
    );
    check(Found(IpsetList), &format!("Name: ports\nType: bitmap:port\n{HEAD}80\n"), "left out 9");
    check(
        Found(IpsetList),
        &format!("Name: x\nType: hash:ip,port\n{HEAD}192.0.2.1,tcp:80\n"),
        "left out 8, line 9 MoreThanAddress",
    );
    check(
        Found(IpsetList),
        "Name: x\nType: hash:ip\nwords\n",
        "left out 2, line 3 Foreign, doubt in line 3",
    );
}

#[test]
fn several_listed_sets_are_told_apart_by_name() {
    let text = format!(
        "Name: bad\nType: hash:net\n{HEAD}192.0.2.0/24\n\nName: office\nType: hash:net\n{HEAD}192.0.2.7\n"
    );
    check(
        Found(IpsetList),
        &text.replace("office", "other"),
        "192.0.2.0/24, 192.0.2.7, left out 16, doubt in line 9: sets or lists",
    );
    check_with(Found(IpsetList), &[("select", "set:bad")], &text, "192.0.2.0/24, left out 17");
}

#[test]
fn a_set_of_firewalld_is_xml() {
    let set = |kind: &str, inner: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ipset type=\"{kind}\">\n{inner}</ipset>\n"
        )
    };
    check(
        Found(Firewalld),
        &set(
            "hash:net",
            "  <short>x</short>\n  <!-- <entry>198.51.100.1</entry> -->\n  \
        <option name=\"family\" value=\"inet\"/>\n  <entry>192.0.2.0/24</entry>\n  <entry>203.0.113.1</entry>\n",
        ),
        "192.0.2.0/24, 203.0.113.1",
    );
    check(
        Found(Firewalld),
        &set("hash:ip", "<option name='timeout' value='600'/><entry>2001:db8::1</entry>"),
        "2001:db8::1 for 600",
    );
    check(
        Found(Firewalld),
        &set("hash:ip,port", "<entry>192.0.2.1,80</entry>\n"),
        "line 3 MoreThanAddress",
    );
    check(Found(Firewalld), &set("hash:net", "<entry>192.0.2.256</entry>\n"), "line 3 OctetValue");
    check(
        Found(Firewalld),
        &set("hash:net", "<entry>192.0.2.1</entry>\n<rule/>\n"),
        "192.0.2.1, line 4 Foreign, doubt in line 4: an element",
    );
    check(
        Found(Firewalld),
        "<ipset type=\"hash:net\"><entry>192.0.2.1</entry>",
        "192.0.2.1, line 1 Foreign, broken",
    );
    check(
        Auto,
        "<zone><source address=\"192.0.2.1\"/></zone>\n",
        "line 1 NotAnAddress, doubt in line 1: markup begins",
    );
}

#[test]
fn routes_that_lead_nowhere_block() {
    check(
        Found(IpRoute),
        "#!/bin/sh\nip route add blackhole 192.0.2.0/24\nsudo /sbin/ip route add unreachable 203.0.113.1 || true\n\
        ip -6 route replace prohibit 2001:db8::/32 metric 5\n",
        "192.0.2.0/24, 203.0.113.1, 2001:db8::/32",
    );
    check(
        Found(IpRoute),
        "ip route add blackhole 192.0.2.0/24\nip route add 198.51.100.0/24 via 192.0.2.254\nip route del blackhole 192.0.2.0/24\n\
        ip route add blackhole 203.0.113.0/24\n",
        "203.0.113.0/24, left out 3",
    );
    // What is led elsewhere from inside is reached.
    check(
        Found(IpRoute),
        "ip route add blackhole 192.0.2.0/31\nip route add 192.0.2.1 via 203.0.113.1 dev eth0\n",
        "192.0.2.0, not 192.0.2.1",
    );
    check(
        Found(IpRoute),
        "ip route add blackhole 192.0.2.0/24\nip route replace 192.0.2.0/24 via 203.0.113.1\nip route add blackhole 192.0.3.0/24\n",
        "192.0.3.0/24, left out 2",
    );
    check(
        Found(IpRoute),
        "ip route add 192.0.2.0/24 via 203.0.113.1\nip route add blackhole 192.0.2.0/24\nip route add blackhole 192.0.3.0/24\n",
        "192.0.3.0/24, left out 2",
    );
    check(
        Found(IpRoute),
        "ip route add blackhole 192.0.2.0/24 metric 9\nip route add 192.0.2.0/24 via 203.0.113.1 metric 5\nip route add blackhole 192.0.3.0/24\n",
        "192.0.3.0/24, left out 2",
    );
    check(
        Found(IpRoute),
        "default via 203.0.113.1 dev eth0\nblackhole 192.0.2.0/24 proto static\nunreachable default metric 4278198272\n",
        "192.0.2.0/24, left out 2",
    );
    check(
        Found(IpRoute),
        "ip route add blackhole 192.0.2.0/24 table 100\nip route add blackhole 192.0.3.0/24\nip route add blackhole default\n",
        "192.0.3.0/24, left out 2",
    );
    check(
        Found(IpRoute),
        "route add -host 192.0.2.1 reject\nroute add -net 192.0.3.0 netmask 255.255.255.0 reject\nroute add -net 198.51.100.0/24 gw 192.0.2.9\n",
        "192.0.2.1, 192.0.3.0/24, left out 1",
    );
    check(
        Found(IpRoute),
        "ip route add blackhole 192.0.2.0/24\nip route flush table main\n",
        "left out 2",
    );
    check(Named(IpRoute), "ip rule add from 192.0.2.1 prohibit\n", "line 1 Foreign");
    check(Named(IpRoute), "ip route add 192.0.2.0/24 via 203.0.113.1\n", "left out 1");
    check(Named(IpRoute), "ip route add blackhole $IP\n", "line 1 NotAnAddress");
    check(
        Found(Plain),
        "192.0.2.1\nblackhole 192.0.2.2\n",
        "192.0.2.1, line 2 NotAnAddress, doubt in line 2",
    );
}

#[test]
fn a_match_list_of_bind_is_an_entry_a_line() {
    check(
        Found(Bind),
        "acl \"bad\" {\n  192.0.2.0/24; // x\n  /* 198.51.100.1; */\n  2001:db8::/32;\n};\n",
        "192.0.2.0/24, 2001:db8::/32",
    );
    check(
        Found(Bind),
        "acl bad { !192.0.2.1; 192.0.2.0/31; key x; other; };\n",
        "192.0.2.0, left out 3",
    );
    check(
        Found(Bind),
        "acl bad { 192.0.2.0/31; !192.0.2.1; any; 203.0.113.1; };\n",
        "192.0.2.0/31, left out 3",
    );
    check(Found(Bind), "blackhole { 192.0.2.1; geoip country US; };\n", "192.0.2.1, left out 1");
    let several = "acl drop { 192.0.2.1; };\nacl trusted { 192.0.2.2; };\n";
    check(
        Found(Bind),
        several,
        "192.0.2.1, not 192.0.2.2, doubt in line 1: sets or lists that may mean different things, \
        `drop` with 1, `trusted` with 1",
    );
    check_with(Found(Bind), &[("select", "acl:drop")], several, "192.0.2.1, left out 1");
    check(
        Found(Bind),
        "acl bad { 192.0.2.1; };\noptions {\n directory \"/x\";\n};\n",
        "192.0.2.1, line 2 Foreign, doubt in line 2",
    );
    check(
        Found(Bind),
        "acl bad { 192.0.2.1; };\ninclude \"more\";\n",
        "192.0.2.1, line 2 Foreign, doubt in line 2: `include`",
    );
    check(
        Named(Bind),
        "zone x { };\nacl bad { 192.0.2.256; };\n",
        "line 1 Foreign, line 2 OctetValue",
    );
}
