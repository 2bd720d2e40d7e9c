//! `ipset save` and scripts of `ipset add`.

use blocklist::Format;
use blocklist::RejectReason::*;
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const IPSET: Reader = Reader(Format::Ipset);

#[test]
fn all_sets_of_a_file_are_read_together() {
    let saved = "\
create CN hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xdcb4296c
add CN 192.0.2.0/24
create six hash:ip family inet6 hashsize 1024 maxelem 65536 counters comment
add six 2001:db8::1 packets 3 bytes 180 comment \"two words nomatch\"
-N old nethash --hashsize 1024
-A old 203.0.113.0/24
COMMIT
";
    IPSET.check(saved, &["192.0.2.0/24", "203.0.113.0/24", "2001:db8::1"]);
    IPSET.check("add a 192.0.2.1-192.0.2.3\n", &["192.0.2.1", "192.0.2.2/31"]);
    IPSET.check("add -exist a 192.0.2.1\nadd a 192.0.2.2 -exist\n", &["192.0.2.1", "192.0.2.2"]);
    IPSET.check("create n hash:ip netmask 24\nadd n 192.0.2.0\n", &["192.0.2.0/24"]);
    IPSET.check("create p list:set size 8\nadd p CN\nflush p\n-X\n", &[]);
    IPSET.check("create p bitmap:port range 0-9\nadd p 7\n", &[]);
    IPSET.check("create m bitmap:ip range 192.0.2.0/24\nadd m 192.0.2.5\n", &["192.0.2.5"]);
}

#[test]
fn shell_scripts_are_read_word_by_word() {
    let check = |line: &str| IPSET.check(line, &["192.0.2.1"]);
    check("ipset add bad 192.0.2.1");
    check("/usr/sbin/ipset -A bad 192.0.2.1 2>/dev/null || true");
    check("sudo ipset -exist add $SET '192.0.2.1' >/dev/null 2>&1");
    check("ipset -! add \"$SET\" \"192.0.2.1\"; echo 192.0.2.9");
    check("ipset add bad 192.0.2.1; ipset add bad 192.0.2.9 # one command is read");
    check("#!/bin/sh\nipset create bad hash:ip -exist\nipset add bad 192.0.2.1 comment 'a b'\n");
}

#[test]
fn the_most_specific_entry_of_a_set_counts() {
    IPSET.check("add a 192.0.2.0/30\nadd a 192.0.2.1 nomatch\n", &["192.0.2.0", "192.0.2.2/31"]);
    IPSET.check("add a 192.0.2.1 nomatch\nadd a 192.0.2.0/31\n", &["192.0.2.0"]);
    IPSET.check("add a 192.0.2.0/24 nomatch\nadd a 192.0.2.1\n", &["192.0.2.1"]);
    IPSET.check(
        "add a 192.0.2.0/24\nadd a 192.0.2.0/30 nomatch\nadd a 192.0.2.3\nadd a 192.0.2.8/29 nomatch\n",
        &["192.0.2.3", "192.0.2.4/30", "192.0.2.16/28", "192.0.2.32/27", "192.0.2.64/26", "192.0.2.128/25"],
    );
    // Another set is not asked.
    IPSET.check("add a 192.0.2.1 nomatch\nadd b 192.0.2.1\n", &["192.0.2.1"]);
    IPSET.check("add a 192.0.2.1 nomatch\nadd a 192.0.2.1\n", &[]);
    IPSET.check("add a 192.0.2.1\nadd a 192.0.2.2\ndel a 192.0.2.1\n", &["192.0.2.2"]);
    IPSET.check("add a 2001:db8::/32\nadd a 2001:db8::/33 nomatch\n", &["2001:db8:8000::/33"]);
    IPSET.check("add a 255.255.255.254/31\nadd a 255.255.255.255 nomatch\n", &["255.255.255.254"]);
}

#[test]
fn a_timeout_is_what_remains() {
    let set = "create a hash:net timeout 3600\n";
    let check = |entry: &str, want: &[(u64, &[&str])]| {
        IPSET.check_expiring(&format!("{set}{entry}\n"), want);
    };
    check("add a 192.0.2.1 timeout 59", &[(59, &["192.0.2.1"])]);
    check("add a 192.0.2.1", &[(3600, &["192.0.2.1"])]);
    check("add a 192.0.2.1 timeout 0", &[]);
    check("add b 192.0.2.1", &[]);
    check("add a 2001:db8::/32 timeout 7 packets 0 bytes 0", &[(7, &["2001:db8::/32"])]);
    check(
        "add a 192.0.2.0/31 timeout 7\nadd a 192.0.2.1 nomatch timeout 9",
        &[(7, &["192.0.2.0"])],
    );
}

#[test]
fn what_is_no_entry_of_addresses_is_rejected() {
    for (line, reason) in [
        ("add a 010.1.2.3", LeadingZero),
        ("add a 192.168/16", OctetCount),
        ("add a 10.1.2", OctetCount),
        ("add a 192.0.2.1/33", PrefixLength { max: 32 }),
        ("add a 192.0.2.256", OctetValue),
        ("add a 192.0.2.1,80", MoreThanAddress),
        ("add a 192.0.2.1,tcp:80", MoreThanAddress),
        ("create a hash:ip,port\nadd a 192.0.2.1", MoreThanAddress),
        ("create a hash:net,iface\nadd a 192.0.2.0/24", MoreThanAddress),
        ("create a hash:ip bitmask 255.0.255.0\nadd a 192.0.2.0", MoreThanAddress),
        ("add a", MissingField),
        ("add", Foreign),
        ("create a", Foreign),
        ("add a bad.example", NotAnAddress),
        ("add a $ADDRESS", NotAnAddress),
        ("add a 3232235777", NotAnAddress),
        ("add a 192.0.2.1 192.0.2.2", Trailing),
        ("add a 192.0.2.1 timeout", Number),
        ("add a 192.0.2.1 timeout -5", Number),
        ("add a 192.0.2.1 timeout 1h", Number),
        ("add a 192.0.2.1 comment \"cut of", Trailing),
        ("add a 192.0.2.1 2>/dev/null", Trailing),
        ("add a 192.0.2.9-192.0.2.1", Reversed),
        ("add a fe80::1%eth0", Zone),
        ("create a hash:ip netmask 0", Number),
        ("192.0.2.1", Foreign),
        ("iptables -A INPUT -s 192.0.2.1 -j DROP", Foreign),
        ("echo add a 192.0.2.1", Foreign),
    ] {
        IPSET.refuse(line, reason);
    }
}

#[test]
fn it_is_told_from_a_plain_list() {
    IPSET.check_detected(&[
        "create a hash:ip\n",
        "add a 192.0.2.1\n",
        "# saved\n-N a iphash\n-A a 192.0.2.1\n",
        "#!/bin/sh\nipset -q add a 192.0.2.1\n",
    ]);
    Reader(Format::Plain).check_detected(&["192.0.2.1\n", "192.0.2.1 add\n", "a add 192.0.2.1\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let head = "create a hash:net family inet\ncreate b hash:net family inet6\n".to_owned();
        let lines = set.iter().map(|prefix| format!("add a {prefix} comment \"x y\"\n"));
        round_trip(Format::Ipset, &(head + &lines.collect::<String>()), &set)?;
    }

    #[test]
    fn nomatch_is_the_longest_match(
        members in prop::collection::vec((any::<u8>(), 24..=32_u8, 0..3_u8), 0..12),
        asked in any::<u8>(),
    ) {
        let lets_pass = |length: u8| length.is_multiple_of(3);
        let lines = members.iter().map(|(last, length, set)| {
            let nomatch = if lets_pass(*length) { "nomatch" } else { "" };
            format!("add s{set} 192.0.2.{last}/{length} {nomatch}\n")
        });
        let text: String = lines.collect();
        let longest = |set: u8| {
            let inside = members.iter().filter(|(last, length, of)| {
                *of == set && u32::from(last ^ asked) >> (32 - length) == 0
            });
            inside.map(|(_, length, _)| *length).max()
        };
        let want = (0..3).any(|set| longest(set).is_some_and(|length| !lets_pass(length)));
        let feed = IPSET.read(&text);
        prop_assert_eq!(feed.prefixes.contains([192, 0, 2, asked].into()), want, "{}", text);
    }
}
